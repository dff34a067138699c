-- LOAD: move the staged rows of one segment into core, in one transaction. %(segment_id)s and %(captures)s (capture
-- ids) select the rows. %(load_seq)s is taken once per transaction. Every statement is safe to repeat.

-- name: room_to_work
-- Raise work_mem, so that the entries of one load are added to the search index in one batch.
SELECT set_config('work_mem', '32MB', true);

-- name: flush_search_index
-- Flush the pending list of the search index.
SELECT core.flush_search_index();

-- name: claim
-- Lock the segment if it is not loaded.
SELECT segment.outlet, segment.crawl_id FROM ops.segment
WHERE segment.segment_id = %(segment_id)s AND segment.state <> 'loaded'
FOR UPDATE;

-- name: next_load_seq
-- Return the next load_seq.
SELECT nextval('ops.load_seq');

-- name: staged_captures
-- List the staged captures of the segment.
SELECT capture_id FROM staging.capture WHERE segment_id = %(segment_id)s ORDER BY capture_id;

-- name: add_texts
-- Add the article texts.
INSERT INTO core.text (text_hash, article_body, word_count, char_count, load_seq)
SELECT DISTINCT ON (staged.text_hash) staged.text_hash, staged.article_body, staged.word_count, staged.char_count,
       %(load_seq)s
FROM staging.capture staged
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = ANY (%(captures)s::uuid[])
  AND staged.text_hash IS NOT NULL
ORDER BY staged.text_hash
ON CONFLICT (text_hash) DO NOTHING;

-- name: add_fingerprints
-- Add the MinHash signatures of the texts.
INSERT INTO core.fingerprint (text_hash, sig_version, body_sig, lead_sig, load_seq)
SELECT DISTINCT ON (staged.text_hash, staged.sig_version) staged.text_hash, staged.sig_version, staged.body_sig,
       staged.lead_sig, %(load_seq)s
FROM staging.capture staged
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = ANY (%(captures)s::uuid[])
  AND staged.sig_version IS NOT NULL
ORDER BY staged.text_hash, staged.sig_version
ON CONFLICT (text_hash, sig_version) DO NOTHING;

-- name: add_extractions
-- Add the extractions. The earliest staged capture of a payload wins.
INSERT INTO core.extraction (payload_hash, extractor_id, headline, description, authors, author_organisations,
                             date_published,
                             date_published_raw, date_published_source, date_published_precision,
                             date_published_offset, date_published_flag, date_modified, date_modified_raw,
                             date_modified_source, in_language, in_language_source, article_section, keywords,
                             main_image, is_accessible_for_free, canonical_url, encoding, encoding_source, text_hash,
                             headline_hash, description_hash, authors_hash, body_hash, load_seq, links,
                             standfirst, line_kinds, images, is_live_blog, live_posts, extraction_confidence,
                             confidence_basis)
SELECT DISTINCT ON (v.payload_hash, v.extractor_id)
       v.payload_hash, v.extractor_id, v.headline, v.description, v.authors, v.author_organisations,
       v.date_published, v.date_published_raw,
       v.date_published_source, v.date_published_precision, v.date_published_offset, v.date_published_flag,
       v.date_modified, v.date_modified_raw, v.date_modified_source, v.in_language, v.in_language_source,
       v.article_section, v.keywords, v.main_image, v.is_accessible_for_free, v.canonical_url, v.encoding,
       v.encoding_source, v.text_hash, v.headline_hash, v.description_hash, v.authors_hash, v.body_hash, %(load_seq)s,
       v.links, v.standfirst, v.line_kinds, v.images, v.is_live_blog, v.live_posts, v.extraction_confidence,
       v.confidence_basis
FROM staging.capture v
WHERE v.segment_id = %(segment_id)s AND v.capture_id = ANY (%(captures)s::uuid[])
ORDER BY v.payload_hash, v.extractor_id, v.observed_at, v.capture_id
ON CONFLICT (payload_hash, extractor_id) DO NOTHING;

-- name: add_articles
-- Add the articles with the state of one capture, so that few rows change when derived columns are computed afterwards.
-- The preferred URL of an article does not depend on the order of loads: https first, then the shortest.
INSERT INTO core.article AS a (article_uid, loose_uid, outlet, url, url_rule, first_seen_at, last_seen_at, capture_id,
                               payload_hash, extractor_id, revision_count, load_seq, changed_seq, changed_at,
                               date_published, date_published_day, in_language, word_count)
