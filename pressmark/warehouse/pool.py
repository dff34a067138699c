"""A few connections for one crawl process, shared by its threads."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator

import psycopg2

from pressmark.errors import ServerError
from pressmark.warehouse.connection import Connection, Role, Warehouse


class ConnectionPool:
    """Hands out connections of one role; at most `size` are open at a time. Thread-safe.

    autocommit: for single statements whose loss in a crash costs nothing (leases).
    """

    def __init__(self, warehouse: Warehouse, size: int, role: Role = "loader", autocommit: bool = False) -> None:
        self._warehouse = warehouse
        self._role: Role = role
        self._autocommit = autocommit
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(size)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[psycopg2.extensions.cursor]:
        """A cursor in one transaction. A connection that broke is not used again.

        Raises ServerError where the server went away.
        """
        with self._slots:
            connection = self._take()
            try:
                with connection.cursor() as cursor:
                    yield cursor
                if not self._autocommit:
                    connection.commit()
            except BaseException as error:
                with contextlib.suppress(psycopg2.Error):
                    connection.rollback()
                if connection.closed:
                    raise ServerError(f"The connection to Postgres was lost: {error}".strip()) from error
                self._idle.put(connection)
                raise
            self._idle.put(connection)

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
