-- Outlet health compared with each outlet's own past, alerts, mutes, overrides and storage.

-- name: outlet_stats
-- Return each outlet with its override, its latest new article and its number of articles.
SELECT outlet.outlet, outlet.tier, outlet.enabled,
       COALESCE(override.state, 'running') AS override_state, override.reason AS override_reason, override.set_at,
       output.last_new_at, output.articles, failing.failed_crawls, failing.first_failed_at, failing.last_failed_at,
       CASE WHEN health.state = 'blocked' THEN health.reason END AS was_blocked
FROM core.outlet
LEFT JOIN LATERAL (
    SELECT latest.state, latest.reason, latest.set_at, latest.until FROM ops.outlet_override latest
    WHERE latest.outlet = outlet.outlet AND latest.set_at <= %(now)s
    ORDER BY latest.set_at DESC LIMIT 1
) override ON override.until IS NULL OR override.until > %(now)s
LEFT JOIN LATERAL (
    -- Articles that a backfill added don't count as activity.
    SELECT (SELECT article.first_seen_at FROM core.article
            WHERE article.outlet = outlet.outlet AND article.merged_into IS NULL
              AND NOT EXISTS (SELECT 1 FROM core.capture JOIN ops.crawl ON crawl.crawl_id = capture.crawl_id
                              WHERE capture.article_uid = article.article_uid
                                AND capture.observed_at = article.first_seen_at AND crawl.mode = 'window')
            ORDER BY article.first_seen_at DESC LIMIT 1) AS last_new_at,
           (SELECT COALESCE(sum(counted.articles), 0)::bigint FROM core.article_count counted
            WHERE counted.outlet = outlet.outlet) AS articles
) output ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS failed_crawls, min(crawl.started_at) AS first_failed_at, max(crawl.started_at) AS last_failed_at
    FROM ops.crawl
    WHERE crawl.outlet = outlet.outlet AND crawl.mode = 'incremental'
      AND crawl.finish_reason IN ('failed', 'killed', 'no_listing', 'refused')
      AND NOT COALESCE((crawl.stats ->> 'internal_failure')::boolean, false)
      AND crawl.started_at > COALESCE(
          (SELECT max(good.started_at) FROM ops.crawl good
           WHERE good.outlet = outlet.outlet AND good.mode = 'incremental'
             AND good.finish_reason IN ('finished', 'budget')), '-infinity')
) failing ON true
LEFT JOIN ops.health ON health.outlet = outlet.outlet
WHERE %(outlets)s::text[] IS NULL OR outlet.outlet = ANY (%(outlets)s::text[])
ORDER BY outlet.outlet;

-- name: last_crawls
-- Return each outlet's last five incremental crawls and its last backfill crawl with their outcomes, newest first.
SELECT recent.outlet, recent.started_at, recent.finish_reason, recent.error, recent.requests,
       COALESCE((SELECT jsonb_object_agg(funnel.outcome, funnel.candidates) FROM mart.crawl_funnel funnel
                 WHERE funnel.crawl_id = recent.crawl_id), '{}'),
       (SELECT COALESCE(sum(poll.entries), 0) FROM ops.endpoint_poll poll WHERE poll.crawl_id = recent.crawl_id),
       (SELECT count(*) FILTER (WHERE poll.outcome IN ('listed', 'not_modified')) FROM ops.endpoint_poll poll
        WHERE poll.crawl_id = recent.crawl_id),
       recent.mode,
       (SELECT count(*) FILTER (WHERE poll.is_truncated) FROM ops.endpoint_poll poll
        WHERE poll.crawl_id = recent.crawl_id),
       ARRAY(SELECT candidate.url FROM ops.candidate
             WHERE candidate.crawl_id = recent.crawl_id AND candidate.outcome = ANY (%(extraction_failures)s::text[])
             ORDER BY candidate.url LIMIT 2),
       (SELECT count(*) FILTER (WHERE poll.outcome = ANY (%(forbidden)s::text[])) FROM ops.endpoint_poll poll
        WHERE poll.crawl_id = recent.crawl_id),
       (SELECT count(*) FROM ops.endpoint_poll poll WHERE poll.crawl_id = recent.crawl_id)
