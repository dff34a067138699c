-- Crawl requests of a run and their results.

-- name: planned
-- Return the given requests, or those of a DAG run, with their last crawl and the number of segments not loaded.
SELECT request.outlet, request.request_id, last_crawl.crawl_id, last_crawl.finish_reason, last_crawl.error,
       last_crawl.candidates, last_crawl.requests, last_crawl.ledger_ok,
       COALESCE((SELECT jsonb_object_agg(funnel.outcome, funnel.candidates ORDER BY funnel.outcome)
                 FROM mart.crawl_funnel funnel WHERE funnel.crawl_id = last_crawl.crawl_id), '{}') AS outcomes,
       (SELECT count(*) FROM ops.segment JOIN ops.crawl ON crawl.crawl_id = segment.crawl_id
        WHERE crawl.request_id = request.request_id AND segment.state <> 'loaded') AS not_loaded,
       -- A listing was fetched and had no entries. A listing that is unmodified or not due doesn't count as empty.
       EXISTS (SELECT 1 FROM ops.endpoint_poll poll
               WHERE poll.crawl_id = last_crawl.crawl_id AND poll.outcome = 'listed')
       AND NOT EXISTS (SELECT 1 FROM ops.endpoint_poll poll
                       WHERE poll.crawl_id = last_crawl.crawl_id AND poll.outcome = 'not_modified')
           AS listed_nothing
FROM ops.crawl_request request
LEFT JOIN LATERAL (
    SELECT shown.* FROM mart.crawl shown
    JOIN ops.crawl ON crawl.crawl_id = shown.crawl_id
    WHERE crawl.request_id = request.request_id
    ORDER BY shown.started_at DESC LIMIT 1
) last_crawl ON true
WHERE request.request_id = ANY (%(requests)s::uuid[])
   OR (request.dag_id = %(dag_id)s AND request.run_id = %(run_id)s)
ORDER BY request.outlet;

-- name: remember_task
-- Record which mapped task crawls these requests.
UPDATE ops.crawl_request SET map_index = %(map_index)s WHERE request_id = ANY (%(requests)s::uuid[]);
