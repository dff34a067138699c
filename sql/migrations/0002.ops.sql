-- How the line runs: requests, crawls, segments, the ledger, the frontier, leases, removals.
-- depends: 0001.core

CREATE SCHEMA ops;
COMMENT ON SCHEMA ops IS 'How the line runs: what was asked, what was crawled, how every candidate ended, what is due next.';

CREATE SEQUENCE ops.load_seq AS bigint;
COMMENT ON SEQUENCE ops.load_seq IS 'Order of loads: taken under one lock, so that it is the order of their commits.';

CREATE TABLE ops.outlet_config (
    outlet text NOT NULL,
    config_hash bytea NOT NULL,
    config jsonb NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (outlet, config_hash)
);
COMMENT ON TABLE ops.outlet_config IS 'Every state of an outlet''s file that a crawl ran with.';
COMMENT ON COLUMN ops.outlet_config.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.outlet_config.config_hash IS 'sha256 of the configuration, first 16 bytes.';
COMMENT ON COLUMN ops.outlet_config.config IS 'The configuration.';
COMMENT ON COLUMN ops.outlet_config.first_used_at IS 'First crawl request that used it.';

CREATE TABLE ops.crawl_request (
    request_id uuid PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    mode text NOT NULL CHECK (mode IN ('incremental', 'window')),
    interval_start timestamptz,
    interval_end timestamptz NOT NULL,
    methods text[],
    page_budget integer,
    force_refetch boolean NOT NULL DEFAULT false,
    dry_run boolean NOT NULL DEFAULT false,
    requested_by text NOT NULL,
    dag_id text,
    run_id text,
    chunk text NOT NULL DEFAULT '',
    config_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (mode <> 'window' OR interval_start < interval_end)
);
CREATE UNIQUE INDEX crawl_request_run ON ops.crawl_request (dag_id, run_id, outlet, chunk) WHERE dag_id IS NOT NULL;
COMMENT ON TABLE ops.crawl_request IS 'What was asked: an outlet, a mode and an interval. A crawl process is given only its id.';
COMMENT ON COLUMN ops.crawl_request.request_id IS 'Key; from DAG, run, outlet and chunk where a DAG asked, so that asking twice makes one request.';
COMMENT ON COLUMN ops.crawl_request.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.crawl_request.mode IS 'incremental: all that is listed and new or due. window: published within the interval.';
COMMENT ON COLUMN ops.crawl_request.interval_start IS 'Begin of the interval, included; null for "since ever" of a first incremental crawl.';
COMMENT ON COLUMN ops.crawl_request.interval_end IS 'End of the interval, excluded.';
COMMENT ON COLUMN ops.crawl_request.methods IS 'Discovery methods to use; null for all that fit the mode.';
COMMENT ON COLUMN ops.crawl_request.page_budget IS 'Most pages to fetch; null for the outlet''s own budget.';
COMMENT ON COLUMN ops.crawl_request.force_refetch IS 'Fetch known pages too.';
COMMENT ON COLUMN ops.crawl_request.dry_run IS 'Discover and decide, fetch no article, store nothing.';
COMMENT ON COLUMN ops.crawl_request.requested_by IS 'Person or DAG.';
COMMENT ON COLUMN ops.crawl_request.dag_id IS 'DAG that asked.';
COMMENT ON COLUMN ops.crawl_request.run_id IS 'Its run.';
COMMENT ON COLUMN ops.crawl_request.chunk IS 'Part of a backfill.';
COMMENT ON COLUMN ops.crawl_request.config_hash IS 'State of the outlet''s file.';
COMMENT ON COLUMN ops.crawl_request.created_at IS 'When it was asked.';

