-- Requests, crawls, the frontier and the ledger.

-- name: upsert_outlet
-- The outlet as its file says now.
INSERT INTO core.outlet (outlet, name, home, country, languages, timezone, tier, domains, enabled, gone_after)
VALUES (%(outlet)s, %(name)s, %(home)s, %(country)s, %(languages)s, %(timezone)s, %(tier)s, %(domains)s, %(enabled)s,
        %(gone_after)s)
ON CONFLICT (outlet) DO UPDATE SET
    name = excluded.name, home = excluded.home, country = excluded.country, languages = excluded.languages,
    timezone = excluded.timezone, tier = excluded.tier, domains = excluded.domains, enabled = excluded.enabled,
    gone_after = excluded.gone_after, updated_at = now()
WHERE (core.outlet.name, core.outlet.home, core.outlet.country, core.outlet.languages, core.outlet.timezone,
       core.outlet.tier, core.outlet.domains, core.outlet.enabled, core.outlet.gone_after)
   IS DISTINCT FROM
      (excluded.name, excluded.home, excluded.country, excluded.languages, excluded.timezone,
       excluded.tier, excluded.domains, excluded.enabled, excluded.gone_after);

-- name: remember_config
-- The state of the outlet's file, once.
INSERT INTO ops.outlet_config (outlet, config_hash, config)
VALUES (%(outlet)s, %(config_hash)s, %(config)s)
ON CONFLICT DO NOTHING;

-- name: last_success
-- End of the interval of the last incremental crawl that reached its end.
SELECT max(interval_end) FROM ops.crawl
WHERE outlet = %(outlet)s AND mode = 'incremental' AND finish_reason IN ('finished', 'budget');

-- name: add_request
-- A crawl request; asking twice for the same DAG run and chunk makes one.
INSERT INTO ops.crawl_request (request_id, outlet, mode, interval_start, interval_end, methods, page_budget,
                               force_refetch, dry_run, requested_by, dag_id, run_id, chunk, config_hash)
VALUES (%(request_id)s, %(outlet)s, %(mode)s, %(interval_start)s, %(interval_end)s, %(methods)s, %(page_budget)s,
        %(force_refetch)s, %(dry_run)s, %(requested_by)s, %(dag_id)s, %(run_id)s, %(chunk)s, %(config_hash)s)
ON CONFLICT (request_id) DO NOTHING;

-- name: get_request
-- One request.
SELECT request_id, outlet, mode, interval_start, interval_end, methods, page_budget, force_refetch, dry_run,
       COALESCE(starts_with(run_id, 'scheduled__'), false)
FROM ops.crawl_request WHERE request_id = %(request_id)s;

-- name: open_crawl
-- A new attempt at a request.
INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_start, interval_end, code_version, host, pid)
SELECT %(crawl_id)s, request_id, outlet, mode, interval_start, interval_end, %(code_version)s, %(host)s, %(pid)s
FROM ops.crawl_request WHERE request_id = %(request_id)s
ON CONFLICT (crawl_id) DO NOTHING;

-- name: close_crawl
-- The end of a crawl; a crawl that was closed by others stays as they closed it.
UPDATE ops.crawl
SET finished_at = now(), finish_reason = %(finish_reason)s, error = %(error)s, stats = %(stats)s,
    requests = GREATEST(requests, %(requests)s)
WHERE crawl_id = %(crawl_id)s AND finished_at IS NULL;

-- name: unfinished_crawls
-- Crawls without an end: running ones, and those whose process died.
SELECT c.crawl_id, c.outlet, c.request_id
FROM ops.crawl c
WHERE c.finished_at IS NULL AND (%(outlets)s::text[] IS NULL OR c.outlet = ANY (%(outlets)s::text[]))
ORDER BY c.started_at;

-- name: frontier_entries
-- What the frontier knows of these identities. A known variant (a canonical, AMP or mobile address, a redirect's target)
-- that was never asked for itself answers with the state of the article it leads to.
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
        -- Pages of different articles that claim one canonical address: it then stands for none of them.
        SELECT min(u.article_uid::text)::uuid FROM core.article_url u
        WHERE u.url_uid = w.url_uid AND u.kind IN ('canonical', 'final', 'amp', 'mobile')
        HAVING count(DISTINCT u.article_uid) = 1
    ) AND NOT EXISTS (SELECT 1 FROM ops.frontier own WHERE own.url_uid = w.url_uid)
    LIMIT 1
) f ON true;

