-- Removals: what they cover, and taking it out. Run as the eraser under the loads' lock.

-- name: all
-- Removals, those of an outlet or all.
SELECT r.removal_id, r.target, r.action, r.value, r.outlet, r.value_key, r.value_length, r.applied_at IS NOT NULL
FROM ops.removal r
WHERE %(outlet)s::text IS NULL OR r.outlet = %(outlet)s OR (r.target = 'outlet' AND r.value = %(outlet)s)
   OR (r.target <> 'outlet' AND r.outlet IS NULL)
ORDER BY r.created_at, r.removal_id;

-- name: identity_parameters
-- Parameters that carry identity at outlets, by their last file.
SELECT DISTINCT ON (c.outlet) c.outlet, c.config->'urls'->'parameters'
FROM ops.outlet_config c
WHERE %(outlet)s::text IS NULL OR c.outlet = %(outlet)s
ORDER BY c.outlet, c.first_used_at DESC;

-- name: add
INSERT INTO ops.removal (removal_id, target, value, value_key, value_length, outlet, action, reason, requested_by, created_at)
VALUES (%(removal_id)s, %(target)s, %(value)s, %(value_key)s, %(value_length)s, %(outlet)s, %(action)s, %(reason)s,
        %(requested_by)s, %(created_at)s)
ON CONFLICT (removal_id) DO NOTHING;

-- name: known_ids
SELECT removal_id FROM ops.removal;

-- name: do_again
-- Something that it covers came in after it had been carried out.
UPDATE ops.removal SET applied_at = NULL WHERE removal_id = ANY (%(removals)s::uuid[]);

-- name: addresses
-- Every address that is known, of an outlet or of all.
SELECT f.outlet, f.url, f.url_uid FROM ops.frontier f WHERE %(outlet)s::text IS NULL OR f.outlet = %(outlet)s
UNION
SELECT s.outlet, s.url, s.url_uid FROM core.url_listing s WHERE %(outlet)s::text IS NULL OR s.outlet = %(outlet)s
UNION
SELECT a.outlet, u.url, u.url_uid FROM core.article_url u JOIN core.article a ON a.article_uid = u.article_uid
WHERE %(outlet)s::text IS NULL OR a.outlet = %(outlet)s
UNION
SELECT a.outlet, a.url, a.article_uid FROM core.article a WHERE %(outlet)s::text IS NULL OR a.outlet = %(outlet)s
UNION
SELECT w.outlet, c.url, c.url_uid FROM ops.candidate c JOIN ops.crawl w ON w.crawl_id = c.crawl_id
WHERE (%(outlet)s::text IS NULL OR w.outlet = %(outlet)s) AND NOT starts_with(c.url, 'erased:')
UNION
SELECT v.outlet, v.requested_url, v.url_uid FROM staging.capture v WHERE %(outlet)s::text IS NULL OR v.outlet = %(outlet)s;

-- name: authors
-- Names of authors, with an article that has them.
SELECT DISTINCT a.outlet, n.name, a.article_uid
FROM core.article a
JOIN core.capture v ON v.article_uid = a.article_uid
JOIN core.extraction x ON x.payload_hash = v.payload_hash
CROSS JOIN LATERAL unnest(x.authors) AS n (name)
WHERE %(outlet)s::text IS NULL OR a.outlet = %(outlet)s;

-- name: commenters
-- Names of commenters, with a comment of theirs.
SELECT a.outlet, c.author, c.comment_uid, c.article_uid
FROM core.comment c
JOIN core.article a ON a.article_uid = c.article_uid
WHERE c.author IS NOT NULL AND (%(outlet)s::text IS NULL OR a.outlet = %(outlet)s);

-- name: closure
-- Articles behind these identities, with those that were merged with them, and every identity that leads to one of them.
-- An address that a page only names as canonical is another page's, unless that page was never fetched.
WITH met AS (
    SELECT a.article_uid, COALESCE(a.merged_into, a.article_uid) AS shown
    FROM core.article a
    WHERE a.article_uid = ANY (%(uids)s::uuid[])
       OR a.article_uid IN (SELECT u.article_uid FROM core.article_url u
                            WHERE u.url_uid = ANY (%(uids)s::uuid[]) AND u.kind IN ('requested', 'final'))
),
articles AS (
    SELECT article_uid FROM met
    UNION SELECT shown FROM met
    UNION SELECT a.article_uid FROM core.article a JOIN met ON a.merged_into = met.shown
),
identities AS (
    SELECT unnest(%(uids)s::uuid[]) AS url_uid
    UNION SELECT article_uid FROM articles
    UNION SELECT u.url_uid FROM core.article_url u JOIN articles a ON a.article_uid = u.article_uid
          WHERE u.kind <> 'canonical'
             OR NOT EXISTS (SELECT 1 FROM core.article o
                            WHERE o.article_uid = u.url_uid AND o.article_uid NOT IN (SELECT article_uid FROM articles))
    UNION SELECT v.url_uid FROM core.capture v JOIN articles a ON a.article_uid = v.article_uid
    UNION SELECT f.url_uid FROM ops.frontier f JOIN articles a ON a.article_uid = f.article_uid
)
SELECT (SELECT COALESCE(array_agg(article_uid ORDER BY article_uid), '{}') FROM articles),
       (SELECT COALESCE(array_agg(url_uid ORDER BY url_uid), '{}') FROM identities);

