"""One request at a time per host, across all processes, and a record of each.

The lease of `ops.host_lease` is taken before each request and given back after it; the delay runs from
then on: the outlet's own, the Crawl-delay of robots.txt or the server's Retry-After, whichever is longest.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from pressmark.urls import url_host
from pressmark.warehouse.crawls import FetchRecord
from pressmark.warehouse.lease import HostLeases
from spiders.outcomes import Stopping, is_stopping, outcome_of_error
from spiders.requests import DELAY, request_kind

_TAKEN = "pressmark_lease"
_GRACE = 15.0  # seconds beyond the request's own time limit before a dead holder is forgotten
_MAX_RETRY_AFTER = 600.0

# Within a process requests of one host wait for each other here, and only one of them asks the database.
_hosts: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


@dataclass(slots=True)
class _Taken:
    host: str
    since: datetime
    started: float


class LeaseMiddleware:
    """Takes, times, records and gives back."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> LeaseMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the host. Raises Stopping where the crawl is stopped meanwhile."""
        ledger = getattr(self._crawler.spider, "ledger", None)
        if ledger is None:
            return
        host = url_host(request.url)
        await _hosts[host].acquire()
        try:
            seconds = request.meta.get("download_timeout", 45.0) + _GRACE
            await self._take(ledger.services.leases, host, seconds, ledger.outlet.politeness.delay)
        except BaseException:
            _hosts[host].release()
            raise
        request.meta[_TAKEN] = _Taken(host, datetime.now(UTC), time.monotonic())

    async def process_response(self, request: Request, response: Response) -> Response:
        """The request has ended well."""
        await self._end(request, response, None)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """The request, or a middleware before it, has failed."""
        await self._end(request, None, exception)

    async def _take(self, leases: HostLeases, host: str, seconds: float, delay: float) -> None:
        while True:
            if is_stopping(self._crawler):
                raise Stopping("the crawl is being stopped")
            wait = await asyncio.to_thread(leases.take, host, seconds, delay)
            if wait is None:
                return
            await asyncio.sleep(min(wait.seconds, 1.0) if wait.seconds > 1 else wait.seconds)

    async def _end(self, request: Request, response: Response | None, error: Exception | None) -> None:
        taken: _Taken | None = request.meta.pop(_TAKEN, None)
        if taken is None:
            return
        ledger = self._crawler.spider.ledger  # type: ignore[union-attr]
        try:
            delay = max(ledger.outlet.politeness.delay, request.meta.get(DELAY) or 0.0, _retry_after(response))
            await asyncio.to_thread(ledger.services.leases.give_back, taken.host, delay)
        finally:
            _hosts[taken.host].release()
        ledger.record_fetch(
            FetchRecord(
                fetched_at=taken.since,
                url=request.url,
                kind=request_kind(request),
                http_status=response.status if response is not None else None,
                bytes=len(response.body) if response is not None else None,
                seconds=time.monotonic() - taken.started,
                ip=str(response.ip_address) if response is not None and response.ip_address else None,
                error=outcome_of_error(error, request.url)[1] if error is not None else None,
            )
        )


def _retry_after(response: Response | None) -> float:
    """Seconds that a 429 or 503 asks for, within reason; 0 for none."""
    if response is None or response.status not in (429, 503):
        return 0.0
    value = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if value.isdigit():
        return min(float(value), _MAX_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER)