-- name: due
-- Pages of an outlet that are due, longest overdue first, with what their first listing said of them.
SELECT f.url_uid, f.url, s.listed_headline, s.listed_published_raw, s.method, s.listed_modified
FROM ops.frontier f
LEFT JOIN LATERAL (
    SELECT g.listed_headline, g.listed_published_raw, g.listed_modified, e.method
    FROM core.url_listing g JOIN ops.endpoint e ON e.endpoint_id = g.endpoint_id
    WHERE g.url_uid = f.url_uid
    ORDER BY g.listed_published_raw IS NULL, g.first_listed_at, g.endpoint_id
    LIMIT 1
) s ON true
WHERE f.outlet = %(outlet)s AND f.next_due_at <= %(now)s
ORDER BY f.next_due_at, f.url_uid
LIMIT %(limit)s;

-- name: add_frontier
-- URLs met for the first time; due at once, so that a crawl that is killed now loses none of them.
INSERT INTO ops.frontier (url_uid, outlet, url, first_listed_at, next_due_at)
VALUES %s
ON CONFLICT (url_uid) DO NOTHING;

-- name: mark_skipped
-- URLs that were left out without a request; listed again for the same reason they are not stored again.
UPDATE ops.frontier f
SET last_outcome = CASE WHEN f.last_fetch_at IS NULL THEN d.outcome ELSE f.last_outcome END, next_due_at = NULL
FROM (VALUES %s) AS d (url_uid, outcome)
WHERE f.url_uid = d.url_uid::uuid AND (f.last_fetch_at IS NULL OR d.outcome IN ('too_old', 'suppressed'));

-- name: make_due
-- Pages that are to be fetched stay due until they are settled, whatever becomes of this crawl and of their listing.
UPDATE ops.frontier SET next_due_at = %(now)s
WHERE url_uid = ANY (%(uids)s::uuid[]) AND (next_due_at IS NULL OR next_due_at > %(now)s);

-- name: add_url_listings
-- Entries of an endpoint, sorted by key so that two crawls cannot lock each other out.
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
-- What is known of the endpoints of an outlet.
SELECT endpoint_id, etag, last_modified, body_hash, last_read_at, last_new_at, failures, next_poll_at, validators_unreliable,
       index_modified
FROM ops.endpoint WHERE outlet = %(outlet)s;

-- name: update_endpoint
-- The state of an endpoint after a look at it.
UPDATE ops.endpoint SET
    etag = %(etag)s, last_modified = %(last_modified)s, body_hash = %(body_hash)s, last_read_at = %(last_read_at)s,
    last_new_at = %(last_new_at)s, failures = %(failures)s, next_poll_at = %(next_poll_at)s,
    validators_unreliable = %(validators_unreliable)s, index_modified = %(index_modified)s
WHERE endpoint_id = %(endpoint_id)s;

-- name: still_listed
-- An unchanged listing still lists what it listed at the last look.
UPDATE core.url_listing SET last_listed_at = GREATEST(last_listed_at, %(polled_at)s)
WHERE endpoint_id = %(endpoint_id)s AND last_listed_at >= (
    SELECT max(polled_at) FROM ops.endpoint_poll
    WHERE endpoint_id = %(endpoint_id)s AND outcome IN ('listed', 'not_modified') AND crawl_id <> %(crawl_id)s);

-- name: add_endpoint
-- An endpoint, once.
INSERT INTO ops.endpoint (endpoint_id, outlet, method, url, configured)
VALUES (%(endpoint_id)s, %(outlet)s, %(method)s, %(url)s, %(configured)s)
ON CONFLICT (endpoint_id) DO UPDATE SET configured = excluded.configured
WHERE ops.endpoint.configured <> excluded.configured;

-- name: last_poll
-- The last successful poll of an endpoint before this crawl.
SELECT max(polled_at) FROM ops.endpoint_poll
WHERE endpoint_id = %(endpoint_id)s AND outcome = 'listed' AND crawl_id <> %(crawl_id)s;

-- name: overlap
-- How many of these entries the endpoint's poll before listed too.
SELECT count(*) FROM core.url_listing
WHERE endpoint_id = %(endpoint_id)s AND url_uid = ANY (%(uids)s::uuid[]) AND last_listed_at >= %(polled_at)s;

-- name: add_poll
-- One look at an endpoint.
INSERT INTO ops.endpoint_poll (crawl_id, endpoint_id, polled_at, http_status, outcome, detail, entries, candidates,
                               already_known, overlap, gap_suspected, body_hash)
