"""A connection pool for one crawl process, shared by its threads."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psycopg2

from pressmark.errors import ServerError
from pressmark.warehouse.connection import Connection, Role, Warehouse, is_lost

Result = TypeVar("Result")
_RETRY_DELAYS = (0.2, 0.5, 1, 2, 5, 10, 20, 30)  # seconds; long enough for a restart of the server

logger = logging.getLogger(__name__)


class ConnectionPool:
    """A pool of connections in one role, with at most `size` in use at a time. Thread-safe.

    autocommit: for single statements that may be lost in a crash (leases).
    """

    def __init__(self, warehouse: Warehouse, size: int, role: Role = "loader", autocommit: bool = False) -> None:
        self._warehouse = warehouse
        self._role: Role = role
        self._autocommit = autocommit
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(size)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[psycopg2.extensions.cursor]:
        """Open a cursor in one transaction. Broken connections are discarded.

        Raises ServerError if the connection is lost.
        """
        with self._slots:
            connection = self._take()
            try:
                with connection.cursor() as cursor:
                    yield cursor
                if not self._autocommit:
                    connection.commit()
            except BaseException as error:
                if is_lost(connection, error):
                    connection.close()
                    raise ServerError(f"The connection to Postgres was lost: {error}".strip()) from error
                self._idle.put(connection)
                raise
            self._idle.put(connection)

    def run(self, work: Callable[[psycopg2.extensions.cursor], Result]) -> Result:
        """Run `work` in one transaction, and retry it if the connection is lost.

        work: must be safe to repeat, since a commit may succeed although its response is lost.
        Raises ServerError if the server is unavailable for more than a minute.
        """
        for seconds in (*_RETRY_DELAYS, None):
            try:
                with self.transaction() as cursor:
                    return work(cursor)
            except (ServerError, psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                if seconds is None:
                    raise ServerError(f"Postgres is still unavailable: {error}".strip()) from error
                logger.warning("Postgres is unavailable, retrying in %s s: %s", seconds, " ".join(str(error).split()))
                time.sleep(seconds)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the idle connections."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _take(self) -> Connection:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        connection = self._warehouse.connect(self._role, "pressmark crawl")
        if self._autocommit:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")
        return connection
