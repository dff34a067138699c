-- Fingerprint of the current content. Timestamps, crawl ids and sequence numbers are left out, because they differ
-- between two installations with the same content.

-- name: articles
-- Return the current fields of every article that is not hidden.
SELECT article.article_uid::text, article.outlet, article.merged_into::text, article.gone_at IS NOT NULL,
       article.revision_count, extraction.headline, extraction.description, extraction.authors,
       extraction.date_published, extraction.date_published_precision, extraction.in_language,
       extraction.canonical_url, encode(extraction.text_hash, 'hex')
FROM core.article
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
                    AND extraction.extractor_id = article.extractor_id
WHERE article.hidden_seq IS NULL
ORDER BY article.article_uid;

-- name: texts
-- Return the texts of revisions. Texts of re-extractions that were never promoted aren't content.
SELECT encode(text.text_hash, 'hex'), encode(sha256(convert_to(text.article_body, 'UTF8')), 'hex'),
       text.word_count, text.char_count
FROM core.text
WHERE EXISTS (
    SELECT 1
    FROM core.extraction
    JOIN core.capture ON capture.payload_hash = extraction.payload_hash
    JOIN core.revision ON revision.capture_id = capture.capture_id
                      AND revision.extractor_id = extraction.extractor_id
                      AND revision.superseded_seq IS NULL
    WHERE extraction.text_hash = text.text_hash)
ORDER BY text.text_hash;

-- name: revisions
-- Return the current revisions of every article.
SELECT revision.article_uid::text, revision.ordinal, revision.changed_parts, revision.cause,
       extraction.headline, extraction.description, extraction.authors, encode(extraction.text_hash, 'hex')
FROM core.revision
JOIN core.capture ON capture.capture_id = revision.capture_id
JOIN core.extraction ON extraction.payload_hash = capture.payload_hash
                    AND extraction.extractor_id = revision.extractor_id
WHERE revision.superseded_seq IS NULL
ORDER BY revision.article_uid, revision.ordinal;

-- name: variants
-- Return every URL that leads to an article.
SELECT variant.article_uid::text, variant.kind, variant.url
FROM core.article_url variant
ORDER BY variant.article_uid, variant.kind, variant.url_key;

-- name: comments
-- Return readers' comments.
SELECT comment.comment_uid::text, comment.article_uid::text, comment.author, comment.comment_body
FROM core.comment
ORDER BY comment.comment_uid;

-- name: clusters
-- Return the copy cluster of every article.
SELECT article.copy_cluster::text, article.article_uid::text
FROM mart.article
ORDER BY article.copy_cluster, article.article_uid;
