"""Running crawl requests: one Scrapy crawler per request, all in one event loop."""

from __future__ import annotations

import logging
import os
import sys
from uuid import UUID

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings as ScrapySettings
from scrapy.utils.misc import load_object
from scrapy.utils.project import get_project_settings

from pressmark.crawl.services import Emit, Services
from pressmark.crawl_types import CrawlRequest
from pressmark.errors import ConfigError
from pressmark.logs import quiet_scrapy
from pressmark.outlet import Outlet
from pressmark.registry import Registry, load_registry
from pressmark.settings import PROJECT_ROOT, Settings
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.crawl_requests import get_requests
from pressmark.warehouse.migrations import ensure_ready
from spiders.addon import protected_settings
from spiders.crawl_startup import open_crawls
from spiders.outlet_spider import OutletSpider

logger = logging.getLogger(__name__)


def run(request_ids: list[UUID], emit: Emit) -> bool:
    """Run the crawls of these requests; True if none failed. Raises PressmarkError before they begin."""
    settings = Settings.from_env()
    registry = load_registry(settings)
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    services = Services.open(settings, emit)
    try:
        requests = services.database.run(lambda cursor: get_requests(cursor, request_ids))
        requests, spider_classes = _runnable(services, registry, requests)
        process = AsyncCrawlerProcess(scrapy_settings())
        quiet_scrapy()
        ledgers = open_crawls(services, registry, requests)
        crawlers = []
        for ledger in ledgers:
            crawler = process.create_crawler(spider_classes[ledger.outlet.id])
            crawlers.append(crawler)
            process.crawl(crawler, ledger=ledger)
        process.start()
        return len(requests) == len(request_ids) and not any(getattr(c.spider, "has_failed", True) for c in crawlers)
    finally:
        services.close()


def _runnable(
    services: Services, registry: Registry, requests: list[CrawlRequest]
) -> tuple[list[CrawlRequest], dict[str, type[OutletSpider]]]:
    """The requests whose outlets have a valid file, with their spider classes. An invalid file stops only its outlet.

    Raises ConfigError if no request is left.
    """
    runnable, classes, problem = [], {}, None
    for request in requests:
        try:
            classes[request.outlet] = _spider_class(registry.get(request.outlet))
            runnable.append(request)
        except ConfigError as error:
            problem = error
            logger.error("%s: not crawled: %s", request.outlet, error)
            services.emit(
                {
                    "event": "closed",
                    "outlet": request.outlet,
                    "reason": "failed",
                    "error": str(error),
                    "plan": {},
                    "requests": 0,
                }
            )
    if problem and not runnable:
        raise problem
    return runnable, classes


def scrapy_settings() -> ScrapySettings:
    """The project's settings, independent of the working directory."""
    os.environ.setdefault("SCRAPY_SETTINGS_MODULE", "spiders.settings")
    if str(PROJECT_ROOT) not in sys.path:
        sys.path.insert(0, str(PROJECT_ROOT))
    return get_project_settings()


def _spider_class(outlet: Outlet) -> type[OutletSpider]:
    """The spider class that an outlet's file names. Raises ConfigError if it is none, or changes guards."""
    path = outlet.spider
    try:
        found = load_object(path)
    except (ImportError, NameError, ValueError) as error:
        raise ConfigError(f"spider: {path} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, OutletSpider)):
        raise ConfigError(f"spider: {path} is not a subclass of spiders.outlet_spider.OutletSpider")
    taken = sorted(protected_settings() & set(found.custom_settings or {}))
    if taken:
        raise ConfigError(
            f"spider: {path} sets {', '.join(taken)} in custom_settings. Spiders must not change these guards"
        )
    custom = [endpoint.url for endpoint in outlet.endpoints if endpoint.method == "custom"]
    if custom and found.discover is OutletSpider.discover:
        raise ConfigError(f"endpoints: {custom[0]} has the method custom, but {path} does not override `discover`")
    return found
