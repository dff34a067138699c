-- What the warehouse knows for good: outlets, articles, visits, extractions, revisions.
-- depends:

CREATE SCHEMA core;
COMMENT ON SCHEMA core IS 'Facts of the warehouse: outlets, articles, visits, extractions, revisions. Appended with a load_seq and superseded, not overwritten. Analysts read mart.';

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
    ('not_modified', 'kept', 'The server answered 304: the page has not changed since the last visit.'),
    ('same_article', 'kept', 'Another address of an article that is already known.'),
    ('known_not_due', 'not_requested', 'Known already, and its next visit is not due yet.'),
    ('out_of_window', 'not_requested', 'Published outside of the dates asked for.'),
    ('out_of_scope', 'not_requested', 'Not on one of the outlet''s own domains, or excluded by its file.'),
    ('too_old', 'not_requested', 'Older than the upper age in the outlet''s file.'),
    ('robots_denied', 'not_requested', 'robots.txt does not allow this address.'),
    ('robots_unreachable', 'not_requested', 'robots.txt could not be read (server or network error), which forbids every request (RFC 9309).'),
    ('rights_reserved', 'not_requested', 'A machine-readable reservation (TDMRep) covers this page and the installation declared no other basis.'),
    ('suppressed', 'not_requested', 'A removal covers this address: it is not fetched or stored again.'),
    ('budget_exhausted', 'not_requested', 'The crawl''s budget of pages or time was used up before its turn.'),
    ('interrupted', 'not_requested', 'The crawl was stopped or killed before its turn; the next crawl takes it.'),
    ('trap', 'not_requested', 'The address looks like a crawler trap: too long, too deep or repeating itself.'),
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
    ('list_page', 'refused', 'A list of articles, not an article.'),
    ('gallery', 'refused', 'A gallery of pictures without an article''s text.'),
    ('needs_browser', 'refused', 'An empty shell that a browser would fill by script.'),
    ('extraction_empty', 'refused', 'No main text was found in the page.'),
    ('extraction_timeout', 'refused', 'Extraction ran into its time limit and was stopped.'),
    ('quarantined', 'refused', 'The page broke its extraction; it is kept with the reason in ops.quarantine.'),
    ('load_failed', 'refused', 'Extracted, but the warehouse refused the row; the reason is in ops.quarantine.');

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
COMMENT ON TABLE core.extractor IS 'One way of extracting: program, version and configuration. Two visits are compared under one extractor, so that an upgrade does not look like a newsroom''s edit.';
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
    visit_id uuid NOT NULL,
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    revision_count integer NOT NULL DEFAULT 0,
    load_seq bigint NOT NULL,
    changed_seq bigint NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX article_outlet ON core.article (outlet, first_seen_at);
CREATE INDEX article_changed ON core.article (changed_seq);
COMMENT ON TABLE core.article IS 'An article: outlet + normalised URL. Columns from first_seen_at on are derived from its visits and made anew at each load that touches it.';
COMMENT ON COLUMN core.article.article_uid IS 'First 16 bytes of sha256(outlet, URL rule version, normalised URL): the same in every rebuild.';
COMMENT ON COLUMN core.article.outlet IS 'The outlet that published it.';
COMMENT ON COLUMN core.article.url IS 'Its address without trackers: a working one whose normalised form is the article''s identity.';
COMMENT ON COLUMN core.article.url_rule IS 'Version of the URL rules that made it.';
COMMENT ON COLUMN core.article.merged_into IS 'The article that this one proved to be; null for an article of its own.';
COMMENT ON COLUMN core.article.first_seen_at IS 'When its page was first captured.';
COMMENT ON COLUMN core.article.last_seen_at IS 'When its page was last captured or confirmed unchanged.';
COMMENT ON COLUMN core.article.gone_at IS 'When the page was first found missing, once that was confirmed by a second look; null while it stands.';
COMMENT ON COLUMN core.article.visit_id IS 'The latest visit.';
COMMENT ON COLUMN core.article.payload_hash IS 'Payload of the latest visit: with extractor_id the key of the current extraction.';
COMMENT ON COLUMN core.article.extractor_id IS 'Extractor of the current extraction.';
COMMENT ON COLUMN core.article.revision_count IS 'Number of revisions, the first version included: 1 for an article that never changed.';
COMMENT ON COLUMN core.article.load_seq IS 'Load that first brought it.';
COMMENT ON COLUMN core.article.changed_seq IS 'Last load that changed it; an index for consumers of increments.';
COMMENT ON COLUMN core.article.changed_at IS 'Time of the last load that changed it.';

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
COMMENT ON TABLE core.archive_segment IS 'Where a segment''s WARC records lie. A pointer (segment, offset) is read at base_offset + offset of the file, so that files can be joined, moved and expired without touching a visit.';
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

