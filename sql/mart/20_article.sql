CREATE VIEW mart.article AS
SELECT
    article.article_uid,
    article.outlet,
    article.url,
    extraction.canonical_url,
    extraction.headline,
    extraction.description,
    extraction.standfirst,
    extraction.authors,
    extraction.author_organisations,
    article.date_published,
    article.date_published_day,
    CASE WHEN listed.preferred
         THEN listed.listed_published_raw ELSE extraction.date_published_raw END AS date_published_raw,
    CASE WHEN listed.preferred
         THEN listed.listed_published_source ELSE extraction.date_published_source END AS date_published_source,
    CASE WHEN listed.preferred
         THEN listed.listed_published_precision
         ELSE extraction.date_published_precision END AS date_published_precision,
    CASE WHEN listed.preferred
         THEN listed.listed_published_offset ELSE extraction.date_published_offset END AS date_published_offset,
    extraction.date_published_flag,
    COALESCE(listed.conflict, false) AS date_published_conflict,
    extraction.date_modified,
    article.in_language,
    extraction.article_section,
    extraction.keywords,
    text.article_body,
    article.word_count,
    text.char_count,
    extraction.extraction_confidence,
    extraction.confidence_basis,
    extraction.is_live_blog,
    extraction.main_image,
    extraction.is_accessible_for_free,
    COALESCE(article.copy_cluster, article.article_uid) AS copy_cluster,
    article.first_seen_at,
    article.last_seen_at,
    article.gone_at,
    article.revision_count,
    ARRAY(
        SELECT DISTINCT endpoint.method
        FROM ops.frontier
        JOIN core.url_listing listing ON listing.url_uid = frontier.url_uid
        JOIN ops.endpoint ON endpoint.endpoint_id = listing.endpoint_id
        WHERE frontier.article_uid = article.article_uid
        ORDER BY endpoint.method
    ) AS discovered_via,
    capture.captured_by,
    capture.observed_at,
    capture.recorded_at,
    capture.http_status,
    segment.file AS archive_file,
    segment.base_offset + capture.archive_offset AS archive_offset,
    CASE WHEN segment.file IS NOT NULL THEN capture.archive_length END AS archive_length,
    extractor.name || ' ' || extractor.version AS extractor,
    encode(extraction.text_hash, 'hex') AS text_hash,
    article.changed_at,
    article.load_seq,
    capture.capture_id,
    capture.crawl_id,
    capture.rights
FROM core.article
JOIN core.capture ON capture.capture_id = article.capture_id
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
    AND extraction.extractor_id = article.extractor_id
