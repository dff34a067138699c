-- What was planned, and what came of it.

-- name: planned
-- Each of these requests, or of those of a run of a DAG, with its last crawl and what is not loaded of it.
SELECT q.outlet, q.request_id, w.crawl_id, w.finish_reason, w.error, w.candidates, w.requests, w.ledger_ok,
       COALESCE((SELECT jsonb_object_agg(f.outcome, f.candidates ORDER BY f.outcome)
                 FROM mart.crawl_funnel f WHERE f.crawl_id = w.crawl_id), '{}') AS outcomes,
       (SELECT count(*) FROM ops.segment s JOIN ops.crawl c ON c.crawl_id = s.crawl_id
        WHERE c.request_id = q.request_id AND s.state <> 'loaded') AS not_loaded,
       -- A listing that came and named nothing; one that has not changed, or that rests, is no silence.
       EXISTS (SELECT 1 FROM ops.endpoint_poll p WHERE p.crawl_id = w.crawl_id AND p.outcome = 'listed')
       AND NOT EXISTS (SELECT 1 FROM ops.endpoint_poll p WHERE p.crawl_id = w.crawl_id AND p.outcome = 'not_modified')
           AS listed_nothing
FROM ops.crawl_request q
LEFT JOIN LATERAL (
    SELECT m.* FROM mart.crawl m
    JOIN ops.crawl c ON c.crawl_id = m.crawl_id
    WHERE c.request_id = q.request_id
    ORDER BY m.started_at DESC LIMIT 1
) w ON true
WHERE q.request_id = ANY (%(requests)s::uuid[]) OR (q.dag_id = %(dag_id)s AND q.run_id = %(run_id)s)
ORDER BY q.outlet;

-- name: remember_task
-- Which mapped task crawls these requests.
UPDATE ops.crawl_request SET map_index = %(map_index)s WHERE request_id = ANY (%(requests)s::uuid[]);
