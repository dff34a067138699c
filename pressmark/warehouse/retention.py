"""Delete data past its retention, create partitions ahead of time, purge staging. Safe to interrupt and repeat."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from pressmark.archive.store import ArchiveStore
from pressmark.outlet import Outlet
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.locks import take_turn
from pressmark.warehouse.outlet_memory import purge_memory
from pressmark.warehouse.partitions import create_ahead
from pressmark.warehouse.queries import queries

FETCH_RETENTION = timedelta(days=400)
FRONTIER_RETENTION = timedelta(days=400)  # of URLs that are no article and that nothing lists
_VACUUMED = (
    "core.article", "core.capture", "core.extraction", "core.text", "core.revision", "core.dedup_text",
    "core.fingerprint",
    "core.url_listing", "ops.frontier", "ops.candidate",
)  # fmt: skip
# Autovacuum analyses the partitions that changed. Analysing all of them would read gigabytes of tokens.
_PARTITIONED = ("core.search_document", "core.lsh_band")
_SQL = queries("retention")


@dataclass(slots=True)
class MaintenanceReport:
    """Counts of a maintenance run, by kind."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, count: int) -> None:
        """Add to the count of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + count


def purge(connection: Connection, now: datetime, report: MaintenanceReport) -> None:
    """Create partitions ahead of time, drop those of old fetches, purge staging and unused near-duplicate bands."""
    with transaction(connection) as cursor:
        cursor.execute(_SQL["partitions_ahead"])
        report.add("partitions created", _number(cursor))
        cursor.execute(_SQL["drop_old_fetches"], {"before": now - FETCH_RETENTION})
        report.add("fetch partitions dropped", _number(cursor))
        cursor.execute(queries("lock")["purge"])
        report.add("repeated lines forgotten", purge_memory(cursor, now.date()))
    report.add("partitions created", create_ahead(connection))
    with transaction(connection) as cursor:
        take_turn(cursor, "load")
        cursor.execute(queries("counts")["correct"])
        report.add("counts of articles corrected", cursor.rowcount)
        cursor.execute(queries("counts")["purge"])
    for statement, kind in (
        ("purge_staged_captures", "staged rows purged"),
        ("purge_staged_events", "staged rows purged"),
        ("purge_queue", "cluster queue entries purged"),
        ("purge_frontier", "forgotten URLs that are no article"),
        ("purge_days", "counters of old days purged"),
        ("purge_fingerprints", "unused signatures purged"),
        ("purge_bands", "unused near-duplicate bands purged"),
    ):
        with transaction(connection) as cursor:
            cursor.execute(_SQL[statement], {"before": now - FRONTIER_RETENTION})
            report.add(kind, cursor.rowcount)


def expire(
    connection: Connection, store: ArchiveStore, outlet: Outlet, now: datetime, report: MaintenanceReport
) -> None:
    """Delete an outlet's comments, rejected pages and archive files that are past its retention settings."""
    retention = outlet.retention
    if retention.comments is not None:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["old_comments"], {"outlet": outlet.id, "before": now - retention.comments})
            report.add("comments expired", cursor.rowcount)
    if retention.refused is not None:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["old_refused"], {"outlet": outlet.id, "before": now - retention.refused})
            report.add("rejected pages expired", cursor.rowcount)
    if retention.archive is None:
        return
    with transaction(connection) as cursor:
        cursor.execute(_SQL["old_files"], {"outlet": outlet.id, "before": now - retention.archive})
        files = [row[0] for row in cursor.fetchall()]
    for file in files:
        with transaction(connection) as cursor:  # delete the rows first, so that no row points to a missing file
            cursor.execute(_SQL["forget_expired"], {"file": file})
            cursor.execute(_SQL["expire_file"], {"file": file})
        store.delete(file)
        report.add("archive files expired", 1)


def vacuum(warehouse: Warehouse) -> None:
    """Reclaim space, flush the search index, and update the planner's statistics."""
    with contextlib.closing(warehouse.connect("maintainer", "pressmark maintain")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for table in (*_VACUUMED, *_PARTITIONED):
                options = "SKIP_LOCKED" if table in _PARTITIONED else "ANALYZE, SKIP_LOCKED"
                cursor.execute(sql.SQL("VACUUM ({}) {}").format(sql.SQL(options), sql.Identifier(*table.split("."))))


def _number(cursor: Cursor) -> int:
    """Return the only value of the last statement's result."""
    return int((cursor.fetchone() or (0,))[0])
