CREATE VIEW mart.outlet_coverage AS
WITH looked AS (
    -- Crawls that ended well and whose listings came: what they let us see. An incremental one sees what was listed since
    -- the look before, unless entries may have scrolled off unseen; a window sees its days, as far as they had begun.
    SELECT w.outlet, w.mode, w.started_at, w.interval_start, w.interval_end,
           bool_or(p.gap_suspected) AS gap,
           lag(w.started_at) OVER (PARTITION BY w.outlet, w.mode ORDER BY w.started_at, w.crawl_id) AS looked_before
    FROM ops.crawl w
    JOIN ops.endpoint_poll p ON p.crawl_id = w.crawl_id AND p.outcome IN ('listed', 'not_modified')
    WHERE w.finish_reason IN ('finished', 'budget')
    GROUP BY w.crawl_id, w.outlet, w.mode, w.started_at, w.interval_start, w.interval_end
),
observed AS NOT MATERIALIZED (
    SELECT l.outlet, d.day::date AS day, array_agg(DISTINCT l.mode ORDER BY l.mode) AS modes
    FROM looked l
    JOIN core.outlet o ON o.outlet = l.outlet
    CROSS JOIN LATERAL generate_series(
        date_trunc('day', CASE WHEN l.mode = 'window' THEN l.interval_start
                               WHEN l.gap THEN l.started_at
                               ELSE COALESCE(l.looked_before, l.started_at) END AT TIME ZONE o.timezone),
        CASE WHEN l.mode = 'window' THEN LEAST(l.interval_end - interval '1 microsecond', l.started_at)
             ELSE l.started_at END AT TIME ZONE o.timezone,
        interval '1 day') AS d (day)
    GROUP BY l.outlet, d.day::date
),
loaded AS NOT MATERIALIZED (
    SELECT outlet, date_published_day AS day, count(*) AS articles, sum(word_count) AS words
    FROM mart.article
    WHERE date_published_day IS NOT NULL
    GROUP BY outlet, date_published_day
),
seen AS NOT MATERIALIZED (
    SELECT a.outlet, (a.first_seen_at AT TIME ZONE o.timezone)::date AS day, count(*) AS articles
    FROM core.article a
    JOIN core.outlet o ON o.outlet = a.outlet
    WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL
    GROUP BY a.outlet, 2
),
discovered AS (
    SELECT s.outlet, (s.listed_published AT TIME ZONE o.timezone)::date AS day, count(DISTINCT s.url_uid) AS addresses,
           count(DISTINCT s.url_uid) FILTER (WHERE e.method IN ('sitemap', 'robots', 'archive', 'wordpress')) AS by_the_past
    FROM core.url_listing s
    JOIN core.outlet o ON o.outlet = s.outlet
    JOIN ops.endpoint e ON e.endpoint_id = s.endpoint_id
    WHERE s.listed_published IS NOT NULL
    GROUP BY s.outlet, 2
),
span AS (
    SELECT b.outlet, min(b.day) AS first_day, max(b.day) AS last_day
    FROM (
        SELECT outlet, day FROM observed
        UNION ALL SELECT outlet, day FROM loaded
        UNION ALL SELECT outlet, day FROM seen
    ) b
    GROUP BY b.outlet
),
daily AS NOT MATERIALIZED (
    SELECT s.outlet, g.day::date AS day, v.modes, COALESCE(l.articles, 0) AS loaded, COALESCE(l.words, 0) AS words,
           COALESCE(f.articles, 0) AS first_seen, COALESCE(d.addresses, 0) AS discovered,
           COALESCE(d.by_the_past, 0) AS by_the_past
    FROM span s
    CROSS JOIN LATERAL generate_series(s.first_day::timestamp, s.last_day::timestamp, interval '1 day') AS g (day)
    LEFT JOIN observed v ON v.outlet = s.outlet AND v.day = g.day::date
    LEFT JOIN loaded l ON l.outlet = s.outlet AND l.day = g.day::date
    LEFT JOIN seen f ON f.outlet = s.outlet AND f.day = g.day::date
    LEFT JOIN discovered d ON d.outlet = s.outlet AND d.day = g.day::date
),
usual AS (
    SELECT outlet, EXTRACT(isodow FROM day) AS weekday,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY loaded) AS articles
    FROM daily
    WHERE modes IS NOT NULL
    GROUP BY outlet, 2
    HAVING count(*) >= 3
)
SELECT y.outlet, y.day, y.modes IS NOT NULL AS observed, COALESCE(y.modes, '{}') AS observed_by, y.discovered, y.loaded,
       y.words, y.first_seen,
       CASE WHEN y.by_the_past > 0 THEN y.by_the_past ELSE round(u.articles)::bigint END AS expected,
       CASE WHEN y.by_the_past > 0 THEN 'listed' WHEN u.articles IS NOT NULL THEN 'usual' END AS expected_basis
FROM daily y
LEFT JOIN usual u ON u.outlet = y.outlet AND u.weekday = EXTRACT(isodow FROM y.day);

