"""robots.txt and tdmrep.json of hosts: asked for once a day, by whichever crawl comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

from scrapy.crawler import Crawler

from pressmark.robots import MAX_BYTES
from pressmark.warehouse.site_policies import Kind, SitePolicy
from spiders.outcomes import Stopping, outcome_of_error
from spiders.requests import RIGHTS_BYTES, ROBOTS_BYTES, make_request

Made = TypeVar("Made")
_PATHS: dict[Kind, str] = {"robots": "/robots.txt", "tdmrep": "/.well-known/tdmrep.json"}


class AsyncCache(Generic[Made]):
    """Makes something once a key, however many ask for it at once; what fails is tried again by the next."""

    def __init__(self, make: Callable[[str], Awaitable[Made]]) -> None:
        self._make = make
        self._made: dict[str, asyncio.Future[Made]] = {}

    async def get(self, key: str) -> Made:
        """What is made of the key, now or before."""
        future = self._made.get(key)
        if future is None:
            future = self._made[key] = asyncio.get_running_loop().create_future()
            try:
                future.set_result(await self._make(key))
            except BaseException as error:
                del self._made[key]
                future.set_exception(error)
                future.exception()  # looked at, so that asyncio does not report it where nobody else waits
                raise
        return await asyncio.shield(future)


async def fetch_site_policy(crawler: Crawler, site: str, kind: Kind) -> SitePolicy:
    """A host's file as some crawl saw it within the last day, or as it answers now. Raises Stopping."""
    ledger = getattr(crawler.spider, "ledger", None)
    if ledger is not None:
        known: SitePolicy | None = await ledger.read_site_policy(site, kind)
        if known is not None:
            return known
    file = await _ask(crawler, site, kind)
    if ledger is not None:
        await ledger.write_site_policy(file)
    return file


async def _ask(crawler: Crawler, site: str, kind: Kind) -> SitePolicy:
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
        return SitePolicy(site, kind, now, None, outcome_of_error(error, url)[1])
    body = response.body[: MAX_BYTES if kind == "robots" else RIGHTS_BYTES] if 200 <= response.status < 300 else None
    return SitePolicy(site, kind, now, response.status, None, body)
