-- Rows on their way from a crawl into core. The tables are logged, because a killed backend empties every unlogged one.
-- depends: 0003.ops

CREATE SCHEMA staging;
COMMENT ON SCHEMA staging IS 'Rows on their way from a crawl into core. The load that applies them deletes them.';

CREATE TABLE staging.capture (
    segment_id uuid NOT NULL,
    capture_id uuid NOT NULL,
    article_uid uuid NOT NULL,
    url_uid uuid NOT NULL,
    outlet text NOT NULL,
    crawl_id uuid NOT NULL,
    url text NOT NULL,
    url_rule smallint NOT NULL,
    observed_at timestamptz NOT NULL,
    captured_by text NOT NULL,
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL,
    archive_segment_id uuid,
    archive_offset bigint,
    archive_length integer,
    requested_url text NOT NULL,
    final_url text,
    http_status smallint NOT NULL,
    content_type text,
    etag text,
    last_modified text,
    discovered_via text,
    endpoint_id uuid,
    listed_headline text,
    listed_published timestamptz,
    listed_published_raw text,
    listed_published_source text,
    listed_published_precision text,
    listed_published_offset integer,
    rights jsonb,
    headline text,
    description text,
    authors text[] NOT NULL,
    date_published timestamptz,
    date_published_raw text,
    date_published_source text,
    date_published_precision text,
    date_published_offset integer,
    date_published_flag text,
    date_modified timestamptz,
    date_modified_raw text,
    date_modified_source text,
    in_language text,
    in_language_source text,
    article_section text,
    keywords text[] NOT NULL,
    main_image text,
    is_accessible_for_free boolean,
    canonical_url text,
    encoding text,
    encoding_source text,
    text_hash bytea,
    article_body text,
    word_count integer NOT NULL,
    char_count integer NOT NULL,
    headline_hash bigint NOT NULL,
    description_hash bigint NOT NULL,
    authors_hash bigint NOT NULL,
    body_hash bigint NOT NULL,
    sig_version smallint,
    body_sig bytea,
    lead_sig bytea,
    urls jsonb NOT NULL,
    comments jsonb NOT NULL,
    links text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (segment_id, capture_id)
);
COMMENT ON TABLE staging.capture IS 'Captures with their extraction, as committed by the crawl. The columns match core.capture, core.extraction, core.text and core.fingerprint.';
COMMENT ON COLUMN staging.capture.links IS 'URLs that the main text links to, in order and without repetition. Links to the page itself are omitted.';

CREATE TABLE staging.event (
    segment_id uuid NOT NULL,
    article_uid uuid NOT NULL,
    outlet text NOT NULL,
    kind text NOT NULL,
    observed_at timestamptz NOT NULL,
    crawl_id uuid NOT NULL,
    detail text,
    PRIMARY KEY (segment_id, article_uid, kind, observed_at)
);
COMMENT ON TABLE staging.event IS 'Events of articles, as committed by the crawl. The columns match core.article_event.';

DO $$
DECLARE
    staged record;
    comment_text text;
BEGIN
    -- Copy the column comments from the tables that the columns are loaded into.
    FOR staged IN
        SELECT staged_column.table_name, staged_column.column_name FROM information_schema.columns staged_column
        WHERE staged_column.table_schema = 'staging'
    LOOP
        SELECT col_description(loaded_column.attrelid, loaded_column.attnum) INTO comment_text
        FROM pg_attribute loaded_column
        WHERE loaded_column.attname = staged.column_name AND NOT loaded_column.attisdropped
          AND loaded_column.attrelid IN ('core.capture'::regclass, 'core.extraction'::regclass, 'core.text'::regclass,
                                           'core.fingerprint'::regclass, 'core.article'::regclass, 'core.article_event'::regclass)
        ORDER BY loaded_column.attrelid LIMIT 1;
        comment_text := COALESCE(comment_text, CASE staged.column_name
            WHEN 'segment_id' THEN 'Segment that stages the row.'
            WHEN 'archive_segment_id' THEN 'Segment that holds the archived bytes: this one, or an earlier one if the page was received again unchanged.'
            WHEN 'url_uid' THEN 'Identity of the requested URL.'
            WHEN 'urls' THEN 'URL variants: list of {kind, url, url_key, url_uid}.'
            WHEN 'comments' THEN 'Reader comments: list of objects with the columns of core.comment.'
        END);
        EXECUTE format('COMMENT ON COLUMN staging.%I.%I IS %L', staged.table_name, staged.column_name, comment_text);
    END LOOP;
END
$$;

CREATE TABLE staging.cluster_queue (
    queue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_uid uuid NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE staging.cluster_queue IS 'Articles that a load has changed and that have not been checked for copies since.';
COMMENT ON COLUMN staging.cluster_queue.queue_id IS 'Order of arrival. An article may be queued twice.';
COMMENT ON COLUMN staging.cluster_queue.article_uid IS 'Article to check.';
COMMENT ON COLUMN staging.cluster_queue.queued_at IS 'When the article was loaded.';

CREATE TABLE staging.erase_queue (
    segment_id uuid NOT NULL,
    url_uid uuid NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment_id, url_uid)
);
COMMENT ON TABLE staging.erase_queue IS 'Captures whose bytes must still be overwritten in the archive. Their rows are already deleted.';
COMMENT ON COLUMN staging.erase_queue.segment_id IS 'Segment that holds the bytes.';
COMMENT ON COLUMN staging.erase_queue.url_uid IS 'Identity of the requested URL.';
COMMENT ON COLUMN staging.erase_queue.queued_at IS 'When the capture was queued.';
