-- Reading archived pages again, comparing, promoting, taking back.

-- name: add
INSERT INTO ops.reextraction (reextraction_id, outlets, since, until, state, requested_by)
VALUES (%(reextraction_id)s, %(outlets)s, %(since)s, %(until)s, 'extracted', %(requested_by)s);

-- name: pages
-- Archived payloads of an outlet whose fields that count are of another extractor, each once, with where they lie.
SELECT DISTINCT ON (v.payload_hash)
       v.payload_hash, COALESCE(p.extractor_id, v.extractor_id) AS before,
       EXISTS (SELECT 1 FROM core.extraction x
               WHERE x.payload_hash = v.payload_hash AND x.extractor_id = %(extractor_id)s) AS is_there,
       g.file, g.base_offset + v.archive_offset, v.archive_length, COALESCE(v.final_url, v.requested_url)
FROM core.capture v
JOIN core.article a ON a.article_uid = v.article_uid AND a.outlet = %(outlet)s
JOIN core.archive_segment g ON g.segment_id = v.segment_id AND g.expired_at IS NULL
LEFT JOIN core.extraction_override p ON p.payload_hash = v.payload_hash AND p.superseded_seq IS NULL
WHERE COALESCE(p.extractor_id, v.extractor_id) <> %(extractor_id)s
  AND (%(since)s::timestamptz IS NULL OR v.observed_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR v.observed_at < %(until)s)
ORDER BY v.payload_hash, v.observed_at;

-- name: is_held
-- Whether the payload is still one of ours: it may have been erased since the pages were listed.
SELECT 1 FROM core.capture WHERE payload_hash = %(payload_hash)s LIMIT 1;

-- name: add_page
INSERT INTO ops.reextraction_page (reextraction_id, payload_hash, extractor_id, before_extractor_id)
VALUES (%(reextraction_id)s, %(payload_hash)s, %(extractor_id)s, %(before)s)
ON CONFLICT DO NOTHING;

-- name: compare
-- By field: pages that had it, that have it now, in which it differs.
SELECT f.field, count(*) FILTER (WHERE f.had)::integer AS had, count(*) FILTER (WHERE f.has)::integer AS has,
       count(*) FILTER (WHERE f.differs)::integer AS differs
FROM ops.reextraction_page r
JOIN core.extraction b ON b.payload_hash = r.payload_hash AND b.extractor_id = r.before_extractor_id
JOIN core.extraction n ON n.payload_hash = r.payload_hash AND n.extractor_id = r.extractor_id
CROSS JOIN LATERAL (VALUES
    ('headline', b.headline IS NOT NULL, n.headline IS NOT NULL, b.headline IS DISTINCT FROM n.headline, 1),
    ('article_body', b.text_hash IS NOT NULL, n.text_hash IS NOT NULL, b.text_hash IS DISTINCT FROM n.text_hash, 2),
    ('authors', cardinality(b.authors) > 0, cardinality(n.authors) > 0, b.authors IS DISTINCT FROM n.authors, 3),
    ('date_published', b.date_published IS NOT NULL, n.date_published IS NOT NULL,
     b.date_published IS DISTINCT FROM n.date_published, 4),
    ('description', b.description IS NOT NULL, n.description IS NOT NULL, b.description IS DISTINCT FROM n.description, 5),
    ('in_language', b.in_language IS NOT NULL, n.in_language IS NOT NULL, b.in_language IS DISTINCT FROM n.in_language, 6),
    ('article_section', b.article_section IS NOT NULL, n.article_section IS NOT NULL,
     b.article_section IS DISTINCT FROM n.article_section, 7),
    ('keywords', cardinality(b.keywords) > 0, cardinality(n.keywords) > 0, b.keywords IS DISTINCT FROM n.keywords, 8),
    ('links', cardinality(b.links) > 0, cardinality(n.links) > 0, b.links IS DISTINCT FROM n.links, 9)
) AS f (field, had, has, differs, place)
WHERE r.reextraction_id = %(reextraction_id)s
GROUP BY f.field, f.place
ORDER BY f.place;

