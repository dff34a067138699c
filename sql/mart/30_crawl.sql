CREATE VIEW mart.crawl_funnel AS
SELECT crawl.crawl_id, crawl.outlet, crawl.mode, crawl.started_at, result.outcome, outcome.class, result.candidates
FROM ops.crawl
-- Lateral per crawl, so that a query for one outlet counts only the candidates of its crawls.
CROSS JOIN LATERAL (
    SELECT counted.outcome, sum(counted.candidates)::bigint AS candidates
    FROM (
        SELECT COALESCE(candidate.outcome, 'open') AS outcome, count(*) AS candidates
        FROM ops.candidate
        WHERE candidate.crawl_id = crawl.crawl_id
        GROUP BY COALESCE(candidate.outcome, 'open')
        UNION ALL
        SELECT 'known_not_due', sum(poll.already_known)
        FROM ops.endpoint_poll poll
        WHERE poll.crawl_id = crawl.crawl_id
        HAVING sum(poll.already_known) > 0
    ) counted
    GROUP BY counted.outcome
) result
LEFT JOIN core.outcome ON outcome.outcome = result.outcome;

COMMENT ON VIEW mart.crawl_funnel IS 'One row per crawl and outcome, with the number of candidates. The outcome open means that the crawl still runs, or that it was killed and is not closed yet.';
COMMENT ON COLUMN mart.crawl_funnel.crawl_id IS 'Crawl (mart.crawl).';
COMMENT ON COLUMN mart.crawl_funnel.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.crawl_funnel.mode IS 'incremental or window.';
COMMENT ON COLUMN mart.crawl_funnel.started_at IS 'When the crawl started.';
COMMENT ON COLUMN mart.crawl_funnel.outcome IS 'Outcome (mart.outcome).';
COMMENT ON COLUMN mart.crawl_funnel.class IS 'Class of the outcome: not_requested, no_response, refused or kept.';
COMMENT ON COLUMN mart.crawl_funnel.candidates IS 'Number of candidates with this outcome.';

CREATE VIEW mart.crawl AS
SELECT crawl.crawl_id, crawl.outlet, crawl.mode, crawl.interval_start, crawl.interval_end, crawl.started_at,
       crawl.finished_at, crawl.finish_reason, crawl.error, crawl.candidates, crawl.requests,
       COALESCE(ledger.settled, 0) AS settled,
       crawl.finished_at IS NOT NULL AND crawl.candidates = COALESCE(ledger.settled, 0)
       AND COALESCE(ledger.open, 0) = 0 AS ledger_ok,
       request.requested_by, request.dag_id, request.run_id
FROM ops.crawl
JOIN ops.crawl_request request ON request.request_id = crawl.request_id
LEFT JOIN LATERAL (
    SELECT sum(funnel.candidates) FILTER (WHERE funnel.outcome <> 'open') AS settled,
           sum(funnel.candidates) FILTER (WHERE funnel.outcome = 'open') AS open
    FROM mart.crawl_funnel funnel
    WHERE funnel.crawl_id = crawl.crawl_id
) ledger ON true;

