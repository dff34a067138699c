-- Health: how each outlet fares beside its own past; alerts, silences, switches, sizes.

-- name: outlet_stats
-- Each outlet with what its last crawls and its past say.
SELECT o.outlet, o.tier, o.enabled,
       COALESCE(s.state, 'running') AS override_state, s.reason AS override_reason, s.set_at,
       n.last_new_at, n.articles,
       CASE WHEN h.state = 'blocked' THEN h.reason END AS was_blocked
FROM core.outlet o
LEFT JOIN LATERAL (
    SELECT w.state, w.reason, w.set_at, w.until FROM ops.outlet_override w
    WHERE w.outlet = o.outlet AND w.set_at <= %(now)s
    ORDER BY w.set_at DESC LIMIT 1
) s ON s.until IS NULL OR s.until > %(now)s
LEFT JOIN LATERAL (
    -- What a backfill brought is no sign of life.
    SELECT (SELECT a.first_seen_at FROM core.article a
            WHERE a.outlet = o.outlet AND a.merged_into IS NULL
              AND NOT EXISTS (SELECT 1 FROM core.capture v JOIN ops.crawl c ON c.crawl_id = v.crawl_id
                              WHERE v.article_uid = a.article_uid AND v.observed_at = a.first_seen_at AND c.mode = 'window')
            ORDER BY a.first_seen_at DESC LIMIT 1) AS last_new_at,
           (SELECT count(*) FROM core.article a WHERE a.outlet = o.outlet AND a.merged_into IS NULL) AS articles
) n ON true
LEFT JOIN ops.health h ON h.outlet = o.outlet
WHERE %(outlets)s::text[] IS NULL OR o.outlet = ANY (%(outlets)s::text[])
ORDER BY o.outlet;

-- name: last_crawls
-- The last incremental crawls of each outlet and the last of a backfill, with how their candidates ended, newest first.
SELECT w.outlet, w.started_at, w.finish_reason, w.error, w.requests,
       COALESCE((SELECT jsonb_object_agg(f.outcome, f.candidates) FROM mart.crawl_funnel f WHERE f.crawl_id = w.crawl_id), '{}'),
       (SELECT COALESCE(sum(p.entries), 0) FROM ops.endpoint_poll p WHERE p.crawl_id = w.crawl_id),
       (SELECT count(*) FILTER (WHERE p.outcome IN ('listed', 'not_modified')) FROM ops.endpoint_poll p
        WHERE p.crawl_id = w.crawl_id),
       w.mode
FROM core.outlet o
CROSS JOIN LATERAL (
    SELECT c.* FROM (VALUES ('incremental', 5), ('window', 1)) AS m (mode, most)
    CROSS JOIN LATERAL (
        SELECT * FROM ops.crawl c
        WHERE c.outlet = o.outlet AND c.mode = m.mode AND c.finished_at IS NOT NULL
          AND NOT COALESCE((c.stats ->> 'internal_failure')::boolean, false)
        ORDER BY c.started_at DESC LIMIT m.most
    ) c
) w
WHERE %(outlets)s::text[] IS NULL OR o.outlet = ANY (%(outlets)s::text[])
ORDER BY w.outlet, w.started_at DESC;

-- name: publishing_pattern
-- Articles by hour of the week (0: Monday 0 to 1 UTC) over the last eight weeks of publication, and how many weeks that is.
SELECT a.outlet,
       ((EXTRACT(isodow FROM x.date_published AT TIME ZONE 'UTC') - 1) * 24
        + EXTRACT(hour FROM x.date_published AT TIME ZONE 'UTC'))::integer AS hour_of_week,
       count(*) AS articles,
       min(x.date_published) AS first_at
FROM core.article a
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
WHERE x.date_published > %(now)s::timestamptz - interval '56 days' AND x.date_published <= %(now)s
  AND x.date_published_precision <> 'day' AND a.merged_into IS NULL
  AND (%(outlets)s::text[] IS NULL OR a.outlet = ANY (%(outlets)s::text[]))
