-- Crawl requests, crawls, the frontier, endpoints, the ledger and site policies.

-- name: upsert_outlet
-- Add an outlet, or update it to its file.
INSERT INTO core.outlet (outlet, name, home, country, languages, timezone, tier, domains, enabled, gone_after,
                         config_hash)
VALUES (%(outlet)s, %(name)s, %(home)s, %(country)s, %(languages)s, %(timezone)s, %(tier)s, %(domains)s, %(enabled)s,
        %(gone_after)s, %(config_hash)s)
ON CONFLICT (outlet) DO UPDATE SET
    name = excluded.name, home = excluded.home, country = excluded.country, languages = excluded.languages,
    timezone = excluded.timezone, tier = excluded.tier, domains = excluded.domains, enabled = excluded.enabled,
    gone_after = excluded.gone_after, config_hash = excluded.config_hash, updated_at = now()
WHERE core.outlet.config_hash IS DISTINCT FROM excluded.config_hash;

-- name: remembered_configs
-- Return the version of the file that each of these outlets was last read from.
SELECT outlet, config_hash FROM core.outlet WHERE outlet = ANY (%(outlets)s::text[]);

-- name: remember_config
-- Store a version of the outlet's file, unless it is stored.
INSERT INTO ops.outlet_config (outlet, config_hash, config)
VALUES (%(outlet)s, %(config_hash)s, %(config)s)
ON CONFLICT DO NOTHING;

-- name: add_requests
-- Add a crawl request for each of these outlets. A DAG run and chunk get one request only.
-- An incremental request without a start covers what follows the last completed incremental crawl.
INSERT INTO ops.crawl_request (request_id, outlet, mode, interval_start, interval_end, methods, page_budget,
                               force_refetch, dry_run, requested_by, dag_id, run_id, chunk, config_hash)
SELECT wanted.request_id, wanted.outlet, %(mode)s,
       COALESCE(%(interval_start)s, CASE WHEN %(mode)s = 'incremental' THEN (
           SELECT max(interval_end) FROM ops.crawl
           WHERE crawl.outlet = wanted.outlet AND mode = 'incremental' AND finish_reason IN ('finished', 'budget')) END),
       %(interval_end)s, %(methods)s, %(page_budget)s, %(force_refetch)s, %(dry_run)s, %(requested_by)s, %(dag_id)s,
       %(run_id)s, %(chunk)s, wanted.config_hash
FROM unnest(%(request_ids)s::uuid[], %(outlets)s::text[], %(config_hashes)s::bytea[])
    AS wanted (request_id, outlet, config_hash)
ON CONFLICT (request_id) DO NOTHING;

-- name: get_requests
-- Read crawl requests. The last column is true for scheduled runs.
SELECT request_id, outlet, mode, interval_start, interval_end, methods, page_budget, force_refetch, dry_run,
       COALESCE(starts_with(run_id, 'scheduled__'), false)
FROM ops.crawl_request WHERE request_id = ANY (%(request_ids)s::uuid[]);

-- name: open_crawl
-- Open a crawl, that is a new attempt at a request.
INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_start, interval_end, code_version, host, pid)
SELECT %(crawl_id)s, request_id, outlet, mode, interval_start, interval_end, %(code_version)s, %(host)s, %(pid)s
FROM ops.crawl_request WHERE request_id = %(request_id)s
ON CONFLICT (crawl_id) DO NOTHING;

-- name: close_crawl
-- Close a crawl, unless another process has closed it.
UPDATE ops.crawl
SET finished_at = now(), finish_reason = %(finish_reason)s, error = %(error)s, stats = %(stats)s,
    requests = GREATEST(requests, %(requests)s)
WHERE crawl_id = %(crawl_id)s AND finished_at IS NULL;

-- name: unfinished_crawls
-- List crawls without an end: running ones and those whose process died.
SELECT crawl.crawl_id, crawl.outlet, crawl.request_id, crawl.mode
FROM ops.crawl
WHERE crawl.finished_at IS NULL AND (%(outlets)s::text[] IS NULL OR crawl.outlet = ANY (%(outlets)s::text[]))
ORDER BY crawl.started_at;

