-- Compaction: join small archive files and find files that no segment uses.

-- name: small_files
-- List files that may be joined, by outlet and month, oldest first, with their size in bytes.
SELECT outlet, date_trunc('month', min(created_at), 'UTC') AS month, file, sum(length)::bigint AS bytes
FROM core.archive_segment
WHERE expired_at IS NULL
GROUP BY outlet, file
HAVING max(created_at) < %(before)s AND sum(length) < %(most)s
ORDER BY outlet, month, min(created_at), file;

-- name: segments_of_file
-- List the segments of a file in the order of their offsets.
SELECT segment_id, base_offset, length FROM core.archive_segment WHERE file = %(file)s ORDER BY base_offset;

-- name: move_segments
-- Point a file's segments to the file they were joined into, shifted by a number of bytes.
UPDATE core.archive_segment SET file = %(target)s, base_offset = base_offset + %(shift)s
WHERE file = %(file)s AND expired_at IS NULL;

-- name: is_referred_to
-- Return whether any segment uses this file.
SELECT EXISTS (SELECT 1 FROM core.archive_segment WHERE file = %(file)s AND expired_at IS NULL);
