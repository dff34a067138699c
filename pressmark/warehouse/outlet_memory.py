"""The outlet's memory in the warehouse: read, learned from the latest articles, and forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark.outlet_memory import FORGET_AFTER_DAYS, MAX_LINES, learn
from pressmark.warehouse.connection import typed_rows
from pressmark.warehouse.queries import queries

_SQL = queries("outlet_memory")


@dataclass(frozen=True, slots=True)
class LearnedLine:
    """A row of core.outlet_line."""

    line: str
    articles: int
    learned_on: date
    last_seen_on: date


def read_memory(cursor: Cursor, outlet: str, today: date | None = None) -> tuple[str, ...]:
    """Return the keys of the lines that extraction removes from an outlet's texts, in a fixed order."""
    cursor.execute(_SQL["keys"], {"outlet": outlet, **_limits(today)})
    return tuple(row[0] for row in cursor.fetchall())


def refresh_memory(
    cursor: Cursor, outlet: str, articles: Sequence[tuple[UUID, str | None, str, int]], today: date
) -> tuple[str, ...]:
    """Learn from an outlet's latest articles, and return the keys of all lines that are remembered."""
    learned = learn((headline, text) for _, headline, text, _ in articles)
    if learned:
        rows = [(outlet, line.key, line.line, line.articles, today, today) for line in learned]
        execute_values(cursor, _SQL["learn"], rows)
    return read_memory(cursor, outlet, today)


def purge_memory(cursor: Cursor, today: date) -> int:
    """Forget lines that have not been seen for long. Return their number."""
    cursor.execute(_SQL["purge"], _limits(today))
    return int(cursor.rowcount)


def _limits(today: date | None) -> dict[str, Any]:
    return {"today": today or datetime.now(UTC).date(), "days": FORGET_AFTER_DAYS, "most": MAX_LINES}


def mark_seen(cursor: Cursor, outlet: str, keys: Iterable[str], today: date) -> None:
    """Record that pages still have these lines."""
    cursor.execute(_SQL["mark_seen"], {"outlet": outlet, "keys": sorted(keys), "today": today})


def forget_line(cursor: Cursor, outlet: str, line_key: str) -> bool:
    """Forget one line, for good. Return whether it was known."""
    cursor.execute(_SQL["forget_line"], {"outlet": outlet, "line_key": line_key})
    return bool(cursor.rowcount)


def learned_lines(cursor: Cursor, outlet: str) -> list[LearnedLine]:
    """Return the lines of an outlet's memory, the most frequent first."""
    cursor.execute(_SQL["lines"], {"outlet": outlet})
    return typed_rows(cursor, LearnedLine)