SELECT DISTINCT ON (v.article_uid)
       v.article_uid, COALESCE(v.loose_uid, v.article_uid), v.outlet, v.url, v.url_rule, v.observed_at, v.observed_at,
       v.capture_id, v.payload_hash, v.extractor_id, 1, %(load_seq)s, %(load_seq)s, now(),
       published.date_published,
       (published.date_published AT TIME ZONE 'UTC' + make_interval(mins => COALESCE(published.minutes, 0)))::date,
       v.in_language, v.word_count
FROM staging.capture v
CROSS JOIN LATERAL core.prefers_listed(
    v.date_published, v.date_published_source, v.date_published_precision,
    v.listed_published, v.listed_published_source, v.listed_published_precision) AS preferred
CROSS JOIN LATERAL (SELECT
    CASE WHEN preferred THEN v.listed_published ELSE v.date_published END AS date_published,
    CASE WHEN preferred THEN v.listed_published_offset ELSE v.date_published_offset END AS minutes) published
WHERE v.segment_id = %(segment_id)s AND v.capture_id = ANY (%(captures)s::uuid[])
ORDER BY v.article_uid, v.url NOT LIKE 'https:%%', length(v.url), v.url
ON CONFLICT (article_uid) DO UPDATE SET url = excluded.url
WHERE (excluded.url NOT LIKE 'https:%%', length(excluded.url), excluded.url)
    < (a.url NOT LIKE 'https:%%', length(a.url), a.url);

-- name: add_variants
-- Add the URLs that lead to the articles. first_seen_at is the earliest sighting, whatever the order of loads.
INSERT INTO core.article_url AS u (article_uid, kind, url_key, url_uid, url, first_seen_at, load_seq)
SELECT DISTINCT ON (staged.article_uid, variant.kind, variant.url_key)
       staged.article_uid, variant.kind, variant.url_key, variant.url_uid, variant.url, staged.observed_at, %(load_seq)s
FROM staging.capture staged,
     jsonb_to_recordset(staged.urls) AS variant (kind text, url text, url_key uuid, url_uid uuid)
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = ANY (%(captures)s::uuid[])
ORDER BY staged.article_uid, variant.kind, variant.url_key, staged.observed_at
ON CONFLICT (article_uid, kind, url_key) DO UPDATE SET first_seen_at = excluded.first_seen_at
WHERE excluded.first_seen_at < u.first_seen_at;

-- name: add_captures
-- Add the captures.
INSERT INTO core.capture (capture_id, article_uid, url_uid, observed_at, captured_by, crawl_id, payload_hash,
                          extractor_id, segment_id, archive_offset, archive_length, requested_url, final_url,
                          http_status, content_type, etag, last_modified, discovered_via, endpoint_id, listed_headline,
                          listed_published, listed_published_raw, listed_published_source, listed_published_precision,
                          listed_published_offset, rights, load_seq)
SELECT v.capture_id, v.article_uid, v.url_uid, v.observed_at, v.captured_by, v.crawl_id, v.payload_hash, v.extractor_id,
       v.archive_segment_id, v.archive_offset, v.archive_length, v.requested_url, v.final_url, v.http_status,
       v.content_type, v.etag, v.last_modified, v.discovered_via, v.endpoint_id, v.listed_headline, v.listed_published,
       v.listed_published_raw, v.listed_published_source, v.listed_published_precision,
       v.listed_published_offset, v.rights, %(load_seq)s
FROM staging.capture v
WHERE v.segment_id = %(segment_id)s AND v.capture_id = ANY (%(captures)s::uuid[])
ORDER BY v.capture_id
ON CONFLICT (capture_id) DO NOTHING;

-- name: add_comments
-- Add the reader comments. A comment keeps its first captured text, whatever the order of loads.
INSERT INTO core.comment AS c (comment_uid, article_uid, position, author, posted_raw, edited_raw, comment_body,
                               first_seen_at, load_seq)
SELECT DISTINCT ON (comment.comment_uid)
       comment.comment_uid, staged.article_uid, comment.position, comment.author, comment.posted_raw,
       comment.edited_raw, comment.comment_body, staged.observed_at, %(load_seq)s
