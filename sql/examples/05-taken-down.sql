-- Which articles were taken down, and how long were they online?
SELECT outlet, headline, url, date_published, gone_at, gone_at - first_seen_at AS online_for
FROM mart.article
WHERE gone_at IS NOT NULL
ORDER BY gone_at DESC;
