-- History of one URL, for `pressmark why` and `pressmark show`.

-- name: outlets_of_host
-- Return the outlets that own a host, with the URL parameters that carry identity in their latest file.
SELECT outlet.outlet, latest.config->'urls'->'parameters'
FROM core.outlet
JOIN LATERAL (
    SELECT config FROM ops.outlet_config
    WHERE outlet_config.outlet = outlet.outlet ORDER BY outlet_config.first_used_at DESC LIMIT 1
) latest ON true
WHERE EXISTS (SELECT 1 FROM unnest(outlet.domains) AS domain WHERE %(host)s = domain OR %(host)s LIKE '%%.' || domain);

-- name: frontier
-- Return the frontier entries of these URL ids.
SELECT url_uid, outlet, url, article_uid, first_listed_at, next_due_at, last_fetch_at, last_outcome, failures
FROM ops.frontier WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: articles
-- Return the articles behind these URL ids: by their own id, otherwise by a variant.
SELECT COALESCE(merged_into, article_uid) FROM core.article WHERE article_uid = ANY (%(uids)s::uuid[])
UNION
SELECT COALESCE(article.merged_into, article.article_uid)
FROM core.article_url variant
JOIN core.article ON article.article_uid = variant.article_uid
WHERE variant.url_uid = ANY (%(uids)s::uuid[])
  AND NOT EXISTS (SELECT 1 FROM core.article own WHERE own.article_uid = variant.url_uid);

-- name: variants
-- Return the requested and final URLs of these articles.
SELECT variant.url_uid
FROM core.article
JOIN core.article_url variant ON variant.article_uid = article.article_uid AND variant.kind IN ('requested', 'final')
WHERE article.article_uid = ANY (%(articles)s::uuid[]) OR article.merged_into = ANY (%(articles)s::uuid[]);

-- name: copies
-- Return articles that are copies of these.
SELECT DISTINCT ON (article.article_uid) article.outlet, article.url, pair.similarity, pair.containment
FROM core.dedup_text own
CROSS JOIN LATERAL (
    SELECT dedup_b AS other_id, similarity, containment FROM core.copy WHERE dedup_a = own.dedup_id
    UNION ALL
    SELECT dedup_a, similarity, containment FROM core.copy WHERE dedup_b = own.dedup_id
) pair
JOIN core.dedup_text other ON other.dedup_id = pair.other_id AND other.live
JOIN core.article ON article.article_uid = other.article_uid
WHERE own.live AND own.article_uid = ANY (%(articles)s::uuid[])
ORDER BY article.article_uid, pair.similarity DESC;

-- name: url_listings
-- Return the endpoints that listed these URLs, and when.
SELECT endpoint.method, endpoint.url, listing.first_listed_at, listing.last_listed_at, listing.listed_headline
FROM core.url_listing listing JOIN ops.endpoint ON endpoint.endpoint_id = listing.endpoint_id
WHERE listing.url_uid = ANY (%(uids)s::uuid[])
ORDER BY listing.first_listed_at, endpoint.url;

-- name: outcomes
-- Return the outcome of these URLs in every crawl, with its meaning.
SELECT candidate.crawl_id, candidate.url, candidate.decided_at, crawl.mode, candidate.discovered_via,
       COALESCE(candidate.outcome, 'open'), candidate.reason,
       COALESCE(outcome.meaning, 'The crawl has not resolved it yet.')
FROM ops.candidate
JOIN ops.crawl ON crawl.crawl_id = candidate.crawl_id
LEFT JOIN core.outcome ON outcome.outcome = candidate.outcome
WHERE candidate.url_uid = ANY (%(uids)s::uuid[])
ORDER BY candidate.decided_at, candidate.crawl_id;

-- name: captures
-- Return the captures of these articles with their archive pointers and revisions, oldest first.
SELECT capture.observed_at, capture.http_status, COALESCE(capture.final_url, capture.requested_url),
       capture.captured_by, capture.crawl_id, segment.file, segment.base_offset + capture.archive_offset,
       capture.archive_length, revision.ordinal, revision.changed_parts, capture.rights
FROM core.capture
LEFT JOIN core.archive_segment segment ON segment.segment_id = capture.segment_id AND segment.expired_at IS NULL
LEFT JOIN core.revision ON revision.article_uid = capture.article_uid AND revision.capture_id = capture.capture_id
                       AND revision.superseded_seq IS NULL
JOIN core.article ON article.article_uid = capture.article_uid
WHERE article.article_uid = ANY (%(articles)s::uuid[]) OR article.merged_into = ANY (%(articles)s::uuid[])
ORDER BY capture.observed_at, capture.capture_id;

-- name: quarantine
-- Return the rejected pages of these URLs, oldest first.
SELECT quarantine.created_at, quarantine.outcome, quarantine.stage, quarantine.reason, segment.file,
       segment.base_offset + quarantine.archive_offset, quarantine.archive_length
FROM ops.quarantine
LEFT JOIN core.archive_segment segment ON segment.segment_id = quarantine.segment_id AND segment.expired_at IS NULL
WHERE quarantine.url_uid = ANY (%(uids)s::uuid[])
ORDER BY quarantine.created_at;

-- name: removals
-- Return removals that cover this URL.
SELECT target, value, action, reason, created_at FROM ops.removal
WHERE (target = 'url' AND value = %(url)s) OR (target = 'prefix' AND starts_with(%(url)s, value))
   OR (target = 'outlet' AND value = ANY (%(outlets)s::text[]));

-- name: article
-- Return one article as a JSON object with the columns of mart.article.
SELECT to_jsonb(article) FROM mart.article
WHERE article.article_uid = ANY (%(articles)s::uuid[]) ORDER BY article.first_seen_at LIMIT 1;

-- name: markdown
-- Return the headline and text of an article as Markdown.
SELECT mart.article_markdown(%(article)s::uuid);

-- name: status
-- Return one row per outlet with its freshness and the number of segments to load.
SELECT freshness.outlet, freshness.enabled, freshness.last_crawl_at, freshness.last_finish_reason, freshness.articles,
       freshness.last_new_article_at, freshness.new_24h,
       (SELECT count(*) FROM ops.segment
        WHERE segment.outlet = freshness.outlet AND segment.state <> 'loaded') AS to_load
FROM mart.outlet_freshness freshness ORDER BY freshness.outlet;
