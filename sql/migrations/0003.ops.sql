-- Operation of the pipeline: crawl requests, crawls, the ledger, the frontier, leases, removals, backfills and health.
-- depends: 0002.search

CREATE SCHEMA ops;
COMMENT ON SCHEMA ops IS 'Operation of the pipeline: crawl requests, crawls, the outcome of every candidate, and what is due next.';

CREATE SEQUENCE ops.load_seq AS bigint;
COMMENT ON SEQUENCE ops.load_seq IS 'Order of loads. Numbers are taken under a lock, so they follow the order of commits.';

CREATE TABLE ops.outlet_config (
    outlet text NOT NULL,
    config_hash bytea NOT NULL,
    config jsonb NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (outlet, config_hash)
);
COMMENT ON TABLE ops.outlet_config IS 'Every version of an outlet''s file that a crawl used.';
COMMENT ON COLUMN ops.outlet_config.outlet IS 'Outlet of the file.';
COMMENT ON COLUMN ops.outlet_config.config_hash IS 'First 16 bytes of the sha256 of the configuration.';
COMMENT ON COLUMN ops.outlet_config.config IS 'The configuration.';
COMMENT ON COLUMN ops.outlet_config.first_used_at IS 'When a crawl request first used this configuration.';

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
    map_index integer,
    CHECK (mode <> 'window' OR interval_start < interval_end)
);
CREATE UNIQUE INDEX crawl_request_run ON ops.crawl_request (dag_id, run_id, outlet, chunk) WHERE dag_id IS NOT NULL;
COMMENT ON TABLE ops.crawl_request IS 'Crawl requests: an outlet, a mode and an interval. A crawl process receives only the request''s id.';
COMMENT ON COLUMN ops.crawl_request.request_id IS 'Key. For requests by a DAG it is derived from DAG, run, outlet and chunk, so that repeating the request does not create a second one.';
COMMENT ON COLUMN ops.crawl_request.outlet IS 'Outlet to crawl.';
COMMENT ON COLUMN ops.crawl_request.mode IS 'incremental: everything listed that is new or due. window: articles published within the interval.';
COMMENT ON COLUMN ops.crawl_request.interval_start IS 'Start of the interval, inclusive; null for a first incremental crawl, which has no lower bound.';
COMMENT ON COLUMN ops.crawl_request.interval_end IS 'End of the interval, exclusive.';
COMMENT ON COLUMN ops.crawl_request.methods IS 'Discovery methods to use; null for all methods that fit the mode.';
COMMENT ON COLUMN ops.crawl_request.page_budget IS 'Maximum number of pages to fetch; null for the outlet''s own budget.';
COMMENT ON COLUMN ops.crawl_request.force_refetch IS 'Whether to fetch known pages too.';
COMMENT ON COLUMN ops.crawl_request.dry_run IS 'Whether to discover and decide only, without fetching articles or storing anything.';
COMMENT ON COLUMN ops.crawl_request.requested_by IS 'Person or DAG that requested the crawl.';
COMMENT ON COLUMN ops.crawl_request.dag_id IS 'DAG that requested the crawl.';
COMMENT ON COLUMN ops.crawl_request.run_id IS 'DAG run that requested the crawl.';
COMMENT ON COLUMN ops.crawl_request.chunk IS 'Chunk of a backfill; empty for other requests.';
COMMENT ON COLUMN ops.crawl_request.config_hash IS 'Version of the outlet''s file (ops.outlet_config).';
COMMENT ON COLUMN ops.crawl_request.created_at IS 'When the request was made.';
COMMENT ON COLUMN ops.crawl_request.map_index IS 'Mapped task that ran the crawl, used to find its log; null if no DAG ran it.';

