-- Searching the newest first without reading the day of every hit, and an article by its address. Small indexes of
-- narrow columns: a second for a million articles.
-- depends: 0010.quick-fold

CREATE INDEX search_document_day ON core.search_document (published_on);
CREATE INDEX search_document_outlet_day ON core.search_document (outlet, published_on);
CREATE INDEX article_address ON core.article USING hash (url);

COMMENT ON COLUMN ops.crawl.stats IS 'Scrapy''s counters at the end; our_side: true where what failed is held against us, not the outlet.';

-- A load of a thousand articles writes into the index once instead of four times, in two thirds of the time; what waits
-- there slows searches, so that each load settles it at its end.
ALTER INDEX core.search_document_tokens SET (gin_pending_list_limit = 16384);

CREATE FUNCTION core.settle_search() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT gin_clean_pending_list('core.search_document_tokens')
$$;
COMMENT ON FUNCTION core.settle_search() IS 'Moves what loads have added to the index of mart.search to its place; returns how many pages that were.';
REVOKE EXECUTE ON FUNCTION core.settle_search() FROM PUBLIC;