FROM core.outlet
CROSS JOIN LATERAL (
    SELECT crawl.* FROM (VALUES ('incremental', 5), ('window', 1)) AS modes (mode, most)
    CROSS JOIN LATERAL (
        SELECT * FROM ops.crawl
        WHERE crawl.outlet = outlet.outlet AND crawl.mode = modes.mode AND crawl.finished_at IS NOT NULL
          AND NOT COALESCE((crawl.stats ->> 'internal_failure')::boolean, false)
          -- A crawl that polled nothing because of a back-off says nothing new.
          AND crawl.finish_reason <> 'waiting'
        ORDER BY crawl.started_at DESC LIMIT modes.most
    ) crawl
) recent
WHERE %(outlets)s::text[] IS NULL OR outlet.outlet = ANY (%(outlets)s::text[])
ORDER BY recent.outlet, recent.started_at DESC;

-- name: publishing_pattern
-- Count articles by hour of the week (0 is Monday 00:00 to 01:00 UTC) over the last eight weeks of publication.
SELECT article.outlet,
       ((EXTRACT(isodow FROM extraction.date_published AT TIME ZONE 'UTC') - 1) * 24
        + EXTRACT(hour FROM extraction.date_published AT TIME ZONE 'UTC'))::integer AS hour_of_week,
       count(*) AS articles,
       min(extraction.date_published) AS first_at
FROM core.article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
                    AND extraction.extractor_id = article.extractor_id
WHERE extraction.date_published > %(now)s::timestamptz - interval '56 days' AND extraction.date_published <= %(now)s
  AND extraction.date_published_precision <> 'day' AND article.merged_into IS NULL
  AND (%(outlets)s::text[] IS NULL OR article.outlet = ANY (%(outlets)s::text[]))
GROUP BY article.outlet, hour_of_week;

-- name: fields
-- Return for each outlet how many of its latest articles have each field, and the share of the ones before them.
-- A text counts if it has a quarter of the words that the earlier ones usually have.
WITH numbered AS (
    SELECT outlet.outlet, latest.url, latest.place, extraction.headline IS NOT NULL AS headline,
           cardinality(extraction.authors) > 0 AS authors, extraction.date_published IS NOT NULL AS date_published,
           COALESCE(text.word_count, 0) AS words,
           cardinality(outlet.languages) = 0 OR extraction.in_language IS NULL
               OR EXISTS (SELECT 1 FROM unnest(outlet.languages) AS own (tag)
                          WHERE split_part(own.tag, '-', 1) = split_part(extraction.in_language, '-', 1)) AS language
    FROM core.outlet
    CROSS JOIN LATERAL (
        SELECT article.*, row_number() OVER (ORDER BY article.first_seen_at DESC, article.article_uid) AS place
        FROM (SELECT * FROM core.article WHERE article.outlet = outlet.outlet AND article.merged_into IS NULL
              ORDER BY article.first_seen_at DESC LIMIT 220) article
    ) latest
    JOIN core.extraction ON extraction.payload_hash = latest.payload_hash
                        AND extraction.extractor_id = latest.extractor_id
    LEFT JOIN core.text ON text.text_hash = extraction.text_hash
    WHERE %(outlets)s::text[] IS NULL OR outlet.outlet = ANY (%(outlets)s::text[])
), usual AS (
    SELECT numbered.outlet,
           COALESCE(percentile_cont(0.5) WITHIN GROUP (ORDER BY numbered.words) FILTER (WHERE numbered.place > 20),
                    percentile_cont(0.5) WITHIN GROUP (ORDER BY numbered.words)) AS words
    FROM numbered GROUP BY numbered.outlet
), flagged AS (
    SELECT numbered.*, numbered.words >= usual.words / 4 AS article_body
    FROM numbered JOIN usual USING (outlet)
)
SELECT flagged.outlet, field.name, latest.articles, count(*) FILTER (WHERE flagged.place <= latest.articles) AS found,
       count(*) FILTER (WHERE flagged.place <= latest.articles AND field.has) AS present,
       count(*) FILTER (WHERE flagged.place > latest.articles) AS articles_before,
       avg(field.has::integer) FILTER (WHERE flagged.place > latest.articles)::float AS before,
       (array_agg(flagged.url ORDER BY flagged.place)
        FILTER (WHERE flagged.place <= latest.articles AND NOT field.has))[1:2] AS examples
FROM flagged
CROSS JOIN LATERAL (VALUES ('text', flagged.article_body), ('headline', flagged.headline), ('authors', flagged.authors),
                           ('date_published', flagged.date_published), ('language', flagged.language))
    AS field (name, has)
CROSS JOIN unnest(%(windows)s::integer[]) AS latest (articles)
GROUP BY flagged.outlet, field.name, latest.articles
ORDER BY flagged.outlet, field.name, latest.articles;

