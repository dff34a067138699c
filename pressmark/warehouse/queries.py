"""Named SQL statements from `sql/queries/`. Not for views: see `sql/mart`.

A file holds statements, each after a line `-- name: some_name` and a comment that says what it does.
Parameters are psycopg2's `%(name)s`; no statement is put together from strings.
"""

from __future__ import annotations

import re
from functools import cache

from pressmark.settings import SQL_ROOT

_HEADING = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def queries(area: str) -> dict[str, str]:
    """All statements of `sql/queries/<area>.sql`, by name."""
    text = (SQL_ROOT / "queries" / f"{area}.sql").read_text(encoding="utf-8")
    parts = _HEADING.split(text)
    statements = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    if len(statements) * 2 != len(parts) - 1:
        raise ValueError(f"sql/queries/{area}.sql names a statement twice")
    return statements
