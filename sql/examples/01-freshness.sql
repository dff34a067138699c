-- Is every outlet fresh: when was it last crawled, when did it last bring something new?
SELECT outlet, tier, last_crawl_at, last_finish_reason, articles, last_new_article_at, new_24h
FROM mart.outlet_freshness
ORDER BY last_new_article_at NULLS FIRST, outlet;