JOIN core.extractor ON extractor.extractor_id = article.extractor_id
LEFT JOIN core.text ON text.text_hash = extraction.text_hash
LEFT JOIN core.archive_segment segment ON segment.segment_id = capture.segment_id AND segment.expired_at IS NULL
-- A revisit has no listing, so the listed date comes from the first capture that has one.
LEFT JOIN LATERAL (
    SELECT listed_capture.listed_published, listed_capture.listed_published_raw, listed_capture.listed_published_source,
           listed_capture.listed_published_precision, listed_capture.listed_published_offset,
           core.prefers_listed(
               extraction.date_published, extraction.date_published_source, extraction.date_published_precision,
               listed_capture.listed_published, listed_capture.listed_published_source,
               listed_capture.listed_published_precision) AS preferred,
           core.dates_conflict(
               extraction.date_published, extraction.date_published_precision, listed_capture.listed_published,
               listed_capture.listed_published_precision) AS conflict
    FROM core.capture listed_capture
    WHERE listed_capture.article_uid = article.article_uid
      AND listed_capture.listed_published IS NOT NULL
    ORDER BY listed_capture.observed_at, listed_capture.capture_id
    LIMIT 1
) listed ON true
WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.article IS 'One row per article as last captured, with its full text and the provenance of every field.';
COMMENT ON COLUMN mart.article.article_uid IS 'Public identifier of the article. It is the same in every rebuild of the warehouse.';
COMMENT ON COLUMN mart.article.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article.url IS 'Working URL without tracking parameters. Its normalised form identifies the article.';
COMMENT ON COLUMN mart.article.canonical_url IS 'rel=canonical URL, if it is on the outlet''s own domains and is not the homepage.';
COMMENT ON COLUMN mart.article.headline IS 'Headline, without the outlet''s name.';
COMMENT ON COLUMN mart.article.description IS 'Summary that the page gives of itself.';
COMMENT ON COLUMN mart.article.standfirst IS 'Sentences between the headline and the text that sum up the article; not part of article_body, unless the outlet prints them as its first paragraph.';
COMMENT ON COLUMN mart.article.authors IS 'Persons that the byline names. If it names none, its organisations.';
COMMENT ON COLUMN mart.article.author_organisations IS 'Agencies, newsrooms and other organisations that the byline names.';
COMMENT ON COLUMN mart.article.date_published IS 'Publication date. Midnight UTC if only the day is known (see date_published_precision); null if there is no credible date.';
COMMENT ON COLUMN mart.article.date_published_day IS 'Calendar day of publication as printed by the outlet.';
COMMENT ON COLUMN mart.article.date_published_raw IS 'Publication date as written in the source.';
COMMENT ON COLUMN mart.article.date_published_source IS 'From the page: json_ld, meta, time_element or text. From the listing: feed, news_sitemap, wordpress, archive or url. The listing''s date is used if the page has none, or if the two conflict and the listing''s source is the better one: json_ld and meta, then feed, news_sitemap and wordpress, then time_element, text, archive, url.';
COMMENT ON COLUMN mart.article.date_published_precision IS 'day, minute or second.';
COMMENT ON COLUMN mart.article.date_published_offset IS 'UTC offset in minutes, as written; null if none is written.';
COMMENT ON COLUMN mart.article.date_published_flag IS 'future, too_early, ambiguous or unparsable: why the page''s own date was not used. zone_assumed: the page gives no UTC offset or an ambiguous zone, so the outlet''s time zone was used.';
COMMENT ON COLUMN mart.article.date_published_conflict IS 'Whether the dates of the page and of its listing disagree by more than a day.';
COMMENT ON COLUMN mart.article.date_modified IS 'Modification date that the page claims.';
COMMENT ON COLUMN mart.article.in_language IS 'Language, BCP 47.';
COMMENT ON COLUMN mart.article.article_section IS 'Section of the outlet.';
COMMENT ON COLUMN mart.article.keywords IS 'Keywords as given by the page.';
COMMENT ON COLUMN mart.article.article_body IS 'Main text, one line per paragraph. It never includes reader comments.';
COMMENT ON COLUMN mart.article.word_count IS 'Number of words in the main text.';
COMMENT ON COLUMN mart.article.char_count IS 'Number of characters in the main text.';
COMMENT ON COLUMN mart.article.extraction_confidence IS 'Probability from 0 to 1 that article_body is right: its F1 compared with what a reader would copy is above .9. Null if the text comes from a script.';
COMMENT ON COLUMN mart.article.confidence_basis IS 'Evidence that the confidence rests on, each from 0 to 1: agreement with a second extractor, line_certainty (mean probability of the lines), kept (share of the candidate text), linked (share of links), titles (title words in the text), one_path (share in elements of the same kind).';
COMMENT ON COLUMN mart.article.is_live_blog IS 'Whether the text is a series of posts with times (mart.live_post).';
COMMENT ON COLUMN mart.article.main_image IS 'URL of the main image.';
COMMENT ON COLUMN mart.article.is_accessible_for_free IS 'false if the page declares a paywall; null if it declares nothing.';
COMMENT ON COLUMN mart.article.copy_cluster IS 'Copy cluster of the article: the smallest article_uid of all articles connected by copies. An article without copies has its own article_uid here.';
COMMENT ON COLUMN mart.article.first_seen_at IS 'First capture of the article.';
COMMENT ON COLUMN mart.article.last_seen_at IS 'When the page was last captured or confirmed unchanged.';
COMMENT ON COLUMN mart.article.gone_at IS 'When the page was first found missing, set once a recheck confirms it; null while the page is online.';
COMMENT ON COLUMN mart.article.revision_count IS 'Number of revisions seen, including the first; 1 for an article that never changed.';
COMMENT ON COLUMN mart.article.discovered_via IS 'Methods of the endpoints that listed the article.';
COMMENT ON COLUMN mart.article.captured_by IS 'Source of the latest capture: pressmark, wayback or cc-news.';
COMMENT ON COLUMN mart.article.observed_at IS 'When the latest capture was fetched.';
COMMENT ON COLUMN mart.article.recorded_at IS 'When the latest capture was loaded.';
COMMENT ON COLUMN mart.article.http_status IS 'HTTP status code of the latest capture.';
COMMENT ON COLUMN mart.article.archive_file IS 'WARC file of the latest capture, relative to the archive''s root; null if no archived copy exists.';
COMMENT ON COLUMN mart.article.archive_offset IS 'Byte offset of the WARC record in the file.';
COMMENT ON COLUMN mart.article.archive_length IS 'Compressed length of the WARC record in bytes.';
COMMENT ON COLUMN mart.article.extractor IS 'Name and versions of the extractor that produced the fields.';
COMMENT ON COLUMN mart.article.text_hash IS 'sha256 of the main text, in hexadecimal.';
COMMENT ON COLUMN mart.article.changed_at IS 'Time of the last load that changed the article.';
COMMENT ON COLUMN mart.article.load_seq IS 'load_seq of the load that added the article.';
COMMENT ON COLUMN mart.article.capture_id IS 'Latest capture.';
COMMENT ON COLUMN mart.article.crawl_id IS 'Crawl of the latest capture (mart.crawl).';
COMMENT ON COLUMN mart.article.rights IS 'Rights signals found with the latest capture.';

