"""A listing in JSON, as agencies and newsroom APIs have it: the example of an outlet with a spider of its own.

An outlet names the class in its file and the address as an endpoint of the method `custom`:

    spider: spiders.examples.json_listing.JsonListingSpider
    endpoints:
      - {method: custom, url: "https://wire.example/api/latest.json", source: its documentation}
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pressmark.dates import read_date
from pressmark.discovery.endpoints import Endpoint
from pressmark.discovery.listing import Entry, Listing
from pressmark.text import one_line
from pressmark.urls import absolute
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing, make_poll
from spiders.outlet_spider import OutletSpider

MAX_BYTES = 10 * 2**20


class JsonListingSpider(OutletSpider):
    """Reads `{"items": [{"url", "headline", "published", "updated"}]}`; feeds and sitemaps as all spiders do."""

    def discover(self, context: DiscoveryContext, endpoint: Endpoint) -> Found:
        """The method `custom` is ours."""
        return self._read(context, endpoint) if endpoint.method == "custom" else super().discover(context, endpoint)

    async def _read(self, context: DiscoveryContext, endpoint: Endpoint) -> Found:
        response, failed = await fetch_listing(context, endpoint, MAX_BYTES)
        if response is None:
            assert failed is not None
            yield failed, []
            return
        listing = parse(response.body, response.url, context.outlet.timezone, context.outlet.budgets.entries)
        yield make_poll(context, endpoint, response, listing)


def parse(document: bytes, url: str, zone: str, limit: int) -> Listing:
    """The listing; never raises for its content."""
    try:
        items: Any = json.loads(document)["items"]
        rows = [item for item in items if isinstance(item, dict)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Listing(problem=f"not the JSON that was expected: {type(error).__name__}: {error}"[:300])
    listing = Listing(truncated=len(rows) > limit)
    now = datetime.now(UTC)
    for item in rows[:limit]:
        address = absolute(str(item.get("url") or ""), url)
        if address is None:
            continue
        published = read_date(str(item.get("published") or ""), "feed", now, zone)
        updated = read_date(str(item.get("updated") or ""), "feed", now, zone)
        listing.entries.append(
            Entry(
                address,
                one_line(str(item.get("headline") or "")),
                published if published and published.value else None,
                updated.value if updated else None,
            )
        )
    return listing