-- name: written_addresses
-- These identities as they are written anywhere.
SELECT f.url FROM ops.frontier f WHERE f.url_uid = ANY (%(uids)s::uuid[])
UNION SELECT s.url FROM core.url_listing s WHERE s.url_uid = ANY (%(uids)s::uuid[])
UNION SELECT c.url FROM ops.candidate c WHERE c.url_uid = ANY (%(uids)s::uuid[])
UNION SELECT u.url FROM core.article_url u WHERE u.url_uid = ANY (%(uids)s::uuid[]) OR u.article_uid = ANY (%(articles)s::uuid[])
UNION SELECT a.url FROM core.article a WHERE a.article_uid = ANY (%(articles)s::uuid[])
UNION SELECT v.requested_url FROM core.capture v WHERE v.article_uid = ANY (%(articles)s::uuid[])
UNION SELECT v.final_url FROM core.capture v WHERE v.article_uid = ANY (%(articles)s::uuid[]) AND v.final_url IS NOT NULL;

-- name: enqueue_erase
-- Segments with captures of these identities: their bytes are overwritten after the commit.
INSERT INTO staging.erase_queue (segment_id, url_uid)
SELECT DISTINCT s.segment_id, s.url_uid FROM (
    SELECT c.segment_id, c.url_uid FROM ops.candidate c WHERE c.url_uid = ANY (%(uids)s::uuid[])
    UNION SELECT f.segment_id, f.url_uid FROM ops.frontier f WHERE f.url_uid = ANY (%(uids)s::uuid[])
    UNION SELECT q.segment_id, q.url_uid FROM ops.quarantine q WHERE q.url_uid = ANY (%(uids)s::uuid[])
    UNION SELECT v.segment_id, v.url_uid FROM core.capture v WHERE v.article_uid = ANY (%(articles)s::uuid[])
    UNION SELECT v.segment_id, v.url_uid FROM staging.capture v
          WHERE v.url_uid = ANY (%(uids)s::uuid[]) OR v.article_uid = ANY (%(uids)s::uuid[])
) s
WHERE s.segment_id IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: hide
UPDATE core.article SET hidden_seq = %(load_seq)s, changed_seq = %(load_seq)s, changed_at = now()
WHERE article_uid = ANY (%(articles)s::uuid[]) AND hidden_seq IS NULL;

-- name: hide_from_search
UPDATE core.search_document SET tokens = '', source = '\x' WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: rest
-- What is hidden or erased is not looked at again.
UPDATE ops.frontier SET next_due_at = NULL, last_outcome = 'suppressed' WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: payloads
-- Payloads and texts of these articles that no other article has.
SELECT (SELECT COALESCE(array_agg(DISTINCT v.payload_hash), '{}') FROM core.capture v
        WHERE v.article_uid = ANY (%(articles)s::uuid[])
          AND NOT EXISTS (SELECT 1 FROM core.capture o WHERE o.payload_hash = v.payload_hash
                                                     AND o.article_uid <> ALL (%(articles)s::uuid[]))),
       (SELECT COALESCE(array_agg(c.dedup_id), '{}') FROM core.dedup_text c
        WHERE c.article_uid = ANY (%(articles)s::uuid[]));

-- name: rejoin
-- Articles whose clusters lose a member are looked at again.
INSERT INTO staging.cluster_queue (article_uid)
SELECT DISTINCT o.article_uid
FROM core.copy p
JOIN core.dedup_text o ON o.dedup_id IN (p.dedup_a, p.dedup_b)
WHERE (p.dedup_a = ANY (%(compared)s::bigint[]) OR p.dedup_b = ANY (%(compared)s::bigint[]))
  AND o.article_uid <> ALL (%(articles)s::uuid[])
