-- Snapshots: named states of the warehouse, and the contents of their datasheets.

-- name: last_load
-- Return the last load whose rows are visible. Numbers follow the order of commits.
SELECT GREATEST(
    (SELECT COALESCE(max(changed_seq), 0) FROM core.article),
    (SELECT COALESCE(max(load_seq), 0) FROM ops.segment WHERE state = 'loaded'),
    (SELECT COALESCE(max(applied_seq), 0) FROM ops.removal));

-- name: names
-- List the names of snapshots.
SELECT name FROM ops.snapshot ORDER BY created_at, name;

-- name: all
-- Return one snapshot, or all if the name is null.
SELECT stored.name, stored.load_seq, stored.created_at, stored.created_by, stored.code_version, stored.sig_version,
       stored.extractors, stored.outlets, stored.removals, stored.counts, stored.content_hash, shown.removals_since
FROM ops.snapshot stored
JOIN mart.snapshot shown ON shown.name = stored.name
WHERE stored.name = %(name)s OR %(name)s::text IS NULL
ORDER BY stored.created_at, stored.name;

-- name: add
-- Add a snapshot with the extractors, outlets, removals and counts of its state.
INSERT INTO ops.snapshot (name, load_seq, created_by, code_version, sig_version, extractors, outlets, removals, counts,
                          content_hash)
SELECT %(name)s, %(load_seq)s, %(created_by)s, %(code_version)s, %(sig_version)s,
       COALESCE((SELECT jsonb_agg(jsonb_build_object('extractor', by_extractor.extractor,
                                                     'articles', by_extractor.articles)
                                  ORDER BY by_extractor.extractor)
                 FROM (SELECT extractor.name || ' ' || extractor.version AS extractor, count(*) AS articles
                       FROM core.article_state(%(load_seq)s) article
                       JOIN core.extractor ON extractor.extractor_id = article.extractor_id
                       WHERE article.merged_into IS NULL GROUP BY 1) by_extractor), '[]'),
       COALESCE((SELECT jsonb_agg(jsonb_build_object('outlet', by_outlet.outlet, 'articles', by_outlet.articles,
                                                     'config', by_outlet.config)
                                  ORDER BY by_outlet.outlet)
                 FROM (SELECT article.outlet, count(*) AS articles,
                              (SELECT encode(request.config_hash, 'hex') FROM ops.crawl_request request
                               WHERE request.outlet = article.outlet ORDER BY request.created_at DESC LIMIT 1) AS config
                       FROM core.article_state(%(load_seq)s) article
                       WHERE article.merged_into IS NULL GROUP BY article.outlet) by_outlet), '[]'),
       (SELECT count(*) FROM ops.removal WHERE applied_seq <= %(load_seq)s),
       (SELECT jsonb_build_object(
            'articles', count(*) FILTER (WHERE article.merged_into IS NULL),
            'texts', count(DISTINCT extraction.text_hash),
            'comments', (SELECT count(*) FROM core.comment WHERE comment.load_seq <= %(load_seq)s),
            'revisions', sum(article.revision_count) FILTER (WHERE article.merged_into IS NULL),
            'clusters', (SELECT count(DISTINCT member.copy_cluster) FROM core.cluster_member member
                         WHERE member.load_seq <= %(load_seq)s
                           AND (member.superseded_seq IS NULL OR member.superseded_seq > %(load_seq)s)))
        FROM core.article_state(%(load_seq)s) article
        JOIN core.extraction ON extraction.payload_hash = article.payload_hash
                            AND extraction.extractor_id = article.extractor_id),
       %(content_hash)s
ON CONFLICT (name) DO NOTHING;

-- name: article_comments
-- Count the comments of a state that still exist.
SELECT count(*) FROM core.comment WHERE load_seq <= %(load_seq)s;

-- name: removals_since
-- List removals entered after a snapshot.
SELECT removal.created_at, removal.target, removal.action, removal.reason, removal.articles
FROM ops.removal JOIN ops.snapshot ON snapshot.name = %(name)s
WHERE removal.created_at > snapshot.created_at
ORDER BY removal.created_at;

-- name: coverage
-- Return per outlet the articles, days and languages of a state.
SELECT article.outlet, outlet.name, outlet.country, count(*) AS articles,
       min(article.date_published)::date AS first_day, max(article.date_published)::date AS last_day,
       (SELECT count(*) FROM mart.outlet_coverage coverage
        WHERE coverage.outlet = article.outlet AND coverage.observed) AS days_observed,
       count(*) FILTER (WHERE article.date_published IS NULL) AS without_date,
       array_to_string(array_agg(DISTINCT article.in_language ORDER BY article.in_language), ', ') AS languages
FROM mart.article_as_of(%(as_of)s) article
JOIN mart.outlet ON outlet.outlet = article.outlet
GROUP BY article.outlet, outlet.name, outlet.country
ORDER BY article.outlet;

-- name: gaps
-- Return the 50 longest runs of days without observation, and listings that may have dropped entries between two polls.
SELECT gap.outlet, 'not observed' AS kind, gap.first_day, gap.last_day, gap.days
FROM (
    SELECT numbered.outlet, min(numbered.day) AS first_day, max(numbered.day) AS last_day, count(*) AS days
    FROM (
        SELECT coverage.outlet, coverage.day,
               coverage.day - (row_number() OVER (PARTITION BY coverage.outlet ORDER BY coverage.day))::integer AS run
        FROM mart.outlet_coverage coverage
        WHERE NOT coverage.observed
    ) numbered
    GROUP BY numbered.outlet, numbered.run
    ORDER BY count(*) DESC, numbered.outlet, min(numbered.day)
    LIMIT 50
) gap
UNION ALL
SELECT endpoint.outlet, 'entries may have scrolled off: ' || endpoint.url,
       min(poll.polled_at)::date, max(poll.polled_at)::date, count(*)
FROM ops.endpoint_poll poll
JOIN ops.endpoint ON endpoint.endpoint_id = poll.endpoint_id
WHERE poll.gap_suspected AND poll.polled_at <= %(until)s
GROUP BY endpoint.outlet, endpoint.url;

-- name: breaks
-- List data discontinuities up to a time.
SELECT discontinuity.outlet, discontinuity.since::date AS since, discontinuity.until::date AS until,
       discontinuity.kind, left(discontinuity.detail, 200) AS detail
FROM mart.data_discontinuity discontinuity
WHERE discontinuity.since <= %(until)s
ORDER BY discontinuity.outlet, discontinuity.since;

-- name: fields
-- Return per outlet the share of articles that have the most used fields.
SELECT article.outlet, round(avg((article.headline IS NOT NULL)::integer), 2) AS headline,
       round(avg((cardinality(article.authors) > 0)::integer), 2) AS authors,
       round(avg((article.date_published IS NOT NULL)::integer), 2) AS date_published,
       round(avg((article.description IS NOT NULL)::integer), 2) AS description,
       round(avg((article.article_section IS NOT NULL)::integer), 2) AS article_section,
       round(avg(article.word_count), 0) AS words
FROM mart.article_as_of(%(as_of)s) article
GROUP BY article.outlet ORDER BY article.outlet;

-- name: outcomes
-- Count rejected URLs up to a time by outlet and outcome.
SELECT outlet, outcome, count(*) AS addresses FROM mart.rejected_url
WHERE decided_at <= %(until)s GROUP BY outlet, outcome ORDER BY outlet, count(*) DESC;

-- name: rights
-- Return each outlet's rights signals.
SELECT outlet, robots_status, tdmrep_status, content_signal, content_usage, license, noai, tdm_reserved
FROM mart.outlet_rights ORDER BY outlet;
