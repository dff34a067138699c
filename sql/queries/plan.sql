-- Crawl requests of a run and their results.

-- name: planned
-- Return the given requests, or those of a DAG run, with their last crawl and the number of segments not loaded.
SELECT request.outlet, outlet.tier, request.request_id, last_crawl.crawl_id, last_crawl.finish_reason, last_crawl.error,
       last_crawl.candidates, last_crawl.requests, last_crawl.ledger_ok,
       COALESCE((SELECT jsonb_object_agg(funnel.outcome, funnel.candidates ORDER BY funnel.outcome)
                 FROM mart.crawl_funnel funnel WHERE funnel.crawl_id = last_crawl.crawl_id), '{}') AS outcomes,
       (SELECT count(*) FROM ops.segment JOIN ops.crawl ON crawl.crawl_id = segment.crawl_id
        WHERE crawl.request_id = request.request_id AND segment.state <> 'loaded') AS not_loaded,
       -- A listing was fetched and had no entries. A listing that is unmodified or not due doesn't count as empty.
       COALESCE(polled.listed > 0 AND polled.unchanged = 0, false) AS listed_nothing,
       COALESCE(polled.listed, 0) AS listed, COALESCE(polled.unchanged, 0) AS unchanged,
       CASE WHEN last_crawl.finish_reason = 'waiting' THEN
           (SELECT min(endpoint.next_poll_at) FROM ops.endpoint
            WHERE endpoint.outlet = request.outlet AND endpoint.configured) END AS waiting_until
FROM ops.crawl_request request
JOIN core.outlet ON outlet.outlet = request.outlet
LEFT JOIN LATERAL (
    SELECT shown.* FROM mart.crawl shown
    JOIN ops.crawl ON crawl.crawl_id = shown.crawl_id
    WHERE crawl.request_id = request.request_id
    ORDER BY shown.started_at DESC LIMIT 1
) last_crawl ON true
LEFT JOIN mart.crawl_summary polled ON polled.crawl_id = last_crawl.crawl_id
WHERE request.request_id = ANY (%(requests)s::uuid[])
   OR (request.dag_id = %(dag_id)s AND request.run_id = %(run_id)s)
ORDER BY request.outlet;

-- name: ended
-- Return the outlets of a DAG run with their tiers and the finish reason of their last crawl, null while it runs.
SELECT request.outlet, outlet.tier, last_crawl.finish_reason
FROM ops.crawl_request request
JOIN core.outlet ON outlet.outlet = request.outlet
LEFT JOIN LATERAL (
    SELECT crawl.finish_reason FROM ops.crawl
    WHERE crawl.request_id = request.request_id ORDER BY crawl.started_at DESC LIMIT 1
) last_crawl ON true
WHERE request.dag_id = %(dag_id)s AND request.run_id = %(run_id)s
ORDER BY request.outlet;

-- name: remember_task
-- Record which mapped task crawls these requests.
UPDATE ops.crawl_request SET map_index = %(map_index)s WHERE request_id = ANY (%(requests)s::uuid[]);

-- name: unfinished_runs
-- List the outlets that other runs of a DAG have planned within a day and whose crawls have not ended, with their runs.
SELECT request.outlet, request.run_id
FROM ops.crawl_request request
WHERE request.dag_id = %(dag_id)s AND request.run_id <> %(run_id)s AND request.mode = 'incremental'
  AND request.created_at > now() - interval '1 day'
  AND NOT EXISTS (SELECT 1 FROM ops.crawl
                  WHERE crawl.request_id = request.request_id AND crawl.finished_at IS NOT NULL);

-- name: retries_due
-- List outlets whose last scheduled crawl got no listing and whose back-off has ended.
SELECT outlet.outlet
FROM core.outlet
CROSS JOIN LATERAL (
    SELECT crawl.finish_reason FROM ops.crawl
    WHERE crawl.outlet = outlet.outlet AND crawl.mode = 'incremental' AND crawl.finish_reason <> 'waiting'
    ORDER BY crawl.started_at DESC LIMIT 1
) last_crawl
WHERE last_crawl.finish_reason = 'no_listing'
  AND EXISTS (SELECT 1 FROM ops.endpoint
              WHERE endpoint.outlet = outlet.outlet AND endpoint.configured AND endpoint.failures > 0
                AND endpoint.next_poll_at <= now());
