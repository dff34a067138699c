"""Lists posts by the REST API of a WordPress site: pages in JSON, newest first, for any interval. Makes no requests.

Reference: https://developer.wordpress.org/rest-api/reference/posts/
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from pressmark.dates import DateContext, ParsedDate, read_date
from pressmark.discovery.listing import Entry, Listing
from pressmark.text import plain_line
from pressmark.urls import absolute

PAGE_SIZE = 100  # the maximum that WordPress allows
MAX_BYTES = 20 * 2**20
# Some sites interpret the bounds in their own zone, so the interval is extended by a day on each side. The frontier
# drops posts outside of the window by their date.
_MARGIN = timedelta(days=1)


def posts_url(endpoint: str, page: int, start: datetime | None = None, end: datetime | None = None) -> str:
    """Return the URL of one page of the listing.

    start, end: list posts published in `[start, end)`, extended by a margin. Without them, the posts modified most
    recently are listed.
    """
    parameters: dict[str, str | int] = {
        "per_page": PAGE_SIZE,
        "page": page,
        "_fields": "link,date,date_gmt,modified_gmt,title",
        "orderby": "date" if start or end else "modified",
        "order": "desc",
    }
    if start:
        parameters["after"] = f"{start - _MARGIN:%Y-%m-%dT%H:%M:%S}"
    if end:
        parameters["before"] = f"{end + _MARGIN:%Y-%m-%dT%H:%M:%S}"
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"


def parse_posts(document: bytes, url: str, dates: DateContext) -> Listing:
    """Parse one page of posts. Never raises because of its content."""
    try:
        rows = json.loads(document[:MAX_BYTES])
    except (ValueError, RecursionError) as error:
        return Listing(problem=f"not JSON: {error}"[:300])
    if not isinstance(rows, list):
        message = rows.get("message") if isinstance(rows, dict) else None
        return Listing(problem=f"not a list of posts: {message or type(rows).__name__}"[:300])
    listing = Listing()
    for row in rows:
        if not isinstance(row, dict):
            continue
        link = absolute(row["link"], url) if isinstance(row.get("link"), str) else None
        if link is None:
            continue
        published = _date(row, "date", dates)
        modified = _date(row, "modified", dates)
        listing.entries.append(Entry(link, _title(row.get("title")), published, modified.value if modified else None))
    return listing


def _date(row: dict[str, Any], name: str, dates: DateContext) -> ParsedDate | None:
    """Return the date in UTC if the site gives it, else the date in the outlet's zone. Returns None if implausible."""
    utc = row.get(f"{name}_gmt")
    if isinstance(utc, str) and utc and not utc.startswith("0000"):
        date = read_date(utc if utc.endswith("Z") else f"{utc}Z", "wordpress", dates)
    else:
        local = row.get(name)
        date = read_date(local, "wordpress", dates) if isinstance(local, str) else None
    return date if date and date.value else None


def _title(title: Any) -> str | None:
    text = title.get("rendered") if isinstance(title, dict) else title
    return plain_line(text) if isinstance(text, str) else None
