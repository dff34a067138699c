"""The warehouse's roles. Cluster-wide, so outside the migrations; safe to run again.

| role | may |
|---|---|
| pressmark_owner | own every object; migrations run as it |
| pressmark_loader | read, insert, update; delete in staging only |
| pressmark_maintainer | delete too (retention, joining segments) |
| pressmark_eraser | delete too (removal on request) |
| pressmark_analyst | read mart without readers' comments; a login of its own, with a time limit |
| pressmark_comments | read mart with readers' comments |
"""

from __future__ import annotations

import contextlib
import re
from typing import Literal

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from pressmark.errors import ConfigError, ServerError
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.queries import queries

ROLES = ("owner", "loader", "maintainer", "eraser", "analyst", "comments")
_READERS = ("analyst", "comments")
# Set on the login roles themselves: a time limit on a group role is not inherited.
_READER_SETTINGS = {
    "statement_timeout": "5min",
    "default_transaction_read_only": "on",
    "search_path": "mart",
    "timezone": "UTC",
    # mart.article is eight joins, which is the planner's own limit: joined with one more it would be read as a whole.
    "join_collapse_limit": "11",
    "from_collapse_limit": "11",
}


def ensure_roles(admin: Connection, embedded: bool) -> None:
    """Create the roles that are missing and let the connected user act as them.

    On a server of one's own the roles cannot log in until they are given a password there
    (`ALTER ROLE pressmark_analyst PASSWORD ...`).
    Raises ServerError with the statements to run when the user may not create roles.
    """
    names = [f"pressmark_{role}" for role in ROLES]
    with transaction(admin) as cursor:
        cursor.execute(queries("roles")["existing_roles"], {"names": names})
        existing = {row[0] for row in cursor.fetchall()}
        missing = [name for name in names if name not in existing]
        cursor.execute(queries("roles")["may_create_roles"])
        (allowed,) = cursor.fetchone() or (False,)
        if missing and not allowed:
            statements = " ".join(f"CREATE ROLE {name} LOGIN;" for name in missing)
            raise ServerError(
                f"The warehouse's roles are missing and this user may not create them. Let an administrator run: "
                f"{statements} GRANT {', '.join(names)} TO CURRENT_USER;"
            )
        for name in missing:
            _create(cursor, name)
        if not allowed:
            return
        for role in _READERS:
            for setting, value in _READER_SETTINGS.items():
                cursor.execute(
                    sql.SQL("ALTER ROLE {} SET {} = %s").format(
                        sql.Identifier(f"pressmark_{role}"), sql.Identifier(setting)
                    ),
                    (value,),
                )
        if not embedded:
            for name in names:
                cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))
        cursor.execute(
            sql.SQL("GRANT CREATE, CONNECT ON DATABASE {} TO pressmark_owner").format(sql.Identifier(admin.info.dbname))
        )


def grant_reader(warehouse: Warehouse, name: str, role: Literal["analyst", "comments"], password: str | None) -> None:
    """Make a login that may read mart, or give an existing one these rights; it has the readers' settings itself.

    password: only its SCRAM verifier goes to the server, so that it stands in no log. None: as it was.
    Raises ConfigError for a name that is not one of a reader, ServerError where the user may not do it.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name) or name.startswith(("pg_", "pressmark_")):
        raise ConfigError(f"{name!r} is no name for a reader: small letters, digits and '_', not beginning with pg_.")
    login = sql.Identifier(name)
    with contextlib.closing(warehouse.connect_admin()) as admin:
        try:
            with transaction(admin) as cursor:
                cursor.execute(queries("roles")["existing_roles"], {"names": [name]})
                if cursor.fetchone() is None:
                    _create(cursor, name)
                for setting, value in _READER_SETTINGS.items():
                    cursor.execute(
                        sql.SQL("ALTER ROLE {} SET {} = %s").format(login, sql.Identifier(setting)), (value,)
                    )
                cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(f"pressmark_{role}"), login))
                if password:
                    verifier = encrypt_password(password, name, admin, "scram-sha-256")
                    cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(login), (verifier,))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ServerError(
                f"The user of PRESSMARK_DATABASE_URL may not make logins ({str(error).strip()}). Let an administrator "
                f"run: CREATE ROLE {name} LOGIN; GRANT pressmark_{role} TO {name};"
            ) from error


def _create(cursor: psycopg2.extensions.cursor, name: str) -> None:
    """Create one role; another process may do the same at the same time."""
    cursor.execute("SAVEPOINT role")
    try:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    except (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation):
        cursor.execute("ROLLBACK TO SAVEPOINT role")
    else:
        cursor.execute("RELEASE SAVEPOINT role")