-- name: set_health
-- Set the health of an outlet. `since` changes only when the state does.
INSERT INTO ops.health (outlet, state, reason, since, checked_at, last_new_article_at, failed_crawls, first_failed_at,
                        last_failed_at)
VALUES (%(outlet)s, %(state)s, %(reason)s, %(now)s, %(now)s, %(last_new_at)s, %(failed_crawls)s, %(first_failed_at)s,
        %(last_failed_at)s)
ON CONFLICT (outlet) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, checked_at = excluded.checked_at,
    last_new_article_at = excluded.last_new_article_at, failed_crawls = excluded.failed_crawls,
    first_failed_at = excluded.first_failed_at, last_failed_at = excluded.last_failed_at,
    since = CASE WHEN health.state = excluded.state THEN health.since ELSE excluded.since END;

-- name: read_health
-- Return the last known health of every outlet, and the end of its back-off.
SELECT health.outlet, health.state, health.reason, health.since, health.checked_at, health.last_new_article_at,
       health.failed_crawls, health.first_failed_at, health.last_failed_at, outlet.waiting_until
FROM ops.health JOIN mart.outlet_health outlet ON outlet.outlet = health.outlet
ORDER BY health.outlet;

-- name: open_alert
-- Open an alert, or refresh the open one with the same cause and outlet.
INSERT INTO ops.alert (alert_id, cause, outlet, message, opened_at, last_seen_at)
VALUES (gen_random_uuid(), %(cause)s, %(outlet)s, %(message)s, %(now)s, %(now)s)
ON CONFLICT (cause, COALESCE(outlet, '')) WHERE closed_at IS NULL
DO UPDATE SET last_seen_at = excluded.last_seen_at, message = excluded.message
RETURNING alert.alert_id, alert.opened_at, alert.notified_at;

-- name: close_alerts
-- Close alerts of the evaluated outlets whose (cause, outlet) isn't in the current list.
UPDATE ops.alert SET closed_at = %(now)s
WHERE alert.closed_at IS NULL AND alert.outlet = ANY (%(outlets)s::text[])
  AND NOT EXISTS (SELECT 1 FROM unnest(%(causes)s::text[], %(of)s::text[]) AS present (cause, outlet)
                  WHERE present.cause = alert.cause AND present.outlet = alert.outlet);

-- name: close_cause
-- Close the alert of a cause that concerns no single outlet.
UPDATE ops.alert SET closed_at = %(now)s WHERE closed_at IS NULL AND cause = %(cause)s AND outlet IS NULL;

-- name: notified
-- Record that these alerts were delivered.
UPDATE ops.alert SET notified_at = %(now)s WHERE alert_id = ANY (%(alerts)s::uuid[]);

-- name: alerts_over
-- List alerts that were delivered and are over, and whose end was not delivered yet.
SELECT alert_id, cause, outlet FROM ops.alert
WHERE closed_at IS NOT NULL AND notified_at IS NOT NULL AND over_notified_at IS NULL
ORDER BY closed_at, outlet;

-- name: over_notified
-- Record that the end of these alerts was delivered.
UPDATE ops.alert SET over_notified_at = %(now)s WHERE alert_id = ANY (%(alerts)s::uuid[]);

-- name: alerts
-- List open alerts with the mute that covers each, if any.
SELECT alert_id, cause, outlet, message, opened_at, last_seen_at, notified_at, muted_by IS NOT NULL AS muted,
       muted_until, mute_reference AS reference
FROM mart.alert
WHERE closed_at IS NULL
ORDER BY opened_at, outlet;

-- name: add_mute
-- Mute alerts of an outlet, a cause, or both.
INSERT INTO ops.alert_mute (mute_id, outlet, cause, until, reference, muted_by)
VALUES (gen_random_uuid(), %(outlet)s, %(cause)s, %(until)s, %(reference)s, %(by)s);

-- name: remove_mutes
-- Delete the mutes of an outlet, or with a null outlet those that cover all outlets.
DELETE FROM ops.alert_mute
WHERE outlet IS NOT DISTINCT FROM %(outlet)s AND (%(cause)s::text IS NULL OR cause = %(cause)s);

-- name: set_override
-- Pause, resume or retire an outlet.
INSERT INTO ops.outlet_override (outlet, state, reason, set_by, until)
VALUES (%(outlet)s, %(state)s, %(reason)s, %(by)s, %(until)s);

