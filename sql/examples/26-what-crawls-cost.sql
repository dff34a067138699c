-- How many requests does one article cost at each outlet?
SELECT crawl.outlet, count(*) AS crawls, sum(crawl.requests) AS requests, freshness.articles,
       round(sum(crawl.requests) / NULLIF(freshness.articles, 0)::numeric, 2) AS requests_per_article
FROM mart.crawl
JOIN mart.outlet_freshness freshness ON freshness.outlet = crawl.outlet
GROUP BY crawl.outlet, freshness.articles
ORDER BY requests_per_article DESC NULLS FIRST, crawl.outlet;
