-- Which URLs did not become articles, and why?
SELECT outlet, outcome, class, count(*) AS urls, min(reason) AS sample_reason
FROM mart.rejected_url
GROUP BY outlet, outcome, class
ORDER BY urls DESC, outlet, outcome;
