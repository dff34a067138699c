-- Which articles were taken down, and how long had they stood?
SELECT outlet, headline, url, date_published, gone_at, gone_at - first_seen_at AS stood_for
FROM mart.article
WHERE gone_at IS NOT NULL
ORDER BY gone_at DESC;