CREATE TABLE core.visit (
    visit_id uuid PRIMARY KEY,
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
CREATE INDEX visit_article ON core.visit (article_uid, observed_at, visit_id);
CREATE INDEX visit_segment ON core.visit (segment_id);
COMMENT ON TABLE core.visit IS 'One capture of an article''s page.';
COMMENT ON COLUMN core.visit.visit_id IS 'Given at the fetch and written into the WARC, so that a segment that is staged again brings the same visit.';
COMMENT ON COLUMN core.visit.article_uid IS 'The article.';
COMMENT ON COLUMN core.visit.url_uid IS 'Identity of the URL that was asked for.';
COMMENT ON COLUMN core.visit.observed_at IS 'When the page was fetched.';
COMMENT ON COLUMN core.visit.recorded_at IS 'When the visit was loaded.';
COMMENT ON COLUMN core.visit.captured_by IS 'pressmark, wayback or cc-news.';
COMMENT ON COLUMN core.visit.crawl_id IS 'The crawl that fetched it.';
COMMENT ON COLUMN core.visit.payload_hash IS 'sha256 of the page''s bytes, content encoding removed.';
COMMENT ON COLUMN core.visit.extractor_id IS 'The extractor that read it first.';
COMMENT ON COLUMN core.visit.segment_id IS 'Segment that holds the archived bytes; null where none may be kept (noarchive).';
COMMENT ON COLUMN core.visit.archive_offset IS 'Byte of the WARC record within the segment.';
COMMENT ON COLUMN core.visit.archive_length IS 'Compressed length of the record in bytes.';
COMMENT ON COLUMN core.visit.requested_url IS 'The address that was asked for.';
COMMENT ON COLUMN core.visit.final_url IS 'The address after redirects; null where it is the one asked for.';
COMMENT ON COLUMN core.visit.http_status IS 'HTTP status.';
COMMENT ON COLUMN core.visit.content_type IS 'Content-Type header.';
COMMENT ON COLUMN core.visit.etag IS 'ETag header.';
COMMENT ON COLUMN core.visit.last_modified IS 'Last-Modified header.';
COMMENT ON COLUMN core.visit.discovered_via IS 'Method by which this crawl came to the page: feed, sitemap, ... or revisit.';
COMMENT ON COLUMN core.visit.endpoint_id IS 'Endpoint that listed it.';
COMMENT ON COLUMN core.visit.listed_headline IS 'Headline in the listing.';
COMMENT ON COLUMN core.visit.listed_published IS 'Date of publication in the listing; fills in where the page itself has none.';
COMMENT ON COLUMN core.visit.listed_published_raw IS 'The same as written.';
COMMENT ON COLUMN core.visit.listed_published_source IS 'feed, news_sitemap or url.';
COMMENT ON COLUMN core.visit.listed_published_precision IS 'day, minute or second.';
COMMENT ON COLUMN core.visit.listed_published_offset IS 'Offset from UTC as written, in minutes.';
COMMENT ON COLUMN core.visit.rights IS 'Rights signals met with this visit: robots header and meta, TDM reservation.';
COMMENT ON COLUMN core.visit.load_seq IS 'Load that brought it.';

CREATE TABLE core.revision (
    article_uid uuid NOT NULL REFERENCES core.article,
    ordinal integer NOT NULL,
    visit_id uuid NOT NULL,
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
COMMENT ON TABLE core.revision IS 'Versions of an article, derived from its visits in observed order: loading the same visits in any order gives the same list. A page that goes A, B, A has three.';
COMMENT ON COLUMN core.revision.article_uid IS 'The article.';
COMMENT ON COLUMN core.revision.ordinal IS '1 for the first version seen.';
COMMENT ON COLUMN core.revision.visit_id IS 'The first visit that saw this version.';
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
    kind text NOT NULL CHECK (kind IN ('missing', 'redirected_home', 'merged', 'removed')),
    observed_at timestamptz NOT NULL,
    crawl_id uuid,
    detail text,
    load_seq bigint NOT NULL,
    PRIMARY KEY (article_uid, kind, observed_at)
);
COMMENT ON TABLE core.article_event IS 'What happened to an article other than a visit.';
COMMENT ON COLUMN core.article_event.article_uid IS 'The article.';
COMMENT ON COLUMN core.article_event.kind IS 'missing: 404 or 410. redirected_home: leads to the homepage or a section. merged: proved to be another article. removed: taken out on request.';
COMMENT ON COLUMN core.article_event.observed_at IS 'When.';
COMMENT ON COLUMN core.article_event.crawl_id IS 'The crawl that saw it.';
COMMENT ON COLUMN core.article_event.detail IS 'Status or address.';
COMMENT ON COLUMN core.article_event.load_seq IS 'Load that brought it.';

CREATE TABLE core.sighting (
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
COMMENT ON TABLE core.sighting IS 'A URL as an endpoint listed it.';
COMMENT ON COLUMN core.sighting.url_uid IS 'Identity of the listed URL, made as an article_uid; equal to it where the URL is the article''s own.';
COMMENT ON COLUMN core.sighting.endpoint_id IS 'The endpoint.';
COMMENT ON COLUMN core.sighting.outlet IS 'The outlet.';
COMMENT ON COLUMN core.sighting.url IS 'The URL as listed.';
COMMENT ON COLUMN core.sighting.first_listed_at IS 'First poll that listed it.';
COMMENT ON COLUMN core.sighting.last_listed_at IS 'Last poll that listed it.';
COMMENT ON COLUMN core.sighting.listed_headline IS 'Headline in the listing.';
COMMENT ON COLUMN core.sighting.listed_published IS 'Date of publication in the listing.';
COMMENT ON COLUMN core.sighting.listed_published_raw IS 'The same as written.';
COMMENT ON COLUMN core.sighting.listed_modified IS 'Date of change in the listing (a sitemap''s lastmod, a feed''s updated).';
