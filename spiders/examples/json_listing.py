"""Example of an outlet with its own spider: a JSON listing, as agencies and newsroom APIs provide it.

The outlet file names the class, and lists the URL as an endpoint with the method `custom`:

    spider: spiders.examples.json_listing.JsonListingSpider
    endpoints:
      - {method: custom, url: "https://wire.example/api/latest.json", source: its documentation}
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pressmark.dates import DateContext, read_date
from pressmark.discovery.endpoints import Endpoint
from pressmark.discovery.listing import Entry, Listing
from pressmark.text import one_line
from pressmark.urls import absolute
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing, make_poll
from spiders.outlet_spider import OutletSpider

MAX_BYTES = 10 * 2**20


class JsonListingSpider(OutletSpider):
    """Parses `{"items": [{"url", "headline", "published", "updated"}]}`. Other methods work as in all spiders."""

    def discover(self, context: DiscoveryContext, endpoint: Endpoint) -> Found:
        """Handle the method `custom` here and all others in the base class."""
        return (
            self._discover_json(context, endpoint)
            if endpoint.method == "custom"
            else super().discover(context, endpoint)
        )

    async def _discover_json(self, context: DiscoveryContext, endpoint: Endpoint) -> Found:
        response, failed = await fetch_listing(context, endpoint, MAX_BYTES)
        if response is None:
            assert failed is not None
            yield failed, []
            return
        listing = parse(
            response.body, response.url, context.outlet.date_context(datetime.now(UTC)), context.outlet.budgets.entries
        )
        yield make_poll(context, endpoint, response, listing)


def parse(document: bytes, url: str, dates: DateContext, limit: int) -> Listing:
    """Parse the document. Invalid content is reported in `Listing.problem`, never raised."""
    try:
        items: Any = json.loads(document)["items"]
        rows = [item for item in items if isinstance(item, dict)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Listing(problem=f"not the expected JSON: {type(error).__name__}: {error}"[:300])
    listing = Listing(truncated=len(rows) > limit)
    for item in rows[:limit]:
        article_url = absolute(str(item.get("url") or ""), url)
        if article_url is None:
            continue
        published = read_date(str(item.get("published") or ""), "feed", dates)
        updated = read_date(str(item.get("updated") or ""), "feed", dates)
        listing.entries.append(
            Entry(
                article_url,
                one_line(str(item.get("headline") or "")),
                published if published and published.value else None,
                updated.value if updated else None,
            )
        )
    return listing
