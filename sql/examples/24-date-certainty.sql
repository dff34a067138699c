-- Where do publication dates come from, and how precise are they?
SELECT outlet, date_published_source, date_published_precision, date_published_flag, count(*) AS articles
FROM mart.article
GROUP BY outlet, date_published_source, date_published_precision, date_published_flag
ORDER BY outlet, articles DESC;
