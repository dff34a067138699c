-- What operators see: crawls that only wait, listings that cannot be read, and the times behind an outlet's health.
-- depends: 0008.partitions

ALTER TABLE ops.crawl DROP CONSTRAINT crawl_finish_reason_check;
UPDATE ops.crawl SET finish_reason = 'waiting', stats = stats - 'only_backed_off' WHERE stats ? 'only_backed_off';
ALTER TABLE ops.crawl ADD CONSTRAINT crawl_finish_reason_check CHECK (
    finish_reason IN ('finished', 'budget', 'stopped', 'waiting', 'refused', 'no_listing', 'failed', 'killed'));
COMMENT ON COLUMN ops.crawl.finish_reason IS 'finished; budget (a budget was used up); stopped (by a person or a shutdown); waiting (every endpoint failed before and is not due yet); refused (the host refuses the crawler); no_listing (no endpoint gave a listing); failed (an error of this installation, such as a full disk); or killed (its process died).';

ALTER TABLE ops.health
    ADD COLUMN last_new_article_at timestamptz,
    ADD COLUMN failed_crawls integer NOT NULL DEFAULT 0,
    ADD COLUMN first_failed_at timestamptz,
    ADD COLUMN last_failed_at timestamptz;
COMMENT ON COLUMN ops.health.reason IS 'Evidence for the state, without ages: the times are in the other columns.';
COMMENT ON COLUMN ops.health.last_new_article_at IS 'When a scheduled crawl last found a new article.';
COMMENT ON COLUMN ops.health.failed_crawls IS 'Number of scheduled crawls that have failed since the last successful one.';
COMMENT ON COLUMN ops.health.first_failed_at IS 'When the first of them started.';
COMMENT ON COLUMN ops.health.last_failed_at IS 'When the last of them started.';

ALTER TABLE ops.alert ADD COLUMN over_notified_at timestamptz;
UPDATE ops.alert SET over_notified_at = closed_at WHERE closed_at IS NOT NULL;
COMMENT ON COLUMN ops.alert.over_notified_at IS 'When someone was notified that the problem is over.';
