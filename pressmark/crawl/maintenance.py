"""Daily maintenance of the warehouse and the archive: `pressmark maintain` and the DAG of that name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime

from pressmark.archive.store import ArchiveStore
from pressmark.crawl.rebuild import rebuild
from pressmark.crawl.recovery import sweep_spool
from pressmark.crawl.services import Services
from pressmark.outlet import Outlet
from pressmark.registry import load_registry
from pressmark.removal.erasure import ARCHIVE_LOCK, apply_pending_removals
from pressmark.settings import Settings
from pressmark.warehouse.compaction import delete_spare, join_files
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.partitions import split
from pressmark.warehouse.retention import MaintenanceReport, expire, purge, vacuum

RESTAGED_SEGMENTS = "orphaned segments staged again"


def run_maintenance(settings: Settings) -> MaintenanceReport:
    """Restage orphaned segments, then do everything that `maintain` does. The caller loads what was restaged."""
    registry, store, warehouse = load_registry(settings), ArchiveStore(settings.archive), Warehouse(settings)
    with contextlib.closing(Services.open(settings, lambda event: None)) as services:
        swept = sweep_spool(services, registry.outlets)
        found = rebuild(services, registry.outlets)
    report = maintain(warehouse, store, registry.outlets.values())
    report.add(RESTAGED_SEGMENTS, found.segments + swept)
    report.add("spare archive files deleted", delete_spare(warehouse, store, found.spare or ()))
    return report


def maintain(
    warehouse: Warehouse, store: ArchiveStore, outlets: Iterable[Outlet], now: datetime | None = None
) -> MaintenanceReport:
    """Purge, expire, join archive files, apply pending removals, vacuum. Safe to interrupt and repeat.

    now: the time that ages are counted from; for tests.
    """
    now = now or datetime.now(UTC)
    report = MaintenanceReport()
    with contextlib.closing(warehouse.connect("maintainer", "pressmark maintain")) as connection:
        purge(connection, now, report)
        with session_lock(connection, ARCHIVE_LOCK):
            for outlet in outlets:
                expire(connection, store, outlet, now, report)
            report.add("files joined", join_files(connection, store, now))
    report.add("captures overwritten", apply_pending_removals(warehouse, store).captures)
    vacuum(warehouse)
    with contextlib.closing(warehouse.connect("maintainer", "pressmark maintain")) as connection:
        report.add("months moved to partitions", split(connection))
    return report
