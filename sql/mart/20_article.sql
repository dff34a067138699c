CREATE VIEW mart.article AS
SELECT
    a.article_uid,
    a.outlet,
    a.url,
    x.canonical_url,
    x.headline,
    x.description,
    x.authors,
    COALESCE(x.date_published, l.listed_published) AS date_published,
    CASE
        WHEN x.date_published IS NOT NULL THEN
            (x.date_published AT TIME ZONE 'UTC' + make_interval(mins => COALESCE(x.date_published_offset, 0)))::date
        ELSE (l.listed_published AT TIME ZONE 'UTC' + make_interval(mins => COALESCE(l.listed_published_offset, 0)))::date
    END AS date_published_day,
    CASE WHEN x.date_published IS NOT NULL OR l.listed_published IS NULL
         THEN x.date_published_raw ELSE l.listed_published_raw END AS date_published_raw,
    CASE WHEN x.date_published IS NOT NULL OR l.listed_published IS NULL
         THEN x.date_published_source ELSE l.listed_published_source END AS date_published_source,
    CASE WHEN x.date_published IS NOT NULL OR l.listed_published IS NULL
         THEN x.date_published_precision ELSE l.listed_published_precision END AS date_published_precision,
    CASE WHEN x.date_published IS NOT NULL OR l.listed_published IS NULL
         THEN x.date_published_offset ELSE l.listed_published_offset END AS date_published_offset,
    x.date_published_flag,
    x.date_modified,
    x.in_language,
    x.article_section,
    x.keywords,
    t.article_body,
    t.word_count,
    t.char_count,
    x.main_image,
    x.is_accessible_for_free,
    COALESCE(m.copy_cluster, a.article_uid) AS copy_cluster,
    a.first_seen_at,
    a.last_seen_at,
    a.gone_at,
    a.revision_count,
    ARRAY(
        SELECT DISTINCT e.method
        FROM ops.frontier f
        JOIN core.url_listing s ON s.url_uid = f.url_uid
        JOIN ops.endpoint e ON e.endpoint_id = s.endpoint_id
        WHERE f.article_uid = a.article_uid
        ORDER BY e.method
    ) AS discovered_via,
    v.captured_by,
    v.observed_at,
    v.recorded_at,
    v.http_status,
    g.file AS archive_file,
    g.base_offset + v.archive_offset AS archive_offset,
    CASE WHEN g.file IS NOT NULL THEN v.archive_length END AS archive_length,
    r.name || ' ' || r.version AS extractor,
    encode(x.text_hash, 'hex') AS text_hash,
    a.changed_at,
    a.load_seq,
    v.capture_id,
    v.crawl_id,
    v.rights
FROM core.article a
JOIN core.capture v ON v.capture_id = a.capture_id
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
JOIN core.extractor r ON r.extractor_id = a.extractor_id
LEFT JOIN core.text t ON t.text_hash = x.text_hash
LEFT JOIN core.archive_segment g ON g.segment_id = v.segment_id AND g.expired_at IS NULL
-- A revisit has no listing: the date then comes from the first capture that a listing led to.
LEFT JOIN LATERAL (
    SELECT w.listed_published, w.listed_published_raw, w.listed_published_source,
           w.listed_published_precision, w.listed_published_offset
    FROM core.capture w
    WHERE x.date_published IS NULL AND w.article_uid = a.article_uid AND w.listed_published IS NOT NULL
    ORDER BY w.observed_at, w.capture_id
    LIMIT 1
) l ON true
LEFT JOIN core.cluster_member m ON m.article_uid = a.article_uid AND m.superseded_seq IS NULL
WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL;

