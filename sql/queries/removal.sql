-- Removals: what each one covers, and how it is hidden or erased. Runs as the eraser under the load lock.

-- name: all
-- Return removals that can apply to an outlet, or all if the outlet is null.
SELECT removal_id, target, action, value, outlet, value_key, value_length, applied_at IS NOT NULL, url_rule
FROM ops.removal
WHERE %(outlet)s::text IS NULL OR outlet = %(outlet)s OR (target = 'outlet' AND value = %(outlet)s)
   OR (target <> 'outlet' AND outlet IS NULL)
ORDER BY created_at, removal_id;

-- name: identity_parameters
-- Return the URL parameters that carry identity, from each outlet's latest file.
SELECT DISTINCT ON (outlet) outlet, config->'urls'->'parameters'
FROM ops.outlet_config
WHERE %(outlet)s::text IS NULL OR outlet = %(outlet)s
ORDER BY outlet, first_used_at DESC;

-- name: add
-- Add a removal unless it is known.
INSERT INTO ops.removal (removal_id, target, value, value_key, value_length, outlet, action, reason, requested_by,
                         created_at, url_rule)
VALUES (%(removal_id)s, %(target)s, %(value)s, %(value_key)s, %(value_length)s, %(outlet)s, %(action)s, %(reason)s,
        %(requested_by)s, %(created_at)s, %(url_rule)s)
ON CONFLICT (removal_id) DO NOTHING;

-- name: known_ids
-- Return the ids of all removals.
SELECT removal_id FROM ops.removal;

-- name: do_again
-- Schedule removals again whose content was staged after they were applied.
UPDATE ops.removal SET applied_at = NULL WHERE removal_id = ANY (%(removals)s::uuid[]);

-- name: addresses
-- Return every known URL of an outlet, or of all outlets if it is null.
SELECT outlet, url, url_uid FROM ops.frontier WHERE %(outlet)s::text IS NULL OR outlet = %(outlet)s
UNION
SELECT outlet, url, url_uid FROM core.url_listing WHERE %(outlet)s::text IS NULL OR outlet = %(outlet)s
UNION
SELECT article.outlet, variant.url, variant.url_uid
FROM core.article_url variant JOIN core.article ON article.article_uid = variant.article_uid
WHERE %(outlet)s::text IS NULL OR article.outlet = %(outlet)s
UNION
SELECT outlet, url, article_uid FROM core.article WHERE %(outlet)s::text IS NULL OR outlet = %(outlet)s
UNION
SELECT crawl.outlet, candidate.url, candidate.url_uid
FROM ops.candidate JOIN ops.crawl ON crawl.crawl_id = candidate.crawl_id
WHERE (%(outlet)s::text IS NULL OR crawl.outlet = %(outlet)s) AND NOT starts_with(candidate.url, 'erased:')
UNION
SELECT outlet, requested_url, url_uid FROM staging.capture WHERE %(outlet)s::text IS NULL OR outlet = %(outlet)s;

-- name: authors
-- Return author names with the articles that have them.
SELECT DISTINCT article.outlet, author.name, article.article_uid
FROM core.article
JOIN core.capture ON capture.article_uid = article.article_uid
JOIN core.extraction ON extraction.payload_hash = capture.payload_hash
CROSS JOIN LATERAL unnest(extraction.authors) AS author (name)
WHERE %(outlet)s::text IS NULL OR article.outlet = %(outlet)s;

-- name: commenters
-- Return commenter names with their comments.
SELECT article.outlet, comment.author, comment.comment_uid, comment.article_uid
FROM core.comment
JOIN core.article ON article.article_uid = comment.article_uid
WHERE comment.author IS NOT NULL AND (%(outlet)s::text IS NULL OR article.outlet = %(outlet)s);

