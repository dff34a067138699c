-- When was each outlet last crawled, and when did it last publish something new?
SELECT outlet, tier, last_crawl_at, last_finish_reason, articles, last_new_article_at, new_24h
FROM mart.outlet_freshness
ORDER BY last_new_article_at NULLS FIRST, outlet;
