"""robots.txt and tdmrep.json of hosts, fetched once a day and shared by all crawls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

from scrapy.crawler import Crawler

from pressmark.robots import MAX_BYTES
from pressmark.warehouse.site_policies import Kind, SitePolicy
from spiders.outcomes import Stopping, outcome_for_error
from spiders.requests import RIGHTS_BYTES, ROBOTS_BYTES, make_request

Value = TypeVar("Value")
_PATHS: dict[Kind, str] = {"robots": "/robots.txt", "tdmrep": "/.well-known/tdmrep.json"}


class AsyncCache(Generic[Value]):
    """Computes one value per key, shared by concurrent callers. Failures are not cached."""

    def __init__(self, make: Callable[[str], Awaitable[Value]]) -> None:
        self._make = make
        self._values: dict[str, asyncio.Future[Value]] = {}

    async def get(self, key: str) -> Value:
        """Return the value of a key, computing it if necessary."""
        future = self._values.get(key)
        if future is None:
            future = self._values[key] = asyncio.get_running_loop().create_future()
            try:
                future.set_result(await self._make(key))
            except BaseException as error:
                del self._values[key]
                future.set_exception(error)
                future.exception()  # mark it as retrieved; otherwise asyncio logs an error if nobody else waits
                raise
        return await asyncio.shield(future)


async def fetch_site_policy(crawler: Crawler, site: str, kind: Kind) -> SitePolicy:
    """Return a host's file, from the last day's crawls or fetched now. Raises Stopping if the crawl is stopping."""
    ledger = getattr(crawler.spider, "ledger", None)
    if ledger is not None:
        known: SitePolicy | None = await ledger.read_site_policy(site, kind)
        if known is not None:
            return known
    file = await _download(crawler, site, kind)
    if ledger is not None:
        await ledger.write_site_policy(file)
    return file


async def _download(crawler: Crawler, site: str, kind: Kind) -> SitePolicy:
    ledger = getattr(crawler.spider, "ledger", None)
    url, outlet = site + _PATHS[kind], ledger.outlet if ledger else None
    now = datetime.now(UTC)
    if kind == "robots":
        request = make_request(url, "robots", outlet, ROBOTS_BYTES)
    else:
        request = make_request(url, "rights", outlet, RIGHTS_BYTES)
    try:
        response = await crawler.engine.download_async(request)
    except Stopping:
        raise
    except Exception as error:
        return SitePolicy(site, kind, now, None, outcome_for_error(error, url)[1])
    body = response.body[: MAX_BYTES if kind == "robots" else RIGHTS_BYTES] if 200 <= response.status < 300 else None
    return SitePolicy(site, kind, now, response.status, None, body)
