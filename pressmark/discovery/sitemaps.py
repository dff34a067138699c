"""Parses sitemaps, sitemap indexes, news sitemaps and plain-text sitemaps. Makes no requests.

Format: https://www.sitemaps.org/protocol.html, news tags of Google's sitemap-news 0.9.
A lastmod is an upper bound for the entries of a sitemap. It is never a date of publication.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from lxml import etree

from pressmark.content_encoding import GZIP_MAGIC, IncompleteBody, TooLarge, gunzip
from pressmark.dates import DateContext, date_span, day_in_url, read_date
from pressmark.discovery.feeds import FEED_ROOTS, listed_elements, parse_feed_text
from pressmark.discovery.listing import ChildListing, Entry, Listing
from pressmark.errors import ExtractionError
from pressmark.text import plain_line
from pressmark.urls import absolute
from pressmark.xml_input import local_name, namespace, root_name, xml_text

MAX_BYTES = 50 * 2**20  # the protocol's own limit, uncompressed
_MAX_PARSED = 200_000  # entries; the protocol allows 50,000
_NEWS = re.compile(r"^news$|sitemap-news")
_SITEMAP = re.compile(
    r"^$|^sm$|schemas/sitemap/|sitemaps?\.org|schemas\.google\.com/sitemap|google\.com/schemas/sitemap/"
)

Window = tuple[datetime | None, datetime]


def parse_sitemap(
    document: bytes,
    url: str,
    dates: DateContext,
    *,
    limit: int = 50_000,
    content_type: str | None = None,
    window: Window | None = None,
) -> Listing:
    """Parse a sitemap of any kind, compressed or not. Never raises because of its content.

    url: the URL of the sitemap, which is the base of relative links. dates: how to read dates. limit: maximum number of
    entries and of children. If there are more, the latest are kept, or those that may lie in the window.
    """
    problem = None
    try:
        if document.startswith(GZIP_MAGIC):
            document = gunzip(document, MAX_BYTES)
            if document.startswith(GZIP_MAGIC):
                document = gunzip(document, MAX_BYTES)
    except (TooLarge, IncompleteBody, ExtractionError) as error:
        return Listing(problem=str(error))
    if len(document) > MAX_BYTES:
        document, problem = document[:MAX_BYTES], f"larger than {MAX_BYTES // 2**20} MiB; only the beginning was parsed"
    text = xml_text(document, content_type)
    root = root_name(text)
    if root in FEED_ROOTS:
        return parse_feed_text(text, url, dates, limit)
    if root not in ("urlset", "sitemapindex"):
        return _plain_text(document, url, limit, root)
    listing = Listing(problem=problem)
    for name, element in listed_elements(text, ("url", "sitemap"), listing):
        _add(listing, name, element, url, dates)
        if len(listing.entries) + len(listing.children) >= _MAX_PARSED:
            listing.truncated = True
            break
    return _limited(listing, limit, dates, window)


def _add(listing: Listing, name: str, element: etree._Element, base: str, dates: DateContext) -> None:
    fields = _fields(element)
    location = absolute(fields.get("loc", ""), base)
    if location is None:
        return
    lastmod = read_date(fields.get("lastmod"), "sitemap", dates)
    modified = lastmod.value if lastmod else None
    if name == "sitemap":
        span = lastmod.span(dates.zone) if lastmod else None
        listing.children.append(ChildListing(location, modified, span[1] if span else None))
        return
    published = read_date(fields.get("publication_date"), "news_sitemap", dates)
    listing.entries.append(
        Entry(
            url=location,
            headline=plain_line(fields.get("title")),
            published=published if published and published.value else None,
            modified=modified,
            modified_precision=lastmod.precision if lastmod and modified else None,
        )
    )


def _limited(listing: Listing, limit: int, dates: DateContext, window: Window | None) -> Listing:
    """Keep the entries and children that matter most if there are more than the limit. Their order stays."""
    if len(listing.children) > limit:
        listing.truncated = True
        latest = sorted(listing.children, key=lambda child: child.modified or _OLDEST, reverse=True)[:limit]
        kept_children = {id(child) for child in latest}
        listing.children = [child for child in listing.children if id(child) in kept_children]
    if len(listing.entries) > limit:
        listing.truncated = True
        listing.entries = _most_relevant(listing.entries, limit, dates, window)
    return listing


def _most_relevant(entries: Sequence[Entry], limit: int, dates: DateContext, window: Window | None) -> list[Entry]:
    """Return the entries that may lie in the window, or the latest. Without dates, the beginning and the end."""
    known = [_date_of(entry, dates) for entry in entries]
    if sum(value is not None for value in known) * 2 < len(entries):
        half = limit // 2
        return [*entries[: limit - half], *entries[len(entries) - half :]]
    order = sorted(
        range(len(entries)),
        key=lambda number: (_may_be_in(entries[number], window, dates.zone), known[number] or _OLDEST),
        reverse=True,
    )
    return [entries[number] for number in sorted(order[:limit])]


_OLDEST = datetime.min.replace(tzinfo=UTC)


def _date_of(entry: Entry, dates: DateContext) -> datetime | None:
    if entry.published and entry.published.value:
        return entry.published.value
    if entry.modified:
        return entry.modified
    in_url = day_in_url(entry.url, dates)
    return in_url.value if in_url else None


def _may_be_in(entry: Entry, window: Window | None, zone: str) -> bool:
    """Return whether an entry may have been published in the window. zone: of the outlet, for days without a time."""
    if window is None:
        return False
    start, end = window
    published = entry.published.span(zone) if entry.published else None
    if published is not None:
        return (start is None or published[1] > start) and published[0] < end
    if start is None or entry.modified is None:
        return True
    return date_span(entry.modified, entry.modified_precision, zone)[1] > start


def _fields(element: etree._Element) -> dict[str, str]:
    """Return the text of the relevant elements by local name. The first element of each name counts.

    Only elements of the sitemap's own namespace and of Google News are used. This excludes `image:loc` and the like.
    """
    fields: dict[str, str] = {}
    own = namespace(element)  # the format's, whatever it is called
    for child in element:
        name, space = local_name(child), namespace(child)
        if name == "news" and _NEWS.search(space):
            for grandchild in child:
                fields.setdefault(local_name(grandchild), "".join(grandchild.itertext()).strip())
        elif name and _NEWS.search(space):
            fields.setdefault(name, "".join(child.itertext()).strip())
        elif name and (space == own or _SITEMAP.search(space)):
            fields.setdefault(name, "".join(child.itertext()).strip())
    return fields


def _plain_text(document: bytes, url: str, limit: int, root: str) -> Listing:
    """Parse a list of URLs, one per line. The last ones are kept, since most lists are appended to."""
    urls = [
        location
        for line in document.decode("utf-8-sig", "replace").splitlines()
        if line.strip().startswith(("http://", "https://")) and (location := absolute(line, url))
    ]
    listing = Listing([Entry(location) for location in urls[-limit:]], truncated=len(urls) > limit)
    if not listing.entries:
        listing.problem = (
            f"not a sitemap: its root element is <{root}>" if root
            else "neither XML nor a list of URLs" if document.strip() else "the document is empty"
        )  # fmt: skip
    return listing
