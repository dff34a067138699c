"""From crawl requests to open books: locks, what dead crawls left behind, free disk, a row per crawl."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from pressmark.crawl.ledger import CrawlLedger
from pressmark.crawl.recovery import recover
from pressmark.crawl.services import Services
from pressmark.errors import NoSpace, ServerError
from pressmark.outlet import Outlet
from pressmark.registry import Registry
from pressmark.warehouse.crawl_requests import CrawlRequest
from pressmark.warehouse.crawls import open_crawl
from pressmark.warehouse.locks import alive_lock, crawl_lock

_PATIENCE = 120.0  # seconds beyond the time budget of a crawl that is in the way


def open_crawls(services: Services, registry: Registry, requests: Sequence[CrawlRequest]) -> list[CrawlLedger]:
    """Open a crawl for each request, in order.

    Raises NoSpace before anything is done, ConfigError for an outlet without a file, ServerError where
    another crawl of the same outlet and mode does not end.
    """
    check_free_space(services)
    outlets = {request.outlet: registry.get(request.outlet) for request in requests}
    longest = max(outlet.budgets.duration.total_seconds() for outlet in outlets.values())
    deadline = time.monotonic() + longest + _PATIENCE  # for all together: a job must not wait for one after the other
    # In one order everywhere, so that two processes cannot wait for each other.
    for request in sorted(requests, key=lambda r: (r.outlet, r.mode)):
        lock = crawl_lock(request.outlet, request.mode)
        if not services.locks.try_take(lock):
            services.emit({"event": "waiting", "outlet": request.outlet})
            if not services.locks.take(lock, max(0.0, deadline - time.monotonic())):
                raise ServerError(
                    f"{request.outlet}: another {request.mode} crawl of it has been running for too long."
                )
    recover(services, outlets, list(outlets))
    return [_open(services, outlets[request.outlet], request) for request in requests]


def check_free_space(services: Services) -> None:
    """Raises NoSpace where the disk of the spool or of a local archive is nearly full."""
    least = services.settings.min_free_bytes
    places = [services.settings.home]
    if services.store.is_local:
        places.append(Path(services.settings.archive))
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(place).free
        if free < least:
            raise NoSpace(
                f"Only {free // 2**20} MB are free at {place}; a crawl needs {least // 2**20} MB. "
                "Free some space, move it (PRESSMARK_HOME, PRESSMARK_ARCHIVE) or lower PRESSMARK_MIN_FREE_MB."
            )


def _open(services: Services, outlet: Outlet, request: CrawlRequest) -> CrawlLedger:
    crawl_id = uuid4()
    if not request.dry_run:
        services.locks.try_take(alive_lock(crawl_id))
        services.database.run(lambda cursor: open_crawl(cursor, request, crawl_id))
    return CrawlLedger.open(services, outlet, request, crawl_id)
