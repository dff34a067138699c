-- Which addresses did not become articles, and why?
SELECT outlet, outcome, class, count(*) AS addresses, min(reason) AS for_instance
FROM mart.rejected_url
GROUP BY outlet, outcome, class
ORDER BY addresses DESC, outlet, outcome;
