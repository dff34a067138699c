CREATE VIEW mart.article_count AS
SELECT outlet, published_on, NULLIF(date_published_day, '-infinity') AS date_published_day,
       NULLIF(in_language, '') AS in_language, articles, words
FROM core.article_count
WHERE articles > 0;

COMMENT ON VIEW mart.article_count IS 'Exact numbers of the articles of mart.article by outlet, day and language. Sum them instead of counting articles: a thousandth of the rows. date_trunc(''month'', published_on) gives months.';
COMMENT ON COLUMN mart.article_count.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article_count.published_on IS 'Publication day (UTC), or the day of the first capture if the publication date is unknown.';
COMMENT ON COLUMN mart.article_count.date_published_day IS 'Calendar day of publication as printed by the outlet; null if the publication date is unknown.';
COMMENT ON COLUMN mart.article_count.in_language IS 'Language of the articles, BCP 47; null if it is unknown.';
COMMENT ON COLUMN mart.article_count.articles IS 'Number of articles.';
COMMENT ON COLUMN mart.article_count.words IS 'Total words of these articles.';

CREATE FUNCTION mart.attention(
    query text,
    since date,
    until date,
    by text DEFAULT 'day',
    outlets text[] DEFAULT NULL,
    language text DEFAULT NULL,
    copies_once boolean DEFAULT false
) RETURNS TABLE (
    period date,
    matches bigint,
    articles bigint,
    share double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
-- The planner does not know that reading the tokens of an article takes 20 µs.
SET enable_seqscan = off AS $$
DECLARE
    wanted tsquery := core.search_query(query);
BEGIN
    IF by IS NULL OR by NOT IN ('day', 'week', 'month') THEN
        RAISE EXCEPTION 'by is %: write day, week or month', quote_nullable(by) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF since IS NULL OR until IS NULL OR since >= until THEN
        RAISE EXCEPTION 'since is % and until is %: since must be before until, which is the day after the last one',
            quote_nullable(since), quote_nullable(until) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF numnode(wanted) = 0 THEN
        RAISE EXCEPTION 'query % contains no word', quote_nullable(query)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- EXECUTE plans for the actual words: the best plan depends on how many articles contain them.
    RETURN QUERY EXECUTE $sql$
        WITH period AS (
            SELECT first_day::date AS period
            FROM generate_series(date_trunc($4, $2::timestamp), $3::timestamp - interval '1 day', ('1 ' || $4)::interval)
                AS first_day
        ), copy AS MATERIALIZED (
            -- All but the first published article of each copy cluster.
            SELECT ranked.article_uid, ranked.outlet, ranked.in_language, ranked.published_on
            FROM (SELECT member.article_uid, article.outlet, article.in_language,
                         (COALESCE(article.date_published, article.first_seen_at) AT TIME ZONE 'UTC')::date
                             AS published_on,
                         row_number() OVER (PARTITION BY member.copy_cluster
                                            ORDER BY article.date_published, article.first_seen_at,
                                                     article.article_uid) AS place
                  FROM core.cluster_member member
                  JOIN core.article ON article.article_uid = member.article_uid
                  WHERE member.superseded_seq IS NULL AND article.merged_into IS NULL AND article.hidden_seq IS NULL
                    AND $7) ranked
            WHERE ranked.place > 1
        ), matching AS (
            SELECT date_trunc($4, document.published_on::timestamp)::date AS period, count(*) AS articles
            FROM core.search_document document
            WHERE document.published_on >= $2 AND document.published_on < $3
              AND ($5 IS NULL OR document.outlet = ANY ($5))
              AND ($6 IS NULL OR document.in_language = $6 OR starts_with(document.in_language, $6 || '-'))
              AND (NOT $7 OR document.article_uid NOT IN (SELECT copy.article_uid FROM copy))
              AND document.tokens @@ $1
            GROUP BY 1
        ), total AS (
            SELECT date_trunc($4, counted.published_on::timestamp)::date AS period, sum(counted.articles) AS articles
            FROM (
                SELECT count.published_on, count.articles
                FROM core.article_count count
                WHERE count.published_on >= $2 AND count.published_on < $3
                  AND ($5 IS NULL OR count.outlet = ANY ($5))
                  AND ($6 IS NULL OR count.in_language = $6 OR starts_with(count.in_language, $6 || '-'))
                UNION ALL
                SELECT copy.published_on, -1
                FROM copy
                WHERE copy.published_on >= $2 AND copy.published_on < $3
                  AND ($5 IS NULL OR copy.outlet = ANY ($5))
                  AND ($6 IS NULL OR copy.in_language = $6 OR starts_with(copy.in_language, $6 || '-'))
            ) counted
            GROUP BY 1
        )
        SELECT period.period, COALESCE(matching.articles, 0), COALESCE(total.articles, 0)::bigint,
               COALESCE(matching.articles, 0) / NULLIF(total.articles, 0)::double precision
        FROM period
        LEFT JOIN matching ON matching.period = period.period
        LEFT JOIN total ON total.period = period.period
        ORDER BY period.period
    $sql$ USING wanted, since, until, by, outlets, language, copies_once;
END
$$;
COMMENT ON FUNCTION mart.attention(text, date, date, text, text[], text, boolean) IS 'Return how many articles match a search over time, and how many there are, one row per day, week (from Monday) or month. query: as in mart.search. since, until: publication days (UTC) as in mart.article_count, without until. by: day, week or month; the first and last period count only the days between since and until. outlets: outlet slugs; null for all. language: BCP 47; en also counts en-GB. copies_once: count only the first published article of each copy cluster. share: matches / articles; null for a period without articles.';