FROM staging.capture staged,
     jsonb_to_recordset(staged.comments) AS comment (comment_uid uuid, position integer, author text, posted_raw text,
                                                             edited_raw text, comment_body text)
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = ANY (%(captures)s::uuid[])
ORDER BY comment.comment_uid, staged.observed_at
ON CONFLICT (comment_uid) DO UPDATE SET
    position = excluded.position, posted_raw = excluded.posted_raw, edited_raw = excluded.edited_raw,
    first_seen_at = excluded.first_seen_at
WHERE excluded.first_seen_at < c.first_seen_at;

-- name: add_events
-- Add the article events of the segment.
INSERT INTO core.article_event (article_uid, kind, observed_at, crawl_id, detail, load_seq)
SELECT staged.article_uid, staged.kind, staged.observed_at, staged.crawl_id, staged.detail, %(load_seq)s
FROM staging.event staged
WHERE staged.segment_id = %(segment_id)s
ORDER BY staged.article_uid, staged.kind, staged.observed_at
ON CONFLICT (article_uid, kind, observed_at) DO NOTHING;

-- name: touched
-- List the articles whose derived rows this segment may change.
SELECT staged.article_uid FROM staging.capture staged
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = ANY (%(captures)s::uuid[])
UNION
SELECT event.article_uid FROM staging.event JOIN core.article ON article.article_uid = event.article_uid
WHERE event.segment_id = %(segment_id)s;

-- name: to_compare
-- List the payloads to extract again: pages before a change that the extractor of the page after it has not extracted.
WITH steps AS (
    SELECT v.article_uid, COALESCE(p.extractor_id, v.extractor_id) AS extractor_id,
           lag(v.payload_hash) OVER w AS before_payload, lag(v.capture_id) OVER w AS before_capture,
           lag(COALESCE(p.extractor_id, v.extractor_id)) OVER w AS before_extractor, v.payload_hash
    FROM core.capture v
    LEFT JOIN core.extraction_override p ON p.payload_hash = v.payload_hash AND p.superseded_seq IS NULL
    WHERE v.article_uid = ANY (%(articles)s::uuid[])
    WINDOW w AS (PARTITION BY v.article_uid ORDER BY v.observed_at, v.capture_id)
)
SELECT DISTINCT ON (s.before_payload, s.extractor_id)
       s.before_payload, s.extractor_id, b.final_url, b.requested_url, g.file, g.base_offset + b.archive_offset,
       b.archive_length
FROM steps s
JOIN core.capture b ON b.capture_id = s.before_capture
JOIN core.archive_segment g ON g.segment_id = b.segment_id AND g.expired_at IS NULL
WHERE s.before_extractor <> s.extractor_id AND s.before_payload <> s.payload_hash
  AND s.extractor_id = %(extractor_id)s
  AND NOT EXISTS (SELECT 1 FROM core.extraction x
                  WHERE x.payload_hash = s.before_payload AND x.extractor_id = s.extractor_id)
ORDER BY s.before_payload, s.extractor_id;

-- name: extractors
-- List the extractors of all captures of these articles, with their identifying columns.
SELECT DISTINCT extractor.extractor_id, extractor.name, extractor.version, extractor.config_hash, extractor.config
FROM core.capture
LEFT JOIN core.extraction_override override ON override.payload_hash = capture.payload_hash
    AND override.superseded_seq IS NULL
JOIN core.extractor ON extractor.extractor_id = COALESCE(override.extractor_id, capture.extractor_id)
WHERE capture.article_uid = ANY (%(articles)s::uuid[]);