GROUP BY a.outlet, hour_of_week;

-- name: fields
-- Share of the articles with a field, of the last 20 first seen and of the 200 before them.
SELECT r.outlet, r.recent, count(*) AS articles,
       avg((r.headline IS NOT NULL)::integer)::float AS headline,
       avg((cardinality(r.authors) > 0)::integer)::float AS authors,
       avg((r.date_published IS NOT NULL)::integer)::float AS date_published,
       avg((r.word_count >= 50)::integer)::float AS article_body
FROM (
    SELECT o.outlet, a.headline, a.authors, a.date_published, a.word_count, a.place <= 20 AS recent
    FROM core.outlet o
    CROSS JOIN LATERAL (
        SELECT x.headline, x.authors, x.date_published, t.word_count,
               row_number() OVER (ORDER BY b.first_seen_at DESC, b.article_uid) AS place
        FROM (SELECT * FROM core.article n WHERE n.outlet = o.outlet AND n.merged_into IS NULL
              ORDER BY n.first_seen_at DESC LIMIT 220) b
        JOIN core.extraction x ON x.payload_hash = b.payload_hash AND x.extractor_id = b.extractor_id
        LEFT JOIN core.text t ON t.text_hash = x.text_hash
    ) a
    WHERE %(outlets)s::text[] IS NULL OR o.outlet = ANY (%(outlets)s::text[])
) r
GROUP BY r.outlet, r.recent;

-- name: set_health
INSERT INTO ops.health AS h (outlet, state, reason, since, checked_at)
VALUES (%(outlet)s, %(state)s, %(reason)s, %(now)s, %(now)s)
ON CONFLICT (outlet) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, checked_at = excluded.checked_at,
    since = CASE WHEN h.state = excluded.state THEN h.since ELSE excluded.since END;

-- name: read_health
SELECT h.outlet, h.state, h.reason, h.since, h.checked_at FROM ops.health h ORDER BY h.outlet;

-- name: open_alert
-- One a cause, as long as it lasts; gives its id where it is new.
INSERT INTO ops.alert AS a (alert_id, cause, outlet, message, opened_at, last_seen_at)
VALUES (gen_random_uuid(), %(cause)s, %(outlet)s, %(message)s, %(now)s, %(now)s)
ON CONFLICT (cause, COALESCE(outlet, '')) WHERE closed_at IS NULL
DO UPDATE SET last_seen_at = excluded.last_seen_at, message = excluded.message
RETURNING a.alert_id, a.opened_at, a.notified_at;

-- name: close_alerts
-- Alerts whose cause is over: those of the outlets looked at that are not in the list of (cause, outlet) seen now.
UPDATE ops.alert a SET closed_at = %(now)s
WHERE a.closed_at IS NULL AND a.outlet = ANY (%(outlets)s::text[])
  AND NOT EXISTS (SELECT 1 FROM unnest(%(causes)s::text[], %(of)s::text[]) AS s (cause, outlet)
                  WHERE s.cause = a.cause AND s.outlet = a.outlet)
RETURNING a.alert_id, a.cause, a.outlet;

-- name: close_cause
UPDATE ops.alert SET closed_at = %(now)s WHERE closed_at IS NULL AND cause = %(cause)s AND outlet IS NULL;

-- name: notified
UPDATE ops.alert SET notified_at = %(now)s WHERE alert_id = ANY (%(alerts)s::uuid[]);

-- name: alerts
-- Open alerts, with whether a silence covers them.
SELECT a.alert_id, a.cause, a.outlet, a.message, a.opened_at, a.last_seen_at, a.notified_at, s.muted_by IS NOT NULL AS muted,
       s.until AS muted_until, s.reference
FROM ops.alert a
LEFT JOIN LATERAL (
    SELECT q.muted_by, q.until, q.reference FROM ops.alert_mute q
    WHERE (q.outlet IS NULL OR q.outlet = a.outlet) AND (q.cause IS NULL OR q.cause = a.cause)
      AND (q.until IS NULL OR q.until > %(now)s)
    ORDER BY q.until DESC NULLS FIRST LIMIT 1
) s ON true
WHERE a.closed_at IS NULL
ORDER BY a.opened_at, a.outlet;

