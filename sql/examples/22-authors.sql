-- Who writes most, where, and about what?
SELECT a.outlet, w.author, count(*) AS articles, round(avg(a.word_count)) AS words,
       array_remove(array_agg(DISTINCT a.article_section), NULL) AS sections
FROM mart.article a
CROSS JOIN LATERAL unnest(a.authors) AS w (author)
GROUP BY a.outlet, w.author
ORDER BY articles DESC, a.outlet, w.author
LIMIT 20;