-- name: closure
-- Return the articles behind these URL ids, including merged ones, and every URL id that leads to one of them.
-- A URL that a page only declares as canonical belongs to another page, unless that page was never fetched.
WITH matched AS (
    SELECT article.article_uid, COALESCE(article.merged_into, article.article_uid) AS shown
    FROM core.article
    WHERE article.article_uid = ANY (%(uids)s::uuid[])
       OR article.article_uid IN (SELECT variant.article_uid FROM core.article_url variant
                                  WHERE variant.url_uid = ANY (%(uids)s::uuid[])
                                    AND variant.kind IN ('requested', 'final'))
),
articles AS (
    SELECT article_uid FROM matched
    UNION SELECT shown FROM matched
    UNION SELECT article.article_uid FROM core.article JOIN matched ON article.merged_into = matched.shown
),
identities AS (
    SELECT unnest(%(uids)s::uuid[]) AS url_uid
    UNION SELECT article_uid FROM articles
    UNION SELECT variant.url_uid
          FROM core.article_url variant JOIN articles ON articles.article_uid = variant.article_uid
          WHERE variant.kind <> 'canonical'
             OR NOT EXISTS (SELECT 1 FROM core.article other
                            WHERE other.article_uid = variant.url_uid
                              AND other.article_uid NOT IN (SELECT article_uid FROM articles))
    UNION SELECT capture.url_uid FROM core.capture JOIN articles ON articles.article_uid = capture.article_uid
    UNION SELECT frontier.url_uid FROM ops.frontier JOIN articles ON articles.article_uid = frontier.article_uid
)
SELECT (SELECT COALESCE(array_agg(article_uid ORDER BY article_uid), '{}') FROM articles),
       (SELECT COALESCE(array_agg(url_uid ORDER BY url_uid), '{}') FROM identities);

-- name: written_addresses
-- Return every spelling of these URLs that any table holds.
SELECT url FROM ops.frontier WHERE url_uid = ANY (%(uids)s::uuid[])
UNION SELECT url FROM core.url_listing WHERE url_uid = ANY (%(uids)s::uuid[])
UNION SELECT url FROM ops.candidate WHERE url_uid = ANY (%(uids)s::uuid[])
UNION SELECT url FROM core.article_url
      WHERE url_uid = ANY (%(uids)s::uuid[]) OR article_uid = ANY (%(articles)s::uuid[])
UNION SELECT url FROM core.article WHERE article_uid = ANY (%(articles)s::uuid[])
UNION SELECT requested_url FROM core.capture WHERE article_uid = ANY (%(articles)s::uuid[])
UNION SELECT final_url FROM core.capture WHERE article_uid = ANY (%(articles)s::uuid[]) AND final_url IS NOT NULL;

-- name: enqueue_erase
-- Queue the captures of these URLs. Their bytes are overwritten after the commit.
INSERT INTO staging.erase_queue (segment_id, url_uid)
SELECT DISTINCT located.segment_id, located.url_uid FROM (
    SELECT segment_id, url_uid FROM ops.candidate WHERE url_uid = ANY (%(uids)s::uuid[])
    UNION SELECT segment_id, url_uid FROM ops.frontier WHERE url_uid = ANY (%(uids)s::uuid[])
    UNION SELECT segment_id, url_uid FROM ops.quarantine WHERE url_uid = ANY (%(uids)s::uuid[])
    UNION SELECT segment_id, url_uid FROM core.capture WHERE article_uid = ANY (%(articles)s::uuid[])
    UNION SELECT segment_id, url_uid FROM staging.capture
          WHERE url_uid = ANY (%(uids)s::uuid[]) OR article_uid = ANY (%(uids)s::uuid[])
) located
WHERE located.segment_id IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: hide
-- Hide articles.
UPDATE core.article SET hidden_seq = %(load_seq)s, changed_seq = %(load_seq)s, changed_at = now()
WHERE article_uid = ANY (%(articles)s::uuid[]) AND hidden_seq IS NULL;