COMMENT ON VIEW mart.article IS 'One row an article as it was last seen, with its full text and where every part of it came from.';
COMMENT ON COLUMN mart.article.article_uid IS 'Public identity: the same in every rebuild of the warehouse.';
COMMENT ON COLUMN mart.article.outlet IS 'Slug of the outlet (mart.outlet).';
COMMENT ON COLUMN mart.article.url IS 'A working address without trackers; its normalised form is the article''s identity.';
COMMENT ON COLUMN mart.article.canonical_url IS 'rel=canonical where it counts: within the outlet''s own domains and not its homepage.';
COMMENT ON COLUMN mart.article.headline IS 'Headline, without the outlet''s name.';
COMMENT ON COLUMN mart.article.description IS 'Summary that the page gives of itself.';
COMMENT ON COLUMN mart.article.authors IS 'Authors as the page names them.';
COMMENT ON COLUMN mart.article.date_published IS 'When it was published; midnight UTC where only the day is known (see precision); null where nothing credible says so.';
COMMENT ON COLUMN mart.article.date_published_day IS 'Calendar day of publication as the outlet prints it.';
COMMENT ON COLUMN mart.article.date_published_raw IS 'The date as the source writes it.';
COMMENT ON COLUMN mart.article.date_published_source IS 'json_ld, meta, time_element or text (the page); feed, news_sitemap or url (the listing, where the page has none).';
COMMENT ON COLUMN mart.article.date_published_precision IS 'day, minute or second.';
COMMENT ON COLUMN mart.article.date_published_offset IS 'Offset from UTC as written, in minutes; null where none is written.';
COMMENT ON COLUMN mart.article.date_published_flag IS 'Why the page''s own date was not believed: future, too_early, unparsable.';
COMMENT ON COLUMN mart.article.date_modified IS 'Last change as the page claims.';
COMMENT ON COLUMN mart.article.in_language IS 'Language, BCP 47.';
COMMENT ON COLUMN mart.article.article_section IS 'Section of the outlet.';
COMMENT ON COLUMN mart.article.keywords IS 'Keywords as the page gives them.';
COMMENT ON COLUMN mart.article.article_body IS 'Main text; each paragraph a line. Readers'' comments are never part of it.';
COMMENT ON COLUMN mart.article.word_count IS 'Words of the main text.';
COMMENT ON COLUMN mart.article.char_count IS 'Characters of the main text.';
COMMENT ON COLUMN mart.article.main_image IS 'URL of the main picture.';
COMMENT ON COLUMN mart.article.is_accessible_for_free IS 'false where the page declares a paywall; null where it says nothing.';
COMMENT ON COLUMN mart.article.copy_cluster IS 'Its story cluster: the smallest article_uid of all articles that are connected by copies; its own where it has none.';
COMMENT ON COLUMN mart.article.first_seen_at IS 'First capture.';
COMMENT ON COLUMN mart.article.last_seen_at IS 'Last capture that found the page.';
COMMENT ON COLUMN mart.article.gone_at IS 'When the page was first found missing, once a second look confirmed it; null while it stands.';
COMMENT ON COLUMN mart.article.revision_count IS 'Versions seen, the first included: 1 for an article that never changed.';
COMMENT ON COLUMN mart.article.discovered_via IS 'Methods whose endpoints listed it.';
COMMENT ON COLUMN mart.article.captured_by IS 'Who captured the latest capture.';
COMMENT ON COLUMN mart.article.observed_at IS 'Time of the latest capture.';
COMMENT ON COLUMN mart.article.recorded_at IS 'When that capture was loaded.';
COMMENT ON COLUMN mart.article.http_status IS 'HTTP status of that capture.';
COMMENT ON COLUMN mart.article.archive_file IS 'WARC file of that capture, relative to the archive''s root; null where no copy may be kept.';
COMMENT ON COLUMN mart.article.archive_offset IS 'Byte of the WARC record in the file.';
COMMENT ON COLUMN mart.article.archive_length IS 'Compressed length of the record.';
COMMENT ON COLUMN mart.article.extractor IS 'Program and versions that made the fields.';
COMMENT ON COLUMN mart.article.text_hash IS 'sha256 of the main text, hexadecimal.';
COMMENT ON COLUMN mart.article.changed_at IS 'Last load that changed this row.';
COMMENT ON COLUMN mart.article.load_seq IS 'Load that first brought it.';
COMMENT ON COLUMN mart.article.capture_id IS 'The latest capture.';
COMMENT ON COLUMN mart.article.crawl_id IS 'The crawl of that capture.';
COMMENT ON COLUMN mart.article.rights IS 'Rights signals met with that capture.';

