-- Backfills: requests, chunks, plans and reports.

-- name: coverage
-- Count the articles of an outlet by day of publication (UTC) within an interval.
SELECT (date_published AT TIME ZONE 'UTC')::date AS day, count(*) AS articles
FROM mart.article
WHERE outlet = %(outlet)s AND date_published >= %(since)s AND date_published < %(until)s
GROUP BY 1 ORDER BY 1;

-- name: unfinished
-- Find the latest unfinished backfill with the same outlets, interval and options.
SELECT backfill_id FROM ops.backfill
WHERE state IN ('running', 'unfinished') AND outlets = %(outlets)s::text[] AND since = %(since)s AND until = %(until)s
  AND methods IS NOT DISTINCT FROM %(methods)s::text[] AND force_refetch = %(force_refetch)s
ORDER BY created_at DESC LIMIT 1;

-- name: add
-- Add a backfill, or update the plan and state of one that exists.
INSERT INTO ops.backfill (backfill_id, outlets, since, until, methods, page_budget, force_refetch, state, requested_by,
                          dag_id, run_id, plan)
VALUES (%(backfill_id)s, %(outlets)s, %(since)s, %(until)s, %(methods)s, %(page_budget)s, %(force_refetch)s, %(state)s,
        %(requested_by)s, %(dag_id)s, %(run_id)s, %(plan)s)
ON CONFLICT (backfill_id) DO UPDATE SET plan = excluded.plan, state = excluded.state;

-- name: taken_up
-- Resume an unfinished backfill in another run.
-- The old plan is kept for the comparison of before and after. Outlets whose planning failed get the new plan.
UPDATE ops.backfill SET state = 'running', dag_id = %(dag_id)s, run_id = %(run_id)s, finished_at = NULL,
    plan = (SELECT jsonb_object_agg(n.key, CASE WHEN plan -> n.key ->> 'error' IS NULL AND plan ? n.key
                                                THEN plan -> n.key ELSE n.value END)
            FROM jsonb_each(%(plan)s::jsonb) n)
WHERE backfill_id = %(backfill_id)s;

-- name: reopen
-- Reopen chunks that were done before their interval ended.
UPDATE ops.backfill_chunk SET state = 'waiting', detail = 'reopened: it was done before its interval ended',
    updated_at = now()
WHERE backfill_id = %(backfill_id)s AND state = 'done' AND until > updated_at;

-- name: covered
-- Find a chunk that already covers this interval with these methods under the outlet's current file.
SELECT chunk.backfill_id FROM ops.backfill_chunk chunk
JOIN ops.backfill ON backfill.backfill_id = chunk.backfill_id
JOIN ops.crawl_request request ON request.request_id = chunk.request_id
WHERE chunk.outlet = %(outlet)s AND chunk.state = 'done' AND chunk.since <= %(since)s AND chunk.until >= %(until)s
  AND chunk.until <= request.created_at  -- articles published after the chunk started are not covered
  AND request.config_hash = %(config_hash)s
  AND (backfill.methods IS NULL OR backfill.methods @> %(methods)s::text[])
LIMIT 1;

-- name: add_chunk
-- Add a chunk unless it exists.
INSERT INTO ops.backfill_chunk (backfill_id, outlet, since, until, state, detail)
VALUES (%(backfill_id)s, %(outlet)s, %(since)s, %(until)s, %(state)s, %(detail)s)
ON CONFLICT DO NOTHING;

-- name: chunks
-- List the chunks of a backfill.
SELECT outlet, since, until, state, request_id, attempts, detail FROM ops.backfill_chunk
WHERE backfill_id = %(backfill_id)s
ORDER BY outlet, since;

-- name: update_chunk
-- Set the state of a chunk. Each start counts as an attempt.
UPDATE ops.backfill_chunk
SET state = %(state)s, request_id = COALESCE(%(request_id)s::uuid, request_id), detail = %(detail)s,
    attempts = attempts + CASE WHEN %(state)s = 'running' THEN 1 ELSE 0 END, updated_at = now()
WHERE backfill_id = %(backfill_id)s AND outlet = %(outlet)s AND since = %(since)s;

-- name: read
-- Read one backfill.
SELECT backfill_id, outlets, since, until, methods, page_budget, force_refetch, state, requested_by,
       created_at, finished_at, plan, report
FROM ops.backfill WHERE backfill_id = %(backfill_id)s;

-- name: list
-- List the latest backfills with the number of their chunks and of those done.
SELECT backfill_id, outlets, since, until, state, requested_by, created_at, chunks, done
FROM mart.backfill
ORDER BY created_at DESC
LIMIT 50;

-- name: finish
-- Record the end of a backfill with its report.
UPDATE ops.backfill SET state = %(state)s, report = %(report)s, finished_at = now() WHERE backfill_id = %(backfill_id)s;

-- name: outcomes
-- Count the candidates of a backfill's crawls by outlet and outcome.
SELECT crawl.outlet, funnel.outcome, sum(funnel.candidates)::bigint
FROM ops.backfill_chunk chunk
JOIN ops.crawl ON crawl.request_id = chunk.request_id
JOIN mart.crawl_funnel funnel ON funnel.crawl_id = crawl.crawl_id
WHERE chunk.backfill_id = %(backfill_id)s
GROUP BY crawl.outlet, funnel.outcome;

-- name: requests
-- Count the HTTP requests of a backfill by outlet.
SELECT crawl.outlet, sum(crawl.requests)::bigint
FROM ops.backfill_chunk chunk JOIN ops.crawl ON crawl.request_id = chunk.request_id
WHERE chunk.backfill_id = %(backfill_id)s
GROUP BY crawl.outlet;

-- name: left_open
-- Count what a chunk's last crawl left open: candidates over budget or interrupted, pages and polls without a response.
SELECT crawl.finish_reason, crawl.error,
       COALESCE(sum(funnel.candidates) FILTER (WHERE funnel.outcome IN ('budget_exhausted', 'interrupted')), 0),
       COALESCE(sum(funnel.candidates) FILTER (WHERE funnel.outcome = ANY (%(no_answer)s::text[])), 0),
       (SELECT count(*) FROM ops.endpoint_poll poll
        WHERE poll.crawl_id = crawl.crawl_id
          AND (poll.outcome = ANY (%(no_answer)s::text[]) OR poll.http_status = 429 OR poll.http_status >= 500))
FROM ops.crawl
LEFT JOIN mart.crawl_funnel funnel ON funnel.crawl_id = crawl.crawl_id
WHERE crawl.crawl_id = (SELECT last_crawl.crawl_id FROM ops.crawl last_crawl
                        WHERE last_crawl.request_id = %(request_id)s ORDER BY last_crawl.started_at DESC LIMIT 1)
GROUP BY crawl.crawl_id, crawl.finish_reason, crawl.error;

-- name: for_run
-- Find the backfill that a DAG run planned or resumed.
SELECT backfill_id, state FROM ops.backfill
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
ORDER BY created_at DESC LIMIT 1;

-- name: remember_task
-- Record which mapped task crawls a chunk. Every attempt has its own crawl request.
UPDATE ops.crawl_request request SET dag_id = %(dag_id)s, run_id = %(run_id)s, map_index = %(map_index)s,
    chunk = %(chunk)s || ' ' || (SELECT count(*) FROM ops.crawl_request earlier
                                 WHERE earlier.dag_id = %(dag_id)s AND earlier.run_id = %(run_id)s
                                   AND earlier.outlet = request.outlet)
WHERE request.request_id = %(request_id)s;
