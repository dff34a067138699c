-- Daily maintenance: partitions, staging, and data past its retention.

-- name: partitions_ahead
SELECT ops.ensure_partitions(3);

-- name: drop_old_fetches
SELECT ops.drop_fetch_partitions(%(before)s);

-- name: purge_staged_captures
-- Rows of segments that are loaded already, or that nobody knows.
DELETE FROM staging.capture v
WHERE NOT EXISTS (SELECT 1 FROM ops.segment s WHERE s.segment_id = v.segment_id AND s.state <> 'loaded');

-- name: purge_staged_events
DELETE FROM staging.event e
WHERE NOT EXISTS (SELECT 1 FROM ops.segment s WHERE s.segment_id = e.segment_id AND s.state <> 'loaded');

-- name: purge_queue
-- Articles that wait for the search for copies and are no more.
DELETE FROM staging.cluster_queue q
WHERE NOT EXISTS (SELECT 1 FROM core.article a WHERE a.article_uid = q.article_uid);

-- name: purge_bands
-- Bands of texts whose place another row has taken.
DELETE FROM core.lsh_band b
USING core.dedup_text c
WHERE NOT c.live AND c.recorded_at < now() - interval '7 days'
  AND b.month = date_trunc('month', c.published_on)::date AND b.dedup_id = c.dedup_id;

-- name: old_comments
DELETE FROM core.comment c USING core.article a
WHERE a.article_uid = c.article_uid AND a.outlet = %(outlet)s AND c.first_seen_at < %(before)s;

-- name: old_refused
-- Archived pages that became no article, to be overwritten; what is known of them stays.
WITH old AS (
    UPDATE ops.quarantine q SET segment_id = NULL, archive_offset = NULL, archive_length = NULL
    FROM (SELECT quarantine_id, segment_id, url_uid FROM ops.quarantine
          WHERE outlet = %(outlet)s AND segment_id IS NOT NULL AND created_at < %(before)s) was
    WHERE q.quarantine_id = was.quarantine_id
    RETURNING was.segment_id, was.url_uid
),
forgotten AS (
    UPDATE ops.frontier f SET segment_id = NULL, archive_offset = NULL, archive_length = NULL, wire_digest = NULL
    FROM old o
    WHERE f.url_uid = o.url_uid AND f.segment_id = o.segment_id
)
INSERT INTO staging.erase_queue (segment_id, url_uid)
SELECT DISTINCT o.segment_id, o.url_uid FROM old o
-- A segment may hold an article's page under the same address: not in one crawl, but after a merge of files.
WHERE NOT EXISTS (SELECT 1 FROM core.capture v WHERE v.segment_id = o.segment_id AND v.url_uid = o.url_uid)
ON CONFLICT DO NOTHING;

-- name: old_files
-- Files of an outlet of which every segment is older than its retention.
SELECT g.file FROM core.archive_segment g
WHERE g.outlet = %(outlet)s AND g.expired_at IS NULL
GROUP BY g.file
HAVING max(g.created_at) < %(before)s
ORDER BY g.file;

-- name: expire_file
UPDATE core.archive_segment SET expired_at = now() WHERE file = %(file)s AND expired_at IS NULL;

-- name: forget_expired
-- Pages that come again are archived anew.
UPDATE ops.frontier f SET segment_id = NULL, archive_offset = NULL, archive_length = NULL, wire_digest = NULL
FROM core.archive_segment g
WHERE g.segment_id = f.segment_id AND g.file = %(file)s;