UNION
SELECT m.article_uid FROM core.cluster_member m
WHERE m.superseded_seq IS NULL AND m.article_uid <> ALL (%(articles)s::uuid[])
  AND m.copy_cluster IN (SELECT own.copy_cluster FROM core.cluster_member own
                          WHERE own.superseded_seq IS NULL AND own.article_uid = ANY (%(articles)s::uuid[]));

-- name: erase_copies
DELETE FROM core.copy WHERE dedup_a = ANY (%(compared)s::bigint[]) OR dedup_b = ANY (%(compared)s::bigint[]);

-- name: erase_bands
DELETE FROM core.lsh_band b USING core.dedup_text c
WHERE c.article_uid = ANY (%(articles)s::uuid[]) AND b.month = date_trunc('month', c.published_on)::date
  AND b.dedup_id = c.dedup_id;

-- name: erase_dedup_text
DELETE FROM core.dedup_text WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_members
DELETE FROM core.cluster_member WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_lines
-- A line that is known to recur only because of these articles goes too.
WITH gone AS (
    DELETE FROM core.article_line WHERE article_uid = ANY (%(articles)s::uuid[]) RETURNING outlet_line
)
DELETE FROM core.boilerplate_line r USING (SELECT DISTINCT outlet_line FROM gone) g
WHERE r.outlet_line = g.outlet_line
  AND (SELECT count(DISTINCT l.article_uid) FROM core.article_line l
       WHERE l.outlet_line = g.outlet_line AND l.article_uid <> ALL (%(articles)s::uuid[])) < 3;

-- name: erase_search
DELETE FROM core.search_document WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_merges
DELETE FROM core.article_merge WHERE article_uid = ANY (%(articles)s::uuid[]) OR merged_into = ANY (%(articles)s::uuid[]);

-- name: unmerge
UPDATE core.article SET merged_into = NULL, changed_seq = %(load_seq)s, changed_at = now()
WHERE merged_into = ANY (%(articles)s::uuid[]);

-- name: erase_comments
DELETE FROM core.comment WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_revisions
DELETE FROM core.revision WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_variants
DELETE FROM core.article_url WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_captures
DELETE FROM core.capture WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_articles
DELETE FROM core.article WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: erase_extraction_overrides
DELETE FROM core.extraction_override WHERE payload_hash = ANY (%(payloads)s::bytea[]);

-- name: erase_extractions
WITH gone AS (
    DELETE FROM core.extraction WHERE payload_hash = ANY (%(payloads)s::bytea[]) RETURNING text_hash
)
SELECT DISTINCT text_hash FROM gone WHERE text_hash IS NOT NULL;

-- name: erase_fingerprints
DELETE FROM core.fingerprint f WHERE f.text_hash = ANY (%(texts)s::bytea[])
  AND NOT EXISTS (SELECT 1 FROM core.extraction x WHERE x.text_hash = f.text_hash);

-- name: erase_texts
DELETE FROM core.text t WHERE t.text_hash = ANY (%(texts)s::bytea[])
  AND NOT EXISTS (SELECT 1 FROM core.extraction x WHERE x.text_hash = t.text_hash)
  AND NOT EXISTS (SELECT 1 FROM core.dedup_text c WHERE c.text_hash = t.text_hash);

-- name: erase_events
DELETE FROM core.article_event WHERE article_uid = ANY (%(articles)s::uuid[]) AND kind <> 'removed';

-- name: tombstones
-- What consumers of increments are told: this article is no more.
INSERT INTO core.article_event (article_uid, kind, observed_at, detail, load_seq)
SELECT n.article_uid, 'removed', now(), NULL, %(load_seq)s FROM unnest(%(articles)s::uuid[]) AS n (article_uid)
ON CONFLICT DO NOTHING;

-- name: erase_url_listings
DELETE FROM core.url_listing WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: erase_frontier
DELETE FROM ops.frontier WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: erase_quarantine
DELETE FROM ops.quarantine WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: erase_staged
DELETE FROM staging.capture WHERE url_uid = ANY (%(uids)s::uuid[]) OR article_uid = ANY (%(uids)s::uuid[]);

-- name: mask_candidates
-- The ledger keeps how they ended, under a keyed identity. (identity, its mask)
UPDATE ops.candidate c SET url_uid = m.mask::uuid, url = 'erased:' || m.mask, reason = NULL, article_uid = NULL
FROM (VALUES %s) AS m (url_uid, mask)
WHERE c.url_uid = m.url_uid::uuid;

