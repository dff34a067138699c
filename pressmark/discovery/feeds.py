"""Parses RSS, Atom and JSON Feed from bytes. Makes no requests."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import feedparser

from pressmark.dates import ParsedDate, read_date
from pressmark.discovery.listing import Entry, Listing
from pressmark.text import one_line
from pressmark.urls import absolute

# Feeds are small. A larger document is cut off here, since a hostile server may send one without end.
MAX_BYTES = 10 * 2**20


def parse_feed(
    document: bytes, url: str, now: datetime, *, content_type: str | None = None, limit: int = 2000, zone: str = "UTC"
) -> Listing:
    """Parse a feed. Never raises because of its content.

    url: the URL of the feed, which is the base of relative links. limit: maximum number of entries.
    zone: IANA zone for dates without an offset.
    """
    if document.lstrip()[:1] == b"{":
        return _json_feed(document[:MAX_BYTES], url, now, limit, zone)
    headers = {"content-location": url}
    if content_type:
        headers["content-type"] = content_type
    try:
        parsed: Any = feedparser.parse(
            document[:MAX_BYTES], response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # feedparser passes on the exceptions of its parsers
        return Listing(problem=f"feedparser failed: {type(error).__name__}: {error}"[:300])
    listing = Listing()
    for item in parsed.entries:
        link = absolute(item.get("feedburner_origlink") or item.get("link") or _guid_link(item) or "", url)
        if link is None:
            continue
        if len(listing.entries) >= limit:
            listing.truncated = True
            break
        published = read_date(item.get("published"), "feed", now, zone)
        # dict.get and not item.get, because feedparser falls back to the date of publication.
        updated = read_date(dict.get(item, "updated"), "feed", now, zone)
        listing.entries.append(
            Entry(
                url=link,
                headline=one_line(item.get("title")),
                published=published if published and published.value else None,
                modified=_latest(updated, published),
            )
        )
    if not parsed.entries and not parsed.get("version"):
        reason = parsed.get("bozo_exception")
        listing.problem = f"not a feed: {reason}"[:300] if reason else "not a feed"
    return listing


def _json_feed(document: bytes, url: str, now: datetime, limit: int, zone: str) -> Listing:
    """JSON Feed 1.1, https://www.jsonfeed.org/version/1.1/"""
    try:
        data = json.loads(document)
    except (ValueError, RecursionError) as error:
        return Listing(problem=f"not a JSON feed: {error}"[:300])
    items = data.get("items")
    if not isinstance(items, list) or "jsonfeed.org" not in str(data.get("version")):
        return Listing(problem="not a feed: JSON without the version and items of a JSON Feed")
    listing = Listing()
    for item in items:
        if not isinstance(item, dict):
            continue
        link = absolute(str(item.get("url") or item.get("external_url") or _guid_link(item) or ""), url)
        if link is None:
            continue
        if len(listing.entries) >= limit:
            listing.truncated = True
            break
        published = read_date(str(item.get("date_published") or ""), "feed", now, zone)
        updated = read_date(str(item.get("date_modified") or ""), "feed", now, zone)
        title = item.get("title")
        listing.entries.append(
            Entry(
                url=link,
                headline=one_line(title) if isinstance(title, str) else None,
                published=published if published and published.value else None,
                modified=_latest(updated, published),
            )
        )
    return listing


def _guid_link(item: Any) -> str | None:
    """Return the guid of an item if it is a URL. It replaces a missing link."""
    guid = str(item.get("id") or "")
    return guid if guid.startswith(("http://", "https://")) else None


def _latest(*dates: ParsedDate | None) -> datetime | None:
    values = [date.value for date in dates if date and date.value]
    return max(values, default=None)
