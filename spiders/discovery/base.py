"""Shared code of the discovery methods."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from scrapy.http import Response

from pressmark.crawl_types import Poll
from pressmark.discovery.endpoints import LISTED, NOT_MODIFIED, RESTING, Endpoint, EndpointState
from pressmark.discovery.listing import Entry, Listing
from pressmark.frontier import Candidate, CrawlScope
from pressmark.outlet import Outlet
from pressmark.times import short_time
from pressmark.urls import url_uid
from spiders.outcomes import Stopping, outcome_for_error, outcome_for_status

Fetch = Callable[[str, int, Mapping[str, str]], Awaitable[Response]]
_UNKNOWN = EndpointState()
Found = AsyncIterator[tuple[Poll, list[Candidate]]]


@dataclass(slots=True)
class DiscoveryContext:
    """Input and state of discovery in one crawl.

    fetch: called with URL, maximum size in bytes and headers. states: known endpoints by id.
    scheduled: the crawl is not a manual run, so endpoints may rest.
    sitemaps_left: sitemaps that the budget still allows. unread: sitemaps that the budget left out.
    polled: endpoints polled in this crawl; each is polled once.
    brought_new: the last listing had URLs to fetch. If not, following pages are skipped.
    """

    outlet: Outlet
    scope: CrawlScope
    fetch: Fetch
    states: Mapping[UUID, EndpointState] = field(default_factory=dict)
    scheduled: bool = False
    sitemaps_left: int = 0
    unread: int = 0
    polled: set[UUID] = field(default_factory=set)
    brought_new: bool = True

    def __post_init__(self) -> None:
        self.sitemaps_left = self.outlet.budgets.sitemaps

    def state(self, endpoint: Endpoint) -> EndpointState:
        """Return the known state of an endpoint."""
        return self.states.get(endpoint.endpoint_id, _UNKNOWN)


async def fetch_listing(
    context: DiscoveryContext,
    endpoint: Endpoint,
    max_bytes: int,
    url: str | None = None,
    conditional: bool = True,
    may_rest: bool = True,
) -> tuple[Response, None] | tuple[None, Poll]:
    """Fetch an endpoint. Returns the response, or a poll that states why there is none.

    url: the URL to fetch if it differs from the endpoint's own (a page of an API).
    conditional: send validators, so that the server can answer 304.
    may_rest: skip the endpoint if it is resting because it has had nothing new for long.
    """
    now = datetime.now(UTC)
    context.polled.add(endpoint.endpoint_id)
    state, past = context.state(endpoint), context.scope.mode == "window"
    may_rest = may_rest or bool(state.failures)
    if context.scheduled and may_rest and not past and state.next_poll_at is not None and state.next_poll_at > now:
        return None, Poll(
            endpoint=endpoint, polled_at=now, http_status=None, outcome=RESTING,
            detail=f"{state.why_it_rests}; next poll at {short_time(state.next_poll_at)}",
        )  # fmt: skip
    headers = {} if past or not conditional or context.scope.force_refetch else state.validators(now)
    try:
        response = await context.fetch(url or endpoint.url, max_bytes, headers)
    except Stopping:
        raise
    except Exception as error:
        outcome, reason = outcome_for_error(error, endpoint.url)
        return None, Poll(endpoint=endpoint, polled_at=now, http_status=None, outcome=outcome, detail=reason)
    if response.status == 304 and headers:
        return None, Poll(
            endpoint=endpoint, polled_at=now, http_status=304, outcome=NOT_MODIFIED,
            detail="unchanged since the last poll",
        )  # fmt: skip
    if response.status != 200:
        outcome = outcome_for_status(response.status, "Retry-After" in response.headers)
        return None, Poll(
            endpoint=endpoint, polled_at=now, http_status=response.status, outcome=outcome,
            detail=f"answered {response.status}",
        )  # fmt: skip
    return response, None


def make_poll(
    context: DiscoveryContext, endpoint: Endpoint, response: Response, listing: Listing
) -> tuple[Poll, list[Candidate]]:
    """Build the poll and the candidates of a parsed listing."""
    outlet = context.outlet
    entries: list[tuple[Entry, Candidate]] = []
    for entry in listing.entries:
        try:
            uid = url_uid(outlet.id, entry.url, outlet.urls.parameters)
        except ValueError:
            continue
        entries.append((entry, Candidate(entry.url, uid, endpoint.method, endpoint.endpoint_id, entry)))
    is_empty = not listing.entries and not listing.children
    detail = listing.problem
    if listing.truncated:
        detail = "; ".join(
            filter(None, [detail, f"longer than budgets.entries ({outlet.budgets.entries}); a part was not used"])
        )
    # No validators for an index: it may stay unchanged while its children change.
    is_index = bool(listing.children) and not listing.entries
    poll = Poll(
        endpoint=endpoint,
        polled_at=datetime.now(UTC),
        http_status=response.status,
        is_truncated=listing.truncated,
        outcome="unreadable" if listing.problem and is_empty else LISTED,
        detail=detail,
        body_hash=hashlib.sha256(response.body).digest()[:16],
        entries=tuple((candidate.url_uid, entry) for entry, candidate in entries),
        etag=None if is_index else _header(response, "ETag"),
        last_modified=None if is_index else _header(response, "Last-Modified"),
    )
    return poll, [candidate for _, candidate in entries]


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1")[:500] if value else None