-- name: frontier_entries
-- Read the frontier entries of these URLs.
-- A URL that was never requested but is a known variant of an article (canonical, AMP, mobile or redirect target)
-- gets the entry of that article.
SELECT w.url_uid, f.url, f.article_uid, f.next_due_at, f.listed_modified, f.last_fetch_at, f.last_outcome,
       f.failures, f.first_captured_at, f.date_published,
       f.headline_hash, f.description_hash, f.authors_hash, f.body_hash,
       f.wire_digest, f.segment_id, f.archive_offset, f.archive_length, f.etag, f.last_modified, f.last_read_at,
       f.validators_unreliable, f.url_uid = w.url_uid AS own
FROM unnest(%(uids)s::uuid[]) AS w (url_uid)
JOIN LATERAL (
    SELECT * FROM ops.frontier own WHERE own.url_uid = w.url_uid
    UNION ALL
    SELECT via.* FROM ops.frontier via
    WHERE via.article_uid = (
        -- A canonical URL that several articles claim stands for none of them.
        SELECT min(u.article_uid::text)::uuid FROM core.article_url u
        WHERE u.url_uid = w.url_uid AND u.kind IN ('canonical', 'final', 'amp', 'mobile')
        HAVING count(DISTINCT u.article_uid) = 1
    ) AND NOT EXISTS (SELECT 1 FROM ops.frontier own WHERE own.url_uid = w.url_uid)
    LIMIT 1
) f ON true;

-- name: due
-- List the due pages of an outlet, longest overdue first, with their first listing.
SELECT frontier.url_uid, frontier.url, listing.listed_headline, listing.listed_published_raw, listing.method,
       listing.listed_modified
FROM ops.frontier
LEFT JOIN LATERAL (
    SELECT url_listing.listed_headline, url_listing.listed_published_raw, url_listing.listed_modified, endpoint.method
    FROM core.url_listing JOIN ops.endpoint ON endpoint.endpoint_id = url_listing.endpoint_id
    WHERE url_listing.url_uid = frontier.url_uid
    ORDER BY url_listing.listed_published_raw IS NULL, url_listing.first_listed_at, url_listing.endpoint_id
    LIMIT 1
) listing ON true
WHERE frontier.outlet = %(outlet)s AND frontier.next_due_at <= %(now)s
ORDER BY frontier.next_due_at, frontier.url_uid
LIMIT %(limit)s;

-- name: add_frontier
-- Add new URLs. They are due immediately, so that a killed crawl loses none.
INSERT INTO ops.frontier (url_uid, outlet, url, first_listed_at, next_due_at)
VALUES %s
ON CONFLICT (url_uid) DO NOTHING;

-- name: mark_skipped
-- Record the outcome of URLs that were skipped without a request.
UPDATE ops.frontier
SET last_outcome = CASE WHEN frontier.last_fetch_at IS NULL THEN skipped.outcome ELSE frontier.last_outcome END,
next_due_at = NULL
FROM (VALUES %s) AS skipped (url_uid, outcome)
WHERE frontier.url_uid = skipped.url_uid::uuid
  AND (frontier.last_fetch_at IS NULL OR skipped.outcome IN ('too_old', 'suppressed'));

-- name: make_due
-- Keep pages due until they have an outcome, even if this crawl is killed or they are no longer listed.
UPDATE ops.frontier SET next_due_at = %(now)s
WHERE url_uid = ANY (%(uids)s::uuid[]) AND (next_due_at IS NULL OR next_due_at > %(now)s);

-- name: add_url_listings
-- Add or update the entries of an endpoint. The caller sorts them by key to avoid deadlocks between crawls.
INSERT INTO core.url_listing AS s (url_uid, endpoint_id, outlet, url, first_listed_at, last_listed_at, listed_headline,
                                   listed_published, listed_published_raw, listed_modified)
