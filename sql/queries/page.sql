-- What the pages inside Airflow show; read as the analyst.

-- name: crawls_of_run
-- The crawls of a run of a DAG, those that ended badly first.
SELECT w.outlet, w.mode, w.started_at, EXTRACT(epoch FROM w.finished_at - w.started_at)::float AS seconds,
       w.finish_reason, w.error, w.candidates, w.requests, w.ledger_ok,
       COALESCE((SELECT jsonb_object_agg(f.outcome, f.candidates ORDER BY f.outcome)
                 FROM mart.crawl_funnel f WHERE f.crawl_id = w.crawl_id), '{}') AS outcomes
FROM mart.crawl w
WHERE w.dag_id = %(dag_id)s AND w.run_id = %(run_id)s
ORDER BY w.finish_reason IN ('finished', 'budget'), w.outlet, w.started_at;

-- name: outlets
-- Every outlet with its health, its last crawl and how that ended.
SELECT h.outlet, h.name, h.tier, h.enabled, h.state, h.reason, h.since, f.last_new_article_at, f.articles, f.new_24h,
       w.dag_id, w.run_id, w.map_index, w.finish_reason, w.funnel
FROM mart.outlet_health h
JOIN mart.outlet_freshness f ON f.outlet = h.outlet
LEFT JOIN LATERAL (
    SELECT c.dag_id, c.run_id, c.map_index, c.finish_reason,
           (SELECT jsonb_object_agg(x.class, x.candidates)
            FROM (SELECT COALESCE(m.class, 'open') AS class, sum(m.candidates) AS candidates
                  FROM mart.crawl_funnel m WHERE m.crawl_id = c.crawl_id GROUP BY 1) x) AS funnel
    FROM mart.crawl_summary c WHERE c.outlet = h.outlet ORDER BY c.started_at DESC LIMIT 1
) w ON true
ORDER BY array_position(ARRAY['failing', 'blocked', 'extraction_broken', 'silent', 'late', 'new', 'fresh', 'paused'], h.state), h.outlet;

-- name: hourly
-- Articles first seen by outlet and hour over the last two days.
SELECT a.outlet, EXTRACT(epoch FROM date_trunc('hour', a.first_seen_at))::bigint AS hour, count(*) AS articles
FROM mart.article_summary a
WHERE a.first_seen_at > now() - interval '48 hours'
GROUP BY 1, 2;

-- name: alerts
SELECT cause, outlet, message, opened_at, notified_at FROM mart.alert WHERE closed_at IS NULL ORDER BY opened_at;

-- name: outlet
SELECT h.outlet, h.name, h.tier, h.enabled, h.state, h.reason, h.since, h.checked_at, o.home, o.country, o.languages, o.timezone
FROM mart.outlet_health h JOIN mart.outlet o ON o.outlet = h.outlet WHERE h.outlet = %(outlet)s;

-- name: coverage
SELECT day, observed, discovered, loaded, first_seen, expected, expected_basis
FROM mart.outlet_coverage WHERE outlet = %(outlet)s AND day > current_date - 371 ORDER BY day;

-- name: outcomes
-- How candidates ended by day, over the last 30 days with crawls.
SELECT (f.started_at AT TIME ZONE 'UTC')::date AS day, f.outcome, sum(f.candidates)::bigint AS candidates
FROM mart.crawl_funnel f
WHERE f.outlet = %(outlet)s AND f.started_at > now() - interval '30 days'
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: endpoints
SELECT method, url, last_polled_at, last_outcome, last_detail, last_entries, last_new_at, failures, next_poll_at, polls, candidates
FROM mart.endpoint WHERE outlet = %(outlet)s ORDER BY configured DESC, last_polled_at DESC NULLS LAST, method, url LIMIT 40;

-- name: latest_articles
SELECT article_uid, headline, url, first_seen_at FROM mart.article_summary
WHERE outlet = %(outlet)s ORDER BY first_seen_at DESC LIMIT 12;

-- name: latest_failures
SELECT url, outcome, reason, decided_at FROM mart.rejected_url
WHERE outlet = %(outlet)s AND class <> 'not_requested' ORDER BY decided_at DESC LIMIT 12;

-- name: crawls_of_outlet
SELECT c.crawl_id, c.started_at, c.mode, c.finish_reason, c.error, c.candidates, c.requests, c.dag_id, c.run_id, c.map_index
FROM mart.crawl_summary c WHERE c.outlet = %(outlet)s ORDER BY c.started_at DESC LIMIT 8;

-- name: rights
SELECT robots_status, robots_looked_at, tdmrep_status, content_signal, content_usage, license, noarchive, noai, tdm_reserved,
       robots_denied, rights_reserved, noindex
FROM mart.outlet_rights WHERE outlet = %(outlet)s;

-- name: article
SELECT article_uid, outlet, url, canonical_url, headline, description, authors, date_published, date_published_source,
       date_published_precision, date_modified, in_language, article_section, keywords, article_body, word_count, copy_cluster,
       first_seen_at, last_seen_at, gone_at, revision_count, discovered_via, observed_at, http_status, archive_file,
       archive_offset, archive_length, extractor
FROM mart.article WHERE article_uid = %(article)s;

-- name: diff
SELECT ordinal, part, hunk, line_number, removed, added, unchanged_until, seen_changed_at, cause
FROM mart.revision_diff(%(article)s);

-- name: copies
SELECT m.article_uid, m.outlet, m.url, m.headline, m.first_seen_at FROM mart.article_summary m
WHERE m.copy_cluster = %(cluster)s AND m.article_uid <> %(article)s ORDER BY m.first_seen_at LIMIT 50;

-- name: variants
SELECT kind, url, first_seen_at FROM mart.article_url WHERE article_uid = %(article)s ORDER BY kind, url LIMIT 50;

-- name: backfills
SELECT backfill_id, outlets, since, until, state, requested_by, dag_id, run_id, created_at, finished_at, plan, report, chunks,
       done, failed
FROM mart.backfill ORDER BY created_at DESC LIMIT 30;

-- name: outlet_names
SELECT outlet FROM mart.outlet ORDER BY outlet;
