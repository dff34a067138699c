"""Write rows in COPY's text format, which psycopg2 does not support itself.

Format: https://www.postgresql.org/docs/current/sql-copy.html (text format).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from pressmark import failpoints
from pressmark.text import clean_text

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Json:
    """A value for a jsonb column."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def copy_rows(cursor: Cursor, table: tuple[str, str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """COPY rows into (schema, table) and return their number. Strings are cleaned."""
    lines = ["\t".join(field(value) for value in row) + "\n" for row in rows]
    statement = sql.SQL("COPY {}.{} ({}) FROM STDIN").format(
        sql.Identifier(table[0]), sql.Identifier(table[1]), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    cursor.copy_expert(statement, _Stream("".join(lines)))
    return len(lines)


def field(value: Any) -> str:
    """Return one value in COPY's text format."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return clean_text(value).translate(_ESCAPES)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, (int, float, UUID)):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return "\\\\x" + bytes(value).hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Json):
        return clean_text(json.dumps(_clean(value.value), ensure_ascii=False)).translate(_ESCAPES)
    if isinstance(value, (list, tuple)):
        return _array(value).translate(_ESCAPES)
    raise TypeError(f"cannot COPY a value of type {type(value).__name__}")


def _array(values: Sequence[str]) -> str:
    quoted = (clean_text(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def _clean(value: Any) -> Any:
    """Clean the strings of a JSON value, since jsonb rejects escaped NULs too."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(name)): _clean(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value


class _Stream(io.StringIO):
    """The stream that COPY reads, with a failpoint in the middle."""

    def read(self, size: int | None = -1, /) -> str:
        if self.tell() > 0:
            failpoints.reach("within_copy")
        return super().read(min(size, 8192) if size and size > 0 else size)