VALUES %s
ON CONFLICT (url_uid, endpoint_id) DO UPDATE SET
    last_listed_at = GREATEST(s.last_listed_at, excluded.last_listed_at),
    listed_headline = COALESCE(excluded.listed_headline, s.listed_headline),
    listed_published = COALESCE(excluded.listed_published, s.listed_published),
    listed_published_raw = COALESCE(excluded.listed_published_raw, s.listed_published_raw),
    listed_modified = COALESCE(excluded.listed_modified, s.listed_modified);

-- name: endpoint_states
-- Read the states of an outlet's endpoints.
SELECT endpoint_id, etag, last_modified, body_hash, last_read_at, last_new_at, failures, next_poll_at,
       validators_unreliable, index_modified, failure, failing_since
FROM ops.endpoint WHERE outlet = %(outlet)s;

-- name: update_endpoint
-- Update the state of an endpoint after a poll.
UPDATE ops.endpoint SET
    etag = %(etag)s, last_modified = %(last_modified)s, body_hash = %(body_hash)s, last_read_at = %(last_read_at)s,
    last_new_at = %(last_new_at)s, failures = %(failures)s, next_poll_at = %(next_poll_at)s,
    validators_unreliable = %(validators_unreliable)s, index_modified = %(index_modified)s, failure = %(failure)s,
    failing_since = %(failing_since)s
WHERE endpoint_id = %(endpoint_id)s;

-- name: still_listed
-- Renew the entries of an unchanged listing: those that its previous successful poll listed.
UPDATE core.url_listing SET last_listed_at = GREATEST(last_listed_at, %(polled_at)s)
WHERE endpoint_id = %(endpoint_id)s AND last_listed_at >= (
    SELECT max(polled_at) FROM ops.endpoint_poll
    WHERE endpoint_id = %(endpoint_id)s AND outcome IN ('listed', 'not_modified') AND crawl_id <> %(crawl_id)s);

-- name: add_endpoint
-- Add an endpoint, or update whether it is configured.
INSERT INTO ops.endpoint (endpoint_id, outlet, method, url, configured)
VALUES (%(endpoint_id)s, %(outlet)s, %(method)s, %(url)s, %(configured)s)
ON CONFLICT (endpoint_id) DO UPDATE SET configured = excluded.configured
WHERE ops.endpoint.configured <> excluded.configured;

-- name: last_poll
-- Return the time of the last successful poll of an endpoint before this crawl.
SELECT max(polled_at) FROM ops.endpoint_poll
WHERE endpoint_id = %(endpoint_id)s AND outcome = 'listed' AND crawl_id <> %(crawl_id)s;

-- name: overlap
-- Count the entries that the previous poll of the endpoint listed too.
SELECT count(*) FROM core.url_listing
WHERE endpoint_id = %(endpoint_id)s AND url_uid = ANY (%(uids)s::uuid[]) AND last_listed_at >= %(polled_at)s;

-- name: add_poll
-- Add a poll of an endpoint.
INSERT INTO ops.endpoint_poll (crawl_id, endpoint_id, polled_at, http_status, outcome, detail, entries, candidates,
                               already_known, overlap, gap_suspected, body_hash, is_truncated)
VALUES (%(crawl_id)s, %(endpoint_id)s, %(polled_at)s, %(http_status)s, %(outcome)s, %(detail)s, %(entries)s,
        %(candidates)s, %(already_known)s, %(overlap)s, %(gap_suspected)s, %(body_hash)s, %(is_truncated)s)
ON CONFLICT (crawl_id, endpoint_id) DO NOTHING;

-- name: add_candidates
-- Add candidates to fetch, and skipped ones whose reason is worth a row.
INSERT INTO ops.candidate (crawl_id, url_uid, url, endpoint_id, discovered_via, outcome, reason, resolved_at)
VALUES %s
ON CONFLICT (crawl_id, url_uid) DO NOTHING;

-- name: count_candidates
-- Set the number of candidates that the ledger must add up to. It is an absolute number, so it may be written twice.
UPDATE ops.crawl SET candidates = GREATEST(candidates, %(count)s) WHERE crawl_id = %(crawl_id)s;

