-- The operator's desk: backfills, re-extractions, health, alerts, switches, sizes.
-- depends: 0008.analysts

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
    state text NOT NULL CHECK (state IN ('extracted', 'promoted', 'kept', 'rolled_back')),
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
COMMENT ON COLUMN ops.reextraction.state IS 'extracted: nothing has changed yet. promoted: the new fields count. kept: the old ones do. rolled_back: promoted and taken back.';
COMMENT ON COLUMN ops.reextraction.requested_by IS 'Person or DAG.';
COMMENT ON COLUMN ops.reextraction.created_at IS 'When.';
COMMENT ON COLUMN ops.reextraction.payloads IS 'Pages that were read.';
COMMENT ON COLUMN ops.reextraction.failed IS 'Pages that could not be read.';
COMMENT ON COLUMN ops.reextraction.comparison IS 'By field: pages that have it before and after, pages in which it differs, samples.';
COMMENT ON COLUMN ops.reextraction.promoted_seq IS 'Load that promoted it.';
COMMENT ON COLUMN ops.reextraction.decided_at IS 'When it was promoted, kept or taken back.';

CREATE TABLE ops.reextracted (
    reextraction_id uuid NOT NULL REFERENCES ops.reextraction,
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    before_extractor_id integer NOT NULL REFERENCES core.extractor,
    PRIMARY KEY (reextraction_id, payload_hash)
);
COMMENT ON TABLE ops.reextracted IS 'The pages of a re-extraction.';
COMMENT ON COLUMN ops.reextracted.reextraction_id IS 'The re-extraction.';
COMMENT ON COLUMN ops.reextracted.payload_hash IS 'The payload.';
COMMENT ON COLUMN ops.reextracted.extractor_id IS 'The extractor that read it now.';
COMMENT ON COLUMN ops.reextracted.before_extractor_id IS 'The extractor whose fields counted before.';

CREATE TABLE ops.outlet_switch (
    outlet text NOT NULL,
    switched_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL CHECK (state IN ('running', 'paused', 'retired')),
    reason text NOT NULL,
    switched_by text NOT NULL,
    until timestamptz,
    PRIMARY KEY (outlet, switched_at)
);
COMMENT ON TABLE ops.outlet_switch IS 'Outlets that were paused, resumed or retired without a change of their file; the last row counts.';
COMMENT ON COLUMN ops.outlet_switch.outlet IS 'The outlet.';
COMMENT ON COLUMN ops.outlet_switch.switched_at IS 'When.';
COMMENT ON COLUMN ops.outlet_switch.state IS 'running: as its file says. paused: not crawled on schedule. retired: not crawled on schedule, not watched.';
COMMENT ON COLUMN ops.outlet_switch.reason IS 'Why.';
COMMENT ON COLUMN ops.outlet_switch.switched_by IS 'Who.';
COMMENT ON COLUMN ops.outlet_switch.until IS 'A pause ends by itself then; null for until somebody resumes it.';

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
COMMENT ON COLUMN ops.alert.cause IS 'A state of ops.health, or our_side: so many outlets fail at once that it must be us; disk: too little space.';
COMMENT ON COLUMN ops.alert.outlet IS 'The outlet; null for one that concerns the installation.';
COMMENT ON COLUMN ops.alert.message IS 'In words.';
COMMENT ON COLUMN ops.alert.opened_at IS 'When it was first seen.';
COMMENT ON COLUMN ops.alert.last_seen_at IS 'When it was last seen.';
COMMENT ON COLUMN ops.alert.closed_at IS 'When it was over; null while it lasts.';
COMMENT ON COLUMN ops.alert.notified_at IS 'When somebody was told; null where a silence covered it.';

CREATE TABLE ops.silence (
    silence_id uuid PRIMARY KEY,
    outlet text,
    cause text,
    until timestamptz,
    reference text,
    silenced_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (until IS NOT NULL OR reference IS NOT NULL)
);
COMMENT ON TABLE ops.silence IS 'Alerts that nobody is told of: until a time, or for as long as a reference says.';
COMMENT ON COLUMN ops.silence.silence_id IS 'Key.';
COMMENT ON COLUMN ops.silence.outlet IS 'The outlet; null for all.';
COMMENT ON COLUMN ops.silence.cause IS 'The cause; null for all.';
COMMENT ON COLUMN ops.silence.until IS 'End; null where a reference is given instead.';
COMMENT ON COLUMN ops.silence.reference IS 'A ticket or the like that says why it stays silent.';
COMMENT ON COLUMN ops.silence.silenced_by IS 'Who.';
COMMENT ON COLUMN ops.silence.created_at IS 'When.';

CREATE TABLE ops.size (
    measured_on date PRIMARY KEY,
    database_bytes bigint NOT NULL,
    archive_bytes bigint NOT NULL,
    log_bytes bigint NOT NULL,
    articles bigint NOT NULL
);
COMMENT ON TABLE ops.size IS 'How large everything is, a row a day.';
COMMENT ON COLUMN ops.size.measured_on IS 'Day (UTC).';
COMMENT ON COLUMN ops.size.database_bytes IS 'The warehouse''s database.';
COMMENT ON COLUMN ops.size.archive_bytes IS 'The archive, as its rows say.';
COMMENT ON COLUMN ops.size.log_bytes IS 'Logs in the home.';
COMMENT ON COLUMN ops.size.articles IS 'Articles.';

ALTER TABLE ops.crawl_request ADD COLUMN map_index integer;
COMMENT ON COLUMN ops.crawl_request.map_index IS 'Mapped task that crawled it, so that its log is found; null where no DAG did.';