-- name: samples
-- Pages in which a field differs, with both values, cut to their beginnings.
SELECT v.url, left(s.before, 200) AS before, left(s.now, 200) AS now
FROM ops.reextraction_page r
JOIN core.extraction b ON b.payload_hash = r.payload_hash AND b.extractor_id = r.before_extractor_id
JOIN core.extraction n ON n.payload_hash = r.payload_hash AND n.extractor_id = r.extractor_id
LEFT JOIN core.text bt ON bt.text_hash = b.text_hash
LEFT JOIN core.text nt ON nt.text_hash = n.text_hash
CROSS JOIN LATERAL (
    SELECT CASE %(field)s
        WHEN 'headline' THEN b.headline WHEN 'article_body' THEN bt.word_count || ' words: ' || bt.article_body
        WHEN 'authors' THEN array_to_string(b.authors, ', ') WHEN 'date_published' THEN b.date_published::text
        WHEN 'description' THEN b.description WHEN 'in_language' THEN b.in_language
        WHEN 'article_section' THEN b.article_section WHEN 'keywords' THEN array_to_string(b.keywords, ', ')
        ELSE array_to_string(b.links, ' ') END AS before,
        CASE %(field)s
        WHEN 'headline' THEN n.headline WHEN 'article_body' THEN nt.word_count || ' words: ' || nt.article_body
        WHEN 'authors' THEN array_to_string(n.authors, ', ') WHEN 'date_published' THEN n.date_published::text
        WHEN 'description' THEN n.description WHEN 'in_language' THEN n.in_language
        WHEN 'article_section' THEN n.article_section WHEN 'keywords' THEN array_to_string(n.keywords, ', ')
        ELSE array_to_string(n.links, ' ') END AS now
) s
CROSS JOIN LATERAL (
    SELECT COALESCE(w.final_url, w.requested_url) AS url FROM core.capture w
    WHERE w.payload_hash = r.payload_hash ORDER BY w.observed_at LIMIT 1
) v
WHERE r.reextraction_id = %(reextraction_id)s AND s.before IS DISTINCT FROM s.now
ORDER BY v.url
LIMIT %(samples)s;

-- name: compared
UPDATE ops.reextraction SET failed = %(failed)s, comparison = %(comparison)s,
    payloads = (SELECT count(*) FROM ops.reextraction_page e WHERE e.reextraction_id = %(reextraction_id)s)
WHERE reextraction_id = %(reextraction_id)s;

-- name: make_room
-- What counted so far counts no more. Before `promote`, since of a page only one reading counts.
UPDATE core.extraction_override p SET superseded_seq = %(load_seq)s
FROM ops.reextraction_page r
WHERE r.reextraction_id = %(reextraction_id)s AND p.payload_hash = r.payload_hash AND p.superseded_seq IS NULL;

-- name: promote
-- The new fields count from this load on.
INSERT INTO core.extraction_override (payload_hash, extractor_id, load_seq)
SELECT r.payload_hash, r.extractor_id, %(load_seq)s FROM ops.reextraction_page r
WHERE r.reextraction_id = %(reextraction_id)s;

-- name: roll_back
-- The fields of before count again: those of the capture's own extractor, or of an earlier promotion. What a later
-- promotion has made count stays.
WITH ended AS (
    UPDATE core.extraction_override p SET superseded_seq = %(load_seq)s
    FROM ops.reextraction_page r
    WHERE r.reextraction_id = %(reextraction_id)s AND p.payload_hash = r.payload_hash AND p.superseded_seq IS NULL
      AND p.extractor_id = r.extractor_id
    RETURNING p.payload_hash
)
INSERT INTO core.extraction_override (payload_hash, extractor_id, load_seq)
SELECT r.payload_hash, r.before_extractor_id, %(load_seq)s
FROM ops.reextraction_page r JOIN ended e ON e.payload_hash = r.payload_hash
WHERE r.reextraction_id = %(reextraction_id)s
  AND EXISTS (SELECT 1 FROM core.capture v WHERE v.payload_hash = r.payload_hash AND v.extractor_id <> r.before_extractor_id);

-- name: articles
-- Articles that have one of its pages.
SELECT DISTINCT v.article_uid FROM ops.reextraction_page r
JOIN core.capture v ON v.payload_hash = r.payload_hash
WHERE r.reextraction_id = %(reextraction_id)s
ORDER BY v.article_uid;

-- name: decided
UPDATE ops.reextraction SET state = %(state)s, promoted_seq = COALESCE(%(load_seq)s::bigint, promoted_seq), decided_at = now()
WHERE reextraction_id = %(reextraction_id)s;

-- name: read
SELECT reextraction_id, outlets, state, payloads, failed, COALESCE(comparison, '{}') AS comparison, created_at, requested_by
FROM ops.reextraction WHERE reextraction_id = %(reextraction_id)s;

-- name: list
SELECT reextraction_id, outlets, state, payloads, failed, COALESCE(comparison, '{}') AS comparison, created_at, requested_by
FROM ops.reextraction ORDER BY created_at DESC LIMIT 50;

-- name: refused
-- Archived pages of an outlet that gave no article for what may be the extractor's fault, and have not become one since.
SELECT q.quarantine_id, q.url_uid, q.segment_id, g.file, g.base_offset, g.length, q.archive_offset, q.archive_length
FROM ops.quarantine q
JOIN core.archive_segment g ON g.segment_id = q.segment_id AND g.expired_at IS NULL
WHERE q.outlet = %(outlet)s AND q.outcome IN ('extraction_empty', 'extraction_timeout', 'quarantined', 'index_page',
                                              'gallery', 'javascript_required', 'paywall_stub', 'soft_404')
  AND (%(since)s::timestamptz IS NULL OR q.created_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR q.created_at < %(until)s)
  AND NOT EXISTS (SELECT 1 FROM core.capture v WHERE v.capture_id = q.quarantine_id)
  AND NOT EXISTS (SELECT 1 FROM staging.capture v WHERE v.capture_id = q.quarantine_id)
ORDER BY q.segment_id, q.archive_offset;
