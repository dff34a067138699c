-- Filling a warehouse from the archive.

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
