CREATE VIEW mart.story_cluster AS
SELECT m.story_cluster,
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
GROUP BY m.story_cluster;

COMMENT ON VIEW mart.story_cluster IS 'Texts that stand in several articles, within or between outlets: a row for each group of articles connected by copies. Articles without a copy have no row here.';
COMMENT ON COLUMN mart.story_cluster.story_cluster IS 'Label: the smallest article_uid of the group. A label that was merged away is still an article; mart.article says where it is now.';
COMMENT ON COLUMN mart.story_cluster.articles IS 'Number of articles.';
COMMENT ON COLUMN mart.story_cluster.outlets IS 'Number of outlets.';
COMMENT ON COLUMN mart.story_cluster.outlet_list IS 'The outlets.';
COMMENT ON COLUMN mart.story_cluster.first_article IS 'The article published first (where dates are equal or unknown: seen first).';
COMMENT ON COLUMN mart.story_cluster.first_outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.story_cluster.headline IS 'Its headline.';
COMMENT ON COLUMN mart.story_cluster.first_published IS 'Earliest date of publication.';
COMMENT ON COLUMN mart.story_cluster.last_published IS 'Latest date of publication.';

CREATE VIEW mart.article_unique AS
SELECT a.*, COALESCE(s.articles - 1, 0) AS copies
FROM mart.article a
LEFT JOIN mart.story_cluster s ON s.story_cluster = a.story_cluster
WHERE s.story_cluster IS NULL OR s.first_article = a.article_uid;

COMMENT ON VIEW mart.article_unique IS 'mart.article without copies: of each story cluster the article published first.';
COMMENT ON COLUMN mart.article_unique.copies IS 'Number of its copies that are left out here.';

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
    JOIN core.compared_text one ON one.compared_id = p.compared_a AND one.live
    JOIN core.compared_text other ON other.compared_id = p.compared_b AND other.live
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

CREATE VIEW mart.recurring_line AS
SELECT outlet, line, recorded_at FROM core.recurring_line;

COMMENT ON VIEW mart.recurring_line IS 'Lines that stand in three or more articles of an outlet under as many headlines: left out when texts are compared, kept in the texts. A hint for extraction.prune in the outlet''s file.';
COMMENT ON COLUMN mart.recurring_line.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.recurring_line.line IS 'The line.';
COMMENT ON COLUMN mart.recurring_line.recorded_at IS 'When it was recognised.';

-- The columns that mart.article_unique has from mart.article mean the same.
DO $$
DECLARE
    told record;
BEGIN
    FOR told IN
        SELECT b.attname, col_description('mart.article'::regclass, a.attnum) AS comment
        FROM pg_attribute a
        JOIN pg_attribute b ON b.attrelid = 'mart.article_unique'::regclass AND b.attname = a.attname
        WHERE a.attrelid = 'mart.article'::regclass AND a.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN mart.article_unique.%I IS %L', told.attname, told.comment);
    END LOOP;
END $$;
