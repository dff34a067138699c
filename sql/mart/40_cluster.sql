CREATE VIEW mart.copy_cluster AS
SELECT m.copy_cluster,
       count(*) AS articles,
       count(DISTINCT a.outlet) AS outlets,
       array_agg(DISTINCT a.outlet ORDER BY a.outlet) AS outlet_list,
       (array_agg(a.article_uid ORDER BY a.date_published, a.first_seen_at, a.article_uid))[1] AS first_article,
       (array_agg(a.outlet ORDER BY a.date_published, a.first_seen_at, a.article_uid))[1] AS first_outlet,
       (array_agg(a.headline ORDER BY a.date_published, a.first_seen_at, a.article_uid))[1] AS headline,
       min(a.date_published) AS first_published,
       max(a.date_published) AS last_published
FROM core.cluster_member m
JOIN mart.article a ON a.article_uid = m.article_uid
WHERE m.superseded_seq IS NULL
GROUP BY m.copy_cluster;

COMMENT ON VIEW mart.copy_cluster IS 'Texts that stand in several articles, within or between outlets: a row for each group of articles connected by copies. Articles without a copy have no row here.';
COMMENT ON COLUMN mart.copy_cluster.copy_cluster IS 'Label: the smallest article_uid of the group. A label that was merged away is still an article; mart.article says where it is now.';
COMMENT ON COLUMN mart.copy_cluster.articles IS 'Number of articles.';
COMMENT ON COLUMN mart.copy_cluster.outlets IS 'Number of outlets.';
COMMENT ON COLUMN mart.copy_cluster.outlet_list IS 'The outlets.';
COMMENT ON COLUMN mart.copy_cluster.first_article IS 'The article published first (where dates are equal or unknown: seen first).';
COMMENT ON COLUMN mart.copy_cluster.first_outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.copy_cluster.headline IS 'Its headline.';
COMMENT ON COLUMN mart.copy_cluster.first_published IS 'Earliest date of publication.';
COMMENT ON COLUMN mart.copy_cluster.last_published IS 'Latest date of publication.';

CREATE VIEW mart.article_deduplicated AS
SELECT a.*, COALESCE(s.articles - 1, 0) AS copies
FROM mart.article a
LEFT JOIN mart.copy_cluster s ON s.copy_cluster = a.copy_cluster
WHERE s.copy_cluster IS NULL OR s.first_article = a.article_uid;

COMMENT ON VIEW mart.article_deduplicated IS 'mart.article without copies: of each story cluster the article published first.';
COMMENT ON COLUMN mart.article_deduplicated.copies IS 'Number of its copies that are left out here.';

CREATE VIEW mart.syndication_edge AS
SELECT DISTINCT ON (e.earlier_article, e.later_article)
       e.earlier_article, e.later_article, e.earlier_outlet, e.later_outlet, e.delay,
       e.similarity, e.containment, e.shared_shingles, e.equal_text, e.load_seq
FROM (
    SELECT CASE WHEN o.a_first THEN a.article_uid ELSE b.article_uid END AS earlier_article,
           CASE WHEN o.a_first THEN b.article_uid ELSE a.article_uid END AS later_article,
           CASE WHEN o.a_first THEN a.outlet ELSE b.outlet END AS earlier_outlet,
           CASE WHEN o.a_first THEN b.outlet ELSE a.outlet END AS later_outlet,
           CASE WHEN o.a_first THEN b.date_published - a.date_published
                ELSE a.date_published - b.date_published END AS delay,
           p.similarity, p.containment, p.shared_shingles, one.text_hash = other.text_hash AS equal_text, p.load_seq
    FROM core.copy p
    JOIN core.dedup_text one ON one.dedup_id = p.dedup_a AND one.live
    JOIN core.dedup_text other ON other.dedup_id = p.dedup_b AND other.live
    JOIN mart.article a ON a.article_uid = one.article_uid
    JOIN mart.article b ON b.article_uid = other.article_uid
    CROSS JOIN LATERAL (
        SELECT (COALESCE(a.date_published, 'infinity'), a.first_seen_at, a.article_uid)
             < (COALESCE(b.date_published, 'infinity'), b.first_seen_at, b.article_uid) AS a_first
    ) o
) e
ORDER BY e.earlier_article, e.later_article, e.similarity DESC, e.containment DESC;

