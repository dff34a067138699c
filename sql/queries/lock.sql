-- Leases (ops.lock): taken for seconds, renewed by a heartbeat, free again if their holder is disconnected.

-- name: limit_waits
-- Fail if a lock is not free within %(patience)s, until the end of the transaction.
SELECT set_config('lock_timeout', %(patience)s, true);

-- name: take_turn
-- Lock a row until the end of the transaction. 'load': loads run one after the other, so that the order of load_seq is
-- the order of commits. 'cluster': one clustering process at a time.
INSERT INTO ops.lock (name) VALUES (%(name)s) ON CONFLICT (name) DO UPDATE SET name = excluded.name;

-- name: take
-- Take a lease if it is free, or renew it. seconds: null for a lease that ends with its connection.
-- Returns its fencing token, or no row if somebody else holds it.
INSERT INTO ops.lock AS held (name, holder, fencing_token, backend_pid, backend_started_at, heartbeat_at, expires_at)
VALUES (%(name)s, %(holder)s, 1, pg_backend_pid(),
        (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()), clock_timestamp(),
        COALESCE(clock_timestamp() + make_interval(secs => %(seconds)s), 'infinity'))
ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder,
    fencing_token = held.fencing_token + (held.holder IS DISTINCT FROM excluded.holder)::integer,
    backend_pid = excluded.backend_pid, backend_started_at = excluded.backend_started_at,
    heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at
WHERE held.holder = excluded.holder OR NOT ops.is_held(held)
RETURNING fencing_token;

-- name: renew
-- Renew the leases of a holder, except those that one of its own commits has locked. Returns all of them.
WITH free AS (
    SELECT name FROM ops.lock WHERE holder = %(holder)s FOR UPDATE SKIP LOCKED
),
renewed AS (
    UPDATE ops.lock
    SET heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => %(seconds)s),
        backend_pid = pg_backend_pid(),
        backend_started_at = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
    FROM free
    WHERE lock.name = free.name
)
SELECT name, fencing_token FROM ops.lock WHERE holder = %(holder)s;

-- name: give_back
-- Free a lease.
UPDATE ops.lock SET holder = NULL, expires_at = NULL WHERE name = %(name)s AND holder = %(holder)s;

-- name: give_back_all
-- Free all leases of a holder.
UPDATE ops.lock SET holder = NULL, expires_at = NULL WHERE holder = %(holder)s;

-- name: confirm
-- Lock the row of a lease that this holder has with this fencing token, so that nobody takes it before the commit.
SELECT 1 FROM ops.lock
WHERE name = %(name)s AND holder = %(holder)s AND fencing_token = %(token)s
FOR SHARE;

-- name: purge
-- Delete free leases of processes and crawls that have ended.
DELETE FROM ops.lock held
WHERE (name LIKE 'alive:%%' OR name LIKE 'lease:%%') AND NOT ops.is_held(held)
  AND COALESCE(heartbeat_at, '-infinity') < now() - interval '1 day';
