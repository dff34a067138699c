"""Check robots.txt before every request, including redirect hops, with the error handling of RFC 9309.

Scrapy's own middleware is disabled because it continues to crawl if robots.txt fails or answers 5xx.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler

from pressmark.errors import RefusedAddress
from pressmark.robots import RobotsDisallowed, RobotsPolicy, RobotsVerdict
from pressmark.settings import ROBOTS_TOKEN
from pressmark.urls import url_path, url_site
from spiders import resolver
from spiders.requests import DELAY, SITE_RIGHTS, request_kind
from spiders.site_policies import AsyncCache, fetch_site_policy


class RobotsMiddleware:
    """Fetches each host's robots.txt once a day."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._policies = AsyncCache(self._policy)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        """Create the middleware (called by Scrapy)."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raise RobotsDisallowed with the verdict, or RefusedAddress if the host is not public."""
        if request_kind(request) == "robots":
            return
        policy, state = await self._policies.get(url_site(request.url))
        host = urlsplit(request.url).hostname
        if host in resolver.refused:
            raise RefusedAddress(resolver.refused[host])
        verdict = policy.verdict(request.url, ROBOTS_TOKEN)
        delay = policy.crawl_delay(ROBOTS_TOKEN)
        ledger = getattr(self._crawler.spider, "ledger", None)
        if delay is not None and ledger is not None and delay > ledger.outlet.politeness.max_crawl_delay:
            limit = ledger.outlet.politeness.max_crawl_delay
            verdict = RobotsVerdict(
                "robots_denied",
                f"robots.txt sets a Crawl-delay of {delay:g} s, more than politeness.max_crawl_delay ({limit:g} s)",
            )
        if verdict.outcome != "allowed":
            raise RobotsDisallowed(verdict)
        request.meta[DELAY] = delay
        if request_kind(request) == "article":
            # Set again at each redirect hop: the host that serves the page decides.
            stated = policy.preferences.about(url_path(request.url))
            request.meta[SITE_RIGHTS] = {**stated, **({"robots_txt": state} if state else {})}

    async def _policy(self, site: str) -> tuple[RobotsPolicy, str | None]:
        file = await fetch_site_policy(self._crawler, site, "robots")
        if file.status is None:
            return RobotsPolicy.from_failure(file.error or "no response"), None
        return RobotsPolicy.from_response(file.status, file.body or b""), file.name
