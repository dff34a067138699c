CREATE VIEW mart.backfill AS
SELECT b.backfill_id, b.outlets, b.since, b.until, b.methods, b.state, b.requested_by, b.dag_id, b.run_id, b.created_at,
       b.finished_at, b.plan, b.report, c.chunks, c.done, c.failed
FROM ops.backfill b
LEFT JOIN LATERAL (
    SELECT count(*) AS chunks, count(*) FILTER (WHERE k.state IN ('done', 'covered')) AS done,
           count(*) FILTER (WHERE k.state IN ('failed', 'partial')) AS failed
    FROM ops.backfill_chunk k WHERE k.backfill_id = b.backfill_id
) c ON true;

COMMENT ON VIEW mart.backfill IS 'Backfills: what was asked for, planned, done.';
COMMENT ON COLUMN mart.backfill.backfill_id IS 'Key.';
COMMENT ON COLUMN mart.backfill.outlets IS 'Outlets.';
COMMENT ON COLUMN mart.backfill.since IS 'Begin of the dates of publication.';
COMMENT ON COLUMN mart.backfill.until IS 'End, excluded.';
COMMENT ON COLUMN mart.backfill.methods IS 'Discovery methods; null for all that reach the past.';
COMMENT ON COLUMN mart.backfill.state IS 'dry_run, running, done or unfinished.';
COMMENT ON COLUMN mart.backfill.requested_by IS 'Who asked.';
COMMENT ON COLUMN mart.backfill.dag_id IS 'DAG that ran it last.';
COMMENT ON COLUMN mart.backfill.run_id IS 'Its run.';
COMMENT ON COLUMN mart.backfill.created_at IS 'When it was asked for.';
COMMENT ON COLUMN mart.backfill.finished_at IS 'When its last run ended.';
COMMENT ON COLUMN mart.backfill.plan IS 'By outlet: known, discoverable and missing articles, by day too; requests and seconds.';
COMMENT ON COLUMN mart.backfill.report IS 'By outlet: coverage before and after, outcomes, requests.';
COMMENT ON COLUMN mart.backfill.chunks IS 'Parts.';
COMMENT ON COLUMN mart.backfill.done IS 'Parts that are done.';
COMMENT ON COLUMN mart.backfill.failed IS 'Parts that failed or were cut short by a budget.';
