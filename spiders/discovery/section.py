"""Section pages, followed page by page within the budget. They list no dates, so they don't reach the past."""

from __future__ import annotations

import asyncio

from pressmark.dates import ParsedDate
from pressmark.discovery.endpoints import Endpoint
from pressmark.discovery.sections import MAX_BYTES, parse_section
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing, make_poll


async def discover(context: DiscoveryContext, endpoint: Endpoint) -> Found:
    """Fetch a section and, within the budget, its following pages."""
    async for poll, candidates in read_pages(context, endpoint):
        yield poll, candidates


async def read_pages(
    context: DiscoveryContext, endpoint: Endpoint, published: ParsedDate | None = None, whole: bool = False
) -> Found:
    """Fetch the pages of an HTML listing. The next page is fetched only if the last one had new articles.

    published: publication date of all listed articles. whole: fetch all pages that the budget allows.
    """
    outlet = context.outlet
    configured = {other.url for other in outlet.endpoints}
    current: Endpoint | None = endpoint
    left = outlet.budgets.section_pages
    while current is not None and left > 0:
        left -= 1
        response, failed = await fetch_listing(context, current, MAX_BYTES, conditional=not whole)
        if response is None:
            assert failed is not None
            yield failed, []
            return
        listing = await asyncio.to_thread(
            parse_section,
            response.body,
            response.url,
            domains=outlet.domains,
            include=outlet.urls.include,
            exclude=outlet.urls.exclude,
            content_type=(response.headers.get("Content-Type") or b"").decode("latin-1") or None,
            limit=outlet.budgets.entries,
            published=published,
        )
        if listing.children and left == 0 and whole:
            listing.truncated = True  # the day has more pages than the budget
        yield make_poll(context, current, response, listing)
        current = None
        if not context.brought_new and not whole:
            return  # newest first, so the following pages are older
        for child in listing.children:
            following = Endpoint(outlet.id, endpoint.method, child.url, configured=child.url in configured)
            if following.endpoint_id not in context.polled:
                current = following