COMMENT ON VIEW mart.syndication_edge IS 'Pairs of articles of which one is a copy of the other, verified on their texts: a row a pair, with its most similar versions. Who copied from whom is not known: earlier only says which was published first.';
COMMENT ON COLUMN mart.syndication_edge.earlier_article IS 'The article published first (where dates are equal or unknown: seen first).';
COMMENT ON COLUMN mart.syndication_edge.later_article IS 'The other one.';
COMMENT ON COLUMN mart.syndication_edge.earlier_outlet IS 'Outlet of the earlier one.';
COMMENT ON COLUMN mart.syndication_edge.later_outlet IS 'Outlet of the later one; the same where an outlet has the text twice.';
COMMENT ON COLUMN mart.syndication_edge.delay IS 'Time between their dates of publication; null where one is unknown.';
COMMENT ON COLUMN mart.syndication_edge.similarity IS 'Jaccard similarity of their shingles without recurring lines, 0 to 1.';
COMMENT ON COLUMN mart.syndication_edge.containment IS 'Share of the shorter text''s shingles that the longer one has: 1 for a text that was cut.';
COMMENT ON COLUMN mart.syndication_edge.shared_shingles IS 'Number of shingles (runs of three words; five characters where words are not spaced) that both have; null for equal texts.';
COMMENT ON COLUMN mart.syndication_edge.equal_text IS 'Whether the texts are the same to the letter.';
COMMENT ON COLUMN mart.syndication_edge.load_seq IS 'Load that found the pair.';

CREATE VIEW mart.boilerplate_line AS
SELECT outlet, line, recorded_at FROM core.boilerplate_line;

COMMENT ON VIEW mart.boilerplate_line IS 'Lines that stand in three or more articles of an outlet under as many headlines: left out when texts are compared, kept in the texts. A hint for extraction.prune in the outlet''s file.';
COMMENT ON COLUMN mart.boilerplate_line.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.boilerplate_line.line IS 'The line.';
COMMENT ON COLUMN mart.boilerplate_line.recorded_at IS 'When it was recognised.';

-- The columns that mart.article_deduplicated has from mart.article mean the same.
DO $$
DECLARE
    told record;
BEGIN
    FOR told IN
        SELECT b.attname, col_description('mart.article'::regclass, a.attnum) AS comment
        FROM pg_attribute a
        JOIN pg_attribute b ON b.attrelid = 'mart.article_deduplicated'::regclass AND b.attname = a.attname
        WHERE a.attrelid = 'mart.article'::regclass AND a.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN mart.article_deduplicated.%I IS %L', told.attname, told.comment);
    END LOOP;
END $$;

CREATE VIEW mart.article_summary AS
SELECT a.article_uid, a.outlet, a.url, x.headline, x.date_published, a.first_seen_at, a.last_seen_at, a.gone_at,
       a.revision_count, COALESCE(m.copy_cluster, a.article_uid) AS copy_cluster
FROM core.article a
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
LEFT JOIN core.cluster_member m ON m.article_uid = a.article_uid AND m.superseded_seq IS NULL
WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_summary IS 'mart.article without text and provenance, for lists of many.';
COMMENT ON COLUMN mart.article_summary.article_uid IS 'The article.';
COMMENT ON COLUMN mart.article_summary.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.article_summary.url IS 'Its URL.';
COMMENT ON COLUMN mart.article_summary.headline IS 'Its headline.';
COMMENT ON COLUMN mart.article_summary.date_published IS 'Date of publication, as its page gives it.';
COMMENT ON COLUMN mart.article_summary.first_seen_at IS 'First capture.';
COMMENT ON COLUMN mart.article_summary.last_seen_at IS 'Last capture that found the page.';
COMMENT ON COLUMN mart.article_summary.gone_at IS 'When the page was first found missing, once that was confirmed.';
COMMENT ON COLUMN mart.article_summary.revision_count IS 'Versions seen.';
COMMENT ON COLUMN mart.article_summary.copy_cluster IS 'Its story cluster.';
