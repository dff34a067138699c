CREATE VIEW mart.copy_cluster AS
SELECT member.copy_cluster,
       count(*) AS articles,
       count(DISTINCT article.outlet) AS outlets,
       array_agg(DISTINCT article.outlet ORDER BY article.outlet) AS outlet_list,
       (array_agg(article.article_uid
                  ORDER BY article.date_published, article.first_seen_at, article.article_uid))[1] AS first_article,
       (array_agg(article.outlet
                  ORDER BY article.date_published, article.first_seen_at, article.article_uid))[1] AS first_outlet,
       (array_agg(article.headline
                  ORDER BY article.date_published, article.first_seen_at, article.article_uid))[1] AS headline,
       min(article.date_published) AS first_published,
       max(article.date_published) AS last_published
FROM core.cluster_member member
JOIN mart.article ON article.article_uid = member.article_uid
WHERE member.superseded_seq IS NULL
GROUP BY member.copy_cluster;

COMMENT ON VIEW mart.copy_cluster IS 'One row per group of articles connected by copies, within or between outlets. Articles without a copy are not listed.';
COMMENT ON COLUMN mart.copy_cluster.copy_cluster IS 'Label of the cluster: its smallest article_uid. If clusters merge, the old label remains an article, and mart.article has its current cluster.';
COMMENT ON COLUMN mart.copy_cluster.articles IS 'Number of articles.';
COMMENT ON COLUMN mart.copy_cluster.outlets IS 'Number of outlets.';
COMMENT ON COLUMN mart.copy_cluster.outlet_list IS 'Outlet slugs.';
COMMENT ON COLUMN mart.copy_cluster.first_article IS 'Article that was published first, or seen first if the dates are equal or unknown.';
COMMENT ON COLUMN mart.copy_cluster.first_outlet IS 'Outlet of the first article.';
COMMENT ON COLUMN mart.copy_cluster.headline IS 'Headline of the first article.';
COMMENT ON COLUMN mart.copy_cluster.first_published IS 'Earliest publication date.';
COMMENT ON COLUMN mart.copy_cluster.last_published IS 'Latest publication date.';

CREATE VIEW mart.article_deduplicated AS
SELECT article.*, COALESCE(cluster.articles - 1, 0) AS copies
FROM mart.article
LEFT JOIN mart.copy_cluster cluster ON cluster.copy_cluster = article.copy_cluster
WHERE cluster.copy_cluster IS NULL OR cluster.first_article = article.article_uid;

COMMENT ON VIEW mart.article_deduplicated IS 'mart.article without copies: the first published article of each copy cluster, and every article without copies.';
COMMENT ON COLUMN mart.article_deduplicated.copies IS 'Number of copies that this view omits.';

CREATE VIEW mart.syndication_edge AS
SELECT DISTINCT ON (edge.earlier_article, edge.later_article)
       edge.earlier_article, edge.later_article, edge.earlier_outlet, edge.later_outlet, edge.delay,
       edge.similarity, edge.containment, edge.shared_shingles, edge.equal_text, edge.load_seq
FROM (
    SELECT CASE WHEN ordering.a_first THEN article_a.article_uid ELSE article_b.article_uid END AS earlier_article,
           CASE WHEN ordering.a_first THEN article_b.article_uid ELSE article_a.article_uid END AS later_article,
           CASE WHEN ordering.a_first THEN article_a.outlet ELSE article_b.outlet END AS earlier_outlet,
           CASE WHEN ordering.a_first THEN article_b.outlet ELSE article_a.outlet END AS later_outlet,
           CASE WHEN ordering.a_first THEN article_b.date_published - article_a.date_published
                ELSE article_a.date_published - article_b.date_published END AS delay,
           copy.similarity, copy.containment, copy.shared_shingles, text_a.text_hash = text_b.text_hash AS equal_text,
           copy.load_seq
    FROM core.copy
    JOIN core.dedup_text text_a ON text_a.dedup_id = copy.dedup_a AND text_a.live
    JOIN core.dedup_text text_b ON text_b.dedup_id = copy.dedup_b AND text_b.live
    JOIN mart.article article_a ON article_a.article_uid = text_a.article_uid
    JOIN mart.article article_b ON article_b.article_uid = text_b.article_uid
    CROSS JOIN LATERAL (
        SELECT (COALESCE(article_a.date_published, 'infinity'), article_a.first_seen_at, article_a.article_uid)
             < (COALESCE(article_b.date_published, 'infinity'), article_b.first_seen_at, article_b.article_uid)
               AS a_first
    ) ordering
) edge
ORDER BY edge.earlier_article, edge.later_article, edge.similarity DESC, edge.containment DESC;