CREATE VIEW mart.article_revision AS
SELECT
    revision.article_uid, article.outlet, article.url, revision.ordinal, revision.changed_parts, revision.cause,
    revision.unchanged_until, revision.seen_changed_at,
    extraction.headline, extraction.description, extraction.authors, text.article_body,
    revision.capture_id, revision.load_seq
FROM core.revision
JOIN core.article ON article.article_uid = revision.article_uid
JOIN core.capture ON capture.capture_id = revision.capture_id
JOIN core.extraction ON extraction.payload_hash = capture.payload_hash
    AND extraction.extractor_id = revision.extractor_id
LEFT JOIN core.text ON text.text_hash = extraction.text_hash
WHERE revision.superseded_seq IS NULL AND article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_revision IS 'One row per revision of an article, in order.';
COMMENT ON COLUMN mart.article_revision.article_uid IS 'Article that was revised (mart.article).';
COMMENT ON COLUMN mart.article_revision.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article_revision.url IS 'URL of the article.';
COMMENT ON COLUMN mart.article_revision.ordinal IS 'Number of the revision; 1 is the first one seen.';
COMMENT ON COLUMN mart.article_revision.changed_parts IS 'Which of headline, description, authors and body differ from the previous revision; empty for the first.';
COMMENT ON COLUMN mart.article_revision.cause IS 'first, publisher or unknown. unknown means that the earlier page is not archived and the extractor changed in between.';
COMMENT ON COLUMN mart.article_revision.unchanged_until IS 'The change happened after this time.';
COMMENT ON COLUMN mart.article_revision.seen_changed_at IS 'The change happened before this time.';
COMMENT ON COLUMN mart.article_revision.headline IS 'Headline of the revision.';
COMMENT ON COLUMN mart.article_revision.description IS 'Description of the revision.';
COMMENT ON COLUMN mart.article_revision.authors IS 'Authors of the revision.';
COMMENT ON COLUMN mart.article_revision.article_body IS 'Text of the revision.';
COMMENT ON COLUMN mart.article_revision.capture_id IS 'First capture of the revision.';
COMMENT ON COLUMN mart.article_revision.load_seq IS 'load_seq of the load that derived the revision.';

CREATE VIEW mart.article_line AS
SELECT article.article_uid, article.outlet, part.position::integer, kind.name AS kind,
       CASE WHEN part.letter BETWEEN '1' AND '6' THEN part.letter::integer END AS heading_level,
       CASE WHEN part.letter = 'l' THEN regexp_replace(part.line, '^- ', '') ELSE part.line END AS line
FROM core.article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
    AND extraction.extractor_id = article.extractor_id
JOIN core.text ON text.text_hash = extraction.text_hash
CROSS JOIN LATERAL ROWS FROM (
    unnest(string_to_array(text.article_body, E'\n')), unnest(string_to_array(extraction.line_kinds, NULL))
) WITH ORDINALITY AS part (line, letter, position)
LEFT JOIN (VALUES ('p', 'paragraph'), ('l', 'list_item'), ('q', 'quote'), ('t', 'table_row'),
                  ('1', 'heading'), ('2', 'heading'), ('3', 'heading'), ('4', 'heading'), ('5', 'heading'),
                  ('6', 'heading')) AS kind (letter, name) ON kind.letter = part.letter
WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_line IS 'One row per line of the main text of an article as last captured, with its kind.';
COMMENT ON COLUMN mart.article_line.article_uid IS 'Article (mart.article).';
COMMENT ON COLUMN mart.article_line.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article_line.position IS 'Position in the text, starting at 1.';
COMMENT ON COLUMN mart.article_line.kind IS 'paragraph, heading, list_item, quote or table_row; null if the text was extracted before there were kinds.';
COMMENT ON COLUMN mart.article_line.heading_level IS 'Level of a heading, 1 to 6.';
COMMENT ON COLUMN mart.article_line.line IS 'The line; a list item without its dash.';

CREATE FUNCTION mart.article_markdown(wanted uuid) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH rendered AS (
        SELECT line.position, line.kind,
               CASE line.kind
                   WHEN 'heading' THEN repeat('#', greatest(2, line.heading_level)) || ' ' || escaped.line
                   WHEN 'list_item' THEN '- ' || escaped.line
                   WHEN 'quote' THEN '> ' || escaped.line
                   WHEN 'table_row' THEN line.line
                   ELSE regexp_replace(regexp_replace(escaped.line, '^(#|\+|-)', '\\\1'), '^(\d+)([.)])', '\1\\\2')
               END AS line,
               lag(line.kind) OVER (ORDER BY line.position) AS previous
        FROM mart.article_line line
        CROSS JOIN LATERAL (SELECT regexp_replace(line.line, '([\\`*_<>\[\]])', '\\\1', 'g') AS line) escaped
        WHERE line.article_uid = wanted
    )
    SELECT COALESCE('# ' || (SELECT regexp_replace(headline, '([\\`*_<>\[\]])', '\\\1', 'g')
                             FROM mart.article WHERE article_uid = wanted) || E'\n\n', '')
        || string_agg(CASE WHEN rendered.previous IS NULL THEN ''
                           WHEN rendered.previous = rendered.kind AND rendered.kind IN ('list_item', 'table_row') THEN E'\n'
                           ELSE E'\n\n' END || rendered.line, '' ORDER BY rendered.position) || E'\n'
    FROM rendered
$$;
COMMENT ON FUNCTION mart.article_markdown(uuid) IS 'Return the headline and the text of an article as Markdown, with its headings, lists, quotes and tables.';

CREATE VIEW mart.article_image AS
SELECT article.article_uid, article.outlet, image.position::integer, image.value ->> 'url' AS url,
       image.value ->> 'caption' AS caption, image.value ->> 'credit' AS credit, image.value ->> 'alt' AS alt,
       image.value ->> 'source' AS source
FROM core.article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
    AND extraction.extractor_id = article.extractor_id
CROSS JOIN LATERAL jsonb_array_elements(extraction.images) WITH ORDINALITY AS image (value, position)
WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_image IS 'Images of each article as last captured. Only their addresses are kept, not the pictures.';
COMMENT ON COLUMN mart.article_image.article_uid IS 'Article (mart.article).';
COMMENT ON COLUMN mart.article_image.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article_image.position IS 'Position on the page, starting at 1; the main image comes first.';
COMMENT ON COLUMN mart.article_image.url IS 'URL of the image.';
COMMENT ON COLUMN mart.article_image.caption IS 'Caption, without the credit.';
COMMENT ON COLUMN mart.article_image.credit IS 'Photographer, agency or other source, as named by the page.';
COMMENT ON COLUMN mart.article_image.alt IS 'Alternative text.';
COMMENT ON COLUMN mart.article_image.source IS 'Where the image was found first: og, json_ld or figure.';

CREATE VIEW mart.live_post AS
SELECT article.article_uid, article.outlet, post.position::integer, (post.value ->> 'posted_at')::timestamptz AS posted_at,
       post.value ->> 'posted_raw' AS posted_raw,
       array_to_string((string_to_array(text.article_body, E'\n'))[
           (post.value ->> 'line')::integer + 1 :
           COALESCE((extraction.live_posts -> post.position::integer ->> 'line')::integer, 2147483647)], E'\n') AS post_body
FROM core.article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
    AND extraction.extractor_id = article.extractor_id
JOIN core.text ON text.text_hash = extraction.text_hash
CROSS JOIN LATERAL jsonb_array_elements(extraction.live_posts) WITH ORDINALITY AS post (value, position)
WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.live_post IS 'Posts of live blogs as last captured, in the order of the page. The lines above the first post are only in article_body.';
COMMENT ON COLUMN mart.live_post.article_uid IS 'Live blog (mart.article).';
COMMENT ON COLUMN mart.live_post.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.live_post.position IS 'Position on the page, starting at 1.';
COMMENT ON COLUMN mart.live_post.posted_at IS 'Time of the post; null if the page gives none.';
COMMENT ON COLUMN mart.live_post.posted_raw IS 'Time of the post as written in the page.';
COMMENT ON COLUMN mart.live_post.post_body IS 'Text of the post, one line per paragraph.';

