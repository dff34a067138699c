"""A few connections for one crawl process, shared by its threads."""

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
_PATIENCE = (0.2, 0.5, 1, 2, 5, 10, 20, 30)  # seconds before each further attempt: a restart of the server fits in

logger = logging.getLogger(__name__)


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
                if is_lost(connection, error):
                    connection.close()
                    raise ServerError(f"The connection to Postgres was lost: {error}".strip()) from error
                self._idle.put(connection)
                raise
            self._idle.put(connection)

    def run(self, work: Callable[[psycopg2.extensions.cursor], Result]) -> Result:
        """Do `work` in one transaction, again where the server went away in the middle of it.

        work: must be safe to repeat, since a commit may have come through whose answer did not.
        Raises ServerError where the server stays away for more than a minute.
        """
        for seconds in (*_PATIENCE, None):
            try:
                with self.transaction() as cursor:
                    return work(cursor)
            except (ServerError, psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                if seconds is None:
                    raise ServerError(f"Postgres stayed away: {error}".strip()) from error
                logger.warning("Postgres went away, trying again in %s s: %s", seconds, " ".join(str(error).split()))
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
