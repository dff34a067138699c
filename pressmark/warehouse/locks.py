"""Leases: locks that are rows of `ops.lock`, with an expiry, a heartbeat and a fencing token.

`crawl:<outlet>:<mode>` prevents two crawls of the same outlet and mode: the second waits. `alive:<crawl>` shows that
the process of a crawl is running, `lease:<process>` that the holder of host leases is. `session_lock` protects changes
that take several transactions: archive files, a chunk of a backfill, alert delivery.

Advisory locks would be simpler, but every user of the database may take them, including analysts.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pressmark.errors import LockTimeout, ServerError
from pressmark.times import short_time
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.queries import queries

_LEASE_SECONDS = 60.0  # without a heartbeat; a holder whose connection is gone loses its leases after five
_HEARTBEAT_SECONDS = 2.0
_POLL_SECONDS = 0.5
_TURN_PATIENCE = "5min"  # a load or a clustering batch takes seconds

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def session_lock(connection: Connection, name: str) -> Iterator[None]:
    """Wait for a lease and hold it over several transactions.

    It has no heartbeat. It is free within seconds after the connection is closed.
    """
    values = {"name": name, "holder": uuid4(), "seconds": None}
    while True:
        with transaction(connection) as cursor:
            cursor.execute(queries("lock")["take"], values)
            if cursor.fetchone():
                break
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        with contextlib.suppress(psycopg2.Error, ServerError):
            connection.rollback()
            with transaction(connection) as cursor:
                cursor.execute(queries("lock")["give_back"], values)


def take_turn(cursor: Cursor, name: Literal["load", "cluster"]) -> None:
    """Wait until no other transaction has this turn, and hold it until the transaction ends.

    Raises LockTimeout that names the session in the way, after five minutes.
    """
    try:
        cursor.execute(queries("lock")["limit_waits"], {"patience": _TURN_PATIENCE})
        cursor.execute(queries("lock")["take_turn"], {"name": name})
        cursor.execute(queries("lock")["limit_waits"], {"patience": "0"})
    except psycopg2.errors.LockNotAvailable as error:
        connection = cursor.connection
        connection.rollback()
        cursor.execute(queries("session")["as_user"])
        cursor.execute(queries("session")["oldest_transactions"])
        sessions = [
            f"session {pid} of {address} ({application}, {state}, since {short_time(since)})"
            for pid, address, application, state, since in cursor.fetchall()
        ]
        connection.rollback()
        raise LockTimeout(
            f"The lock `{name}` was not free within {_TURN_PATIENCE}. Oldest transactions: "
            f"{'; '.join(sessions) or 'none that this login may see'}. If such a process hangs, end its session with "
            "`SELECT pg_terminate_backend(session)`; nothing is lost, and the next run continues."
        ) from error


class LeaseHolder:
    """The leases of one process. A thread renews them on a dedicated connection. Thread-safe."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._holder: UUID = uuid4()
        self._connection = self._connect()
        self._guard = threading.Lock()
        self._tokens: dict[str, int] = {}
        self._lost: set[str] = set()
        self._closing = threading.Event()
        threading.Thread(target=self._renew_periodically, name="lease heartbeat", daemon=True).start()

    def try_take(self, name: str) -> bool:
        """Take a lease if it is free. Returns whether it was taken."""
        row = self._call("take", name=name, seconds=_LEASE_SECONDS)
        if row is None:
            return False
        self._tokens[name] = int(row[0])
        return True

    def take(self, name: str, seconds: float) -> bool:
        """Wait up to `seconds` for a lease. Returns False if it is still held by others."""
        deadline = time.monotonic() + seconds
        while not self.try_take(name):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def give_back(self, name: str) -> None:
        """Free a lease."""
        self._tokens.pop(name, None)
        self._lost.discard(name)
        self._call("give_back", name=name)

    def confirm(self, cursor: Cursor, name: str) -> None:
        """Check in a transaction that this process still holds a lease, and keep it until the commit.

        Raises ServerError if another process has taken it, for example while this one was suspended.
        """
        values = {"name": name, "holder": self._holder, "token": self._tokens.get(name, -1)}
        cursor.execute(queries("lock")["confirm"], values)
        if cursor.fetchone() is None:
            raise ServerError(_lost_message([name]))

    def check(self, *names: str) -> None:
        """Raise ServerError if another process has taken one of these leases. Call it every few seconds."""
        lost = sorted(self._lost.intersection(names))
        if lost:
            raise ServerError(_lost_message(lost))

    def close(self) -> None:
        """Free all leases and close the connection."""
        self._closing.set()
        with contextlib.suppress(ServerError):
            self._call("give_back_all")
        with self._guard:
            self._connection.close()

    def _renew_periodically(self) -> None:
        while not self._closing.wait(_HEARTBEAT_SECONDS):
            held = dict(self._tokens)
            if not held:
                continue
            try:
                with self._guard:
                    if self._closing.is_set():
                        return
                    if self._connection.closed:
                        self._connection = self._connect()
                    with self._connection.cursor() as cursor:
                        values = {"holder": self._holder, "seconds": _LEASE_SECONDS}
                        cursor.execute(queries("lock")["renew"], values)
                        renewed = dict(cursor.fetchall())
            except (psycopg2.Error, ServerError) as error:
                logger.warning("the leases of this process could not be renewed: %s", " ".join(str(error).split()))
                with self._guard, contextlib.suppress(psycopg2.Error):
                    self._connection.close()
                continue
            # Compared with what is still held: a lease may have been given back meanwhile.
            self._lost |= {name for name in held if name in self._tokens and renewed.get(name) != self._tokens[name]}

    def _connect(self) -> Connection:
        connection = self._warehouse.connect("loader", "pressmark locks")
        connection.autocommit = True
        return connection

    def _call(self, statement: str, **values: Any) -> tuple[Any, ...] | None:
        for attempt in (1, 2):
            with self._guard:
                try:
                    if self._connection.closed:
                        self._connection = self._connect()
                    with self._connection.cursor() as cursor:
                        cursor.execute(queries("lock")[statement], {**values, "holder": self._holder})
                        return cursor.fetchone() if statement == "take" else None
                except psycopg2.Error as error:
                    self._connection.close()
                    if attempt == 2:
                        message = f"The connection that holds the crawl's locks was lost: {error}".strip()
                        raise ServerError(message) from error
        return None


def _lost_message(names: list[str]) -> str:
    return f"Another process has taken the locks of this crawl ({', '.join(names)}). This one was suspended too long."


def crawl_lock(outlet: str, mode: str) -> str:
    """Return the name of the lock of an outlet and mode."""
    return f"crawl:{outlet}:{mode}"


def alive_lock(crawl_id: object) -> str:
    """Return the name of the lock that a running crawl holds."""
    return f"alive:{crawl_id}"
