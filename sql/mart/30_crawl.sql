CREATE VIEW mart.crawl_funnel AS
SELECT w.crawl_id, w.outlet, w.mode, w.started_at, s.outcome, o.class, s.candidates
FROM ops.crawl w
-- Crawl by crawl, so that a question about one outlet counts the candidates of its crawls alone.
CROSS JOIN LATERAL (
    SELECT x.outcome, sum(x.candidates)::bigint AS candidates
    FROM (
        SELECT COALESCE(c.outcome, 'open') AS outcome, count(*) AS candidates
        FROM ops.candidate c
        WHERE c.crawl_id = w.crawl_id
        GROUP BY COALESCE(c.outcome, 'open')
        UNION ALL
        SELECT 'known_not_due', sum(p.already_known)
        FROM ops.endpoint_poll p
        WHERE p.crawl_id = w.crawl_id
        HAVING sum(p.already_known) > 0
    ) x
    GROUP BY x.outcome
) s
LEFT JOIN core.outcome o ON o.outcome = s.outcome;

COMMENT ON VIEW mart.crawl_funnel IS 'How the candidates of each crawl ended: a row per crawl and outcome. Outcome open: the crawl still runs or was killed and not yet closed.';
COMMENT ON COLUMN mart.crawl_funnel.crawl_id IS 'The crawl.';
COMMENT ON COLUMN mart.crawl_funnel.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.crawl_funnel.mode IS 'incremental or window.';
COMMENT ON COLUMN mart.crawl_funnel.started_at IS 'Its begin.';
COMMENT ON COLUMN mart.crawl_funnel.outcome IS 'Outcome (core.outcome).';
COMMENT ON COLUMN mart.crawl_funnel.class IS 'Class of the outcome: not_requested, no_response, refused or kept.';
COMMENT ON COLUMN mart.crawl_funnel.candidates IS 'Number of candidates that ended so.';

CREATE VIEW mart.crawl AS
SELECT w.crawl_id, w.outlet, w.mode, w.interval_start, w.interval_end, w.started_at, w.finished_at,
       w.finish_reason, w.error, w.candidates, w.requests,
       COALESCE(f.settled, 0) AS settled,
       w.finished_at IS NOT NULL AND w.candidates = COALESCE(f.settled, 0) AND COALESCE(f.open, 0) = 0 AS ledger_ok,
       q.requested_by, q.dag_id, q.run_id
FROM ops.crawl w
JOIN ops.crawl_request q ON q.request_id = w.request_id
LEFT JOIN LATERAL (
    SELECT sum(m.candidates) FILTER (WHERE m.outcome <> 'open') AS settled,
           sum(m.candidates) FILTER (WHERE m.outcome = 'open') AS open
    FROM mart.crawl_funnel m
    WHERE m.crawl_id = w.crawl_id
) f ON true;

COMMENT ON VIEW mart.crawl IS 'One row a crawl, with the check that its ledger adds up.';
COMMENT ON COLUMN mart.crawl.crawl_id IS 'The crawl.';
COMMENT ON COLUMN mart.crawl.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.crawl.mode IS 'incremental or window.';
COMMENT ON COLUMN mart.crawl.interval_start IS 'Begin of its interval; null for a first crawl.';
COMMENT ON COLUMN mart.crawl.interval_end IS 'End of its interval, excluded.';
COMMENT ON COLUMN mart.crawl.started_at IS 'Begin.';
COMMENT ON COLUMN mart.crawl.finished_at IS 'End; null while it runs.';
COMMENT ON COLUMN mart.crawl.finish_reason IS 'finished, budget, stopped, killed or failed.';
COMMENT ON COLUMN mart.crawl.error IS 'Why it failed.';
COMMENT ON COLUMN mart.crawl.candidates IS 'Candidates it decided on.';
COMMENT ON COLUMN mart.crawl.requests IS 'HTTP requests it made.';
COMMENT ON COLUMN mart.crawl.settled IS 'Candidates with an outcome, counted from the ledger''s rows.';
COMMENT ON COLUMN mart.crawl.ledger_ok IS 'true where the crawl has ended and every candidate has exactly one outcome.';
COMMENT ON COLUMN mart.crawl.requested_by IS 'Who asked.';
COMMENT ON COLUMN mart.crawl.dag_id IS 'DAG that asked.';
COMMENT ON COLUMN mart.crawl.run_id IS 'Its run.';

CREATE VIEW mart.outlet AS
SELECT outlet, name, home, country, languages, timezone, tier, domains, enabled, first_known_at, updated_at
FROM core.outlet;

COMMENT ON VIEW mart.outlet IS 'The outlets, as their files last said.';
COMMENT ON COLUMN mart.outlet.outlet IS 'Slug.';
COMMENT ON COLUMN mart.outlet.name IS 'Name for people.';
COMMENT ON COLUMN mart.outlet.home IS 'Homepage.';
COMMENT ON COLUMN mart.outlet.country IS 'Country of publication, ISO 3166-1 alpha-2.';
COMMENT ON COLUMN mart.outlet.languages IS 'Languages it publishes in, main one first.';
COMMENT ON COLUMN mart.outlet.timezone IS 'Zone of its newsroom.';
COMMENT ON COLUMN mart.outlet.tier IS 'Cadence of its crawls.';
COMMENT ON COLUMN mart.outlet.domains IS 'Domains that are its own.';
COMMENT ON COLUMN mart.outlet.enabled IS 'Whether it is crawled on schedule.';
COMMENT ON COLUMN mart.outlet.first_known_at IS 'When the warehouse first heard of it.';
COMMENT ON COLUMN mart.outlet.updated_at IS 'When one of these columns last changed.';