-- name: mask_fetches
UPDATE ops.fetch f SET url = 'erased:', error = NULL WHERE f.url = ANY (%(urls)s::text[]);

-- name: mask_errors
UPDATE ops.crawl w SET error = 'erased:'
WHERE EXISTS (SELECT 1 FROM unnest(%(urls)s::text[]) AS u (url) WHERE strpos(w.error, u.url) > 0);

-- name: erase_commented
DELETE FROM core.comment WHERE comment_uid = ANY (%(comments)s::uuid[]);

-- name: forget_bytes
-- The archived pages of these articles go; what was read of them stays.
UPDATE core.capture SET segment_id = NULL, archive_offset = NULL, archive_length = NULL
WHERE article_uid = ANY (%(articles)s::uuid[]);

-- name: forget_bytes_of_frontier
UPDATE ops.frontier SET segment_id = NULL, archive_offset = NULL, archive_length = NULL, wire_digest = NULL
WHERE url_uid = ANY (%(uids)s::uuid[]);

-- name: done
UPDATE ops.removal SET applied_at = now(), applied_seq = %(load_seq)s,
    articles = COALESCE(articles, 0) + %(count)s
WHERE removal_id = %(removal_id)s;

-- name: segments_to_erase
-- What is still to be overwritten, by file.
SELECT g.segment_id, g.file, g.base_offset, g.length, array_agg(e.url_uid)
FROM staging.erase_queue e
JOIN core.archive_segment g ON g.segment_id = e.segment_id
WHERE g.expired_at IS NULL
GROUP BY g.segment_id, g.file, g.base_offset, g.length
ORDER BY g.file, g.base_offset;

-- name: forget_samples
-- What comparisons of extractors show of these pages.
UPDATE ops.reextraction r
SET comparison = (SELECT jsonb_object_agg(f.key, f.value || '{"samples": []}')
                  FROM jsonb_each(r.comparison) f)
WHERE r.comparison IS NOT NULL AND r.reextraction_id IN (
    SELECT p.reextraction_id FROM ops.reextraction_page p WHERE p.payload_hash = ANY (%(payloads)s::bytea[]));

-- name: hidden_before
-- Removals that hid what is now erased: they name it.
SELECT removal_id FROM ops.removal WHERE target = %(target)s AND action = 'hide' AND value = %(value)s;

-- name: unname
UPDATE ops.removal SET action = 'erase', value = NULL, value_key = %(value_key)s, value_length = %(value_length)s
WHERE removal_id = %(removal_id)s;

-- name: hashed
-- Whether anything is recognised by its hash.
SELECT EXISTS (SELECT 1 FROM ops.removal WHERE value_key IS NOT NULL);

-- name: erased
DELETE FROM staging.erase_queue WHERE segment_id = %(segment_id)s AND url_uid = ANY (%(uids)s::uuid[]);

-- name: nothing_to_erase
-- Segments whose bytes are there no more.
DELETE FROM staging.erase_queue e
WHERE NOT EXISTS (SELECT 1 FROM core.archive_segment g WHERE g.segment_id = e.segment_id AND g.expired_at IS NULL);

-- name: staged
-- Staged captures of a segment, as far as a removal may look at them.
SELECT v.capture_id, v.crawl_id, v.url_uid, v.article_uid, v.requested_url, v.url, v.urls, v.authors, v.comments
FROM staging.capture v
WHERE v.segment_id = %(segment_id)s;

-- name: drop_staged
DELETE FROM staging.capture WHERE segment_id = %(segment_id)s AND capture_id = ANY (%(captures)s::uuid[]);

-- name: replace_comments
-- Comments without those of a commenter; no pointer to a page that shows them.
UPDATE staging.capture SET comments = %(comments)s,
    archive_segment_id = CASE WHEN %(erase)s THEN NULL ELSE archive_segment_id END,
    archive_offset = CASE WHEN %(erase)s THEN NULL ELSE archive_offset END,
    archive_length = CASE WHEN %(erase)s THEN NULL ELSE archive_length END
WHERE segment_id = %(segment_id)s AND capture_id = %(capture_id)s;

-- name: queue_erasure
INSERT INTO staging.erase_queue (segment_id, url_uid) VALUES (%(segment_id)s, %(url_uid)s) ON CONFLICT DO NOTHING;

-- name: list
SELECT r.created_at, r.target, COALESCE(r.value, '(erased)') AS value, r.outlet, r.action, r.reason, r.requested_by,
       r.applied_at, r.articles
FROM ops.removal r ORDER BY r.created_at;
