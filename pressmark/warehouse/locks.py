"""Session-level advisory locks. They are released when the process or its connection ends.

`crawl:<outlet>:<mode>` prevents two crawls of the same outlet and mode: the second waits. `alive:<crawl>` shows that
the process of a crawl is running. `session_lock` protects changes that take several transactions: archive files, a
chunk of a backfill, alert delivery.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import psycopg2

from pressmark.errors import ServerError
from pressmark.warehouse.connection import Connection, Warehouse, transaction

_POLL_SECONDS = 0.5
_TAKE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_WAIT = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
_GIVE_BACK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def session_lock(connection: Connection, name: str) -> Iterator[None]:
    """Wait for an advisory lock and hold it over several transactions. Closing the connection releases it too."""
    with transaction(connection) as cursor:
        cursor.execute(_WAIT, (name,))
    try:
        yield
    finally:
        with contextlib.suppress(psycopg2.Error, ServerError):
            connection.rollback()
            with transaction(connection) as cursor:
                cursor.execute(_GIVE_BACK, (name,))


class SessionLocks:
    """Advisory locks on a dedicated connection. Thread-safe."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._connection = self._connect()
        self._guard = threading.Lock()
        self._held: set[str] = set()

    def try_take(self, name: str) -> bool:
        """Take a lock if it is free. Returns whether it was taken."""
        taken = bool(self._call(_TAKE, name))
        if taken:
            self._held.add(name)
        return taken

    def take(self, name: str, seconds: float) -> bool:
        """Wait up to `seconds` for a lock. Returns False if it is still held by others."""
        deadline = time.monotonic() + seconds
        while not self.try_take(name):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def give_back(self, name: str) -> None:
        """Release a lock."""
        self._held.discard(name)
        self._call(_GIVE_BACK, name)

    def keep(self) -> None:
        """Check the connection, and if it was lost, take all locks again. Call it every few seconds.

        Raises ServerError if another process has taken one of the locks meanwhile.
        """
        lost: list[str] = []
        with self._guard:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return
            except psycopg2.Error:
                self._connection.close()
            try:
                self._connection = self._connect()
                with self._connection.cursor() as cursor:
                    for name in sorted(self._held):
                        cursor.execute(_TAKE, (name,))
                        if cursor.fetchone() != (True,) and not name.startswith("lease:"):
                            lost.append(name)
            except (psycopg2.Error, ServerError) as error:
                logger.warning("the crawl lost its locks, retrying: %s", " ".join(str(error).split()))
            if lost:
                raise ServerError(
                    "The connection to Postgres was lost, and another process has taken the locks of this crawl "
                    f"({', '.join(lost)})."
                )

    def close(self) -> None:
        """Close the connection, which releases all locks."""
        self._connection.close()

    def _connect(self) -> Connection:
        connection = self._warehouse.connect("loader", "pressmark locks")
        connection.autocommit = True
        return connection

    def _call(self, statement: str, name: str) -> object:
        with self._guard:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute(statement, (name,))
                    row = cursor.fetchone()
                    return row[0] if row else None
            except psycopg2.Error as error:
                raise ServerError(f"The connection that holds the crawl's locks was lost: {error}".strip()) from error


def crawl_lock(outlet: str, mode: str) -> str:
    """Return the name of the lock of an outlet and mode."""
    return f"crawl:{outlet}:{mode}"


def alive_lock(crawl_id: object) -> str:
    """Return the name of the lock that a running crawl holds."""
    return f"alive:{crawl_id}"
