-- Facts of the warehouse: outlets, articles, captures, extractions, revisions and copies.
-- depends:

CREATE SCHEMA core;
COMMENT ON SCHEMA core IS 'Facts of the warehouse: outlets, articles, captures, extractions and revisions. Rows are appended with a load_seq and superseded instead of overwritten. Analysts query mart.';

CREATE TABLE core.outcome (
    outcome text PRIMARY KEY,
    class text NOT NULL CHECK (class IN ('not_requested', 'no_response', 'refused', 'kept')),
    meaning text NOT NULL
);
COMMENT ON TABLE core.outcome IS 'The possible results of a candidate in a crawl. Every candidate ends with exactly one outcome.';
COMMENT ON COLUMN core.outcome.outcome IS 'Name of the outcome.';
COMMENT ON COLUMN core.outcome.class IS 'not_requested: the URL was not requested. no_response: no usable response arrived. refused: a response arrived but was not kept as an article. kept: the response is the page of an article.';
COMMENT ON COLUMN core.outcome.meaning IS 'One sentence that explains the outcome. `pressmark why` shows it.';

INSERT INTO core.outcome (outcome, class, meaning) VALUES
    ('new', 'kept', 'The page was fetched for the first time and is stored as an article.'),
    ('revised', 'kept', 'The page was fetched again, and its headline, description, authors or text had changed.'),
    ('unchanged', 'kept', 'The page was fetched again, and the article had not changed.'),
    ('not_modified', 'kept', 'The server returned 304 Not Modified: the page has not changed since the last capture.'),
    ('duplicate_url', 'kept', 'The URL leads to an article that is already stored under another URL.'),
    ('known_not_due', 'not_requested', 'The URL is already known, and its next revisit is not due yet.'),
    ('out_of_window', 'not_requested', 'The article was published outside the requested dates.'),
    ('out_of_scope', 'not_requested', 'The URL is not on one of the outlet''s domains, or the outlet''s file excludes it.'),
    ('too_old', 'not_requested', 'The article is older than the maximum age in the outlet''s file.'),
    ('robots_denied', 'not_requested', 'robots.txt disallows this URL.'),
    ('robots_unreachable', 'not_requested', 'robots.txt could not be fetched because of a server or network error, which forbids every request to the host (RFC 9309).'),
    ('rights_reserved', 'not_requested', 'A machine-readable rights reservation (TDMRep) covers this page, and this installation declares no other basis for mining it.'),
    ('suppressed', 'not_requested', 'A removal covers this URL, so it is not fetched or stored again.'),
    ('budget_exhausted', 'not_requested', 'The crawl used up its page or time budget before it reached this URL.'),
    ('interrupted', 'not_requested', 'The crawl stopped, failed or was killed before it reached this URL. The next crawl retries it.'),
    ('crawler_trap', 'not_requested', 'The URL looks like a crawler trap: it is too long, too deep or repeats itself.'),
    ('refused_address', 'no_response', 'The host resolves to a private or local network address, which Pressmark never contacts.'),
    ('network_error', 'no_response', 'The host could not be resolved or reached, or the connection broke.'),
    ('timeout', 'no_response', 'The server did not send a complete response within the time limit.'),
    ('rate_limited', 'no_response', 'The server asked the crawler to slow down (429, or 503 with Retry-After).'),
    ('http_error', 'no_response', 'The server returned an error status.'),
    ('gone', 'no_response', 'The server reports that the page does not exist (404 or 410).'),
    ('redirect_home', 'no_response', 'The URL now redirects to the homepage or a section, as removed articles often do.'),
    ('too_large', 'no_response', 'The response is larger than the size limit.'),
    ('not_html', 'refused', 'The response is not an HTML page.'),
    ('challenge_page', 'refused', 'The server returned a bot challenge instead of the article.'),
    ('consent_wall', 'refused', 'The server returned a consent dialogue instead of the article.'),
    ('paywall_stub', 'refused', 'Only the beginning of the article is readable without paying.'),
    ('soft_404', 'refused', 'The server returned an error page with status 200.'),
    ('index_page', 'refused', 'The page lists articles and is not an article itself.'),
    ('gallery', 'refused', 'The page is a picture gallery without article text.'),
    ('javascript_required', 'refused', 'The page is an empty shell that needs JavaScript to show its content.'),
    ('extraction_empty', 'refused', 'Extraction found no main text in the page.'),
    ('extraction_timeout', 'refused', 'Extraction exceeded its time limit and was stopped.'),
    ('quarantined', 'refused', 'Extraction failed on this page. The page is kept, and ops.quarantine records the reason.'),
    ('load_failed', 'refused', 'The page was extracted, but the warehouse rejected its row. ops.quarantine records the reason.'),
    ('legal_block', 'no_response', 'The server refuses access for legal reasons (451).'),
    ('noindex', 'refused', 'The page asks not to be indexed, and the outlet''s file honours that.'),
    ('geo_blocked', 'refused', 'The outlet does not serve the article to the country that the crawler connects from.');

