CREATE VIEW mart.backfill AS
SELECT backfill.backfill_id, backfill.outlets, backfill.since, backfill.until, backfill.methods,
       CASE WHEN backfill.state = 'running' AND progress.last_changed_at < now() - interval '5 minutes'
                 AND NOT EXISTS (SELECT 1 FROM ops.lock
                                 WHERE starts_with(lock.name, 'pressmark backfill ' || backfill.backfill_id)
                                   AND ops.is_held(lock))
            THEN 'interrupted' ELSE backfill.state END AS state,
       backfill.requested_by, backfill.dag_id, backfill.run_id, backfill.created_at,
       backfill.finished_at, backfill.plan, backfill.report, progress.chunks, progress.done, progress.failed,
       backfill.force_refetch, backfill.page_budget
FROM ops.backfill
LEFT JOIN LATERAL (
    SELECT count(*) AS chunks, count(*) FILTER (WHERE chunk.state IN ('done', 'covered')) AS done,
           count(*) FILTER (WHERE chunk.state IN ('failed', 'partial')) AS failed,
           GREATEST(max(chunk.updated_at), backfill.created_at) AS last_changed_at
    FROM ops.backfill_chunk chunk WHERE chunk.backfill_id = backfill.backfill_id
) progress ON true;

COMMENT ON VIEW mart.backfill IS 'Backfills: request, plan and progress.';
COMMENT ON COLUMN mart.backfill.backfill_id IS 'Key.';
COMMENT ON COLUMN mart.backfill.outlets IS 'Outlets to backfill.';
COMMENT ON COLUMN mart.backfill.since IS 'Start of the publication dates, inclusive.';
COMMENT ON COLUMN mart.backfill.until IS 'End of the publication dates, exclusive.';
COMMENT ON COLUMN mart.backfill.methods IS 'Discovery methods; null for all methods that reach the past.';
COMMENT ON COLUMN mart.backfill.state IS 'dry_run, running, interrupted (no process has worked on it for five minutes), done, unfinished or refused.';
COMMENT ON COLUMN mart.backfill.requested_by IS 'Person or DAG that requested the backfill.';
COMMENT ON COLUMN mart.backfill.dag_id IS 'DAG that last ran the backfill.';
COMMENT ON COLUMN mart.backfill.run_id IS 'Last DAG run.';
COMMENT ON COLUMN mart.backfill.created_at IS 'When the backfill was requested.';
COMMENT ON COLUMN mart.backfill.finished_at IS 'When the last run ended.';
COMMENT ON COLUMN mart.backfill.plan IS 'Per outlet: known, discoverable and missing articles (also per day), requests and seconds.';
COMMENT ON COLUMN mart.backfill.report IS 'Per outlet: coverage before and after, outcomes and requests.';
COMMENT ON COLUMN mart.backfill.chunks IS 'Number of chunks.';
COMMENT ON COLUMN mart.backfill.done IS 'Number of chunks that are done or covered.';
COMMENT ON COLUMN mart.backfill.failed IS 'Number of chunks that failed or are partial.';
COMMENT ON COLUMN mart.backfill.force_refetch IS 'Whether known pages are fetched again.';
COMMENT ON COLUMN mart.backfill.page_budget IS 'Maximum number of pages per chunk; null for the outlet''s own budget.';
