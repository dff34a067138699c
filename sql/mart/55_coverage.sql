CREATE VIEW mart.outlet_coverage AS
WITH polled_crawl AS (
    -- Successful crawls with at least one listing, and the period that each covers. An incremental crawl covers the
    -- time since the previous one, unless entries may have dropped out of a listing unseen. A window crawl covers its
    -- interval, up to its own start.
    SELECT crawl.outlet, crawl.mode, crawl.started_at, crawl.interval_start, crawl.interval_end,
           bool_or(poll.gap_suspected) AS gap,
           lag(crawl.started_at) OVER (PARTITION BY crawl.outlet, crawl.mode
                                       ORDER BY crawl.started_at, crawl.crawl_id) AS looked_before
    FROM ops.crawl
    JOIN ops.endpoint_poll poll ON poll.crawl_id = crawl.crawl_id AND poll.outcome IN ('listed', 'not_modified')
    WHERE crawl.finish_reason IN ('finished', 'budget')
    GROUP BY crawl.crawl_id, crawl.outlet, crawl.mode, crawl.started_at, crawl.interval_start, crawl.interval_end
),
observed AS NOT MATERIALIZED (
    SELECT polled_crawl.outlet, covered.day::date AS day,
           array_agg(DISTINCT polled_crawl.mode ORDER BY polled_crawl.mode) AS modes
    FROM polled_crawl
    JOIN core.outlet ON outlet.outlet = polled_crawl.outlet
    CROSS JOIN LATERAL generate_series(
        date_trunc('day', CASE WHEN polled_crawl.mode = 'window' THEN polled_crawl.interval_start
                               WHEN polled_crawl.gap THEN polled_crawl.started_at
                               ELSE COALESCE(polled_crawl.looked_before, polled_crawl.started_at)
                               END AT TIME ZONE outlet.timezone),
        CASE WHEN polled_crawl.mode = 'window'
             THEN LEAST(polled_crawl.interval_end - interval '1 microsecond', polled_crawl.started_at)
             ELSE polled_crawl.started_at END AT TIME ZONE outlet.timezone,
        interval '1 day') AS covered (day)
    GROUP BY polled_crawl.outlet, covered.day::date
),
loaded AS NOT MATERIALIZED (
    SELECT outlet, date_published_day AS day, sum(articles)::bigint AS articles, sum(words)::bigint AS words
    FROM core.article_count
    WHERE date_published_day > '-infinity' AND articles > 0
    GROUP BY outlet, date_published_day
),
seen AS NOT MATERIALIZED (
    SELECT article.outlet, (article.first_seen_at AT TIME ZONE outlet.timezone)::date AS day, count(*) AS articles
    FROM core.article
    JOIN core.outlet ON outlet.outlet = article.outlet
    WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL
    GROUP BY article.outlet, 2
),
discovered AS (
    SELECT listing.outlet, (listing.listed_published AT TIME ZONE outlet.timezone)::date AS day,
           count(DISTINCT listing.url_uid) AS addresses,
           count(DISTINCT listing.url_uid)
               FILTER (WHERE endpoint.method IN ('sitemap', 'robots', 'archive', 'wordpress')) AS by_the_past
    FROM core.url_listing listing
    JOIN core.outlet ON outlet.outlet = listing.outlet
    JOIN ops.endpoint ON endpoint.endpoint_id = listing.endpoint_id
    WHERE listing.listed_published IS NOT NULL
    GROUP BY listing.outlet, 2
),
span AS (
    SELECT known.outlet, min(known.day) AS first_day, max(known.day) AS last_day
    FROM (
        SELECT outlet, day FROM observed
        UNION ALL SELECT outlet, day FROM loaded
        UNION ALL SELECT outlet, day FROM seen
    ) known
    GROUP BY known.outlet
),
daily AS NOT MATERIALIZED (
    SELECT span.outlet, calendar.day::date AS day, observed.modes, COALESCE(loaded.articles, 0) AS loaded,
           COALESCE(loaded.words, 0) AS words, COALESCE(seen.articles, 0) AS first_seen,
           COALESCE(discovered.addresses, 0) AS discovered,
           COALESCE(discovered.by_the_past, 0) AS by_the_past
    FROM span
    CROSS JOIN LATERAL generate_series(
        span.first_day::timestamp, span.last_day::timestamp, interval '1 day') AS calendar (day)
    LEFT JOIN observed ON observed.outlet = span.outlet AND observed.day = calendar.day::date
    LEFT JOIN loaded ON loaded.outlet = span.outlet AND loaded.day = calendar.day::date
    LEFT JOIN seen ON seen.outlet = span.outlet AND seen.day = calendar.day::date
    LEFT JOIN discovered ON discovered.outlet = span.outlet AND discovered.day = calendar.day::date
),
usual AS (
    SELECT outlet, EXTRACT(isodow FROM day) AS weekday,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY loaded) AS articles
    FROM daily
    WHERE modes IS NOT NULL
    GROUP BY outlet, 2
    HAVING count(*) >= 3
)
SELECT daily.outlet, daily.day, daily.modes IS NOT NULL AS observed, COALESCE(daily.modes, '{}') AS observed_by,
       daily.discovered, daily.loaded, daily.words, daily.first_seen,
       CASE WHEN daily.by_the_past > 0 THEN daily.by_the_past ELSE round(usual.articles)::bigint END AS expected,
       CASE WHEN daily.by_the_past > 0 THEN 'listed' WHEN usual.articles IS NOT NULL THEN 'usual' END AS expected_basis
