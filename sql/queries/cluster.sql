-- CLUSTER: find copies among newly loaded articles and update copy clusters. One process at a time, one transaction
-- per batch. The result depends only on which articles are loaded, not on the order of the loads.

-- name: plain_joins
-- Disable hash and merge joins: for a thousand lookups by key the planner would scan all bands.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);

-- name: take
-- Read the next articles of the queue.
SELECT queue_id, article_uid FROM staging.cluster_queue ORDER BY queue_id LIMIT %(limit)s;

-- name: is_empty
-- Return whether no article waits.
SELECT NOT EXISTS (SELECT 1 FROM staging.cluster_queue);

-- name: waiting
-- Estimate the length of the queue from its ids. An exact count would scan the whole table.
SELECT COALESCE(max(queue_id) - min(queue_id) + 1, 0) FROM staging.cluster_queue;

-- name: versions
-- Return every text of these articles' revisions, with its date and its fingerprint if there is one.
SELECT DISTINCT ON (article.article_uid, extraction.text_hash)
       article.article_uid, article.outlet, extraction.text_hash, extraction.headline_hash, text.article_body,
       (COALESCE(article.date_published, article.first_seen_at) AT TIME ZONE 'UTC')::date AS published_on,
       fingerprint.body_sig, fingerprint.lead_sig
FROM core.article
JOIN core.revision ON revision.article_uid = article.article_uid AND revision.superseded_seq IS NULL
JOIN core.capture ON capture.capture_id = revision.capture_id
JOIN core.extraction ON extraction.payload_hash = capture.payload_hash
                    AND extraction.extractor_id = revision.extractor_id
JOIN core.text ON text.text_hash = extraction.text_hash
LEFT JOIN core.fingerprint ON fingerprint.text_hash = extraction.text_hash
                          AND fingerprint.sig_version = %(sig_version)s
WHERE article.article_uid = ANY (%(articles)s::uuid[]) AND article.merged_into IS NULL
ORDER BY article.article_uid, extraction.text_hash, revision.ordinal;

-- name: live_texts
-- Return the live rows of dedup_text of these articles.
SELECT dedup_id, article_uid, text_hash, published_on, sig_version, boilerplate_lines
FROM core.dedup_text
WHERE live AND article_uid = ANY (%(articles)s::uuid[]);

-- name: known_lines
-- Return which of these lines are known boilerplate.
SELECT outlet_line FROM core.boilerplate_line WHERE outlet_line = ANY (%(lines)s::bigint[]);

-- name: add_lines
-- Add lines of texts. `texts` holds for each line the position (from 1) of its headline and article.
INSERT INTO core.article_line (outlet_line, headline_hash, article_uid)
SELECT n.outlet_line, (%(headlines)s::bigint[])[n.text], (%(articles)s::uuid[])[n.text]
FROM unnest(%(lines)s::bigint[], %(texts)s::integer[]) AS n (outlet_line, text)
ORDER BY n.outlet_line
ON CONFLICT DO NOTHING;

-- name: new_boilerplate_lines
-- Return which of these lines occur under at least that many headlines in at least that many articles.
SELECT outlet_line FROM core.article_line
WHERE outlet_line = ANY (%(lines)s::bigint[])
GROUP BY outlet_line
HAVING count(DISTINCT headline_hash) >= %(headlines)s AND count(DISTINCT article_uid) >= %(headlines)s;

-- name: add_boilerplate_lines
-- Add boilerplate lines.
INSERT INTO core.boilerplate_line (outlet_line, outlet, line)
SELECT * FROM unnest(%(lines)s::bigint[], %(outlets)s::text[], %(words)s::text[]);

-- name: articles_with_lines
-- Return articles that contain one of these lines.
SELECT DISTINCT article_uid FROM core.article_line WHERE outlet_line = ANY (%(lines)s::bigint[]);

-- name: retire
-- Mark rows of dedup_text as no longer live.
UPDATE core.dedup_text SET live = false WHERE dedup_id = ANY (%(compared)s::bigint[]);

-- name: add_dedup_text
-- Add rows (article_uid, text_hash, published_on, sig_version, long_enough, boilerplate_lines) and return their ids.
INSERT INTO core.dedup_text (article_uid, text_hash, published_on, sig_version, long_enough, boilerplate_lines)
VALUES %s
RETURNING dedup_id, article_uid, text_hash;

-- name: ensure_band_partitions
-- Create the missing partitions for bands of these months.
SELECT core.ensure_month_partitions('lsh_band', %(months)s::date[]);

-- name: add_bands
-- Add the LSH bands of rows of dedup_text, the same number for each row.
INSERT INTO core.lsh_band (month, band_hash, dedup_id)
SELECT (%(months)s::date[])[(n.place - 1) / %(each)s + 1], n.band_hash,
       (%(compared)s::bigint[])[(n.place - 1) / %(each)s + 1]
FROM unnest(%(bands)s::bigint[]) WITH ORDINALITY AS n (band_hash, place)
ORDER BY 1, 2;

