"""Restrict requests to http(s), and articles to the outlet's domains. Redirect hops are checked too."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler

from pressmark.urls import absolute, on_domains
from spiders.outcomes import OutOfScope, Stopping, is_stopping
from spiders.requests import CONDITIONAL, request_kind


class ScopeMiddleware:
    """Drops article requests outside the outlet's domains."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ScopeMiddleware:
        """Create the middleware (called by Scrapy)."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise OutOfScope if the URL is not allowed, or Stopping if the crawl is stopping."""
        if request.meta.get("redirect_urls"):
            # Validators belong to the URL that was requested, not to its redirect target.
            for name in ("If-None-Match", "If-Modified-Since"):
                request.headers.pop(name, None)
            request.meta.pop(CONDITIONAL, None)
        spider = self._crawler.spider
        if is_stopping(self._crawler):
            raise Stopping("the crawl is stopping")
        if absolute(request.url) is None:
            raise OutOfScope(f"{request.url[:200]} is not an http(s) URL")
        ledger = getattr(spider, "ledger", None)
        if (
            ledger is not None
            and request_kind(request) == "article"
            and not on_domains(request.url, ledger.outlet.domains)
        ):
            raise OutOfScope(
                f"{request.url[:200]} is outside the outlet's domains ({', '.join(ledger.outlet.domains)})"
            )