FROM daily
LEFT JOIN usual ON usual.outlet = daily.outlet AND usual.weekday = EXTRACT(isodow FROM daily.day);

COMMENT ON VIEW mart.outlet_coverage IS 'One row per outlet and publication day, from the first to the last known day. A day without articles is a zero if it was observed and a gap if it was not.';
COMMENT ON COLUMN mart.outlet_coverage.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_coverage.day IS 'Calendar day in the outlet''s time zone.';
COMMENT ON COLUMN mart.outlet_coverage.observed IS 'Whether a successful crawl covered this publication day.';
COMMENT ON COLUMN mart.outlet_coverage.observed_by IS 'Modes of these crawls: incremental, window.';
COMMENT ON COLUMN mart.outlet_coverage.discovered IS 'URLs that listings date on this day.';
COMMENT ON COLUMN mart.outlet_coverage.loaded IS 'Articles published on this day, as dated by the outlet.';
COMMENT ON COLUMN mart.outlet_coverage.words IS 'Total words of these articles.';
COMMENT ON COLUMN mart.outlet_coverage.first_seen IS 'Articles first seen on this day.';
COMMENT ON COLUMN mart.outlet_coverage.expected IS 'Expected number of articles for this day; null if there is no basis for an estimate.';
COMMENT ON COLUMN mart.outlet_coverage.expected_basis IS 'listed: the number of URLs that sitemaps, archives or WordPress list. usual: the median of this weekday over the observed days.';

CREATE VIEW mart.daily_volume AS
SELECT outlet, day, observed,
       CASE WHEN observed OR loaded > 0 THEN loaded END AS published,
       CASE WHEN observed OR loaded > 0 THEN words END AS words,
       first_seen
FROM mart.outlet_coverage;

COMMENT ON VIEW mart.daily_volume IS 'Articles per outlet and day. The value is zero on observed days without articles, and null on unobserved days about which nothing is known.';
COMMENT ON COLUMN mart.daily_volume.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.daily_volume.day IS 'Calendar day in the outlet''s time zone.';
COMMENT ON COLUMN mart.daily_volume.observed IS 'Whether a successful crawl covered this publication day (mart.outlet_coverage). If false, the number is a lower bound.';
COMMENT ON COLUMN mart.daily_volume.published IS 'Articles published on this day, as dated by the outlet; null if nothing is known.';
COMMENT ON COLUMN mart.daily_volume.words IS 'Total words of these articles.';
COMMENT ON COLUMN mart.daily_volume.first_seen IS 'Articles first seen on this day.';