COMMENT ON VIEW mart.crawl IS 'One row per crawl, including a check that its ledger adds up.';
COMMENT ON COLUMN mart.crawl.crawl_id IS 'Key.';
COMMENT ON COLUMN mart.crawl.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.crawl.mode IS 'incremental or window.';
COMMENT ON COLUMN mart.crawl.interval_start IS 'Start of the interval; null for a first crawl.';
COMMENT ON COLUMN mart.crawl.interval_end IS 'End of the interval, exclusive.';
COMMENT ON COLUMN mart.crawl.started_at IS 'When the crawl started.';
COMMENT ON COLUMN mart.crawl.finished_at IS 'When the crawl ended; null while it runs.';
COMMENT ON COLUMN mart.crawl.finish_reason IS 'finished; budget (a budget was used up); stopped; waiting (every endpoint failed before and is not due yet); refused (the host refuses the crawler); no_listing (no endpoint gave a listing); failed (an error of this installation) or killed.';
COMMENT ON COLUMN mart.crawl.error IS 'Why the crawl failed.';
COMMENT ON COLUMN mart.crawl.candidates IS 'Candidates that the crawl decided on.';
COMMENT ON COLUMN mart.crawl.requests IS 'HTTP requests, including redirect hops and retries.';
COMMENT ON COLUMN mart.crawl.settled IS 'Candidates that have an outcome, counted from the ledger''s rows.';
COMMENT ON COLUMN mart.crawl.ledger_ok IS 'true if the crawl has ended and every candidate has exactly one outcome.';
COMMENT ON COLUMN mart.crawl.requested_by IS 'Person or DAG that requested the crawl.';
COMMENT ON COLUMN mart.crawl.dag_id IS 'DAG that requested the crawl.';
COMMENT ON COLUMN mart.crawl.run_id IS 'DAG run that requested the crawl.';

CREATE VIEW mart.outlet AS
SELECT outlet, name, home, country, languages, timezone, tier, domains, enabled, first_known_at, updated_at
FROM core.outlet;

COMMENT ON VIEW mart.outlet IS 'News outlets, as last read from their files.';
COMMENT ON COLUMN mart.outlet.outlet IS 'Immutable slug: the id in the outlet''s file.';
COMMENT ON COLUMN mart.outlet.name IS 'Display name.';
COMMENT ON COLUMN mart.outlet.home IS 'URL of the homepage.';
COMMENT ON COLUMN mart.outlet.country IS 'Country of publication, ISO 3166-1 alpha-2; null if the outlet has none.';
COMMENT ON COLUMN mart.outlet.languages IS 'Languages of publication, BCP 47, main language first.';
COMMENT ON COLUMN mart.outlet.timezone IS 'IANA time zone of the newsroom.';
COMMENT ON COLUMN mart.outlet.tier IS 'Schedule class, which sets how often the outlet is crawled: hourly, six_hourly or daily.';
COMMENT ON COLUMN mart.outlet.domains IS 'Domains that belong to the outlet, including their subdomains.';
COMMENT ON COLUMN mart.outlet.enabled IS 'Whether the outlet''s file enables scheduled crawls.';
COMMENT ON COLUMN mart.outlet.first_known_at IS 'When the outlet was added to the warehouse.';
COMMENT ON COLUMN mart.outlet.updated_at IS 'When one of these columns last changed.';

CREATE VIEW mart.outlet_freshness AS
SELECT outlet.outlet, outlet.name, outlet.tier, outlet.enabled,
       crawl_stats.last_crawl_at, crawl_stats.last_success_at, crawl_stats.last_finish_reason,
       article_stats.articles, article_stats.last_new_article_at, article_stats.last_published, article_stats.new_24h,
       article_stats.new_7d,
       now() - article_stats.last_new_article_at AS silent_for
FROM core.outlet
LEFT JOIN LATERAL (
    SELECT max(crawl.started_at) AS last_crawl_at,
           max(crawl.finished_at) FILTER (WHERE crawl.finish_reason IN ('finished', 'budget')) AS last_success_at,
           (array_agg(crawl.finish_reason ORDER BY crawl.started_at DESC))[1] AS last_finish_reason
    FROM ops.crawl WHERE crawl.outlet = outlet.outlet
) crawl_stats ON true
LEFT JOIN LATERAL (
    SELECT (SELECT COALESCE(sum(counted.articles), 0)::bigint FROM core.article_count counted
            WHERE counted.outlet = outlet.outlet) AS articles,
           (SELECT max(article.first_seen_at) FROM core.article
            WHERE article.outlet = outlet.outlet AND article.merged_into IS NULL AND article.hidden_seq IS NULL)
               AS last_new_article_at,
           (SELECT max(article.date_published) FROM core.article
            WHERE article.outlet = outlet.outlet AND article.merged_into IS NULL AND article.hidden_seq IS NULL)
               AS last_published,
           count(*) FILTER (WHERE article.first_seen_at > now() - interval '24 hours') AS new_24h,
           count(*) AS new_7d
    FROM core.article
    WHERE article.outlet = outlet.outlet AND article.merged_into IS NULL AND article.hidden_seq IS NULL
      AND article.first_seen_at > now() - interval '7 days'
) article_stats ON true;

