"""The sitemaps that robots.txt lists; where it lists none, those at the addresses where they usually lie."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from pressmark.discovery.endpoints import Endpoint
from pressmark.robots import RobotsPolicy
from pressmark.urls import absolute
from pressmark.warehouse.crawls import Poll
from spiders.discovery import sitemap
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing
from spiders.requests import ROBOTS_BYTES

WELL_KNOWN = ("/sitemap.xml", "/sitemap_index.xml", "/news-sitemap.xml", "/sitemap-news.xml")


async def discover(context: DiscoveryContext, endpoint: Endpoint) -> Found:
    """robots.txt, then each sitemap as the method `sitemap` reads it."""
    response, failed = await fetch_listing(context, endpoint, ROBOTS_BYTES, conditional=False)
    if response is None and failed is not None and failed.outcome != "gone":
        yield failed, []
        return
    listed = RobotsPolicy.from_response(response.status, response.body).sitemaps() if response is not None else []
    detail = f"lists {len(listed)} sitemaps" if listed else "lists no sitemap: the usual addresses are tried"
    status, body = (response.status, response.body) if response is not None else (404, b"")
    yield Poll(endpoint, datetime.now(UTC), status, "listed", detail, hashlib.sha256(body).digest()[:16]), []
    for address in listed or WELL_KNOWN:
        url = absolute(address, endpoint.url)
        if url is None or (context.sitemaps_left <= 0 and not listed):
            continue
        found = Endpoint(context.outlet.id, "sitemap", url, configured=False)
        worked = False
        if found.endpoint_id in context.polled:
            continue
        async for poll, candidates in sitemap.discover(context, found):
            worked = worked or poll.outcome in ("listed", "not_modified")
            yield poll, candidates
        if worked and not listed:
            return
