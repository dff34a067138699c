CREATE VIEW mart.outlet_health AS
SELECT o.outlet, o.name, o.tier, o.enabled, COALESCE(h.state, 'new') AS state, COALESCE(h.reason, 'not looked at yet') AS reason,
       h.since, h.checked_at
FROM core.outlet o
LEFT JOIN ops.health h ON h.outlet = o.outlet;

COMMENT ON VIEW mart.outlet_health IS 'How each outlet fares, by its last crawls beside its own past, as it was last judged.';
COMMENT ON COLUMN mart.outlet_health.outlet IS 'Slug.';
COMMENT ON COLUMN mart.outlet_health.name IS 'Name for people.';
COMMENT ON COLUMN mart.outlet_health.tier IS 'Cadence of its crawls.';
COMMENT ON COLUMN mart.outlet_health.enabled IS 'Whether its file lets it be crawled on schedule.';
COMMENT ON COLUMN mart.outlet_health.state IS 'fresh, late, silent, blocked, extraction_broken, failing, paused or new.';
COMMENT ON COLUMN mart.outlet_health.reason IS 'What shows it.';
COMMENT ON COLUMN mart.outlet_health.since IS 'Since when it is in this state.';
COMMENT ON COLUMN mart.outlet_health.checked_at IS 'When it was last judged.';

CREATE VIEW mart.alert AS
SELECT a.alert_id, a.cause, a.outlet, a.message, a.opened_at, a.last_seen_at, a.closed_at, a.notified_at
FROM ops.alert a;

COMMENT ON VIEW mart.alert IS 'What an operator was to know: a row a cause, as long as it lasted.';
COMMENT ON COLUMN mart.alert.alert_id IS 'Key.';
COMMENT ON COLUMN mart.alert.cause IS 'A state of mart.outlet_health, our_side or disk.';
COMMENT ON COLUMN mart.alert.outlet IS 'The outlet; null for one that concerns the installation.';
COMMENT ON COLUMN mart.alert.message IS 'In words.';
COMMENT ON COLUMN mart.alert.opened_at IS 'When it was first seen.';
COMMENT ON COLUMN mart.alert.last_seen_at IS 'When it was last seen.';
COMMENT ON COLUMN mart.alert.closed_at IS 'When it was over; null while it lasts.';
COMMENT ON COLUMN mart.alert.notified_at IS 'When somebody was told; null where a silence covered it.';

CREATE VIEW mart.endpoint AS
SELECT e.outlet, e.method, e.url, e.configured, e.last_read_at, e.last_new_at, e.failures, e.next_poll_at,
       p.polled_at AS last_polled_at, p.outcome AS last_outcome, p.detail AS last_detail, p.entries AS last_entries,
       p.gap_suspected AS last_gap_suspected, y.polls, y.candidates
FROM ops.endpoint e
LEFT JOIN LATERAL (
    SELECT * FROM ops.endpoint_poll q WHERE q.endpoint_id = e.endpoint_id ORDER BY q.polled_at DESC LIMIT 1
) p ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS polls, COALESCE(sum(q.candidates - q.listed_again), 0) AS candidates
    FROM ops.endpoint_poll q WHERE q.endpoint_id = e.endpoint_id AND q.polled_at > now() - interval '30 days'
) y ON true;

