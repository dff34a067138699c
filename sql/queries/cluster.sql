-- CLUSTER: copies of newly loaded articles, and the story clusters that they form. One at a time, in one transaction
-- a batch; what a statement gives is a function of the articles loaded, whatever their order.

-- name: one_at_a_time
SELECT pg_advisory_xact_lock(hashtextextended('pressmark cluster', 0));

-- name: plain_joins
-- The planner takes a hash join with a sequential scan of all bands for a thousand look-ups by key.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);

-- name: take
-- The next articles of the queue.
SELECT queue_id, article_uid FROM staging.cluster_queue ORDER BY queue_id LIMIT %(limit)s;

-- name: waiting
-- About how many entries the queue has; a count would read all of it.
SELECT COALESCE(max(queue_id) - min(queue_id) + 1, 0) FROM staging.cluster_queue;

-- name: versions
-- Every text that these articles have had, with what is known of it.
SELECT DISTINCT ON (a.article_uid, x.text_hash)
       a.article_uid, a.outlet, x.text_hash, x.headline_hash, t.article_body,
       COALESCE(now_x.date_published,
                (SELECT w.listed_published FROM core.capture w
                 WHERE w.article_uid = a.article_uid AND w.listed_published IS NOT NULL
                 ORDER BY w.observed_at, w.capture_id LIMIT 1),
                a.first_seen_at)::date AS published_on,
       f.body_sig, f.lead_sig
FROM core.article a
JOIN core.extraction now_x ON now_x.payload_hash = a.payload_hash AND now_x.extractor_id = a.extractor_id
JOIN core.revision r ON r.article_uid = a.article_uid AND r.superseded_seq IS NULL
JOIN core.capture v ON v.capture_id = r.capture_id
JOIN core.extraction x ON x.payload_hash = v.payload_hash AND x.extractor_id = r.extractor_id
JOIN core.text t ON t.text_hash = x.text_hash
LEFT JOIN core.fingerprint f ON f.text_hash = x.text_hash AND f.sig_version = %(sig_version)s
WHERE a.article_uid = ANY (%(articles)s::uuid[]) AND a.merged_into IS NULL
ORDER BY a.article_uid, x.text_hash, r.ordinal;

-- name: live_texts
-- What stands for these articles already.
SELECT dedup_id, article_uid, text_hash, published_on, sig_version, boilerplate_lines
FROM core.dedup_text
WHERE live AND article_uid = ANY (%(articles)s::uuid[]);

-- name: known_lines
-- Which of these lines are known to recur.
SELECT outlet_line FROM core.boilerplate_line WHERE outlet_line = ANY (%(lines)s::bigint[]);

-- name: add_lines
-- Lines of texts; `texts` says for each line which of the headlines and articles is its own, counted from 1.
INSERT INTO core.article_line (outlet_line, headline_hash, article_uid)
SELECT n.outlet_line, (%(headlines)s::bigint[])[n.text], (%(articles)s::uuid[])[n.text]
FROM unnest(%(lines)s::bigint[], %(texts)s::integer[]) AS n (outlet_line, text)
ORDER BY n.outlet_line
ON CONFLICT DO NOTHING;

-- name: new_boilerplate_lines
-- Which of these lines have been met under that many headlines of as many articles.
SELECT outlet_line FROM core.article_line
WHERE outlet_line = ANY (%(lines)s::bigint[])
GROUP BY outlet_line
HAVING count(DISTINCT headline_hash) >= %(headlines)s AND count(DISTINCT article_uid) >= %(headlines)s;

-- name: add_boilerplate_lines
INSERT INTO core.boilerplate_line (outlet_line, outlet, line)
SELECT * FROM unnest(%(lines)s::bigint[], %(outlets)s::text[], %(words)s::text[]);

-- name: articles_with_lines
-- Articles that hold one of these lines.
SELECT DISTINCT article_uid FROM core.article_line WHERE outlet_line = ANY (%(lines)s::bigint[]);

-- name: retire
UPDATE core.dedup_text SET live = false WHERE dedup_id = ANY (%(compared)s::bigint[]);

-- name: add_dedup_text
-- Rows of (article_uid, text_hash, published_on, sig_version, long_enough, boilerplate_lines).
INSERT INTO core.dedup_text (article_uid, text_hash, published_on, sig_version, long_enough, boilerplate_lines)
VALUES %s
RETURNING dedup_id, article_uid, text_hash;

-- name: add_bands
-- Bands of rows of dedup_text, equally many each.
INSERT INTO core.lsh_band (month, band_hash, dedup_id)
SELECT (%(months)s::date[])[(n.place - 1) / %(each)s + 1], n.band_hash, (%(compared)s::bigint[])[(n.place - 1) / %(each)s + 1]
FROM unnest(%(bands)s::bigint[]) WITH ORDINALITY AS n (band_hash, place)
ORDER BY 1, 2;