-- name: hide_from_search
-- Empty the search documents of hidden articles.
UPDATE core.search_document SET tokens = '', source = '\x' WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: rest
-- Stop revisits of hidden or erased URLs.
UPDATE ops.frontier SET next_due_at = NULL, last_outcome = 'suppressed' WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: payloads
-- Return the payloads that only these articles have, and their rows of dedup_text.
SELECT (SELECT COALESCE(array_agg(DISTINCT capture.payload_hash), '{}') FROM core.capture
        WHERE capture.article_uid = ANY (%(articles)s::uuid[])
          AND NOT EXISTS (SELECT 1 FROM core.capture other
                          WHERE other.payload_hash = capture.payload_hash
                            AND other.article_uid <> ALL (%(articles)s::uuid[]))),
       (SELECT COALESCE(array_agg(dedup_id), '{}') FROM core.dedup_text
        WHERE article_uid = ANY (%(articles)s::uuid[]));

-- name: rejoin
-- Queue the remaining members of these articles' clusters for clustering.
INSERT INTO staging.cluster_queue (article_uid)
SELECT DISTINCT dedup_text.article_uid
FROM core.copy
JOIN core.dedup_text ON dedup_text.dedup_id IN (copy.dedup_a, copy.dedup_b)
WHERE (copy.dedup_a = ANY (%(compared)s::bigint[]) OR copy.dedup_b = ANY (%(compared)s::bigint[]))
  AND dedup_text.article_uid <> ALL (%(articles)s::uuid[])
UNION
SELECT member.article_uid FROM core.cluster_member member
WHERE member.superseded_seq IS NULL AND member.article_uid <> ALL (%(articles)s::uuid[])
  AND member.copy_cluster IN (SELECT own.copy_cluster FROM core.cluster_member own
                              WHERE own.superseded_seq IS NULL AND own.article_uid = ANY (%(articles)s::uuid[]));

-- name: erase_copies
-- Delete pairs of copies.
DELETE FROM core.copy WHERE dedup_a = ANY (%(compared)s::bigint[]) OR dedup_b = ANY (%(compared)s::bigint[]);

-- name: erase_bands
-- Delete LSH bands.
DELETE FROM core.lsh_band band USING core.dedup_text
WHERE dedup_text.article_uid = ANY (%(articles)s::uuid[])
  AND band.month = date_trunc('month', dedup_text.published_on)::date AND band.dedup_id = dedup_text.dedup_id;

-- name: erase_dedup_text
-- Delete rows of dedup_text.
DELETE FROM core.dedup_text WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_members
-- Delete cluster memberships.
DELETE FROM core.cluster_member WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_lines
-- Delete lines of these articles, and boilerplate lines that fewer than three other articles contain.
WITH gone AS (
    DELETE FROM core.article_line WHERE article_uid = ANY (%(articles)s::uuid[]) RETURNING outlet_line
)
DELETE FROM core.boilerplate_line boilerplate USING (SELECT DISTINCT outlet_line FROM gone) gone_line
WHERE boilerplate.outlet_line = gone_line.outlet_line
  AND (SELECT count(DISTINCT remaining.article_uid) FROM core.article_line remaining
       WHERE remaining.outlet_line = gone_line.outlet_line
         AND remaining.article_uid <> ALL (%(articles)s::uuid[])) < 3;

-- name: erase_memory
-- Delete the memory of the outlets of these articles. It is learned again from their other articles.
DELETE FROM core.outlet_line USING core.article
WHERE article.article_uid = ANY (%(articles)s::uuid[]) AND outlet_line.outlet = article.outlet;

-- name: erase_search
-- Delete search documents.
DELETE FROM core.search_document WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_merges
-- Delete merges from and into these articles.
DELETE FROM core.article_merge
WHERE article_uid = ANY (%(articles)s::uuid[]) OR merged_into = ANY (%(articles)s::uuid[]);

-- name: unmerge
-- Detach articles that were merged into these.
UPDATE core.article SET merged_into = NULL, changed_seq = %(load_seq)s, changed_at = now()
WHERE merged_into = ANY (%(articles)s::uuid[]);

