-- Which outlets and domains does each outlet link to in its texts?
SELECT outlet, COALESCE(cited_outlet, cited_domain) AS cited, count(*) AS links, count(DISTINCT article_uid) AS articles
FROM mart.outbound_link
GROUP BY outlet, cited
ORDER BY links DESC, outlet, cited;
