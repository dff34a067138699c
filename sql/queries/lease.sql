-- One request at a time per host, across all processes.

-- name: ensure_host
-- A row for a host.
INSERT INTO ops.host_lease (host) VALUES (%(host)s) ON CONFLICT DO NOTHING;

-- name: take
-- Take the lease of a host where it is free; no row where it is not.
UPDATE ops.host_lease
SET holder = %(holder)s, expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE host = %(host)s AND (holder IS NULL OR holder = %(holder)s OR expires_at < clock_timestamp()) AND free_at <= clock_timestamp()
RETURNING true;

-- name: forget_dead
-- Free the lease of a holder whose process is gone: it held a lock for as long as it lived. Its last request may
-- have been sent just now, so the delay runs from now.
UPDATE ops.host_lease
SET holder = NULL, expires_at = NULL, free_at = clock_timestamp() + make_interval(secs => %(delay)s)
WHERE host = %(host)s AND holder IS NOT NULL AND holder <> %(holder)s
  AND pg_try_advisory_xact_lock(hashtextextended('lease:' || holder, 0));

-- name: wait_seconds
-- How long until the lease may be free.
SELECT GREATEST(0, EXTRACT(epoch FROM free_at - clock_timestamp()))::float AS until_free, holder IS NOT NULL
FROM ops.host_lease WHERE host = %(host)s;

-- name: give_back
-- End of a request: the delay runs from now.
UPDATE ops.host_lease
SET holder = NULL, expires_at = NULL, free_at = clock_timestamp() + make_interval(secs => %(delay)s)
WHERE host = %(host)s AND holder = %(holder)s;
