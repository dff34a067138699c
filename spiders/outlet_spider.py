"""The outlet spider: polls the endpoints of an outlet and fetches the URLs that the ledger selects.

An outlet file may name a subclass (`spider:`). The guards stay the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from pressmark.crawl.ledger import CrawlLedger
from pressmark.crawl_types import ENDED_BY_ERROR, FinishReason
from pressmark.discovery.endpoints import Endpoint
from pressmark.errors import FetchError, HostRefuses, PressmarkError
from pressmark.frontier import Candidate
from pressmark.outcomes import Outcome
from pressmark.outlet import PAST_REACHING_METHODS
from pressmark.robots import RobotsDisallowed
from pressmark.text import plural
from spiders.crawl_startup import check_free_space
from spiders.discovery import discovery_module
from spiders.discovery.base import DiscoveryContext, Found
from spiders.outcomes import SUCCESS, Stopping, outcome_for_error, outcome_for_status
from spiders.requests import CANDIDATE, CONDITIONAL, PAGE, make_request

_MAINTENANCE_SECONDS = 5.0
_FINISH_REASONS: dict[str, FinishReason] = {
    "finished": "finished", "budget": "budget", "shutdown": "stopped", "refused": "refused",
}  # fmt: skip

logger = logging.getLogger(__name__)


class OutletSpider(Spider):
    """Crawls one outlet for one crawl request."""

    name: ClassVar[str] = "outlet"  # type: ignore[misc]
    # Requests of an endpoint that Scrapy holds at a time. Most crawls have fewer: they poll all their endpoints first.
    batch: ClassVar[int] = 5000

    def __init__(self, ledger: CrawlLedger, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ledger = ledger
        self.stopping = False
        self.error: str | None = None
        self.has_failed = True  # until the crawl has ended
        self.context: DiscoveryContext | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._maintainer: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> OutletSpider:
        """Create the spider (called by Scrapy). For `scrapy crawl outlet -a id=ID`, open a ledger first."""
        if "ledger" not in kwargs:
            from spiders.scrapy_cli import open_ledger

            kwargs["ledger"] = open_ledger(kwargs.pop("id", None))
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider._opened, signals.spider_opened)
        crawler.signals.connect(spider._closed, signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """Poll the endpoints in order and request the new URLs of each, then request the URLs that are due."""
        ledger = self.ledger
        try:
            states = await ledger.selection.read_endpoints()
            context = self.context = DiscoveryContext(
                ledger.outlet, ledger.request.scope, self._fetch, states, ledger.request.scheduled
            )
            for endpoint in self.endpoints():
                if endpoint.endpoint_id in context.polled:
                    continue
                async for poll, candidates in self.discover(context, endpoint):
                    to_fetch = await ledger.selection.record_poll(poll, candidates)
                    context.brought_new = bool(to_fetch) or ledger.request.dry_run
                    async for request in self._requests(to_fetch):
                        yield request
            if ledger.request.scope.mode == "incremental":
                async for request in self._requests(await ledger.selection.record_due()):
                    yield request
        except Stopping:
            return
        except Exception as error:
            self._fail(error)

    def discover(self, context: DiscoveryContext, endpoint: Endpoint) -> Found:
        """Yield the polls of an endpoint with their candidates. A subclass may handle the method `custom`."""
        polls: Found = discovery_module(endpoint.method).discover(context, endpoint)
        return polls

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints that this crawl polls. If there are none, set `self.error`."""
        outlet, scope = self.ledger.outlet, self.ledger.request
        chosen = [
            Endpoint(outlet.id, endpoint.method, endpoint.url)
            for endpoint in outlet.endpoints
            if (scope.methods is None or endpoint.method in scope.methods)
            and (scope.mode == "incremental" or endpoint.method in PAST_REACHING_METHODS)
        ]
        if not chosen:
            self.error = "no endpoint reaches the past: add a sitemap, robots, archive or wordpress endpoint"
        return chosen

    async def parse(self, response: Response) -> None:
        """Resolve a candidate whose response arrived. The page is in the spool, or the status decides."""
        meta = response.meta
        try:
            status_result = None
            if response.status not in SUCCESS:
                outcome = outcome_for_status(response.status, "Retry-After" in response.headers)
                if response.status == 304 and CONDITIONAL in meta:
                    outcome = Outcome.NOT_MODIFIED
                status_result = outcome, f"answered {response.status}"
            if PAGE in meta:
                await self.ledger.pages.resolve_page(meta[PAGE], status_result)
            elif status_result:
                await self.ledger.pages.resolve(meta[CANDIDATE], *status_result)
        except Exception as error:
            self._fail(error)

    async def failed(self, failure: Failure) -> None:
        """Resolve a candidate whose request failed or was not made."""
        candidate: Candidate = failure.request.meta[CANDIDATE]  # type: ignore[attr-defined]
        error = failure.value or FetchError("the request failed")
        if isinstance(error, Stopping):
            return  # the candidate stays open and is resolved when the crawl closes
        if isinstance(error, PressmarkError) and not isinstance(error, (FetchError, RobotsDisallowed)):
            self._fail(error)  # a problem of the disk or the database, not of the page
            return
        outcome, reason = outcome_for_error(error, failure.request.url)  # type: ignore[attr-defined]
        try:
            await self.ledger.pages.resolve(candidate, outcome, reason)
        except Exception as problem:
            self._fail(problem)

    async def _requests(self, candidates: Sequence[Candidate]) -> AsyncIterator[Request]:
        """Yield the requests in batches, the next one when Scrapy's scheduler is empty. A request takes 1.5 KB."""
        for number, candidate in enumerate(candidates):
            if number and number % self.batch == 0:
                await self.crawler.signals.wait_for(signals.scheduler_empty)
            yield self._request(candidate)

    def _request(self, candidate: Candidate) -> Request:
        outlet = self.ledger.outlet
        validators = self.ledger.selection.validators(candidate)
        request = make_request(candidate.url, "article", outlet, outlet.budgets.page_size, candidate, validators)
        if validators:
            request.meta[CONDITIONAL] = True
        return request.replace(callback=self.parse, errback=self.failed)

    async def _fetch(self, url: str, max_bytes: int, headers: Mapping[str, str]) -> Response:
        request = make_request(url, "endpoint", self.ledger.outlet, max_bytes, headers=headers)
        # Shielded: a download cancelled halfway would keep the lease of its host.
        return await asyncio.shield(asyncio.ensure_future(self.crawler.engine.download_async(request)))

    def _fail(self, error: Exception) -> None:
        """End this crawl after an error that affects all further pages. Completed work is kept."""
        self.error = self.error or str(error) or type(error).__name__
        logger.error("%s: %s", self.ledger.outlet.id, error, exc_info=not isinstance(error, PressmarkError))
        self._stop("refused" if isinstance(error, HostRefuses) else "failed")

    def _stop(self, reason: str) -> None:
        if self.stopping:
            return
        self.stopping = True
        closing = self.crawler.engine.close_spider_async(reason=reason)
        self._closing = asyncio.get_running_loop().create_task(closing)

    # -- signals -------------------------------------------------------------------------------

    def _opened(self) -> None:
        loop = asyncio.get_running_loop()
        duration = self.ledger.outlet.budgets.duration.total_seconds()
        self._timer = loop.call_later(duration, self._stop, "budget")
        self._maintainer = loop.create_task(self._maintain())

    async def _maintain(self) -> None:
        """Seal expired segments, check the crawl's leases and the free disk space, every few seconds."""
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _MAINTENANCE_SECONDS)
                return
            try:
                await self.ledger.seal_expired()
                self.ledger.check_leases()
                check_free_space(self.ledger.services)  # end the crawl before the disk is full
            except Exception as error:
                self._fail(error)

    async def _closed(self, reason: str) -> None:
        self.stopping = True
        if self._timer:
            self._timer.cancel()
        self._ended.set()
        if self._maintainer:
            await self._maintainer
        finish_reason = _FINISH_REASONS.get(reason, "failed")
        stats = {k: v for k, v in self.crawler.stats.get_stats().items() if isinstance(v, (int, float))}
        selection = self.ledger.selection
        if finish_reason == "finished" and selection.endpoints_listed == 0 and not selection.endpoints_resting:
            problems = selection.endpoint_problems
            only_waits = problems and selection.endpoints_backed_off == len(problems)
            finish_reason = "waiting" if only_waits else "no_listing"
            self.error = self.error or "; ".join(problems[:3]) or "no endpoint could be polled"
        if finish_reason == "failed":
            self.error = self.error or f"ended by Scrapy: {reason}"
        unread = self.context.unread if self.context else 0
        if unread:
            stats["sitemaps_unread"] = unread
            logger.warning(
                "%s: %s skipped because budgets.sitemaps is %d",
                self.ledger.outlet.id, plural(unread, "sitemap"), self.ledger.outlet.budgets.sitemaps,
            )  # fmt: skip
        try:
            finish_reason, self.error = await self.ledger.close(finish_reason, self.error, stats)
        except Exception as error:
            finish_reason, self.error = "failed", self.error or str(error)
            logger.exception("%s: the crawl could not be closed", self.ledger.outlet.id)
        self.has_failed = finish_reason in ENDED_BY_ERROR
        self.ledger.emit(
            "closed",
            crawl_id=self.ledger.crawl_id,
            reason=finish_reason,
            error=self.error,
            plan=dict(self.ledger.selection.plan),
            plan_days=self.ledger.selection.plan_days,
            requests=self.ledger.requests,
            sitemaps_unread=unread,
        )
