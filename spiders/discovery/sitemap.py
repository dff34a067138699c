"""Sitemaps, including sitemap indexes and news tags. They reach as far back as the outlet lists articles."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from pressmark.crawl_types import Poll
from pressmark.discovery.endpoints import NOT_MODIFIED, Endpoint
from pressmark.discovery.listing import ChildListing, Listing
from pressmark.discovery.sitemaps import MAX_BYTES, parse_sitemap
from pressmark.urls import on_domains, url_host
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing, make_poll


async def discover(context: DiscoveryContext, endpoint: Endpoint) -> Found:
    """Fetch a sitemap and, breadth first and within the budget, its child sitemaps."""
    outlet = context.outlet
    queue: deque[tuple[Endpoint, datetime | None]] = deque([(endpoint, None)])
    configured = {other.url for other in outlet.endpoints}
    incremental = context.scope.mode == "incremental" and not context.scope.force_refetch
    while queue and context.sitemaps_left > 0:
        current, modified = queue.popleft()
        if current.endpoint_id in context.polled:
            continue
        now = datetime.now(UTC)
        if incremental and context.state(current).is_unchanged(modified, now):
            context.polled.add(current.endpoint_id)
            poll = Poll(
                endpoint=current, polled_at=now, http_status=None, outcome=NOT_MODIFIED,
                detail=f"unchanged since {modified:%Y-%m-%d %H:%M} UTC by its index",
            )  # fmt: skip
            yield poll, []
            continue
        context.sitemaps_left -= 1
        changed = modified is not None and modified != context.state(current).index_modified
        response, failed = await fetch_listing(context, current, MAX_BYTES, may_rest=not changed)
        if response is None:
            assert failed is not None
            yield failed, []
            continue
        listing = await asyncio.to_thread(
            parse_sitemap,
            response.body,
            response.url,
            outlet.date_context(datetime.now(UTC)),
            limit=outlet.budgets.entries,
            content_type=(response.headers.get("Content-Type") or b"").decode("latin-1") or None,
            window=(context.scope.start, context.scope.end) if context.scope.mode == "window" else None,
        )
        for child in _relevant_children(listing, context):
            if _is_own(child.url, current.url, context):
                child_endpoint = Endpoint(outlet.id, current.method, child.url, configured=child.url in configured)
                queue.append((child_endpoint, child.modified))
        poll, candidates = make_poll(context, current, response, listing)
        yield replace(poll, index_modified=modified), candidates
    context.unread += len({left.endpoint_id for left, _ in queue} - context.polled)


def _relevant_children(listing: Listing, context: DiscoveryContext) -> list[ChildListing]:
    """Return the child sitemaps, latest first. In a window, skip children last modified before its start.

    lastmod is an upper bound: a child cannot list articles published after it. A day without a time lasts until its end
    in the outlet's time zone.
    """
    start = context.scope.start if context.scope.mode == "window" else None
    kept = [c for c in listing.children if start is None or c.changed_until is None or c.changed_until > start]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(kept, key=lambda child: child.modified or oldest, reverse=True)


def _is_own(url: str, parent: str, context: DiscoveryContext) -> bool:
    """Return whether a child sitemap is on the outlet's domains or on the host of its index."""
    return on_domains(url, context.outlet.domains) or url_host(url) == url_host(parent)