COMMENT ON VIEW mart.outlet_coverage IS 'What is known of each outlet''s days of publication: a row a day, from its first to its last day of any kind. A day without articles that was observed is a zero; one that was not is a gap.';
COMMENT ON COLUMN mart.outlet_coverage.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.outlet_coverage.day IS 'Calendar day at the outlet.';
COMMENT ON COLUMN mart.outlet_coverage.observed IS 'Whether a crawl that ended well looked for what was published on this day.';
COMMENT ON COLUMN mart.outlet_coverage.observed_by IS 'Modes of those crawls: incremental, window.';
COMMENT ON COLUMN mart.outlet_coverage.discovered IS 'Addresses that listings date on this day.';
COMMENT ON COLUMN mart.outlet_coverage.loaded IS 'Articles published on this day, as the outlet dates them.';
COMMENT ON COLUMN mart.outlet_coverage.words IS 'Words of their texts.';
COMMENT ON COLUMN mart.outlet_coverage.first_seen IS 'Articles that were seen for the first time on this day.';
COMMENT ON COLUMN mart.outlet_coverage.expected IS 'Articles that this day should have; null where nothing says so.';
COMMENT ON COLUMN mart.outlet_coverage.expected_basis IS 'listed: sitemaps, archives or WordPress name so many. usual: the median of this weekday over the observed days.';

CREATE VIEW mart.daily_volume AS
SELECT outlet, day, observed,
       CASE WHEN observed OR loaded > 0 THEN loaded END AS published,
       CASE WHEN observed OR loaded > 0 THEN words END AS words,
       first_seen
FROM mart.outlet_coverage;

COMMENT ON VIEW mart.daily_volume IS 'Articles by outlet and day: zero on observed days without any, null on days that nobody looked at and of which nothing is known.';
COMMENT ON COLUMN mart.daily_volume.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.daily_volume.day IS 'Calendar day at the outlet.';
COMMENT ON COLUMN mart.daily_volume.observed IS 'Whether a crawl looked for what was published on this day (mart.outlet_coverage). Where it is false the number is a lower bound.';
COMMENT ON COLUMN mart.daily_volume.published IS 'Articles published on this day, as the outlet dates them; null where nothing is known.';
COMMENT ON COLUMN mart.daily_volume.words IS 'Words of their texts.';
COMMENT ON COLUMN mart.daily_volume.first_seen IS 'Articles that were seen for the first time on this day.';

CREATE VIEW mart.data_discontinuity AS
WITH configured AS (
    SELECT q.outlet, q.created_at, c.config,
           lag(c.config) OVER (PARTITION BY q.outlet ORDER BY q.created_at, q.request_id) AS before
    FROM ops.crawl_request q
    JOIN ops.outlet_config c ON c.outlet = q.outlet AND c.config_hash = q.config_hash
),
looked AS (
    SELECT w.outlet, w.started_at, lag(w.started_at) OVER (PARTITION BY w.outlet ORDER BY w.started_at) AS before
    FROM ops.crawl w
    WHERE w.mode = 'incremental' AND w.finish_reason IN ('finished', 'budget')
      AND EXISTS (SELECT 1 FROM ops.endpoint_poll p
                  WHERE p.crawl_id = w.crawl_id AND p.outcome IN ('listed', 'not_modified'))
),
extracted AS (
    SELECT a.outlet, v.extractor_id, min(v.observed_at) AS first_at
    FROM core.capture v
    JOIN core.article a ON a.article_uid = v.article_uid
    GROUP BY a.outlet, v.extractor_id
)
SELECT c.outlet, c.created_at AS since, NULL::timestamptz AS until,
       CASE k.key WHEN 'tier' THEN 'tier' WHEN 'endpoints' THEN 'endpoints' ELSE 'configuration' END AS kind,
       left(k.key || ': ' || COALESCE((c.before -> k.key)::text, 'not set') || ' -> '
            || COALESCE((c.config -> k.key)::text, 'not set'), 1000) AS detail
FROM configured c
CROSS JOIN LATERAL (
    SELECT DISTINCT e.key
    FROM (SELECT jsonb_object_keys(c.config) UNION SELECT jsonb_object_keys(c.before)) AS e (key)
    WHERE c.config -> e.key IS DISTINCT FROM c.before -> e.key
) k
WHERE c.before IS NOT NULL AND c.before <> c.config
UNION ALL
SELECT e.outlet, e.first_at, NULL, 'extractor', r.name || ' ' || r.version
FROM extracted e
JOIN core.extractor r ON r.extractor_id = e.extractor_id
WHERE e.first_at > (SELECT min(f.first_at) FROM extracted f WHERE f.outlet = e.outlet)
UNION ALL
SELECT a.outlet, p.since, NULL, 'extractor', 're-extracted: ' || r.name || ' ' || r.version
FROM (
    SELECT DISTINCT a.outlet, w.load_seq, w.extractor_id
    FROM core.extraction_override w
    JOIN core.capture v ON v.payload_hash = w.payload_hash
    JOIN core.article a ON a.article_uid = v.article_uid
) a
JOIN core.extractor r ON r.extractor_id = a.extractor_id
CROSS JOIN LATERAL (SELECT max(changed_at) AS since FROM core.article c WHERE c.outlet = a.outlet AND c.changed_seq >= a.load_seq) p
UNION ALL
SELECT l.outlet, l.before, l.started_at, 'outage', 'no listing was read for ' || date_trunc('minute', l.started_at - l.before)
FROM looked l
JOIN core.outlet o ON o.outlet = l.outlet
WHERE l.started_at - l.before > CASE o.tier WHEN 'hourly' THEN interval '6 hours' WHEN 'six_hourly' THEN interval '24 hours'
                                            ELSE interval '3 days' END