-- name: add_mute
INSERT INTO ops.alert_mute (mute_id, outlet, cause, until, reference, muted_by)
VALUES (gen_random_uuid(), %(outlet)s, %(cause)s, %(until)s, %(reference)s, %(by)s);

-- name: remove_mutes
-- Those of an outlet, or (null) those that are of no outlet alone.
DELETE FROM ops.alert_mute WHERE outlet IS NOT DISTINCT FROM %(outlet)s AND (%(cause)s::text IS NULL OR cause = %(cause)s);

-- name: set_override
INSERT INTO ops.outlet_override (outlet, state, reason, set_by, until)
VALUES (%(outlet)s, %(state)s, %(reason)s, %(by)s, %(until)s);

-- name: current_overrides
-- Outlets that are paused or retired now.
SELECT s.outlet, s.state, s.reason, s.set_by, s.set_at, s.until
FROM (
    SELECT DISTINCT ON (w.outlet) w.* FROM ops.outlet_override w ORDER BY w.outlet, w.set_at DESC
) s
WHERE s.state <> 'running' AND (s.until IS NULL OR s.until > %(now)s)
ORDER BY s.outlet;

-- name: measure
-- How large everything is, once a day.
INSERT INTO ops.storage_stats (measured_on, database_bytes, archive_bytes, log_bytes, articles)
SELECT (%(now)s::timestamptz AT TIME ZONE 'UTC')::date, pg_database_size(current_database()),
       (SELECT COALESCE(sum(length), 0) FROM core.archive_segment WHERE expired_at IS NULL), %(log_bytes)s,
       (SELECT count(*) FROM core.article)
ON CONFLICT (measured_on) DO UPDATE SET
    database_bytes = excluded.database_bytes, archive_bytes = excluded.archive_bytes, log_bytes = excluded.log_bytes,
    articles = excluded.articles;

-- name: storage_history
SELECT measured_on, database_bytes, archive_bytes, log_bytes, articles FROM ops.storage_stats
ORDER BY measured_on DESC LIMIT 31;

-- name: reset_backoff_pages
-- What failed because of us does not count against pages: they are due as before.
UPDATE ops.frontier f SET failures = GREATEST(f.failures - 1, 0), next_due_at = now()
FROM ops.candidate c
WHERE c.crawl_id = ANY (%(crawls)s::uuid[]) AND c.outcome = ANY (%(no_answer)s::text[])
  AND f.url_uid = c.url_uid;

-- name: reset_backoff_crawls
-- Nor against outlets: such a crawl says nothing of their health.
UPDATE ops.crawl SET stats = COALESCE(stats, '{}') || '{"internal_failure": true}' WHERE crawl_id = ANY (%(crawls)s::uuid[]);

-- name: long_unreachable
-- Outlets of which five crawls in a row failed.
SELECT w.outlet FROM unnest(%(outlets)s::text[]) AS n (outlet)
CROSS JOIN LATERAL (
    SELECT c.outlet, c.finish_reason FROM ops.crawl c
    WHERE c.outlet = n.outlet AND c.mode = 'incremental' AND c.finished_at IS NOT NULL
    ORDER BY c.started_at DESC LIMIT 5
) w
GROUP BY w.outlet
HAVING count(*) = 5 AND bool_and(w.finish_reason NOT IN ('finished', 'budget', 'stopped'));

-- name: reset_backoff_endpoints
UPDATE ops.endpoint e SET failures = GREATEST(e.failures - 1, 0), next_poll_at = NULL
FROM ops.endpoint_poll p
WHERE p.crawl_id = ANY (%(crawls)s::uuid[]) AND p.outcome = ANY (%(no_answer)s::text[])
  AND e.endpoint_id = p.endpoint_id;
