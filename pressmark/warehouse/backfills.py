"""Rows of backfills and of their chunks."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.errors import ConfigError
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction, typed_rows
from pressmark.warehouse.queries import queries

FINISHED = ("done", "covered")
_SQL = queries("backfill")


class BackfillChunk(NamedTuple):
    """A row of ops.backfill_chunk."""

    outlet: str
    since: datetime
    until: datetime
    state: str
    request_id: UUID | None
    attempts: int
    detail: str | None


class Backfill(NamedTuple):
    """A row of ops.backfill. plan: the JSON of an OutletPlan by outlet."""

    backfill_id: UUID
    outlets: list[str]
    since: datetime
    until: datetime
    methods: list[str] | None
    page_budget: int | None
    force_refetch: bool
    state: str
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    plan: dict[str, Any]
    report: dict[str, Any] | None


def list_backfills(warehouse: Warehouse) -> list[dict[str, Any]]:
    """List the latest backfills with the number of their chunks and of those done."""
    with contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["list"])
            return dict_rows(cursor)


def coverage(cursor: Cursor, outlet: str, since: datetime, until: datetime) -> dict[str, int]:
    """Return the number of articles in the warehouse by day of publication."""
    cursor.execute(_SQL["coverage"], {"outlet": outlet, "since": since, "until": until})
    return {str(day): articles for day, articles in cursor.fetchall()}


def read_backfill(cursor: Cursor, backfill_id: UUID) -> Backfill:
    """Read a backfill. Raises ConfigError if it does not exist."""
    cursor.execute(_SQL["read"], {"backfill_id": backfill_id})
    rows = typed_rows(cursor, Backfill)
    if not rows:
        raise ConfigError(
            f"There is no backfill {backfill_id} in this warehouse. `pressmark backfill --list` shows the latest ones."
        )
    return rows[0]


def read_chunks(cursor: Cursor, backfill_id: UUID) -> list[BackfillChunk]:
    """Read the chunks of a backfill, of all its outlets."""
    cursor.execute(_SQL["chunks"], {"backfill_id": backfill_id})
    return typed_rows(cursor, BackfillChunk)


def update_chunk(
    cursor: Cursor,
    backfill_id: UUID,
    outlet: str,
    since: datetime,
    state: str,
    request_id: UUID | None,
    detail: str | None,
) -> None:
    """Set the state of a chunk, the crawl request that it came from and, if it is not simply done, why."""
    cursor.execute(
        _SQL["update_chunk"],
        {
            "backfill_id": backfill_id,
            "outlet": outlet,
            "since": since,
            "state": state,
            "request_id": request_id,
            "detail": detail,
        },
    )
