"""The daily care: partitions ahead, staging purged, retention, small archive files joined. May be cut off and repeated.

Files of the archive that no row knows are for `crawl.rebuild`.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from uuid import uuid4

from psycopg2.extensions import cursor as Cursor

from pressmark.archive.store import ArchiveStore
from pressmark.outlet import Outlet
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.queries import queries
from pressmark.warehouse.removals import ARCHIVE_LOCK, catch_up

JOINED_BYTES = 2**30
FETCHES_KEPT = timedelta(days=400)
_REST = timedelta(days=1)  # so long a file is left alone before it is joined
_VACUUMED = (
    "core.article", "core.visit", "core.extraction", "core.text", "core.revision", "core.search_document",
    "core.copy_band", "core.compared_text", "core.sighting", "ops.frontier", "ops.candidate",
)  # fmt: skip
_SQL = queries("upkeep")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Upkeep:
    """What was done, by kind."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, count: int) -> None:
        """Count."""
        self.counts[kind] = self.counts.get(kind, 0) + count


def maintain(
    warehouse: Warehouse, store: ArchiveStore, outlets: Iterable[Outlet], now: datetime | None = None
) -> Upkeep:
    """All of it, in order. now: for tests."""
    now = now or datetime.now(UTC)
    done = Upkeep()
    with contextlib.closing(warehouse.connect("maintainer", "pressmark maintain")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["partitions_ahead"])
            done.add("partitions made", _number(cursor))
            cursor.execute(_SQL["drop_old_fetches"], {"before": now - FETCHES_KEPT})
            done.add("partitions of fetches dropped", _number(cursor))
        for statement, kind in (
            ("purge_staged_visits", "staged rows purged"),
            ("purge_staged_events", "staged rows purged"),
            ("purge_queue", "queue entries purged"),
            ("purge_bands", "bands of former texts purged"),
        ):
            with transaction(connection) as cursor:
                cursor.execute(_SQL[statement])
                done.add(kind, cursor.rowcount)
        with session_lock(connection, ARCHIVE_LOCK):
            for outlet in outlets:
                _retain(connection, store, outlet, now, done)
            done.add("files joined", join_files(connection, store, now))
    removed = catch_up(warehouse, store)
    done.add("captures overwritten", removed.captures)
    analyse(warehouse, _VACUUMED, vacuum=True)
    return done


def analyse(warehouse: Warehouse, tables: Iterable[str] = _VACUUMED, vacuum: bool = False) -> None:
    """Tell the planner what tables hold now; with `vacuum`, also make room and empty the index's pending list."""
    from psycopg2 import sql

    with contextlib.closing(warehouse.connect("maintainer", "pressmark analyse")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for table in tables:
                schema, name = table.split(".")
                verb = sql.SQL("VACUUM (ANALYZE, SKIP_LOCKED) {}.{}" if vacuum else "ANALYZE {}.{}")
                cursor.execute(verb.format(sql.Identifier(schema), sql.Identifier(name)))


def join_files(connection: Connection, store: ArchiveStore, now: datetime) -> int:
    """Join small files of an outlet and month into files of up to a gigabyte; returns how many files went into others.

    The joined file is in place before rows point to it, and the small ones go when none does.
    """
    with transaction(connection) as cursor:
        cursor.execute(_SQL["small_files"], {"before": now - _REST, "most": JOINED_BYTES // 2})
        rows = cursor.fetchall()
    joined = 0
    for (outlet, month), group in groupby(rows, key=lambda row: (row[0], row[1])):
        batch: list[str] = []
        size = 0
        for _, _, file, length in group:
            if batch and size + length > JOINED_BYTES:
                joined += _join(connection, store, outlet, month, batch)
                batch, size = [], 0
            batch.append(file)
            size += length
        joined += _join(connection, store, outlet, month, batch)
    return joined


def _join(connection: Connection, store: ArchiveStore, outlet: str, month: datetime, files: list[str]) -> int:
    if len(files) < 2:
        return 0
    target = f"{outlet}/{month:%Y}/{month:%m}/joined_{uuid4()}.warc.gz"
    shifts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="pressmark-join-") as folder:
        path = Path(folder) / "joined.warc.gz"
        with path.open("wb") as joined:
            for file in files:
                shifts[file] = joined.tell()
                joined.write(store.read_file(file))
        store.put(path, target)
    with transaction(connection) as cursor:
        for file, shift in shifts.items():
            cursor.execute(_SQL["move_segments"], {"file": file, "target": target, "shift": shift})
    for file in files:
        store.delete(file)
    return len(files)


def _retain(connection: Connection, store: ArchiveStore, outlet: Outlet, now: datetime, done: Upkeep) -> None:
    kept = outlet.retention
    if kept.comments is not None:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["old_comments"], {"outlet": outlet.id, "before": now - kept.comments})
            done.add("comments expired", cursor.rowcount)
    if kept.refused is not None:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["old_refused"], {"outlet": outlet.id, "before": now - kept.refused})
            done.add("refused pages expired", cursor.rowcount)
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
        done.add("archive files expired", 1)


def delete_spare(warehouse: Warehouse, store: ArchiveStore, files: Iterable[str]) -> int:
    """Delete files whose segments all lie elsewhere or are expired (left behind by a join or a retention cut off)."""
    count = 0
    with contextlib.closing(warehouse.connect("maintainer", "pressmark maintain")) as connection:
        with session_lock(connection, ARCHIVE_LOCK):
            for file in files:
                with transaction(connection) as cursor:
                    cursor.execute(_SQL["is_referred_to"], {"file": file})
                    (in_use,) = cursor.fetchone() or (True,)
                if not in_use:
                    logger.info("%s is spare: all of it lies in other files, or is expired", file)
                    store.delete(file)
                    count += 1
    return count


def _number(cursor: Cursor) -> int:
    return int((cursor.fetchone() or (0,))[0])
