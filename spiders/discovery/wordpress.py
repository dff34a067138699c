"""WordPress REST API: all posts of a window, page by page, or the last modified posts."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

from scrapy.http import Response

from pressmark.discovery.endpoints import Endpoint
from pressmark.discovery.listing import Listing
from pressmark.discovery.wordpress import MAX_BYTES, PAGE_SIZE, parse_posts, posts_url
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing, make_poll

_NUMBER = re.compile(r"[0-9]{1,6}")


async def discover(context: DiscoveryContext, endpoint: Endpoint) -> Found:
    """Fetch the posts. All pages together are one listing and one poll."""
    outlet, scope = context.outlet, context.scope
    window = scope.mode == "window"
    start, end = (scope.start, scope.end) if window else (None, None)
    whole = Listing()
    first: Response | None = None
    page, pages = 1, 1
    while page <= pages and len(whole.entries) < outlet.budgets.entries:
        response, failed = await fetch_listing(
            context, endpoint, MAX_BYTES, posts_url(endpoint.url, page, start, end), conditional=page == 1
        )
        if response is None:
            assert failed is not None
            if first is None:
                yield failed, []
                return
            whole.problem = f"page {page} of {pages}: {failed.detail}"
            break
        listing = await asyncio.to_thread(
            parse_posts, response.body, response.url, outlet.date_context(datetime.now(UTC))
        )
        first = first or response
        whole.entries += listing.entries
        if listing.problem:
            whole.problem = f"page {page}: {listing.problem}"
            break
        total_pages = (response.headers.get("X-WP-TotalPages") or b"").decode("latin-1")
        if window:
            # A cache may remove the header. Then a full page means that there is a next one.
            has_next = len(listing.entries) >= PAGE_SIZE
            pages = int(total_pages) if _NUMBER.fullmatch(total_pages) else page + has_next
            if not listing.entries:
                break
        page += 1
    assert first is not None
    whole.truncated = page <= pages and whole.problem is None
    del whole.entries[outlet.budgets.entries :]
    yield make_poll(context, endpoint, first, whole)