-- name: resolve_candidates
-- Set the outcomes of candidates that have none, or were interrupted: a segment that was found in a spool or in the
-- archive after its crawl had ended shows that they were fetched.
UPDATE ops.candidate
SET outcome = resolved.outcome, reason = resolved.reason, resolved_at = now(), segment_id = resolved.segment_id::uuid,
    article_uid = resolved.article_uid::uuid
FROM (VALUES %s) AS resolved (crawl_id, url_uid, outcome, reason, segment_id, article_uid)
WHERE candidate.crawl_id = resolved.crawl_id::uuid AND candidate.url_uid = resolved.url_uid::uuid
  AND (candidate.outcome IS NULL OR candidate.outcome = 'interrupted');

-- name: resolve_waiting
-- Resolve candidates that were fetched into a segment that waits in the spool.
UPDATE ops.candidate SET outcome = %(outcome)s, reason = %(reason)s, resolved_at = now()
WHERE crawl_id = %(crawl_id)s AND url_uid = ANY (%(uids)s::uuid[]) AND outcome IS NULL;

-- name: crawl_states
-- Return the outlet of these crawls and whether they have ended: no row for those that are not in this warehouse.
SELECT crawl_id, outlet, finished_at IS NOT NULL FROM ops.crawl WHERE crawl_id = ANY (%(crawl_ids)s::uuid[]);

-- name: resolve_open
-- Set the outcome of all candidates of a crawl that have none.
UPDATE ops.candidate SET outcome = %(outcome)s, reason = %(reason)s, resolved_at = now()
WHERE crawl_id = %(crawl_id)s AND outcome IS NULL;

-- name: update_frontier
-- Update the state of URLs after a fetch. The caller sorts them by key to avoid deadlocks between crawls.
INSERT INTO ops.frontier AS f (url_uid, outlet, url, first_listed_at, last_outcome, last_fetch_at, next_due_at,
                               failures, article_uid, first_captured_at, last_captured_at, listed_modified,
                               date_published, headline_hash, description_hash, authors_hash, body_hash, etag,
                               last_modified, wire_digest, segment_id, archive_offset, archive_length, last_read_at,
                               validators_unreliable)
VALUES %s
ON CONFLICT (url_uid) DO UPDATE SET
    last_outcome = excluded.last_outcome,
    last_fetch_at = COALESCE(excluded.last_fetch_at, f.last_fetch_at),
    next_due_at = excluded.next_due_at,
    failures = excluded.failures,
    article_uid = COALESCE(excluded.article_uid, f.article_uid),
    first_captured_at = LEAST(f.first_captured_at, excluded.first_captured_at),
    last_captured_at = GREATEST(f.last_captured_at, excluded.last_captured_at),
    listed_modified = COALESCE(excluded.listed_modified, f.listed_modified),
    date_published = COALESCE(excluded.date_published, f.date_published),
    headline_hash = COALESCE(excluded.headline_hash, f.headline_hash),
    description_hash = COALESCE(excluded.description_hash, f.description_hash),
    authors_hash = COALESCE(excluded.authors_hash, f.authors_hash),
    body_hash = COALESCE(excluded.body_hash, f.body_hash),
    etag = CASE WHEN excluded.last_captured_at IS NULL THEN f.etag ELSE excluded.etag END,
    last_modified = CASE WHEN excluded.last_captured_at IS NULL THEN f.last_modified ELSE excluded.last_modified END,
    wire_digest = COALESCE(excluded.wire_digest, f.wire_digest),
    segment_id = COALESCE(excluded.segment_id, f.segment_id),
    archive_offset = COALESCE(excluded.archive_offset, f.archive_offset),
    archive_length = COALESCE(excluded.archive_length, f.archive_length),
    last_read_at = GREATEST(f.last_read_at, excluded.last_read_at),
    validators_unreliable = f.validators_unreliable OR excluded.validators_unreliable
-- A segment that was found in a spool may be older than what other crawls have fetched since.
WHERE excluded.last_fetch_at IS NULL OR f.last_fetch_at IS NULL OR excluded.last_fetch_at >= f.last_fetch_at;

