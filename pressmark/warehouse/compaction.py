"""Join small archive files, and delete those that no row refers to. Safe to interrupt and repeat."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from uuid import uuid4

from pressmark.archive.store import ArchiveStore
from pressmark.removal.erasure import ARCHIVE_LOCK
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.queries import queries

JOINED_BYTES = 2**30  # a joined file is not larger
LARGE_BYTES = 2**26  # a file of this size is not joined again
MANY_FILES = 100  # of an outlet and month; they are joined before they reach LARGE_BYTES together
_MIN_AGE = timedelta(days=1)  # younger files are not joined: their crawl may still be running
_PARALLEL = 8
_JOINED = "joined_"
_SQL = queries("compaction")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Small files of an outlet and month, and the file that they become."""

    files: list[str]
    target: str


def join_files(connection: Connection, store: ArchiveStore, now: datetime) -> int:
    """Join small files of the same outlet and month into files of up to 1 GiB. Return how many files were joined.

    A file is joined once its outlet and month have 64 MiB of small files or a hundred of them, or once the month is
    over: a byte is copied once or twice, however many files a month has. Several files are written at a time.

    A joined file is in the archive before rows point to it. The small files are deleted after no row points to them.
    """
    with transaction(connection) as cursor:
        cursor.execute(_SQL["small_files"], {"before": now - _MIN_AGE, "most": LARGE_BYTES})
        rows = cursor.fetchall()
    batches = [
        _Batch(files, f"{outlet}/{month:%Y}/{month:%m}/{_JOINED}{uuid4()}.warc.gz")
        for (outlet, month), group in groupby(rows, key=lambda row: (row[0], row[1]))
        for files in _choose([(file, size) for _, _, file, size in group], is_over=_end(month) <= now - _MIN_AGE)
    ]
    joined = 0
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for start in range(0, len(batches), _PARALLEL):  # few at a time, so that little is left over by an interruption
            some = batches[start : start + _PARALLEL]
            for batch, shifts in zip(some, pool.map(partial(_write, store), some), strict=True):
                with transaction(connection) as cursor:
                    for file, shift in shifts.items():
                        cursor.execute(_SQL["move_segments"], {"file": file, "target": batch.target, "shift": shift})
                joined += len(list(pool.map(store.delete, batch.files)))
    return joined


def _end(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)


def _choose(files: list[tuple[str, int]], is_over: bool) -> list[list[str]]:
    """Return which of the small files of an outlet and month are joined now, in groups of up to JOINED_BYTES."""
    if not is_over and sum(size for _, size in files) < LARGE_BYTES:
        files = [(file, size) for file, size in files if _JOINED not in file]
        if len(files) < MANY_FILES:
            return []
    groups: list[list[str]] = [[]]
    total = 0
    for file, size in files:
        if groups[-1] and total + size > JOINED_BYTES:
            groups.append([])
            total = 0
        groups[-1].append(file)
        total += size
    return [group for group in groups if len(group) > 1]


def _write(store: ArchiveStore, batch: _Batch) -> dict[str, int]:
    """Write the joined file. Return the offset of each small file in it."""
    shifts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="pressmark-join-") as folder:
        path = Path(folder) / "joined.warc.gz"
        with path.open("wb") as joined:
            for file in batch.files:
                shifts[file] = joined.tell()
                joined.write(store.read_file(file))
        store.put(path, batch.target)
    return shifts


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
