"""Map response statuses and errors to outcomes. Pure functions."""

from __future__ import annotations

from scrapy.crawler import Crawler

from pressmark.errors import FetchError, RefusedAddress
from pressmark.outcomes import Outcome
from pressmark.robots import RobotsDisallowed
from pressmark.urls import url_host, url_site
from spiders import resolver
from spiders.network_errors import describe


class RightsReserved(FetchError):
    """The host's TDM file reserves the URL."""


class OutOfScope(FetchError):
    """A request or redirect leads outside the outlet's domains."""


class IncompleteResponse(FetchError):
    """The connection was closed before the end of the response."""


class Stopping(FetchError):
    """The crawl is stopping, so the request was not made."""


SUCCESS = frozenset((200, 203))
"""Statuses of a whole page. A 206 is a part of one that nobody asked for, and a 202 or 204 is none."""

# Statuses whose body is checked for a challenge, a consent wall or a paywall.
NON_ARTICLE_STATUSES = frozenset((202, 401, 402, 403, 429, 451, 503))


FAILED_URL = "pressmark_failed_url"  # attribute of an error: the URL whose request failed, after redirects


def is_stopping(crawler: Crawler) -> bool:
    """Return whether the spider or a signal is ending the crawl. No further request is made then."""
    return getattr(crawler.spider, "stopping", False) or not crawler.crawling


def outcome_for_status(status: int, retry_after: bool = False) -> Outcome:
    """Return the outcome of a response that is not a page."""
    if status in (404, 410):
        return Outcome.GONE
    if status in (401, 402):
        return Outcome.PAYWALL_STUB
    if status == 451:
        return Outcome.LEGAL_BLOCK
    if status == 429 or (status == 503 and retry_after):
        return Outcome.RATE_LIMITED
    return Outcome.HTTP_ERROR


def outcome_for_error(error: BaseException, url: str) -> tuple[Outcome, str]:
    """Return (outcome, reason) of a request without a response. After redirects, the failed hop is described."""
    hop = getattr(error, FAILED_URL, url)
    host = url_host(hop)
    if hop != url and host in resolver.refused:
        return Outcome.REFUSED_ADDRESS, f"redirects to {url_site(hop)}: {resolver.refused[host]}"
    if isinstance(error, RobotsDisallowed):
        return Outcome(error.verdict.outcome), error.verdict.reason or ""
    if isinstance(error, RefusedAddress) or host in resolver.refused:
        return Outcome.REFUSED_ADDRESS, resolver.refused.get(host) or str(error)
    if isinstance(error, RightsReserved):
        return Outcome.RIGHTS_RESERVED, str(error)
    if isinstance(error, OutOfScope):
        return Outcome.OUT_OF_SCOPE, str(error)
    if isinstance(error, FetchError):
        return Outcome.NETWORK_ERROR, str(error)
    return describe(error, hop)
