"""The daily care of warehouse and archive, as the command `maintain` and the DAG of that name give it."""

from __future__ import annotations

import contextlib

from pressmark.archive.store import ArchiveStore
from pressmark.crawl.rebuild import rebuild
from pressmark.crawl.services import Services
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.upkeep import Upkeep, delete_spare, maintain

STAGED_AGAIN = "orphaned segments staged again"


def take_care(settings: Settings) -> Upkeep:
    """Stage orphans of the archive, then partitions, retention, joined and spare files. Loading is the caller's."""
    registry, store, warehouse = load_registry(settings.outlets), ArchiveStore(settings.archive), Warehouse(settings)
    with contextlib.closing(Services.open(settings, lambda event: None)) as services:
        found = rebuild(services, registry.outlets)
    done = maintain(warehouse, store, registry.outlets.values())
    done.add(STAGED_AGAIN, found.segments)
    done.add("spare archive files deleted", delete_spare(warehouse, store, found.spare or ()))
    return done