COMMENT ON VIEW mart.outlet_freshness IS 'Freshness of each outlet: its last crawl, its last new article and the number of recent articles.';
COMMENT ON COLUMN mart.outlet_freshness.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_freshness.name IS 'Display name.';
COMMENT ON COLUMN mart.outlet_freshness.tier IS 'Schedule class, which sets how often the outlet is crawled: hourly, six_hourly or daily.';
COMMENT ON COLUMN mart.outlet_freshness.enabled IS 'Whether the outlet''s file enables scheduled crawls.';
COMMENT ON COLUMN mart.outlet_freshness.last_crawl_at IS 'When the last crawl started.';
COMMENT ON COLUMN mart.outlet_freshness.last_success_at IS 'When the last crawl that finished or used up its budget ended.';
COMMENT ON COLUMN mart.outlet_freshness.last_finish_reason IS 'Finish reason of the last crawl; null while it runs.';
COMMENT ON COLUMN mart.outlet_freshness.articles IS 'Number of articles in the warehouse.';
COMMENT ON COLUMN mart.outlet_freshness.last_new_article_at IS 'When a new article was last seen.';
COMMENT ON COLUMN mart.outlet_freshness.last_published IS 'Latest publication date.';
COMMENT ON COLUMN mart.outlet_freshness.new_24h IS 'Articles first seen within the last 24 hours.';
COMMENT ON COLUMN mart.outlet_freshness.new_7d IS 'Articles first seen within the last 7 days.';
COMMENT ON COLUMN mart.outlet_freshness.silent_for IS 'Time since the last new article.';

CREATE VIEW mart.endpoint AS
SELECT endpoint.outlet, endpoint.method, endpoint.url, endpoint.configured, endpoint.last_read_at, endpoint.last_new_at,
       endpoint.failures, endpoint.next_poll_at,
       last_poll.polled_at AS last_polled_at, last_poll.outcome AS last_outcome, last_poll.detail AS last_detail,
       last_poll.entries AS last_entries, last_poll.gap_suspected AS last_gap_suspected,
       last_poll.is_truncated AS last_is_truncated,
       recent.polls, recent.candidates, endpoint.failure, endpoint.failing_since
FROM ops.endpoint
LEFT JOIN LATERAL (
    SELECT * FROM ops.endpoint_poll poll
    WHERE poll.endpoint_id = endpoint.endpoint_id
    ORDER BY poll.polled_at DESC LIMIT 1
) last_poll ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS polls, COALESCE(sum(poll.candidates - poll.already_known), 0) AS candidates
    FROM ops.endpoint_poll poll
    WHERE poll.endpoint_id = endpoint.endpoint_id AND poll.polled_at > now() - interval '30 days'
) recent ON true;