CREATE TABLE ops.crawl (
    crawl_id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES ops.crawl_request,
    outlet text NOT NULL REFERENCES core.outlet,
    mode text NOT NULL,
    interval_start timestamptz,
    interval_end timestamptz NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    finish_reason text,
    error text,
    candidates integer NOT NULL DEFAULT 0,
    requests integer NOT NULL DEFAULT 0,
    code_version text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    stats jsonb
);
CREATE INDEX crawl_outlet ON ops.crawl (outlet, started_at);
CREATE INDEX crawl_request_id ON ops.crawl (request_id);
CREATE INDEX crawl_open ON ops.crawl (outlet) WHERE finished_at IS NULL;
COMMENT ON TABLE ops.crawl IS 'One attempt at one crawl request; a retry is a new crawl.';
COMMENT ON COLUMN ops.crawl.crawl_id IS 'Key; stands in log lines and in the WARC.';
COMMENT ON COLUMN ops.crawl.request_id IS 'What was asked.';
COMMENT ON COLUMN ops.crawl.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.crawl.mode IS 'As asked.';
COMMENT ON COLUMN ops.crawl.interval_start IS 'As asked, or the last success where nothing was asked.';
COMMENT ON COLUMN ops.crawl.interval_end IS 'As asked.';
COMMENT ON COLUMN ops.crawl.started_at IS 'Begin.';
COMMENT ON COLUMN ops.crawl.finished_at IS 'End; null while it runs, or until a killed crawl is closed by the next one.';
COMMENT ON COLUMN ops.crawl.finish_reason IS 'finished, budget, stopped, killed, failed.';
COMMENT ON COLUMN ops.crawl.error IS 'Why it failed, in words.';
COMMENT ON COLUMN ops.crawl.candidates IS 'Candidates it decided on; the ledger must add up to this.';
COMMENT ON COLUMN ops.crawl.requests IS 'HTTP requests it made, redirect hops and retries included.';
COMMENT ON COLUMN ops.crawl.code_version IS 'Version of Pressmark.';
COMMENT ON COLUMN ops.crawl.host IS 'Machine.';
COMMENT ON COLUMN ops.crawl.pid IS 'Process.';
COMMENT ON COLUMN ops.crawl.stats IS 'Scrapy''s counters at the end.';

CREATE TABLE ops.segment (
    segment_id uuid PRIMARY KEY,
    crawl_id uuid NOT NULL REFERENCES ops.crawl,
    outlet text NOT NULL,
    state text NOT NULL CHECK (state IN ('committed', 'loaded', 'failed')),
    visits integer NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    loaded_at timestamptz,
    load_seq bigint,
    load_attempts integer NOT NULL DEFAULT 0,
    error text
);
CREATE INDEX segment_to_load ON ops.segment (committed_at) WHERE state <> 'loaded';
CREATE INDEX segment_crawl ON ops.segment (crawl_id);
COMMENT ON TABLE ops.segment IS 'The atomic unit of a crawl: archived, committed and loaded once.';
COMMENT ON COLUMN ops.segment.segment_id IS 'Key; also the name of its WARC.';
COMMENT ON COLUMN ops.segment.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.segment.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.segment.state IS 'committed: staged. loaded: in the warehouse. failed: the loader gave up, see error.';
COMMENT ON COLUMN ops.segment.visits IS 'Visits it stages.';
COMMENT ON COLUMN ops.segment.committed_at IS 'When it was staged.';
COMMENT ON COLUMN ops.segment.loaded_at IS 'When it was loaded.';
COMMENT ON COLUMN ops.segment.load_seq IS 'Its place in the order of loads.';
COMMENT ON COLUMN ops.segment.load_attempts IS 'Failed attempts to load it.';
COMMENT ON COLUMN ops.segment.error IS 'Why the last attempt failed.';

