"""Join small archive files, and delete those that no row refers to. Safe to interrupt and repeat."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from uuid import uuid4

from pressmark.archive.store import ArchiveStore
from pressmark.removal.erasure import ARCHIVE_LOCK
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.queries import queries

JOINED_BYTES = 2**30
_MIN_AGE = timedelta(days=1)  # younger files are not joined: their crawl may still be running
_SQL = queries("compaction")

logger = logging.getLogger(__name__)


def join_files(connection: Connection, store: ArchiveStore, now: datetime) -> int:
    """Join small files of the same outlet and month into files of up to 1 GiB. Return how many files were joined.

    A joined file is in the archive before rows point to it. The small files are deleted after no row points to them.
    """
    with transaction(connection) as cursor:
        cursor.execute(_SQL["small_files"], {"before": now - _MIN_AGE, "most": JOINED_BYTES // 2})
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


def delete_spare(warehouse: Warehouse, store: ArchiveStore, files: Iterable[str]) -> int:
    """Delete files whose segments are all stored in other files or expired. Return how many files were deleted.

    An interrupted join or expiry leaves such files.
    """
    count = 0
    with contextlib.closing(warehouse.connect("maintainer", "pressmark maintain")) as connection:
        with session_lock(connection, ARCHIVE_LOCK):
            for file in files:
                with transaction(connection) as cursor:
                    cursor.execute(_SQL["is_referred_to"], {"file": file})
                    (in_use,) = cursor.fetchone() or (True,)
                if not in_use:
                    logger.info("Deleting %s: all its segments are stored in other files or expired.", file)
                    store.delete(file)
                    count += 1
    return count
