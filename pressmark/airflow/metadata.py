"""The database of Airflow's metadata: its login and its owner."""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import encrypt_password


def create_metadata_database(admin: Connection, database: str, login: str, password: str | None = None) -> None:
    """Create the login and its database if they are missing, and set the password. Idempotent.

    admin: a connection with autocommit that may create roles and databases.
    """
    names = sql.Identifier(database), sql.Identifier(login)
    with admin.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,))
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(names[1]))
        if password:
            verifier = encrypt_password(password, login, admin, "scram-sha-256")
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(names[1]), (verifier,))
        cursor.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", (database,))
        row = cursor.fetchone()
        if row is None:
            cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
        elif row[0] != login:
            cursor.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*names))


_FOREIGN_OBJECTS = """
SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass::text
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
  AND c.relowner <> %(login)s::regrole
  -- A sequence that belongs to a column follows its table.
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
UNION ALL
SELECT 'TYPE', t.oid::regtype::text FROM pg_type t
WHERE t.typnamespace = 'public'::regnamespace AND t.typtype = 'e' AND t.typowner <> %(login)s::regrole
"""


def take_over_tables(admin: Connection, login: str) -> int:
    """Give the login the tables and types that an earlier version created as another user. Returns how many.

    admin: a connection to the metadata database.
    """
    with admin.cursor() as cursor:
        cursor.execute(_FOREIGN_OBJECTS, {"login": login})
        objects = cursor.fetchall()
        for kind, name in objects:
            # Postgres has quoted the name: it is the text of a regclass or regtype.
            cursor.execute(
                sql.SQL("ALTER {} {} OWNER TO {}").format(sql.SQL(kind), sql.SQL(name), sql.Identifier(login))
            )
    return len(objects)


def connect(dsn: str) -> Connection:
    """Open a connection with autocommit."""
    admin: Connection = psycopg2.connect(dsn)
    admin.autocommit = True
    return admin
