"""Create the roles of the warehouse. Roles are cluster-wide and so not part of the migrations. Idempotent.

PRESSMARK_ROLE_PREFIX replaces `pressmark` in their names, for several installations on one server.

| role | permissions |
|---|---|
| pressmark_owner | owns all objects; migrations run in this role |
| pressmark_loader | read, insert and update; delete in staging only |
| pressmark_maintainer | also delete (retention, compaction) |
| pressmark_eraser | also delete (removals) |
| pressmark_analyst | read mart without reader comments; its own login with a statement timeout |
| pressmark_comments | read mart with reader comments |
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Literal

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import encrypt_password

from pressmark.errors import ConfigError, ServerError
from pressmark.warehouse.connection import Connection, Role, Warehouse, first_line, transaction
from pressmark.warehouse.queries import queries

ROLES: tuple[Role, ...] = ("owner", "loader", "maintainer", "eraser", "analyst", "comments")
_READERS: tuple[Role, ...] = ("analyst", "comments")
_RUNNER_ROLES: tuple[Role, ...] = ("loader", "maintainer", "eraser", "analyst")
_IN_SQL = re.compile(rf"\bpressmark_(?=(?:{'|'.join(ROLES)})\b)")
_TEMP_FILES = "2GB"
# Set on each login role, because settings of a group role are not inherited.
_READER_SETTINGS = {
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "1h",  # an open transaction keeps old rows from being cleaned up
    "default_transaction_read_only": "on",
    "search_path": "mart",
    "timezone": "UTC",
    # mart.article has eight joins, the planner's default limit. With one more join the view would be computed in full.
    "join_collapse_limit": "11",
    "from_collapse_limit": "11",
}


def with_prefix(statement: str, prefix: str) -> str:
    """Return SQL with the names of the roles as they are on this server."""
    return statement if prefix == "pressmark" else _IN_SQL.sub(f"{prefix}_", statement)


def ensure_roles(admin: Connection, warehouse: Warehouse) -> None:
    """Create missing roles and grant them to the connected user.

    On an external server the roles cannot log in until they have a password
    (`ALTER ROLE pressmark_analyst PASSWORD ...`).
    Raises ServerError with the statements to run if the user may not create roles, or does not own the database.
    """
    names = [warehouse.role_name(role) for role in ROLES]
    with transaction(admin) as cursor:
        cursor.execute(queries("roles")["existing_roles"], {"names": names})
        existing = {row[0] for row in cursor.fetchall()}
        missing = [name for name in names if name not in existing]
        cursor.execute(queries("roles")["may_create_roles"])
        (allowed,) = cursor.fetchone() or (False,)
        if missing and not allowed:
            statements = " ".join(f"CREATE ROLE {name} LOGIN;" for name in missing)
            raise ServerError(
                f"The warehouse's roles are missing, and this user may not create them. Ask an administrator to run: "
                f"{statements} GRANT {', '.join(names)} TO CURRENT_USER;"
            )
        for name in missing:
            _create(cursor, name)
        if not allowed:
            return
        try:
            for reader in map(warehouse.role_name, _READERS):
                for setting, value in _READER_SETTINGS.items():
                    cursor.execute(
                        sql.SQL("ALTER ROLE {} SET {} = %s").format(sql.Identifier(reader), sql.Identifier(setting)),
                        (value,),
                    )
                _limit_temp_files(cursor, reader)
            if warehouse.embedded is None:
                for name in names:
                    cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ServerError(
                f"The user {admin.info.user} may not change the roles of this server that begin with "
                f"{warehouse.settings.role_prefix}_ ({first_line(error)}). Another user has created them, probably for "
                "another installation of Pressmark: roles belong to all databases of a server. Set "
                "PRESSMARK_ROLE_PREFIX to another prefix, or run the command as that user."
            ) from error
        owner = sql.Identifier(warehouse.role_name("owner"))
        database = sql.Identifier(admin.info.dbname)
        cursor.execute(sql.SQL("GRANT CREATE, CONNECT ON DATABASE {} TO {}").format(database, owner))
        cursor.execute(queries("roles")["may_create_schemas"], {"owner": warehouse.role_name("owner")})
        (may_create,) = cursor.fetchone() or (False,)
        if not may_create:
            raise ServerError(
                f"The user {admin.info.user} does not own the database {admin.info.dbname}. Ask its owner to run: "
                f"ALTER DATABASE {admin.info.dbname} OWNER TO {admin.info.user};"
            )
        # Readers don't need to create tables, and temporary ones could fill the disk.
        cursor.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))


def grant_reader(warehouse: Warehouse, name: str, role: Literal["analyst", "comments"], password: str | None) -> None:
    """Create a login that may read mart, or grant an existing one these permissions and settings.

    password: only its SCRAM verifier is sent, so that it doesn't appear in logs. None keeps the current one.
    Raises ConfigError for an invalid name, ServerError if the user may not create logins.
    """
    login = sql.Identifier(name)
    with _login(warehouse, name, (role,), password) as cursor:
        for setting, value in _READER_SETTINGS.items():
            cursor.execute(sql.SQL("ALTER ROLE {} SET {} = %s").format(login, sql.Identifier(setting)), (value,))
        _limit_temp_files(cursor, name)


def grant_runner(warehouse: Warehouse, name: str, password: str | None) -> None:
    """Create a login that runs crawls, loads and maintenance, or grant an existing one these permissions.

    It may not migrate, create logins or drop tables. password, errors: as for `grant_reader`.
    """
    with _login(warehouse, name, _RUNNER_ROLES, password):
        pass  # the roles are all it needs


@contextlib.contextmanager
def _login(warehouse: Warehouse, name: str, roles: Sequence[Role], password: str | None) -> Iterator[Cursor]:
    """Create a login if it is missing, grant it the roles, and open a cursor in the same transaction."""
    reserved = f"{warehouse.settings.role_prefix}_"
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name) or name.startswith(("pg_", reserved)):
        raise ConfigError(
            f"Invalid login name {name!r}. Use lower-case letters, digits and '_', "
            f"and don't begin with pg_ or {reserved}."
        )
    login = sql.Identifier(name)
    granted = [warehouse.role_name(role) for role in roles]
    with contextlib.closing(warehouse.connect_admin()) as admin:
        try:
            with transaction(admin) as cursor:
                cursor.execute(queries("roles")["existing_roles"], {"names": [name]})
                if cursor.fetchone() is None:
                    _create(cursor, name)
                for role in granted:
                    cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), login))
                yield cursor
                if password:
                    verifier = encrypt_password(password, name, admin, "scram-sha-256")
                    cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(login), (verifier,))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ServerError(
                f"The user of PRESSMARK_DATABASE_URL may not create or change this login ({first_line(error)}). Ask an "
                f"administrator to run: CREATE ROLE {name} LOGIN; GRANT {', '.join(granted)} TO {name};"
            ) from error


def _limit_temp_files(cursor: Cursor, name: str) -> None:
    """Limit the disk space of sorts and hashes. A reader cannot change it. Only a superuser may set it."""
    cursor.execute("SAVEPOINT temp_files")
    try:
        cursor.execute(sql.SQL("ALTER ROLE {} SET temp_file_limit = %s").format(sql.Identifier(name)), (_TEMP_FILES,))
    except psycopg2.errors.InsufficientPrivilege:
        cursor.execute("ROLLBACK TO SAVEPOINT temp_files")
    else:
        cursor.execute("RELEASE SAVEPOINT temp_files")


def _create(cursor: Cursor, name: str) -> None:
    """Create one role. Another process may create it at the same time."""
    cursor.execute("SAVEPOINT role")
    try:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    except (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation):
        cursor.execute("ROLLBACK TO SAVEPOINT role")
    else:
        cursor.execute("RELEASE SAVEPOINT role")
