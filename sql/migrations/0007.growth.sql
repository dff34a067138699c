-- What ten thousand outlets and millions of rows need.
-- depends: 0006.text

ALTER TABLE core.outlet ADD COLUMN config_hash bytea;
COMMENT ON COLUMN core.outlet.config_hash IS 'Version of the outlet''s file (ops.outlet_config) that this row and the attributes are from. Null if it was last read by an earlier version of Pressmark.';

-- The end of the interval of an outlet's last completed incremental crawl.
CREATE INDEX crawl_success ON ops.crawl (outlet, interval_end)
    WHERE mode = 'incremental' AND finish_reason IN ('finished', 'budget');

-- The entries of an endpoint's last listing, among those of all years.
CREATE INDEX url_listing_endpoint ON core.url_listing (endpoint_id, last_listed_at);

-- An outlet's archived rejected pages past their retention.
CREATE INDEX quarantine_archived ON ops.quarantine (outlet, created_at) WHERE segment_id IS NOT NULL;

-- Fields that articles are searched by, next to the outlet, so that an index finds an outlet's day.
ALTER TABLE core.article
    ADD COLUMN date_published timestamptz,
    ADD COLUMN date_published_day date,
    ADD COLUMN in_language text,
    ADD COLUMN word_count integer;
COMMENT ON COLUMN core.article.date_published IS 'Publication date: of the page, or of the listing if it is more reliable. Null if there is no credible date.';
COMMENT ON COLUMN core.article.date_published_day IS 'Calendar day of publication as printed by the outlet.';
COMMENT ON COLUMN core.article.in_language IS 'Language of the article, BCP 47.';
COMMENT ON COLUMN core.article.word_count IS 'Words of the text; null if there is none.';

UPDATE core.article SET
    date_published = fields.date_published, date_published_day = fields.day, in_language = fields.in_language,
    word_count = fields.word_count
FROM (
    SELECT article.article_uid, extraction.in_language, text.word_count,
           published.date_published,
           (published.date_published AT TIME ZONE 'UTC' + make_interval(mins => COALESCE(published.minutes, 0)))::date
               AS day
    FROM core.article
    JOIN core.extraction ON extraction.payload_hash = article.payload_hash
                        AND extraction.extractor_id = article.extractor_id
    LEFT JOIN core.text ON text.text_hash = extraction.text_hash
    LEFT JOIN LATERAL (
        SELECT capture.* FROM core.capture
        WHERE capture.article_uid = article.article_uid AND capture.listed_published IS NOT NULL
        ORDER BY capture.observed_at, capture.capture_id LIMIT 1
    ) listed ON true
    CROSS JOIN LATERAL core.prefers_listed(
        extraction.date_published, extraction.date_published_source, extraction.date_published_precision,
        listed.listed_published, listed.listed_published_source, listed.listed_published_precision) AS preferred
    CROSS JOIN LATERAL (SELECT
        CASE WHEN preferred THEN listed.listed_published ELSE extraction.date_published END AS date_published,
        CASE WHEN preferred THEN listed.listed_published_offset
             ELSE extraction.date_published_offset END AS minutes
    ) published
) fields
WHERE article.article_uid = fields.article_uid;

CREATE INDEX article_outlet_published ON core.article (outlet, date_published);
CREATE INDEX article_published ON core.article (date_published);
CREATE INDEX article_payload ON core.article (payload_hash);
CREATE INDEX extraction_authors ON core.extraction USING gin (authors);
CREATE INDEX extraction_section ON core.extraction (article_section) WHERE article_section IS NOT NULL;

-- The copy cluster of an article, next to it.
ALTER TABLE core.article ADD COLUMN copy_cluster uuid;
COMMENT ON COLUMN core.article.copy_cluster IS 'Copy cluster of the article (core.cluster_member); null if it has no copies. Triggers on core.cluster_member keep it.';
UPDATE core.article SET copy_cluster = member.copy_cluster FROM core.cluster_member member
WHERE member.article_uid = article.article_uid AND member.superseded_seq IS NULL;
CREATE INDEX article_copy_cluster ON core.article (COALESCE(copy_cluster, article_uid));

