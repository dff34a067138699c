-- Who writes most, for which outlet, and in which sections?
SELECT article.outlet, byline.author, count(*) AS articles, round(avg(article.word_count)) AS words,
       array_remove(array_agg(DISTINCT article.article_section), NULL) AS sections
FROM mart.article
CROSS JOIN LATERAL unnest(article.authors) AS byline (author)
GROUP BY article.outlet, byline.author
ORDER BY articles DESC, article.outlet, byline.author
LIMIT 20;
