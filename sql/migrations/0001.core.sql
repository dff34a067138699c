-- The facts of the warehouse: outlets, articles, captures, extractions, revisions, copies.
-- depends:

CREATE SCHEMA core;
COMMENT ON SCHEMA core IS 'Facts of the warehouse: outlets, articles, captures, extractions, revisions. Appended with a load_seq and superseded, not overwritten. Analysts read mart.';

CREATE TABLE core.outcome (
    outcome text PRIMARY KEY,
    class text NOT NULL CHECK (class IN ('not_requested', 'no_response', 'refused', 'kept')),
    meaning text NOT NULL
);
COMMENT ON TABLE core.outcome IS 'How a candidate can end in a crawl. Every candidate ends in exactly one of these.';
COMMENT ON COLUMN core.outcome.outcome IS 'Name of the outcome.';
COMMENT ON COLUMN core.outcome.class IS 'not_requested: we did not ask. no_response: no usable answer. refused: an answer that is no article or broke us. kept: an article''s page.';
COMMENT ON COLUMN core.outcome.meaning IS 'One sentence for the reader of `pressmark why`.';

INSERT INTO core.outcome (outcome, class, meaning) VALUES
    ('new', 'kept', 'Fetched for the first time; an article with its text is in the warehouse.'),
    ('revised', 'kept', 'Fetched again; headline, description, authors or text had changed.'),
    ('unchanged', 'kept', 'Fetched again; the article reads as before.'),
    ('not_modified', 'kept', 'The server answered 304: the page has not changed since the last capture.'),
    ('duplicate_url', 'kept', 'Another address of an article that is already known.'),
    ('known_not_due', 'not_requested', 'Known already, and its next capture is not due yet.'),
    ('out_of_window', 'not_requested', 'Published outside of the dates asked for.'),
    ('out_of_scope', 'not_requested', 'Not on one of the outlet''s own domains, or excluded by its file.'),
    ('too_old', 'not_requested', 'Older than the upper age in the outlet''s file.'),
    ('robots_denied', 'not_requested', 'robots.txt does not allow this address.'),
    ('robots_unreachable', 'not_requested', 'robots.txt could not be read (server or network error), which forbids every request (RFC 9309).'),
    ('rights_reserved', 'not_requested', 'A machine-readable reservation (TDMRep) covers this page and the installation declared no other basis.'),
    ('suppressed', 'not_requested', 'A removal covers this address: it is not fetched or stored again.'),
    ('budget_exhausted', 'not_requested', 'The crawl''s budget of pages or time was used up before its turn.'),
    ('interrupted', 'not_requested', 'The crawl was stopped or killed before its turn; the next crawl takes it.'),
    ('crawler_trap', 'not_requested', 'The address looks like a crawler trap: too long, too deep or repeating itself.'),
    ('refused_address', 'no_response', 'The host resolves to a private or local network address, which is never contacted.'),
    ('network_error', 'no_response', 'The host could not be resolved or reached, or the connection broke.'),
    ('timeout', 'no_response', 'No complete answer within the time limit.'),
    ('rate_limited', 'no_response', 'The server asked to slow down (429, or 503 with Retry-After).'),
    ('http_error', 'no_response', 'The server answered with an error status.'),
    ('gone', 'no_response', 'The server says that the page does not exist (404 or 410).'),
    ('redirect_home', 'no_response', 'The address now leads to the homepage or a section, as removed articles often do.'),
    ('too_large', 'no_response', 'The answer is larger than the size limit.'),
    ('not_html', 'refused', 'The answer is not an HTML page.'),
    ('challenge_page', 'refused', 'A bot challenge was served instead of the article.'),
    ('consent_wall', 'refused', 'A consent dialogue was served instead of the article.'),
    ('paywall_stub', 'refused', 'Only the beginning of the article is readable without paying.'),
    ('soft_404', 'refused', 'An error page served with status 200.'),
    ('index_page', 'refused', 'A list of articles, not an article.'),
    ('gallery', 'refused', 'A gallery of pictures without an article''s text.'),
    ('javascript_required', 'refused', 'An empty shell that a browser would fill by script.'),
    ('extraction_empty', 'refused', 'No main text was found in the page.'),
    ('extraction_timeout', 'refused', 'Extraction ran into its time limit and was stopped.'),
    ('quarantined', 'refused', 'The page broke its extraction; it is kept with the reason in ops.quarantine.'),
    ('load_failed', 'refused', 'Extracted, but the warehouse refused the row; the reason is in ops.quarantine.'),
    ('legal_block', 'no_response', 'The server refuses it for legal reasons (451).'),
    ('noindex', 'refused', 'The page asks not to be indexed, and the outlet''s file obeys that.'),
    ('geo_blocked', 'refused', 'The outlet does not serve the article to the country that we ask from.');