CREATE TABLE ops.endpoint (
    endpoint_id uuid PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    method text NOT NULL,
    url text NOT NULL,
    configured boolean NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX endpoint_outlet ON ops.endpoint (outlet);
COMMENT ON TABLE ops.endpoint IS 'A feed, sitemap, section or archive of an outlet.';
COMMENT ON COLUMN ops.endpoint.endpoint_id IS 'First 16 bytes of sha256(outlet, method, URL).';
COMMENT ON COLUMN ops.endpoint.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.endpoint.method IS 'Discovery method.';
COMMENT ON COLUMN ops.endpoint.url IS 'Address.';
COMMENT ON COLUMN ops.endpoint.configured IS 'In the outlet''s file; false for a child of a sitemap index and for the frontier itself.';
COMMENT ON COLUMN ops.endpoint.first_seen_at IS 'When it was first polled.';

CREATE TABLE ops.endpoint_poll (
    crawl_id uuid NOT NULL REFERENCES ops.crawl,
    endpoint_id uuid NOT NULL REFERENCES ops.endpoint,
    polled_at timestamptz NOT NULL,
    http_status smallint,
    outcome text NOT NULL,
    detail text,
    entries integer NOT NULL DEFAULT 0,
    candidates integer NOT NULL DEFAULT 0,
    listed_again integer NOT NULL DEFAULT 0,
    overlap integer,
    gap_suspected boolean NOT NULL DEFAULT false,
    body_hash bytea,
    PRIMARY KEY (crawl_id, endpoint_id)
);
CREATE INDEX endpoint_poll_endpoint ON ops.endpoint_poll (endpoint_id, polled_at);
COMMENT ON TABLE ops.endpoint_poll IS 'One look at an endpoint in one crawl.';
COMMENT ON COLUMN ops.endpoint_poll.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.endpoint_poll.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN ops.endpoint_poll.polled_at IS 'When.';
COMMENT ON COLUMN ops.endpoint_poll.http_status IS 'HTTP status; null where none came.';
COMMENT ON COLUMN ops.endpoint_poll.outcome IS 'listed, or an outcome of core.outcome that says why not, or unreadable.';
COMMENT ON COLUMN ops.endpoint_poll.detail IS 'What was wrong with it, in words.';
COMMENT ON COLUMN ops.endpoint_poll.entries IS 'URLs it listed.';
COMMENT ON COLUMN ops.endpoint_poll.candidates IS 'Of these, candidates that no endpoint had brought to this crawl before.';
COMMENT ON COLUMN ops.endpoint_poll.listed_again IS 'Of these candidates, known and not due: counted here, not stored row by row.';
COMMENT ON COLUMN ops.endpoint_poll.overlap IS 'Entries that its poll before listed too; null for a first poll.';
COMMENT ON COLUMN ops.endpoint_poll.gap_suspected IS 'No overlap with the poll before: entries may have scrolled off unseen.';
COMMENT ON COLUMN ops.endpoint_poll.body_hash IS 'sha256 of the listing, first 16 bytes.';

CREATE TABLE ops.candidate (
    crawl_id uuid NOT NULL REFERENCES ops.crawl,
    url_uid uuid NOT NULL,
    url text NOT NULL,
    endpoint_id uuid,
    discovered_via text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    outcome text REFERENCES core.outcome,
    reason text,
    settled_at timestamptz,
    segment_id uuid,
    article_uid uuid,
    PRIMARY KEY (crawl_id, url_uid)
);
CREATE INDEX candidate_url ON ops.candidate (url_uid);
CREATE INDEX candidate_segment ON ops.candidate (segment_id) WHERE segment_id IS NOT NULL;
COMMENT ON TABLE ops.candidate IS 'The ledger: each candidate of a crawl, and how it ended. Candidates that were merely listed again are counted in ops.endpoint_poll.';
COMMENT ON COLUMN ops.candidate.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.candidate.url_uid IS 'Identity of its URL, made as an article_uid.';
COMMENT ON COLUMN ops.candidate.url IS 'The URL as discovered.';
COMMENT ON COLUMN ops.candidate.endpoint_id IS 'Endpoint that brought it first; null where it was due for a revisit.';
COMMENT ON COLUMN ops.candidate.discovered_via IS 'Method that brought it, or revisit.';
COMMENT ON COLUMN ops.candidate.decided_at IS 'When it was decided on.';
COMMENT ON COLUMN ops.candidate.outcome IS 'How it ended; null while the crawl runs.';
COMMENT ON COLUMN ops.candidate.reason IS 'What led to the outcome, in words.';
COMMENT ON COLUMN ops.candidate.settled_at IS 'When it ended.';
COMMENT ON COLUMN ops.candidate.segment_id IS 'Segment that holds what came of it.';
COMMENT ON COLUMN ops.candidate.article_uid IS 'The article it led to.';

CREATE TABLE ops.frontier (
    url_uid uuid PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    url text NOT NULL,
    article_uid uuid,
    first_listed_at timestamptz NOT NULL,
    next_due_at timestamptz,
    listed_modified timestamptz,
    last_fetch_at timestamptz,
    last_outcome text REFERENCES core.outcome,
    failures integer NOT NULL DEFAULT 0,
    first_visit_at timestamptz,
    last_visit_at timestamptz,
    date_published timestamptz,
    headline_hash bigint,
    description_hash bigint,
    authors_hash bigint,
    body_hash bigint,
    etag text,
    last_modified text,
    wire_digest bytea,
    segment_id uuid,
    archive_offset bigint,
    archive_length integer
) WITH (fillfactor = 80);
CREATE INDEX frontier_due ON ops.frontier (outlet, next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX frontier_article ON ops.frontier (article_uid);
COMMENT ON TABLE ops.frontier IS 'All URLs known, what came of the last visit, and when the next is due.';
COMMENT ON COLUMN ops.frontier.url_uid IS 'Identity of the URL, made as an article_uid.';
COMMENT ON COLUMN ops.frontier.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.frontier.url IS 'The URL to ask for.';
COMMENT ON COLUMN ops.frontier.article_uid IS 'The article it led to; null before the first visit.';
COMMENT ON COLUMN ops.frontier.first_listed_at IS 'When it was first discovered.';
COMMENT ON COLUMN ops.frontier.next_due_at IS 'When to ask again even where nothing lists it; null for never.';
COMMENT ON COLUMN ops.frontier.listed_modified IS 'Date of change in the listing at the last visit; a later one makes the page due.';
COMMENT ON COLUMN ops.frontier.last_fetch_at IS 'Last time it was asked for.';
COMMENT ON COLUMN ops.frontier.last_outcome IS 'What came of it.';
COMMENT ON COLUMN ops.frontier.failures IS 'Failures since the last page that came.';
COMMENT ON COLUMN ops.frontier.first_visit_at IS 'First page that came.';
COMMENT ON COLUMN ops.frontier.last_visit_at IS 'Last page that came.';
COMMENT ON COLUMN ops.frontier.date_published IS 'Date of publication, once known.';
COMMENT ON COLUMN ops.frontier.headline_hash IS 'Comparable headline of the last visit.';
COMMENT ON COLUMN ops.frontier.description_hash IS 'Comparable description of the last visit.';
COMMENT ON COLUMN ops.frontier.authors_hash IS 'Comparable authors of the last visit.';
COMMENT ON COLUMN ops.frontier.body_hash IS 'Comparable text of the last visit.';
COMMENT ON COLUMN ops.frontier.etag IS 'ETag of the last visit.';
COMMENT ON COLUMN ops.frontier.last_modified IS 'Last-Modified of the last visit.';
COMMENT ON COLUMN ops.frontier.wire_digest IS 'sha256 of the last body as received; an equal one is archived as a WARC revisit record.';
COMMENT ON COLUMN ops.frontier.segment_id IS 'Segment that holds the last archived body.';
COMMENT ON COLUMN ops.frontier.archive_offset IS 'Byte of its record within the segment.';
COMMENT ON COLUMN ops.frontier.archive_length IS 'Length of the record.';

CREATE TABLE ops.fetch (
    crawl_id uuid NOT NULL,
    fetched_at timestamptz NOT NULL,
    url text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('robots', 'endpoint', 'article', 'other')),
    http_status smallint,
    bytes integer,
    seconds real NOT NULL,
    ip inet,
    error text
) PARTITION BY RANGE (fetched_at);
CREATE INDEX fetch_crawl ON ops.fetch (crawl_id);
CREATE INDEX fetch_time ON ops.fetch USING brin (fetched_at);
CREATE TABLE ops.fetch_default PARTITION OF ops.fetch DEFAULT;
COMMENT ON TABLE ops.fetch IS 'Every HTTP request and what came; redirect hops and repeated attempts are requests too. Partitioned by month.';
COMMENT ON COLUMN ops.fetch.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.fetch.fetched_at IS 'When the request was sent.';
COMMENT ON COLUMN ops.fetch.url IS 'Address.';
COMMENT ON COLUMN ops.fetch.kind IS 'What it was for.';
COMMENT ON COLUMN ops.fetch.http_status IS 'Status; null where none came.';
COMMENT ON COLUMN ops.fetch.bytes IS 'Bytes of the body as received.';
COMMENT ON COLUMN ops.fetch.seconds IS 'From sending the request to the end of the answer.';
COMMENT ON COLUMN ops.fetch.ip IS 'Address of the server.';
COMMENT ON COLUMN ops.fetch.error IS 'What went wrong, in words.';
COMMENT ON TABLE ops.fetch_default IS 'Fetches of months for which no partition was made ahead.';

CREATE TABLE ops.host_lease (
    host text PRIMARY KEY,
    holder uuid,
    expires_at timestamptz,
    free_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
COMMENT ON TABLE ops.host_lease IS 'One request at a time per host, across all processes; the delay runs from the end of the last one.';
COMMENT ON COLUMN ops.host_lease.host IS 'Host name, lower case.';
COMMENT ON COLUMN ops.host_lease.holder IS 'Who is asking right now; null for nobody.';
COMMENT ON COLUMN ops.host_lease.expires_at IS 'When a holder that died is forgotten.';
COMMENT ON COLUMN ops.host_lease.free_at IS 'Not before this time: end of the last request plus the delay.';

CREATE TABLE ops.removal (
    removal_id uuid PRIMARY KEY,
    target text NOT NULL CHECK (target IN ('url', 'prefix', 'outlet', 'author', 'commenter')),
    value text,
    value_key bytea,
    outlet text,
    action text NOT NULL CHECK (action IN ('hide', 'erase')),
    reason text NOT NULL,
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    applied_seq bigint,
    CHECK (value IS NOT NULL OR value_key IS NOT NULL)
);
COMMENT ON TABLE ops.removal IS 'What must not be shown or kept, and why. Consulted when a candidate is decided, loaded, extracted again or rebuilt.';
COMMENT ON COLUMN ops.removal.removal_id IS 'Key.';
COMMENT ON COLUMN ops.removal.target IS 'What value names.';
COMMENT ON COLUMN ops.removal.value IS 'URL, prefix, outlet or name; null where it was erased too.';
COMMENT ON COLUMN ops.removal.value_key IS 'Keyed hash of an erased URL, so that it is recognised without being kept.';
COMMENT ON COLUMN ops.removal.outlet IS 'Outlet it is limited to.';
COMMENT ON COLUMN ops.removal.action IS 'hide: not shown, bytes stay. erase: bytes go too.';
COMMENT ON COLUMN ops.removal.reason IS 'Why.';
COMMENT ON COLUMN ops.removal.requested_by IS 'Who entered it.';
COMMENT ON COLUMN ops.removal.created_at IS 'When.';
COMMENT ON COLUMN ops.removal.applied_seq IS 'Load that applied it.';

CREATE TABLE ops.quarantine (
    quarantine_id uuid PRIMARY KEY,
    crawl_id uuid NOT NULL,
    url_uid uuid NOT NULL,
    url text NOT NULL,
    outlet text NOT NULL,
    outcome text NOT NULL REFERENCES core.outcome,
    stage text NOT NULL,
    reason text NOT NULL,
    segment_id uuid,
    archive_offset bigint,
    archive_length integer,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX quarantine_url ON ops.quarantine (url_uid);
CREATE INDEX quarantine_crawl ON ops.quarantine (crawl_id);
COMMENT ON TABLE ops.quarantine IS 'Pages that came and were not kept as articles, with the reason and where their bytes lie.';
COMMENT ON COLUMN ops.quarantine.quarantine_id IS 'The visit''s id, given at the fetch.';
COMMENT ON COLUMN ops.quarantine.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.quarantine.url_uid IS 'Identity of the URL.';
COMMENT ON COLUMN ops.quarantine.url IS 'The URL.';
COMMENT ON COLUMN ops.quarantine.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.quarantine.outcome IS 'How it ended.';
COMMENT ON COLUMN ops.quarantine.stage IS 'decode, extract, judge or load.';
COMMENT ON COLUMN ops.quarantine.reason IS 'What was wrong, in words.';
COMMENT ON COLUMN ops.quarantine.segment_id IS 'Segment with its bytes; null where none were kept.';
COMMENT ON COLUMN ops.quarantine.archive_offset IS 'Byte of the record within the segment.';
COMMENT ON COLUMN ops.quarantine.archive_length IS 'Length of the record.';
COMMENT ON COLUMN ops.quarantine.created_at IS 'When.';

CREATE TABLE ops.migration_checksum (
    migration_id text PRIMARY KEY,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.migration_checksum IS 'Content of every applied migration: an edited one is refused.';
COMMENT ON COLUMN ops.migration_checksum.migration_id IS 'File name without its ending.';
COMMENT ON COLUMN ops.migration_checksum.sha256 IS 'sha256 of the file.';
COMMENT ON COLUMN ops.migration_checksum.applied_at IS 'When it was applied.';

CREATE TABLE ops.mart_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.mart_version IS 'Content of sql/mart that the views were made from.';
COMMENT ON COLUMN ops.mart_version.only_row IS 'There is one row.';
COMMENT ON COLUMN ops.mart_version.sha256 IS 'sha256 over the files.';
COMMENT ON COLUMN ops.mart_version.created_at IS 'When the views were made.';

CREATE FUNCTION ops.ensure_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    made integer := 0;
    month timestamptz;
    partition_name text;
BEGIN
    FOR month IN
        SELECT generate_series(date_trunc('month', now(), 'UTC'),
                               date_trunc('month', now(), 'UTC') + make_interval(months => months_ahead), '1 month')
    LOOP
        partition_name := 'fetch_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass('ops.' || partition_name) IS NULL THEN
            EXECUTE format('CREATE TABLE ops.%I PARTITION OF ops.fetch FOR VALUES FROM (%L) TO (%L)',
                           partition_name, month, month + interval '1 month');
            EXECUTE format('COMMENT ON TABLE ops.%I IS %L', partition_name,
                           'Fetches of ' || to_char(month AT TIME ZONE 'UTC', 'YYYY-MM') || '.');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ops.ensure_partitions(integer) IS 'Makes the monthly partitions from this month to so many months ahead; returns how many were missing.';
