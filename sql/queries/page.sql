-- Data of the operator pages inside Airflow. These statements run as the analyst.

-- name: crawls_of_run
-- List the crawls of a DAG run, failed ones first.
SELECT crawl.outlet, crawl.mode, crawl.started_at,
       EXTRACT(epoch FROM crawl.finished_at - crawl.started_at)::float AS seconds,
       crawl.finish_reason, crawl.error, crawl.candidates, crawl.requests, crawl.ledger_ok,
       COALESCE((SELECT jsonb_object_agg(funnel.outcome, funnel.candidates ORDER BY funnel.outcome)
                 FROM mart.crawl_funnel funnel WHERE funnel.crawl_id = crawl.crawl_id), '{}') AS outcomes
FROM mart.crawl
WHERE crawl.dag_id = %(dag_id)s AND crawl.run_id = %(run_id)s
ORDER BY crawl.finish_reason IN ('finished', 'budget'), crawl.outlet, crawl.started_at;

-- name: outlets
-- List every outlet with its health, its freshness and the outcomes of its last crawl by class, worst state first.
SELECT health.outlet, health.name, health.tier, health.enabled, health.state, health.reason, health.since,
       freshness.last_new_article_at, freshness.articles, freshness.new_24h,
       last_crawl.dag_id, last_crawl.run_id, last_crawl.map_index, last_crawl.finish_reason, last_crawl.funnel
FROM mart.outlet_health health
JOIN mart.outlet_freshness freshness ON freshness.outlet = health.outlet
LEFT JOIN LATERAL (
    SELECT summary.dag_id, summary.run_id, summary.map_index, summary.finish_reason,
           (SELECT jsonb_object_agg(classes.class, classes.candidates)
            FROM (SELECT COALESCE(funnel.class, 'open') AS class, sum(funnel.candidates) AS candidates
                  FROM mart.crawl_funnel funnel WHERE funnel.crawl_id = summary.crawl_id GROUP BY 1) classes) AS funnel
    FROM mart.crawl_summary summary WHERE summary.outlet = health.outlet ORDER BY summary.started_at DESC LIMIT 1
) last_crawl ON true
ORDER BY array_position(ARRAY['failing', 'blocked', 'extraction_broken', 'silent', 'late', 'new', 'fresh', 'paused'],
                        health.state), health.outlet;

-- name: hourly
-- Count articles first seen in the last two days by outlet and hour.
SELECT outlet, EXTRACT(epoch FROM date_trunc('hour', first_seen_at))::bigint AS hour, count(*) AS articles
FROM mart.article_summary
WHERE first_seen_at > now() - interval '48 hours'
GROUP BY 1, 2;

-- name: alerts
-- List open alerts, oldest first.
SELECT cause, outlet, message, opened_at, notified_at FROM mart.alert WHERE closed_at IS NULL ORDER BY opened_at;

-- name: outlet
-- Return one outlet with its health.
SELECT health.outlet, health.name, health.tier, health.enabled, health.state, health.reason, health.since,
       health.checked_at, outlet.home, outlet.country, outlet.languages, outlet.timezone
FROM mart.outlet_health health JOIN mart.outlet ON outlet.outlet = health.outlet WHERE health.outlet = %(outlet)s;

-- name: coverage
-- Return the coverage of an outlet by day over the last year.
SELECT day, observed, discovered, loaded, first_seen, expected, expected_basis
FROM mart.outlet_coverage WHERE outlet = %(outlet)s AND day > current_date - 371 ORDER BY day;

-- name: outcomes
-- Count an outlet's candidates by day and outcome over the last 30 days.
SELECT (started_at AT TIME ZONE 'UTC')::date AS day, outcome, sum(candidates)::bigint AS candidates
FROM mart.crawl_funnel
WHERE outlet = %(outlet)s AND started_at > now() - interval '30 days'
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: endpoints
-- List an outlet's endpoints, configured ones first.
SELECT method, url, last_polled_at, last_outcome, last_detail, last_entries, last_new_at, failures, next_poll_at,
       polls, candidates
FROM mart.endpoint WHERE outlet = %(outlet)s
ORDER BY configured DESC, last_polled_at DESC NULLS LAST, method, url LIMIT 40;

-- name: latest_articles
-- List an outlet's latest articles.
SELECT article_uid, headline, url, first_seen_at FROM mart.article_summary
WHERE outlet = %(outlet)s ORDER BY first_seen_at DESC LIMIT 12;

-- name: texts
-- Return the confidence and length of an outlet's texts by week, for the last eight weeks.
SELECT date_trunc('week', first_seen_at AT TIME ZONE 'UTC')::date AS week, count(*) AS articles,
       round(avg(extraction_confidence)::numeric, 2) AS mean_confidence,
       count(*) FILTER (WHERE extraction_confidence < 0.7) AS doubtful,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY word_count) AS median_words
FROM mart.article WHERE outlet = %(outlet)s AND first_seen_at > now() - interval '56 days'
GROUP BY week ORDER BY week DESC;

-- name: latest_failures
-- List an outlet's latest pages that were requested and did not become articles.
SELECT url, outcome, reason, decided_at FROM mart.rejected_url
WHERE outlet = %(outlet)s AND class <> 'not_requested' ORDER BY decided_at DESC LIMIT 12;

-- name: crawls_of_outlet
-- List an outlet's latest crawls.
SELECT crawl_id, started_at, mode, finish_reason, error, candidates, requests, dag_id, run_id, map_index
FROM mart.crawl_summary WHERE outlet = %(outlet)s ORDER BY started_at DESC LIMIT 8;

-- name: rights
-- Return an outlet's rights signals and how many pages they excluded.
SELECT robots_status, robots_checked_at, tdmrep_status, content_signal, content_usage, license, noarchive, noai,
       tdm_reserved, robots_denied, rights_reserved, noindex
FROM mart.outlet_rights WHERE outlet = %(outlet)s;

-- name: article
-- Return one article with its full text and provenance.
SELECT article_uid, outlet, url, canonical_url, headline, description, authors, date_published, date_published_source,
       date_published_precision, date_modified, in_language, article_section, keywords, article_body, word_count,
       copy_cluster, first_seen_at, last_seen_at, gone_at, revision_count, discovered_via, observed_at, http_status,
       archive_file, archive_offset, archive_length, extractor
FROM mart.article WHERE article_uid = %(article)s;

-- name: diff
-- Return the changes between an article's revisions.
SELECT ordinal, part, hunk, line_number, removed, added, unchanged_until, seen_changed_at, cause
FROM mart.revision_diff(%(article)s);

-- name: copies
-- List the other articles of a copy cluster.
SELECT article_uid, outlet, url, headline, first_seen_at FROM mart.article_summary
WHERE copy_cluster = %(cluster)s AND article_uid <> %(article)s ORDER BY first_seen_at LIMIT 50;

-- name: variants
-- List the URLs that lead to an article.
SELECT kind, url, first_seen_at FROM mart.article_url WHERE article_uid = %(article)s ORDER BY kind, url LIMIT 50;

-- name: backfills
-- List the latest backfills.
SELECT backfill_id, outlets, since, until, state, requested_by, dag_id, run_id, created_at, finished_at, plan, report,
       chunks, done, failed
FROM mart.backfill ORDER BY created_at DESC LIMIT 30;

-- name: outlet_names
-- List the ids of all outlets.
SELECT outlet FROM mart.outlet ORDER BY outlet;