CREATE TABLE ops.crawl (
    crawl_id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES ops.crawl_request,
    outlet text NOT NULL REFERENCES core.outlet,
    mode text NOT NULL,
    interval_start timestamptz,
    interval_end timestamptz NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    finish_reason text CHECK (finish_reason IN ('finished', 'budget', 'stopped', 'refused', 'failed', 'killed')),
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
COMMENT ON TABLE ops.crawl IS 'One attempt at one crawl request. A retry is a new crawl.';
COMMENT ON COLUMN ops.crawl.crawl_id IS 'Key. It appears in log lines and in the WARC.';
COMMENT ON COLUMN ops.crawl.request_id IS 'Crawl request (ops.crawl_request).';
COMMENT ON COLUMN ops.crawl.outlet IS 'Outlet that was crawled.';
COMMENT ON COLUMN ops.crawl.mode IS 'Mode of the request.';
COMMENT ON COLUMN ops.crawl.interval_start IS 'Start of the requested interval. If the request has none, the last successful crawl.';
COMMENT ON COLUMN ops.crawl.interval_end IS 'End of the requested interval, exclusive.';
COMMENT ON COLUMN ops.crawl.started_at IS 'When the crawl started.';
COMMENT ON COLUMN ops.crawl.finished_at IS 'When the crawl ended; null while it runs. A killed crawl is closed by the next one.';
COMMENT ON COLUMN ops.crawl.finish_reason IS 'finished, budget, stopped, refused (the host refuses the crawler), failed or killed.';
COMMENT ON COLUMN ops.crawl.error IS 'Why the crawl failed.';
COMMENT ON COLUMN ops.crawl.candidates IS 'Candidates that the crawl decided on. The ledger must add up to this number.';
COMMENT ON COLUMN ops.crawl.requests IS 'HTTP requests, including redirect hops and retries.';
COMMENT ON COLUMN ops.crawl.code_version IS 'Version of Pressmark.';
COMMENT ON COLUMN ops.crawl.host IS 'Machine that ran the crawl.';
COMMENT ON COLUMN ops.crawl.pid IS 'Process id of the crawl.';
COMMENT ON COLUMN ops.crawl.stats IS 'Scrapy''s counters at the end of the crawl. internal_failure: true marks failures that are our fault and not the outlet''s.';

CREATE TABLE ops.segment (
    segment_id uuid PRIMARY KEY,
    crawl_id uuid NOT NULL REFERENCES ops.crawl,
    outlet text NOT NULL,
    state text NOT NULL CHECK (state IN ('committed', 'loaded', 'failed')),
    captures integer NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    loaded_at timestamptz,
    load_seq bigint,
    load_attempts integer NOT NULL DEFAULT 0,
    error text
);
CREATE INDEX segment_to_load ON ops.segment (committed_at) WHERE state <> 'loaded';
CREATE INDEX segment_crawl ON ops.segment (crawl_id);
COMMENT ON TABLE ops.segment IS 'Segments: the atomic units of a crawl. Each is archived, committed and loaded once.';
COMMENT ON COLUMN ops.segment.segment_id IS 'Key. It is also the name of the WARC file.';
COMMENT ON COLUMN ops.segment.crawl_id IS 'Crawl that wrote the segment (ops.crawl).';
COMMENT ON COLUMN ops.segment.outlet IS 'Outlet of the crawl.';
COMMENT ON COLUMN ops.segment.state IS 'committed: staged. loaded: in the warehouse. failed: the loader gave up; see error.';
COMMENT ON COLUMN ops.segment.captures IS 'Number of captures staged.';
COMMENT ON COLUMN ops.segment.committed_at IS 'When the segment was staged.';
COMMENT ON COLUMN ops.segment.loaded_at IS 'When the segment was loaded.';
COMMENT ON COLUMN ops.segment.load_seq IS 'Position of the segment in the order of loads.';
COMMENT ON COLUMN ops.segment.load_attempts IS 'Number of failed attempts to load the segment.';
COMMENT ON COLUMN ops.segment.error IS 'Why the last attempt failed.';

CREATE TABLE ops.endpoint (
    endpoint_id uuid PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    method text NOT NULL,
    url text NOT NULL,
    configured boolean NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    etag text,
    last_modified text,
    body_hash bytea,
    last_read_at timestamptz,
    last_new_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    next_poll_at timestamptz,
    validators_unreliable boolean NOT NULL DEFAULT false,
    index_modified timestamptz
);
CREATE INDEX endpoint_outlet ON ops.endpoint (outlet);
COMMENT ON TABLE ops.endpoint IS 'Feeds, sitemaps, sections and archives of the outlets.';
COMMENT ON COLUMN ops.endpoint.endpoint_id IS 'First 16 bytes of sha256(outlet, method, URL).';
COMMENT ON COLUMN ops.endpoint.outlet IS 'Outlet that the endpoint belongs to.';
COMMENT ON COLUMN ops.endpoint.method IS 'Discovery method.';
COMMENT ON COLUMN ops.endpoint.url IS 'URL of the endpoint.';
COMMENT ON COLUMN ops.endpoint.configured IS 'true if the outlet''s file lists the endpoint; false for a child of a sitemap index and for the frontier itself.';
COMMENT ON COLUMN ops.endpoint.first_seen_at IS 'When the endpoint was first polled.';
COMMENT ON COLUMN ops.endpoint.etag IS 'ETag of the last complete listing.';
COMMENT ON COLUMN ops.endpoint.last_modified IS 'Last-Modified of the last complete listing.';
COMMENT ON COLUMN ops.endpoint.body_hash IS 'First 16 bytes of the sha256 of the last complete listing.';
COMMENT ON COLUMN ops.endpoint.last_read_at IS 'When the last complete listing was received.';
COMMENT ON COLUMN ops.endpoint.last_new_at IS 'When the endpoint last listed an unknown URL.';
COMMENT ON COLUMN ops.endpoint.failures IS 'Failed polls since the last successful one.';
COMMENT ON COLUMN ops.endpoint.next_poll_at IS 'Scheduled crawls skip the endpoint until this time, because it keeps failing or rarely lists new URLs.';
COMMENT ON COLUMN ops.endpoint.validators_unreliable IS 'Whether the listing changed under the same ETag or Last-Modified. Such an endpoint is always fetched in full.';
COMMENT ON COLUMN ops.endpoint.index_modified IS 'Modification date that the parent sitemap index gave for the endpoint at the last complete listing.';

CREATE TABLE ops.endpoint_poll (
    crawl_id uuid NOT NULL REFERENCES ops.crawl,
    endpoint_id uuid NOT NULL REFERENCES ops.endpoint,
    polled_at timestamptz NOT NULL,
    http_status smallint,
    outcome text NOT NULL,
    detail text,
    entries integer NOT NULL DEFAULT 0,
    candidates integer NOT NULL DEFAULT 0,
    already_known integer NOT NULL DEFAULT 0,
    overlap integer,
    gap_suspected boolean NOT NULL DEFAULT false,
    body_hash bytea,
    PRIMARY KEY (crawl_id, endpoint_id)
);
CREATE INDEX endpoint_poll_endpoint ON ops.endpoint_poll (endpoint_id, polled_at);
COMMENT ON TABLE ops.endpoint_poll IS 'One row per crawl and endpoint that the crawl polled.';
COMMENT ON COLUMN ops.endpoint_poll.crawl_id IS 'Crawl that polled the endpoint (ops.crawl).';
COMMENT ON COLUMN ops.endpoint_poll.endpoint_id IS 'Endpoint that was polled (ops.endpoint).';
COMMENT ON COLUMN ops.endpoint_poll.polled_at IS 'When the endpoint was polled.';
COMMENT ON COLUMN ops.endpoint_poll.http_status IS 'HTTP status code; null if there was no response.';
COMMENT ON COLUMN ops.endpoint_poll.outcome IS 'listed, not_modified, unreadable (the listing could not be parsed), resting (not polled, see ops.endpoint.next_poll_at) or another outcome of core.outcome.';
COMMENT ON COLUMN ops.endpoint_poll.detail IS 'Description of the problem.';
COMMENT ON COLUMN ops.endpoint_poll.entries IS 'URLs that the endpoint listed.';
COMMENT ON COLUMN ops.endpoint_poll.candidates IS 'Listed URLs that no other endpoint had listed in this crawl before.';
COMMENT ON COLUMN ops.endpoint_poll.already_known IS 'Candidates that are known and not due. They are counted here and not stored one by one.';
COMMENT ON COLUMN ops.endpoint_poll.overlap IS 'Entries that the previous poll listed too; null for a first poll.';
COMMENT ON COLUMN ops.endpoint_poll.gap_suspected IS 'Whether the entries do not overlap with the previous poll. Entries may then have dropped out of the listing between the two polls.';
COMMENT ON COLUMN ops.endpoint_poll.body_hash IS 'First 16 bytes of the sha256 of the listing.';

CREATE TABLE ops.candidate (
    crawl_id uuid NOT NULL REFERENCES ops.crawl,
    url_uid uuid NOT NULL,
    url text NOT NULL,
    endpoint_id uuid,
    discovered_via text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    outcome text REFERENCES core.outcome,
    reason text,
    resolved_at timestamptz,
    segment_id uuid,
    article_uid uuid,
    PRIMARY KEY (crawl_id, url_uid)
);
CREATE INDEX candidate_url ON ops.candidate (url_uid);
CREATE INDEX candidate_segment ON ops.candidate (segment_id) WHERE segment_id IS NOT NULL;
CREATE INDEX candidate_decided ON ops.candidate USING brin (decided_at);
COMMENT ON TABLE ops.candidate IS 'The ledger: each candidate of a crawl with its outcome. Candidates that are known and not due are counted in ops.endpoint_poll.';
COMMENT ON COLUMN ops.candidate.crawl_id IS 'Crawl that decided on the candidate (ops.crawl).';
COMMENT ON COLUMN ops.candidate.url_uid IS 'Identity of the URL, computed like an article_uid.';
COMMENT ON COLUMN ops.candidate.url IS 'The URL as discovered.';
COMMENT ON COLUMN ops.candidate.endpoint_id IS 'Endpoint that first listed the URL; null if it was due for a revisit.';
COMMENT ON COLUMN ops.candidate.discovered_via IS 'Method that found the URL, or revisit.';
COMMENT ON COLUMN ops.candidate.decided_at IS 'When the crawl decided on the candidate.';
COMMENT ON COLUMN ops.candidate.outcome IS 'Outcome of the candidate (core.outcome); null while it is open.';
COMMENT ON COLUMN ops.candidate.reason IS 'Explanation of the outcome.';
COMMENT ON COLUMN ops.candidate.resolved_at IS 'When the candidate got its outcome.';
COMMENT ON COLUMN ops.candidate.segment_id IS 'Segment that holds the result.';
COMMENT ON COLUMN ops.candidate.article_uid IS 'Article that the URL leads to.';

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
    first_captured_at timestamptz,
    last_captured_at timestamptz,
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
    archive_length integer,
    last_read_at timestamptz,
    validators_unreliable boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);
