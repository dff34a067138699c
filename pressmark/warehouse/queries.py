"""Named SQL statements from `sql/queries/`. Views are in `sql/mart`.

Each statement follows a line `-- name: some_name` and a comment that describes it.
Parameters use psycopg2's `%(name)s` style. No statement is built from strings.
"""

from __future__ import annotations

import re
from functools import cache

from pressmark.settings import SQL_ROOT

_HEADING = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def queries(area: str) -> dict[str, str]:
    """Return all statements of `sql/queries/<area>.sql` by name."""
    text = (SQL_ROOT / "queries" / f"{area}.sql").read_text(encoding="utf-8")
    parts = _HEADING.split(text)
    statements = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    if len(statements) * 2 != len(parts) - 1:
        raise ValueError(f"sql/queries/{area}.sql uses a statement name twice")
    return statements
