-- Rebuild of a warehouse from the archive.

-- name: known_segments
-- Return the file of every segment that has not expired.
SELECT segment_id, file FROM core.archive_segment WHERE expired_at IS NULL;

-- name: expired_segments
-- Return segments whose bytes have expired.
SELECT segment_id FROM core.archive_segment WHERE expired_at IS NOT NULL;

-- name: repoint
-- Point a segment to the file in which it was found.
UPDATE core.archive_segment SET file = %(file)s, base_offset = %(offset)s WHERE segment_id = %(segment_id)s;

-- name: running_crawls
-- Return crawls without an end. Their segments are left to recovery.
SELECT crawl_id FROM ops.crawl WHERE finished_at IS NULL;

-- name: rebuilt_request
-- Add the request of a crawl that is known only from the archive.
INSERT INTO ops.crawl_request (request_id, outlet, mode, interval_start, interval_end, requested_by, config_hash)
SELECT %(crawl_id)s, %(outlet)s, %(mode)s, %(start)s::timestamptz, %(end)s::timestamptz, 'rebuilt from the archive',
       %(config_hash)s
WHERE NOT EXISTS (SELECT 1 FROM ops.crawl WHERE crawl_id = %(crawl_id)s)
ON CONFLICT (request_id) DO NOTHING;

-- name: rebuilt_crawl
-- Add a crawl that is known only from the archive.
INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_start, interval_end, started_at, finished_at,
                       finish_reason, code_version, host, pid)
VALUES (%(crawl_id)s, %(crawl_id)s, %(outlet)s, %(mode)s, %(start)s, %(end)s, %(started_at)s, now(), 'finished',
        %(code_version)s, 'archive', 0)
ON CONFLICT (crawl_id) DO NOTHING;

-- name: rebuilt_candidates
-- Add the candidates of a rebuilt crawl.
INSERT INTO ops.candidate (crawl_id, url_uid, url, discovered_via) VALUES %s
ON CONFLICT (crawl_id, url_uid) DO NOTHING;

-- name: count_rebuilt
-- Set the number of candidates of a rebuilt crawl to those found in the archive.
UPDATE ops.crawl SET candidates = (SELECT count(*) FROM ops.candidate WHERE candidate.crawl_id = crawl.crawl_id)
WHERE crawl.crawl_id = %(crawl_id)s AND crawl.host = 'archive';