CREATE INDEX frontier_due ON ops.frontier (outlet, next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX frontier_article ON ops.frontier (article_uid);
CREATE INDEX frontier_unreliable ON ops.frontier (outlet) WHERE validators_unreliable;
COMMENT ON TABLE ops.frontier IS 'All known URLs, with the result of the last fetch and the time of the next.';
COMMENT ON COLUMN ops.frontier.url_uid IS 'Identity of the URL, computed like an article_uid.';
COMMENT ON COLUMN ops.frontier.outlet IS 'Outlet of the URL.';
COMMENT ON COLUMN ops.frontier.url IS 'URL to request.';
COMMENT ON COLUMN ops.frontier.article_uid IS 'Article that the URL leads to; null before the first capture.';
COMMENT ON COLUMN ops.frontier.first_listed_at IS 'When the URL was first discovered.';
COMMENT ON COLUMN ops.frontier.next_due_at IS 'When to request the URL again even if no endpoint lists it; null for never.';
COMMENT ON COLUMN ops.frontier.listed_modified IS 'Modification date in the listing at the last capture. A later date makes the page due.';
COMMENT ON COLUMN ops.frontier.last_fetch_at IS 'When the URL was last requested.';
COMMENT ON COLUMN ops.frontier.last_outcome IS 'Outcome of the last request (core.outcome).';
COMMENT ON COLUMN ops.frontier.failures IS 'Failures since the last successful fetch.';
COMMENT ON COLUMN ops.frontier.first_captured_at IS 'First capture of the page.';
COMMENT ON COLUMN ops.frontier.last_captured_at IS 'Last capture of the page.';
COMMENT ON COLUMN ops.frontier.date_published IS 'Publication date, once known.';
COMMENT ON COLUMN ops.frontier.headline_hash IS 'Hash of the headline at the last capture, in comparable form.';
COMMENT ON COLUMN ops.frontier.description_hash IS 'Hash of the description at the last capture, in comparable form.';
COMMENT ON COLUMN ops.frontier.authors_hash IS 'Hash of the authors at the last capture, in comparable form.';
COMMENT ON COLUMN ops.frontier.body_hash IS 'Hash of the text at the last capture, in comparable form.';
COMMENT ON COLUMN ops.frontier.etag IS 'ETag of the last capture.';
COMMENT ON COLUMN ops.frontier.last_modified IS 'Last-Modified of the last capture.';
COMMENT ON COLUMN ops.frontier.wire_digest IS 'sha256 of the last body as received. An identical body is archived as a WARC revisit record.';
COMMENT ON COLUMN ops.frontier.segment_id IS 'Segment that holds the last archived body.';
COMMENT ON COLUMN ops.frontier.archive_offset IS 'Byte offset of the WARC record in the segment.';
COMMENT ON COLUMN ops.frontier.archive_length IS 'Length of the WARC record in bytes.';
COMMENT ON COLUMN ops.frontier.last_read_at IS 'When a body was last received. A 304 response has none.';
COMMENT ON COLUMN ops.frontier.validators_unreliable IS 'Whether the content changed under the same ETag or Last-Modified. Such a page is always fetched in full.';

CREATE TABLE ops.fetch (
    crawl_id uuid NOT NULL,
    fetched_at timestamptz NOT NULL,
    url text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('robots', 'rights', 'endpoint', 'article', 'other')),
    http_status smallint,
    bytes integer,
    seconds real NOT NULL,
    ip inet,
    error text
) PARTITION BY RANGE (fetched_at);
CREATE INDEX fetch_crawl ON ops.fetch (crawl_id);
CREATE INDEX fetch_time ON ops.fetch USING brin (fetched_at);
COMMENT ON TABLE ops.fetch IS 'Every HTTP request and its result. Redirect hops and retries are separate rows. Partitioned by month.';
COMMENT ON COLUMN ops.fetch.crawl_id IS 'Crawl that sent the request (ops.crawl).';
COMMENT ON COLUMN ops.fetch.fetched_at IS 'When the request was sent.';
COMMENT ON COLUMN ops.fetch.url IS 'URL that was requested.';
COMMENT ON COLUMN ops.fetch.kind IS 'robots, rights (the host''s TDM file), endpoint, article or other.';
COMMENT ON COLUMN ops.fetch.http_status IS 'HTTP status code; null if there was no response.';
COMMENT ON COLUMN ops.fetch.bytes IS 'Size of the body as received, in bytes.';
COMMENT ON COLUMN ops.fetch.seconds IS 'Seconds from sending the request to the end of the response.';
COMMENT ON COLUMN ops.fetch.ip IS 'IP address of the server.';
COMMENT ON COLUMN ops.fetch.error IS 'Description of the error.';