CREATE TABLE core.outlet (
    outlet text PRIMARY KEY CHECK (outlet ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    home text NOT NULL,
    country text,
    languages text[] NOT NULL DEFAULT '{}',
    timezone text NOT NULL,
    tier text NOT NULL CHECK (tier IN ('hourly', 'six_hourly', 'daily')),
    domains text[] NOT NULL,
    enabled boolean NOT NULL,
    gone_after interval NOT NULL,
    first_known_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE core.outlet IS 'News outlets, as last read from their files under outlets/.';
COMMENT ON COLUMN core.outlet.outlet IS 'Immutable slug: the id in the outlet''s file.';
COMMENT ON COLUMN core.outlet.name IS 'Display name.';
COMMENT ON COLUMN core.outlet.home IS 'URL of the homepage.';
COMMENT ON COLUMN core.outlet.country IS 'Country of publication, ISO 3166-1 alpha-2; null if the outlet has none.';
COMMENT ON COLUMN core.outlet.languages IS 'Languages of publication, BCP 47, main language first.';
COMMENT ON COLUMN core.outlet.timezone IS 'IANA time zone of the newsroom. It defines the outlet''s calendar days.';
COMMENT ON COLUMN core.outlet.tier IS 'Schedule class, which sets how often the outlet is crawled: hourly, six_hourly or daily.';
COMMENT ON COLUMN core.outlet.domains IS 'Domains that belong to the outlet, including their subdomains.';
COMMENT ON COLUMN core.outlet.enabled IS 'Whether the outlet''s file enables scheduled crawls.';
COMMENT ON COLUMN core.outlet.gone_after IS 'A missing page counts as gone if it is still missing after this interval.';
COMMENT ON COLUMN core.outlet.first_known_at IS 'When the outlet was added to the warehouse.';
COMMENT ON COLUMN core.outlet.updated_at IS 'When one of these columns last changed.';

CREATE TABLE core.extractor (
    extractor_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    config_hash bytea NOT NULL,
    config jsonb NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, version, config_hash)
);
COMMENT ON TABLE core.extractor IS 'One row per extractor: program, version and configuration. Two captures are always compared under one extractor, so that an upgrade does not look like an edit by the newsroom.';
COMMENT ON COLUMN core.extractor.extractor_id IS 'Number of the extractor. It differs between warehouses.';
COMMENT ON COLUMN core.extractor.name IS 'Name of the program.';
COMMENT ON COLUMN core.extractor.version IS 'Versions of the program, its libraries and Pressmark''s own rules.';
COMMENT ON COLUMN core.extractor.config_hash IS 'First 16 bytes of the sha256 of the configuration.';
COMMENT ON COLUMN core.extractor.config IS 'The configuration: the extraction hints from the outlet''s file.';
COMMENT ON COLUMN core.extractor.first_used_at IS 'When this warehouse first used the extractor.';

CREATE TABLE core.article (
    article_uid uuid PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    url text NOT NULL,
    url_rule smallint NOT NULL,
    merged_into uuid REFERENCES core.article,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    gone_at timestamptz,
    capture_id uuid NOT NULL,
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    revision_count integer NOT NULL DEFAULT 0,
    load_seq bigint NOT NULL,
    changed_seq bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    hidden_seq bigint
);
CREATE INDEX article_outlet ON core.article (outlet, first_seen_at);
CREATE INDEX article_changed ON core.article (changed_seq);
-- Finds the articles that were merged into a given one.
CREATE INDEX article_merged ON core.article (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX article_address ON core.article USING hash (url);
COMMENT ON TABLE core.article IS 'One row per article. An article is identified by its outlet and normalised URL. The columns from first_seen_at on are derived from its captures and rebuilt by each load that touches the article.';
COMMENT ON COLUMN core.article.article_uid IS 'First 16 bytes of sha256(outlet, URL rule version, normalised URL). It is the same in every rebuild.';
COMMENT ON COLUMN core.article.outlet IS 'Outlet that published the article.';
COMMENT ON COLUMN core.article.url IS 'Working URL of the article without tracking parameters. Its normalised form identifies the article.';
COMMENT ON COLUMN core.article.url_rule IS 'Version of the URL normalisation rules behind article_uid.';
COMMENT ON COLUMN core.article.merged_into IS 'Article that this one was merged into. Articles are merged if the page names the other URL as canonical and the two have had exactly the same text. Null for an article that is not merged.';
COMMENT ON COLUMN core.article.first_seen_at IS 'When the page was first captured.';
COMMENT ON COLUMN core.article.last_seen_at IS 'When the page was last captured or confirmed unchanged.';
COMMENT ON COLUMN core.article.gone_at IS 'When the page was first found missing, set once a recheck confirms it; null while the page is online.';
COMMENT ON COLUMN core.article.capture_id IS 'Latest capture.';
COMMENT ON COLUMN core.article.payload_hash IS 'Payload of the latest capture. Together with extractor_id it is the key of the current extraction.';
COMMENT ON COLUMN core.article.extractor_id IS 'Extractor of the current extraction.';
COMMENT ON COLUMN core.article.revision_count IS 'Number of revisions, including the first; 1 for an article that never changed.';
COMMENT ON COLUMN core.article.load_seq IS 'load_seq of the load that added the article.';
COMMENT ON COLUMN core.article.changed_seq IS 'load_seq of the last load that changed the article. Incremental consumers read by it.';
COMMENT ON COLUMN core.article.changed_at IS 'Time of the last load that changed the article.';
COMMENT ON COLUMN core.article.hidden_seq IS 'load_seq of the load in which a removal hid the article; null for a visible article.';

CREATE TABLE core.article_url (
    article_uid uuid NOT NULL REFERENCES core.article,
    kind text NOT NULL CHECK (kind IN ('requested', 'final', 'canonical', 'amp', 'mobile')),
    url_key uuid NOT NULL,
    url_uid uuid NOT NULL,
    url text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    load_seq bigint NOT NULL,
    PRIMARY KEY (article_uid, kind, url_key)
);
CREATE INDEX article_url_uid ON core.article_url (url_uid);
CREATE INDEX article_url_address ON core.article_url USING hash (url);
COMMENT ON TABLE core.article_url IS 'Every URL under which an article was found.';
COMMENT ON COLUMN core.article_url.article_uid IS 'Article that the URL leads to.';
COMMENT ON COLUMN core.article_url.kind IS 'requested: the URL that was requested. final: the URL after redirects. canonical, amp, mobile: as declared by the page.';
COMMENT ON COLUMN core.article_url.url_key IS 'First 16 bytes of the sha256 of the exact URL.';
COMMENT ON COLUMN core.article_url.url_uid IS 'Identity of the URL, computed like an article_uid and used for lookups.';
COMMENT ON COLUMN core.article_url.url IS 'The URL, unchanged.';
COMMENT ON COLUMN core.article_url.first_seen_at IS 'When the URL was first found.';
COMMENT ON COLUMN core.article_url.load_seq IS 'load_seq of the load that added the row.';

CREATE TABLE core.archive_segment (
    segment_id uuid PRIMARY KEY,
    outlet text NOT NULL,
    file text NOT NULL,
    base_offset bigint NOT NULL DEFAULT 0,
    length bigint NOT NULL,
    records integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expired_at timestamptz
);
CREATE INDEX archive_segment_file ON core.archive_segment (file);
COMMENT ON TABLE core.archive_segment IS 'Location of each segment''s WARC records. An archive pointer (segment, offset) resolves to base_offset + offset in the file, so that files can be joined, moved and expired without changing any capture.';
COMMENT ON COLUMN core.archive_segment.segment_id IS 'Segment (ops.segment).';
COMMENT ON COLUMN core.archive_segment.outlet IS 'Outlet of the segment.';
COMMENT ON COLUMN core.archive_segment.file IS 'Path of the file, relative to the archive''s root.';
COMMENT ON COLUMN core.archive_segment.base_offset IS 'Byte offset of the segment in the file.';
COMMENT ON COLUMN core.archive_segment.length IS 'Length of the segment in bytes.';
COMMENT ON COLUMN core.archive_segment.records IS 'Number of archived responses and WARC revisit records.';
COMMENT ON COLUMN core.archive_segment.created_at IS 'When the file was moved into the archive.';
COMMENT ON COLUMN core.archive_segment.expired_at IS 'When retention deleted the bytes; null while they exist.';

CREATE TABLE core.text (
    text_hash bytea PRIMARY KEY,
    article_body text NOT NULL,
    word_count integer NOT NULL,
    char_count integer NOT NULL,
    load_seq bigint NOT NULL
);
COMMENT ON TABLE core.text IS 'Main texts, each stored once. Revisits and exact copies share a row.';
COMMENT ON COLUMN core.text.text_hash IS 'sha256 of the text in UTF-8.';
COMMENT ON COLUMN core.text.article_body IS 'Main text, one line per paragraph.';
COMMENT ON COLUMN core.text.word_count IS 'Number of words. In scripts written without spaces, each character counts as a word.';
COMMENT ON COLUMN core.text.char_count IS 'Number of Unicode characters.';
COMMENT ON COLUMN core.text.load_seq IS 'load_seq of the load that added the row.';

CREATE TABLE core.fingerprint (
    text_hash bytea NOT NULL REFERENCES core.text,
    sig_version smallint NOT NULL,
    body_sig bytea NOT NULL,
    lead_sig bytea NOT NULL,
    load_seq bigint NOT NULL,
    PRIMARY KEY (text_hash, sig_version)
);
COMMENT ON TABLE core.fingerprint IS 'MinHash signatures of texts, used to find near-duplicates.';
COMMENT ON COLUMN core.fingerprint.text_hash IS 'Text that the signatures belong to.';
COMMENT ON COLUMN core.fingerprint.sig_version IS 'Version of the signature constants. Only signatures of equal versions are comparable.';
COMMENT ON COLUMN core.fingerprint.body_sig IS 'Signature of the whole text: 128 little-endian uint32 values.';
COMMENT ON COLUMN core.fingerprint.lead_sig IS 'Signature of the first 120 words: 32 little-endian uint32 values.';
COMMENT ON COLUMN core.fingerprint.load_seq IS 'load_seq of the load that added the row.';

CREATE TABLE core.extraction (
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    headline text,
    description text,
    authors text[] NOT NULL DEFAULT '{}',
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
    keywords text[] NOT NULL DEFAULT '{}',
    main_image text,
    is_accessible_for_free boolean,
    canonical_url text,
    encoding text,
    encoding_source text,
    text_hash bytea REFERENCES core.text,
    headline_hash bigint NOT NULL,
    description_hash bigint NOT NULL,
    authors_hash bigint NOT NULL,
    body_hash bigint NOT NULL,
    load_seq bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    links text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (payload_hash, extractor_id)
);
CREATE INDEX extraction_text ON core.extraction (text_hash);
COMMENT ON TABLE core.extraction IS 'All fields that one extractor extracted from one payload.';
COMMENT ON COLUMN core.extraction.payload_hash IS 'sha256 of the page''s bytes after its content encoding is removed.';
COMMENT ON COLUMN core.extraction.extractor_id IS 'Extractor that produced the fields.';
COMMENT ON COLUMN core.extraction.headline IS 'Headline, without the outlet''s name.';
COMMENT ON COLUMN core.extraction.description IS 'Summary that the page gives of itself.';
COMMENT ON COLUMN core.extraction.authors IS 'Authors as named by the page.';
COMMENT ON COLUMN core.extraction.date_published IS 'Publication date. Midnight UTC if the precision is day; null if the page has no credible date.';
COMMENT ON COLUMN core.extraction.date_published_raw IS 'Publication date as written in the page.';
COMMENT ON COLUMN core.extraction.date_published_source IS 'Where the page states the date: json_ld, meta, time_element or text.';
COMMENT ON COLUMN core.extraction.date_published_precision IS 'day, minute or second.';
COMMENT ON COLUMN core.extraction.date_published_offset IS 'UTC offset in minutes, as written; null if none is written.';
COMMENT ON COLUMN core.extraction.date_published_flag IS 'future, too_early or unparsable: why date_published is null although date_published_raw is not. zone_assumed: the page gives no UTC offset, so the outlet''s time zone was used.';
COMMENT ON COLUMN core.extraction.date_modified IS 'Modification date that the page claims.';
COMMENT ON COLUMN core.extraction.date_modified_raw IS 'Modification date as written in the page.';
COMMENT ON COLUMN core.extraction.date_modified_source IS 'Where the page states the modification date.';
COMMENT ON COLUMN core.extraction.in_language IS 'Language, BCP 47.';
COMMENT ON COLUMN core.extraction.in_language_source IS 'text (detected from the text), html (declared by the page) or outlet (the outlet''s main language).';
COMMENT ON COLUMN core.extraction.article_section IS 'Section of the outlet.';
COMMENT ON COLUMN core.extraction.keywords IS 'Keywords as given by the page.';
COMMENT ON COLUMN core.extraction.main_image IS 'URL of the main image.';
COMMENT ON COLUMN core.extraction.is_accessible_for_free IS 'false if the page declares a paywall; null if it declares nothing.';
COMMENT ON COLUMN core.extraction.canonical_url IS 'rel=canonical URL, if it is on the outlet''s own domains and is not the homepage.';
COMMENT ON COLUMN core.extraction.encoding IS 'Character encoding used to decode the page.';
COMMENT ON COLUMN core.extraction.encoding_source IS 'bom, header, meta or guess.';
COMMENT ON COLUMN core.extraction.text_hash IS 'Main text (core.text); null if none was found.';
COMMENT ON COLUMN core.extraction.headline_hash IS 'xxh3_64 of the headline in comparable form (NFKC, white space collapsed).';
COMMENT ON COLUMN core.extraction.description_hash IS 'xxh3_64 of the description in comparable form.';
COMMENT ON COLUMN core.extraction.authors_hash IS 'xxh3_64 of the authors in comparable form.';
COMMENT ON COLUMN core.extraction.body_hash IS 'xxh3_64 of the main text in comparable form.';
COMMENT ON COLUMN core.extraction.load_seq IS 'load_seq of the load that added the row.';
COMMENT ON COLUMN core.extraction.recorded_at IS 'When the extraction was stored.';
COMMENT ON COLUMN core.extraction.links IS 'URLs that the main text links to, in order and without repetition. Links to the page itself are omitted.';

CREATE TABLE core.capture (
    capture_id uuid PRIMARY KEY,
    article_uid uuid NOT NULL REFERENCES core.article,
    url_uid uuid NOT NULL,
    observed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    captured_by text NOT NULL DEFAULT 'pressmark',
    crawl_id uuid,
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    segment_id uuid,
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
    load_seq bigint NOT NULL
);
CREATE INDEX capture_article ON core.capture (article_uid, observed_at, capture_id);
CREATE INDEX capture_segment ON core.capture (segment_id);
CREATE INDEX capture_payload ON core.capture (payload_hash);
COMMENT ON TABLE core.capture IS 'One stored response of an article page.';
COMMENT ON COLUMN core.capture.capture_id IS 'Assigned at the fetch and written into the WARC, so that restaging a segment yields the same captures.';
COMMENT ON COLUMN core.capture.article_uid IS 'Article that was captured.';
COMMENT ON COLUMN core.capture.url_uid IS 'Identity of the requested URL.';
COMMENT ON COLUMN core.capture.observed_at IS 'When the page was fetched.';
COMMENT ON COLUMN core.capture.recorded_at IS 'When the capture was loaded.';
COMMENT ON COLUMN core.capture.captured_by IS 'pressmark, wayback or cc-news.';
COMMENT ON COLUMN core.capture.crawl_id IS 'Crawl that fetched the page (ops.crawl).';
COMMENT ON COLUMN core.capture.payload_hash IS 'sha256 of the page''s bytes after its content encoding is removed.';
COMMENT ON COLUMN core.capture.extractor_id IS 'Extractor that first processed the page.';
COMMENT ON COLUMN core.capture.segment_id IS 'Segment that holds the archived bytes; null if the page must not be archived (noarchive).';
COMMENT ON COLUMN core.capture.archive_offset IS 'Byte offset of the WARC record in the segment.';
COMMENT ON COLUMN core.capture.archive_length IS 'Compressed length of the WARC record in bytes.';
COMMENT ON COLUMN core.capture.requested_url IS 'URL that was requested.';
COMMENT ON COLUMN core.capture.final_url IS 'URL after redirects; null if it equals the requested URL.';
COMMENT ON COLUMN core.capture.http_status IS 'HTTP status code.';
COMMENT ON COLUMN core.capture.content_type IS 'Content-Type header.';
COMMENT ON COLUMN core.capture.etag IS 'ETag header.';
COMMENT ON COLUMN core.capture.last_modified IS 'Last-Modified header.';
COMMENT ON COLUMN core.capture.discovered_via IS 'Method that led this crawl to the page: feed, sitemap and so on, or revisit.';
COMMENT ON COLUMN core.capture.endpoint_id IS 'Endpoint that listed the page (ops.endpoint).';
COMMENT ON COLUMN core.capture.listed_headline IS 'Headline in the listing.';
COMMENT ON COLUMN core.capture.listed_published IS 'Publication date in the listing. Used if the page itself has none.';
COMMENT ON COLUMN core.capture.listed_published_raw IS 'Publication date as written in the listing.';
COMMENT ON COLUMN core.capture.listed_published_source IS 'feed, news_sitemap or url.';
COMMENT ON COLUMN core.capture.listed_published_precision IS 'day, minute or second.';
COMMENT ON COLUMN core.capture.listed_published_offset IS 'UTC offset of the listed date in minutes, as written.';
COMMENT ON COLUMN core.capture.rights IS 'Rights signals found with this capture: robots header and meta tag, TDM reservation.';
COMMENT ON COLUMN core.capture.load_seq IS 'load_seq of the load that added the row.';

CREATE TABLE core.revision (
    article_uid uuid NOT NULL REFERENCES core.article,
    ordinal integer NOT NULL,
    capture_id uuid NOT NULL,
    changed_parts text[] NOT NULL,
    cause text NOT NULL CHECK (cause IN ('first', 'publisher', 'unknown')),
    extractor_id integer NOT NULL REFERENCES core.extractor,
    unchanged_until timestamptz,
    seen_changed_at timestamptz NOT NULL,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (article_uid, ordinal, load_seq)
);
CREATE INDEX revision_current ON core.revision (article_uid) WHERE superseded_seq IS NULL;
COMMENT ON TABLE core.revision IS 'Revisions of an article, derived from its captures in observed order. Loading the same captures in any order gives the same list. A page that changes from A to B and back to A has three revisions.';
COMMENT ON COLUMN core.revision.article_uid IS 'Article that was revised.';
COMMENT ON COLUMN core.revision.ordinal IS 'Number of the revision; 1 is the first one seen.';
COMMENT ON COLUMN core.revision.capture_id IS 'First capture of this revision.';
COMMENT ON COLUMN core.revision.changed_parts IS 'Which of headline, description, authors and body differ from the previous revision; empty for the first.';
COMMENT ON COLUMN core.revision.cause IS 'first: the first revision seen. publisher: both pages were compared under one extractor. unknown: the earlier page is not archived, so the difference may come from an extractor change instead of an edit.';
COMMENT ON COLUMN core.revision.extractor_id IS 'Extractor under which the two pages were compared.';
COMMENT ON COLUMN core.revision.unchanged_until IS 'When the previous revision was last seen. The change happened after this time.';
COMMENT ON COLUMN core.revision.seen_changed_at IS 'When this revision was first seen. The change happened before this time.';
COMMENT ON COLUMN core.revision.load_seq IS 'load_seq of the load that derived the row.';
COMMENT ON COLUMN core.revision.superseded_seq IS 'load_seq of the load that derived a different list; null for the current list.';

CREATE TABLE core.comment (
    comment_uid uuid PRIMARY KEY,
    article_uid uuid NOT NULL REFERENCES core.article,
    position integer NOT NULL,
    author text,
    posted_raw text,
    edited_raw text,
    comment_body text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    load_seq bigint NOT NULL
);
CREATE INDEX comment_article ON core.comment (article_uid, position);
COMMENT ON TABLE core.comment IS 'Reader comments. They are kept apart from the outlet''s own text. Comments are not collected unless the outlet''s file enables them.';
COMMENT ON COLUMN core.comment.comment_uid IS 'First 16 bytes of sha256(article, author, text, number of equal comments before it).';
COMMENT ON COLUMN core.comment.article_uid IS 'Article that the comment belongs to.';
COMMENT ON COLUMN core.comment.position IS 'Position on the page when the comment was first captured, starting at 1.';
COMMENT ON COLUMN core.comment.author IS 'Name that the commenter gave; null if the page shows none or the outlet''s file sets `comments: text`.';
COMMENT ON COLUMN core.comment.posted_raw IS 'When the comment was posted, as written in the page.';
COMMENT ON COLUMN core.comment.edited_raw IS 'Note about a later edit, as written in the page.';
COMMENT ON COLUMN core.comment.comment_body IS 'Text of the comment.';
COMMENT ON COLUMN core.comment.first_seen_at IS 'When the comment was first captured.';
COMMENT ON COLUMN core.comment.load_seq IS 'load_seq of the load that added the row.';

CREATE TABLE core.article_event (
    article_uid uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('missing', 'redirected_home', 'confirmed', 'merged', 'removed')),
    observed_at timestamptz NOT NULL,
    crawl_id uuid,
    detail text,
    load_seq bigint NOT NULL,
    PRIMARY KEY (article_uid, kind, observed_at)
);
COMMENT ON TABLE core.article_event IS 'Events of an article other than captures.';
COMMENT ON COLUMN core.article_event.article_uid IS 'Article that the event belongs to.';
COMMENT ON COLUMN core.article_event.kind IS 'missing, redirected_home: the page was not available. confirmed: the server reported it unchanged (304). merged: the article was merged into another. removed: the article was removed on request.';
COMMENT ON COLUMN core.article_event.observed_at IS 'When the event was observed.';
COMMENT ON COLUMN core.article_event.crawl_id IS 'Crawl that observed the event.';
COMMENT ON COLUMN core.article_event.detail IS 'HTTP status or URL.';
COMMENT ON COLUMN core.article_event.load_seq IS 'load_seq of the load that added the row.';

CREATE TABLE core.url_listing (
    url_uid uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    outlet text NOT NULL,
    url text NOT NULL,
    first_listed_at timestamptz NOT NULL,
    last_listed_at timestamptz NOT NULL,
    listed_headline text,
    listed_published timestamptz,
    listed_published_raw text,
    listed_modified timestamptz,
    PRIMARY KEY (url_uid, endpoint_id)
) WITH (fillfactor = 80);
CREATE INDEX url_listing_published ON core.url_listing (outlet, listed_published) WHERE listed_published IS NOT NULL;
COMMENT ON TABLE core.url_listing IS 'One row per URL and endpoint that listed it.';
COMMENT ON COLUMN core.url_listing.url_uid IS 'Identity of the listed URL, computed like an article_uid. It equals the article_uid if the URL is the article''s own.';
COMMENT ON COLUMN core.url_listing.endpoint_id IS 'Endpoint that listed the URL (ops.endpoint).';
COMMENT ON COLUMN core.url_listing.outlet IS 'Outlet of the endpoint.';
COMMENT ON COLUMN core.url_listing.url IS 'The URL as listed.';
COMMENT ON COLUMN core.url_listing.first_listed_at IS 'First poll that listed the URL.';
COMMENT ON COLUMN core.url_listing.last_listed_at IS 'Last poll that listed the URL.';
COMMENT ON COLUMN core.url_listing.listed_headline IS 'Headline in the listing.';
COMMENT ON COLUMN core.url_listing.listed_published IS 'Publication date in the listing.';
COMMENT ON COLUMN core.url_listing.listed_published_raw IS 'Publication date as written in the listing.';
COMMENT ON COLUMN core.url_listing.listed_modified IS 'Modification date in the listing (lastmod in a sitemap, updated in a feed).';

CREATE TABLE core.boilerplate_line (
    outlet_line bigint PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    line text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE core.boilerplate_line IS 'Lines that appear in at least three articles of an outlet, each time under a different headline. Boilerplate lines are ignored when texts are compared, but the stored texts keep them.';
COMMENT ON COLUMN core.boilerplate_line.outlet_line IS 'xxh3_64 of the outlet and the normalised line.';
COMMENT ON COLUMN core.boilerplate_line.outlet IS 'Outlet whose articles contain the line.';
COMMENT ON COLUMN core.boilerplate_line.line IS 'The line as written in one of the articles.';
COMMENT ON COLUMN core.boilerplate_line.recorded_at IS 'When the line was recognised as boilerplate.';

CREATE TABLE core.article_line (
    outlet_line bigint NOT NULL,
    headline_hash bigint NOT NULL,
    article_uid uuid NOT NULL,
    PRIMARY KEY (outlet_line, headline_hash, article_uid)
);
COMMENT ON TABLE core.article_line IS 'Which articles of an outlet contain a line in one of their texts. Used to recognise boilerplate lines.';
COMMENT ON COLUMN core.article_line.outlet_line IS 'xxh3_64 of the outlet and the normalised line.';
COMMENT ON COLUMN core.article_line.headline_hash IS 'Headline of the text. An article that is stored under two URLs counts once.';
COMMENT ON COLUMN core.article_line.article_uid IS 'Article that contains the line.';

CREATE TABLE core.dedup_text (
    dedup_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_uid uuid NOT NULL REFERENCES core.article,
    text_hash bytea NOT NULL REFERENCES core.text,
    published_on date NOT NULL,
    sig_version smallint NOT NULL,
    long_enough boolean NOT NULL,
    boilerplate_lines bigint[] NOT NULL DEFAULT '{}',
    live boolean NOT NULL DEFAULT true,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX dedup_text_live ON core.dedup_text (article_uid, text_hash) WHERE live;
CREATE INDEX dedup_text_text ON core.dedup_text (text_hash, dedup_id) WHERE live AND long_enough;
COMMENT ON TABLE core.dedup_text IS 'Texts of articles as compared for near-duplicates, without boilerplate lines.';
COMMENT ON COLUMN core.dedup_text.dedup_id IS 'Number of the row. A text gets a new row when more of its lines turn out to be boilerplate.';
COMMENT ON COLUMN core.dedup_text.article_uid IS 'Article that the text belongs to.';
COMMENT ON COLUMN core.dedup_text.text_hash IS 'One of the texts that the article has had.';
COMMENT ON COLUMN core.dedup_text.published_on IS 'Publication day (UTC), or the day of the first capture if the publication date is unknown. Texts are compared with those up to 30 days before or after.';
COMMENT ON COLUMN core.dedup_text.sig_version IS 'Version of the signature constants.';
COMMENT ON COLUMN core.dedup_text.long_enough IS 'Whether the text has at least 50 words without its boilerplate lines. Shorter texts are not matched.';
COMMENT ON COLUMN core.dedup_text.boilerplate_lines IS 'Lines of the text that are in core.boilerplate_line.';
COMMENT ON COLUMN core.dedup_text.live IS 'false once another row replaced this one.';
COMMENT ON COLUMN core.dedup_text.recorded_at IS 'When the text was compared.';

CREATE TABLE core.lsh_band (
    month date NOT NULL,
    band_hash bigint NOT NULL,
    dedup_id bigint NOT NULL
);
CREATE INDEX lsh_band_key ON core.lsh_band (month, band_hash, dedup_id);
COMMENT ON TABLE core.lsh_band IS 'LSH bands of MinHash signatures. Two texts that share a band are candidate copies. The index starts with the month, so that inserts and lookups of one period stay close together.';
COMMENT ON COLUMN core.lsh_band.month IS 'First day of the publication month.';
COMMENT ON COLUMN core.lsh_band.band_hash IS 'xxh3_64 of a band and its number: 32 bands of four values for the whole text, 8 for its beginning.';
COMMENT ON COLUMN core.lsh_band.dedup_id IS 'Compared text (core.dedup_text).';

CREATE TABLE core.copy (
    dedup_a bigint NOT NULL REFERENCES core.dedup_text,
    dedup_b bigint NOT NULL REFERENCES core.dedup_text,
    similarity real NOT NULL,
    containment real NOT NULL,
    shared_shingles integer,
    load_seq bigint NOT NULL,
    PRIMARY KEY (dedup_a, dedup_b),
    CHECK (dedup_a < dedup_b)
);
CREATE INDEX copy_other ON core.copy (dedup_b);
COMMENT ON TABLE core.copy IS 'Pairs of texts that are copies of each other, verified on the full texts. A pair is valid while both of its core.dedup_text rows are live.';
COMMENT ON COLUMN core.copy.dedup_a IS 'First text.';
COMMENT ON COLUMN core.copy.dedup_b IS 'Second text, which belongs to another article.';
COMMENT ON COLUMN core.copy.similarity IS 'Jaccard similarity of the two sets of shingles, 0 to 1.';
COMMENT ON COLUMN core.copy.containment IS 'Share of the shorter text''s shingles that the longer text contains, 0 to 1.';
COMMENT ON COLUMN core.copy.shared_shingles IS 'Number of shingles that both texts contain; null for equal texts, which need no comparison.';
COMMENT ON COLUMN core.copy.load_seq IS 'load_seq of the load that found the pair.';

CREATE TABLE core.cluster_member (
    article_uid uuid NOT NULL REFERENCES core.article,
    copy_cluster uuid NOT NULL,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (article_uid, load_seq)
);
CREATE UNIQUE INDEX cluster_member_current ON core.cluster_member (article_uid) WHERE superseded_seq IS NULL;
CREATE INDEX cluster_member_label ON core.cluster_member (copy_cluster) WHERE superseded_seq IS NULL;
COMMENT ON TABLE core.cluster_member IS 'Articles that have copies, with their copy cluster. Rows are superseded instead of overwritten. The label of a cluster is its smallest article_uid, so an old label can be looked up as an article.';
COMMENT ON COLUMN core.cluster_member.article_uid IS 'Article that has copies.';
COMMENT ON COLUMN core.cluster_member.copy_cluster IS 'Copy cluster of the article: the smallest article_uid of all articles connected by copies.';
COMMENT ON COLUMN core.cluster_member.load_seq IS 'load_seq of the load that assigned the cluster.';
COMMENT ON COLUMN core.cluster_member.superseded_seq IS 'load_seq of the load that assigned another cluster; null while the row is current.';

CREATE TABLE core.site_policy (
    site text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('robots', 'tdmrep')),
    body_hash bytea NOT NULL,
    body bytea NOT NULL,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (site, kind, body_hash)
);
COMMENT ON TABLE core.site_policy IS 'Every version of a host''s robots.txt and tdmrep.json that was observed. The rights of a capture name the version that applied.';
COMMENT ON COLUMN core.site_policy.site IS 'Scheme and host.';
COMMENT ON COLUMN core.site_policy.kind IS 'robots or tdmrep.';
COMMENT ON COLUMN core.site_policy.body_hash IS 'First 16 bytes of the sha256 of the body.';
COMMENT ON COLUMN core.site_policy.body IS 'The body, up to the size limit.';
COMMENT ON COLUMN core.site_policy.first_seen_at IS 'When this version was first observed.';

CREATE TABLE core.article_merge (
    article_uid uuid NOT NULL REFERENCES core.article,
    merged_into uuid NOT NULL REFERENCES core.article,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (article_uid, load_seq)
);
COMMENT ON TABLE core.article_merge IS 'History of merged articles. Rows are superseded instead of overwritten. core.article.merged_into holds the current state.';
COMMENT ON COLUMN core.article_merge.article_uid IS 'Article that was merged into another.';
COMMENT ON COLUMN core.article_merge.merged_into IS 'Article that it was merged into.';
COMMENT ON COLUMN core.article_merge.load_seq IS 'load_seq of the load that merged the two.';
COMMENT ON COLUMN core.article_merge.superseded_seq IS 'load_seq of the load that separated them again; null while the merge is current.';

CREATE TABLE core.extraction_override (
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (payload_hash, load_seq)
);
CREATE UNIQUE INDEX extraction_override_current ON core.extraction_override (payload_hash) WHERE superseded_seq IS NULL;
COMMENT ON TABLE core.extraction_override IS 'Which extraction of a payload is used, if a re-extraction promoted an extractor other than the capture''s. Rows are superseded instead of overwritten.';
COMMENT ON COLUMN core.extraction_override.payload_hash IS 'Payload that was re-extracted.';
COMMENT ON COLUMN core.extraction_override.extractor_id IS 'Extractor whose fields are used.';
COMMENT ON COLUMN core.extraction_override.load_seq IS 'load_seq of the load that promoted the extraction.';
COMMENT ON COLUMN core.extraction_override.superseded_seq IS 'load_seq of the load that promoted another extraction or rolled this one back; null while the row is current.';

CREATE TABLE core.outlet_attribute (
    outlet text NOT NULL REFERENCES core.outlet,
    attribute text NOT NULL CHECK (attribute IN ('country', 'owner', 'type', 'parent', 'domain', 'collection')),
    value text NOT NULL,
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_until date NOT NULL DEFAULT 'infinity',
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (outlet, attribute, value, valid_from),
    CHECK (valid_from <= valid_until)
);
COMMENT ON TABLE core.outlet_attribute IS 'Attributes of an outlet with their validity period, such as a country, an owner or a domain that changed hands.';
COMMENT ON COLUMN core.outlet_attribute.outlet IS 'Outlet that has the attribute.';
COMMENT ON COLUMN core.outlet_attribute.attribute IS 'country (ISO 3166-1 alpha-2), owner, type, parent (another outlet or a group), domain or collection.';
COMMENT ON COLUMN core.outlet_attribute.value IS 'Value of the attribute.';
COMMENT ON COLUMN core.outlet_attribute.valid_from IS 'First day of validity; -infinity if it is unknown or the value has always applied.';
COMMENT ON COLUMN core.outlet_attribute.valid_until IS 'First day on which the value no longer applies; infinity while it applies.';
COMMENT ON COLUMN core.outlet_attribute.source IS 'file: the outlet''s file gives the dates. seen: the file changed, and valid_until is the day on which the change was noticed.';
COMMENT ON COLUMN core.outlet_attribute.recorded_at IS 'When the row was recorded.';

CREATE FUNCTION core.article_state(as_of bigint)
RETURNS TABLE (article_uid uuid, outlet text, url text, merged_into uuid, capture_id uuid, payload_hash bytea,
               extractor_id integer, copy_cluster uuid, first_seen_at timestamptz, last_seen_at timestamptz,
               gone_at timestamptz, revision_count bigint, observed_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT article.article_uid, article.outlet, article.url, merge.merged_into, latest.capture_id, latest.payload_hash,
           COALESCE(override.extractor_id, latest.extractor_id), COALESCE(member.copy_cluster, article.article_uid),
           first.first_seen_at, seen.last_seen_at, missing.gone_at, history.revisions, latest.observed_at
    FROM core.article
    JOIN core.outlet ON outlet.outlet = article.outlet
    CROSS JOIN LATERAL (
        SELECT capture.capture_id, capture.payload_hash, capture.extractor_id, capture.observed_at
        FROM core.capture
        WHERE capture.article_uid = article.article_uid AND capture.load_seq <= as_of
        ORDER BY capture.observed_at DESC, capture.capture_id DESC
        LIMIT 1
    ) latest
    CROSS JOIN LATERAL (
        SELECT min(capture.observed_at) AS first_seen_at FROM core.capture
        WHERE capture.article_uid = article.article_uid AND capture.load_seq <= as_of
    ) first
    CROSS JOIN LATERAL (
        SELECT GREATEST(latest.observed_at, max(event.observed_at)) AS last_seen_at FROM core.article_event event
        WHERE event.article_uid = article.article_uid AND event.kind = 'confirmed' AND event.load_seq <= as_of
    ) seen
    CROSS JOIN LATERAL (
        SELECT CASE WHEN count(*) > 1 AND max(event.observed_at) - min(event.observed_at) >= outlet.gone_after
                    THEN min(event.observed_at) END AS gone_at
        FROM core.article_event event
        WHERE event.article_uid = article.article_uid AND event.kind IN ('missing', 'redirected_home')
          AND event.load_seq <= as_of AND event.observed_at > seen.last_seen_at
    ) missing
    CROSS JOIN LATERAL (
        SELECT count(*) AS revisions FROM core.revision
        WHERE revision.article_uid = article.article_uid AND revision.load_seq <= as_of
          AND (revision.superseded_seq IS NULL OR revision.superseded_seq > as_of)
    ) history
    LEFT JOIN core.extraction_override override ON override.payload_hash = latest.payload_hash
        AND override.load_seq <= as_of
        AND (override.superseded_seq IS NULL OR override.superseded_seq > as_of)
    LEFT JOIN core.article_merge merge ON merge.article_uid = article.article_uid AND merge.load_seq <= as_of
        AND (merge.superseded_seq IS NULL OR merge.superseded_seq > as_of)
    LEFT JOIN core.cluster_member member ON member.article_uid = article.article_uid AND member.load_seq <= as_of
        AND (member.superseded_seq IS NULL OR member.superseded_seq > as_of)
    WHERE article.load_seq <= as_of AND article.hidden_seq IS NULL
$$;
COMMENT ON FUNCTION core.article_state(bigint) IS 'Return the state of each article as of the given load_seq. Reads the rows that were current at that load. Hidden articles are omitted.';
