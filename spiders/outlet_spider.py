"""The spider of every outlet: reads its endpoints, fetches what the book decides to fetch.

An outlet may name a subclass of its own in its file (`spider:`); the guards stay the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from pressmark.crawl.ledger import CrawlLedger
from pressmark.discovery.endpoints import Endpoint
from pressmark.errors import FetchError, PressmarkError
from pressmark.frontier import Candidate
from pressmark.outlet import PAST_REACHING_METHODS
from pressmark.robots import RobotsDisallowed
from spiders.crawl_startup import check_free_space
from spiders.discovery import METHODS
from spiders.discovery.base import DiscoveryContext, Found
from spiders.outcomes import Stopping, outcome_of_error, outcome_of_status
from spiders.requests import CANDIDATE, CONDITIONAL, PAGE, make_request

_KEEP_SECONDS = 5.0
_FINISH_REASONS = {"finished": "finished", "budget": "budget", "shutdown": "stopped"}

logger = logging.getLogger(__name__)


class OutletSpider(Spider):
    """Crawls one outlet for one crawl request."""

    name: ClassVar[str] = "outlet"  # type: ignore[misc]

    def __init__(self, ledger: CrawlLedger, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ledger = ledger
        self.stopping = False
        self.error: str | None = None
        self.context: DiscoveryContext | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> OutletSpider:
        """Scrapy's way to make it. `scrapy crawl outlet -a id=ID` comes without a book: it gets one here."""
        if "ledger" not in kwargs:
            from spiders.scrapy_cli import open_ledger

            kwargs["ledger"] = open_ledger(kwargs.pop("id", None))
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider._opened, signals.spider_opened)
        crawler.signals.connect(spider._closed, signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """Endpoints one after the other, each followed by its articles; then what is due."""
        ledger = self.ledger
        try:
            states = await ledger.read_endpoints()
            context = self.context = DiscoveryContext(
                ledger.outlet, ledger.request.scope, self._fetch, states, ledger.request.scheduled
            )
            for endpoint in self.endpoints():
                if endpoint.endpoint_id in context.polled:
                    continue
                async for poll, candidates in self.discover(context, endpoint):
                    to_fetch = await ledger.record_poll(poll, candidates)
                    context.brought_new = bool(to_fetch) or ledger.request.dry_run
                    for candidate in to_fetch:
                        yield self._request(candidate)
            if ledger.request.scope.mode == "incremental":
                for candidate in await ledger.record_due():
                    yield self._request(candidate)
        except Stopping:
            return
        except Exception as error:
            self._fail(error)

    def discover(self, context: DiscoveryContext, endpoint: Endpoint) -> Found:
        """Polls of an endpoint with what each listed. A subclass adds ways of its own for the method `custom`."""
        found: Found = METHODS[endpoint.method].discover(context, endpoint)
        return found

    def endpoints(self) -> list[Endpoint]:
        """The endpoints that take part in this request. Raises nothing; none is an error of the crawl."""
        outlet, scope = self.ledger.outlet, self.ledger.request
        chosen = [
            Endpoint(outlet.id, endpoint.method, endpoint.url)
            for endpoint in outlet.endpoints
            if (scope.methods is None or endpoint.method in scope.methods)
            and (scope.mode == "incremental" or endpoint.method in PAST_REACHING_METHODS)
        ]
        if not chosen:
            self.error = "no endpoint of its file reaches the past: a window needs a sitemap, an archive or WordPress"
        return chosen

    async def parse(self, response: Response) -> None:
        """A page has come: it lies in the spool, or its status says why not."""
        meta = response.meta
        try:
            answered = None
            if not 200 <= response.status < 300:
                outcome = outcome_of_status(response.status, "Retry-After" in response.headers)
                if response.status == 304 and CONDITIONAL in meta:
                    outcome = "not_modified"
                answered = outcome, f"answered {response.status}"
            if PAGE in meta:
                await self.ledger.resolve_page(meta[PAGE], answered)
            elif answered:
                await self.ledger.resolve(meta[CANDIDATE], *answered)
        except Exception as error:
            self._fail(error)

    async def failed(self, failure: Failure) -> None:
        """No answer came, or we did not ask."""
        candidate: Candidate = failure.request.meta[CANDIDATE]  # type: ignore[attr-defined]
        error = failure.value or FetchError("the request failed")
        if isinstance(error, Stopping):
            return  # it stays open; the end of the crawl settles it
        if isinstance(error, PressmarkError) and not isinstance(error, (FetchError, RobotsDisallowed)):
            self._fail(error)  # the disk or the database, not the page
            return
        outcome, reason = outcome_of_error(error, failure.request.url)  # type: ignore[attr-defined]
        try:
            await self.ledger.resolve(candidate, outcome, reason)
        except Exception as problem:
            self._fail(problem)

    def _request(self, candidate: Candidate) -> Request:
        outlet = self.ledger.outlet
        validators = self.ledger.validators(candidate)
        request = make_request(candidate.url, "article", outlet, outlet.budgets.page_size, candidate, validators)
        if validators:
            request.meta[CONDITIONAL] = True
        return request.replace(callback=self.parse, errback=self.failed)

    async def _fetch(self, url: str, max_bytes: int, headers: Mapping[str, str]) -> Response:
        request = make_request(url, "endpoint", self.ledger.outlet, max_bytes, headers=headers)
        # Shielded: a download that is cancelled in its middle would keep the lease of its host.
        return await asyncio.shield(asyncio.ensure_future(self.crawler.engine.download_async(request)))

    def _fail(self, error: Exception) -> None:
        """Something that further pages cannot mend: end this crawl, keep what is done."""
        self.error = self.error or str(error) or type(error).__name__
        logger.error("%s: %s", self.ledger.outlet.id, error, exc_info=not isinstance(error, PressmarkError))
        self._stop("failed")

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
        self._keeper = loop.create_task(self._keep())

    async def _keep(self) -> None:
        """Seal segments whose time is up, and hold on to the crawl's locks."""
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), _KEEP_SECONDS)
                return
            try:
                await self.ledger.keep()
                await asyncio.to_thread(self.ledger.services.locks.keep)
                check_free_space(self.ledger.services)  # a disk that fills up ends the crawl before it is full
            except Exception as error:
                self._fail(error)

    async def _closed(self, reason: str) -> None:
        self.stopping = True
        if self._timer:
            self._timer.cancel()
        self._over.set()
        if self._keeper:
            await self._keeper
        finish_reason = _FINISH_REASONS.get(reason, "failed")
        if finish_reason == "finished" and self.ledger.endpoints_listed == 0 and not self.ledger.endpoints_resting:
            finish_reason = "failed"
            self.error = self.error or "; ".join(self.ledger.endpoint_problems[:3]) or "no endpoint could be read"
        if finish_reason == "failed":
            self.error = self.error or f"ended by Scrapy: {reason}"
        stats = {k: v for k, v in self.crawler.stats.get_stats().items() if isinstance(v, (int, float))}
        unread = self.context.unread if self.context else 0
        if unread:
            stats["sitemaps_unread"] = unread
            logger.warning(
                "%s: %d sitemaps were left unread: budgets.sitemaps is %d",
                self.ledger.outlet.id, unread, self.ledger.outlet.budgets.sitemaps,
            )  # fmt: skip
        try:
            finish_reason, self.error = await self.ledger.close(finish_reason, self.error, stats)
        except Exception as error:
            finish_reason, self.error = "failed", self.error or str(error)
            logger.exception("%s: the crawl could not be closed", self.ledger.outlet.id)
        self.ledger.emit(
            "closed",
            crawl_id=self.ledger.crawl_id,
            reason=finish_reason,
            error=self.error,
            plan=dict(self.ledger.plan),
            plan_days=self.ledger.plan_days,
            requests=self.ledger.requests,
            sitemaps_unread=unread,
        )