CREATE TABLE ops.fetch_default PARTITION OF ops.fetch DEFAULT;
COMMENT ON TABLE ops.fetch_default IS 'Fetches of months that have no partition of their own.';

CREATE TABLE ops.host_lease (
    host text PRIMARY KEY,
    holder uuid,
    expires_at timestamptz,
    free_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
COMMENT ON TABLE ops.host_lease IS 'Leases that allow one request at a time per host across all processes. The delay starts at the end of the last request.';
COMMENT ON COLUMN ops.host_lease.host IS 'Host name in lower case.';
COMMENT ON COLUMN ops.host_lease.holder IS 'Holder of the lease; null if the host is free.';
COMMENT ON COLUMN ops.host_lease.expires_at IS 'When the lease of a dead holder expires.';
COMMENT ON COLUMN ops.host_lease.free_at IS 'Earliest time of the next request: end of the last request plus the delay.';

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
    value_length integer,
    applied_at timestamptz,
    articles integer,
    CHECK (value IS NOT NULL OR value_key IS NOT NULL)
);
COMMENT ON TABLE ops.removal IS 'What must not be shown or kept, and why. Checked when a candidate is decided, loaded, re-extracted or rebuilt.';
COMMENT ON COLUMN ops.removal.removal_id IS 'Key.';
COMMENT ON COLUMN ops.removal.target IS 'Kind of value: url, prefix, outlet, author or commenter.';
COMMENT ON COLUMN ops.removal.value IS 'URL, prefix, outlet or name; null if the value was erased too.';
COMMENT ON COLUMN ops.removal.value_key IS 'Keyed hash of an erased value. It allows the value to be recognised without being stored.';
COMMENT ON COLUMN ops.removal.outlet IS 'Outlet that the removal is limited to; null for all outlets.';
COMMENT ON COLUMN ops.removal.action IS 'hide: the data is not shown but kept. erase: the data and the archived bytes are deleted.';
COMMENT ON COLUMN ops.removal.reason IS 'Why the removal was requested.';
COMMENT ON COLUMN ops.removal.requested_by IS 'Who entered the removal.';
COMMENT ON COLUMN ops.removal.created_at IS 'When the removal was entered.';
COMMENT ON COLUMN ops.removal.applied_seq IS 'load_seq of the load that applied the removal.';
COMMENT ON COLUMN ops.removal.value_length IS 'Number of characters of an erased prefix. The same number of characters of a URL is compared.';
COMMENT ON COLUMN ops.removal.applied_at IS 'When the removal was completed in this warehouse; null if it is incomplete.';
COMMENT ON COLUMN ops.removal.articles IS 'Number of articles hidden or erased in this warehouse.';

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
COMMENT ON TABLE ops.quarantine IS 'Rejected pages: fetched but not kept as articles, with the reason and the location of their bytes.';
COMMENT ON COLUMN ops.quarantine.quarantine_id IS 'The capture_id assigned at the fetch.';
COMMENT ON COLUMN ops.quarantine.crawl_id IS 'Crawl that fetched the page.';
COMMENT ON COLUMN ops.quarantine.url_uid IS 'Identity of the URL.';
COMMENT ON COLUMN ops.quarantine.url IS 'URL of the page.';
COMMENT ON COLUMN ops.quarantine.outlet IS 'Outlet of the page.';
COMMENT ON COLUMN ops.quarantine.outcome IS 'Outcome of the candidate (core.outcome).';
COMMENT ON COLUMN ops.quarantine.stage IS 'decode, extract, classify or load.';
COMMENT ON COLUMN ops.quarantine.reason IS 'Why the page was rejected.';
COMMENT ON COLUMN ops.quarantine.segment_id IS 'Segment that holds the bytes; null if they were not kept.';
COMMENT ON COLUMN ops.quarantine.archive_offset IS 'Byte offset of the WARC record in the segment.';
COMMENT ON COLUMN ops.quarantine.archive_length IS 'Length of the WARC record in bytes.';
COMMENT ON COLUMN ops.quarantine.created_at IS 'When the page was quarantined.';

