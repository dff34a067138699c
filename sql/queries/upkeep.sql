-- The daily care of a warehouse and its archive; and filling one from the archive.

-- name: known_segments
-- Where every segment lies that the warehouse knows.
SELECT segment_id, file FROM core.archive_segment WHERE expired_at IS NULL;

-- name: expired_segments
-- Segments whose bytes were given up.
SELECT segment_id FROM core.archive_segment WHERE expired_at IS NOT NULL;

-- name: repoint
-- A segment lies in another file than its row says.
UPDATE core.archive_segment SET file = %(file)s, base_offset = %(offset)s WHERE segment_id = %(segment_id)s;

-- name: running_crawls
-- Crawls without an end: theirs is for recovery.
SELECT crawl_id FROM ops.crawl WHERE finished_at IS NULL;

-- name: rebuilt_request
-- A request for a crawl that only the archive knows.
INSERT INTO ops.crawl_request (request_id, outlet, mode, interval_start, interval_end, requested_by, config_hash)
VALUES (%(crawl_id)s, %(outlet)s, %(mode)s, %(start)s, %(end)s, 'rebuilt from the archive', %(config_hash)s)
ON CONFLICT (request_id) DO NOTHING;

-- name: rebuilt_crawl
INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_start, interval_end, started_at, finished_at,
                       finish_reason, code_version, host, pid)
VALUES (%(crawl_id)s, %(crawl_id)s, %(outlet)s, %(mode)s, %(start)s, %(end)s, %(started_at)s, now(), 'finished',
        %(code_version)s, 'archive', 0)
ON CONFLICT (crawl_id) DO NOTHING;

-- name: rebuilt_candidates
INSERT INTO ops.candidate (crawl_id, url_uid, url, discovered_via) VALUES %s
ON CONFLICT (crawl_id, url_uid) DO NOTHING;

-- name: count_rebuilt
-- Of a crawl that came from the archive, the candidates are those that the archive has.
UPDATE ops.crawl w SET candidates = (SELECT count(*) FROM ops.candidate c WHERE c.crawl_id = w.crawl_id)
WHERE w.crawl_id = %(crawl_id)s AND w.host = 'archive';

-- name: partitions_ahead
SELECT ops.ensure_partitions(3);

-- name: drop_old_fetches
SELECT ops.drop_fetch_partitions(%(before)s);

-- name: purge_staged_visits
-- Rows of segments that are loaded already, or that nobody knows.
DELETE FROM staging.visit v
WHERE NOT EXISTS (SELECT 1 FROM ops.segment s WHERE s.segment_id = v.segment_id AND s.state <> 'loaded');

-- name: purge_staged_events
DELETE FROM staging.event e
WHERE NOT EXISTS (SELECT 1 FROM ops.segment s WHERE s.segment_id = e.segment_id AND s.state <> 'loaded');

-- name: purge_queue
-- Articles that wait for the search for copies and are no more.
DELETE FROM staging.to_cluster q
WHERE NOT EXISTS (SELECT 1 FROM core.article a WHERE a.article_uid = q.article_uid);

-- name: purge_bands
-- Bands of texts whose place another row has taken.
DELETE FROM core.copy_band b
USING core.compared_text c
WHERE NOT c.live AND c.recorded_at < now() - interval '7 days'
  AND b.month = date_trunc('month', c.published_on)::date AND b.compared_id = c.compared_id;

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
INSERT INTO staging.to_erase (segment_id, url_uid)
SELECT DISTINCT o.segment_id, o.url_uid FROM old o
-- A segment may hold an article's page under the same address: not in one crawl, but after a merge of files.
WHERE NOT EXISTS (SELECT 1 FROM core.visit v WHERE v.segment_id = o.segment_id AND v.url_uid = o.url_uid)
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

-- name: small_files
-- Files by outlet and month that may be joined, oldest first, with their bytes.
SELECT g.outlet, date_trunc('month', min(g.created_at), 'UTC') AS month, g.file, sum(g.length)::bigint AS bytes
FROM core.archive_segment g
WHERE g.expired_at IS NULL
GROUP BY g.outlet, g.file
HAVING max(g.created_at) < %(before)s AND sum(g.length) < %(most)s
ORDER BY g.outlet, month, min(g.created_at), g.file;

-- name: segments_of_file
SELECT segment_id, base_offset, length FROM core.archive_segment WHERE file = %(file)s ORDER BY base_offset;

-- name: move_segments
-- A file's segments now lie in another one, so many bytes further on.
UPDATE core.archive_segment SET file = %(target)s, base_offset = base_offset + %(shift)s
WHERE file = %(file)s AND expired_at IS NULL;

-- name: is_referred_to
SELECT EXISTS (SELECT 1 FROM core.archive_segment WHERE file = %(file)s AND expired_at IS NULL);
