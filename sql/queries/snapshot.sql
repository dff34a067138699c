-- Named states of the warehouse, and what a datasheet tells of them.

-- name: last_load
-- The last load whose rows are to be seen: numbers are given in the order of commits.
SELECT GREATEST(
    (SELECT COALESCE(max(changed_seq), 0) FROM core.article),
    (SELECT COALESCE(max(load_seq), 0) FROM ops.segment WHERE state = 'loaded'),
    (SELECT COALESCE(max(applied_seq), 0) FROM ops.removal));

-- name: names
SELECT name FROM ops.snapshot ORDER BY created_at, name;

-- name: all
-- Snapshots, or the one of a name.
SELECT s.name, s.load_seq, s.created_at, s.created_by, s.code_version, s.sig_version, s.extractors, s.outlets, s.removals,
       s.counts, s.content_hash, m.removals_since
FROM ops.snapshot s
JOIN mart.snapshot m ON m.name = s.name
WHERE s.name = %(name)s OR %(name)s::text IS NULL
ORDER BY s.created_at, s.name;

-- name: add
-- A state under a name, with what it holds.
INSERT INTO ops.snapshot (name, load_seq, created_by, code_version, sig_version, extractors, outlets, removals, counts,
                          content_hash)
SELECT %(name)s, %(load_seq)s, %(created_by)s, %(code_version)s, %(sig_version)s,
       COALESCE((SELECT jsonb_agg(jsonb_build_object('extractor', e.extractor, 'articles', e.articles) ORDER BY e.extractor)
                 FROM (SELECT r.name || ' ' || r.version AS extractor, count(*) AS articles
                       FROM core.article_state(%(load_seq)s) s
                       JOIN core.extractor r ON r.extractor_id = s.extractor_id
                       WHERE s.merged_into IS NULL GROUP BY 1) e), '[]'),
       COALESCE((SELECT jsonb_agg(jsonb_build_object('outlet', o.outlet, 'articles', o.articles, 'config', o.config)
                                  ORDER BY o.outlet)
                 FROM (SELECT s.outlet, count(*) AS articles,
                              (SELECT encode(q.config_hash, 'hex') FROM ops.crawl_request q
                               WHERE q.outlet = s.outlet ORDER BY q.created_at DESC LIMIT 1) AS config
                       FROM core.article_state(%(load_seq)s) s
                       WHERE s.merged_into IS NULL GROUP BY s.outlet) o), '[]'),
       (SELECT count(*) FROM ops.removal WHERE applied_seq <= %(load_seq)s),
       (SELECT jsonb_build_object(
            'articles', count(*) FILTER (WHERE s.merged_into IS NULL),
            'texts', count(DISTINCT x.text_hash),
            'comments', (SELECT count(*) FROM core.comment c WHERE c.load_seq <= %(load_seq)s),
            'revisions', sum(s.revision_count) FILTER (WHERE s.merged_into IS NULL),
            'clusters', (SELECT count(DISTINCT k.copy_cluster) FROM core.cluster_member k
                         WHERE k.load_seq <= %(load_seq)s
                           AND (k.superseded_seq IS NULL OR k.superseded_seq > %(load_seq)s)))
        FROM core.article_state(%(load_seq)s) s
        JOIN core.extraction x ON x.payload_hash = s.payload_hash AND x.extractor_id = s.extractor_id),
       %(content_hash)s
ON CONFLICT (name) DO NOTHING;

-- name: article_comments
-- Readers' comments of a state that are still there.
SELECT count(*) FROM core.comment c WHERE c.load_seq <= %(load_seq)s;

-- name: removals_since
-- Removals since a snapshot.
SELECT r.created_at, r.target, r.action, r.reason, r.articles
FROM ops.removal r JOIN ops.snapshot s ON s.name = %(name)s
WHERE r.created_at > s.created_at
ORDER BY r.created_at;

-- name: coverage
-- An outlet's articles, days and languages in a state.
SELECT a.outlet, o.name, o.country, count(*) AS articles,
       min(a.date_published)::date AS first_day, max(a.date_published)::date AS last_day,
       (SELECT count(*) FROM mart.outlet_coverage c WHERE c.outlet = a.outlet AND c.observed) AS days_observed,
       count(*) FILTER (WHERE a.date_published IS NULL) AS without_date,
       array_to_string(array_agg(DISTINCT a.in_language ORDER BY a.in_language), ', ') AS languages
FROM mart.article_as_of(%(as_of)s) a
JOIN mart.outlet o ON o.outlet = a.outlet
GROUP BY a.outlet, o.name, o.country
ORDER BY a.outlet;

-- name: gaps
-- Runs of days that nobody looked at, the longest first, and listings with suspected gaps.
SELECT g.outlet, 'not observed' AS kind, g.first_day, g.last_day, g.days
FROM (
    SELECT r.outlet, min(r.day) AS first_day, max(r.day) AS last_day, count(*) AS days
    FROM (
        SELECT c.outlet, c.day, c.day - (row_number() OVER (PARTITION BY c.outlet ORDER BY c.day))::integer AS run
        FROM mart.outlet_coverage c
        WHERE NOT c.observed
    ) r
    GROUP BY r.outlet, r.run
    ORDER BY count(*) DESC, r.outlet, min(r.day)
    LIMIT 50
) g
UNION ALL
SELECT e.outlet, 'entries may have scrolled off: ' || e.url, min(p.polled_at)::date, max(p.polled_at)::date, count(*)
FROM ops.endpoint_poll p
JOIN ops.endpoint e ON e.endpoint_id = p.endpoint_id
WHERE p.gap_suspected AND p.polled_at <= %(until)s
GROUP BY e.outlet, e.url;

-- name: breaks
SELECT b.outlet, b.since::date AS since, b.until::date AS until, b.kind, left(b.detail, 200) AS detail
FROM mart.data_discontinuity b
WHERE b.since <= %(until)s
ORDER BY b.outlet, b.since;

-- name: fields
-- Share of the articles of each outlet that have the fields most asked for.
SELECT a.outlet, round(avg((a.headline IS NOT NULL)::integer), 2) AS headline,
       round(avg((cardinality(a.authors) > 0)::integer), 2) AS authors,
       round(avg((a.date_published IS NOT NULL)::integer), 2) AS date_published,
       round(avg((a.description IS NOT NULL)::integer), 2) AS description,
       round(avg((a.article_section IS NOT NULL)::integer), 2) AS article_section,
       round(avg(a.word_count), 0) AS words
FROM mart.article_as_of(%(as_of)s) a
GROUP BY a.outlet ORDER BY a.outlet;

-- name: outcomes
SELECT r.outlet, r.outcome, count(*) AS addresses FROM mart.rejected_url r
WHERE r.decided_at <= %(until)s GROUP BY r.outlet, r.outcome ORDER BY r.outlet, count(*) DESC;

-- name: rights
SELECT outlet, robots_status, tdmrep_status, content_signal, content_usage, license, noai, tdm_reserved
FROM mart.outlet_rights ORDER BY outlet;
