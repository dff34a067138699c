-- Requests for a host's TDM file are fetches of their own kind.
-- depends: 0004.clusters

ALTER TABLE ops.fetch DROP CONSTRAINT fetch_kind_check;
ALTER TABLE ops.fetch ADD CONSTRAINT fetch_kind_check CHECK (kind IN ('robots', 'rights', 'endpoint', 'article', 'other'));
COMMENT ON COLUMN ops.fetch.kind IS 'robots, rights (the host''s TDM file), endpoint, article or other.';