-- name: derive_revisions
-- Rebuild the revisions from the captures. Rows that no longer hold are superseded, not overwritten.
WITH steps AS (
    SELECT v.article_uid, v.capture_id, v.observed_at, v.payload_hash,
           COALESCE(p.extractor_id, v.extractor_id) AS extractor_id,
           lag(v.capture_id) OVER w AS before_capture, lag(v.observed_at) OVER w AS before_at,
           lag(v.payload_hash) OVER w AS before_payload,
           lag(COALESCE(p.extractor_id, v.extractor_id)) OVER w AS before_extractor
    FROM core.capture v
    LEFT JOIN core.extraction_override p ON p.payload_hash = v.payload_hash AND p.superseded_seq IS NULL
    WHERE v.article_uid = ANY (%(articles)s::uuid[])
    WINDOW w AS (PARTITION BY v.article_uid ORDER BY v.observed_at, v.capture_id)
),
compared AS (
    SELECT s.article_uid, s.capture_id, s.observed_at, s.before_capture, s.before_at, s.extractor_id,
           CASE WHEN s.before_capture IS NULL THEN 'first'
                WHEN same.payload_hash IS NULL THEN 'unknown'
                ELSE 'publisher' END AS cause,
           CASE WHEN s.before_capture IS NULL OR s.before_payload = s.payload_hash THEN '{}'::text[]
                ELSE array_remove(ARRAY[
                    CASE WHEN x.headline_hash <> p.headline_hash THEN 'headline' END,
                    CASE WHEN x.description_hash <> p.description_hash THEN 'description' END,
                    CASE WHEN x.authors_hash <> p.authors_hash THEN 'authors' END,
                    CASE WHEN x.body_hash <> p.body_hash THEN 'body' END], NULL) END AS changed_parts
    FROM steps s
    JOIN core.extraction x ON x.payload_hash = s.payload_hash AND x.extractor_id = s.extractor_id
    LEFT JOIN core.extraction same ON same.payload_hash = s.before_payload AND same.extractor_id = s.extractor_id
    LEFT JOIN core.extraction p ON p.payload_hash = s.before_payload
                               AND p.extractor_id = COALESCE(same.extractor_id, s.before_extractor)
),
derived AS (
    SELECT c.article_uid,
           (row_number() OVER (PARTITION BY c.article_uid ORDER BY c.observed_at, c.capture_id))::integer AS ordinal,
           c.capture_id, c.changed_parts, c.cause, c.extractor_id, c.before_at AS unchanged_until,
           c.observed_at AS seen_changed_at
    FROM compared c
    WHERE c.before_capture IS NULL OR cardinality(c.changed_parts) > 0
),
superseded AS (
    UPDATE core.revision r SET superseded_seq = %(load_seq)s
    WHERE r.article_uid = ANY (%(articles)s::uuid[]) AND r.superseded_seq IS NULL
      AND NOT EXISTS (
          SELECT 1 FROM derived d
          WHERE (d.article_uid, d.ordinal, d.capture_id, d.changed_parts, d.cause, d.extractor_id, d.seen_changed_at)
              = (r.article_uid, r.ordinal, r.capture_id, r.changed_parts, r.cause, r.extractor_id, r.seen_changed_at)
            AND d.unchanged_until IS NOT DISTINCT FROM r.unchanged_until)
)
INSERT INTO core.revision (article_uid, ordinal, capture_id, changed_parts, cause, extractor_id, unchanged_until,
                           seen_changed_at, load_seq)
SELECT d.article_uid, d.ordinal, d.capture_id, d.changed_parts, d.cause, d.extractor_id, d.unchanged_until,
       d.seen_changed_at, %(load_seq)s
FROM derived d
WHERE NOT EXISTS (
    SELECT 1 FROM core.revision r
    WHERE r.superseded_seq IS NULL
      AND (d.article_uid, d.ordinal, d.capture_id, d.changed_parts, d.cause, d.extractor_id, d.seen_changed_at)
        = (r.article_uid, r.ordinal, r.capture_id, r.changed_parts, r.cause, r.extractor_id, r.seen_changed_at)
      AND d.unchanged_until IS NOT DISTINCT FROM r.unchanged_until);