CREATE TABLE ops.migration_checksum (
    migration_id text PRIMARY KEY,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.migration_checksum IS 'Checksums of the applied migrations. An edited migration is refused.';
COMMENT ON COLUMN ops.migration_checksum.migration_id IS 'File name without extension.';
COMMENT ON COLUMN ops.migration_checksum.sha256 IS 'sha256 of the file.';
COMMENT ON COLUMN ops.migration_checksum.applied_at IS 'When the migration was applied.';

CREATE TABLE ops.mart_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.mart_version IS 'Checksum of the sql/mart files that the current views were built from.';
COMMENT ON COLUMN ops.mart_version.only_row IS 'Ensures that the table has a single row.';
COMMENT ON COLUMN ops.mart_version.sha256 IS 'sha256 over the files.';
COMMENT ON COLUMN ops.mart_version.created_at IS 'When the views were built.';

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
COMMENT ON FUNCTION ops.ensure_partitions(integer) IS 'Create the missing monthly partitions of ops.fetch, from the current month to the given number of months ahead. Returns the number of partitions created.';

CREATE TABLE ops.site_policy_check (
    site text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('robots', 'tdmrep')),
    checked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    http_status smallint,
    error text,
    body_hash bytea,
    PRIMARY KEY (site, kind)
);
COMMENT ON TABLE ops.site_policy_check IS 'Last check of each host''s robots.txt and tdmrep.json, and how long it is valid.';
COMMENT ON COLUMN ops.site_policy_check.site IS 'Scheme and host.';
COMMENT ON COLUMN ops.site_policy_check.kind IS 'robots or tdmrep.';
COMMENT ON COLUMN ops.site_policy_check.checked_at IS 'When the file was requested.';
COMMENT ON COLUMN ops.site_policy_check.expires_at IS 'When the file is requested again: after a day for a response, after minutes for an error.';
COMMENT ON COLUMN ops.site_policy_check.http_status IS 'HTTP status code; null if there was no response.';
COMMENT ON COLUMN ops.site_policy_check.error IS 'Description of the error.';
COMMENT ON COLUMN ops.site_policy_check.body_hash IS 'Version of the file (core.site_policy); null if there is no file.';

