"""Posts of a WordPress site by its REST API: listing pages in JSON, newest first, any stretch of the past. Pure.

Reference: https://developer.wordpress.org/rest-api/reference/posts/
"""

from __future__ import annotations

import html
import json
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from pressmark.dates import ParsedDate, read_date
from pressmark.discovery.listing import Entry, Listing
from pressmark.text import one_line
from pressmark.urls import absolute

PAGE_SIZE = 100  # the most that WordPress gives
MAX_BYTES = 20 * 2**20
_TAG = re.compile(r"<[^>]{0,200}>")
# Some sites read the bounds in their own zone: a day more on either side; what is outside is decided on by its date.
_MARGIN = timedelta(days=1)


def posts_url(endpoint: str, page: int, start: datetime | None = None, end: datetime | None = None) -> str:
    """Address of one page of the listing.

    start, end: published in `[start, end)`, with a margin; without them what was modified last.
    """
    asked: dict[str, str | int] = {
        "per_page": PAGE_SIZE,
        "page": page,
        "_fields": "link,date,date_gmt,modified_gmt,title",
        "orderby": "date" if start or end else "modified",
        "order": "desc",
    }
    if start:
        asked["after"] = f"{start - _MARGIN:%Y-%m-%dT%H:%M:%S}"
    if end:
        asked["before"] = f"{end + _MARGIN:%Y-%m-%dT%H:%M:%S}"
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def parse_posts(document: bytes, url: str, now: datetime, zone: str = "UTC") -> Listing:
    """One page of posts; never raises for its content."""
    try:
        rows = json.loads(document[:MAX_BYTES])
    except (ValueError, RecursionError) as error:
        return Listing(problem=f"not JSON: {error}"[:300])
    if not isinstance(rows, list):
        told = rows.get("message") if isinstance(rows, dict) else None
        return Listing(problem=f"not a list of posts: {told or type(rows).__name__}"[:300])
    listing = Listing()
    for row in rows:
        if not isinstance(row, dict):
            continue
        address = absolute(row["link"], url) if isinstance(row.get("link"), str) else None
        if address is None:
            continue
        published = _date(row, "date", now, zone)
        modified = _date(row, "modified", now, zone)
        listing.entries.append(
            Entry(address, _title(row.get("title")), published, modified.value if modified else None)
        )
    return listing


def _date(row: dict[str, Any], name: str, now: datetime, zone: str) -> ParsedDate | None:
    """The date in UTC where the site tells it, else in the newsroom's zone; None for one that cannot be true."""
    universal = row.get(f"{name}_gmt")
    if isinstance(universal, str) and universal and not universal.startswith("0000"):
        found = read_date(universal if universal.endswith("Z") else f"{universal}Z", "wordpress", now)
    else:
        local = row.get(name)
        found = read_date(local, "wordpress", now, zone) if isinstance(local, str) else None
    return found if found and found.value else None


def _title(title: Any) -> str | None:
    text = title.get("rendered") if isinstance(title, dict) else title
    return one_line(html.unescape(_TAG.sub("", text)), 400) if isinstance(text, str) else None
