-- What is known of one address, for `pressmark why` and `pressmark show`.

-- name: outlets_of_host
-- Outlets that have a host among their domains, with the parameters that carry identity in their last file.
SELECT o.outlet, c.config->'urls'->'parameters'
FROM core.outlet o
JOIN LATERAL (
    SELECT config FROM ops.outlet_config c WHERE c.outlet = o.outlet ORDER BY c.first_used_at DESC LIMIT 1
) c ON true
WHERE EXISTS (SELECT 1 FROM unnest(o.domains) AS d WHERE %(host)s = d OR %(host)s LIKE '%%.' || d);

-- name: frontier
SELECT f.url_uid, f.outlet, f.url, f.article_uid, f.first_listed_at, f.next_due_at, f.last_fetch_at, f.last_outcome, f.failures
FROM ops.frontier f WHERE f.url_uid = ANY (%(uids)s::uuid[]);

-- name: articles
-- Articles behind these addresses: by their own identity, else by a variant.
SELECT COALESCE(a.merged_into, a.article_uid) FROM core.article a WHERE a.article_uid = ANY (%(uids)s::uuid[])
UNION
SELECT COALESCE(a.merged_into, a.article_uid)
FROM core.article_url u
JOIN core.article a ON a.article_uid = u.article_uid
WHERE u.url_uid = ANY (%(uids)s::uuid[]) AND NOT EXISTS (SELECT 1 FROM core.article n WHERE n.article_uid = u.url_uid);

-- name: variants
-- Every address of these articles.
SELECT u.url_uid
FROM core.article a
JOIN core.article_url u ON u.article_uid = a.article_uid AND u.kind IN ('requested', 'final')
WHERE a.article_uid = ANY (%(articles)s::uuid[]) OR a.merged_into = ANY (%(articles)s::uuid[]);

-- name: copies
-- Articles with copies of these articles' texts.
SELECT DISTINCT ON (a.article_uid) a.outlet, a.url, p.similarity, p.containment
FROM core.dedup_text own
CROSS JOIN LATERAL (
    SELECT c.dedup_b AS other_id, c.similarity, c.containment FROM core.copy c WHERE c.dedup_a = own.dedup_id
    UNION ALL
    SELECT c.dedup_a, c.similarity, c.containment FROM core.copy c WHERE c.dedup_b = own.dedup_id
) p
JOIN core.dedup_text other ON other.dedup_id = p.other_id AND other.live
JOIN core.article a ON a.article_uid = other.article_uid
WHERE own.live AND own.article_uid = ANY (%(articles)s::uuid[])
ORDER BY a.article_uid, p.similarity DESC;

-- name: url_listings
SELECT e.method, e.url, s.first_listed_at, s.last_listed_at, s.listed_headline
FROM core.url_listing s JOIN ops.endpoint e ON e.endpoint_id = s.endpoint_id
WHERE s.url_uid = ANY (%(uids)s::uuid[])
ORDER BY s.first_listed_at, e.url;

-- name: outcomes
SELECT c.crawl_id, c.url, c.decided_at, w.mode, c.discovered_via, COALESCE(c.outcome, 'open'), c.reason,
       COALESCE(o.meaning, 'Decided on; the crawl has not ended it yet.')
FROM ops.candidate c
JOIN ops.crawl w ON w.crawl_id = c.crawl_id
LEFT JOIN core.outcome o ON o.outcome = c.outcome
WHERE c.url_uid = ANY (%(uids)s::uuid[])
ORDER BY c.decided_at, c.crawl_id;

-- name: captures
SELECT v.observed_at, v.http_status, COALESCE(v.final_url, v.requested_url), v.captured_by, v.crawl_id,
       g.file, g.base_offset + v.archive_offset, v.archive_length, r.ordinal, r.changed_parts, v.rights
FROM core.capture v
LEFT JOIN core.archive_segment g ON g.segment_id = v.segment_id AND g.expired_at IS NULL
LEFT JOIN core.revision r ON r.article_uid = v.article_uid AND r.capture_id = v.capture_id AND r.superseded_seq IS NULL
JOIN core.article a ON a.article_uid = v.article_uid
WHERE a.article_uid = ANY (%(articles)s::uuid[]) OR a.merged_into = ANY (%(articles)s::uuid[])
ORDER BY v.observed_at, v.capture_id;

-- name: quarantine
SELECT q.created_at, q.outcome, q.stage, q.reason, g.file, g.base_offset + q.archive_offset, q.archive_length
FROM ops.quarantine q
LEFT JOIN core.archive_segment g ON g.segment_id = q.segment_id AND g.expired_at IS NULL
WHERE q.url_uid = ANY (%(uids)s::uuid[])
ORDER BY q.created_at;

-- name: removals
SELECT target, value, action, reason, created_at FROM ops.removal
WHERE (target = 'url' AND value = %(url)s) OR (target = 'prefix' AND starts_with(%(url)s, value))
   OR (target = 'outlet' AND value = ANY (%(outlets)s::text[]));

-- name: article
-- One article as analysts see it, as one JSON object.
SELECT to_jsonb(m) FROM mart.article m WHERE m.article_uid = ANY (%(articles)s::uuid[]) ORDER BY m.first_seen_at LIMIT 1;

-- name: status
-- One line an outlet.
SELECT f.outlet, f.enabled, f.last_crawl_at, f.last_finish_reason, f.articles, f.last_new_article_at, f.new_24h,
       (SELECT count(*) FROM ops.segment s WHERE s.outlet = f.outlet AND s.state <> 'loaded') AS to_load
FROM mart.outlet_freshness f ORDER BY f.outlet;
