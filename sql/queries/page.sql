-- Data of the operator pages inside Airflow. These statements run as the analyst.

-- name: crawls_of_run
-- List the crawls of a DAG run, failed ones first.
SELECT crawl.outlet, crawl.mode, crawl.started_at,
       EXTRACT(epoch FROM crawl.finished_at - crawl.started_at)::float AS seconds,
       crawl.finish_reason, crawl.error, crawl.candidates, crawl.requests, crawl.ledger_ok, polled.listed,
       polled.unchanged,
       COALESCE((SELECT jsonb_object_agg(funnel.outcome, funnel.candidates ORDER BY funnel.outcome)
                 FROM mart.crawl_funnel funnel WHERE funnel.crawl_id = crawl.crawl_id), '{}') AS outcomes
FROM mart.crawl
JOIN mart.crawl_summary polled ON polled.crawl_id = crawl.crawl_id
WHERE crawl.dag_id = %(dag_id)s AND crawl.run_id = %(run_id)s
ORDER BY crawl.finish_reason IN ('finished', 'budget', 'waiting'), crawl.outlet, crawl.started_at;

-- name: coverage
-- Return the coverage of an outlet by day over the last year.
SELECT day, observed, discovered, loaded, first_seen, expected, expected_basis
FROM mart.outlet_coverage WHERE outlet = %(outlet)s AND day > current_date - 371 ORDER BY day;

-- name: endpoints
-- List an outlet's endpoints, configured ones first.
SELECT method, url, last_polled_at, last_outcome, last_detail, last_entries, last_new_at, failures, next_poll_at,
       polls, candidates, failure, failing_since
FROM mart.endpoint WHERE outlet = %(outlet)s
ORDER BY configured DESC, last_polled_at DESC NULLS LAST, method, url LIMIT 40;

-- name: rights
-- Return an outlet's rights signals and how many pages they excluded.
SELECT robots_status, robots_checked_at, tdmrep_status, content_signal, content_usage, license, noarchive, noai,
       tdm_reserved, robots_denied, rights_reserved, noindex
FROM mart.outlet_rights WHERE outlet = %(outlet)s;

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

-- name: states
-- Count outlets by state, with the time of the last check.
SELECT state, count(*) AS outlets, max(checked_at) AS checked_at FROM mart.outlet_health GROUP BY state;

-- name: open_alerts
-- List open alerts, oldest first, with the health of their outlets.
SELECT alert.cause, alert.outlet, alert.message, alert.opened_at, alert.last_seen_at, alert.muted_by, alert.muted_until,
       alert.mute_reference, health.name, health.tier, health.reason, health.failed_crawls, health.first_failed_at,
       health.last_failed_at, health.waiting_until, health.override, last_crawl.dag_id, last_crawl.run_id,
       last_crawl.map_index
FROM mart.alert
LEFT JOIN mart.outlet_health health ON health.outlet = alert.outlet
LEFT JOIN LATERAL (
    SELECT crawl.dag_id, crawl.run_id, crawl.map_index FROM mart.crawl_summary crawl
    WHERE crawl.outlet = alert.outlet AND crawl.run_id IS NOT NULL ORDER BY crawl.started_at DESC LIMIT 1
) last_crawl ON true
WHERE alert.closed_at IS NULL
ORDER BY alert.opened_at, alert.outlet
LIMIT 200;