-- name: erase_comments
-- Delete the readers' comments of these articles.
DELETE FROM core.comment WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_revisions
-- Delete revisions.
DELETE FROM core.revision WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_variants
-- Delete the URLs of these articles.
DELETE FROM core.article_url WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_captures
-- Delete captures.
DELETE FROM core.capture WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_articles
-- Delete articles.
DELETE FROM core.article WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_extraction_overrides
-- Delete extraction overrides.
DELETE FROM core.extraction_override WHERE payload_hash = ANY (%(payloads)s::bytea[]);

-- name: erase_extractions
-- Delete extractions and return the hashes of their texts.
WITH gone AS (
    DELETE FROM core.extraction WHERE payload_hash = ANY (%(payloads)s::bytea[]) RETURNING text_hash
)
SELECT DISTINCT text_hash FROM gone WHERE text_hash IS NOT NULL;

-- name: erase_fingerprints
-- Delete fingerprints of texts that no extraction uses.
DELETE FROM core.fingerprint WHERE fingerprint.text_hash = ANY (%(texts)s::bytea[])
  AND NOT EXISTS (SELECT 1 FROM core.extraction WHERE extraction.text_hash = fingerprint.text_hash);

-- name: erase_texts
-- Delete texts that nothing uses.
DELETE FROM core.text WHERE text.text_hash = ANY (%(texts)s::bytea[])
  AND NOT EXISTS (SELECT 1 FROM core.extraction WHERE extraction.text_hash = text.text_hash)
  AND NOT EXISTS (SELECT 1 FROM core.dedup_text WHERE dedup_text.text_hash = text.text_hash);

-- name: erase_events
-- Delete article events, except tombstones.
DELETE FROM core.article_event WHERE article_uid = ANY (%(articles)s::uuid[]) AND kind <> 'removed';

-- name: tombstones
-- Add a tombstone per article, so that consumers of article_changes can drop their copy.
INSERT INTO core.article_event (article_uid, kind, observed_at, detail, load_seq)
SELECT n.article_uid, 'removed', now(), NULL, %(load_seq)s FROM unnest(%(articles)s::uuid[]) AS n (article_uid)
ON CONFLICT DO NOTHING;

-- name: erase_url_listings
-- Delete listings.
DELETE FROM core.url_listing WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: erase_frontier
-- Delete frontier entries.
DELETE FROM ops.frontier WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: erase_quarantine
-- Delete rejected pages.
DELETE FROM ops.quarantine WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: erase_staged
-- Delete staged captures.
DELETE FROM staging.capture WHERE url_uid = ANY (%(uids)s::uuid[]) OR article_uid = ANY (%(uids)s::uuid[]);

-- name: mask_candidates
-- Replace URL ids in the ledger by keyed hashes, given as rows (URL id, mask). The outcomes stay.
UPDATE ops.candidate SET url_uid = masked.mask::uuid, url = 'erased:' || masked.mask, reason = NULL, article_uid = NULL
FROM (VALUES %s) AS masked (url_uid, mask)
WHERE candidate.url_uid = masked.url_uid::uuid;

-- name: mask_fetches
-- Blank these URLs in the request log.
UPDATE ops.fetch SET url = 'erased:', error = NULL WHERE url = ANY (%(urls)s::text[]);

-- name: mask_errors
-- Blank crawl errors that contain one of these URLs.
UPDATE ops.crawl SET error = 'erased:'
WHERE EXISTS (SELECT 1 FROM unnest(%(urls)s::text[]) AS erased (url) WHERE strpos(crawl.error, erased.url) > 0);

-- name: erase_commented
-- Delete comments by id.
DELETE FROM core.comment WHERE comment_uid = ANY (%(comments)s::uuid[]);

-- name: forget_bytes
-- Clear the archive pointers of these articles' captures. Their extracted fields stay.
UPDATE core.capture SET segment_id = NULL, archive_offset = NULL, archive_length = NULL
WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: forget_bytes_of_frontier
-- Clear the archive pointers of these frontier entries.
UPDATE ops.frontier SET segment_id = NULL, archive_offset = NULL, archive_length = NULL, wire_digest = NULL
WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: done
-- Record that a removal was applied and how many articles it covered.
UPDATE ops.removal SET applied_at = now(), applied_seq = %(load_seq)s,
    articles = COALESCE(articles, 0) + %(count)s