-- name: pages_today
-- Count the article requests to an outlet within the last day, over all crawls.
SELECT count(*) FROM ops.fetch page_fetch
JOIN ops.crawl ON crawl.crawl_id = page_fetch.crawl_id
WHERE crawl.outlet = %(outlet)s AND crawl.started_at > %(now)s::timestamptz - interval '2 days'
  AND page_fetch.fetched_at > %(now)s::timestamptz - interval '1 day' AND page_fetch.kind = 'article';

-- name: count_unreliable
-- Count the URLs of an outlet with unreliable validators: their content changed under the same validators.
SELECT count(*) FROM ops.frontier WHERE outlet = %(outlet)s AND validators_unreliable;

-- name: add_segment
-- Add a committed segment.
INSERT INTO ops.segment (segment_id, crawl_id, outlet, state, captures)
VALUES (%(segment_id)s, %(crawl_id)s, %(outlet)s, 'committed', %(captures)s);

-- name: add_archive_segment
-- Record in which file a segment is stored.
INSERT INTO core.archive_segment (segment_id, outlet, file, base_offset, length, records)
VALUES (%(segment_id)s, %(outlet)s, %(file)s, %(base_offset)s, %(length)s, %(records)s);

-- name: add_quarantine
-- Add rejected pages.
INSERT INTO ops.quarantine (quarantine_id, crawl_id, url_uid, url, outlet, outcome, stage, reason, segment_id,
                            archive_offset, archive_length)
VALUES %s
ON CONFLICT (quarantine_id) DO NOTHING;

-- name: add_fetches
-- Add HTTP requests.
INSERT INTO ops.fetch (crawl_id, fetched_at, url, kind, http_status, bytes, seconds, ip, error)
VALUES %s;

-- name: ensure_extractor
-- Return the id of an extractor, and add it if it is new. The no-op update makes RETURNING work in both cases.
INSERT INTO core.extractor AS e (name, version, config_hash, config)
VALUES (%(name)s, %(version)s, %(config_hash)s, %(config)s)
ON CONFLICT (name, version, config_hash) DO UPDATE SET config = e.config
RETURNING extractor_id;

-- name: archived_segments
-- Return which of these segments have rows.
SELECT segment_id FROM core.archive_segment WHERE segment_id = ANY (%(segment_ids)s::uuid[]);

-- name: latest_texts
-- Return the headlines, texts and numbers of words of an outlet's latest articles.
SELECT article.article_uid, extraction.headline, left(text.article_body, 20000), text.word_count
FROM (SELECT * FROM core.article WHERE article.outlet = %(outlet)s AND article.merged_into IS NULL
      ORDER BY article.first_seen_at DESC LIMIT %(count)s) article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
                    AND extraction.extractor_id = article.extractor_id
JOIN core.text ON text.text_hash = extraction.text_hash
ORDER BY article.first_seen_at DESC;

-- name: segment_place
-- Return the file of a segment and the offset of its first byte.
SELECT file, base_offset FROM core.archive_segment WHERE segment_id = %(segment_id)s AND expired_at IS NULL;

-- name: crawl_report
-- Report the outcomes of crawls and whether their ledgers add up.
SELECT crawl.crawl_id, crawl.outlet, crawl.mode, crawl.interval_start, crawl.interval_end, crawl.candidates,
       crawl.requests,
       EXTRACT(epoch FROM COALESCE(crawl.finished_at, now()) - crawl.started_at)::float AS seconds,
       crawl.finish_reason, crawl.error, crawl.ledger_ok,
       COALESCE((SELECT jsonb_object_agg(funnel.outcome, funnel.candidates ORDER BY funnel.outcome)
                 FROM mart.crawl_funnel funnel WHERE funnel.crawl_id = crawl.crawl_id), '{}') AS outcomes,
       summary.listed, summary.unchanged,
       (SELECT count(*) FROM ops.endpoint_poll poll WHERE poll.crawl_id = crawl.crawl_id) AS polls
FROM mart.crawl
JOIN mart.crawl_summary summary ON summary.crawl_id = crawl.crawl_id
WHERE crawl.crawl_id = ANY (%(crawl_ids)s::uuid[])
ORDER BY crawl.outlet, crawl.started_at;

