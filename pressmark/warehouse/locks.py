"""Locks that live as long as a session: they go when the process or its connection dies.

`crawl:<outlet>:<mode>` keeps two crawls of one outlet and mode apart: the second waits. `alive:<crawl>`
tells a crawl that runs from one whose process died.
"""

from __future__ import annotations

import threading
import time

import psycopg2

from pressmark.errors import ServerError
from pressmark.warehouse.connection import Connection

_POLL_SECONDS = 0.5


class SessionLocks:
    """Advisory locks on one connection that nobody else uses. Safe to call from several threads."""

    def __init__(self, connection: Connection) -> None:
        connection.autocommit = True
        self._connection = connection
        self._guard = threading.Lock()

    def try_take(self, name: str) -> bool:
        """Take a lock where it is free."""
        return bool(self._call("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", name))

    def take(self, name: str, seconds: float) -> bool:
        """Take a lock, waiting for it up to so many seconds; False where it stayed taken."""
        deadline = time.monotonic() + seconds
        while not self.try_take(name):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def give_back(self, name: str) -> None:
        """Release a lock."""
        self._call("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", name)

    def close(self) -> None:
        """Close the connection, and with it release every lock."""
        self._connection.close()

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
    """Name of the lock of an outlet and mode."""
    return f"crawl:{outlet}:{mode}"


def alive_lock(crawl_id: object) -> str:
    """Name of the lock that a running crawl holds."""
    return f"alive:{crawl_id}"
