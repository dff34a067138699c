"""What all discovery methods share."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from scrapy.http import Response

from pressmark.discovery.endpoints import NOT_MODIFIED, RESTING, Endpoint, EndpointState
from pressmark.discovery.listing import Entry, Listing
from pressmark.frontier import Candidate, CrawlScope
from pressmark.outlet import Outlet
from pressmark.urls import url_uid
from pressmark.warehouse.crawls import Poll
from spiders.outcomes import Stopping, outcome_of_error, outcome_of_status

Fetch = Callable[[str, int, Mapping[str, str]], Awaitable[Response]]
_UNKNOWN = EndpointState()
Found = AsyncIterator[tuple[Poll, list[Candidate]]]


@dataclass(slots=True)
class DiscoveryContext:
    """What a method is given: an outlet, what is asked, and a way to fetch (URL, most bytes, headers).

    states: of endpoints that were looked at before. scheduled: nobody waits for this crawl, so an endpoint may rest.
    sitemaps_left: how many may still be read; unread: those that it left no room for. polled: endpoints that were
    read in this crawl; each is read once.
    brought_new: whether the listing before had something to fetch; what follows it is read only then.
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
        """What is known of an endpoint."""
        return self.states.get(endpoint.endpoint_id, _UNKNOWN)


async def fetch_listing(
    context: DiscoveryContext,
    endpoint: Endpoint,
    max_bytes: int,
    url: str | None = None,
    conditional: bool = True,
    may_rest: bool = True,
) -> tuple[Response, None] | tuple[None, Poll]:
    """The answer of an endpoint, or the poll that says why there is none.

    url: the address to ask, where it is not the endpoint's own (a page of an API). conditional: whether a 304 will do.
    may_rest: whether it may be left alone because it has brought little.
    """
    now = datetime.now(UTC)
    context.polled.add(endpoint.endpoint_id)
    state, past = context.state(endpoint), context.scope.mode == "window"
    may_rest = may_rest or bool(state.failures)
    if context.scheduled and may_rest and not past and state.next_poll_at is not None and state.next_poll_at > now:
        why = f"it failed {state.failures} times in a row" if state.failures else "it has brought nothing new for long"
        return None, Poll(endpoint, now, None, RESTING, f"not asked before {state.next_poll_at:%Y-%m-%d %H:%M}: {why}")
    headers = {} if past or not conditional or context.scope.force_refetch else state.validators(now)
    try:
        response = await context.fetch(url or endpoint.url, max_bytes, headers)
    except Stopping:
        raise
    except Exception as error:
        outcome, reason = outcome_of_error(error, endpoint.url)
        return None, Poll(endpoint, now, None, outcome, reason)
    if response.status == 304 and headers:
        return None, Poll(endpoint, now, 304, NOT_MODIFIED, "unchanged since the last look")
    if response.status != 200:
        outcome = outcome_of_status(response.status, "Retry-After" in response.headers)
        return None, Poll(endpoint, now, response.status, outcome, f"answered {response.status}")
    return response, None


def make_poll(
    context: DiscoveryContext, endpoint: Endpoint, response: Response, listing: Listing
) -> tuple[Poll, list[Candidate]]:
    """The poll and the candidates of a listing that was read."""
    outlet = context.outlet
    entries: list[tuple[Entry, Candidate]] = []
    for entry in listing.entries:
        try:
            uid = url_uid(outlet.id, entry.url, outlet.urls.parameters)
        except ValueError:
            continue
        entries.append((entry, Candidate(entry.url, uid, endpoint.method, endpoint.endpoint_id, entry)))
    nothing = not listing.entries and not listing.children
    detail = listing.problem
    if listing.truncated:
        detail = "; ".join(filter(None, [detail, "longer than the budget; its beginning was taken"]))
    poll = Poll(
        endpoint,
        datetime.now(UTC),
        response.status,
        "unreadable" if listing.problem and nothing else "listed",
        detail,
        hashlib.sha256(response.body).digest()[:16],
        tuple((candidate.url_uid, entry) for entry, candidate in entries),
        # An index may stay as it is while what it names changes: it is always read.
        None if listing.children and not listing.entries else _header(response, "ETag"),
        None if listing.children and not listing.entries else _header(response, "Last-Modified"),
    )
    return poll, [candidate for _, candidate in entries]


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1")[:500] if value else None