CREATE TABLE ops.snapshot (
    name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    load_seq bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    code_version text NOT NULL,
    sig_version smallint NOT NULL,
    extractors jsonb NOT NULL,
    outlets jsonb NOT NULL,
    removals integer NOT NULL,
    counts jsonb NOT NULL,
    content_hash text NOT NULL
);
COMMENT ON TABLE ops.snapshot IS 'Named states of the warehouse. mart.article_as_of(load_seq) returns their articles.';
COMMENT ON COLUMN ops.snapshot.name IS 'Name of the snapshot.';
COMMENT ON COLUMN ops.snapshot.load_seq IS 'load_seq of the last load in the snapshot.';
COMMENT ON COLUMN ops.snapshot.created_at IS 'When the snapshot was created.';
COMMENT ON COLUMN ops.snapshot.created_by IS 'Who created the snapshot.';
COMMENT ON COLUMN ops.snapshot.code_version IS 'Version of Pressmark.';
COMMENT ON COLUMN ops.snapshot.sig_version IS 'Version of the signatures used to find copies.';
COMMENT ON COLUMN ops.snapshot.extractors IS 'Extractors of the current fields, each with its number of articles.';
COMMENT ON COLUMN ops.snapshot.outlets IS 'Outlets, each with the version of its file and its number of articles.';
COMMENT ON COLUMN ops.snapshot.removals IS 'Number of removals applied at that time.';
COMMENT ON COLUMN ops.snapshot.counts IS 'Number of articles, texts, comments, revisions and clusters.';
COMMENT ON COLUMN ops.snapshot.content_hash IS 'Output of `pressmark db fingerprint`.';

CREATE TABLE ops.export (
    export_id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    exported_by text NOT NULL,
    query text NOT NULL,
    format text NOT NULL,
    target text NOT NULL,
    with_text boolean NOT NULL,
    row_count bigint,
    load_seq bigint NOT NULL
);
COMMENT ON TABLE ops.export IS 'Audit log of exports.';
COMMENT ON COLUMN ops.export.export_id IS 'Key. It appears in the export''s manifest.';
COMMENT ON COLUMN ops.export.started_at IS 'When the export started.';
COMMENT ON COLUMN ops.export.finished_at IS 'When the export ended; null if it was interrupted.';
COMMENT ON COLUMN ops.export.exported_by IS 'Who ran the export.';
COMMENT ON COLUMN ops.export.query IS 'SQL statement of the export.';
COMMENT ON COLUMN ops.export.format IS 'parquet, csv or jsonl.';
COMMENT ON COLUMN ops.export.target IS 'Target file or folder.';
COMMENT ON COLUMN ops.export.with_text IS 'Whether full texts were exported.';
COMMENT ON COLUMN ops.export.row_count IS 'Number of rows written.';
COMMENT ON COLUMN ops.export.load_seq IS 'load_seq of the last load visible to the export.';

CREATE FUNCTION ops.drop_fetch_partitions(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    partition record;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT child.relname, to_date(right(child.relname, 7), 'YYYY_MM') AS month
        FROM pg_inherits inheritance
        JOIN pg_class child ON child.oid = inheritance.inhrelid
        WHERE inheritance.inhparent = 'ops.fetch'::regclass AND child.relname ~ '^fetch_\d{4}_\d{2}$'
    LOOP
        IF (partition.month + interval '1 month') AT TIME ZONE 'UTC' <= before THEN
            EXECUTE format('DROP TABLE ops.%I', partition.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION ops.drop_fetch_partitions(timestamptz) IS 'Drop the monthly partitions of ops.fetch that end at or before the given time. Returns the number of partitions dropped.';
REVOKE EXECUTE ON FUNCTION ops.drop_fetch_partitions(timestamptz) FROM PUBLIC;

CREATE TABLE ops.backfill (
    backfill_id uuid PRIMARY KEY,
    outlets text[] NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    methods text[],
    page_budget integer,
    force_refetch boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('dry_run', 'running', 'done', 'unfinished', 'refused')),
    requested_by text NOT NULL,
    dag_id text,
    run_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    plan jsonb NOT NULL,
    report jsonb,
    CHECK (since < until)
);
CREATE INDEX backfill_created ON ops.backfill (created_at);
COMMENT ON TABLE ops.backfill IS 'Requested backfills with their plan and result.';
COMMENT ON COLUMN ops.backfill.backfill_id IS 'Key.';
COMMENT ON COLUMN ops.backfill.outlets IS 'Outlets to backfill.';
COMMENT ON COLUMN ops.backfill.since IS 'Start of the publication dates, inclusive.';
COMMENT ON COLUMN ops.backfill.until IS 'End of the publication dates, exclusive.';
COMMENT ON COLUMN ops.backfill.methods IS 'Discovery methods; null for all methods that reach the past.';
COMMENT ON COLUMN ops.backfill.page_budget IS 'Maximum number of pages per chunk; null for the outlet''s own budget.';
COMMENT ON COLUMN ops.backfill.force_refetch IS 'Whether to fetch known pages too.';
COMMENT ON COLUMN ops.backfill.state IS 'dry_run: planned only. running: in progress. done: every chunk is done. unfinished: some chunks are not done, and repeating the request resumes them. refused: the plan was rejected; see plan.';
COMMENT ON COLUMN ops.backfill.requested_by IS 'Person or DAG that requested the backfill.';
COMMENT ON COLUMN ops.backfill.dag_id IS 'DAG that last ran the backfill.';
COMMENT ON COLUMN ops.backfill.run_id IS 'Last DAG run.';
COMMENT ON COLUMN ops.backfill.created_at IS 'When the backfill was requested.';
COMMENT ON COLUMN ops.backfill.finished_at IS 'When the last run ended.';
COMMENT ON COLUMN ops.backfill.plan IS 'Per outlet: days with known, discoverable and missing articles, expected requests and seconds, and the coverage before.';
COMMENT ON COLUMN ops.backfill.report IS 'Per outlet: outcomes, requests, and the coverage before and after.';

CREATE TABLE ops.backfill_chunk (
    backfill_id uuid NOT NULL REFERENCES ops.backfill,
    outlet text NOT NULL REFERENCES core.outlet,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'covered', 'partial', 'failed')),
    request_id uuid,
    attempts integer NOT NULL DEFAULT 0,
    detail text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (backfill_id, outlet, since)
);
CREATE INDEX backfill_chunk_done ON ops.backfill_chunk (outlet, since) WHERE state = 'done';
COMMENT ON TABLE ops.backfill_chunk IS 'Chunks of a backfill, one per outlet and month. Finished chunks are not repeated.';
COMMENT ON COLUMN ops.backfill_chunk.backfill_id IS 'Backfill that the chunk belongs to.';
COMMENT ON COLUMN ops.backfill_chunk.outlet IS 'Outlet of the chunk.';
COMMENT ON COLUMN ops.backfill_chunk.since IS 'Start of the chunk, inclusive.';
COMMENT ON COLUMN ops.backfill_chunk.until IS 'End of the chunk, exclusive.';
COMMENT ON COLUMN ops.backfill_chunk.state IS 'waiting, running: not finished. done: everything that the listings name for these dates was decided. covered: an earlier backfill did it. partial: a budget ran out or listings and pages did not respond. failed: the crawl failed.';
COMMENT ON COLUMN ops.backfill_chunk.request_id IS 'Last crawl request of the chunk (ops.crawl_request).';
COMMENT ON COLUMN ops.backfill_chunk.attempts IS 'Number of crawls started for the chunk.';
COMMENT ON COLUMN ops.backfill_chunk.detail IS 'Explanation of the state.';
COMMENT ON COLUMN ops.backfill_chunk.updated_at IS 'When the row last changed.';

