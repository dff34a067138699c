-- Joining small archive files, and deleting files that nothing refers to.

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
