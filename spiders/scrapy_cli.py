"""Support `scrapy crawl outlet -a id=ID`, a crawl started without the `pressmark` command."""

from __future__ import annotations

import atexit

from scrapy.exceptions import UsageError

from pressmark.crawl.ledger import CrawlLedger
from pressmark.crawl.services import Services, emit_to
from pressmark.errors import PressmarkError
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.crawl_requests import add_request
from pressmark.warehouse.migrations import ensure_ready
from spiders.crawl_startup import open_crawls


def open_ledger(outlet_id: str | None) -> CrawlLedger:
    """Open the ledger of a new incremental crawl of an outlet. Raises UsageError with the reason on failure."""
    if not outlet_id:
        raise UsageError("outlet id missing: run `scrapy crawl outlet -a id=ID` (see `pressmark outlet list`)")
    try:
        settings = Settings.from_env()
        registry = load_registry(settings)
        outlet = registry.get(outlet_id)
        ensure_ready(Warehouse(settings))
        services = Services.open(settings, emit_to(None))
        atexit.register(services.close)
        request = services.database.run(lambda cursor: add_request(cursor, outlet, requested_by="scrapy crawl"))
        return open_crawls(services, registry, [request])[0]
    except PressmarkError as error:
        raise UsageError(str(error)) from error
