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
        SELECT 'known_not_due', sum(p.listed_again)
        FROM ops.endpoint_poll p
        WHERE p.crawl_id = w.crawl_id
        HAVING sum(p.listed_again) > 0
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