CREATE VIEW mart.data_discontinuity AS
WITH configured AS (
    SELECT request.outlet, request.created_at, outlet_config.config,
           lag(outlet_config.config) OVER (PARTITION BY request.outlet
                                           ORDER BY request.created_at, request.request_id) AS before
    FROM ops.crawl_request request
    JOIN ops.outlet_config ON outlet_config.outlet = request.outlet AND outlet_config.config_hash = request.config_hash
),
polled_crawl AS (
    SELECT crawl.outlet, crawl.started_at,
           lag(crawl.started_at) OVER (PARTITION BY crawl.outlet ORDER BY crawl.started_at) AS before
    FROM ops.crawl
    WHERE crawl.mode = 'incremental' AND crawl.finish_reason IN ('finished', 'budget')
      AND EXISTS (SELECT 1 FROM ops.endpoint_poll poll
                  WHERE poll.crawl_id = crawl.crawl_id AND poll.outcome IN ('listed', 'not_modified'))
),
extracted AS (
    SELECT article.outlet, capture.extractor_id, min(capture.observed_at) AS first_at
    FROM core.capture
    JOIN core.article ON article.article_uid = capture.article_uid
    GROUP BY article.outlet, capture.extractor_id
)
SELECT configured.outlet, configured.created_at AS since, NULL::timestamptz AS until,
       CASE changed.key WHEN 'tier' THEN 'tier' WHEN 'endpoints' THEN 'endpoints' ELSE 'configuration' END AS kind,
       left(changed.key || ': ' || COALESCE((configured.before -> changed.key)::text, 'not set') || ' -> '
            || COALESCE((configured.config -> changed.key)::text, 'not set'), 1000) AS detail
FROM configured
CROSS JOIN LATERAL (
    SELECT DISTINCT setting.key
    FROM (SELECT jsonb_object_keys(configured.config)
          UNION SELECT jsonb_object_keys(configured.before)) AS setting (key)
    WHERE configured.config -> setting.key IS DISTINCT FROM configured.before -> setting.key
) changed
WHERE configured.before IS NOT NULL AND configured.before <> configured.config
UNION ALL
SELECT extracted.outlet, extracted.first_at, NULL, 'extractor', extractor.name || ' ' || extractor.version
FROM extracted
JOIN core.extractor ON extractor.extractor_id = extracted.extractor_id
WHERE extracted.first_at >
      (SELECT min(earliest.first_at) FROM extracted earliest WHERE earliest.outlet = extracted.outlet)
UNION ALL
SELECT promoted.outlet, promotion.since, NULL, 'extractor',
       're-extracted: ' || extractor.name || ' ' || extractor.version
FROM (
    SELECT DISTINCT article.outlet, override.load_seq, override.extractor_id
    FROM core.extraction_override override
    JOIN core.capture ON capture.payload_hash = override.payload_hash
    JOIN core.article ON article.article_uid = capture.article_uid
) promoted
JOIN core.extractor ON extractor.extractor_id = promoted.extractor_id
CROSS JOIN LATERAL (
    SELECT max(changed_at) AS since FROM core.article
    WHERE article.outlet = promoted.outlet AND article.changed_seq >= promoted.load_seq
) promotion
UNION ALL
SELECT polled_crawl.outlet, polled_crawl.before, polled_crawl.started_at, 'outage',
       'no listing was read for ' || date_trunc('minute', polled_crawl.started_at - polled_crawl.before)
FROM polled_crawl
JOIN core.outlet ON outlet.outlet = polled_crawl.outlet
WHERE polled_crawl.started_at - polled_crawl.before >
      CASE outlet.tier WHEN 'hourly' THEN interval '6 hours' WHEN 'six_hourly' THEN interval '24 hours'
                       ELSE interval '3 days' END