CREATE TABLE ops.reextraction (
    reextraction_id uuid PRIMARY KEY,
    outlets text[] NOT NULL,
    since timestamptz,
    until timestamptz,
    state text NOT NULL CHECK (state IN ('extracted', 'promoted', 'discarded', 'rolled_back')),
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    payloads integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    comparison jsonb,
    promoted_seq bigint,
    decided_at timestamptz
);
COMMENT ON TABLE ops.reextraction IS 'Re-extractions: archived pages processed again by the current extractor, and the decision about the result.';
COMMENT ON COLUMN ops.reextraction.reextraction_id IS 'Key.';
COMMENT ON COLUMN ops.reextraction.outlets IS 'Outlets whose pages were re-extracted.';
COMMENT ON COLUMN ops.reextraction.since IS 'Only pages observed at or after this time; null for all.';
COMMENT ON COLUMN ops.reextraction.until IS 'Only pages observed before this time; null for all.';
COMMENT ON COLUMN ops.reextraction.state IS 'extracted: the result awaits a decision and nothing has changed. promoted: the new fields are used. discarded: the old fields stay in use. rolled_back: promoted and then undone.';
COMMENT ON COLUMN ops.reextraction.requested_by IS 'Person or DAG that requested the re-extraction.';
COMMENT ON COLUMN ops.reextraction.created_at IS 'When the re-extraction was requested.';
COMMENT ON COLUMN ops.reextraction.payloads IS 'Number of pages processed.';
COMMENT ON COLUMN ops.reextraction.failed IS 'Number of pages that could not be processed.';
COMMENT ON COLUMN ops.reextraction.comparison IS 'Per field: pages that have it before and after, pages whose value differs, and samples.';
COMMENT ON COLUMN ops.reextraction.promoted_seq IS 'load_seq of the load that promoted the result.';
COMMENT ON COLUMN ops.reextraction.decided_at IS 'When the result was promoted, discarded or rolled back.';

CREATE TABLE ops.reextraction_page (
    reextraction_id uuid NOT NULL REFERENCES ops.reextraction,
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    before_extractor_id integer NOT NULL REFERENCES core.extractor,
    PRIMARY KEY (reextraction_id, payload_hash)
);
COMMENT ON TABLE ops.reextraction_page IS 'Pages of a re-extraction.';
COMMENT ON COLUMN ops.reextraction_page.reextraction_id IS 'Re-extraction that the page belongs to.';
COMMENT ON COLUMN ops.reextraction_page.payload_hash IS 'Payload of the page.';
COMMENT ON COLUMN ops.reextraction_page.extractor_id IS 'Extractor that processed the page again.';
COMMENT ON COLUMN ops.reextraction_page.before_extractor_id IS 'Extractor whose fields were used before.';

