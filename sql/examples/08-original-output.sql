-- How much of an outlet's output is its own: articles without those that are copies of earlier ones?
SELECT a.outlet, count(*) AS articles, count(u.article_uid) AS first_or_only,
       round(count(u.article_uid) / count(*)::numeric, 2) AS share
FROM mart.article a
LEFT JOIN mart.article_deduplicated u ON u.article_uid = a.article_uid
GROUP BY a.outlet
ORDER BY share, a.outlet;
