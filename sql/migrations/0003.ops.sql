-- How the pipeline runs: crawl requests, crawls, the ledger, the frontier, leases, removals, backfills, health.
-- depends: 0002.search

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
    map_index integer,
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
COMMENT ON COLUMN ops.crawl_request.map_index IS 'Mapped task that crawled it, so that its log is found; null where no DAG did.';

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
COMMENT ON COLUMN ops.crawl.stats IS 'Scrapy''s counters at the end; internal_failure: true where what failed is held against us, not the outlet.';

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
COMMENT ON TABLE ops.segment IS 'The atomic unit of a crawl: archived, committed and loaded once.';
COMMENT ON COLUMN ops.segment.segment_id IS 'Key; also the name of its WARC.';
COMMENT ON COLUMN ops.segment.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.segment.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.segment.state IS 'committed: staged. loaded: in the warehouse. failed: the loader gave up, see error.';
COMMENT ON COLUMN ops.segment.captures IS 'Visits it stages.';
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
COMMENT ON TABLE ops.endpoint IS 'A feed, sitemap, section or archive of an outlet.';
COMMENT ON COLUMN ops.endpoint.endpoint_id IS 'First 16 bytes of sha256(outlet, method, URL).';
COMMENT ON COLUMN ops.endpoint.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.endpoint.method IS 'Discovery method.';
COMMENT ON COLUMN ops.endpoint.url IS 'Address.';
COMMENT ON COLUMN ops.endpoint.configured IS 'In the outlet''s file; false for a child of a sitemap index and for the frontier itself.';
COMMENT ON COLUMN ops.endpoint.first_seen_at IS 'When it was first polled.';
COMMENT ON COLUMN ops.endpoint.etag IS 'ETag of the last listing that came in full.';
COMMENT ON COLUMN ops.endpoint.last_modified IS 'Last-Modified of it.';
COMMENT ON COLUMN ops.endpoint.body_hash IS 'sha256 of it, first 16 bytes.';
COMMENT ON COLUMN ops.endpoint.last_read_at IS 'When it came.';
COMMENT ON COLUMN ops.endpoint.last_new_at IS 'Last time it listed an address that was not known.';
COMMENT ON COLUMN ops.endpoint.failures IS 'Failed looks since the last one that succeeded.';
COMMENT ON COLUMN ops.endpoint.next_poll_at IS 'A scheduled crawl does not look at it before this time: it keeps failing, or brings little.';
COMMENT ON COLUMN ops.endpoint.validators_unreliable IS 'It changed under the same ETag or Last-Modified: it is always asked for in full.';
COMMENT ON COLUMN ops.endpoint.index_modified IS 'What the index that names it said of its last change when it was last read.';

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
COMMENT ON TABLE ops.endpoint_poll IS 'One look at an endpoint in one crawl.';
COMMENT ON COLUMN ops.endpoint_poll.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.endpoint_poll.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN ops.endpoint_poll.polled_at IS 'When.';
COMMENT ON COLUMN ops.endpoint_poll.http_status IS 'HTTP status; null where none came.';
COMMENT ON COLUMN ops.endpoint_poll.outcome IS 'listed, or an outcome of core.outcome that says why not, or unreadable.';
COMMENT ON COLUMN ops.endpoint_poll.detail IS 'What was wrong with it, in words.';
COMMENT ON COLUMN ops.endpoint_poll.entries IS 'URLs it listed.';
COMMENT ON COLUMN ops.endpoint_poll.candidates IS 'Of these, candidates that no endpoint had brought to this crawl before.';
COMMENT ON COLUMN ops.endpoint_poll.already_known IS 'Of these candidates, known and not due: counted here, not stored row by row.';
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
    resolved_at timestamptz,
    segment_id uuid,
    article_uid uuid,
    PRIMARY KEY (crawl_id, url_uid)
);
CREATE INDEX candidate_url ON ops.candidate (url_uid);
CREATE INDEX candidate_segment ON ops.candidate (segment_id) WHERE segment_id IS NOT NULL;
CREATE INDEX candidate_decided ON ops.candidate USING brin (decided_at);
COMMENT ON TABLE ops.candidate IS 'The ledger: each candidate of a crawl, and how it ended. Candidates that were merely listed again are counted in ops.endpoint_poll.';
COMMENT ON COLUMN ops.candidate.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.candidate.url_uid IS 'Identity of its URL, made as an article_uid.';
COMMENT ON COLUMN ops.candidate.url IS 'The URL as discovered.';
COMMENT ON COLUMN ops.candidate.endpoint_id IS 'Endpoint that brought it first; null where it was due for a revisit.';
COMMENT ON COLUMN ops.candidate.discovered_via IS 'Method that brought it, or revisit.';
COMMENT ON COLUMN ops.candidate.decided_at IS 'When it was decided on.';
COMMENT ON COLUMN ops.candidate.outcome IS 'How it ended; null while the crawl runs.';
COMMENT ON COLUMN ops.candidate.reason IS 'What led to the outcome, in words.';
COMMENT ON COLUMN ops.candidate.resolved_at IS 'When it ended.';
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
COMMENT ON TABLE ops.frontier IS 'All URLs known, what came of the last capture, and when the next is due.';
COMMENT ON COLUMN ops.frontier.url_uid IS 'Identity of the URL, made as an article_uid.';
COMMENT ON COLUMN ops.frontier.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.frontier.url IS 'The URL to ask for.';
COMMENT ON COLUMN ops.frontier.article_uid IS 'The article it led to; null before the first capture.';
COMMENT ON COLUMN ops.frontier.first_listed_at IS 'When it was first discovered.';
COMMENT ON COLUMN ops.frontier.next_due_at IS 'When to ask again even where nothing lists it; null for never.';
COMMENT ON COLUMN ops.frontier.listed_modified IS 'Date of change in the listing at the last capture; a later one makes the page due.';
COMMENT ON COLUMN ops.frontier.last_fetch_at IS 'Last time it was asked for.';
COMMENT ON COLUMN ops.frontier.last_outcome IS 'What came of it.';
COMMENT ON COLUMN ops.frontier.failures IS 'Failures since the last page that came.';
COMMENT ON COLUMN ops.frontier.first_captured_at IS 'First page that came.';
COMMENT ON COLUMN ops.frontier.last_captured_at IS 'Last page that came.';
COMMENT ON COLUMN ops.frontier.date_published IS 'Date of publication, once known.';
COMMENT ON COLUMN ops.frontier.headline_hash IS 'Comparable headline of the last capture.';
COMMENT ON COLUMN ops.frontier.description_hash IS 'Comparable description of the last capture.';
COMMENT ON COLUMN ops.frontier.authors_hash IS 'Comparable authors of the last capture.';
COMMENT ON COLUMN ops.frontier.body_hash IS 'Comparable text of the last capture.';
COMMENT ON COLUMN ops.frontier.etag IS 'ETag of the last capture.';
COMMENT ON COLUMN ops.frontier.last_modified IS 'Last-Modified of the last capture.';
COMMENT ON COLUMN ops.frontier.wire_digest IS 'sha256 of the last body as received; an equal one is archived as a WARC revisit record.';
COMMENT ON COLUMN ops.frontier.segment_id IS 'Segment that holds the last archived body.';
COMMENT ON COLUMN ops.frontier.archive_offset IS 'Byte of its record within the segment.';
COMMENT ON COLUMN ops.frontier.archive_length IS 'Length of the record.';
COMMENT ON COLUMN ops.frontier.last_read_at IS 'Last time its body came; a 304 brings none.';
COMMENT ON COLUMN ops.frontier.validators_unreliable IS 'Its content changed under the same ETag or Last-Modified: it is always asked for in full.';

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
COMMENT ON TABLE ops.fetch IS 'Every HTTP request and what came; redirect hops and repeated attempts are requests too. Partitioned by month.';
COMMENT ON COLUMN ops.fetch.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.fetch.fetched_at IS 'When the request was sent.';
COMMENT ON COLUMN ops.fetch.url IS 'Address.';
COMMENT ON COLUMN ops.fetch.kind IS 'robots, rights (the host''s TDM file), endpoint, article or other.';
COMMENT ON COLUMN ops.fetch.http_status IS 'Status; null where none came.';
COMMENT ON COLUMN ops.fetch.bytes IS 'Bytes of the body as received.';
COMMENT ON COLUMN ops.fetch.seconds IS 'From sending the request to the end of the answer.';
COMMENT ON COLUMN ops.fetch.ip IS 'Address of the server.';
COMMENT ON COLUMN ops.fetch.error IS 'What went wrong, in words.';

