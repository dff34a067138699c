"""What all discovery methods share."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from scrapy.http import Response

from pressmark.discovery.listing import Entry, Listing
from pressmark.frontier import Asked, Candidate
from pressmark.outlet import Outlet
from pressmark.urls import url_uid
from pressmark.warehouse.crawls import Endpoint, Poll
from spiders.outcomes import Stopping, outcome_of_error, outcome_of_status

Fetch = Callable[[str, int], Awaitable[Response]]
Found = AsyncIterator[tuple[Poll, list[Candidate]]]


@dataclass(slots=True)
class Search:
    """What a method is given: an outlet, what is asked, and a way to fetch (URL, most bytes).

    polled: endpoints that were read in this crawl; each is read once.
    brought_new: whether the listing before had something to fetch; what follows it is read only then.
    """

    outlet: Outlet
    asked: Asked
    fetch: Fetch
    polled: set[UUID] = field(default_factory=set)
    brought_new: bool = True


async def fetch_listing(
    search: Search, endpoint: Endpoint, max_bytes: int, url: str | None = None
) -> tuple[Response, None] | tuple[None, Poll]:
    """The answer of an endpoint, or the poll that says why there is none.

    url: the address to ask, where it is not the endpoint's own (a page of an API).
    """
    now = datetime.now(UTC)
    search.polled.add(endpoint.endpoint_id)
    try:
        response = await search.fetch(url or endpoint.url, max_bytes)
    except Stopping:
        raise
    except Exception as error:
        outcome, reason = outcome_of_error(error, endpoint.url)
        return None, Poll(endpoint, now, None, outcome, reason)
    if response.status != 200:
        outcome = outcome_of_status(response.status, "Retry-After" in response.headers)
        return None, Poll(endpoint, now, response.status, outcome, f"answered {response.status}")
    return response, None


def poll_of(search: Search, endpoint: Endpoint, response: Response, listing: Listing) -> tuple[Poll, list[Candidate]]:
    """The poll and the candidates of a listing that was read."""
    outlet = search.outlet
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
    )
    return poll, [candidate for _, candidate in entries]
