-- Daily maintenance: partitions, staging tables, and data past its retention.

-- name: partitions_ahead
-- Create the monthly partitions up to three months ahead.
SELECT ops.ensure_partitions(3);

-- name: drop_old_fetches
-- Drop partitions of the request log that end before a time.
SELECT ops.drop_fetch_partitions(%(before)s);

-- name: purge_staged_captures
-- Delete staged captures whose segment is loaded or unknown.
DELETE FROM staging.capture
WHERE NOT EXISTS (SELECT 1 FROM ops.segment
                  WHERE segment.segment_id = capture.segment_id AND segment.state <> 'loaded');

-- name: purge_staged_events
-- Delete staged events whose segment is loaded or unknown.
DELETE FROM staging.event
WHERE NOT EXISTS (SELECT 1 FROM ops.segment WHERE segment.segment_id = event.segment_id AND segment.state <> 'loaded');

-- name: purge_queue
-- Remove articles that no longer exist from the cluster queue.
DELETE FROM staging.cluster_queue queue
WHERE NOT EXISTS (SELECT 1 FROM core.article WHERE article.article_uid = queue.article_uid);

-- name: purge_frontier
-- Delete URLs that are no article, are not due, and have not been fetched or listed since a time. One that is listed
-- again is fetched again. The URLs of articles stay.
DELETE FROM ops.frontier
WHERE frontier.article_uid IS NULL AND frontier.next_due_at IS NULL
  AND GREATEST(frontier.first_listed_at, frontier.last_fetch_at) < %(before)s
  AND NOT EXISTS (SELECT 1 FROM core.url_listing listing
                  WHERE listing.url_uid = frontier.url_uid AND listing.last_listed_at >= %(before)s);

-- name: purge_days
-- Delete the counters of days before a time.
DELETE FROM ops.outlet_day WHERE outlet_day.day < (%(before)s::timestamptz AT TIME ZONE 'UTC')::date;

-- name: purge_fingerprints
-- Delete signatures once no article waits for clustering. Clustering deletes those of the texts that it compared.
DELETE FROM core.fingerprint WHERE NOT EXISTS (SELECT 1 FROM staging.cluster_queue);

-- name: purge_bands
-- Delete LSH bands of texts that were replaced more than a week ago.
DELETE FROM core.lsh_band band
USING core.dedup_text
WHERE NOT dedup_text.live AND dedup_text.recorded_at < now() - interval '7 days'
  AND band.month = date_trunc('month', dedup_text.published_on)::date AND band.dedup_id = dedup_text.dedup_id;

-- name: old_comments
-- Delete an outlet's comments past their retention.
DELETE FROM core.comment USING core.article
WHERE article.article_uid = comment.article_uid AND article.outlet = %(outlet)s AND comment.first_seen_at < %(before)s;

-- name: old_refused
-- Queue an outlet's archived rejected pages past their retention for erasure. Their rows stay, without a pointer.
WITH old AS (
    UPDATE ops.quarantine SET segment_id = NULL, archive_offset = NULL, archive_length = NULL
    FROM (SELECT past.quarantine_id, past.segment_id, past.url_uid FROM ops.quarantine past
          WHERE past.outlet = %(outlet)s AND past.segment_id IS NOT NULL AND past.created_at < %(before)s) expired
    WHERE quarantine.quarantine_id = expired.quarantine_id
    RETURNING expired.segment_id, expired.url_uid
),
forgotten AS (
    UPDATE ops.frontier SET segment_id = NULL, archive_offset = NULL, archive_length = NULL, wire_digest = NULL
    FROM old
    WHERE frontier.url_uid = old.url_uid AND frontier.segment_id = old.segment_id
)
INSERT INTO staging.erase_queue (segment_id, url_uid)
SELECT DISTINCT old.segment_id, old.url_uid FROM old
-- A segment may hold an article's page under the same URL: not within one crawl, but after files are joined.
WHERE NOT EXISTS (SELECT 1 FROM core.capture
                  WHERE capture.segment_id = old.segment_id AND capture.url_uid = old.url_uid)
ON CONFLICT DO NOTHING;

-- name: old_files
-- Return an outlet's archive files in which every segment is past its retention.
SELECT file FROM core.archive_segment
WHERE outlet = %(outlet)s AND expired_at IS NULL
GROUP BY file
HAVING max(created_at) < %(before)s
ORDER BY file;

-- name: expire_file
-- Mark the segments of a file as expired.
UPDATE core.archive_segment SET expired_at = now() WHERE file = %(file)s AND expired_at IS NULL;

-- name: forget_expired
-- Clear frontier pointers into an expired file, so that the pages are archived again on their next fetch.
UPDATE ops.frontier SET segment_id = NULL, archive_offset = NULL, archive_length = NULL, wire_digest = NULL
FROM core.archive_segment segment
WHERE segment.segment_id = frontier.segment_id AND segment.file = %(file)s;
