-- Backfills: what was asked, planned, done.

-- name: coverage
-- Articles of an outlet by day of publication (UTC) within a time.
SELECT (a.date_published AT TIME ZONE 'UTC')::date AS day, count(*) AS articles
FROM mart.article a
WHERE a.outlet = %(outlet)s AND a.date_published >= %(since)s AND a.date_published < %(until)s
GROUP BY 1 ORDER BY 1;

-- name: unfinished
-- A backfill of the same things that was not brought to its end.
SELECT backfill_id FROM ops.backfill
WHERE state IN ('running', 'unfinished') AND outlets = %(outlets)s::text[] AND since = %(since)s AND until = %(until)s
  AND methods IS NOT DISTINCT FROM %(methods)s::text[] AND force_refetch = %(force_refetch)s
ORDER BY created_at DESC LIMIT 1;

-- name: add
INSERT INTO ops.backfill (backfill_id, outlets, since, until, methods, page_budget, force_refetch, state, requested_by,
                          dag_id, run_id, plan)
VALUES (%(backfill_id)s, %(outlets)s, %(since)s, %(until)s, %(methods)s, %(page_budget)s, %(force_refetch)s, %(state)s,
        %(requested_by)s, %(dag_id)s, %(run_id)s, %(plan)s)
ON CONFLICT (backfill_id) DO UPDATE SET plan = excluded.plan, state = excluded.state;

-- name: taken_up
-- An unfinished backfill goes on, for another run. What was planned stays, for the comparison of before and after;
-- outlets that could not be planned then are planned now.
UPDATE ops.backfill b SET state = 'running', dag_id = %(dag_id)s, run_id = %(run_id)s, finished_at = NULL,
    plan = (SELECT jsonb_object_agg(n.key, CASE WHEN b.plan -> n.key ->> 'error' IS NULL AND b.plan ? n.key
                                                THEN b.plan -> n.key ELSE n.value END)
            FROM jsonb_each(%(plan)s::jsonb) n)
WHERE b.backfill_id = %(backfill_id)s;

-- name: reopen
-- Parts that were done before their time was over.
UPDATE ops.backfill_chunk SET state = 'waiting', detail = 'went on after it was done', updated_at = now()
WHERE backfill_id = %(backfill_id)s AND state = 'done' AND until > updated_at;

-- name: covered
-- Whether a chunk that was done before covers these dates with these methods, by the outlet's file as it is now.
SELECT c.backfill_id FROM ops.backfill_chunk c
JOIN ops.backfill b ON b.backfill_id = c.backfill_id
JOIN ops.crawl_request q ON q.request_id = c.request_id
WHERE c.outlet = %(outlet)s AND c.state = 'done' AND c.since <= %(since)s AND c.until >= %(until)s
  AND c.until <= q.created_at  -- what was published after the chunk was begun is not covered
  AND q.config_hash = %(config_hash)s
  AND (b.methods IS NULL OR b.methods @> %(methods)s::text[])
LIMIT 1;

-- name: add_chunk
INSERT INTO ops.backfill_chunk (backfill_id, outlet, since, until, state, detail)
VALUES (%(backfill_id)s, %(outlet)s, %(since)s, %(until)s, %(state)s, %(detail)s)
ON CONFLICT DO NOTHING;

-- name: chunks
SELECT outlet, since, until, state, request_id, attempts, detail FROM ops.backfill_chunk
WHERE backfill_id = %(backfill_id)s
ORDER BY outlet, since;

-- name: update_chunk
UPDATE ops.backfill_chunk
SET state = %(state)s, request_id = COALESCE(%(request_id)s::uuid, request_id), detail = %(detail)s,
    attempts = attempts + CASE WHEN %(state)s = 'running' THEN 1 ELSE 0 END, updated_at = now()
WHERE backfill_id = %(backfill_id)s AND outlet = %(outlet)s AND since = %(since)s;

-- name: read
SELECT backfill_id, outlets, since, until, methods, page_budget, force_refetch, state, requested_by, created_at, finished_at,
       plan, report
FROM ops.backfill WHERE backfill_id = %(backfill_id)s;

-- name: list
SELECT b.backfill_id, b.outlets, b.since, b.until, b.state, b.requested_by, b.created_at,
       count(c.outlet) AS chunks, count(c.outlet) FILTER (WHERE c.state IN ('done', 'covered')) AS done
FROM ops.backfill b
LEFT JOIN ops.backfill_chunk c ON c.backfill_id = b.backfill_id
GROUP BY b.backfill_id
ORDER BY b.created_at DESC
LIMIT 50;

-- name: finish
UPDATE ops.backfill SET state = %(state)s, report = %(report)s, finished_at = now() WHERE backfill_id = %(backfill_id)s;

-- name: outcomes
-- How the candidates of a backfill's crawls ended, by outlet.
SELECT w.outlet, f.outcome, sum(f.candidates)::bigint
FROM ops.backfill_chunk k
JOIN ops.crawl w ON w.request_id = k.request_id
JOIN mart.crawl_funnel f ON f.crawl_id = w.crawl_id
WHERE k.backfill_id = %(backfill_id)s
GROUP BY w.outlet, f.outcome;

-- name: requests
SELECT w.outlet, sum(w.requests)::bigint
FROM ops.backfill_chunk k JOIN ops.crawl w ON w.request_id = k.request_id
WHERE k.backfill_id = %(backfill_id)s
GROUP BY w.outlet;

-- name: left_open
-- What a chunk's last crawl left for lack of budget, or was cut off from; pages and listings that gave no answer.
SELECT w.finish_reason, w.error,
       COALESCE(sum(f.candidates) FILTER (WHERE f.outcome IN ('budget_exhausted', 'interrupted')), 0),
       COALESCE(sum(f.candidates) FILTER (WHERE f.outcome = ANY (%(no_answer)s::text[])), 0),
       (SELECT count(*) FROM ops.endpoint_poll p
        WHERE p.crawl_id = w.crawl_id AND (p.outcome = ANY (%(no_answer)s::text[])
                                           OR p.http_status = 429 OR p.http_status >= 500))
FROM ops.crawl w
LEFT JOIN mart.crawl_funnel f ON f.crawl_id = w.crawl_id
WHERE w.crawl_id = (SELECT crawl_id FROM ops.crawl WHERE request_id = %(request_id)s ORDER BY started_at DESC LIMIT 1)
GROUP BY w.crawl_id, w.finish_reason, w.error;

-- name: for_run
-- The backfill that a run of the DAG planned or took up.
SELECT backfill_id, state FROM ops.backfill
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
ORDER BY created_at DESC LIMIT 1;

-- name: remember_task
-- Which mapped task crawls a chunk; each attempt is a request of its own.
UPDATE ops.crawl_request q SET dag_id = %(dag_id)s, run_id = %(run_id)s, map_index = %(map_index)s,
    chunk = %(chunk)s || ' ' || (SELECT count(*) FROM ops.crawl_request o
                                 WHERE o.dag_id = %(dag_id)s AND o.run_id = %(run_id)s AND o.outlet = q.outlet)
WHERE q.request_id = %(request_id)s;
