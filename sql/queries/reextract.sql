-- Re-extraction of archived pages: compare, promote, discard, roll back.

-- name: add
-- Add a re-extraction.
INSERT INTO ops.reextraction (reextraction_id, outlets, since, until, state, requested_by)
VALUES (%(reextraction_id)s, %(outlets)s, %(since)s, %(until)s, 'extracted', %(requested_by)s);

-- name: pages
-- Return the archived payloads of an outlet whose current fields are from another extractor, each payload once.
SELECT DISTINCT ON (capture.payload_hash)
       capture.payload_hash, COALESCE(override.extractor_id, capture.extractor_id) AS before,
       EXISTS (SELECT 1 FROM core.extraction
               WHERE extraction.payload_hash = capture.payload_hash
                 AND extraction.extractor_id = %(extractor_id)s) AS is_there,
       segment.file, segment.base_offset + capture.archive_offset, capture.archive_length,
       COALESCE(capture.final_url, capture.requested_url)
FROM core.capture
JOIN core.article ON article.article_uid = capture.article_uid AND article.outlet = %(outlet)s
JOIN core.archive_segment segment ON segment.segment_id = capture.segment_id AND segment.expired_at IS NULL
LEFT JOIN core.extraction_override override ON override.payload_hash = capture.payload_hash
                                           AND override.superseded_seq IS NULL
WHERE COALESCE(override.extractor_id, capture.extractor_id) <> %(extractor_id)s
  AND (%(since)s::timestamptz IS NULL OR capture.observed_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR capture.observed_at < %(until)s)
ORDER BY capture.payload_hash, capture.observed_at;

-- name: is_held
-- Check that the payload is still in the warehouse. It may have been erased after the pages were listed.
SELECT 1 FROM core.capture WHERE payload_hash = %(payload_hash)s LIMIT 1;

-- name: add_page
-- Record a re-extracted page with the extractor before and after.
INSERT INTO ops.reextraction_page (reextraction_id, payload_hash, extractor_id, before_extractor_id)
VALUES (%(reextraction_id)s, %(payload_hash)s, %(extractor_id)s, %(before)s)
ON CONFLICT DO NOTHING;

-- name: compare
-- Count per field the pages that had it, the pages that have it now, and the pages where it differs.
SELECT f.field, count(*) FILTER (WHERE f.had)::integer AS had, count(*) FILTER (WHERE f.has)::integer AS has,
       count(*) FILTER (WHERE f.differs)::integer AS differs
FROM ops.reextraction_page page
JOIN core.extraction old ON old.payload_hash = page.payload_hash AND old.extractor_id = page.before_extractor_id
JOIN core.extraction new ON new.payload_hash = page.payload_hash AND new.extractor_id = page.extractor_id
CROSS JOIN LATERAL (VALUES
    ('headline', old.headline IS NOT NULL, new.headline IS NOT NULL, old.headline IS DISTINCT FROM new.headline, 1),
    ('article_body', old.text_hash IS NOT NULL, new.text_hash IS NOT NULL,
     old.text_hash IS DISTINCT FROM new.text_hash, 2),
    ('authors', cardinality(old.authors) > 0, cardinality(new.authors) > 0,
     old.authors IS DISTINCT FROM new.authors, 3),
    ('date_published', old.date_published IS NOT NULL, new.date_published IS NOT NULL,
     old.date_published IS DISTINCT FROM new.date_published, 4),
    ('description', old.description IS NOT NULL, new.description IS NOT NULL,
     old.description IS DISTINCT FROM new.description, 5),
    ('in_language', old.in_language IS NOT NULL, new.in_language IS NOT NULL,
     old.in_language IS DISTINCT FROM new.in_language, 6),
    ('article_section', old.article_section IS NOT NULL, new.article_section IS NOT NULL,
     old.article_section IS DISTINCT FROM new.article_section, 7),
    ('keywords', cardinality(old.keywords) > 0, cardinality(new.keywords) > 0,
     old.keywords IS DISTINCT FROM new.keywords, 8),
    ('links', cardinality(old.links) > 0, cardinality(new.links) > 0, old.links IS DISTINCT FROM new.links, 9)
) AS f (field, had, has, differs, place)
WHERE page.reextraction_id = %(reextraction_id)s
GROUP BY f.field, f.place
ORDER BY f.place;

-- name: samples
-- Return pages where a field differs, with the first 200 characters of both values.
SELECT location.url, left(field.before, 200) AS before, left(field.now, 200) AS now
FROM ops.reextraction_page page
JOIN core.extraction old ON old.payload_hash = page.payload_hash AND old.extractor_id = page.before_extractor_id
JOIN core.extraction new ON new.payload_hash = page.payload_hash AND new.extractor_id = page.extractor_id
LEFT JOIN core.text old_text ON old_text.text_hash = old.text_hash
LEFT JOIN core.text new_text ON new_text.text_hash = new.text_hash
CROSS JOIN LATERAL (
    SELECT CASE %(field)s
        WHEN 'headline' THEN old.headline
        WHEN 'article_body' THEN old_text.word_count || ' words: ' || old_text.article_body
        WHEN 'authors' THEN array_to_string(old.authors, ', ') WHEN 'date_published' THEN old.date_published::text
        WHEN 'description' THEN old.description WHEN 'in_language' THEN old.in_language
        WHEN 'article_section' THEN old.article_section WHEN 'keywords' THEN array_to_string(old.keywords, ', ')
        ELSE array_to_string(old.links, ' ') END AS before,
        CASE %(field)s
        WHEN 'headline' THEN new.headline
        WHEN 'article_body' THEN new_text.word_count || ' words: ' || new_text.article_body
        WHEN 'authors' THEN array_to_string(new.authors, ', ') WHEN 'date_published' THEN new.date_published::text
        WHEN 'description' THEN new.description WHEN 'in_language' THEN new.in_language
        WHEN 'article_section' THEN new.article_section WHEN 'keywords' THEN array_to_string(new.keywords, ', ')
        ELSE array_to_string(new.links, ' ') END AS now
) field
CROSS JOIN LATERAL (
    SELECT COALESCE(capture.final_url, capture.requested_url) AS url FROM core.capture
    WHERE capture.payload_hash = page.payload_hash ORDER BY capture.observed_at LIMIT 1
) location
WHERE page.reextraction_id = %(reextraction_id)s AND field.before IS DISTINCT FROM field.now
ORDER BY location.url
LIMIT %(samples)s;

