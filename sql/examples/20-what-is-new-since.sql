-- What is new or changed since a load, for a copy of the data that is kept up to date?
SELECT change, count(*) AS articles, max(change_seq) AS go_on_from
FROM mart.article_changes(0)
GROUP BY change
ORDER BY change;
