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

CREATE TABLE ops.outlet_day (
    outlet text NOT NULL REFERENCES core.outlet,
    day date NOT NULL,
    new_articles integer NOT NULL,
    new_by_hour integer[] NOT NULL,
    with_date integer NOT NULL,
    with_authors integer NOT NULL,
    median_words integer,
    mean_confidence real,
    crawls integer NOT NULL,
    failed_crawls integer NOT NULL,
    requested integer NOT NULL,
    kept integer NOT NULL,
    outcomes jsonb NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (outlet, day)
);
CREATE INDEX outlet_day_day ON ops.outlet_day (day);
COMMENT ON TABLE ops.outlet_day IS 'Counters for operators: one row per outlet and day. Health checks count the last two days again, maintenance the last five weeks. Can be rebuilt at any time.';
COMMENT ON COLUMN ops.outlet_day.outlet IS 'Outlet.';
COMMENT ON COLUMN ops.outlet_day.day IS 'Day (UTC).';
COMMENT ON COLUMN ops.outlet_day.new_articles IS 'Articles first captured on the day, without those of backfills.';
COMMENT ON COLUMN ops.outlet_day.new_by_hour IS 'The same by hour of the day: 24 numbers.';
COMMENT ON COLUMN ops.outlet_day.with_date IS 'How many of them have a publication date.';
COMMENT ON COLUMN ops.outlet_day.with_authors IS 'How many of them have an author.';
COMMENT ON COLUMN ops.outlet_day.median_words IS 'Median number of words of their texts; null without articles.';
COMMENT ON COLUMN ops.outlet_day.mean_confidence IS 'Mean confidence of their texts; null if none has one.';
COMMENT ON COLUMN ops.outlet_day.crawls IS 'Crawls that began on the day.';
COMMENT ON COLUMN ops.outlet_day.failed_crawls IS 'How many of them failed.';
COMMENT ON COLUMN ops.outlet_day.requested IS 'Candidates of these crawls that were requested.';
COMMENT ON COLUMN ops.outlet_day.kept IS 'How many of them are the page of an article.';
COMMENT ON COLUMN ops.outlet_day.outcomes IS 'Number of candidates of these crawls by outcome.';
COMMENT ON COLUMN ops.outlet_day.counted_at IS 'When the row was counted.';

UPDATE core.outcome
SET meaning = 'Without an account, only the beginning of the article or a login form is readable.'
WHERE outcome = 'paywall_stub';
