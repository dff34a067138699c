"""Keeps articles and robots.txt to http(s) and articles to the outlet's own domains, redirect hops included."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler

from pressmark.urls import absolute, on_domains
from spiders.outcomes import OutOfScope, Stopping, is_stopping
from spiders.requests import CONDITIONAL, request_kind


class ScopeMiddleware:
    """Refuses a request for an article that leads off the outlet's domains."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ScopeMiddleware:
        """Scrapy's way to make it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raises OutOfScope, or Stopping once the crawl is being stopped."""
        if request.meta.get("redirect_urls"):
            # What holds of the address that was asked for says nothing of where it leads now.
            for name in ("If-None-Match", "If-Modified-Since"):
                request.headers.pop(name, None)
            request.meta.pop(CONDITIONAL, None)
        spider = self._crawler.spider
        if is_stopping(self._crawler):
            raise Stopping("the crawl is being stopped")
        if absolute(request.url) is None:
            raise OutOfScope(f"{request.url[:200]} is not an http(s) address")
        ledger = getattr(spider, "ledger", None)
        if (
            ledger is not None
            and request_kind(request) == "article"
            and not on_domains(request.url, ledger.outlet.domains)
        ):
            raise OutOfScope(f"leads to {request.url[:200]}, which is not on {', '.join(ledger.outlet.domains)}")
