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