-- name: derive_articles
-- Update the articles from all their captures and events.
WITH captured AS (
    SELECT DISTINCT ON (v.article_uid)
           v.article_uid, v.capture_id, v.payload_hash, COALESCE(p.extractor_id, v.extractor_id) AS extractor_id,
           min(v.observed_at) OVER (PARTITION BY v.article_uid) AS first_seen_at,
           max(v.observed_at) OVER (PARTITION BY v.article_uid) AS last_seen_at
    FROM core.capture v
    LEFT JOIN core.extraction_override p ON p.payload_hash = v.payload_hash AND p.superseded_seq IS NULL
    WHERE v.article_uid = ANY (%(articles)s::uuid[])
    ORDER BY v.article_uid, v.observed_at DESC, v.capture_id DESC
),
seen AS (
    -- A 304 response counts as a sighting of the page.
    SELECT c.article_uid, c.capture_id, c.payload_hash, c.extractor_id, c.first_seen_at,
           GREATEST(c.last_seen_at, (SELECT max(e.observed_at) FROM core.article_event e
                                     WHERE e.article_uid = c.article_uid AND e.kind = 'confirmed')) AS last_seen_at
    FROM captured c
),
missing AS (
    SELECT s.article_uid, min(e.observed_at) AS gone_at
    FROM seen s
    JOIN core.article_event e ON e.article_uid = s.article_uid AND e.observed_at > s.last_seen_at
                             AND e.kind IN ('missing', 'redirected_home')
    JOIN core.article a ON a.article_uid = s.article_uid
    JOIN core.outlet o ON o.outlet = a.outlet
    GROUP BY s.article_uid, o.gone_after
    HAVING max(e.observed_at) - min(e.observed_at) >= o.gone_after AND count(*) > 1
),
revisions AS (
    SELECT r.article_uid, count(*) AS revision_count
    FROM core.revision r
    WHERE r.article_uid = ANY (%(articles)s::uuid[]) AND r.superseded_seq IS NULL
    GROUP BY r.article_uid
)
UPDATE core.article a
SET first_seen_at = s.first_seen_at, last_seen_at = s.last_seen_at, gone_at = m.gone_at, capture_id = s.capture_id,
    payload_hash = s.payload_hash, extractor_id = s.extractor_id, revision_count = n.revision_count,
    changed_seq = %(load_seq)s, changed_at = now()
FROM seen s
JOIN revisions n ON n.article_uid = s.article_uid
LEFT JOIN missing m ON m.article_uid = s.article_uid
WHERE a.article_uid = s.article_uid
  AND (a.first_seen_at, a.last_seen_at, a.gone_at, a.capture_id, a.payload_hash, a.extractor_id, a.revision_count)
      IS DISTINCT FROM
      (s.first_seen_at, s.last_seen_at, m.gone_at, s.capture_id, s.payload_hash, s.extractor_id, n.revision_count);

-- name: derive_fields
-- Update the fields that articles are searched by. A revisit has no listing, so the listed date comes from the first
-- capture that has one.
UPDATE core.article a
SET date_published = s.date_published, date_published_day = s.day, in_language = s.in_language,
    word_count = s.word_count
FROM (
    SELECT a.article_uid, x.in_language, t.word_count, published.date_published,
           (published.date_published AT TIME ZONE 'UTC' + make_interval(mins => COALESCE(published.minutes, 0)))::date
               AS day
    FROM core.article a
    JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
    LEFT JOIN core.text t ON t.text_hash = x.text_hash
    LEFT JOIN LATERAL (
        SELECT w.listed_published, w.listed_published_source, w.listed_published_precision, w.listed_published_offset
        FROM core.capture w
        WHERE w.article_uid = a.article_uid AND w.listed_published IS NOT NULL
        ORDER BY w.observed_at, w.capture_id LIMIT 1
    ) listed ON true
    CROSS JOIN LATERAL core.prefers_listed(
        x.date_published, x.date_published_source, x.date_published_precision,
        listed.listed_published, listed.listed_published_source, listed.listed_published_precision) AS preferred
    CROSS JOIN LATERAL (SELECT
        CASE WHEN preferred THEN listed.listed_published ELSE x.date_published END AS date_published,
        CASE WHEN preferred THEN listed.listed_published_offset ELSE x.date_published_offset END AS minutes) published
    WHERE a.article_uid = ANY (%(articles)s::uuid[])
) s
WHERE a.article_uid = s.article_uid
  AND (a.date_published, a.date_published_day, a.in_language, a.word_count)
      IS DISTINCT FROM (s.date_published, s.day, s.in_language, s.word_count);

