-- How many requests does an article cost at each outlet?
SELECT w.outlet, count(*) AS crawls, sum(w.requests) AS requests, f.articles,
       round(sum(w.requests) / NULLIF(f.articles, 0)::numeric, 2) AS requests_an_article
FROM mart.crawl w
JOIN mart.outlet_freshness f ON f.outlet = w.outlet
GROUP BY w.outlet, f.articles
ORDER BY requests_an_article DESC NULLS FIRST, w.outlet;