-- name: candidates
-- Pairs that share a band within 30 days; of a crowded band the first 50 live ones.
WITH probes AS MATERIALIZED (
    SELECT m.month::date AS month, n.band_hash, c.dedup_id, c.article_uid, c.published_on
    FROM (
        SELECT b.band_hash, (%(compared)s::bigint[])[(b.place - 1) / %(each)s + 1] AS dedup_id
        FROM unnest(%(bands)s::bigint[]) WITH ORDINALITY AS b (band_hash, place)
    ) n
    JOIN core.dedup_text c ON c.dedup_id = n.dedup_id
    CROSS JOIN generate_series(date_trunc('month', c.published_on - 30), (c.published_on + 30)::timestamp,
                               interval '1 month') AS m (month)
    ORDER BY 1, 2
)
SELECT DISTINCT least(p.dedup_id, o.dedup_id), greatest(p.dedup_id, o.dedup_id)
FROM probes p
CROSS JOIN LATERAL (
    SELECT c.dedup_id
    FROM core.lsh_band b
    JOIN core.dedup_text c ON c.dedup_id = b.dedup_id
    WHERE b.month = p.month AND b.band_hash = p.band_hash
      AND c.live AND c.article_uid <> p.article_uid AND abs(c.published_on - p.published_on) <= 30
    ORDER BY b.dedup_id
    LIMIT 50
) o;

-- name: equal_texts
-- Pairs of equal texts, over all time; of a text that stands in very many articles the first 50.
SELECT DISTINCT least(n.dedup_id, o.dedup_id), greatest(n.dedup_id, o.dedup_id)
FROM core.dedup_text n
CROSS JOIN LATERAL (
    SELECT c.dedup_id FROM core.dedup_text c
    WHERE c.text_hash = n.text_hash AND c.live AND c.long_enough AND c.article_uid <> n.article_uid
    ORDER BY c.dedup_id
    LIMIT 50
) o
WHERE n.dedup_id = ANY (%(compared)s::bigint[]) AND n.long_enough;

-- name: texts
-- The texts behind rows of dedup_text.
SELECT c.dedup_id, a.outlet, t.article_body, c.boilerplate_lines
FROM core.dedup_text c
JOIN core.article a ON a.article_uid = c.article_uid
JOIN core.text t ON t.text_hash = c.text_hash
WHERE c.dedup_id = ANY (%(compared)s::bigint[]);

-- name: next_load_seq
-- Under the lock of the loads, just before the commit: the order of load_seq is the order of commits.
SELECT nextval('ops.load_seq') FROM (SELECT pg_advisory_xact_lock(hashtextextended('pressmark load', 0))) l;

-- name: add_copies
INSERT INTO core.copy (dedup_a, dedup_b, similarity, containment, shared_shingles, load_seq) VALUES %s
ON CONFLICT (dedup_a, dedup_b) DO NOTHING;

-- name: neighbours
-- Articles that live pairs tie to these.
SELECT other.article_uid
FROM core.dedup_text own
JOIN core.copy p ON p.dedup_a = own.dedup_id
JOIN core.dedup_text other ON other.dedup_id = p.dedup_b AND other.live
WHERE own.live AND own.article_uid = ANY (%(articles)s::uuid[])
UNION
SELECT other.article_uid
FROM core.dedup_text own
JOIN core.copy p ON p.dedup_b = own.dedup_id
JOIN core.dedup_text other ON other.dedup_id = p.dedup_a AND other.live
WHERE own.live AND own.article_uid = ANY (%(articles)s::uuid[]);

-- name: clusters
-- All members of the clusters in which one of these articles is.
SELECT m.article_uid, m.copy_cluster FROM core.cluster_member m
WHERE m.superseded_seq IS NULL AND m.copy_cluster IN (
    SELECT own.copy_cluster FROM core.cluster_member own
    WHERE own.superseded_seq IS NULL AND own.article_uid = ANY (%(articles)s::uuid[]));

-- name: edges_among
-- Pairs of articles, both among these, that live pairs of texts tie together.
SELECT DISTINCT one.article_uid, other.article_uid
FROM core.dedup_text one
JOIN core.copy p ON p.dedup_a = one.dedup_id
JOIN core.dedup_text other ON other.dedup_id = p.dedup_b AND other.live
WHERE one.live AND one.article_uid = ANY (%(articles)s::uuid[]) AND other.article_uid = ANY (%(articles)s::uuid[]);

-- name: leave_clusters
UPDATE core.cluster_member SET superseded_seq = %(load_seq)s
WHERE superseded_seq IS NULL AND article_uid = ANY (%(articles)s::uuid[]);

-- name: join_clusters
INSERT INTO core.cluster_member (article_uid, copy_cluster, load_seq)
SELECT n.article_uid, n.copy_cluster, %(load_seq)s
FROM unnest(%(articles)s::uuid[], %(labels)s::uuid[]) AS n (article_uid, copy_cluster);

-- name: mark_changed
UPDATE core.article SET changed_seq = %(load_seq)s, changed_at = now() WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: done
DELETE FROM staging.cluster_queue WHERE queue_id = ANY (%(queue)s::bigint[]);