VALUES (%(crawl_id)s, %(endpoint_id)s, %(polled_at)s, %(http_status)s, %(outcome)s, %(detail)s, %(entries)s,
        %(candidates)s, %(already_known)s, %(overlap)s, %(gap_suspected)s, %(body_hash)s)
ON CONFLICT (crawl_id, endpoint_id) DO NOTHING;

-- name: add_candidates
-- Candidates that are fetched, or left out with a reason worth a row.
INSERT INTO ops.candidate (crawl_id, url_uid, url, endpoint_id, discovered_via, outcome, reason, resolved_at)
VALUES %s
ON CONFLICT (crawl_id, url_uid) DO NOTHING;

-- name: count_candidates
-- Candidates so far, an absolute number so that it may be written twice: what the ledger must add up to.
UPDATE ops.crawl SET candidates = GREATEST(candidates, %(count)s) WHERE crawl_id = %(crawl_id)s;

-- name: resolve_candidates
-- How candidates ended; what has ended stays.
UPDATE ops.candidate c
SET outcome = d.outcome, reason = d.reason, resolved_at = now(), segment_id = d.segment_id::uuid,
    article_uid = d.article_uid::uuid
FROM (VALUES %s) AS d (crawl_id, url_uid, outcome, reason, segment_id, article_uid)
WHERE c.crawl_id = d.crawl_id::uuid AND c.url_uid = d.url_uid::uuid AND c.outcome IS NULL;

-- name: resolve_open
-- Everything of a crawl that is still open ends so.
UPDATE ops.candidate SET outcome = %(outcome)s, reason = %(reason)s, resolved_at = now()
WHERE crawl_id = %(crawl_id)s AND outcome IS NULL;

-- name: update_frontier
-- New state of URLs after a fetch. Sorted by key by the caller.
INSERT INTO ops.frontier AS f (url_uid, outlet, url, first_listed_at, last_outcome, last_fetch_at, next_due_at, failures,
                               article_uid, first_captured_at, last_captured_at, listed_modified, date_published,
                               headline_hash, description_hash, authors_hash, body_hash, etag, last_modified,
                               wire_digest, segment_id, archive_offset, archive_length, last_read_at, validators_unreliable)
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
    validators_unreliable = f.validators_unreliable OR excluded.validators_unreliable;

-- name: pages_today
-- Pages asked of an outlet within a day, by whichever crawl.
SELECT count(*) FROM ops.fetch f
JOIN ops.crawl w ON w.crawl_id = f.crawl_id
WHERE w.outlet = %(outlet)s AND w.started_at > %(now)s::timestamptz - interval '2 days'
  AND f.fetched_at > %(now)s::timestamptz - interval '1 day' AND f.kind = 'article';

-- name: count_unreliable
-- Addresses of an outlet whose content changed under the same validators.
SELECT count(*) FROM ops.frontier WHERE outlet = %(outlet)s AND validators_unreliable;

-- name: add_segment
-- A committed segment.
INSERT INTO ops.segment (segment_id, crawl_id, outlet, state, captures)
VALUES (%(segment_id)s, %(crawl_id)s, %(outlet)s, 'committed', %(captures)s);

-- name: add_archive_segment
-- Where its bytes lie.
INSERT INTO core.archive_segment (segment_id, outlet, file, base_offset, length, records)
VALUES (%(segment_id)s, %(outlet)s, %(file)s, %(base_offset)s, %(length)s, %(records)s);

-- name: add_quarantine
-- Pages that came and were not kept.
INSERT INTO ops.quarantine (quarantine_id, crawl_id, url_uid, url, outlet, outcome, stage, reason,
                            segment_id, archive_offset, archive_length)
VALUES %s
ON CONFLICT (quarantine_id) DO NOTHING;

-- name: add_fetches
-- Requests that were made.
INSERT INTO ops.fetch (crawl_id, fetched_at, url, kind, http_status, bytes, seconds, ip, error)
VALUES %s;

-- name: ensure_extractor
-- The number of an extractor, made where it is new. The update gives the row back in either case.
INSERT INTO core.extractor AS e (name, version, config_hash, config)
VALUES (%(name)s, %(version)s, %(config_hash)s, %(config)s)
ON CONFLICT (name, version, config_hash) DO UPDATE SET config = e.config
RETURNING extractor_id;