COMMENT ON VIEW mart.endpoint IS 'Where articles are found, and what it brings.';
COMMENT ON COLUMN mart.endpoint.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.endpoint.method IS 'Discovery method.';
COMMENT ON COLUMN mart.endpoint.url IS 'Address.';
COMMENT ON COLUMN mart.endpoint.configured IS 'In the outlet''s file; false for a child of a sitemap index.';
COMMENT ON COLUMN mart.endpoint.last_read_at IS 'When its listing last came in full.';
COMMENT ON COLUMN mart.endpoint.last_new_at IS 'When it last listed an address that was not known.';
COMMENT ON COLUMN mart.endpoint.failures IS 'Failed looks in a row.';
COMMENT ON COLUMN mart.endpoint.next_poll_at IS 'A scheduled crawl does not look at it before.';
COMMENT ON COLUMN mart.endpoint.last_polled_at IS 'Last look.';
COMMENT ON COLUMN mart.endpoint.last_outcome IS 'What came of it.';
COMMENT ON COLUMN mart.endpoint.last_detail IS 'What was wrong, in words.';
COMMENT ON COLUMN mart.endpoint.last_entries IS 'Entries that it listed then.';
COMMENT ON COLUMN mart.endpoint.last_gap_suspected IS 'Whether entries may have scrolled off unseen before.';
COMMENT ON COLUMN mart.endpoint.polls IS 'Looks within 30 days.';
COMMENT ON COLUMN mart.endpoint.candidates IS 'New or due addresses that they brought.';

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

CREATE VIEW mart.crawl_brief AS
SELECT w.crawl_id, w.outlet, w.mode, w.started_at, w.finished_at, w.finish_reason, w.error, w.candidates, w.requests,
       q.requested_by, q.dag_id, q.run_id, q.map_index
FROM ops.crawl w
JOIN ops.crawl_request q ON q.request_id = w.request_id;

COMMENT ON VIEW mart.crawl_brief IS 'mart.crawl without the check of the ledger, for lists of many.';
COMMENT ON COLUMN mart.crawl_brief.crawl_id IS 'The crawl.';
COMMENT ON COLUMN mart.crawl_brief.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.crawl_brief.mode IS 'incremental or window.';
COMMENT ON COLUMN mart.crawl_brief.started_at IS 'Begin.';
COMMENT ON COLUMN mart.crawl_brief.finished_at IS 'End; null while it runs.';
COMMENT ON COLUMN mart.crawl_brief.finish_reason IS 'finished, budget, stopped, killed or failed.';
COMMENT ON COLUMN mart.crawl_brief.error IS 'Why it failed.';
COMMENT ON COLUMN mart.crawl_brief.candidates IS 'Candidates it decided on.';
COMMENT ON COLUMN mart.crawl_brief.requests IS 'HTTP requests it made.';
COMMENT ON COLUMN mart.crawl_brief.requested_by IS 'Who asked.';
COMMENT ON COLUMN mart.crawl_brief.dag_id IS 'DAG that asked.';
COMMENT ON COLUMN mart.crawl_brief.run_id IS 'Its run.';
COMMENT ON COLUMN mart.crawl_brief.map_index IS 'Its mapped task.';

CREATE VIEW mart.article_brief AS
SELECT a.article_uid, a.outlet, a.url, x.headline, x.date_published, a.first_seen_at, a.last_seen_at, a.gone_at,
       a.revision_count, COALESCE(m.story_cluster, a.article_uid) AS story_cluster
FROM core.article a
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
LEFT JOIN core.cluster_member m ON m.article_uid = a.article_uid AND m.superseded_seq IS NULL
WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_brief IS 'mart.article without text and provenance, for lists of many.';
COMMENT ON COLUMN mart.article_brief.article_uid IS 'The article.';
COMMENT ON COLUMN mart.article_brief.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.article_brief.url IS 'Its URL.';
COMMENT ON COLUMN mart.article_brief.headline IS 'Its headline.';
COMMENT ON COLUMN mart.article_brief.date_published IS 'Date of publication, as its page gives it.';
COMMENT ON COLUMN mart.article_brief.first_seen_at IS 'First visit.';
COMMENT ON COLUMN mart.article_brief.last_seen_at IS 'Last visit that found the page.';
COMMENT ON COLUMN mart.article_brief.gone_at IS 'When the page was first found missing, once that was confirmed.';
COMMENT ON COLUMN mart.article_brief.revision_count IS 'Versions seen.';
COMMENT ON COLUMN mart.article_brief.story_cluster IS 'Its story cluster.';