UNION ALL
SELECT w.outlet, w.interval_start, w.interval_end, 'backfill',
       'window asked for on ' || to_char(w.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ', ' || COALESCE(w.finish_reason, 'running')
FROM ops.crawl w
WHERE w.mode = 'window';

COMMENT ON VIEW mart.data_discontinuity IS 'What may make an outlet''s numbers jump without the outlet having done anything: changes of its file, of endpoints, tier, extractor; outages; backfills.';
COMMENT ON COLUMN mart.data_discontinuity.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.data_discontinuity.since IS 'When; of outages and backfills: the begin.';
COMMENT ON COLUMN mart.data_discontinuity.until IS 'End of an outage, or of a backfill''s window.';
COMMENT ON COLUMN mart.data_discontinuity.kind IS 'configuration, endpoints, tier, extractor, outage or backfill.';
COMMENT ON COLUMN mart.data_discontinuity.detail IS 'What changed.';

CREATE VIEW mart.outlet_attribute AS
SELECT outlet, attribute, value, NULLIF(valid_from, '-infinity') AS valid_from, NULLIF(valid_until, 'infinity') AS valid_until,
       source, recorded_at
FROM core.outlet_attribute;

COMMENT ON VIEW mart.outlet_attribute IS 'What an outlet was, and from when to when.';
COMMENT ON COLUMN mart.outlet_attribute.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.outlet_attribute.attribute IS 'country, owner, type, parent, domain or collection.';
COMMENT ON COLUMN mart.outlet_attribute.value IS 'Its value.';
COMMENT ON COLUMN mart.outlet_attribute.valid_from IS 'First day; null where it is not known or always was so.';
COMMENT ON COLUMN mart.outlet_attribute.valid_until IS 'First day on which it no longer holds; null while it does.';
COMMENT ON COLUMN mart.outlet_attribute.source IS 'file: the outlet''s file gives the dates. seen: the file changed, and valid_until is the day we saw it.';
COMMENT ON COLUMN mart.outlet_attribute.recorded_at IS 'When it was recorded.';

CREATE VIEW mart.outbound_link AS
SELECT a.article_uid, a.outlet, a.url, l.position::integer AS position, l.link AS cited_url, h.host AS cited_domain,
       o.outlet AS cited_outlet, u.article_uid AS cited_article
FROM core.article a
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
CROSS JOIN LATERAL unnest(x.links) WITH ORDINALITY AS l (link, position)
CROSS JOIN LATERAL (
    SELECT regexp_replace(lower(substring(l.link FROM '^https?://(?:[^/@]*@)?([^/:?#]+)')), '^www\.', '') AS host
) h
LEFT JOIN LATERAL (
    SELECT o.outlet FROM core.outlet o
    WHERE EXISTS (SELECT 1 FROM unnest(o.domains) AS d (domain) WHERE h.host = d.domain OR h.host LIKE '%.' || d.domain)
    ORDER BY o.outlet LIMIT 1
) o ON true
LEFT JOIN LATERAL (
    SELECT COALESCE(b.merged_into, b.article_uid) AS article_uid
    FROM core.article_url v
    JOIN core.article b ON b.article_uid = v.article_uid AND b.hidden_seq IS NULL
    WHERE o.outlet IS NOT NULL AND b.outlet = o.outlet AND v.url = l.link
    ORDER BY 1 LIMIT 1
) u ON true
WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL;

COMMENT ON VIEW mart.outbound_link IS 'Links in the main texts of articles: a row a link, as the article was last seen.';
COMMENT ON COLUMN mart.outbound_link.article_uid IS 'The article that links.';
COMMENT ON COLUMN mart.outbound_link.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.outbound_link.url IS 'Its URL.';
COMMENT ON COLUMN mart.outbound_link.position IS 'Place among the links of the text, from 1.';
COMMENT ON COLUMN mart.outbound_link.cited_url IS 'Where the link leads.';
COMMENT ON COLUMN mart.outbound_link.cited_domain IS 'Host of that address, without www.';
COMMENT ON COLUMN mart.outbound_link.cited_outlet IS 'Outlet whose domain that is; null for others.';
COMMENT ON COLUMN mart.outbound_link.cited_article IS 'Article of the warehouse that was met under exactly that address; null for others.';
