"""RSS and Atom feeds: what is new now. They do not reach the past."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from pressmark.discovery.endpoints import Endpoint
from pressmark.discovery.feeds import MAX_BYTES, parse_feed
from spiders.discovery.base import Found, Search, fetch_listing, poll_of


async def discover(search: Search, endpoint: Endpoint) -> Found:
    """One request, one poll."""
    response, failed = await fetch_listing(search, endpoint, MAX_BYTES)
    if response is None:
        assert failed is not None
        yield failed, []
        return
    listing = await asyncio.to_thread(
        parse_feed,
        response.body,
        response.url,
        datetime.now(UTC),
        content_type=(response.headers.get("Content-Type") or b"").decode("latin-1") or None,
        limit=search.outlet.budgets.entries,
        zone=search.outlet.timezone,
    )
    yield poll_of(search, endpoint, response, listing)