-- name: candidates
-- Return pairs that share a band and were published within 30 days. Of a crowded band only the first 50 rows count.
WITH probes AS MATERIALIZED (
    SELECT months.month::date AS month, bands.band_hash, own.dedup_id, own.article_uid, own.published_on
    FROM (
        SELECT n.band_hash, (%(compared)s::bigint[])[(n.place - 1) / %(each)s + 1] AS dedup_id
        FROM unnest(%(bands)s::bigint[]) WITH ORDINALITY AS n (band_hash, place)
    ) bands
    JOIN core.dedup_text own ON own.dedup_id = bands.dedup_id
    CROSS JOIN generate_series(date_trunc('month', own.published_on - 30), (own.published_on + 30)::timestamp,
                               interval '1 month') AS months (month)
    ORDER BY 1, 2
)
SELECT DISTINCT least(probes.dedup_id, hits.dedup_id), greatest(probes.dedup_id, hits.dedup_id)
FROM probes
CROSS JOIN LATERAL (
    SELECT other.dedup_id
    FROM core.lsh_band band
    JOIN core.dedup_text other ON other.dedup_id = band.dedup_id
    WHERE band.month = probes.month AND band.band_hash = probes.band_hash
      AND other.live AND other.article_uid <> probes.article_uid
      AND abs(other.published_on - probes.published_on) <= 30
    ORDER BY band.dedup_id
    LIMIT 50
) hits;

-- name: equal_texts
-- Return pairs with equal texts, whatever their dates. Of a very frequent text only the first 50 rows count.
SELECT DISTINCT least(own.dedup_id, hits.dedup_id), greatest(own.dedup_id, hits.dedup_id)
FROM core.dedup_text own
CROSS JOIN LATERAL (
    SELECT other.dedup_id FROM core.dedup_text other
    WHERE other.text_hash = own.text_hash AND other.live AND other.long_enough AND other.article_uid <> own.article_uid
    ORDER BY other.dedup_id
    LIMIT 50
) hits
WHERE own.dedup_id = ANY (%(compared)s::bigint[]) AND own.long_enough;

-- name: texts
-- Return the texts of rows of dedup_text with their outlets and boilerplate lines.
SELECT dedup_text.dedup_id, article.outlet, text.article_body, dedup_text.boilerplate_lines
FROM core.dedup_text
JOIN core.article ON article.article_uid = dedup_text.article_uid
JOIN core.text ON text.text_hash = dedup_text.text_hash
WHERE dedup_text.dedup_id = ANY (%(compared)s::bigint[]);

-- name: next_load_seq
-- Take the next load_seq. Run it under the load lock, just before the commit, so that its order is the order of commits.
SELECT nextval('ops.load_seq');

-- name: add_copies
-- Add pairs of copies.
INSERT INTO core.copy (dedup_a, dedup_b, similarity, containment, shared_shingles, load_seq) VALUES %s
ON CONFLICT (dedup_a, dedup_b) DO NOTHING;

-- name: neighbours
-- Return articles that share a live pair with one of these.
SELECT other.article_uid
FROM core.dedup_text own
JOIN core.copy ON copy.dedup_a = own.dedup_id
JOIN core.dedup_text other ON other.dedup_id = copy.dedup_b AND other.live
WHERE own.live AND own.article_uid = ANY (%(articles)s::uuid[])
UNION
SELECT other.article_uid
FROM core.dedup_text own
JOIN core.copy ON copy.dedup_b = own.dedup_id
JOIN core.dedup_text other ON other.dedup_id = copy.dedup_a AND other.live
WHERE own.live AND own.article_uid = ANY (%(articles)s::uuid[]);

-- name: clusters
-- Return all members of the clusters that contain one of these articles.
SELECT member.article_uid, member.copy_cluster FROM core.cluster_member member
WHERE member.superseded_seq IS NULL AND member.copy_cluster IN (
    SELECT own.copy_cluster FROM core.cluster_member own
    WHERE own.superseded_seq IS NULL AND own.article_uid = ANY (%(articles)s::uuid[]));

-- name: edges_among
-- Return pairs of these articles that are connected by a live pair of texts.
SELECT DISTINCT one.article_uid, other.article_uid
FROM core.dedup_text one
JOIN core.copy ON copy.dedup_a = one.dedup_id
JOIN core.dedup_text other ON other.dedup_id = copy.dedup_b AND other.live
WHERE one.live AND one.article_uid = ANY (%(articles)s::uuid[]) AND other.article_uid = ANY (%(articles)s::uuid[]);

-- name: leave_clusters
-- End the current cluster membership of these articles.
UPDATE core.cluster_member SET superseded_seq = %(load_seq)s
WHERE superseded_seq IS NULL AND article_uid = ANY (%(articles)s::uuid[]);

-- name: join_clusters
-- Add these articles to their clusters.
INSERT INTO core.cluster_member (article_uid, copy_cluster, load_seq)
SELECT n.article_uid, n.copy_cluster, %(load_seq)s
FROM unnest(%(articles)s::uuid[], %(labels)s::uuid[]) AS n (article_uid, copy_cluster);

-- name: mark_changed
-- Mark articles as changed by this load.
UPDATE core.article SET changed_seq = %(load_seq)s, changed_at = now() WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: drop_fingerprints
-- Delete the signatures of compared texts. They are computed again if a text is compared again.
DELETE FROM core.fingerprint WHERE text_hash = ANY (%(texts)s::bytea[]);

-- name: done
-- Remove entries from the queue.
DELETE FROM staging.cluster_queue WHERE queue_id = ANY (%(queue)s::bigint[]);