CREATE TABLE ops.fetch_default PARTITION OF ops.fetch DEFAULT;
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
    value_length integer,
    applied_at timestamptz,
    articles integer,
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
COMMENT ON COLUMN ops.removal.value_length IS 'Characters of an erased prefix, so that the same number of an address''s is compared.';
COMMENT ON COLUMN ops.removal.applied_at IS 'When it had been carried out here; null where that was not finished.';
COMMENT ON COLUMN ops.removal.articles IS 'Articles that it hid or erased here.';

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
COMMENT ON COLUMN ops.quarantine.quarantine_id IS 'The capture''s id, given at the fetch.';
COMMENT ON COLUMN ops.quarantine.crawl_id IS 'The crawl.';
COMMENT ON COLUMN ops.quarantine.url_uid IS 'Identity of the URL.';
COMMENT ON COLUMN ops.quarantine.url IS 'The URL.';
COMMENT ON COLUMN ops.quarantine.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.quarantine.outcome IS 'How it ended.';
COMMENT ON COLUMN ops.quarantine.stage IS 'decode, extract, classify or load.';
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
COMMENT ON TABLE ops.site_policy_check IS 'The last look at a host''s robots.txt and tdmrep.json, and until when it holds.';
COMMENT ON COLUMN ops.site_policy_check.site IS 'Scheme and host.';
COMMENT ON COLUMN ops.site_policy_check.kind IS 'robots or tdmrep.';
COMMENT ON COLUMN ops.site_policy_check.checked_at IS 'When it was asked for.';
COMMENT ON COLUMN ops.site_policy_check.expires_at IS 'It is asked for again after this: a day for an answer, minutes for an error.';
COMMENT ON COLUMN ops.site_policy_check.http_status IS 'Status; null where none came.';
COMMENT ON COLUMN ops.site_policy_check.error IS 'What went wrong, in words.';
COMMENT ON COLUMN ops.site_policy_check.body_hash IS 'State of core.site_policy that it showed; null where there was none.';

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
COMMENT ON TABLE ops.snapshot IS 'States of the warehouse that were given a name; mart.article_as_of(load_seq) shows them.';
COMMENT ON COLUMN ops.snapshot.name IS 'The name.';
COMMENT ON COLUMN ops.snapshot.load_seq IS 'The last load that belongs to it.';
COMMENT ON COLUMN ops.snapshot.created_at IS 'When it was named.';
COMMENT ON COLUMN ops.snapshot.created_by IS 'Who named it.';
COMMENT ON COLUMN ops.snapshot.code_version IS 'Version of Pressmark.';
COMMENT ON COLUMN ops.snapshot.sig_version IS 'Version of the signatures by which copies are found.';
COMMENT ON COLUMN ops.snapshot.extractors IS 'Extractors whose fields it shows, with the number of articles.';
COMMENT ON COLUMN ops.snapshot.outlets IS 'Outlets, with the state of their file and the number of articles.';
COMMENT ON COLUMN ops.snapshot.removals IS 'Removals that had been applied.';
COMMENT ON COLUMN ops.snapshot.counts IS 'Articles, texts, revisions, clusters.';
COMMENT ON COLUMN ops.snapshot.content_hash IS 'What `pressmark db fingerprint` printed.';

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
COMMENT ON TABLE ops.export IS 'Exports: who took what out, and when.';
COMMENT ON COLUMN ops.export.export_id IS 'Key; stands in the manifest.';
COMMENT ON COLUMN ops.export.started_at IS 'Begin.';
COMMENT ON COLUMN ops.export.finished_at IS 'End; null where it was cut off.';
COMMENT ON COLUMN ops.export.exported_by IS 'Who.';
COMMENT ON COLUMN ops.export.query IS 'The statement.';
COMMENT ON COLUMN ops.export.format IS 'parquet, csv or jsonl.';
COMMENT ON COLUMN ops.export.target IS 'File or folder.';
COMMENT ON COLUMN ops.export.with_text IS 'Whether full texts were taken out.';
COMMENT ON COLUMN ops.export.row_count IS 'Rows written.';
COMMENT ON COLUMN ops.export.load_seq IS 'The last load that it saw.';