CREATE TABLE core.outlet (
    outlet text PRIMARY KEY CHECK (outlet ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    home text NOT NULL,
    country text,
    languages text[] NOT NULL DEFAULT '{}',
    timezone text NOT NULL,
    tier text NOT NULL,
    domains text[] NOT NULL,
    enabled boolean NOT NULL,
    gone_after interval NOT NULL,
    first_known_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE core.outlet IS 'A news outlet, as its file under outlets/ last said.';
COMMENT ON COLUMN core.outlet.outlet IS 'Immutable slug: id in the outlet''s file.';
COMMENT ON COLUMN core.outlet.name IS 'Name for people.';
COMMENT ON COLUMN core.outlet.home IS 'URL of the homepage.';
COMMENT ON COLUMN core.outlet.country IS 'Country of publication, ISO 3166-1 alpha-2; null for none.';
COMMENT ON COLUMN core.outlet.languages IS 'Languages it publishes in, BCP 47, main one first.';
COMMENT ON COLUMN core.outlet.timezone IS 'IANA zone of its newsroom; an outlet''s day is a day there.';
COMMENT ON COLUMN core.outlet.tier IS 'Cadence of its crawls.';
COMMENT ON COLUMN core.outlet.domains IS 'Domains that are the outlet''s own; subdomains belong to them.';
COMMENT ON COLUMN core.outlet.enabled IS 'Whether its file lets it be crawled on schedule.';
COMMENT ON COLUMN core.outlet.gone_after IS 'A missing page counts as gone when it is still missing this much later.';
COMMENT ON COLUMN core.outlet.first_known_at IS 'When the warehouse first heard of it.';
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
COMMENT ON TABLE core.extractor IS 'One way of extracting: program, version and configuration. Two captures are compared under one extractor, so that an upgrade does not look like a newsroom''s edit.';
COMMENT ON COLUMN core.extractor.extractor_id IS 'Number of the extractor in this warehouse; differs between warehouses.';
COMMENT ON COLUMN core.extractor.name IS 'Name of the program.';
COMMENT ON COLUMN core.extractor.version IS 'Versions of the program, its libraries and Pressmark''s own rules.';
COMMENT ON COLUMN core.extractor.config_hash IS 'sha256 of the configuration (an outlet''s extraction hints), first 16 bytes.';
COMMENT ON COLUMN core.extractor.config IS 'The configuration itself.';
COMMENT ON COLUMN core.extractor.first_used_at IS 'When this warehouse first used it.';

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
-- Articles that prove to be another one lead to it.
CREATE INDEX article_merged ON core.article (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX article_address ON core.article USING hash (url);
COMMENT ON TABLE core.article IS 'An article: outlet + normalised URL. Columns from first_seen_at on are derived from its captures and made anew at each load that touches it.';
COMMENT ON COLUMN core.article.article_uid IS 'First 16 bytes of sha256(outlet, URL rule version, normalised URL): the same in every rebuild.';
COMMENT ON COLUMN core.article.outlet IS 'The outlet that published it.';
COMMENT ON COLUMN core.article.url IS 'Its address without trackers: a working one whose normalised form is the article''s identity.';
COMMENT ON COLUMN core.article.url_rule IS 'Version of the URL rules that made it.';
COMMENT ON COLUMN core.article.merged_into IS 'The article that this one proved to be: its page names that one''s address as canonical, and a capture of the one has the very text of a capture of the other. Null for an article of its own.';
COMMENT ON COLUMN core.article.first_seen_at IS 'When its page was first captured.';
COMMENT ON COLUMN core.article.last_seen_at IS 'When its page was last captured or confirmed unchanged.';
COMMENT ON COLUMN core.article.gone_at IS 'When the page was first found missing, once that was confirmed by a second look; null while it stands.';
COMMENT ON COLUMN core.article.capture_id IS 'The latest capture.';
COMMENT ON COLUMN core.article.payload_hash IS 'Payload of the latest capture: with extractor_id the key of the current extraction.';
COMMENT ON COLUMN core.article.extractor_id IS 'Extractor of the current extraction.';
COMMENT ON COLUMN core.article.revision_count IS 'Number of revisions, the first version included: 1 for an article that never changed.';
COMMENT ON COLUMN core.article.load_seq IS 'Load that first brought it.';
COMMENT ON COLUMN core.article.changed_seq IS 'Last load that changed it; an index for consumers of increments.';
COMMENT ON COLUMN core.article.changed_at IS 'Time of the last load that changed it.';
COMMENT ON COLUMN core.article.hidden_seq IS 'Load by which a removal hid it; null for an article that is shown.';

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
COMMENT ON TABLE core.article_url IS 'Every address under which an article was met.';
COMMENT ON COLUMN core.article_url.article_uid IS 'The article it leads to.';
COMMENT ON COLUMN core.article_url.kind IS 'requested: asked for. final: after redirects. canonical, amp, mobile: as the page itself says.';
COMMENT ON COLUMN core.article_url.url_key IS 'First 16 bytes of the sha256 of the address as it stands.';
COMMENT ON COLUMN core.article_url.url_uid IS 'Identity of the address, made as an article_uid: for look-ups.';
COMMENT ON COLUMN core.article_url.url IS 'The address, unchanged.';
COMMENT ON COLUMN core.article_url.first_seen_at IS 'When it was first met.';
COMMENT ON COLUMN core.article_url.load_seq IS 'Load that brought it.';

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
COMMENT ON TABLE core.archive_segment IS 'Where a segment''s WARC records lie. A pointer (segment, offset) is read at base_offset + offset of the file, so that files can be joined, moved and expired without touching a capture.';
COMMENT ON COLUMN core.archive_segment.segment_id IS 'The segment.';
COMMENT ON COLUMN core.archive_segment.outlet IS 'Its outlet.';
COMMENT ON COLUMN core.archive_segment.file IS 'File, relative to the archive''s root.';
COMMENT ON COLUMN core.archive_segment.base_offset IS 'Byte at which the segment begins in the file.';
COMMENT ON COLUMN core.archive_segment.length IS 'Bytes of the segment.';
COMMENT ON COLUMN core.archive_segment.records IS 'Number of archived responses and revisits.';
COMMENT ON COLUMN core.archive_segment.created_at IS 'When the file was put in place.';
COMMENT ON COLUMN core.archive_segment.expired_at IS 'When retention removed the bytes; null while they are there.';

CREATE TABLE core.text (
    text_hash bytea PRIMARY KEY,
    article_body text NOT NULL,
    word_count integer NOT NULL,
    char_count integer NOT NULL,
    load_seq bigint NOT NULL
);
COMMENT ON TABLE core.text IS 'Main texts, each once: revisits and exact copies share a row.';
COMMENT ON COLUMN core.text.text_hash IS 'sha256 of the text in UTF-8.';
COMMENT ON COLUMN core.text.article_body IS 'The main text; paragraphs are lines.';
COMMENT ON COLUMN core.text.word_count IS 'Words (for scripts without spaces: characters of that script count as words).';
COMMENT ON COLUMN core.text.char_count IS 'Unicode characters.';
COMMENT ON COLUMN core.text.load_seq IS 'Load that brought it.';

CREATE TABLE core.fingerprint (
    text_hash bytea NOT NULL REFERENCES core.text,
    sig_version smallint NOT NULL,
    body_sig bytea NOT NULL,
    lead_sig bytea NOT NULL,
    load_seq bigint NOT NULL,
    PRIMARY KEY (text_hash, sig_version)
);
COMMENT ON TABLE core.fingerprint IS 'MinHash signatures of texts, for finding copies.';
COMMENT ON COLUMN core.fingerprint.text_hash IS 'The text.';
COMMENT ON COLUMN core.fingerprint.sig_version IS 'Version of the signature''s constants; only equal versions compare.';
COMMENT ON COLUMN core.fingerprint.body_sig IS 'Signature of the whole text: 128 little-endian uint32.';
COMMENT ON COLUMN core.fingerprint.lead_sig IS 'Signature of the first 120 words: 32 little-endian uint32.';
COMMENT ON COLUMN core.fingerprint.load_seq IS 'Load that brought it.';

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
COMMENT ON TABLE core.extraction IS 'All fields that one extractor got from one payload.';
COMMENT ON COLUMN core.extraction.payload_hash IS 'sha256 of the page''s bytes, content encoding removed.';
COMMENT ON COLUMN core.extraction.extractor_id IS 'The extractor.';
COMMENT ON COLUMN core.extraction.headline IS 'Headline, without the outlet''s name.';
COMMENT ON COLUMN core.extraction.description IS 'Summary that the page gives of itself.';
COMMENT ON COLUMN core.extraction.authors IS 'Authors as the page names them.';
COMMENT ON COLUMN core.extraction.date_published IS 'Date of publication; midnight UTC where precision is day; null where the page gives none that can be true.';
COMMENT ON COLUMN core.extraction.date_published_raw IS 'The date as the page writes it.';
COMMENT ON COLUMN core.extraction.date_published_source IS 'Where in the page it stands: json_ld, meta, time_element, text.';
COMMENT ON COLUMN core.extraction.date_published_precision IS 'day, minute or second.';
COMMENT ON COLUMN core.extraction.date_published_offset IS 'Offset from UTC as written, in minutes; null where none is written.';
COMMENT ON COLUMN core.extraction.date_published_flag IS 'Why date_published is null although raw is not: future, too_early, unparsable.';
COMMENT ON COLUMN core.extraction.date_modified IS 'Date of the last change, as the page claims.';
COMMENT ON COLUMN core.extraction.date_modified_raw IS 'The same as written.';
COMMENT ON COLUMN core.extraction.date_modified_source IS 'Where in the page it stands.';
COMMENT ON COLUMN core.extraction.in_language IS 'Language, BCP 47.';
COMMENT ON COLUMN core.extraction.in_language_source IS 'text (recognised), html (declared) or outlet.';
COMMENT ON COLUMN core.extraction.article_section IS 'Section of the outlet.';
COMMENT ON COLUMN core.extraction.keywords IS 'Keywords as the page gives them.';
COMMENT ON COLUMN core.extraction.main_image IS 'URL of the main picture.';
COMMENT ON COLUMN core.extraction.is_accessible_for_free IS 'false where the page declares a paywall; null where it says nothing.';
COMMENT ON COLUMN core.extraction.canonical_url IS 'rel=canonical where it counts (the outlet''s own domains, not its homepage).';
COMMENT ON COLUMN core.extraction.encoding IS 'Character encoding that the page was read in.';
COMMENT ON COLUMN core.extraction.encoding_source IS 'bom, header, meta or guess.';
COMMENT ON COLUMN core.extraction.text_hash IS 'The main text; null where there is none.';
COMMENT ON COLUMN core.extraction.headline_hash IS 'xxh3_64 of the comparable headline (NFKC, white space folded).';
COMMENT ON COLUMN core.extraction.description_hash IS 'The same of the description.';
COMMENT ON COLUMN core.extraction.authors_hash IS 'The same of the authors.';
COMMENT ON COLUMN core.extraction.body_hash IS 'The same of the main text.';
COMMENT ON COLUMN core.extraction.load_seq IS 'Load that brought it.';
COMMENT ON COLUMN core.extraction.recorded_at IS 'When it was stored.';
COMMENT ON COLUMN core.extraction.links IS 'Addresses that the main text links to, in order, each once; without the page''s own.';

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
COMMENT ON TABLE core.capture IS 'One capture of an article''s page.';
COMMENT ON COLUMN core.capture.capture_id IS 'Given at the fetch and written into the WARC, so that a segment that is staged again brings the same capture.';
COMMENT ON COLUMN core.capture.article_uid IS 'The article.';
COMMENT ON COLUMN core.capture.url_uid IS 'Identity of the URL that was asked for.';
COMMENT ON COLUMN core.capture.observed_at IS 'When the page was fetched.';
COMMENT ON COLUMN core.capture.recorded_at IS 'When the capture was loaded.';
COMMENT ON COLUMN core.capture.captured_by IS 'pressmark, wayback or cc-news.';
COMMENT ON COLUMN core.capture.crawl_id IS 'The crawl that fetched it.';
COMMENT ON COLUMN core.capture.payload_hash IS 'sha256 of the page''s bytes, content encoding removed.';
COMMENT ON COLUMN core.capture.extractor_id IS 'The extractor that read it first.';
COMMENT ON COLUMN core.capture.segment_id IS 'Segment that holds the archived bytes; null where none may be kept (noarchive).';
COMMENT ON COLUMN core.capture.archive_offset IS 'Byte of the WARC record within the segment.';
COMMENT ON COLUMN core.capture.archive_length IS 'Compressed length of the record in bytes.';
COMMENT ON COLUMN core.capture.requested_url IS 'The address that was asked for.';
COMMENT ON COLUMN core.capture.final_url IS 'The address after redirects; null where it is the one asked for.';
COMMENT ON COLUMN core.capture.http_status IS 'HTTP status.';
COMMENT ON COLUMN core.capture.content_type IS 'Content-Type header.';
COMMENT ON COLUMN core.capture.etag IS 'ETag header.';
COMMENT ON COLUMN core.capture.last_modified IS 'Last-Modified header.';
COMMENT ON COLUMN core.capture.discovered_via IS 'Method by which this crawl came to the page: feed, sitemap, ... or revisit.';
COMMENT ON COLUMN core.capture.endpoint_id IS 'Endpoint that listed it.';
COMMENT ON COLUMN core.capture.listed_headline IS 'Headline in the listing.';
COMMENT ON COLUMN core.capture.listed_published IS 'Date of publication in the listing; fills in where the page itself has none.';
COMMENT ON COLUMN core.capture.listed_published_raw IS 'The same as written.';
COMMENT ON COLUMN core.capture.listed_published_source IS 'feed, news_sitemap or url.';
COMMENT ON COLUMN core.capture.listed_published_precision IS 'day, minute or second.';
COMMENT ON COLUMN core.capture.listed_published_offset IS 'Offset from UTC as written, in minutes.';
COMMENT ON COLUMN core.capture.rights IS 'Rights signals met with this capture: robots header and meta, TDM reservation.';
COMMENT ON COLUMN core.capture.load_seq IS 'Load that brought it.';

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
COMMENT ON TABLE core.revision IS 'Versions of an article, derived from its captures in observed order: loading the same captures in any order gives the same list. A page that goes A, B, A has three.';
COMMENT ON COLUMN core.revision.article_uid IS 'The article.';
COMMENT ON COLUMN core.revision.ordinal IS '1 for the first version seen.';
COMMENT ON COLUMN core.revision.capture_id IS 'The first capture that saw this version.';
COMMENT ON COLUMN core.revision.changed_parts IS 'Which of headline, description, authors, body differ from the version before; empty for the first.';
COMMENT ON COLUMN core.revision.cause IS 'first; publisher: both pages compared under one extractor; unknown: the earlier page is not archived, so a change of extractor cannot be told from an edit.';
COMMENT ON COLUMN core.revision.extractor_id IS 'The extractor under which the two pages were compared.';
COMMENT ON COLUMN core.revision.unchanged_until IS 'Last time the version before was seen: the change came after it.';
COMMENT ON COLUMN core.revision.seen_changed_at IS 'When this version was first seen: the change came before it.';
COMMENT ON COLUMN core.revision.load_seq IS 'Load that derived this row.';
COMMENT ON COLUMN core.revision.superseded_seq IS 'Load that derived another list; null for the list that holds now.';

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
COMMENT ON TABLE core.comment IS 'Readers'' comments: other people''s words, never the outlet''s. Off for an outlet unless its file switches them on.';
COMMENT ON COLUMN core.comment.comment_uid IS 'First 16 bytes of sha256(article, author, text, how many equal ones stood before it).';
COMMENT ON COLUMN core.comment.article_uid IS 'The article commented on.';
COMMENT ON COLUMN core.comment.position IS 'Place on the page when it was first captured, from 1.';
COMMENT ON COLUMN core.comment.author IS 'Name that the commenter gave; null where the page shows none, or where the outlet''s file says comments: text.';
COMMENT ON COLUMN core.comment.posted_raw IS 'When, as the page writes it.';
COMMENT ON COLUMN core.comment.edited_raw IS 'Note of a later edit, as the page writes it.';
COMMENT ON COLUMN core.comment.comment_body IS 'The comment.';
COMMENT ON COLUMN core.comment.first_seen_at IS 'When it was first captured.';
COMMENT ON COLUMN core.comment.load_seq IS 'Load that brought it.';

CREATE TABLE core.article_event (
    article_uid uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('missing', 'redirected_home', 'confirmed', 'merged', 'removed')),
    observed_at timestamptz NOT NULL,
    crawl_id uuid,
    detail text,
    load_seq bigint NOT NULL,
    PRIMARY KEY (article_uid, kind, observed_at)
);
COMMENT ON TABLE core.article_event IS 'What happened to an article other than a capture.';
COMMENT ON COLUMN core.article_event.article_uid IS 'The article.';
COMMENT ON COLUMN core.article_event.kind IS 'missing, redirected_home: the page was not there. confirmed: the server said that it has not changed (304). merged, removed.';
COMMENT ON COLUMN core.article_event.observed_at IS 'When.';
COMMENT ON COLUMN core.article_event.crawl_id IS 'The crawl that saw it.';
COMMENT ON COLUMN core.article_event.detail IS 'Status or address.';
COMMENT ON COLUMN core.article_event.load_seq IS 'Load that brought it.';

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
COMMENT ON TABLE core.url_listing IS 'A URL as an endpoint listed it.';
COMMENT ON COLUMN core.url_listing.url_uid IS 'Identity of the listed URL, made as an article_uid; equal to it where the URL is the article''s own.';
COMMENT ON COLUMN core.url_listing.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN core.url_listing.outlet IS 'The outlet.';
COMMENT ON COLUMN core.url_listing.url IS 'The URL as listed.';
COMMENT ON COLUMN core.url_listing.first_listed_at IS 'First poll that listed it.';
COMMENT ON COLUMN core.url_listing.last_listed_at IS 'Last poll that listed it.';
COMMENT ON COLUMN core.url_listing.listed_headline IS 'Headline in the listing.';
COMMENT ON COLUMN core.url_listing.listed_published IS 'Date of publication in the listing.';
COMMENT ON COLUMN core.url_listing.listed_published_raw IS 'The same as written.';
COMMENT ON COLUMN core.url_listing.listed_modified IS 'Date of change in the listing (a sitemap''s lastmod, a feed''s updated).';

CREATE TABLE core.boilerplate_line (
    outlet_line bigint PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    line text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE core.boilerplate_line IS 'Lines that stand in three or more articles of an outlet under as many headlines: furniture, which does not count when texts are compared. The texts keep them.';
COMMENT ON COLUMN core.boilerplate_line.outlet_line IS 'xxh3_64 of the outlet and the line in folded form.';
COMMENT ON COLUMN core.boilerplate_line.outlet IS 'The outlet.';
COMMENT ON COLUMN core.boilerplate_line.line IS 'The line as one of the articles has it.';
COMMENT ON COLUMN core.boilerplate_line.recorded_at IS 'When it was recognised.';

CREATE TABLE core.article_line (
    outlet_line bigint NOT NULL,
    headline_hash bigint NOT NULL,
    article_uid uuid NOT NULL,
    PRIMARY KEY (outlet_line, headline_hash, article_uid)
);
COMMENT ON TABLE core.article_line IS 'Which articles of an outlet hold a line in one of their texts, until the line is known to recur.';
COMMENT ON COLUMN core.article_line.outlet_line IS 'xxh3_64 of the outlet and the line in folded form.';
COMMENT ON COLUMN core.article_line.headline_hash IS 'Headline above the text: two addresses of one article count once.';
COMMENT ON COLUMN core.article_line.article_uid IS 'The article.';

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
COMMENT ON TABLE core.dedup_text IS 'A text of an article as the search for copies sees it: without the lines that recur over its outlet.';
COMMENT ON COLUMN core.dedup_text.dedup_id IS 'Number of the row; another one once more of its lines prove to recur.';
COMMENT ON COLUMN core.dedup_text.article_uid IS 'The article.';
COMMENT ON COLUMN core.dedup_text.text_hash IS 'One of the texts that it has had.';
COMMENT ON COLUMN core.dedup_text.published_on IS 'Day of publication (UTC), or of the first capture where that is unknown: copies are looked for 30 days either side.';
COMMENT ON COLUMN core.dedup_text.sig_version IS 'Version of the signature''s constants.';
COMMENT ON COLUMN core.dedup_text.long_enough IS 'Whether 50 words are left without the recurring lines; shorter texts have no copies.';
COMMENT ON COLUMN core.dedup_text.boilerplate_lines IS 'Its lines of core.boilerplate_line.';
COMMENT ON COLUMN core.dedup_text.live IS 'false once another row took its place.';
COMMENT ON COLUMN core.dedup_text.recorded_at IS 'When it was compared.';

CREATE TABLE core.lsh_band (
    month date NOT NULL,
    band_hash bigint NOT NULL,
    dedup_id bigint NOT NULL
);
CREATE INDEX lsh_band_key ON core.lsh_band (month, band_hash, dedup_id);
COMMENT ON TABLE core.lsh_band IS 'Bands of MinHash signatures: two texts that share one are candidates for copies. The month leads the index, so that inserts and look-ups of a time stay together.';
COMMENT ON COLUMN core.lsh_band.month IS 'First day of the month of publication.';
COMMENT ON COLUMN core.lsh_band.band_hash IS 'xxh3_64 of a band and its number: 32 of four values of the whole text, 8 of its beginning.';
COMMENT ON COLUMN core.lsh_band.dedup_id IS 'The compared text.';

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
COMMENT ON TABLE core.copy IS 'Pairs of texts that are copies, verified on the texts themselves. A pair holds while both of its rows in core.dedup_text are live.';
COMMENT ON COLUMN core.copy.dedup_a IS 'The one text.';
COMMENT ON COLUMN core.copy.dedup_b IS 'The other, of another article.';
COMMENT ON COLUMN core.copy.similarity IS 'Jaccard similarity of their shingles, 0 to 1.';
COMMENT ON COLUMN core.copy.containment IS 'Share of the shorter text''s shingles that the longer one has, 0 to 1.';
COMMENT ON COLUMN core.copy.shared_shingles IS 'Number of shingles that both have; null for equal texts, which need no comparison.';
COMMENT ON COLUMN core.copy.load_seq IS 'Load that found the pair.';

CREATE TABLE core.cluster_member (
    article_uid uuid NOT NULL REFERENCES core.article,
    copy_cluster uuid NOT NULL,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (article_uid, load_seq)
);
CREATE UNIQUE INDEX cluster_member_current ON core.cluster_member (article_uid) WHERE superseded_seq IS NULL;
CREATE INDEX cluster_member_label ON core.cluster_member (copy_cluster) WHERE superseded_seq IS NULL;
COMMENT ON TABLE core.cluster_member IS 'Articles that have copies, and their story cluster. Superseded, not overwritten. A label is the smallest article_uid of its cluster, hence itself an article: a label of old is looked up as one.';
COMMENT ON COLUMN core.cluster_member.article_uid IS 'The article.';
COMMENT ON COLUMN core.cluster_member.copy_cluster IS 'Its cluster: the smallest article_uid of all that are connected by copies.';
COMMENT ON COLUMN core.cluster_member.load_seq IS 'Load that put it there.';
COMMENT ON COLUMN core.cluster_member.superseded_seq IS 'Load that put it elsewhere; null for where it is now.';

CREATE TABLE core.site_policy (
    site text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('robots', 'tdmrep')),
    body_hash bytea NOT NULL,
    body bytea NOT NULL,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (site, kind, body_hash)
);
COMMENT ON TABLE core.site_policy IS 'Each state of a host''s robots.txt and tdmrep.json that was ever seen; a capture''s rights name the one that held.';
COMMENT ON COLUMN core.site_policy.site IS 'Scheme and host.';
COMMENT ON COLUMN core.site_policy.kind IS 'robots or tdmrep.';
COMMENT ON COLUMN core.site_policy.body_hash IS 'sha256 of the body, first 16 bytes.';
COMMENT ON COLUMN core.site_policy.body IS 'The body, as far as it is read.';
COMMENT ON COLUMN core.site_policy.first_seen_at IS 'When this state was first seen.';

CREATE TABLE core.article_merge (
    article_uid uuid NOT NULL REFERENCES core.article,
    merged_into uuid NOT NULL REFERENCES core.article,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (article_uid, load_seq)
);
COMMENT ON TABLE core.article_merge IS 'Which article led to which other, and from when to when: superseded, not overwritten. What holds now stands in core.article.merged_into too.';
COMMENT ON COLUMN core.article_merge.article_uid IS 'The article that is no longer one of its own.';
COMMENT ON COLUMN core.article_merge.merged_into IS 'The article that it proved to be.';
COMMENT ON COLUMN core.article_merge.load_seq IS 'Load that found it out.';
COMMENT ON COLUMN core.article_merge.superseded_seq IS 'Load that parted them again; null while it holds.';

CREATE TABLE core.extraction_override (
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (payload_hash, load_seq)
);
CREATE UNIQUE INDEX extraction_override_current ON core.extraction_override (payload_hash) WHERE superseded_seq IS NULL;
COMMENT ON TABLE core.extraction_override IS 'Which extraction of a payload counts, where another extractor than that of its capture was promoted. Superseded, not overwritten.';
COMMENT ON COLUMN core.extraction_override.payload_hash IS 'The payload.';
COMMENT ON COLUMN core.extraction_override.extractor_id IS 'The extractor whose fields count.';
COMMENT ON COLUMN core.extraction_override.load_seq IS 'Load that promoted it.';
COMMENT ON COLUMN core.extraction_override.superseded_seq IS 'Load that promoted another one or took this one back; null while it holds.';

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
COMMENT ON TABLE core.outlet_attribute IS 'What an outlet was, and from when to when: a country, an owner, a domain that changed hands.';
COMMENT ON COLUMN core.outlet_attribute.outlet IS 'The outlet.';
COMMENT ON COLUMN core.outlet_attribute.attribute IS 'country (ISO 3166-1 alpha-2), owner, type, parent (another outlet or a group), domain or collection.';
COMMENT ON COLUMN core.outlet_attribute.value IS 'Its value.';
COMMENT ON COLUMN core.outlet_attribute.valid_from IS 'First day; -infinity where it is not known or always was so.';
COMMENT ON COLUMN core.outlet_attribute.valid_until IS 'First day on which it no longer holds; infinity while it does.';
COMMENT ON COLUMN core.outlet_attribute.source IS 'file: the outlet''s file gives the dates. seen: the file changed, and valid_until is the day we saw it.';
COMMENT ON COLUMN core.outlet_attribute.recorded_at IS 'When it was recorded.';

CREATE FUNCTION core.article_state(as_of bigint)
RETURNS TABLE (article_uid uuid, outlet text, url text, merged_into uuid, capture_id uuid, payload_hash bytea,
               extractor_id integer, copy_cluster uuid, first_seen_at timestamptz, last_seen_at timestamptz,
               gone_at timestamptz, revision_count bigint, observed_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT a.article_uid, a.outlet, a.url, m.merged_into, v.capture_id, v.payload_hash,
           COALESCE(p.extractor_id, v.extractor_id), COALESCE(k.copy_cluster, a.article_uid), f.first_seen_at,
           s.last_seen_at, g.gone_at, n.revisions, v.observed_at
    FROM core.article a
    JOIN core.outlet o ON o.outlet = a.outlet
    CROSS JOIN LATERAL (
        SELECT w.capture_id, w.payload_hash, w.extractor_id, w.observed_at
        FROM core.capture w
        WHERE w.article_uid = a.article_uid AND w.load_seq <= as_of
        ORDER BY w.observed_at DESC, w.capture_id DESC
        LIMIT 1
    ) v
    CROSS JOIN LATERAL (
        SELECT min(w.observed_at) AS first_seen_at FROM core.capture w
        WHERE w.article_uid = a.article_uid AND w.load_seq <= as_of
    ) f
    CROSS JOIN LATERAL (
        SELECT GREATEST(v.observed_at, max(e.observed_at)) AS last_seen_at FROM core.article_event e
        WHERE e.article_uid = a.article_uid AND e.kind = 'confirmed' AND e.load_seq <= as_of
    ) s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN count(*) > 1 AND max(e.observed_at) - min(e.observed_at) >= o.gone_after
                    THEN min(e.observed_at) END AS gone_at
        FROM core.article_event e
        WHERE e.article_uid = a.article_uid AND e.kind IN ('missing', 'redirected_home') AND e.load_seq <= as_of
          AND e.observed_at > s.last_seen_at
    ) g
    CROSS JOIN LATERAL (
        SELECT count(*) AS revisions FROM core.revision r
        WHERE r.article_uid = a.article_uid AND r.load_seq <= as_of
          AND (r.superseded_seq IS NULL OR r.superseded_seq > as_of)
    ) n
    LEFT JOIN core.extraction_override p ON p.payload_hash = v.payload_hash AND p.load_seq <= as_of
                            AND (p.superseded_seq IS NULL OR p.superseded_seq > as_of)
    LEFT JOIN core.article_merge m ON m.article_uid = a.article_uid AND m.load_seq <= as_of
                                  AND (m.superseded_seq IS NULL OR m.superseded_seq > as_of)
    LEFT JOIN core.cluster_member k ON k.article_uid = a.article_uid AND k.load_seq <= as_of
                                   AND (k.superseded_seq IS NULL OR k.superseded_seq > as_of)
    WHERE a.load_seq <= as_of AND a.hidden_seq IS NULL
$$;
COMMENT ON FUNCTION core.article_state(bigint) IS 'What was known of each article when this load was the last one, from rows that say by load_seq since when and until when they hold. Hidden articles are left out.';
