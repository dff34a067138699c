"""Connections to the warehouse, on the embedded server or an external one.

On the embedded server each role logs in directly; access to the socket folder protects it. On an external
server the user of PRESSMARK_DATABASE_URL logs in and switches with SET ROLE. Analysts log in there as
`pressmark_analyst`, with the password in PGPASSWORD or ~/.pgpass.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from psycopg2 import sql

from pressmark.errors import ConfigError, ServerError
from pressmark.settings import Settings
from pressmark.warehouse.embedded import SUPERUSER, EmbeddedServer, is_waking

psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]

Connection = psycopg2.extensions.connection
Row = TypeVar("Row")
Role = Literal["owner", "loader", "maintainer", "eraser", "analyst", "comments"]
DATABASE = "pressmark"
MINIMUM_VERSION = 170000
_RECOVERY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Location of the warehouse and ways to connect to it. Creating one does not connect."""

    settings: Settings

    @property
    def embedded(self) -> EmbeddedServer | None:
        """The embedded server, or None if PRESSMARK_DATABASE_URL is set."""
        return None if self.settings.database_url else EmbeddedServer(self.settings.home)

    def connect(self, role: Role = "loader", name: str = "pressmark") -> Connection:
        """Open a connection in the role `pressmark_<role>`, with autocommit off.

        name: shown as application_name in pg_stat_activity.
        Raises ServerError that names the server and what to check.
        """
        server = self.embedded
        if server is not None:
            server.ensure_running()
            return self._open(server.dsn(f"pressmark_{role}", DATABASE), name)
        connection = self._open(self.settings.database_url or "", name)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(f"pressmark_{role}")))
                cursor.execute("SET timezone = 'UTC'")
            connection.commit()
        except psycopg2.Error as error:
            connection.close()
            raise ServerError(
                f"The user of PRESSMARK_DATABASE_URL cannot use the role pressmark_{role} ({_first_line(error)}). "
                "Run `pressmark db migrate` once as a user who may create roles."
            ) from error
        return connection

    def connect_admin(self, database: str | None = None) -> Connection:
        """Open a connection that may create roles: as the embedded superuser, or as the URL's user."""
        server = self.embedded
        if server is None:
            return self._open(self.settings.database_url or "", "pressmark migrate")
        server.ensure_running()
        return self._open(server.dsn(SUPERUSER, database or DATABASE), "pressmark migrate")

    def reader_url(self, role: Role = "analyst") -> str:
        """Return a libpq URL for a reader's login, without a password."""
        server = self.embedded
        if server is not None:
            server.ensure_running()
            return server.url(f"pressmark_{role}", DATABASE)
        parts = urlsplit(self.settings.database_url or "")
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        netloc = f"pressmark_{role}@{host}" + (f":{parts.port}" if parts.port else "")
        return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))

    def owner_url(self) -> str:
        """Return a URL whose sessions start in the owner role, for the migration library."""
        server = self.embedded
        if server is not None:
            return server.url(SUPERUSER, DATABASE) + "&options=-c%20role%3Dpressmark_owner"
        url = self.settings.database_url or ""
        return url + ("&" if "?" in url else "?") + "options=-c%20role%3Dpressmark_owner"

    def _open(self, dsn: str, name: str) -> Connection:
        try:
            connection = _connect_with_retry(dsn, name)
        except psycopg2.ProgrammingError as error:
            raise ConfigError(
                f"PRESSMARK_DATABASE_URL is not a Postgres URL ({_first_line(error)}). "
                "Use the form postgresql://user@host:5432/database, and put the password into ~/.pgpass."
            ) from error
        except psycopg2.OperationalError as error:
            server = "the embedded Postgres" if self.embedded else "the server of PRESSMARK_DATABASE_URL"
            hint = (
                f"See its log, {self.settings.home / 'postgres' / 'log'}."
                if self.embedded
                else "Check host, port, database, user and password, and that the server is running."
            )
            raise ServerError(f"Cannot connect to {server}: {_first_line(error)}. {hint}") from error
        if connection.server_version < MINIMUM_VERSION:
            version = connection.server_version // 10000
            connection.close()
            raise ServerError(f"The server runs PostgreSQL {version}. Pressmark needs 17 or newer.")
        return connection


def _connect_with_retry(dsn: str, name: str) -> Connection:
    """Connect, and wait for a server that is recovering from a crash."""
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            return psycopg2.connect(dsn, application_name=name, connect_timeout=10)
        except psycopg2.OperationalError as error:
            if not is_waking(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[psycopg2.extensions.cursor]:
    """Open a cursor in one transaction. It is committed at the end and rolled back on any error.

    Raises ServerError if the connection is lost.
    """
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    except BaseException as error:
        if is_lost(connection, error):
            raise ServerError(f"The connection to Postgres was lost: {error}".strip()) from error
        raise


def dict_rows(cursor: psycopg2.extensions.cursor) -> list[dict[str, Any]]:
    """Return the result of a statement as one dictionary per row."""
    assert cursor.description is not None
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def typed_rows(cursor: psycopg2.extensions.cursor, row_type: type[Row]) -> list[Row]:
    """Return the rows of the last statement as values of a class whose fields are its columns."""
    return [row_type(**row) for row in dict_rows(cursor)]


def is_lost(connection: Connection, error: BaseException) -> bool:
    """Roll back after an error. Returns True if the connection is lost."""
    with contextlib.suppress(psycopg2.Error):
        connection.rollback()
    # A lost connection raises OperationalError, InterfaceError or, in the middle of a response, a bare DatabaseError
    # while the connection still counts as open.
    return bool(connection.closed) or connection.info.status != 0 or type(error) is psycopg2.DatabaseError


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