-- name: derive_merges
-- Merge a page into another page of its outlet if it names that page as canonical and has had the same text.
-- The named page must not name a third page. Both ends are checked, so the order of loads does not matter.
-- Without such a page, merge pages whose URLs look like variants (same loose_uid) if their current text is the same:
-- into the plain URL, or else into the oldest page.
-- Returns the changed articles with their previous and current targets.
WITH concerned AS (
    SELECT unnest(%(articles)s::uuid[]) AS article_uid
    UNION
    SELECT u.article_uid FROM core.article_url u WHERE u.kind = 'canonical' AND u.url_uid = ANY (%(articles)s::uuid[])
    UNION
    SELECT u.url_uid FROM core.article_url u WHERE u.kind = 'canonical' AND u.article_uid = ANY (%(articles)s::uuid[])
    UNION
    SELECT variant.article_uid
    FROM core.article a JOIN core.article variant ON variant.loose_uid = a.loose_uid AND variant.outlet = a.outlet
    WHERE a.article_uid = ANY (%(articles)s::uuid[])
),
canonical AS (
    SELECT a.article_uid, a.outlet, a.merged_into, a.loose_uid, a.first_seen_at, x.text_hash, u.url_uid AS named
    FROM concerned c
    JOIN core.article a ON a.article_uid = c.article_uid
    JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
    LEFT JOIN core.article_url u ON u.article_uid = a.article_uid AND u.kind = 'canonical' AND u.url = x.canonical_url
    WHERE a.merged_into IS NOT NULL OR u.url_uid <> a.article_uid
       OR EXISTS (SELECT 1 FROM core.article variant
                  WHERE variant.loose_uid = a.loose_uid AND variant.article_uid <> a.article_uid)
),
derived AS (
    SELECT c.article_uid, c.merged_into AS before, COALESCE(t.article_uid, s.article_uid) AS target
    FROM canonical c
    LEFT JOIN LATERAL (
        SELECT t.article_uid
        FROM core.article t
        JOIN core.extraction y ON y.payload_hash = t.payload_hash AND y.extractor_id = t.extractor_id
        LEFT JOIN core.article_url n ON n.article_uid = t.article_uid AND n.kind = 'canonical'
            AND n.url = y.canonical_url
        WHERE t.article_uid = c.named AND t.article_uid <> c.article_uid AND t.outlet = c.outlet
          AND COALESCE(n.url_uid, t.article_uid) = t.article_uid
          AND EXISTS (
              SELECT 1
              FROM core.capture v
              JOIN core.extraction one ON one.payload_hash = v.payload_hash AND one.text_hash IS NOT NULL
              JOIN core.capture w ON w.article_uid = t.article_uid
              JOIN core.extraction other ON other.payload_hash = w.payload_hash
                  AND other.extractor_id = one.extractor_id
              WHERE v.article_uid = c.article_uid AND other.body_hash = one.body_hash)
    ) t ON true
    LEFT JOIN LATERAL (
        SELECT t.article_uid
        FROM core.article t
        JOIN core.extraction y ON y.payload_hash = t.payload_hash AND y.extractor_id = t.extractor_id
        LEFT JOIN core.article_url n ON n.article_uid = t.article_uid AND n.kind = 'canonical'
            AND n.url = y.canonical_url
        WHERE t.loose_uid = c.loose_uid AND t.outlet = c.outlet AND t.article_uid <> c.article_uid
          AND y.text_hash = c.text_hash AND COALESCE(n.url_uid, t.article_uid) = t.article_uid
          AND COALESCE(c.named, c.article_uid) IN (c.article_uid, t.article_uid)
          -- A page that another one names as canonical stays, because that one is merged into it.
          AND NOT EXISTS (
              SELECT 1
              FROM core.article_url o
              JOIN core.article m ON m.article_uid = o.article_uid
              JOIN core.extraction z ON z.payload_hash = m.payload_hash AND z.extractor_id = m.extractor_id
              WHERE o.kind = 'canonical' AND o.url_uid = c.article_uid AND o.article_uid <> c.article_uid
                AND o.url = z.canonical_url)
          AND (t.article_uid <> t.loose_uid, t.first_seen_at, t.article_uid)
            < (c.article_uid <> c.loose_uid, c.first_seen_at, c.article_uid)
        ORDER BY t.article_uid <> t.loose_uid, t.first_seen_at, t.article_uid
        LIMIT 1
    ) s ON true
),
moved AS (
    UPDATE core.article a SET merged_into = d.target, changed_seq = %(load_seq)s, changed_at = now()
    FROM derived d
    WHERE a.article_uid = d.article_uid AND a.merged_into IS DISTINCT FROM d.target
    RETURNING a.article_uid, d.before, d.target
),
parted AS (
    UPDATE core.article_merge h SET superseded_seq = %(load_seq)s
    FROM moved m
    WHERE h.article_uid = m.article_uid AND h.superseded_seq IS NULL
),
noted AS (
    INSERT INTO core.article_merge (article_uid, merged_into, load_seq)
    SELECT m.article_uid, m.target, %(load_seq)s FROM moved m WHERE m.target IS NOT NULL
)
SELECT DISTINCT e.article_uid
FROM moved m
CROSS JOIN LATERAL (VALUES (m.article_uid), (m.before), (m.target)) AS e (article_uid)
WHERE e.article_uid IS NOT NULL;

