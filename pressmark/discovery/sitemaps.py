"""Parses sitemaps, sitemap indexes, news sitemaps and plain-text sitemaps. Makes no requests.

Format: https://www.sitemaps.org/protocol.html, news tags of Google's sitemap-news 0.9.
A lastmod is an upper bound for the entries of a sitemap. It is never a date of publication.
"""

from __future__ import annotations

import zlib
from datetime import datetime

from lxml import etree

from pressmark.dates import read_date
from pressmark.discovery.feeds import parse_feed
from pressmark.discovery.listing import ChildListing, Entry, Listing
from pressmark.errors import DiscoveryError
from pressmark.text import one_line
from pressmark.urls import absolute
from pressmark.xml_input import elements, local_name, root_name

MAX_BYTES = 50 * 2**20  # the protocol's own limit, uncompressed


def parse_sitemap(document: bytes, url: str, now: datetime, *, limit: int = 50_000, zone: str = "UTC") -> Listing:
    """Parse a sitemap of any kind, compressed or not. Never raises because of its content.

    url: the URL of the sitemap, which is the base of relative links. limit: maximum number of entries and children.
    zone: IANA zone for dates without an offset.
    """
    try:
        document, complete = _decompress(document)
    except zlib.error as error:
        return Listing(problem=f"broken gzip data: {error}")
    text = document.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        return Listing(problem="the document is empty")
    if not text.startswith(b"<"):
        return _plain_text(text, url, limit)
    root = root_name(text)
    if root in ("rss", "feed", "rdf"):
        return parse_feed(text, url, now, limit=limit, zone=zone)
    if root not in ("urlset", "sitemapindex"):
        return Listing(problem=f"not a sitemap: its root element is <{root or '?'}>")
    listing = Listing()
    if not complete:
        listing.problem = f"larger than {MAX_BYTES // 2**20} MiB; only the beginning was parsed"
    try:
        for name, element in elements(text, ("url", "sitemap")):
            if len(listing.entries) + len(listing.children) >= limit:
                listing.truncated = True
                break
            _add(listing, name, element, url, now, zone)
    except DiscoveryError as error:
        listing.problem = str(error)
    return listing


def _add(listing: Listing, name: str, element: etree._Element, base: str, now: datetime, zone: str) -> None:
    fields = _fields(element)
    location = absolute(fields.get("loc", ""), base)
    if location is None:
        return
    lastmod = read_date(fields.get("lastmod"), "sitemap", now, zone)
    modified = lastmod.value if lastmod else None
    if name == "sitemap":
        listing.children.append(ChildListing(location, modified))
        return
    published = read_date(fields.get("publication_date"), "news_sitemap", now, zone)
    listing.entries.append(
        Entry(
            url=location,
            headline=one_line(fields.get("title")),
            published=published if published and published.value else None,
            modified=modified,
        )
    )


def _fields(element: etree._Element) -> dict[str, str]:
    """Return the text of the relevant elements by local name. The first element of each name counts.

    Only direct children and children of `news:news` are used. This excludes `image:loc`, `image:title` and the like.
    """
    fields: dict[str, str] = {}
    for child in element:
        name = local_name(child)
        if name == "news":
            for grandchild in child:
                fields.setdefault(local_name(grandchild), (grandchild.text or "").strip())
        elif len(child) == 0:
            fields.setdefault(name, (child.text or "").strip())
    return fields


def _plain_text(document: bytes, url: str, limit: int) -> Listing:
    listing = Listing()
    lines = document.decode("utf-8", "replace").splitlines()
    for line in lines:
        location = absolute(line) if line.strip().startswith(("http://", "https://")) else None
        if location is None:
            continue
        if len(listing.entries) >= limit:
            listing.truncated = True
            break
        listing.entries.append(Entry(location))
    if not listing.entries:
        listing.problem = "neither XML nor a list of URLs"
    return listing


def _decompress(document: bytes) -> tuple[bytes, bool]:
    """Return (content up to MAX_BYTES, whether it is complete). gzip is detected by its magic bytes."""
    if not document.startswith(b"\x1f\x8b"):
        return document[:MAX_BYTES], len(document) <= MAX_BYTES
    decoder = zlib.decompressobj(wbits=31)
    content = decoder.decompress(document, MAX_BYTES)
    return content, not decoder.unconsumed_tail
