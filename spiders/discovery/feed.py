"""RSS and Atom feeds. They list new articles only and don't reach the past."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from pressmark.discovery.endpoints import Endpoint
from pressmark.discovery.feeds import MAX_BYTES, parse_feed
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing, make_poll


async def discover(context: DiscoveryContext, endpoint: Endpoint) -> Found:
    """Fetch and parse the feed: one request, one poll."""
    response, failed = await fetch_listing(context, endpoint, MAX_BYTES)
    if response is None:
        assert failed is not None
        yield failed, []
        return
    listing = await asyncio.to_thread(
        parse_feed,
        response.body,
        response.url,
        context.outlet.date_context(datetime.now(UTC)),
        content_type=(response.headers.get("Content-Type") or b"").decode("latin-1") or None,
        limit=context.outlet.budgets.entries,
    )
    yield make_poll(context, endpoint, response, listing)
