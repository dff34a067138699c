"""From crawl requests to open ledgers: locks, recovery of dead crawls, free disk space, one row per crawl."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from pressmark.archive.local import disk_error
from pressmark.crawl.ledger import CrawlLedger
from pressmark.crawl.recovery import recover, sweep_spool
from pressmark.crawl.services import Services
from pressmark.crawl_types import CrawlRequest
from pressmark.errors import NoSpace, ServerError
from pressmark.outlet import Outlet
from pressmark.registry import Registry
from pressmark.removal.erasure import check_erasure_key
from pressmark.warehouse.crawls import open_crawl
from pressmark.warehouse.locks import alive_lock, crawl_lock

_LOCK_GRACE = 120.0  # seconds to wait beyond the time budget of a crawl that holds the lock


def open_crawls(services: Services, registry: Registry, requests: Sequence[CrawlRequest]) -> list[CrawlLedger]:
    """Open a crawl for each request, in order.

    Raises NoSpace, ArchiveError or ConfigError before anything is done, and ServerError if another crawl of the same
    outlet and mode does not end.
    """
    check_free_space(services)
    if not all(request.dry_run for request in requests):
        services.store.check_writable()
        services.database.run(lambda cursor: check_erasure_key(cursor, services.settings))
    outlets = {request.outlet: registry.get(request.outlet) for request in requests}
    longest = max(outlet.budgets.duration.total_seconds() for outlet in outlets.values())
    deadline = time.monotonic() + longest + _LOCK_GRACE  # for all together: a job must not wait for each in turn
    # In a fixed order, so that two processes cannot wait for each other.
    for request in sorted(requests, key=lambda r: (r.outlet, r.mode)):
        lock = crawl_lock(request.outlet, request.mode)
        if not services.locks.try_take(lock):
            services.emit({"event": "waiting", "outlet": request.outlet})
            if not services.locks.take(lock, max(0.0, deadline - time.monotonic())):
                raise ServerError(
                    f"{request.outlet}: another {request.mode} crawl has been running for too long. "
                    "`pressmark status` shows it; stop it, or try again later."
                )
    recover(services, outlets, list(outlets), {(request.outlet, request.mode) for request in requests})
    sweep_spool(services, registry.outlets)
    return [_open(services, outlets[request.outlet], request) for request in requests]


def check_free_space(services: Services) -> None:
    """Raise NoSpace if the disk of the spool or of a local archive is nearly full."""
    min_free = services.settings.min_free_bytes
    places = [services.settings.home]
    if services.store.is_local:
        places.append(Path(services.settings.archive))
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, place) from error
        free = shutil.disk_usage(place).free
        if free < min_free:
            raise NoSpace(
                f"Only {free // 2**20} MB free at {place}; a crawl needs {min_free // 2**20} MB. "
                "Free some space, move it (PRESSMARK_HOME, PRESSMARK_ARCHIVE) or lower PRESSMARK_MIN_FREE_MB."
            )


def _open(services: Services, outlet: Outlet, request: CrawlRequest) -> CrawlLedger:
    crawl_id = uuid4()
    if not request.dry_run:
        services.locks.try_take(alive_lock(crawl_id))
        services.database.run(lambda cursor: open_crawl(cursor, request, crawl_id))
    return CrawlLedger.open(services, outlet, request, crawl_id)
