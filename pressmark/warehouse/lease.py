"""Host leases (`ops.host_lease`): one request at a time per host across all processes, with a delay after each."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor

from pressmark.warehouse.locks import LeaseHolder
from pressmark.warehouse.pool import ConnectionPool
from pressmark.warehouse.queries import queries

MIN_WAIT = 0.05  # seconds
MAX_WAIT = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Wait:
    """The lease is held by another process or still in its delay. Try again after `seconds`."""

    seconds: float


class HostLeases:
    """Leases of one crawl process. Calls run a few short statements and block, so call them from a thread.

    locks: hold `lease:<holder>` while the process is running, so that others can detect its death.
    """

    def __init__(self, pool: ConnectionPool, locks: LeaseHolder) -> None:
        self._pool = pool
        self._holder: UUID = uuid4()
        locks.try_take(f"lease:{self._holder}")

    def take(self, host: str, seconds: float, delay: float) -> Wait | None:
        """Take the lease of a host for at most `seconds`. Returns a Wait if it is not free.

        delay: seconds to wait after the last request of a holder that was killed.
        """
        return self._pool.run(lambda cursor: self._take(cursor, host, seconds, delay))

    def give_back(self, host: str, delay: float) -> None:
        """Release the lease. The next request may start after `delay` seconds."""
        values = {"host": host, "holder": self._holder, "delay": delay}
        self._pool.run(lambda cursor: cursor.execute(queries("lease")["give_back"], values))

    def _take(self, cursor: Cursor, host: str, seconds: float, delay: float) -> Wait | None:
        values = {"host": host, "holder": self._holder, "seconds": seconds, "delay": delay}
        cursor.execute(queries("lease")["take"], values)
        if cursor.fetchone():
            return None
        cursor.execute(queries("lease")["forget_dead"], values)
        cursor.execute(queries("lease")["wait_seconds"], values)
        until_free, held = cursor.fetchone() or (0.0, True)
        return Wait(max(until_free, MIN_WAIT) if not held else min(max(until_free, MIN_WAIT), MAX_WAIT))
