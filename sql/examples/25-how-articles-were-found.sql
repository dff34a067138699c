-- Which discovery methods found how many articles, and how many did only that method find?
SELECT outlet, method, count(*) AS articles, count(*) FILTER (WHERE cardinality(discovered_via) = 1) AS only_this_method
FROM mart.article
CROSS JOIN LATERAL unnest(discovered_via) AS discovery (method)
GROUP BY outlet, method
ORDER BY outlet, articles DESC;
