"""robots.txt before every request, redirect hops included, with the errors of RFC 9309.

Scrapy's own middleware is off: it goes on crawling where robots.txt answers 5xx or not at all.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler

from pressmark.errors import RefusedAddress
from pressmark.robots import RobotsDisallowed, RobotsPolicy, RobotsVerdict
from pressmark.settings import ROBOTS_TOKEN
from spiders import resolver
from spiders.outcomes import Stopping, outcome_of_error
from spiders.requests import DELAY, ROBOTS_BYTES, kind_of, make_request


class RobotsMiddleware:
    """Asks each host's robots.txt once a crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._policies: dict[str, asyncio.Future[RobotsPolicy]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raises RobotsDisallowed with the verdict, or RefusedAddress."""
        if kind_of(request) == "robots":
            return
        parts = urlsplit(request.url)
        site = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        policy = await self._policy(site)
        if parts.hostname in resolver.refused:
            raise RefusedAddress(resolver.refused[parts.hostname])
        verdict = policy.verdict(request.url, ROBOTS_TOKEN)
        delay = policy.crawl_delay(ROBOTS_TOKEN)
        book = getattr(self._crawler.spider, "book", None)
        if delay is not None and book is not None and delay > book.outlet.politeness.max_crawl_delay:
            most = book.outlet.politeness.max_crawl_delay
            verdict = RobotsVerdict(
                "robots_denied", f"robots.txt asks for {delay:g} s between requests; the outlet's file allows {most:g}"
            )
        if verdict.outcome != "allowed":
            raise RobotsDisallowed(verdict)
        request.meta[DELAY] = delay

    async def _policy(self, site: str) -> RobotsPolicy:
        future = self._policies.get(site)
        if future is None:
            future = self._policies[site] = asyncio.get_running_loop().create_future()
            try:
                future.set_result(await self._fetch(f"{site}/robots.txt"))
            except BaseException as error:
                del self._policies[site]
                future.set_exception(error)
                future.exception()  # looked at, so that asyncio does not report it where nobody else waits
                raise
        return await asyncio.shield(future)

    async def _fetch(self, url: str) -> RobotsPolicy:
        book = getattr(self._crawler.spider, "book", None)
        request = make_request(url, "robots", book.outlet if book else None, ROBOTS_BYTES)
        try:
            response = await self._crawler.engine.download_async(request)
        except Stopping:
            raise
        except Exception as error:
            return RobotsPolicy.from_failure(outcome_of_error(error, url)[1])
        return RobotsPolicy.from_response(response.status, response.body)
