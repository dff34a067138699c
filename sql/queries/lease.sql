-- Host leases: one request at a time per host, across all processes.

-- name: take
-- Take the lease of a host if it is free. Returns no row otherwise.
-- The row of a host is added here each time it is missing: a crash of the server can lose rows that were just added.
INSERT INTO ops.host_lease AS lease (host, holder, expires_at)
VALUES (%(host)s, %(holder)s, clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (host) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE (lease.holder IS NULL OR lease.holder = excluded.holder OR lease.expires_at < clock_timestamp())
  AND lease.free_at <= clock_timestamp()
RETURNING true;

-- name: forget_dead
-- Free the lease of a holder whose process has died, which shows in its own lease being free.
-- Its last request may have just been sent, so the delay starts now.
UPDATE ops.host_lease
SET holder = NULL, expires_at = NULL, free_at = clock_timestamp() + make_interval(secs => %(delay)s)
WHERE host = %(host)s AND holder IS NOT NULL AND holder <> %(holder)s
  AND NOT EXISTS (SELECT 1 FROM ops.lock held WHERE held.name = 'lease:' || host_lease.holder AND ops.is_held(held));

-- name: wait_seconds
-- Return the seconds until the lease can be free, and whether it is held now.
SELECT GREATEST(0, EXTRACT(epoch FROM free_at - clock_timestamp()))::float AS until_free, holder IS NOT NULL
FROM ops.host_lease WHERE host = %(host)s;

-- name: give_back
-- Release the lease at the end of a request. The delay starts now.
UPDATE ops.host_lease
SET holder = NULL, expires_at = NULL, free_at = clock_timestamp() + make_interval(secs => %(delay)s)
WHERE host = %(host)s AND holder = %(holder)s;