-- name: crawls_of_requests
-- List the crawls of these requests.
SELECT crawl_id FROM ops.crawl WHERE request_id = ANY (%(request_ids)s::uuid[]);

-- name: capture_at
-- Return the first capture whose archived bytes start at this offset.
SELECT COALESCE(final_url, requested_url), observed_at, capture_id FROM core.capture
WHERE segment_id = %(segment_id)s AND archive_offset = %(offset)s
ORDER BY observed_at LIMIT 1;

-- name: site_policy
-- Return the last check of a host's robots.txt or tdmrep.json, if it has not expired.
SELECT policy_check.checked_at, policy_check.http_status, policy_check.error, policy.body
FROM ops.site_policy_check policy_check
LEFT JOIN core.site_policy policy ON policy.site = policy_check.site AND policy.kind = policy_check.kind
    AND policy.body_hash = policy_check.body_hash
WHERE policy_check.site = %(site)s AND policy_check.kind = %(kind)s AND policy_check.expires_at > %(now)s;

-- name: add_site_policy
-- Store a version of a site policy, unless it is stored.
INSERT INTO core.site_policy (site, kind, body_hash, body, first_seen_at)
VALUES (%(site)s, %(kind)s, %(body_hash)s, %(body)s, %(checked_at)s)
ON CONFLICT DO NOTHING;

-- name: add_site_policy_check
-- Record the last check of a site policy. An older check that arrives late changes nothing.
INSERT INTO ops.site_policy_check AS l (site, kind, checked_at, expires_at, http_status, error, body_hash)
VALUES (%(site)s, %(kind)s, %(checked_at)s, %(expires_at)s, %(http_status)s, %(error)s, %(body_hash)s)
ON CONFLICT (site, kind) DO UPDATE SET
    checked_at = excluded.checked_at, expires_at = excluded.expires_at, http_status = excluded.http_status,
    error = excluded.error, body_hash = excluded.body_hash
WHERE excluded.checked_at >= l.checked_at;

-- name: dated_attributes
-- Add the dated attributes of the outlet's file, which take precedence over observed ones.
INSERT INTO core.outlet_attribute AS a (outlet, attribute, value, valid_from, valid_until, source)
SELECT %(outlet)s, n.attribute, n.value, COALESCE(n.valid_from, '-infinity'), COALESCE(n.valid_until, 'infinity'),
       'file'
FROM jsonb_to_recordset(%(attributes)s) AS n (attribute text, value text, valid_from date, valid_until date)
ON CONFLICT (outlet, attribute, value, valid_from) DO UPDATE SET valid_until = excluded.valid_until, source = 'file'
WHERE a.valid_until <> excluded.valid_until OR a.source <> 'file';

-- name: ended_attributes
-- End attributes that the file no longer has today.
UPDATE core.outlet_attribute a SET valid_until = current_date, source = 'seen'
WHERE a.outlet = %(outlet)s AND a.valid_until = 'infinity' AND a.valid_from <= current_date
  AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(%(current)s) AS n (attribute text, value text)
                  WHERE n.attribute = a.attribute AND n.value = a.value);

-- name: current_attributes
-- Add the attributes that the file has today: valid since ever if they are the first, otherwise since today.
INSERT INTO core.outlet_attribute (outlet, attribute, value, valid_from, source)
SELECT %(outlet)s, n.attribute, n.value,
       CASE WHEN EXISTS (SELECT 1 FROM core.outlet_attribute b
                         WHERE b.outlet = %(outlet)s AND b.attribute = n.attribute) THEN current_date
            ELSE '-infinity' END,
       'file'
FROM jsonb_to_recordset(%(current)s) AS n (attribute text, value text)
WHERE NOT EXISTS (SELECT 1 FROM core.outlet_attribute c
                  WHERE c.outlet = %(outlet)s AND c.attribute = n.attribute AND c.value = n.value
                    AND c.valid_until = 'infinity')
ON CONFLICT (outlet, attribute, value, valid_from) DO UPDATE SET valid_until = 'infinity';
