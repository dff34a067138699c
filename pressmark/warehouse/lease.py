"""One request at a time per host, across all processes, with a delay after each: `ops.host_lease`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor

from pressmark.warehouse.locks import SessionLocks
from pressmark.warehouse.pool import ConnectionPool
from pressmark.warehouse.queries import queries

MIN_WAIT = 0.05
MAX_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class Wait:
    """The lease is taken or not free yet; ask again after so many seconds."""

    seconds: float


class HostLeases:
    """Leases of one crawl process. Each call is a few short statements; call it from a thread.

    locks: hold `lease:<holder>` for as long as the process lives, so that others can tell.
    """

    def __init__(self, pool: ConnectionPool, locks: SessionLocks) -> None:
        self._pool = pool
        self._holder: UUID = uuid4()
        locks.try_take(f"lease:{self._holder}")
        self._hosts: set[str] = set()

    def take(self, host: str, seconds: float, delay: float) -> Wait | None:
        """Take a host's lease for at most so many seconds; a Wait where it is not free now.

        delay: kept after the last request of a holder that was killed.
        """
        return self._pool.run(lambda cursor: self._take(cursor, host, seconds, delay))

    def give_back(self, host: str, delay: float) -> None:
        """End of the request: the next one may come after `delay` seconds."""
        values = {"host": host, "holder": self._holder, "delay": delay}
        self._pool.run(lambda cursor: cursor.execute(queries("lease")["give_back"], values))

    def _take(self, cursor: Cursor, host: str, seconds: float, delay: float) -> Wait | None:
        values = {"host": host, "holder": self._holder, "seconds": seconds, "delay": delay}
        if host not in self._hosts:
            cursor.execute(queries("lease")["ensure_host"], values)
            self._hosts.add(host)
        cursor.execute(queries("lease")["take"], values)
        if cursor.fetchone():
            return None
        cursor.execute(queries("lease")["forget_dead"], values)
        cursor.execute(queries("lease")["wait_seconds"], values)
        until_free, held = cursor.fetchone() or (0.0, True)
        return Wait(max(until_free, MIN_WAIT) if not held else min(max(until_free, MIN_WAIT), MAX_WAIT))