UNION ALL
SELECT crawl.outlet, crawl.interval_start, crawl.interval_end, 'backfill',
       'window asked for on ' || to_char(crawl.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ', '
       || COALESCE(crawl.finish_reason, 'running')
FROM ops.crawl
WHERE crawl.mode = 'window';

COMMENT ON VIEW mart.data_discontinuity IS 'Events that can change an outlet''s numbers although the outlet did not change: edits of its file, endpoints or tier, new extractors, outages and backfills.';
COMMENT ON COLUMN mart.data_discontinuity.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.data_discontinuity.since IS 'When the event happened. For outages and backfills, the start.';
COMMENT ON COLUMN mart.data_discontinuity.until IS 'End of an outage or of a backfill window.';
COMMENT ON COLUMN mart.data_discontinuity.kind IS 'configuration, endpoints, tier, extractor, outage or backfill.';
COMMENT ON COLUMN mart.data_discontinuity.detail IS 'Description of the change.';

CREATE VIEW mart.outlet_attribute AS
SELECT outlet, attribute, value, NULLIF(valid_from, '-infinity') AS valid_from, NULLIF(valid_until, 'infinity') AS valid_until,
       source, recorded_at
FROM core.outlet_attribute;

COMMENT ON VIEW mart.outlet_attribute IS 'Attributes of an outlet with their validity period.';
COMMENT ON COLUMN mart.outlet_attribute.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_attribute.attribute IS 'country, owner, type, parent, domain or collection.';
COMMENT ON COLUMN mart.outlet_attribute.value IS 'Value of the attribute.';
COMMENT ON COLUMN mart.outlet_attribute.valid_from IS 'First day of validity; null if it is unknown or the value has always applied.';
COMMENT ON COLUMN mart.outlet_attribute.valid_until IS 'First day on which the value no longer applies; null while it applies.';
COMMENT ON COLUMN mart.outlet_attribute.source IS 'file: the outlet''s file gives the dates. seen: the file changed, and valid_until is the day on which the change was noticed.';
COMMENT ON COLUMN mart.outlet_attribute.recorded_at IS 'When the row was recorded.';

CREATE VIEW mart.outbound_link AS
SELECT article.article_uid, article.outlet, article.url, anchor.position::integer AS position, anchor.link AS cited_url,
       target.host AS cited_domain, cited.outlet AS cited_outlet, known.article_uid AS cited_article
FROM core.article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
    AND extraction.extractor_id = article.extractor_id
CROSS JOIN LATERAL unnest(extraction.links) WITH ORDINALITY AS anchor (link, position)
CROSS JOIN LATERAL (
    SELECT regexp_replace(lower(substring(anchor.link FROM '^https?://(?:[^/@]*@)?([^/:?#]+)')), '^www\.', '') AS host
) target
LEFT JOIN LATERAL (
    SELECT outlet.outlet FROM core.outlet
    WHERE EXISTS (SELECT 1 FROM unnest(outlet.domains) AS own (domain)
                  WHERE target.host = own.domain OR target.host LIKE '%.' || own.domain)
    ORDER BY outlet.outlet LIMIT 1
) cited ON true
LEFT JOIN LATERAL (
    SELECT COALESCE(variant_article.merged_into, variant_article.article_uid) AS article_uid
    FROM core.article_url variant
    JOIN core.article variant_article ON variant_article.article_uid = variant.article_uid
        AND variant_article.hidden_seq IS NULL
    WHERE cited.outlet IS NOT NULL AND variant_article.outlet = cited.outlet AND variant.url = anchor.link
    ORDER BY 1 LIMIT 1
) known ON true
WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.outbound_link IS 'One row per link in the main text of an article, as last captured.';
COMMENT ON COLUMN mart.outbound_link.article_uid IS 'Article that contains the link (mart.article).';
COMMENT ON COLUMN mart.outbound_link.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outbound_link.url IS 'URL of the article.';
COMMENT ON COLUMN mart.outbound_link.position IS 'Position among the links of the text, starting at 1.';
COMMENT ON COLUMN mart.outbound_link.cited_url IS 'Target of the link.';
COMMENT ON COLUMN mart.outbound_link.cited_domain IS 'Host of the target, without www.';
COMMENT ON COLUMN mart.outbound_link.cited_outlet IS 'Outlet that owns the host; null for other hosts.';
COMMENT ON COLUMN mart.outbound_link.cited_article IS 'Article in the warehouse that was found under exactly this URL; null for other targets.';
