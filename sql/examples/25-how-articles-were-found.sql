-- By which methods were articles found, and how many by one alone?
SELECT outlet, method, count(*) AS articles, count(*) FILTER (WHERE cardinality(discovered_via) = 1) AS by_it_alone
FROM mart.article
CROSS JOIN LATERAL unnest(discovered_via) AS d (method)
GROUP BY outlet, method
ORDER BY outlet, articles DESC;
