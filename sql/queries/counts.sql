-- The numbers of articles in core.article_count. Triggers on core.article keep them.

-- name: correct
-- Count all articles again, and correct the rows that differ. Run with the load lock.
WITH counted AS (
    SELECT outlet, published_on, date_published_day, in_language, count(*) AS articles,
           COALESCE(sum(word_count), 0) AS words
    FROM core.counted_article GROUP BY 1, 2, 3, 4
)
INSERT INTO core.article_count AS c (outlet, published_on, date_published_day, in_language, articles, words)
SELECT outlet, published_on, date_published_day, in_language, COALESCE(counted.articles, 0), COALESCE(counted.words, 0)
FROM counted
FULL JOIN core.article_count USING (outlet, published_on, date_published_day, in_language)
WHERE (COALESCE(counted.articles, 0), COALESCE(counted.words, 0))
      IS DISTINCT FROM (article_count.articles, article_count.words)
ON CONFLICT (outlet, published_on, date_published_day, in_language)
DO UPDATE SET articles = excluded.articles, words = excluded.words;

-- name: purge
-- Delete the rows of days without articles.
DELETE FROM core.article_count WHERE articles = 0;
