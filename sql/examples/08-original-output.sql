-- What share of each outlet's articles is original, that is, not a copy of an earlier article?
SELECT article.outlet, count(*) AS articles, count(original.article_uid) AS first_or_only,
       round(count(original.article_uid) / count(*)::numeric, 2) AS share
FROM mart.article
LEFT JOIN mart.article_deduplicated original ON original.article_uid = article.article_uid
GROUP BY article.outlet
ORDER BY share, article.outlet;
