"""Capture article responses: write the body to the spool as received and pass on an empty response.

The middleware runs between RedirectMiddleware and CookiesMiddleware, so that it sees each response before
its content encoding is removed. Responses for robots.txt, feeds and sitemaps pass through unchanged.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response

from pressmark.archive import records
from pressmark.urls import url_host
from spiders.outcomes import NON_ARTICLE_STATUSES, SUCCESS, IncompleteResponse
from spiders.requests import CANDIDATE, PAGE, SITE_RIGHTS, request_kind


class CaptureMiddleware:
    """Writes article responses to the spool."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CaptureMiddleware:
        """Create the middleware (called by Scrapy)."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Spool an article response.

        Raises NoSpace or ArchiveError if the spool cannot be written, IncompleteResponse if the page was cut.
        """
        ledger = getattr(self._crawler.spider, "ledger", None)
        if ledger is None or request_kind(request) != "article":
            return response
        if "partial" in response.flags and response.status in SUCCESS and _seems_cut(response.body):
            raise IncompleteResponse(f"{url_host(request.url)} closed the connection before the end of the page")
        if response.status in SUCCESS | NON_ARTICLE_STATUSES:
            captured = records.Response(
                capture_id=uuid4(),
                url=request.url,
                observed_at=datetime.now(UTC),
                status=response.status,
                headers=_pairs(response.headers),
                body=response.body,
                wire_digest=records.body_digest(response.body),
                ip=str(response.ip_address) if response.ip_address else None,
                request_headers=_pairs(request.headers),
            )
            requested = request.meta.get("redirect_urls", [request.url])[0]
            request.meta[PAGE] = ledger.pages.spool(
                request.meta[CANDIDATE], captured, requested, request.meta.get(SITE_RIGHTS)
            )
        headers = response.headers.copy()
        for name in ("Content-Encoding", "Content-Length"):
            headers.pop(name, None)
        # Not `response.replace`: a TextResponse would guess the encoding of the dropped body.
        return Response(
            response.url,
            status=response.status,
            headers=headers,
            flags=response.flags,
            request=response.request,
            ip_address=response.ip_address,
            protocol=response.protocol,
        )


def _seems_cut(body: bytes) -> bool:
    """Return whether a page of unknown length has no end. Scrapy marks such responses as partial.

    The length of compressed data is checked when it is decompressed.
    """
    return b"<html" in body[:2000].lower() and not any(end in body[-2000:].lower() for end in (b"</html", b"</body"))


def _pairs(headers: Headers) -> records.Headers:
    pairs: list[tuple[str, str]] = []
    for name, values in headers.items():
        encoded: Any = values if isinstance(values, list) else [values]
        pairs += [(name.decode("latin-1"), value.decode("latin-1")) for value in encoded]
    return tuple(pairs)
