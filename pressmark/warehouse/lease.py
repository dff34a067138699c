"""One request at a time per host, across all processes, with a delay after each: `ops.host_lease`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from pressmark.warehouse.pool import ConnectionPool
from pressmark.warehouse.queries import queries

SHORTEST_WAIT = 0.05
LONGEST_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class Wait:
    """The lease is taken or not free yet; ask again after so many seconds."""

    seconds: float


class HostLeases:
    """Leases of one crawl process. Each call is one short statement; call it from a thread."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._holder: UUID = uuid4()
        self._hosts: set[str] = set()

    def take(self, host: str, seconds: float) -> Wait | None:
        """Take a host's lease for at most so many seconds; a Wait where it is not free now."""
        with self._pool.transaction() as cursor:
            if host not in self._hosts:
                cursor.execute(queries("lease")["ensure_host"], {"host": host})
                self._hosts.add(host)
            cursor.execute(queries("lease")["take"], {"host": host, "holder": self._holder, "seconds": seconds})
            if cursor.fetchone():
                return None
            cursor.execute(queries("lease")["wait_seconds"], {"host": host})
            row = cursor.fetchone()
        until_free, held = row or (0.0, True)
        return Wait(max(until_free, SHORTEST_WAIT) if not held else min(max(until_free, SHORTEST_WAIT), LONGEST_WAIT))

    def give_back(self, host: str, delay: float) -> None:
        """End of the request: the next one may come after `delay` seconds."""
        with self._pool.transaction() as cursor:
            cursor.execute(queries("lease")["give_back"], {"host": host, "holder": self._holder, "delay": delay})