CREATE VIEW mart.article_url AS
SELECT DISTINCT ON (article.article_uid, variant.kind, variant.url_key)
       article.article_uid, article.outlet, variant.kind, variant.url, variant.first_seen_at, variant.url_uid
FROM core.article
-- Its own URLs, and those of articles that were merged into it. Written so that a filter on one article needs no scan.
CROSS JOIN LATERAL (
    SELECT article.article_uid
    UNION ALL
    SELECT merged.article_uid FROM core.article merged
    WHERE merged.merged_into = article.article_uid AND merged.hidden_seq IS NULL
) member
JOIN core.article_url variant ON variant.article_uid = member.article_uid
WHERE article.hidden_seq IS NULL AND article.merged_into IS NULL
ORDER BY article.article_uid, variant.kind, variant.url_key, variant.first_seen_at;

COMMENT ON VIEW mart.article_url IS 'Every URL under which an article was found.';
COMMENT ON COLUMN mart.article_url.article_uid IS 'Article that the URL leads to (mart.article).';
COMMENT ON COLUMN mart.article_url.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article_url.kind IS 'requested, final, canonical, amp or mobile.';
COMMENT ON COLUMN mart.article_url.url IS 'The URL, unchanged.';
COMMENT ON COLUMN mart.article_url.first_seen_at IS 'When the URL was first found.';
COMMENT ON COLUMN mart.article_url.url_uid IS 'Identity of the URL, as in mart.url_decision.';

CREATE VIEW mart.article_redirect AS
SELECT former.article_uid AS former_uid, target.article_uid, target.outlet, 'merged' AS reason
FROM core.article former
JOIN core.article target ON target.article_uid = former.merged_into
WHERE target.hidden_seq IS NULL
UNION ALL
(SELECT DISTINCT ON (article.loose_uid)
        article.loose_uid, COALESCE(article.merged_into, article.article_uid), article.outlet, 'url_rule'
 FROM core.article
 WHERE article.hidden_seq IS NULL AND article.loose_uid <> article.article_uid
   AND NOT EXISTS (SELECT 1 FROM core.article plain WHERE plain.article_uid = article.loose_uid)
 ORDER BY article.loose_uid, article.first_seen_at, article.article_uid);

COMMENT ON VIEW mart.article_redirect IS 'Former ids of articles and the articles that they lead to now.';
COMMENT ON COLUMN mart.article_redirect.former_uid IS 'Id that is no row of mart.article.';
COMMENT ON COLUMN mart.article_redirect.article_uid IS 'Article to use instead (mart.article).';
COMMENT ON COLUMN mart.article_redirect.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.article_redirect.reason IS 'merged: the page proved to be the same article. url_rule: the id was given under an earlier version of the URL rules. If several articles had that id, it leads to the oldest of them.';

CREATE VIEW mart.comment AS
SELECT comment.comment_uid, comment.article_uid, article.outlet, article.url, comment.position, comment.author,
       comment.posted_raw, comment.edited_raw, comment.comment_body, comment.first_seen_at
FROM core.comment
JOIN core.article ON article.article_uid = comment.article_uid
WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL;

COMMENT ON VIEW mart.comment IS 'Reader comments. Only the role pressmark_comments can read them.';
COMMENT ON COLUMN mart.comment.comment_uid IS 'Identifier of the comment.';
COMMENT ON COLUMN mart.comment.article_uid IS 'Article that the comment belongs to (mart.article).';
COMMENT ON COLUMN mart.comment.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.comment.url IS 'URL of the article.';
COMMENT ON COLUMN mart.comment.position IS 'Position on the page, starting at 1.';
COMMENT ON COLUMN mart.comment.author IS 'Name that the commenter gave; null if it is not kept.';
COMMENT ON COLUMN mart.comment.posted_raw IS 'When the comment was posted, as written in the page.';
COMMENT ON COLUMN mart.comment.edited_raw IS 'Note about a later edit, as written in the page.';
COMMENT ON COLUMN mart.comment.comment_body IS 'Text of the comment.';
COMMENT ON COLUMN mart.comment.first_seen_at IS 'When the comment was first captured.';