-- name: hours
-- Count new articles of all outlets by hour, for the last two days and the same days of last week.
SELECT counted.day, hour.hour, sum(counted.new_by_hour[hour.hour + 1])::bigint AS articles
FROM mart.outlet_day counted
CROSS JOIN generate_series(0, 23) AS hour (hour)
WHERE counted.day IN ((now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date - 7, (now() AT TIME ZONE 'UTC')::date - 8)
GROUP BY 1, 2;

-- name: running
-- List crawls that have not ended, newest first.
SELECT outlet, mode, started_at, dag_id, run_id, map_index, requested_by
FROM mart.crawl_summary WHERE finished_at IS NULL ORDER BY started_at DESC LIMIT 30;

-- name: load_queue
-- Summarise the segments that are not loaded.
SELECT state, sum(segments)::bigint AS segments, sum(captures)::bigint AS captures, min(oldest) AS oldest
FROM mart.load_queue GROUP BY state;

-- name: storage
-- Return the sizes of the last 31 measured days, newest first.
SELECT measured_on, database_bytes, archive_bytes, log_bytes, articles FROM mart.storage
ORDER BY measured_on DESC LIMIT 31;

-- name: outlets
-- List one page of the outlets that match, with their counters, and the number of all that match.
WITH counted AS (
    SELECT outlet,
           -- Today, and yesterday after this hour.
           (COALESCE(sum(new_articles) FILTER (WHERE day = (now() AT TIME ZONE 'UTC')::date), 0)
            + COALESCE(sum((SELECT sum(articles) FROM unnest(
                  new_by_hour[EXTRACT(hour FROM now() AT TIME ZONE 'UTC')::integer + 2:24]) AS hour (articles)))
                  FILTER (WHERE day = (now() AT TIME ZONE 'UTC')::date - 1), 0))::bigint AS new_24h,
           sum(new_articles)::bigint AS new_7d, sum(requested)::bigint AS requested, sum(kept)::bigint AS kept,
           sum(with_date)::bigint AS with_date, sum(with_authors)::bigint AS with_authors,
           (percentile_disc(0.5) WITHIN GROUP (ORDER BY median_words))::bigint AS words
    FROM mart.outlet_day WHERE day > (now() AT TIME ZONE 'UTC')::date - 7 GROUP BY outlet
), matching AS (
    SELECT health.*, counted.new_24h, counted.new_7d, counted.requested, counted.kept, counted.with_date,
           counted.with_authors, counted.words, outlet.country,
           counted.kept::float / NULLIF(counted.requested, 0) AS kept_share,
           array_position(ARRAY['failing', 'blocked', 'extraction_broken', 'silent', 'late', 'new', 'fresh', 'paused'],
                          health.state) AS severity
    FROM mart.outlet_health health
    JOIN mart.outlet ON outlet.outlet = health.outlet
    LEFT JOIN counted ON counted.outlet = health.outlet
    WHERE (%(q)s = '' OR strpos(lower(health.outlet || ' ' || health.name), lower(%(q)s)) > 0)
      AND (%(state)s = '' OR health.state = ANY (string_to_array(%(state)s, ',')))
      AND (%(tier)s = '' OR health.tier = %(tier)s)
      AND (%(country)s = '' OR outlet.country = %(country)s)
), page AS (
    SELECT matching.*, count(*) OVER () AS matches,
           row_number() OVER (ORDER BY
               CASE WHEN %(sort)s = 'state' THEN severity END, CASE WHEN %(sort)s = '-state' THEN -severity END,
               CASE WHEN %(sort)s = 'name' THEN lower(name) END, CASE WHEN %(sort)s = '-name' THEN lower(name) END DESC,
               CASE WHEN %(sort)s = 'last' THEN last_new_article_at END,
               CASE WHEN %(sort)s = '-last' THEN last_new_article_at END DESC NULLS LAST,
               CASE WHEN %(sort)s = 'day' THEN new_24h END, CASE WHEN %(sort)s = '-day' THEN new_24h END DESC NULLS LAST,
               CASE WHEN %(sort)s = 'week' THEN new_7d END, CASE WHEN %(sort)s = '-week' THEN new_7d END DESC NULLS LAST,
               CASE WHEN %(sort)s = 'kept' THEN kept_share END,
               CASE WHEN %(sort)s = '-kept' THEN kept_share END DESC NULLS LAST,
               CASE WHEN %(sort)s = 'words' THEN words END, CASE WHEN %(sort)s = '-words' THEN words END DESC NULLS LAST,
               outlet) AS place
    FROM matching
    ORDER BY place
    LIMIT %(limit)s OFFSET %(offset)s
)
SELECT page.*, last_crawl.dag_id, last_crawl.run_id, last_crawl.map_index, last_crawl.finish_reason, last_crawl.started_at,
       last_crawl.listed, last_crawl.unchanged, last_crawl.outcomes, last_crawl.error
FROM page
LEFT JOIN LATERAL (
    SELECT summary.*, (SELECT jsonb_object_agg(funnel.outcome, funnel.candidates) FROM mart.crawl_funnel funnel
                       WHERE funnel.crawl_id = summary.crawl_id) AS outcomes
    FROM mart.crawl_summary summary WHERE summary.outlet = page.outlet ORDER BY summary.started_at DESC LIMIT 1
) last_crawl ON true
ORDER BY page.place;

-- name: days
-- Return the counters of these outlets from a day on, oldest first.
SELECT outlet, day, new_articles, with_date, with_authors, median_words, mean_confidence, crawls, failed_crawls,
       requested, kept, outcomes
FROM mart.outlet_day WHERE outlet = ANY (%(outlets)s::text[]) AND day >= %(since)s ORDER BY outlet, day;

-- name: tiers
-- Count outlets by tier and by country, with those that listings of the past reach.
SELECT tier, country, count(*) AS outlets FROM mart.outlet WHERE enabled GROUP BY tier, country ORDER BY tier, country;

-- name: outlet
-- Return one outlet with its health and its open alerts.
SELECT health.*, outlet.home, outlet.country, outlet.languages, outlet.timezone,
       (SELECT count(*) FROM mart.alert WHERE alert.outlet = health.outlet AND alert.closed_at IS NULL) AS alerts,
       (SELECT max(COALESCE(alert.muted_until, 'infinity')) FROM mart.alert
        WHERE alert.outlet = health.outlet AND alert.closed_at IS NULL AND alert.muted_by IS NOT NULL) AS muted_until
FROM mart.outlet_health health JOIN mart.outlet ON outlet.outlet = health.outlet WHERE health.outlet = %(outlet)s;

-- name: crawls_of_outlet
-- List an outlet's latest crawls.
SELECT summary.*, (SELECT jsonb_object_agg(funnel.outcome, funnel.candidates) FROM mart.crawl_funnel funnel
                   WHERE funnel.crawl_id = summary.crawl_id) AS outcomes
FROM mart.crawl_summary summary WHERE summary.outlet = %(outlet)s ORDER BY summary.started_at DESC LIMIT 10;

-- name: latest_articles
-- List an outlet's latest articles.
SELECT article.article_uid, article.headline, article.url, article.first_seen_at, article.date_published,
       article.authors, article.word_count, article.extraction_confidence, left(article.article_body, 400) AS preview
FROM (SELECT article_uid FROM mart.article_summary WHERE outlet = %(outlet)s ORDER BY first_seen_at DESC LIMIT 15) latest
JOIN mart.article ON article.article_uid = latest.article_uid
ORDER BY article.first_seen_at DESC;

-- name: latest_rejected
-- List an outlet's latest pages that were requested and did not become articles.
SELECT url, outcome, reason, decided_at, archive_file, archive_offset, archive_length FROM mart.rejected_url
WHERE outlet = %(outlet)s AND class <> 'not_requested' AND decided_at > now() - interval '30 days'
ORDER BY decided_at DESC LIMIT 15;

-- name: repeated_lines
-- List the lines that an outlet repeats around its texts.
SELECT line, articles, learned_on, last_seen_on FROM mart.repeated_line WHERE outlet = %(outlet)s
ORDER BY articles DESC, line LIMIT 30;

-- name: outlet_files
-- List the versions of an outlet's file, newest first.
SELECT first_used_at, config FROM mart.outlet_file WHERE outlet = %(outlet)s ORDER BY first_used_at DESC LIMIT 10;

-- name: article
-- Return one article with its full text and provenance.
SELECT article_uid, outlet, url, canonical_url, headline, description, authors, author_organisations, date_published,
       date_published_source, date_published_precision, date_published_flag, date_modified, in_language,
       article_section, keywords, article_body, word_count, extraction_confidence, copy_cluster, first_seen_at,
       last_seen_at, gone_at, revision_count, discovered_via, observed_at, http_status, archive_file, archive_offset,
       archive_length, extractor
FROM mart.article WHERE article_uid = %(article)s;

-- name: decisions
-- List what crawls decided on the URLs of an article, newest first.
SELECT url, decided_at, outcome, reason, discovered_via, crawl_id FROM mart.url_decision
WHERE url_uid = ANY (ARRAY(SELECT url_uid FROM mart.article_url WHERE article_uid = %(article)s)
                     || ARRAY[%(article)s::uuid])
ORDER BY decided_at DESC LIMIT 30;

-- name: rejected
-- Return where a rejected page of an outlet is archived.
SELECT url, archive_file, archive_offset, archive_length FROM mart.rejected_url
WHERE outlet = %(outlet)s AND url = %(url)s AND archive_file IS NOT NULL LIMIT 1;

-- name: backfills
-- List the latest backfills.
SELECT backfill_id, outlets, since, until, methods, page_budget, force_refetch, state, requested_by, dag_id, run_id,
       created_at, finished_at, plan, report, chunks, done, failed
FROM mart.backfill ORDER BY created_at DESC LIMIT %(limit)s OFFSET %(offset)s;

-- name: outlet_names
-- List the ids of enabled outlets whose id or name contains a text, or that are of a country.
SELECT outlet, name, tier, country FROM mart.outlet
WHERE enabled AND (%(q)s = '' OR strpos(lower(outlet || ' ' || name), lower(%(q)s)) > 0)
  AND (%(country)s = '' OR country = %(country)s)
ORDER BY outlet LIMIT %(limit)s;

-- name: reextractions
-- List the latest re-extractions.
SELECT * FROM mart.reextraction ORDER BY created_at DESC LIMIT 30;

-- name: reextraction
-- Return one re-extraction.
SELECT * FROM mart.reextraction WHERE reextraction_id = %(reextraction)s;

-- name: reextraction_samples
-- Return pages of a re-extraction that differ.
SELECT * FROM mart.reextraction_sample WHERE reextraction_id = %(reextraction)s ORDER BY url LIMIT 12;

-- name: outcome_classes
-- Return the class of each outcome.
SELECT outcome, class FROM mart.outcome;

-- name: metrics_outlets
-- Return what is measured of each outlet.
SELECT health.outlet, health.state, health.failed_crawls,
       EXTRACT(epoch FROM health.last_new_article_at)::bigint AS last_new_article,
       COALESCE(counted.articles, 0)::bigint AS articles
FROM mart.outlet_health health
LEFT JOIN (SELECT outlet, sum(articles) AS articles FROM mart.article_count GROUP BY outlet) counted USING (outlet)
ORDER BY health.outlet;

-- name: metrics_outcomes
-- Count the candidates of today's crawls by outcome.
SELECT outcome.key AS outcome, sum(outcome.value::bigint)::bigint AS candidates
FROM mart.outlet_day counted CROSS JOIN LATERAL jsonb_each_text(counted.outcomes) outcome
WHERE counted.day = (now() AT TIME ZONE 'UTC')::date GROUP BY 1 ORDER BY 1;

-- name: metrics_alerts
-- Count open alerts by cause.
SELECT cause, muted_by IS NOT NULL AS muted, count(*) AS alerts FROM mart.alert WHERE closed_at IS NULL
GROUP BY 1, 2 ORDER BY 1, 2;