-- Numbers of articles, kept by triggers, so that counting them does not read them.
CREATE TABLE core.article_count (
    outlet text NOT NULL,
    published_on date NOT NULL,
    date_published_day date NOT NULL,
    in_language text NOT NULL,
    articles bigint NOT NULL,
    words bigint NOT NULL,
    PRIMARY KEY (outlet, published_on, date_published_day, in_language)
) WITH (fillfactor = 70);
COMMENT ON TABLE core.article_count IS 'Numbers of the articles of mart.article by outlet, day and language. Triggers on core.article keep them; `pressmark maintain` checks them.';
COMMENT ON COLUMN core.article_count.outlet IS 'Outlet of the articles.';
COMMENT ON COLUMN core.article_count.published_on IS 'Publication day (UTC), or the day of the first capture if the publication date is unknown.';
COMMENT ON COLUMN core.article_count.date_published_day IS 'Calendar day of publication as printed by the outlet; -infinity if the publication date is unknown.';
COMMENT ON COLUMN core.article_count.in_language IS 'Language of the articles, BCP 47; empty if it is unknown.';
COMMENT ON COLUMN core.article_count.articles IS 'Number of articles.';
COMMENT ON COLUMN core.article_count.words IS 'Words of these articles.';

-- One row per article that is visible, with the key that it is counted under.
CREATE VIEW core.counted_article AS
SELECT outlet, (COALESCE(date_published, first_seen_at) AT TIME ZONE 'UTC')::date AS published_on,
       COALESCE(date_published_day, '-infinity') AS date_published_day, COALESCE(in_language, '') AS in_language,
       word_count
FROM core.article WHERE merged_into IS NULL AND hidden_seq IS NULL;
COMMENT ON VIEW core.counted_article IS 'The articles of mart.article with the columns that core.article_count counts them by.';
COMMENT ON COLUMN core.counted_article.outlet IS 'See core.article_count.';
COMMENT ON COLUMN core.counted_article.published_on IS 'See core.article_count.';
COMMENT ON COLUMN core.counted_article.date_published_day IS 'See core.article_count.';
COMMENT ON COLUMN core.counted_article.in_language IS 'See core.article_count.';
COMMENT ON COLUMN core.counted_article.word_count IS 'See core.article.';

INSERT INTO core.article_count (outlet, published_on, date_published_day, in_language, articles, words)
SELECT outlet, published_on, date_published_day, in_language, count(*), COALESCE(sum(word_count), 0)
FROM core.counted_article GROUP BY 1, 2, 3, 4;

CREATE FUNCTION core.change_counts(added core.article[], removed core.article[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO core.article_count AS c (outlet, published_on, date_published_day, in_language, articles, words)
    SELECT outlet, (COALESCE(date_published, first_seen_at) AT TIME ZONE 'UTC')::date,
           COALESCE(date_published_day, '-infinity'), COALESCE(in_language, ''),
           sum(sign), COALESCE(sum(sign * word_count), 0)
    FROM (SELECT *, 1 AS sign FROM unnest(added) UNION ALL SELECT *, -1 FROM unnest(removed)) changed
    WHERE merged_into IS NULL AND hidden_seq IS NULL
    GROUP BY 1, 2, 3, 4
    HAVING sum(sign) <> 0 OR COALESCE(sum(sign * word_count), 0) <> 0
    ORDER BY 1, 2, 3, 4  -- locks in a fixed order
    ON CONFLICT (outlet, published_on, date_published_day, in_language)
    DO UPDATE SET articles = c.articles + excluded.articles, words = c.words + excluded.words
$$;
COMMENT ON FUNCTION core.change_counts(core.article[], core.article[]) IS 'Add articles to core.article_count and remove others.';

CREATE FUNCTION core.count_articles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    added core.article[];
    removed core.article[];
BEGIN
    IF TG_OP <> 'DELETE' THEN
        SELECT array_agg(r) INTO added FROM new_rows r;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT array_agg(r) INTO removed FROM old_rows r;
    END IF;
    PERFORM core.change_counts(added, removed);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.count_articles() IS 'Keep core.article_count.';
CREATE TRIGGER count_added AFTER INSERT ON core.article
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION core.count_articles();
CREATE TRIGGER count_changed AFTER UPDATE ON core.article
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION core.count_articles();
CREATE TRIGGER count_removed AFTER DELETE ON core.article
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION core.count_articles();

CREATE FUNCTION core.set_copy_clusters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE core.article SET copy_cluster = current.copy_cluster
    FROM (SELECT DISTINCT changed_rows.article_uid, member.copy_cluster
          FROM changed_rows
          LEFT JOIN core.cluster_member member
              ON member.article_uid = changed_rows.article_uid AND member.superseded_seq IS NULL) current
    WHERE article.article_uid = current.article_uid AND article.copy_cluster IS DISTINCT FROM current.copy_cluster;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION core.set_copy_clusters() IS 'Keep core.article.copy_cluster.';
CREATE TRIGGER member_added AFTER INSERT ON core.cluster_member
    REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION core.set_copy_clusters();
CREATE TRIGGER member_changed AFTER UPDATE ON core.cluster_member
    REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION core.set_copy_clusters();
CREATE TRIGGER member_removed AFTER DELETE ON core.cluster_member
    REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION core.set_copy_clusters();
