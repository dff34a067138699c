"""Connections to the warehouse, on the embedded server or an external one.

On the embedded server each role logs in directly; access to the socket folder protects it. On an external
server the user of PRESSMARK_DATABASE_URL logs in and switches to the role. Analysts log in there as
`pressmark_analyst`, with the password in PGPASSWORD or ~/.pgpass.

A machine can disappear without closing its connections. Both sides notice that within about a minute: the client sets
keepalives of its socket, and each session asks the server to do the same. Without this, Linux keeps such a session, and
the row locks that it holds, for more than two hours.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from psycopg2.extensions import make_dsn, parse_dsn

from pressmark.errors import ConfigError, ServerError
from pressmark.settings import Settings
from pressmark.warehouse.embedded import SUPERUSER, EmbeddedServer, is_waking
from pressmark.warehouse.queries import queries

psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]

Connection = psycopg2.extensions.connection
Row = TypeVar("Row")
Role = Literal["owner", "loader", "maintainer", "eraser", "analyst", "comments"]
DATABASE = "pressmark"
MINIMUM_VERSION = 170000
_RECOVERY_SECONDS = 120
# Of libpq: a peer that does not respond is given up after 60 seconds, whether data is on its way or not.
_CLIENT_KEEPALIVES = {
    "keepalives": "1", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Location of the warehouse and ways to connect to it. Creating one does not connect."""

    settings: Settings

    @property
    def embedded(self) -> EmbeddedServer | None:
        """The embedded server, or None if PRESSMARK_DATABASE_URL is set."""
        return None if self.settings.database_url else EmbeddedServer(self.settings.home)

    @property
    def parameters(self) -> dict[str, str]:
        """The libpq parameters of PRESSMARK_DATABASE_URL: a URL, also of several hosts, or keywords and values.

        Raises ConfigError if it is neither.
        """
        try:
            return dict(parse_dsn(self.settings.database_url or ""))
        except psycopg2.ProgrammingError as error:
            raise ConfigError(
                f"PRESSMARK_DATABASE_URL is not a Postgres URL ({first_line(error)}). "
                "Use the form postgresql://user@host:5432/database, and put the password into ~/.pgpass."
            ) from error

    def role_name(self, role: Role) -> str:
        """Return the name of a role in the server."""
        return f"{self.settings.role_prefix}_{role}"

    def connect(self, role: Role = "loader", name: str = "pressmark") -> Connection:
        """Open a connection in the role `pressmark_<role>`, with autocommit off.

        name: shown as application_name in pg_stat_activity.
        Raises ServerError that names the server and what to check.
        """
        server = self.embedded
        if server is not None:
            server.ensure_running()
            return self._open(parse_dsn(server.dsn(self.role_name(role), DATABASE)), name)
        return self._open(self.parameters, name, role)

    def connect_admin(self, database: str | None = None) -> Connection:
        """Open a connection that may create roles: as the embedded superuser, or as the URL's user."""
        server = self.embedded
        if server is None:
            return self._open(self.parameters, "pressmark migrate")
        server.ensure_running()
        return self._open(parse_dsn(server.dsn(SUPERUSER, database or DATABASE)), "pressmark migrate")

    def reader_dsn(self, role: Role = "analyst") -> str:
        """Return a libpq connection string for a reader's login, without a password."""
        server = self.embedded
        if server is not None:
            server.ensure_running()
            return server.dsn(self.role_name(role), DATABASE)
        parameters = {**self.parameters, "user": self.role_name(role), "password": None}
        if parameters.get("target_session_attrs") == "read-write":
            parameters["target_session_attrs"] = "primary"  # a reader's session is read-only on every host
        return make_dsn(**parameters)

    def _open(self, parameters: dict[str, str], name: str, role: Role | None = None) -> Connection:
        try:
            connection = _connect_with_retry({**_CLIENT_KEEPALIVES, **parameters}, name)
        except psycopg2.OperationalError as error:
            server = "the embedded Postgres" if self.embedded else "the server of PRESSMARK_DATABASE_URL"
            hint = (
                f"See its log, {self.settings.home / 'postgres' / 'log'}."
                if self.embedded
                else "Check host, port, database, user and password, and that the server is running."
            )
            # Of several hosts, the last line is about the last one.
            reasons = "; ".join(line.strip().rstrip(".") for line in str(error).splitlines() if line.strip())
            raise ServerError(f"Cannot connect to {server}: {reasons}. {hint}") from error
        try:
            self._prepare(connection, role)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: Connection, role: Role | None) -> None:
        """Check the server, switch to the role, and ask the server to notice when this machine is gone."""
        if connection.server_version < MINIMUM_VERSION:
            version = connection.server_version // 10000
            raise ServerError(f"The server runs PostgreSQL {version}. Pressmark needs 17 or newer.")
        name = self.role_name(role) if role else "none"
        try:
            with connection.cursor() as cursor:
                cursor.execute(queries("session")["prepare"], {"role": name, "pid": connection.info.backend_pid})
                (is_own,) = cursor.fetchone() or (None,)
            connection.commit()
        except psycopg2.Error as error:
            if is_lost(connection, error):
                raise ServerError(f"The connection to Postgres was lost: {error}".strip()) from error
            user = connection.info.user
            step = (
                "Run the command as the user that created the roles."
                if role == "owner"
                else f"Ask the user that ran `pressmark db migrate` to run `pressmark db grant-runner {user}`. If the "
                "database is new, run `pressmark db migrate` as a user who may create roles."
            )
            raise ServerError(
                f"The user {user} of PRESSMARK_DATABASE_URL cannot use the role {name} ({first_line(error)}). {step}"
            ) from error
        if not is_own:
            raise ServerError(
                "PRESSMARK_DATABASE_URL leads to a connection pooler, such as PgBouncer. Pressmark's roles, locks and "
                "time limits belong to a session, and a pooler shares sessions. Use the address of the server itself."
            )


def _connect_with_retry(parameters: dict[str, Any], name: str) -> Connection:
    """Connect, and wait for a server that is recovering from a crash."""
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            connection: Connection = psycopg2.connect(
                **{"connect_timeout": "10", **parameters, "application_name": name}
            )
            return connection
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


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