CREATE VIEW mart.outlet_freshness AS
SELECT o.outlet, o.name, o.tier, o.enabled,
       c.last_crawl_at, c.last_success_at, c.last_finish_reason,
       a.articles, a.last_new_article_at, a.last_published, a.new_24h, a.new_7d,
       now() - a.last_new_article_at AS silent_for
FROM core.outlet o
LEFT JOIN LATERAL (
    SELECT max(w.started_at) AS last_crawl_at,
           max(w.finished_at) FILTER (WHERE w.finish_reason IN ('finished', 'budget')) AS last_success_at,
           (array_agg(w.finish_reason ORDER BY w.started_at DESC))[1] AS last_finish_reason
    FROM ops.crawl w WHERE w.outlet = o.outlet
) c ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS articles,
           max(r.first_seen_at) AS last_new_article_at,
           max(x.date_published) AS last_published,
           count(*) FILTER (WHERE r.first_seen_at > now() - interval '24 hours') AS new_24h,
           count(*) FILTER (WHERE r.first_seen_at > now() - interval '7 days') AS new_7d
    FROM core.article r
    JOIN core.extraction x ON x.payload_hash = r.payload_hash AND x.extractor_id = r.extractor_id
    WHERE r.outlet = o.outlet AND r.merged_into IS NULL AND r.hidden_seq IS NULL
) a ON true;

COMMENT ON VIEW mart.outlet_freshness IS 'Is every outlet fresh: last crawl, last new article, how many lately.';
COMMENT ON COLUMN mart.outlet_freshness.outlet IS 'Slug.';
COMMENT ON COLUMN mart.outlet_freshness.name IS 'Name for people.';
COMMENT ON COLUMN mart.outlet_freshness.tier IS 'Cadence of its crawls.';
COMMENT ON COLUMN mart.outlet_freshness.enabled IS 'Whether it is crawled on schedule.';
COMMENT ON COLUMN mart.outlet_freshness.last_crawl_at IS 'Begin of the last crawl.';
COMMENT ON COLUMN mart.outlet_freshness.last_success_at IS 'End of the last crawl that finished or used up its budget.';
COMMENT ON COLUMN mart.outlet_freshness.last_finish_reason IS 'How the last crawl ended; null while it runs.';
COMMENT ON COLUMN mart.outlet_freshness.articles IS 'Articles in the warehouse.';
COMMENT ON COLUMN mart.outlet_freshness.last_new_article_at IS 'When an article was last seen for the first time.';
COMMENT ON COLUMN mart.outlet_freshness.last_published IS 'Latest date of publication.';
COMMENT ON COLUMN mart.outlet_freshness.new_24h IS 'Articles first seen within the last 24 hours.';
COMMENT ON COLUMN mart.outlet_freshness.new_7d IS 'Articles first seen within the last 7 days.';
COMMENT ON COLUMN mart.outlet_freshness.silent_for IS 'Time since the last new article.';

CREATE VIEW mart.endpoint AS
SELECT e.outlet, e.method, e.url, e.configured, e.last_read_at, e.last_new_at, e.failures, e.next_poll_at,
       p.polled_at AS last_polled_at, p.outcome AS last_outcome, p.detail AS last_detail, p.entries AS last_entries,
       p.gap_suspected AS last_gap_suspected, y.polls, y.candidates
FROM ops.endpoint e
LEFT JOIN LATERAL (
    SELECT * FROM ops.endpoint_poll q WHERE q.endpoint_id = e.endpoint_id ORDER BY q.polled_at DESC LIMIT 1
) p ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS polls, COALESCE(sum(q.candidates - q.already_known), 0) AS candidates
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

CREATE VIEW mart.crawl_summary AS
SELECT w.crawl_id, w.outlet, w.mode, w.started_at, w.finished_at, w.finish_reason, w.error, w.candidates, w.requests,
       q.requested_by, q.dag_id, q.run_id, q.map_index
FROM ops.crawl w
JOIN ops.crawl_request q ON q.request_id = w.request_id;

COMMENT ON VIEW mart.crawl_summary IS 'mart.crawl without the check of the ledger, for lists of many.';
COMMENT ON COLUMN mart.crawl_summary.crawl_id IS 'The crawl.';
COMMENT ON COLUMN mart.crawl_summary.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.crawl_summary.mode IS 'incremental or window.';
COMMENT ON COLUMN mart.crawl_summary.started_at IS 'Begin.';
COMMENT ON COLUMN mart.crawl_summary.finished_at IS 'End; null while it runs.';
COMMENT ON COLUMN mart.crawl_summary.finish_reason IS 'finished, budget, stopped, killed or failed.';
COMMENT ON COLUMN mart.crawl_summary.error IS 'Why it failed.';
COMMENT ON COLUMN mart.crawl_summary.candidates IS 'Candidates it decided on.';
COMMENT ON COLUMN mart.crawl_summary.requests IS 'HTTP requests it made.';
COMMENT ON COLUMN mart.crawl_summary.requested_by IS 'Who asked.';
COMMENT ON COLUMN mart.crawl_summary.dag_id IS 'DAG that asked.';
COMMENT ON COLUMN mart.crawl_summary.run_id IS 'Its run.';
COMMENT ON COLUMN mart.crawl_summary.map_index IS 'Its mapped task.';
