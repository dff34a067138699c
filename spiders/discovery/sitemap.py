"""Sitemaps with their indexes and news tags. They reach as far back as the outlet lists."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from pressmark.discovery.endpoints import NOT_MODIFIED, Endpoint
from pressmark.discovery.listing import ChildListing, Listing
from pressmark.discovery.sitemaps import MAX_BYTES, parse_sitemap
from pressmark.urls import host_of, on_domains
from pressmark.warehouse.crawls import Poll
from spiders.discovery.base import Found, Search, fetch_listing, poll_of


async def discover(search: Search, endpoint: Endpoint) -> Found:
    """A sitemap and, breadth first and within the budget, the sitemaps that it names."""
    outlet = search.outlet
    queue: deque[tuple[Endpoint, datetime | None]] = deque([(endpoint, None)])
    configured = {other.url for other in outlet.endpoints}
    incremental = search.asked.mode == "incremental" and not search.asked.force_refetch
    while queue and search.sitemaps_left > 0:
        current, modified = queue.popleft()
        if current.endpoint_id in search.polled:
            continue
        now = datetime.now(UTC)
        if incremental and search.state(current).is_unchanged(modified, now):
            search.polled.add(current.endpoint_id)
            yield (
                Poll(current, now, None, NOT_MODIFIED, f"its index says: unchanged since {modified:%Y-%m-%d %H:%M}"),
                [],
            )
            continue
        search.sitemaps_left -= 1
        changed = modified is not None and modified != search.state(current).index_modified
        response, failed = await fetch_listing(search, current, MAX_BYTES, may_rest=not changed)
        if response is None:
            assert failed is not None
            yield failed, []
            continue
        listing = await asyncio.to_thread(
            parse_sitemap,
            response.body,
            response.url,
            datetime.now(UTC),
            limit=outlet.budgets.entries,
            zone=outlet.timezone,
        )
        for child in _worth_reading(listing, search):
            if _is_own(child.url, current.url, search):
                found = Endpoint(outlet.id, current.method, child.url, configured=child.url in configured)
                queue.append((found, child.modified))
        poll, candidates = poll_of(search, current, response, listing)
        yield replace(poll, index_modified=modified), candidates
    search.unread += len({left.endpoint_id for left, _ in queue} - search.polled)


def _worth_reading(listing: Listing, search: Search) -> list[ChildListing]:
    """Children, the latest first; in a window those that end before its begin are left out.

    A lastmod is a bound: what is published later than it cannot be in there.
    """
    start = search.asked.start if search.asked.mode == "window" else None
    kept = [c for c in listing.children if start is None or c.modified is None or c.modified >= start]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(kept, key=lambda child: child.modified or oldest, reverse=True)


def _is_own(url: str, parent: str, search: Search) -> bool:
    """An index may name sitemaps of the outlet's domains and of its own host, no others."""
    return on_domains(url, search.outlet.domains) or host_of(url) == host_of(parent)