COMMENT ON VIEW mart.syndication_edge IS 'One row per pair of articles that are copies of each other, verified on their texts. If they have several matching texts, the most similar pair is shown. The earlier article was published first, which does not prove that the later one copied it.';
COMMENT ON COLUMN mart.syndication_edge.earlier_article IS 'Article that was published first, or seen first if the dates are equal or unknown.';
COMMENT ON COLUMN mart.syndication_edge.later_article IS 'The other article.';
COMMENT ON COLUMN mart.syndication_edge.earlier_outlet IS 'Outlet of the earlier article.';
COMMENT ON COLUMN mart.syndication_edge.later_outlet IS 'Outlet of the later article. It equals earlier_outlet if an outlet published the text twice.';
COMMENT ON COLUMN mart.syndication_edge.delay IS 'Time between the two publication dates; null if one is unknown.';
COMMENT ON COLUMN mart.syndication_edge.similarity IS 'Jaccard similarity of the two sets of shingles without boilerplate lines, 0 to 1.';
COMMENT ON COLUMN mart.syndication_edge.containment IS 'Share of the shorter text''s shingles that the longer text contains; 1 for a text that was only cut.';
COMMENT ON COLUMN mart.syndication_edge.shared_shingles IS 'Number of shingles that both texts contain (three consecutive words, or five characters in scripts without spaces); null for equal texts.';
COMMENT ON COLUMN mart.syndication_edge.equal_text IS 'Whether the texts are identical.';
COMMENT ON COLUMN mart.syndication_edge.load_seq IS 'load_seq of the load that found the pair.';

CREATE VIEW mart.repeated_line AS
SELECT outlet, line, articles, learned_on, last_seen_on FROM core.outlet_line
WHERE NOT is_forgotten;

COMMENT ON VIEW mart.repeated_line IS 'Lines that an outlet repeats above or below its texts. Extraction removes them there, so articles fetched later do not have them.';
COMMENT ON COLUMN mart.repeated_line.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.repeated_line.line IS 'The line as written in one of the articles.';
COMMENT ON COLUMN mart.repeated_line.articles IS 'Number of articles from which it was learned.';
COMMENT ON COLUMN mart.repeated_line.learned_on IS 'Day on which it was learned.';
COMMENT ON COLUMN mart.repeated_line.last_seen_on IS 'Last day on which a page had it.';

CREATE VIEW mart.boilerplate_line AS
SELECT outlet, line, recorded_at FROM core.boilerplate_line;

COMMENT ON VIEW mart.boilerplate_line IS 'Lines that appear in at least three articles of an outlet, each time under a different headline. They are ignored when texts are compared, but the stored texts keep them. Use them as hints for extraction.prune in the outlet''s file.';
COMMENT ON COLUMN mart.boilerplate_line.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.boilerplate_line.line IS 'The line.';
COMMENT ON COLUMN mart.boilerplate_line.recorded_at IS 'When the line was recognised as boilerplate.';

-- Copy the column comments of mart.article to mart.article_deduplicated.
DO $$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT view_column.attname, col_description('mart.article'::regclass, source_column.attnum) AS comment
        FROM pg_attribute source_column
        JOIN pg_attribute view_column ON view_column.attrelid = 'mart.article_deduplicated'::regclass
            AND view_column.attname = source_column.attname
        WHERE source_column.attrelid = 'mart.article'::regclass AND source_column.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN mart.article_deduplicated.%I IS %L', described.attname, described.comment);
    END LOOP;
END $$;

CREATE VIEW mart.article_summary AS
SELECT article.article_uid, article.outlet, article.url, extraction.headline, extraction.date_published,
       article.first_seen_at, article.last_seen_at, article.gone_at, article.revision_count,
       COALESCE(member.copy_cluster, article.article_uid) AS copy_cluster
FROM core.article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
    AND extraction.extractor_id = article.extractor_id
LEFT JOIN core.cluster_member member ON member.article_uid = article.article_uid AND member.superseded_seq IS NULL
WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_summary IS 'mart.article without text and provenance, for long lists.';
COMMENT ON COLUMN mart.article_summary.article_uid IS 'Article (mart.article).';
COMMENT ON COLUMN mart.article_summary.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article_summary.url IS 'URL of the article.';
COMMENT ON COLUMN mart.article_summary.headline IS 'Headline, without the outlet''s name.';
COMMENT ON COLUMN mart.article_summary.date_published IS 'Publication date as given by the page.';
COMMENT ON COLUMN mart.article_summary.first_seen_at IS 'First capture of the article.';
COMMENT ON COLUMN mart.article_summary.last_seen_at IS 'When the page was last captured or confirmed unchanged.';
COMMENT ON COLUMN mart.article_summary.gone_at IS 'When the page was first found missing, set once a recheck confirms it.';
COMMENT ON COLUMN mart.article_summary.revision_count IS 'Number of revisions seen, including the first.';
COMMENT ON COLUMN mart.article_summary.copy_cluster IS 'Copy cluster of the article.';
