"""Data past its retention is deleted, partitions are made ahead, staging is purged. Safe to interrupt and repeat."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from pressmark.archive.store import ArchiveStore
from pressmark.outlet import Outlet
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.queries import queries

FETCH_RETENTION = timedelta(days=400)
_VACUUMED = (
    "core.article", "core.capture", "core.extraction", "core.text", "core.revision", "core.search_document",
    "core.lsh_band", "core.dedup_text", "core.url_listing", "ops.frontier", "ops.candidate",
)  # fmt: skip
_SQL = queries("retention")


@dataclass(slots=True)
class MaintenanceReport:
    """What was done, by kind."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, count: int) -> None:
        """Count."""
        self.counts[kind] = self.counts.get(kind, 0) + count


def purge(connection: Connection, now: datetime, report: MaintenanceReport) -> None:
    """Make partitions ahead, drop those of old fetches, purge staging and dead near-duplicate bands."""
    with transaction(connection) as cursor:
        cursor.execute(_SQL["partitions_ahead"])
        report.add("partitions made", _number(cursor))
        cursor.execute(_SQL["drop_old_fetches"], {"before": now - FETCH_RETENTION})
        report.add("partitions of fetches dropped", _number(cursor))
    for statement, kind in (
        ("purge_staged_captures", "staged rows purged"),
        ("purge_staged_events", "staged rows purged"),
        ("purge_queue", "queue entries purged"),
        ("purge_bands", "bands of former texts purged"),
    ):
        with transaction(connection) as cursor:
            cursor.execute(_SQL[statement])
            report.add(kind, cursor.rowcount)


def expire(
    connection: Connection, store: ArchiveStore, outlet: Outlet, now: datetime, report: MaintenanceReport
) -> None:
    """Delete what an outlet's retention settings no longer allow: comments, rejected pages, archive files."""
    kept = outlet.retention
    if kept.comments is not None:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["old_comments"], {"outlet": outlet.id, "before": now - kept.comments})
            report.add("comments expired", cursor.rowcount)
    if kept.refused is not None:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["old_refused"], {"outlet": outlet.id, "before": now - kept.refused})
            report.add("refused pages expired", cursor.rowcount)
    if kept.archive is None:
        return
    with transaction(connection) as cursor:
        cursor.execute(_SQL["old_files"], {"outlet": outlet.id, "before": now - kept.archive})
        files = [row[0] for row in cursor.fetchall()]
    for file in files:
        with transaction(connection) as cursor:  # no row points to what isn't there: the rows go first
            cursor.execute(_SQL["forget_expired"], {"file": file})
            cursor.execute(_SQL["expire_file"], {"file": file})
        store.delete(file)
        report.add("archive files expired", 1)


def analyse(warehouse: Warehouse, tables: Iterable[str] = _VACUUMED, vacuum: bool = False) -> None:
    """Tell the planner what tables hold now; with `vacuum`, also make room and empty the index's pending list."""
    with contextlib.closing(warehouse.connect("maintainer", "pressmark analyse")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for table in tables:
                schema, name = table.split(".")
                verb = sql.SQL("VACUUM (ANALYZE, SKIP_LOCKED) {}.{}" if vacuum else "ANALYZE {}.{}")
                cursor.execute(verb.format(sql.Identifier(schema), sql.Identifier(name)))


def _number(cursor: Cursor) -> int:
    return int((cursor.fetchone() or (0,))[0])