CREATE VIEW mart.article_revision AS
SELECT
    r.article_uid, a.outlet, a.url, r.ordinal, r.changed_parts, r.cause,
    r.unchanged_until, r.seen_changed_at,
    x.headline, x.description, x.authors, t.article_body,
    r.capture_id, r.load_seq
FROM core.revision r
JOIN core.article a ON a.article_uid = r.article_uid
JOIN core.capture v ON v.capture_id = r.capture_id
JOIN core.extraction x ON x.payload_hash = v.payload_hash AND x.extractor_id = r.extractor_id
LEFT JOIN core.text t ON t.text_hash = x.text_hash
WHERE r.superseded_seq IS NULL AND a.merged_into IS NULL AND a.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_revision IS 'Every version of every article, in order.';
COMMENT ON COLUMN mart.article_revision.article_uid IS 'The article.';
COMMENT ON COLUMN mart.article_revision.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.article_revision.url IS 'Its URL.';
COMMENT ON COLUMN mart.article_revision.ordinal IS '1 for the first version seen.';
COMMENT ON COLUMN mart.article_revision.changed_parts IS 'Which of headline, description, authors, body differ from the version before.';
COMMENT ON COLUMN mart.article_revision.cause IS 'first, publisher, or unknown (the earlier page is not archived and the extractor changed in between).';
COMMENT ON COLUMN mart.article_revision.unchanged_until IS 'The change came after this time.';
COMMENT ON COLUMN mart.article_revision.seen_changed_at IS 'The change came before this time.';
COMMENT ON COLUMN mart.article_revision.headline IS 'Headline of this version.';
COMMENT ON COLUMN mart.article_revision.description IS 'Description of this version.';
COMMENT ON COLUMN mart.article_revision.authors IS 'Authors of this version.';
COMMENT ON COLUMN mart.article_revision.article_body IS 'Text of this version.';
COMMENT ON COLUMN mart.article_revision.capture_id IS 'First capture that saw it.';
COMMENT ON COLUMN mart.article_revision.load_seq IS 'Load that derived it.';

CREATE VIEW mart.article_url AS
SELECT DISTINCT ON (COALESCE(a.merged_into, a.article_uid), u.kind, u.url_key)
       COALESCE(a.merged_into, a.article_uid) AS article_uid, a.outlet, u.kind, u.url, u.first_seen_at
FROM core.article_url u
JOIN core.article a ON a.article_uid = u.article_uid
WHERE a.hidden_seq IS NULL
ORDER BY COALESCE(a.merged_into, a.article_uid), u.kind, u.url_key, u.first_seen_at;

COMMENT ON VIEW mart.article_url IS 'Every address under which an article was met.';
COMMENT ON COLUMN mart.article_url.article_uid IS 'The article.';
COMMENT ON COLUMN mart.article_url.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.article_url.kind IS 'requested, final, canonical, amp or mobile.';
COMMENT ON COLUMN mart.article_url.url IS 'The address, unchanged.';
COMMENT ON COLUMN mart.article_url.first_seen_at IS 'When it was first met.';

CREATE VIEW mart.comment AS
SELECT c.comment_uid, c.article_uid, a.outlet, a.url, c.position, c.author, c.posted_raw, c.edited_raw,
       c.comment_body, c.first_seen_at
FROM core.comment c
JOIN core.article a ON a.article_uid = c.article_uid
WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL;

COMMENT ON VIEW mart.comment IS 'Readers'' comments, for the role pressmark_comments alone.';
COMMENT ON COLUMN mart.comment.comment_uid IS 'Identity of the comment.';
COMMENT ON COLUMN mart.comment.article_uid IS 'The article commented on.';
COMMENT ON COLUMN mart.comment.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.comment.url IS 'Its URL.';
COMMENT ON COLUMN mart.comment.position IS 'Place on the page, from 1.';
COMMENT ON COLUMN mart.comment.author IS 'Name that the commenter gave, where kept.';
COMMENT ON COLUMN mart.comment.posted_raw IS 'When, as the page writes it.';
COMMENT ON COLUMN mart.comment.edited_raw IS 'Note of a later edit, as the page writes it.';
COMMENT ON COLUMN mart.comment.comment_body IS 'The comment.';
COMMENT ON COLUMN mart.comment.first_seen_at IS 'When it was first captured.';
