"""Limit each host to one request at a time, across all processes, and record each request.

A lease in `ops.host_lease` is taken before each request and released after it. The delay starts at the
release. It is the longest of the outlet's delay, the Crawl-delay of robots.txt and the Retry-After header.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from pressmark.crawl_types import FetchRecord
from pressmark.dates import DateContext, read_date
from pressmark.urls import url_host
from pressmark.warehouse.lease import HostLeases
from spiders.outcomes import FAILED_URL, Stopping, is_stopping, outcome_for_error
from spiders.requests import DELAY, request_kind

_LEASE = "pressmark_lease"
_GRACE_SECONDS = 15.0  # added to the request timeout before the lease of a dead holder expires
_MAX_RETRY_AFTER = 600.0  # seconds
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]*)?")

# Requests of this process for one host queue here, so that only one of them polls the database.
_hosts: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


@dataclass(slots=True)
class _Lease:
    host: str
    since: datetime
    started: float


class LeaseMiddleware:
    """Takes a host lease for each request, then records the request and releases the lease."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> LeaseMiddleware:
        """Create the middleware (called by Scrapy)."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the host's lease. Raises Stopping if the crawl is stopped meanwhile."""
        ledger = getattr(self._crawler.spider, "ledger", None)
        if ledger is None:
            return
        host = url_host(request.url)
        await _hosts[host].acquire()
        try:
            seconds = request.meta.get("download_timeout", 45.0) + _GRACE_SECONDS
            await self._take(ledger.services.leases, host, seconds, ledger.outlet.politeness.delay)
        except BaseException:
            _hosts[host].release()
            raise
        request.meta[_LEASE] = _Lease(host, datetime.now(UTC), time.monotonic())

    async def process_response(self, request: Request, response: Response) -> Response:
        """Release the lease after a response."""
        await self._end(request, response, None)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Release the lease after the request, or a middleware that ran earlier, has failed."""
        setattr(exception, FAILED_URL, request.url)
        await self._end(request, None, exception)

    async def _take(self, leases: HostLeases, host: str, seconds: float, delay: float) -> None:
        while True:
            if is_stopping(self._crawler):
                raise Stopping("the crawl is stopping")
            wait = await asyncio.to_thread(leases.take, host, seconds, delay)
            if wait is None:
                return
            await asyncio.sleep(min(wait.seconds, 1.0) if wait.seconds > 1 else wait.seconds)

    async def _end(self, request: Request, response: Response | None, error: Exception | None) -> None:
        lease: _Lease | None = request.meta.pop(_LEASE, None)
        if lease is None:
            return
        ledger = self._crawler.spider.ledger  # type: ignore[union-attr]
        try:
            delay = max(ledger.outlet.politeness.delay, request.meta.get(DELAY) or 0.0, _retry_after(response))
            await asyncio.to_thread(ledger.services.leases.give_back, lease.host, delay)
        finally:
            _hosts[lease.host].release()
        ledger.record_fetch(
            FetchRecord(
                fetched_at=lease.since,
                url=request.url,
                kind=request_kind(request),
                http_status=response.status if response is not None else None,
                bytes=len(response.body) if response is not None else None,
                seconds=time.monotonic() - lease.started,
                ip=str(response.ip_address) if response is not None and response.ip_address else None,
                error=outcome_for_error(error, request.url)[1] if error is not None else None,
            )
        )


def _retry_after(response: Response | None) -> float:
    """Return the Retry-After of a 429 or 503 response in seconds, capped; 0 if there is none."""
    if response is None or response.status not in (429, 503):
        return 0.0
    value = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _MAX_RETRY_AFTER)
    date = read_date(value, "header", DateContext(datetime.now(UTC) + timedelta(days=365)))
    if date is None or date.value is None or date.precision == "day":
        return 0.0
    return min(max((date.value - datetime.now(UTC)).total_seconds(), 0.0), _MAX_RETRY_AFTER)