COMMENT ON VIEW mart.endpoint IS 'Endpoints in which articles are discovered, with the result of their polls.';
COMMENT ON COLUMN mart.endpoint.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.endpoint.method IS 'Discovery method.';
COMMENT ON COLUMN mart.endpoint.url IS 'URL of the endpoint.';
COMMENT ON COLUMN mart.endpoint.configured IS 'true if the outlet''s file lists the endpoint; false for a child of a sitemap index.';
COMMENT ON COLUMN mart.endpoint.last_read_at IS 'When the last complete listing was received.';
COMMENT ON COLUMN mart.endpoint.last_new_at IS 'When the endpoint last listed an unknown URL.';
COMMENT ON COLUMN mart.endpoint.failures IS 'Number of consecutive failed polls.';
COMMENT ON COLUMN mart.endpoint.next_poll_at IS 'Scheduled crawls skip the endpoint until this time.';
COMMENT ON COLUMN mart.endpoint.last_polled_at IS 'When the endpoint was last polled.';
COMMENT ON COLUMN mart.endpoint.last_outcome IS 'Outcome of the last poll.';
COMMENT ON COLUMN mart.endpoint.last_detail IS 'Description of the last poll''s problem.';
COMMENT ON COLUMN mart.endpoint.last_entries IS 'Number of entries in the last poll.';
COMMENT ON COLUMN mart.endpoint.last_is_truncated IS 'Whether the last listing was longer than the outlet''s budget, so that a part of it was not used.';
COMMENT ON COLUMN mart.endpoint.last_gap_suspected IS 'Whether entries may have dropped out of the listing unseen before the last poll.';
COMMENT ON COLUMN mart.endpoint.polls IS 'Number of polls within the last 30 days.';
COMMENT ON COLUMN mart.endpoint.candidates IS 'New or due URLs found by these polls.';
COMMENT ON COLUMN mart.endpoint.failure IS 'What happened at the last failed poll; null if the last poll was successful.';
COMMENT ON COLUMN mart.endpoint.failing_since IS 'When the first of the consecutive polls failed.';

CREATE VIEW mart.crawl_summary AS
SELECT crawl.crawl_id, crawl.outlet, crawl.mode, crawl.started_at, crawl.finished_at, crawl.finish_reason, crawl.error,
       crawl.candidates, crawl.requests,
       request.requested_by, request.dag_id, request.run_id, request.map_index, polled.listed, polled.unchanged
FROM ops.crawl
JOIN ops.crawl_request request ON request.request_id = crawl.request_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE poll.outcome IN ('listed', 'not_modified')) AS listed,
           count(*) FILTER (WHERE poll.outcome = 'not_modified') AS unchanged
    FROM ops.endpoint_poll poll WHERE poll.crawl_id = crawl.crawl_id
) polled;

COMMENT ON VIEW mart.crawl_summary IS 'mart.crawl without the ledger check, for long lists.';
COMMENT ON COLUMN mart.crawl_summary.crawl_id IS 'Crawl (mart.crawl).';
COMMENT ON COLUMN mart.crawl_summary.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.crawl_summary.mode IS 'incremental or window.';
COMMENT ON COLUMN mart.crawl_summary.started_at IS 'When the crawl started.';
COMMENT ON COLUMN mart.crawl_summary.finished_at IS 'When the crawl ended; null while it runs.';
COMMENT ON COLUMN mart.crawl_summary.finish_reason IS 'finished; budget (a budget was used up); stopped; waiting (every endpoint failed before and is not due yet); refused (the host refuses the crawler); no_listing (no endpoint gave a listing); failed (an error of this installation) or killed.';
COMMENT ON COLUMN mart.crawl_summary.error IS 'Why the crawl failed.';
COMMENT ON COLUMN mart.crawl_summary.candidates IS 'Candidates that the crawl decided on.';
COMMENT ON COLUMN mart.crawl_summary.requests IS 'HTTP requests, including redirect hops and retries.';
COMMENT ON COLUMN mart.crawl_summary.requested_by IS 'Person or DAG that requested the crawl.';
COMMENT ON COLUMN mart.crawl_summary.dag_id IS 'DAG that requested the crawl.';
COMMENT ON COLUMN mart.crawl_summary.run_id IS 'DAG run that requested the crawl.';
COMMENT ON COLUMN mart.crawl_summary.map_index IS 'Mapped task that ran the crawl; null if no DAG ran it.';
COMMENT ON COLUMN mart.crawl_summary.listed IS 'Number of endpoints that gave a listing, including unchanged ones.';
COMMENT ON COLUMN mart.crawl_summary.unchanged IS 'Number of endpoints whose listing had not changed since the last poll (304).';
