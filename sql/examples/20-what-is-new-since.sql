-- What is new or changed since a given load, so that a copy of the data can be kept up to date?
SELECT change, count(*) AS articles, max(change_seq) AS next_since
FROM mart.article_changes(0)
GROUP BY change
ORDER BY change;