-- name: archived_segments
-- Which of these segments have rows.
SELECT segment_id FROM core.archive_segment WHERE segment_id = ANY (%(segment_ids)s::uuid[]);

-- name: segment_place
-- File and first byte of a segment.
SELECT file, base_offset FROM core.archive_segment WHERE segment_id = %(segment_id)s AND expired_at IS NULL;

-- name: crawl_report
-- How a crawl's candidates ended, with the check of its ledger.
SELECT w.crawl_id, w.outlet, w.mode, w.interval_start, w.interval_end, w.candidates, w.requests,
       EXTRACT(epoch FROM COALESCE(w.finished_at, now()) - w.started_at)::float AS seconds,
       w.finish_reason, w.error, w.ledger_ok,
       COALESCE((SELECT jsonb_object_agg(f.outcome, f.candidates ORDER BY f.outcome)
                 FROM mart.crawl_funnel f WHERE f.crawl_id = w.crawl_id), '{}') AS outcomes,
       (SELECT count(*) FROM ops.endpoint_poll p WHERE p.crawl_id = w.crawl_id AND p.outcome = 'not_modified') AS unchanged,
       (SELECT count(*) FROM ops.endpoint_poll p WHERE p.crawl_id = w.crawl_id) AS polls
FROM mart.crawl w
WHERE w.crawl_id = ANY (%(crawl_ids)s::uuid[])
ORDER BY w.outlet, w.started_at;

-- name: crawls_of_requests
-- The crawls made for these requests.
SELECT crawl_id FROM ops.crawl WHERE request_id = ANY (%(request_ids)s::uuid[]);

-- name: capture_at
-- The first capture whose archived bytes lie here.
SELECT COALESCE(final_url, requested_url), observed_at, capture_id FROM core.capture
WHERE segment_id = %(segment_id)s AND archive_offset = %(offset)s
ORDER BY observed_at LIMIT 1;

-- name: site_policy
-- The last look at a host's file, where it still holds.
SELECT l.checked_at, l.http_status, l.error, f.body
FROM ops.site_policy_check l
LEFT JOIN core.site_policy f ON f.site = l.site AND f.kind = l.kind AND f.body_hash = l.body_hash
WHERE l.site = %(site)s AND l.kind = %(kind)s AND l.expires_at > %(now)s;

-- name: add_site_policy
-- A state of a host's file, once.
INSERT INTO core.site_policy (site, kind, body_hash, body, first_seen_at)
VALUES (%(site)s, %(kind)s, %(body_hash)s, %(body)s, %(checked_at)s)
ON CONFLICT DO NOTHING;

-- name: add_site_policy_check
-- The last look; an older one that comes late changes nothing.
INSERT INTO ops.site_policy_check AS l (site, kind, checked_at, expires_at, http_status, error, body_hash)
VALUES (%(site)s, %(kind)s, %(checked_at)s, %(expires_at)s, %(http_status)s, %(error)s, %(body_hash)s)
ON CONFLICT (site, kind) DO UPDATE SET
    checked_at = excluded.checked_at, expires_at = excluded.expires_at, http_status = excluded.http_status,
    error = excluded.error, body_hash = excluded.body_hash
WHERE excluded.checked_at >= l.checked_at;

-- name: dated_attributes
-- What an outlet's file dates; the file has the last word on them.
INSERT INTO core.outlet_attribute AS a (outlet, attribute, value, valid_from, valid_until, source)
SELECT %(outlet)s, n.attribute, n.value, COALESCE(n.valid_from, '-infinity'), COALESCE(n.valid_until, 'infinity'), 'file'
FROM jsonb_to_recordset(%(attributes)s) AS n (attribute text, value text, valid_from date, valid_until date)
ON CONFLICT (outlet, attribute, value, valid_from) DO UPDATE SET valid_until = excluded.valid_until, source = 'file'
WHERE a.valid_until <> excluded.valid_until OR a.source <> 'file';

-- name: ended_attributes
-- What the file no longer says of today ended when we saw it.
UPDATE core.outlet_attribute a SET valid_until = current_date, source = 'seen'
WHERE a.outlet = %(outlet)s AND a.valid_until = 'infinity' AND a.valid_from <= current_date
  AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(%(current)s) AS n (attribute text, value text)
                  WHERE n.attribute = a.attribute AND n.value = a.value);

-- name: current_attributes
-- What the file says of today: since ever where it is the first that we hear of it, else since today.
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