CREATE TABLE ops.outlet_override (
    outlet text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL CHECK (state IN ('running', 'paused', 'retired')),
    reason text NOT NULL,
    set_by text NOT NULL,
    until timestamptz,
    PRIMARY KEY (outlet, set_at)
);
COMMENT ON TABLE ops.outlet_override IS 'Outlets that were paused, resumed or retired without changing their file. The latest row applies.';
COMMENT ON COLUMN ops.outlet_override.outlet IS 'Outlet that the override applies to.';
COMMENT ON COLUMN ops.outlet_override.set_at IS 'When the override was set.';
COMMENT ON COLUMN ops.outlet_override.state IS 'running: follows the outlet''s file. paused: not crawled on schedule. retired: not crawled on schedule and not monitored.';
COMMENT ON COLUMN ops.outlet_override.reason IS 'Why the override was set.';
COMMENT ON COLUMN ops.outlet_override.set_by IS 'Who set the override.';
COMMENT ON COLUMN ops.outlet_override.until IS 'When a pause ends automatically; null if it lasts until someone resumes the outlet.';

CREATE TABLE ops.health (
    outlet text PRIMARY KEY REFERENCES core.outlet,
    state text NOT NULL CHECK (state IN ('fresh', 'late', 'silent', 'blocked', 'extraction_broken', 'failing', 'paused', 'new')),
    reason text NOT NULL,
    since timestamptz NOT NULL,
    checked_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.health IS 'Health of each outlet. Recent crawls are compared with the outlet''s own history.';
COMMENT ON COLUMN ops.health.outlet IS 'Outlet that was checked.';
COMMENT ON COLUMN ops.health.state IS 'fresh: new articles arrive as usual. late: no new article for longer than usual. silent: no new article for much longer than usual. blocked: challenges, consent walls or refusals. extraction_broken: pages arrive but no text is found. failing: crawls fail. paused: paused or retired by an override, or disabled in the outlet''s file. new: too little is known.';
COMMENT ON COLUMN ops.health.reason IS 'Evidence for the state.';
COMMENT ON COLUMN ops.health.since IS 'When the outlet entered this state.';
COMMENT ON COLUMN ops.health.checked_at IS 'When the outlet was last checked.';

CREATE TABLE ops.alert (
    alert_id uuid PRIMARY KEY,
    cause text NOT NULL,
    outlet text,
    message text NOT NULL,
    opened_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    closed_at timestamptz,
    notified_at timestamptz
);
CREATE UNIQUE INDEX alert_open ON ops.alert (cause, COALESCE(outlet, '')) WHERE closed_at IS NULL;
COMMENT ON TABLE ops.alert IS 'Alerts for operators: one row per cause and outlet for as long as the problem lasts.';
COMMENT ON COLUMN ops.alert.alert_id IS 'Key.';
COMMENT ON COLUMN ops.alert.cause IS 'A state of ops.health; internal_failure (many outlets fail at once, so the fault is ours); or disk (too little free space).';
COMMENT ON COLUMN ops.alert.outlet IS 'Outlet concerned; null for an alert about the installation.';
COMMENT ON COLUMN ops.alert.message IS 'Text of the alert.';
COMMENT ON COLUMN ops.alert.opened_at IS 'When the problem was first seen.';
COMMENT ON COLUMN ops.alert.last_seen_at IS 'When the problem was last seen.';
COMMENT ON COLUMN ops.alert.closed_at IS 'When the problem ended; null while it lasts.';
COMMENT ON COLUMN ops.alert.notified_at IS 'When someone was notified; null if a mute covered the alert.';

CREATE TABLE ops.alert_mute (
    mute_id uuid PRIMARY KEY,
    outlet text,
    cause text,
    until timestamptz,
    reference text,
    muted_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (until IS NOT NULL OR reference IS NOT NULL)
);
COMMENT ON TABLE ops.alert_mute IS 'Muted alerts. A mute lasts until a date or while a ticket is open.';
COMMENT ON COLUMN ops.alert_mute.mute_id IS 'Key.';
COMMENT ON COLUMN ops.alert_mute.outlet IS 'Outlet to mute; null for all outlets.';
COMMENT ON COLUMN ops.alert_mute.cause IS 'Cause to mute; null for all causes.';
COMMENT ON COLUMN ops.alert_mute.until IS 'When the mute ends; null if a reference is given instead.';
COMMENT ON COLUMN ops.alert_mute.reference IS 'Ticket or note that explains the mute.';
COMMENT ON COLUMN ops.alert_mute.muted_by IS 'Who muted the alerts.';
COMMENT ON COLUMN ops.alert_mute.created_at IS 'When the mute was created.';

CREATE TABLE ops.storage_stats (
    measured_on date PRIMARY KEY,
    database_bytes bigint NOT NULL,
    archive_bytes bigint NOT NULL,
    log_bytes bigint NOT NULL,
    articles bigint NOT NULL
);
COMMENT ON TABLE ops.storage_stats IS 'Storage used, one row per day.';
COMMENT ON COLUMN ops.storage_stats.measured_on IS 'Day of the measurement (UTC).';
COMMENT ON COLUMN ops.storage_stats.database_bytes IS 'Size of the warehouse database.';
COMMENT ON COLUMN ops.storage_stats.archive_bytes IS 'Size of the archive, according to core.archive_segment.';
COMMENT ON COLUMN ops.storage_stats.log_bytes IS 'Size of the logs in the home folder.';
COMMENT ON COLUMN ops.storage_stats.articles IS 'Number of articles.';
