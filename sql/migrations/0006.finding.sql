-- What makes a second look cheap and honest: validators, the state of endpoints, hosts' files once per change.
-- depends: 0005.rights

INSERT INTO core.outcome (outcome, class, meaning) VALUES
    ('legal_block', 'no_response', 'The server refuses it for legal reasons (451).'),
    ('noindex', 'refused', 'The page asks not to be indexed, and the outlet''s file obeys that.'),
    ('geo_blocked', 'refused', 'The outlet does not serve the article to the country that we ask from.');

ALTER TABLE core.article_event DROP CONSTRAINT article_event_kind_check;
ALTER TABLE core.article_event ADD CONSTRAINT article_event_kind_check
    CHECK (kind IN ('missing', 'redirected_home', 'confirmed', 'merged', 'removed'));
COMMENT ON COLUMN core.article_event.kind IS 'missing, redirected_home: the page was not there. confirmed: the server said that it has not changed (304). merged, removed.';

ALTER TABLE ops.frontier ADD COLUMN last_read_at timestamptz;
ALTER TABLE ops.frontier ADD COLUMN validators_lie boolean NOT NULL DEFAULT false;
CREATE INDEX frontier_liars ON ops.frontier (outlet) WHERE validators_lie;
COMMENT ON COLUMN ops.frontier.last_read_at IS 'Last time its body came; a 304 brings none.';
COMMENT ON COLUMN ops.frontier.validators_lie IS 'Its content changed under the same ETag or Last-Modified: it is always asked for in full.';

ALTER TABLE ops.endpoint ADD COLUMN etag text;
ALTER TABLE ops.endpoint ADD COLUMN last_modified text;
ALTER TABLE ops.endpoint ADD COLUMN body_hash bytea;
ALTER TABLE ops.endpoint ADD COLUMN last_read_at timestamptz;
ALTER TABLE ops.endpoint ADD COLUMN last_new_at timestamptz;
ALTER TABLE ops.endpoint ADD COLUMN failures integer NOT NULL DEFAULT 0;
ALTER TABLE ops.endpoint ADD COLUMN next_poll_at timestamptz;
ALTER TABLE ops.endpoint ADD COLUMN validators_lie boolean NOT NULL DEFAULT false;
ALTER TABLE ops.endpoint ADD COLUMN index_modified timestamptz;
COMMENT ON COLUMN ops.endpoint.index_modified IS 'What the index that names it said of its last change when it was last read.';
COMMENT ON COLUMN ops.endpoint.etag IS 'ETag of the last listing that came in full.';
COMMENT ON COLUMN ops.endpoint.last_modified IS 'Last-Modified of it.';
COMMENT ON COLUMN ops.endpoint.body_hash IS 'sha256 of it, first 16 bytes.';
COMMENT ON COLUMN ops.endpoint.last_read_at IS 'When it came.';
COMMENT ON COLUMN ops.endpoint.last_new_at IS 'Last time it listed an address that was not known.';
COMMENT ON COLUMN ops.endpoint.failures IS 'Failed looks since the last one that succeeded.';
COMMENT ON COLUMN ops.endpoint.next_poll_at IS 'A scheduled crawl does not look at it before this time: it keeps failing, or brings little.';
COMMENT ON COLUMN ops.endpoint.validators_lie IS 'It changed under the same ETag or Last-Modified: it is always asked for in full.';

CREATE TABLE core.host_file (
    site text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('robots', 'tdmrep')),
    body_hash bytea NOT NULL,
    body bytea NOT NULL,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (site, kind, body_hash)
);
COMMENT ON TABLE core.host_file IS 'Each state of a host''s robots.txt and tdmrep.json that was ever seen; a visit''s rights name the one that held.';
COMMENT ON COLUMN core.host_file.site IS 'Scheme and host.';
COMMENT ON COLUMN core.host_file.kind IS 'robots or tdmrep.';
COMMENT ON COLUMN core.host_file.body_hash IS 'sha256 of the body, first 16 bytes.';
COMMENT ON COLUMN core.host_file.body IS 'The body, as far as it is read.';
COMMENT ON COLUMN core.host_file.first_seen_at IS 'When this state was first seen.';

CREATE TABLE ops.host_file_look (
    site text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('robots', 'tdmrep')),
    looked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    http_status smallint,
    error text,
    body_hash bytea,
    PRIMARY KEY (site, kind)
);
COMMENT ON TABLE ops.host_file_look IS 'The last look at a host''s robots.txt and tdmrep.json, and until when it holds.';
COMMENT ON COLUMN ops.host_file_look.site IS 'Scheme and host.';
COMMENT ON COLUMN ops.host_file_look.kind IS 'robots or tdmrep.';
COMMENT ON COLUMN ops.host_file_look.looked_at IS 'When it was asked for.';
COMMENT ON COLUMN ops.host_file_look.expires_at IS 'It is asked for again after this: a day for an answer, minutes for an error.';
COMMENT ON COLUMN ops.host_file_look.http_status IS 'Status; null where none came.';
COMMENT ON COLUMN ops.host_file_look.error IS 'What went wrong, in words.';
COMMENT ON COLUMN ops.host_file_look.body_hash IS 'State of core.host_file that it showed; null where there was none.';