-- name: current_overrides
-- List outlets that are paused or retired now.
SELECT latest.outlet, latest.state, latest.reason, latest.set_by, latest.set_at, latest.until
FROM (
    SELECT DISTINCT ON (override.outlet) override.* FROM ops.outlet_override override
    ORDER BY override.outlet, override.set_at DESC
) latest
WHERE latest.state <> 'running' AND (latest.until IS NULL OR latest.until > %(now)s)
ORDER BY latest.outlet;

-- name: measure
-- Record the size of the database, the archive and the logs, one row per day.
INSERT INTO ops.storage_stats (measured_on, database_bytes, archive_bytes, log_bytes, articles)
SELECT (%(now)s::timestamptz AT TIME ZONE 'UTC')::date, pg_database_size(current_database()),
       (SELECT COALESCE(sum(length), 0) FROM core.archive_segment WHERE expired_at IS NULL), %(log_bytes)s,
       (SELECT count(*) FROM core.article)
ON CONFLICT (measured_on) DO UPDATE SET
    database_bytes = excluded.database_bytes, archive_bytes = excluded.archive_bytes, log_bytes = excluded.log_bytes,
    articles = excluded.articles;

-- name: storage_history
-- Return the sizes of the last 31 measured days, newest first.
SELECT measured_on, database_bytes, archive_bytes, log_bytes, articles FROM ops.storage_stats
ORDER BY measured_on DESC LIMIT 31;

-- name: reset_backoff_pages
-- After an internal failure, undo the back-off of pages that gave no response.
UPDATE ops.frontier SET failures = GREATEST(frontier.failures - 1, 0), next_due_at = now()
FROM ops.candidate
WHERE candidate.crawl_id = ANY (%(crawls)s::uuid[]) AND candidate.outcome = ANY (%(no_answer)s::text[])
  AND frontier.url_uid = candidate.url_uid;

-- name: reset_backoff_crawls
-- After an internal failure, mark the crawls so that they don't count for outlet health.
UPDATE ops.crawl SET stats = COALESCE(stats, '{}') || '{"internal_failure": true}'
WHERE crawl_id = ANY (%(crawls)s::uuid[]);

-- name: long_unreachable
-- Return outlets whose last five incremental crawls all failed.
SELECT recent.outlet FROM unnest(%(outlets)s::text[]) AS requested (outlet)
CROSS JOIN LATERAL (
    SELECT crawl.outlet, crawl.finish_reason FROM ops.crawl
    WHERE crawl.outlet = requested.outlet AND crawl.mode = 'incremental' AND crawl.finish_reason <> 'waiting'
    ORDER BY crawl.started_at DESC LIMIT 5
) recent
GROUP BY recent.outlet
HAVING count(*) = 5 AND bool_and(recent.finish_reason NOT IN ('finished', 'budget', 'stopped'));

-- name: reset_backoff_endpoints
-- After an internal failure, undo the back-off of endpoints that gave no response.
UPDATE ops.endpoint SET failures = GREATEST(endpoint.failures - 1, 0), next_poll_at = NULL,
    failure = CASE WHEN endpoint.failures > 1 THEN endpoint.failure END,
    failing_since = CASE WHEN endpoint.failures > 1 THEN endpoint.failing_since END
FROM ops.endpoint_poll poll
WHERE poll.crawl_id = ANY (%(crawls)s::uuid[]) AND poll.outcome = ANY (%(no_answer)s::text[])
  AND endpoint.endpoint_id = poll.endpoint_id;