CREATE FUNCTION ops.drop_fetch_partitions(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    partition record;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT c.relname, to_date(right(c.relname, 7), 'YYYY_MM') AS month
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'ops.fetch'::regclass AND c.relname ~ '^fetch_\d{4}_\d{2}$'
    LOOP
        IF (partition.month + interval '1 month') AT TIME ZONE 'UTC' <= before THEN
            EXECUTE format('DROP TABLE ops.%I', partition.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION ops.drop_fetch_partitions(timestamptz) IS 'Drops the monthly partitions of ops.fetch that end before a time; returns how many.';
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
COMMENT ON TABLE ops.backfill IS 'Backfills that were asked for: what was planned, what came of it.';
COMMENT ON COLUMN ops.backfill.backfill_id IS 'Key.';
COMMENT ON COLUMN ops.backfill.outlets IS 'Outlets.';
COMMENT ON COLUMN ops.backfill.since IS 'Begin of the dates of publication, included.';
COMMENT ON COLUMN ops.backfill.until IS 'End, excluded.';
COMMENT ON COLUMN ops.backfill.methods IS 'Discovery methods; null for all that reach the past.';
COMMENT ON COLUMN ops.backfill.page_budget IS 'Most pages of each chunk; null for the outlet''s own budget.';
COMMENT ON COLUMN ops.backfill.force_refetch IS 'Fetch known pages too.';
COMMENT ON COLUMN ops.backfill.state IS 'dry_run: planned only. running. done: every chunk is. unfinished: some chunks are not; asking for the same again goes on with them. refused: see plan.';
COMMENT ON COLUMN ops.backfill.requested_by IS 'Person or DAG.';
COMMENT ON COLUMN ops.backfill.dag_id IS 'DAG that ran it last.';
COMMENT ON COLUMN ops.backfill.run_id IS 'Its run.';
COMMENT ON COLUMN ops.backfill.created_at IS 'When it was asked for.';
COMMENT ON COLUMN ops.backfill.finished_at IS 'When its last run ended.';
COMMENT ON COLUMN ops.backfill.plan IS 'By outlet: days with known, discoverable and missing articles, expected requests and seconds, coverage before.';
COMMENT ON COLUMN ops.backfill.report IS 'By outlet: outcomes, requests, coverage before and after.';

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
COMMENT ON TABLE ops.backfill_chunk IS 'A backfill''s parts, an outlet and month each: what is done is not done again.';
COMMENT ON COLUMN ops.backfill_chunk.backfill_id IS 'The backfill.';
COMMENT ON COLUMN ops.backfill_chunk.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.backfill_chunk.since IS 'Begin, included.';
COMMENT ON COLUMN ops.backfill_chunk.until IS 'End, excluded.';
COMMENT ON COLUMN ops.backfill_chunk.state IS 'waiting, running; done: everything that listings name for these dates was decided. covered: an earlier backfill had done it. partial: a budget was used up. failed.';
COMMENT ON COLUMN ops.backfill_chunk.request_id IS 'Its last crawl request.';
COMMENT ON COLUMN ops.backfill_chunk.attempts IS 'Crawls that were begun for it.';
COMMENT ON COLUMN ops.backfill_chunk.detail IS 'Why it is where it is, in words.';
COMMENT ON COLUMN ops.backfill_chunk.updated_at IS 'Last change.';

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
COMMENT ON TABLE ops.reextraction IS 'Archived pages that were read again by the extractor of today, and what was decided on the result.';
COMMENT ON COLUMN ops.reextraction.reextraction_id IS 'Key.';
COMMENT ON COLUMN ops.reextraction.outlets IS 'Outlets.';
COMMENT ON COLUMN ops.reextraction.since IS 'Pages observed at or after this time; null for all.';
COMMENT ON COLUMN ops.reextraction.until IS 'Pages observed before this time; null for all.';
COMMENT ON COLUMN ops.reextraction.state IS 'extracted: nothing has changed yet. promoted: the new fields count. discarded: the old fields stay. rolled_back: promoted, then undone.';
COMMENT ON COLUMN ops.reextraction.requested_by IS 'Person or DAG.';
COMMENT ON COLUMN ops.reextraction.created_at IS 'When.';
COMMENT ON COLUMN ops.reextraction.payloads IS 'Pages that were read.';
COMMENT ON COLUMN ops.reextraction.failed IS 'Pages that could not be read.';
COMMENT ON COLUMN ops.reextraction.comparison IS 'By field: pages that have it before and after, pages in which it differs, samples.';
COMMENT ON COLUMN ops.reextraction.promoted_seq IS 'Load that promoted it.';
COMMENT ON COLUMN ops.reextraction.decided_at IS 'When it was promoted, discarded or rolled back.';

CREATE TABLE ops.reextraction_page (
    reextraction_id uuid NOT NULL REFERENCES ops.reextraction,
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    before_extractor_id integer NOT NULL REFERENCES core.extractor,
    PRIMARY KEY (reextraction_id, payload_hash)
);
COMMENT ON TABLE ops.reextraction_page IS 'The pages of a re-extraction.';
COMMENT ON COLUMN ops.reextraction_page.reextraction_id IS 'The re-extraction.';
COMMENT ON COLUMN ops.reextraction_page.payload_hash IS 'The payload.';
COMMENT ON COLUMN ops.reextraction_page.extractor_id IS 'The extractor that read it now.';
COMMENT ON COLUMN ops.reextraction_page.before_extractor_id IS 'The extractor whose fields counted before.';

CREATE TABLE ops.outlet_override (
    outlet text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL CHECK (state IN ('running', 'paused', 'retired')),
    reason text NOT NULL,
    set_by text NOT NULL,
    until timestamptz,
    PRIMARY KEY (outlet, set_at)
);
COMMENT ON TABLE ops.outlet_override IS 'Outlets that were paused, resumed or retired without a change of their file; the last row counts.';
COMMENT ON COLUMN ops.outlet_override.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.outlet_override.set_at IS 'When.';
COMMENT ON COLUMN ops.outlet_override.state IS 'running: as its file says. paused: not crawled on schedule. retired: not crawled on schedule, not watched.';
COMMENT ON COLUMN ops.outlet_override.reason IS 'Why.';
COMMENT ON COLUMN ops.outlet_override.set_by IS 'Who.';
COMMENT ON COLUMN ops.outlet_override.until IS 'A pause ends by itself then; null for until somebody resumes it.';

CREATE TABLE ops.health (
    outlet text PRIMARY KEY REFERENCES core.outlet,
    state text NOT NULL CHECK (state IN ('fresh', 'late', 'silent', 'blocked', 'extraction_broken', 'failing', 'paused', 'new')),
    reason text NOT NULL,
    since timestamptz NOT NULL,
    checked_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.health IS 'How each outlet fares, by its last crawls beside its own past.';
COMMENT ON COLUMN ops.health.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.health.state IS 'fresh; late: nothing new for longer than usual. silent: listings answer and name nothing new for far longer. blocked: challenges, walls, refusals. extraction_broken: pages come and no text is found. failing: crawls fail. paused: by a person. new: too little is known.';
COMMENT ON COLUMN ops.health.reason IS 'What shows it, in words.';
COMMENT ON COLUMN ops.health.since IS 'Since when it is in this state.';
COMMENT ON COLUMN ops.health.checked_at IS 'When it was last looked at.';

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
COMMENT ON TABLE ops.alert IS 'What an operator should know: one row a cause, as long as it lasts.';
COMMENT ON COLUMN ops.alert.alert_id IS 'Key.';
COMMENT ON COLUMN ops.alert.cause IS 'A state of ops.health, or internal_failure: so many outlets fail at once that it must be us; disk: too little space.';
COMMENT ON COLUMN ops.alert.outlet IS 'The outlet; null for one that concerns the installation.';
COMMENT ON COLUMN ops.alert.message IS 'In words.';
COMMENT ON COLUMN ops.alert.opened_at IS 'When it was first seen.';
COMMENT ON COLUMN ops.alert.last_seen_at IS 'When it was last seen.';
COMMENT ON COLUMN ops.alert.closed_at IS 'When it was over; null while it lasts.';
COMMENT ON COLUMN ops.alert.notified_at IS 'When somebody was told; null where a silence covered it.';

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
COMMENT ON TABLE ops.alert_mute IS 'Alerts that nobody is told of: until a time, or for as long as a reference says.';
COMMENT ON COLUMN ops.alert_mute.mute_id IS 'Key.';
COMMENT ON COLUMN ops.alert_mute.outlet IS 'The outlet; null for all.';
COMMENT ON COLUMN ops.alert_mute.cause IS 'The cause; null for all.';
COMMENT ON COLUMN ops.alert_mute.until IS 'End; null where a reference is given instead.';
COMMENT ON COLUMN ops.alert_mute.reference IS 'A ticket or the like that says why it stays silent.';
COMMENT ON COLUMN ops.alert_mute.muted_by IS 'Who.';
COMMENT ON COLUMN ops.alert_mute.created_at IS 'When.';

CREATE TABLE ops.storage_stats (
    measured_on date PRIMARY KEY,
    database_bytes bigint NOT NULL,
    archive_bytes bigint NOT NULL,
    log_bytes bigint NOT NULL,
    articles bigint NOT NULL
);
COMMENT ON TABLE ops.storage_stats IS 'How large everything is, a row a day.';
COMMENT ON COLUMN ops.storage_stats.measured_on IS 'Day (UTC).';
COMMENT ON COLUMN ops.storage_stats.database_bytes IS 'The warehouse''s database.';
COMMENT ON COLUMN ops.storage_stats.archive_bytes IS 'The archive, as its rows say.';
COMMENT ON COLUMN ops.storage_stats.log_bytes IS 'Logs in the home.';
COMMENT ON COLUMN ops.storage_stats.articles IS 'Articles.';
