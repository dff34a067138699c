-- The same as in fingerprint.sql, of the state when the load %(as_of)s was the last one: equal where it is.

-- name: articles
SELECT a.article_uid::text, a.outlet, a.merged_into::text, a.gone_at IS NOT NULL, a.revision_count,
       x.headline, x.description, x.authors, x.date_published, x.date_published_precision, x.in_language,
       x.canonical_url, encode(x.text_hash, 'hex')
FROM core.article_state(%(as_of)s) a
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
ORDER BY a.article_uid;

-- name: texts
-- Those that a version of an article has; texts of extractions that were only tried are not content.
SELECT encode(t.text_hash, 'hex'), encode(sha256(convert_to(t.article_body, 'UTF8')), 'hex'), t.word_count, t.char_count
FROM core.text t
WHERE EXISTS (
    SELECT 1
    FROM core.extraction x
    JOIN core.capture v ON v.payload_hash = x.payload_hash
    JOIN core.revision r ON r.capture_id = v.capture_id AND r.extractor_id = x.extractor_id
                        AND r.load_seq <= %(as_of)s AND (r.superseded_seq IS NULL OR r.superseded_seq > %(as_of)s)
    WHERE x.text_hash = t.text_hash)
ORDER BY t.text_hash;

-- name: revisions
SELECT r.article_uid::text, r.ordinal, r.changed_parts, r.cause, x.headline, x.description, x.authors,
       encode(x.text_hash, 'hex')
FROM core.revision r
JOIN core.capture v ON v.capture_id = r.capture_id
JOIN core.extraction x ON x.payload_hash = v.payload_hash AND x.extractor_id = r.extractor_id
WHERE r.load_seq <= %(as_of)s AND (r.superseded_seq IS NULL OR r.superseded_seq > %(as_of)s)
ORDER BY r.article_uid, r.ordinal;

-- name: variants
SELECT u.article_uid::text, u.kind, u.url
FROM core.article_url u
WHERE u.load_seq <= %(as_of)s
ORDER BY u.article_uid, u.kind, u.url_key;

-- name: comments
SELECT c.comment_uid::text, c.article_uid::text, c.author, c.comment_body
FROM core.comment c
WHERE c.load_seq <= %(as_of)s
ORDER BY c.comment_uid;

-- name: clusters
SELECT a.copy_cluster::text, a.article_uid::text
FROM core.article_state(%(as_of)s) a
WHERE a.merged_into IS NULL
ORDER BY a.copy_cluster, a.article_uid;
