-- What ten thousand outlets and millions of rows need.

ALTER TABLE core.outlet ADD COLUMN config_hash bytea;
COMMENT ON COLUMN core.outlet.config_hash IS 'Version of the outlet''s file (ops.outlet_config) that this row and the attributes are from. Null if it was last read by an earlier version of Pressmark.';

-- The end of the interval of an outlet's last completed incremental crawl.
CREATE INDEX crawl_success ON ops.crawl (outlet, interval_end)
    WHERE mode = 'incremental' AND finish_reason IN ('finished', 'budget');

-- The entries of an endpoint's last listing, among those of all years.
CREATE INDEX url_listing_endpoint ON core.url_listing (endpoint_id, last_listed_at);

-- An outlet's archived rejected pages past their retention.
CREATE INDEX quarantine_archived ON ops.quarantine (outlet, created_at) WHERE segment_id IS NOT NULL;
