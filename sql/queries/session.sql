-- The settings of every session, made once after it is opened.

-- name: prepare
-- Switch to a role ('none' for the user's own) and set what makes the server give up a client that is gone.
-- The server sends keepalives after 30 seconds and closes the connection after 60 without a response. It notices a
-- closed connection while a statement runs, too. A process that is suspended within a transaction is ended, so that its
-- row locks are freed. Returns null, and sets nothing, if the session is not the one with the process id of the handshake:
-- then it is that of a pooler, which will give it to others.
SELECT CASE WHEN pg_backend_pid() = %(pid)s
             AND set_config('role', %(role)s, false) IS NOT NULL
             AND set_config('timezone', 'UTC', false) IS NOT NULL
             AND set_config('tcp_keepalives_idle', '30', false) IS NOT NULL
             AND set_config('tcp_keepalives_interval', '10', false) IS NOT NULL
             AND set_config('tcp_keepalives_count', '3', false) IS NOT NULL
             AND set_config('tcp_user_timeout', '60s', false) IS NOT NULL
             AND set_config('client_connection_check_interval', '2s', false) IS NOT NULL
             AND set_config('idle_in_transaction_session_timeout', '2min', false) IS NOT NULL
       THEN true END;

-- name: without_idle_limit
-- Allow long pauses within a transaction, for a reader that streams rows to a slow consumer.
SELECT set_config('idle_in_transaction_session_timeout', '1h', false);

-- name: as_user
-- Switch back to the user's own role until the end of the transaction: it sees its sessions, and the roles do not.
SELECT set_config('role', 'none', true);

-- name: oldest_transactions
-- List Pressmark's oldest open transactions. Run as the user itself, since the roles do not see its sessions.
SELECT pid, COALESCE(host(client_addr), 'this machine'), application_name, state, xact_start
FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'pressmark%%' AND pid <> pg_backend_pid()
  AND xact_start IS NOT NULL
ORDER BY xact_start
LIMIT 3;
