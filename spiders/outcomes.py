"""From answers and errors to outcomes. Pure."""

from __future__ import annotations

from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from twisted.internet.error import ConnectionLost, DNSLookupError
from twisted.internet.error import TimeoutError as TwistedTimeout
from twisted.web.client import ResponseFailed

from pressmark.errors import FetchError, RefusedAddress
from pressmark.robots import RobotsDisallowed
from pressmark.urls import url_host
from spiders import resolver


class RightsReserved(FetchError):
    """The host's TDM file reserves the address."""


class OutOfScope(FetchError):
    """A request or redirect leads off the outlet's own domains."""


class Stopping(FetchError):
    """The crawl is being stopped; the request was not made."""


# Answers whose page is read to learn whether a wall speaks or the server.
NON_ARTICLE_STATUSES = frozenset((401, 402, 403, 429, 451, 503))


def is_stopping(crawler: Crawler) -> bool:
    """Whether a crawl is being ended, by its own spider or by a signal: no further request is then made."""
    return getattr(crawler.spider, "stopping", False) or not crawler.crawling


def outcome_of_status(status: int, retry_after: bool = False) -> str:
    """The outcome of an answer that is no page."""
    if status in (404, 410):
        return "gone"
    if status == 451:
        return "legal_block"
    if status == 429 or (status == 503 and retry_after):
        return "rate_limited"
    return "http_error"


def outcome_of_error(error: BaseException, url: str) -> tuple[str, str]:
    """(outcome, reason) of a request that brought no answer."""
    host = url_host(url)
    if isinstance(error, RobotsDisallowed):
        return error.verdict.outcome, error.verdict.reason or ""
    if isinstance(error, RefusedAddress) or host in resolver.refused:
        return "refused_address", resolver.refused.get(host) or str(error)
    if isinstance(error, RightsReserved):
        return "rights_reserved", str(error)
    if isinstance(error, OutOfScope):
        return "out_of_scope", str(error)
    if isinstance(error, (TwistedTimeout, DownloadTimeoutError)):
        return "timeout", f"no complete answer: {_words(error)}"
    if isinstance(error, DownloadCancelledError):
        return "too_large", _words(error)
    if isinstance(error, (DNSLookupError, CannotResolveHostError)):
        return "network_error", f"the name {host} could not be resolved"
    if isinstance(error, (ConnectionLost, ResponseFailed)):
        return "network_error", f"the connection to {host} broke: {_words(error)}"
    if isinstance(error, IgnoreRequest):
        return "http_error", _words(error)
    return "network_error", f"{type(error).__name__}: {_words(error)}"


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