WHERE removal_id = %(removal_id)s;

-- name: segments_to_erase
-- Return the segments with queued captures, by file.
SELECT segment.segment_id, segment.file, segment.base_offset, segment.length, array_agg(queue.url_uid)
FROM staging.erase_queue queue
JOIN core.archive_segment segment ON segment.segment_id = queue.segment_id
WHERE segment.expired_at IS NULL
GROUP BY segment.segment_id, segment.file, segment.base_offset, segment.length
ORDER BY segment.file, segment.base_offset;

-- name: forget_samples
-- Drop the samples of re-extraction comparisons that involve these payloads.
UPDATE ops.reextraction
SET comparison = (SELECT jsonb_object_agg(field.key, field.value || '{"samples": []}')
                  FROM jsonb_each(reextraction.comparison) field)
WHERE reextraction.comparison IS NOT NULL AND reextraction.reextraction_id IN (
    SELECT page.reextraction_id FROM ops.reextraction_page page WHERE page.payload_hash = ANY (%(payloads)s::bytea[]));

-- name: hidden_before
-- Return earlier hide removals of the same value. They hold the value in clear text.
SELECT removal_id FROM ops.removal WHERE target = %(target)s AND action = 'hide' AND value = %(value)s;

-- name: unname
-- Turn a hide removal into an erase removal with a keyed hash instead of the value.
UPDATE ops.removal SET action = 'erase', value = NULL, value_key = %(value_key)s, value_length = %(value_length)s
WHERE removal_id = %(removal_id)s;

-- name: hashed
-- Return whether any removal is stored as a hash.
SELECT EXISTS (SELECT 1 FROM ops.removal WHERE value_key IS NOT NULL);

-- name: keep_check_value
-- Store the check value of the key of erasures, unless there is one.
INSERT INTO ops.erasure_key (check_value) VALUES (%(check_value)s) ON CONFLICT (only_row) DO NOTHING;

-- name: check_value
-- Return the check value of the key of erasures.
SELECT check_value FROM ops.erasure_key;

-- name: erased
-- Remove overwritten captures from the queue.
DELETE FROM staging.erase_queue WHERE segment_id = %(segment_id)s AND url_uid = ANY (%(uids)s::uuid[]);

-- name: nothing_to_erase
-- Remove queue entries whose segment has expired or is unknown.
DELETE FROM staging.erase_queue queue
WHERE NOT EXISTS (SELECT 1 FROM core.archive_segment segment
                  WHERE segment.segment_id = queue.segment_id AND segment.expired_at IS NULL);

-- name: staged
-- Return the staged captures of a segment with the fields that removals match.
SELECT capture_id, crawl_id, url_uid, article_uid, requested_url, url, urls, authors, comments
FROM staging.capture
WHERE segment_id = %(segment_id)s;

-- name: drop_staged
-- Delete staged captures of a segment.
DELETE FROM staging.capture WHERE segment_id = %(segment_id)s AND capture_id = ANY (%(captures)s::uuid[]);

-- name: replace_comments
-- Replace the comments of a staged capture. To erase, also clear its archive pointer, because the page shows them.
UPDATE staging.capture SET comments = %(comments)s,
    archive_segment_id = CASE WHEN %(erase)s THEN NULL ELSE archive_segment_id END,
    archive_offset = CASE WHEN %(erase)s THEN NULL ELSE archive_offset END,
    archive_length = CASE WHEN %(erase)s THEN NULL ELSE archive_length END
WHERE segment_id = %(segment_id)s AND capture_id = %(capture_id)s;

-- name: queue_erasure
-- Queue one capture to be overwritten.
INSERT INTO staging.erase_queue (segment_id, url_uid) VALUES (%(segment_id)s, %(url_uid)s) ON CONFLICT DO NOTHING;

-- name: list
-- List removals, oldest first.
SELECT created_at, target, COALESCE(value, '(erased)') AS value, outlet, action, reason, requested_by,
       applied_at, articles
FROM ops.removal ORDER BY created_at;