-- name: count_days
-- Count the days of these outlets (null: all) again, from `since` on. Outlets without a row for yesterday get 35 days.
WITH wanted AS (
    SELECT outlet.outlet,
           CASE WHEN EXISTS (SELECT 1 FROM ops.outlet_day counted
                             WHERE counted.outlet = outlet.outlet
                               AND counted.day = (%(now)s::timestamptz AT TIME ZONE 'UTC')::date - 1)
                THEN %(since)s::date ELSE (%(now)s::timestamptz AT TIME ZONE 'UTC')::date - 34 END AS since
    FROM core.outlet
    WHERE %(outlets)s::text[] IS NULL OR outlet.outlet = ANY (%(outlets)s::text[])
), fresh AS (
    SELECT wanted.outlet, article.first_seen_at AT TIME ZONE 'UTC' AS seen, article.word_count,
           article.date_published, extraction.authors, extraction.extraction_confidence
    FROM wanted
    JOIN core.article ON article.outlet = wanted.outlet
        AND article.first_seen_at >= wanted.since::timestamp AT TIME ZONE 'UTC'
        AND article.merged_into IS NULL AND article.hidden_seq IS NULL
    JOIN core.extraction ON extraction.payload_hash = article.payload_hash
                        AND extraction.extractor_id = article.extractor_id
    WHERE NOT EXISTS (SELECT 1 FROM core.capture JOIN ops.crawl ON crawl.crawl_id = capture.crawl_id
                      WHERE capture.article_uid = article.article_uid
                        AND capture.observed_at = article.first_seen_at AND crawl.mode = 'window')
), articles AS (
    SELECT outlet, seen::date AS day, count(*) AS new_articles, count(date_published) AS with_date,
           count(*) FILTER (WHERE cardinality(authors) > 0) AS with_authors,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY word_count) AS median_words,
           avg(extraction_confidence) AS mean_confidence
    FROM fresh GROUP BY 1, 2
), hours AS (
    SELECT hourly.outlet, hourly.day, array_agg(hourly.articles ORDER BY hourly.hour) AS new_by_hour
    FROM (
        SELECT articles.outlet, articles.day, hour.hour, count(fresh.seen)::integer AS articles
        FROM articles
        CROSS JOIN generate_series(0, 23) AS hour (hour)
        LEFT JOIN fresh ON fresh.outlet = articles.outlet AND fresh.seen::date = articles.day
                       AND EXTRACT(hour FROM fresh.seen) = hour.hour
        GROUP BY 1, 2, 3
    ) hourly
    GROUP BY 1, 2
), crawls AS (
    SELECT wanted.outlet, (crawl.started_at AT TIME ZONE 'UTC')::date AS day, count(*) AS crawls,
           count(*) FILTER (WHERE crawl.finish_reason IN ('failed', 'killed', 'no_listing', 'refused')) AS failed_crawls
    FROM wanted
    JOIN ops.crawl ON crawl.outlet = wanted.outlet AND crawl.started_at >= wanted.since::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2
), pages AS (
    SELECT counted.outlet, counted.day, jsonb_object_agg(counted.outcome, counted.candidates) AS outcomes,
           COALESCE(sum(counted.candidates) FILTER (WHERE counted.class <> 'not_requested'), 0) AS requested,
           COALESCE(sum(counted.candidates) FILTER (WHERE counted.class = 'kept'), 0) AS kept
    FROM (
        SELECT wanted.outlet, (funnel.started_at AT TIME ZONE 'UTC')::date AS day, funnel.outcome, funnel.class,
               sum(funnel.candidates) AS candidates
        FROM wanted
        JOIN mart.crawl_funnel funnel ON funnel.outlet = wanted.outlet
            AND funnel.started_at >= wanted.since::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1, 2, 3, 4
    ) counted
    GROUP BY 1, 2
)
INSERT INTO ops.outlet_day AS known (outlet, day, new_articles, new_by_hour, with_date, with_authors, median_words,
                                     mean_confidence, crawls, failed_crawls, requested, kept, outcomes, counted_at)
SELECT wanted.outlet, each.day::date, COALESCE(articles.new_articles, 0),
       COALESCE(hours.new_by_hour, array_fill(0, ARRAY[24])), COALESCE(articles.with_date, 0),
       COALESCE(articles.with_authors, 0), articles.median_words, articles.mean_confidence, COALESCE(crawls.crawls, 0),
       COALESCE(crawls.failed_crawls, 0), COALESCE(pages.requested, 0), COALESCE(pages.kept, 0),
       COALESCE(pages.outcomes, '{}'), %(now)s
FROM wanted
CROSS JOIN generate_series(wanted.since, (%(now)s::timestamptz AT TIME ZONE 'UTC')::date, interval '1 day') AS each (day)
LEFT JOIN articles ON articles.outlet = wanted.outlet AND articles.day = each.day
LEFT JOIN hours ON hours.outlet = wanted.outlet AND hours.day = each.day
LEFT JOIN crawls ON crawls.outlet = wanted.outlet AND crawls.day = each.day
LEFT JOIN pages ON pages.outlet = wanted.outlet AND pages.day = each.day
ORDER BY wanted.outlet, each.day
ON CONFLICT (outlet, day) DO UPDATE SET
    new_articles = excluded.new_articles, new_by_hour = excluded.new_by_hour, with_date = excluded.with_date,
    with_authors = excluded.with_authors, median_words = excluded.median_words,
    mean_confidence = excluded.mean_confidence, crawls = excluded.crawls, failed_crawls = excluded.failed_crawls,
    requested = excluded.requested, kept = excluded.kept, outcomes = excluded.outcomes,
    counted_at = excluded.counted_at;