-- name: compared
-- Store the comparison and the number of failed pages.
UPDATE ops.reextraction SET failed = %(failed)s, comparison = %(comparison)s,
    payloads = (SELECT count(*) FROM ops.reextraction_page page WHERE page.reextraction_id = %(reextraction_id)s)
WHERE reextraction_id = %(reextraction_id)s;

-- name: make_room
-- End the overrides of these pages. Runs before `promote`, because a payload has one current override.
UPDATE core.extraction_override override SET superseded_seq = %(load_seq)s
FROM ops.reextraction_page page
WHERE page.reextraction_id = %(reextraction_id)s AND override.payload_hash = page.payload_hash
  AND override.superseded_seq IS NULL;

-- name: promote
-- Make the new extractions current from this load on.
INSERT INTO core.extraction_override (payload_hash, extractor_id, load_seq)
SELECT page.payload_hash, page.extractor_id, %(load_seq)s FROM ops.reextraction_page page
WHERE page.reextraction_id = %(reextraction_id)s;

-- name: roll_back
-- Make the previous extractions current again: those of the capture's own extractor or of an earlier promotion.
-- Pages that a later promotion has changed keep their fields.
WITH ended AS (
    UPDATE core.extraction_override override SET superseded_seq = %(load_seq)s
    FROM ops.reextraction_page page
    WHERE page.reextraction_id = %(reextraction_id)s AND override.payload_hash = page.payload_hash
      AND override.superseded_seq IS NULL AND override.extractor_id = page.extractor_id
    RETURNING override.payload_hash
)
INSERT INTO core.extraction_override (payload_hash, extractor_id, load_seq)
SELECT page.payload_hash, page.before_extractor_id, %(load_seq)s
FROM ops.reextraction_page page JOIN ended ON ended.payload_hash = page.payload_hash
WHERE page.reextraction_id = %(reextraction_id)s
  AND EXISTS (SELECT 1 FROM core.capture
              WHERE capture.payload_hash = page.payload_hash AND capture.extractor_id <> page.before_extractor_id);

-- name: articles
-- Return the articles of the re-extracted pages.
SELECT DISTINCT capture.article_uid FROM ops.reextraction_page page
JOIN core.capture ON capture.payload_hash = page.payload_hash
WHERE page.reextraction_id = %(reextraction_id)s
ORDER BY capture.article_uid;

-- name: decided
-- Record that a re-extraction was promoted, discarded or rolled back.
UPDATE ops.reextraction
SET state = %(state)s, promoted_seq = COALESCE(%(load_seq)s::bigint, promoted_seq), decided_at = now()
WHERE reextraction_id = %(reextraction_id)s;

-- name: read
-- Read one re-extraction.
SELECT reextraction_id, outlets, state, payloads, failed, COALESCE(comparison, '{}') AS comparison,
       created_at, requested_by
FROM ops.reextraction WHERE reextraction_id = %(reextraction_id)s;

-- name: list
-- List the latest re-extractions.
SELECT reextraction_id, outlets, state, payloads, failed, COALESCE(comparison, '{}') AS comparison,
       created_at, requested_by
FROM ops.reextraction ORDER BY created_at DESC LIMIT 50;

-- name: refused
-- Return an outlet's archived rejected pages that a better extractor might accept and that aren't articles yet.
SELECT quarantine.quarantine_id, quarantine.url_uid, quarantine.segment_id, segment.file, segment.base_offset,
       segment.length, quarantine.archive_offset, quarantine.archive_length
FROM ops.quarantine
JOIN core.archive_segment segment ON segment.segment_id = quarantine.segment_id AND segment.expired_at IS NULL
WHERE quarantine.outlet = %(outlet)s
  AND quarantine.outcome IN ('extraction_empty', 'implausible_text', 'extraction_timeout', 'quarantined', 'index_page',
                             'gallery', 'javascript_required', 'paywall_stub', 'soft_404')
  AND (%(since)s::timestamptz IS NULL OR quarantine.created_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR quarantine.created_at < %(until)s)
  AND NOT EXISTS (SELECT 1 FROM core.capture WHERE capture.capture_id = quarantine.quarantine_id)
  AND NOT EXISTS (SELECT 1 FROM staging.capture staged WHERE staged.capture_id = quarantine.quarantine_id)
ORDER BY quarantine.segment_id, quarantine.archive_offset;