-- name: ensure_search_partitions
-- Create the missing partitions for the search documents of these articles.
SELECT core.ensure_month_partitions('search_document', ARRAY(
    SELECT DISTINCT (COALESCE(date_published, first_seen_at) AT TIME ZONE 'UTC')::date
    FROM core.article WHERE article_uid = ANY (%(articles)s::uuid[])));

-- name: plain_joins
-- Disable hash and merge joins until the next `all_joins`. For a few hundred lookups by key in one partition each, the
-- planner would read all partitions: it does not know that the others are skipped.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);

-- name: all_joins
-- Enable all joins again.
SELECT set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true);

-- name: moved_documents
-- Return the articles of an earlier load that have no search document under their day: it changed, or there is none.
SELECT a.article_uid
FROM core.article a
WHERE a.article_uid = ANY (%(articles)s::uuid[]) AND a.load_seq <> %(load_seq)s
  AND NOT EXISTS (
      SELECT 1 FROM core.search_document d
      WHERE d.article_uid = a.article_uid
        AND d.published_on = (COALESCE(a.date_published, a.first_seen_at) AT TIME ZONE 'UTC')::date);

-- name: move_documents
-- Move the search documents of these articles to their days, whatever partition they are in.
UPDATE core.search_document d
SET published_on = (COALESCE(a.date_published, a.first_seen_at) AT TIME ZONE 'UTC')::date
FROM core.article a
WHERE d.article_uid = ANY (%(moved)s::uuid[]) AND a.article_uid = d.article_uid;

-- name: derive_search
-- Update the search documents whose source has changed. Hidden and merged articles get empty documents.
WITH shown AS (
    SELECT a.article_uid, a.outlet, x.in_language, x.headline, x.description, x.text_hash,
           (COALESCE(a.date_published, a.first_seen_at) AT TIME ZONE 'UTC')::date AS published_on,
           CASE WHEN a.merged_into IS NULL AND a.hidden_seq IS NULL
                THEN sha256(convert_to(concat_ws(E'\x1f', x.headline, x.description, encode(x.text_hash, 'hex')),
                                    'UTF8'))
                ELSE '\x' END AS source
    FROM core.article a
    JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
    WHERE a.article_uid = ANY (%(articles)s::uuid[])
)
INSERT INTO core.search_document AS d (article_uid, search_version, outlet, in_language, published_on, source, tokens)
SELECT s.article_uid, 1, s.outlet, s.in_language, s.published_on, s.source,
       CASE WHEN s.source = '\x' THEN ''::tsvector ELSE
           setweight(core.search_tokens(s.headline), 'A') || setweight(core.search_tokens(s.description), 'B')
           || core.search_tokens(t.article_body) END
FROM shown s
LEFT JOIN core.text t ON t.text_hash = s.text_hash
WHERE NOT EXISTS (
    SELECT 1 FROM core.search_document n
    WHERE n.article_uid = s.article_uid AND n.published_on = s.published_on AND n.search_version = 1
      AND (n.source, n.in_language) IS NOT DISTINCT FROM (s.source, s.in_language))
ORDER BY s.published_on, s.article_uid
ON CONFLICT (article_uid, published_on) DO UPDATE SET
    search_version = excluded.search_version, outlet = excluded.outlet, in_language = excluded.in_language,
    source = excluded.source, tokens = excluded.tokens;

-- name: enqueue_cluster
-- Queue articles for clustering: those with a new capture and those that a merge concerns.
INSERT INTO staging.cluster_queue (article_uid)
SELECT DISTINCT staged.article_uid FROM staging.capture staged
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = ANY (%(captures)s::uuid[])
UNION
SELECT unnest(%(merged)s::uuid[]);

