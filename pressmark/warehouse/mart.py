"""Upgrade the schema `mart`, the views that analysts query, without dropping what others have built on it.

Views and functions are replaced in place. Postgres allows that as long as columns are only added at the end. If a view
changes otherwise, it is dropped with its own dependents in `mart` and created again, unless an object outside of `mart`
needs it: then nothing is changed, and the error names that object.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pressmark import __version__
from pressmark.errors import ServerError
from pressmark.settings import SQL_ROOT
from pressmark.warehouse.queries import queries
from pressmark.warehouse.roles import with_prefix

FOLDER = SQL_ROOT / "mart"
_CREATE = re.compile(r"^CREATE (VIEW|FUNCTION) (mart\.\w+)", re.MULTILINE)
_STATEMENT = re.compile(r"(?:[^;$']|'[^']*'|\$(\w*)\$.*?\$\1\$|\$)+;", re.DOTALL)
_CANNOT_REPLACE = (psycopg2.errors.InvalidTableDefinition, psycopg2.errors.InvalidFunctionDefinition)


def mart_digest(folder: Path = FOLDER) -> bytes:
    """Return a hash of the views' files and of the privileges on them."""
    digest = hashlib.sha256()
    for path in (*_files(folder), SQL_ROOT / "queries" / "roles.sql"):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


def rebuild_mart(cursor: Cursor, folder: Path = FOLDER, prefix: str = "pressmark") -> None:
    """Bring the schema to the files of a folder, in their order. Run by the owner, in one transaction.

    prefix: of the names of roles.

    Raises ServerError if an object of somebody else is in the way.
    """
    cursor.execute("CREATE SCHEMA IF NOT EXISTS mart")
    statements = [statement for path in _files(folder) for statement in _statements(path.read_text(encoding="utf-8"))]
    wanted = {match[2] for statement in statements if (match := _CREATE.search(statement))}
    cursor.execute(queries("mart")["objects"])
    for name, kind, signature in cursor.fetchall():
        if name not in wanted:
            _drop(cursor, name, kind, signature)
    for statement in statements:
        _execute(cursor, with_prefix(statement, prefix))
    cursor.execute(with_prefix(queries("roles")["mart_grants"], prefix))
    cursor.execute(queries("mart")["set_version"], {"sha256": mart_digest(folder), "code_version": __version__})


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sql"))


def _statements(text: str) -> list[str]:
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [match[0].strip() for match in _STATEMENT.finditer(code)]


def _execute(cursor: Cursor, statement: str) -> None:
    match = _CREATE.search(statement)
    if match is None:
        if not statement.startswith("CREATE SCHEMA"):
            cursor.execute(statement)
        return
    kind, name = match.groups()
    cursor.execute("SAVEPOINT replace")
    try:
        cursor.execute(_CREATE.sub(r"CREATE OR REPLACE \1 \2", statement, count=1))
    except _CANNOT_REPLACE:
        cursor.execute("ROLLBACK TO SAVEPOINT replace")
        cursor.execute(queries("mart")["objects"])
        for _, _, signature in (row for row in cursor.fetchall() if row[0] == name):
            _drop(cursor, name, kind, signature)
        cursor.execute(statement)
    cursor.execute("RELEASE SAVEPOINT replace")


def _drop(cursor: Cursor, name: str, kind: str, signature: str) -> None:
    """Drop a view or function, and what is built on it in `mart`: it is created again by the following statements."""
    cursor.execute(queries("mart")["foreign_dependents"], {"name": signature, "kind": kind})
    dependents = [described for (described,) in cursor.fetchall()]
    if dependents:
        raise ServerError(
            f"{name} changes in this version, but others have built on it: {', '.join(dependents)}. Pressmark does not "
            "drop what it has not created. Save the definitions (`pg_get_viewdef`, `pg_get_functiondef`), drop these "
            "objects, run `pressmark db migrate`, and create them again."
        )
    # Postgres has quoted the name: it is the text of a regclass or regprocedure.
    cursor.execute(f"DROP {kind} IF EXISTS {signature} CASCADE")
