"""Sitemaps listed in robots.txt. If it lists none, try the usual sitemap URLs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from pressmark.crawl_types import Poll
from pressmark.discovery.endpoints import Endpoint
from pressmark.robots import RobotsPolicy
from pressmark.text import plural
from pressmark.urls import absolute
from spiders.discovery import sitemap
from spiders.discovery.base import DiscoveryContext, Found, fetch_listing
from spiders.requests import ROBOTS_BYTES

WELL_KNOWN = ("/sitemap.xml", "/sitemap_index.xml", "/news-sitemap.xml", "/sitemap-news.xml")


async def discover(context: DiscoveryContext, endpoint: Endpoint) -> Found:
    """Fetch robots.txt, then process each sitemap with the `sitemap` method."""
    response, failed = await fetch_listing(context, endpoint, ROBOTS_BYTES, conditional=False)
    if response is None and failed is not None and failed.outcome != "gone":
        yield failed, []
        return
    listed = RobotsPolicy.from_response(response.status, response.body).sitemaps() if response is not None else []
    detail = f"lists {plural(len(listed), 'sitemap')}" if listed else "lists no sitemap; trying the usual URLs"
    status, body = (response.status, response.body) if response is not None else (404, b"")
    poll = Poll(
        endpoint=endpoint, polled_at=datetime.now(UTC), http_status=status, outcome="listed", detail=detail,
        body_hash=hashlib.sha256(body).digest()[:16],
    )  # fmt: skip
    yield poll, []
    for location in listed or WELL_KNOWN:
        url = absolute(location, endpoint.url)
        if url is None or (context.sitemaps_left <= 0 and not listed):
            continue
        child = Endpoint(context.outlet.id, "sitemap", url, configured=False)
        worked = False
        if child.endpoint_id in context.polled:
            continue
        async for poll, candidates in sitemap.discover(context, child):
            worked = worked or poll.outcome in ("listed", "not_modified")
            yield poll, candidates
        if worked and not listed:
            return