-- name: resolve_captures
-- Set the outcomes of candidates from all captures of their articles.
-- A late capture may change an outcome that an earlier load has set: an article has one `new`, whatever the order.
WITH ends AS (
    SELECT capture.crawl_id, capture.url_uid, COALESCE(article.merged_into, article.article_uid) AS article_uid,
           CASE WHEN article.merged_into IS NOT NULL THEN 'duplicate_url'
                WHEN revision.ordinal = 1 THEN 'new'
                WHEN revision.ordinal > 1 THEN 'revised'
                WHEN capture.url_uid <> capture.article_uid THEN 'duplicate_url'
                ELSE 'unchanged' END AS outcome
    FROM core.capture
    JOIN core.article ON article.article_uid = capture.article_uid
    LEFT JOIN core.revision ON revision.article_uid = capture.article_uid
        AND revision.capture_id = capture.capture_id AND revision.superseded_seq IS NULL
    WHERE capture.article_uid = ANY (%(articles)s::uuid[])
)
UPDATE ops.candidate SET outcome = ends.outcome, article_uid = ends.article_uid
FROM ends
WHERE candidate.crawl_id = ends.crawl_id AND candidate.url_uid = ends.url_uid
  AND (candidate.outcome, candidate.article_uid) IS DISTINCT FROM (ends.outcome, ends.article_uid);

-- name: resolve_removed
-- Set the outcome of a candidate whose capture a removal has dropped.
UPDATE ops.candidate SET outcome = 'suppressed', reason = 'a removal was entered after the fetch'
WHERE candidate.crawl_id = %(crawl_id)s AND candidate.url_uid = %(url_uid)s;

-- name: reject_capture
-- Quarantine a capture that core rejects. Its page stays in the archive.
INSERT INTO ops.quarantine (quarantine_id, crawl_id, url_uid, url, outlet, outcome, stage, reason, segment_id,
                            archive_offset, archive_length)
SELECT staged.capture_id, staged.crawl_id, staged.url_uid, staged.requested_url, staged.outlet, 'load_failed', 'load',
       %(reason)s,
       staged.archive_segment_id, staged.archive_offset, staged.archive_length
FROM staging.capture staged
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = %(capture_id)s
ON CONFLICT (quarantine_id) DO NOTHING;

-- name: resolve_rejected
-- Set the outcome of a candidate whose capture core rejects.
UPDATE ops.candidate SET outcome = 'load_failed', reason = %(reason)s, article_uid = NULL
FROM staging.capture staged
WHERE staged.segment_id = %(segment_id)s AND staged.capture_id = %(capture_id)s
  AND candidate.crawl_id = staged.crawl_id AND candidate.url_uid = staged.url_uid;

-- name: clear_staged_captures
-- Delete the staged captures of the segment.
DELETE FROM staging.capture WHERE segment_id = %(segment_id)s;

-- name: clear_staged_events
-- Delete the staged events of the segment.
DELETE FROM staging.event WHERE segment_id = %(segment_id)s;

-- name: mark_loaded
-- Mark the segment as loaded.
UPDATE ops.segment SET state = 'loaded', loaded_at = now(), load_seq = %(load_seq)s, error = NULL
WHERE segment_id = %(segment_id)s;

-- name: mark_failed
-- Record a failed attempt. The segment fails permanently after the last attempt.
UPDATE ops.segment
SET load_attempts = load_attempts + 1, error = %(error)s,
    state = CASE WHEN load_attempts + 1 >= %(most)s THEN 'failed' ELSE state END
WHERE segment_id = %(segment_id)s AND state <> 'loaded';

-- name: to_load
-- List the segments to load, oldest first.
SELECT segment_id, outlet, captures FROM ops.segment
WHERE state <> 'loaded' AND (state = 'committed' OR %(failed)s)
  AND (%(outlets)s::text[] IS NULL OR outlet = ANY (%(outlets)s::text[]))
ORDER BY committed_at, segment_id;

-- name: add_reread_text
-- Add the texts of payloads that were extracted again.
INSERT INTO core.text (text_hash, article_body, word_count, char_count, load_seq) VALUES %s
ON CONFLICT (text_hash) DO NOTHING;

-- name: add_reread_extraction
-- Add an extraction of a payload that was extracted again.
INSERT INTO core.extraction (payload_hash, extractor_id, headline, description, authors, author_organisations,
                             date_published,
                             date_published_raw, date_published_source, date_published_precision,
                             date_published_offset, date_published_flag, date_modified, date_modified_raw,
                             date_modified_source, in_language, in_language_source, article_section, keywords,
                             main_image, is_accessible_for_free, canonical_url, encoding, encoding_source, text_hash,
                             headline_hash, description_hash, authors_hash, body_hash, load_seq, links,
                             standfirst, line_kinds, images, is_live_blog, live_posts, extraction_confidence,
                             confidence_basis)
VALUES %s
ON CONFLICT (payload_hash, extractor_id) DO NOTHING;
