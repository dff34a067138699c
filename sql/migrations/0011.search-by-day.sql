-- Searching the newest first without reading the day of every hit, and an article by its address. Small indexes of
-- narrow columns: a second for a million articles.
-- depends: 0010.quick-fold

CREATE INDEX search_document_day ON core.search_document (published_on);
CREATE INDEX search_document_outlet_day ON core.search_document (outlet, published_on);
CREATE INDEX article_address ON core.article USING hash (url);

COMMENT ON COLUMN ops.crawl.stats IS 'Scrapy''s counters at the end; our_side: true where what failed is held against us, not the outlet.';
