"""Parses RSS, Atom, RDF and JSON Feed from bytes, in time proportional to their size. Makes no requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

from pressmark.content_encoding import GZIP_MAGIC, remove_content_encoding
from pressmark.dates import DateContext, ParsedDate, read_date
from pressmark.discovery.listing import Entry, Listing
from pressmark.errors import ExtractionError
from pressmark.text import plain_line
from pressmark.urls import absolute
from pressmark.xml_input import (
    MalformedXml,
    elements,
    is_whole,
    local_name,
    namespace,
    root_name,
    separate_elements,
    xml_text,
)

# Feeds are small. A larger document is cut off here, since a hostile server may send one without end.
MAX_BYTES = 10 * 2**20
FEED_ROOTS = ("rss", "feed", "rdf")

_BASE = "{http://www.w3.org/XML/1998/namespace}base"
# Namespaces of the feed formats themselves. Elements of others (media:title, itunes:title) don't describe the item.
_OWN_NAMESPACES = re.compile(
    r"^(?:atom\d*|rss)?$|purl\.org/(?:rss/1\.0/$|rss/0\.9|net/rss|atom)|/2005/atom|netscape\.com/|backend\.userland|"
    r"blogs\.law\.harvard\.edu/tech/rss"
)
_DUBLIN_CORE = re.compile(r"^(?:dc|dcterms)$|purl\.org/(?:dc|rss/1\.0/modules/dc)")


def parse_feed(
    document: bytes, url: str, dates: DateContext, *, content_type: str | None = None, limit: int = 2000
) -> Listing:
    """Parse a feed. Never raises because of its content.

    url: the URL of the feed, which is the base of relative links. dates: how to read dates. limit: maximum number of
    entries.
    """
    try:
        if document.startswith(GZIP_MAGIC):
            document = remove_content_encoding(document, None, MAX_BYTES)
    except ExtractionError as error:
        return Listing(problem=f"not a feed: {error}")
    document = document[:MAX_BYTES]
    if document.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return _json_feed(document, url, dates, limit)
    return parse_feed_text(xml_text(document, content_type), url, dates, limit)


def parse_feed_text(text: str, url: str, dates: DateContext, limit: int) -> Listing:
    """Parse the text of an XML feed, as `xml_text` returns it."""
    root = root_name(text)
    if root not in FEED_ROOTS:
        return Listing(problem=f"not a feed: its root element is <{root}>" if root else "not a feed: it has no element")
    listing = Listing()
    for _, element in listed_elements(text, ("item", "entry"), listing):
        if len(listing.entries) >= limit:
            listing.truncated = True
            break
        entry = _entry(element, _base(element, url), dates)
        if entry is not None:
            listing.entries.append(entry)
    return listing


def listed_elements(text: str, names: tuple[str, ...], listing: Listing) -> Iterator[tuple[str, etree._Element]]:
    """Yield the elements that describe entries, and describe damage of the document in `listing.problem`.

    If the markup is broken, the entries parsed so far are dropped, and each is parsed on its own.
    """
    try:
        yield from elements(text, names)
    except MalformedXml:
        listing.entries.clear()
        listing.children.clear()
        yield from separate_elements(text, names)
        listing.problem = (
            "the XML is malformed; its entries were parsed one by one"
            if is_whole(text)
            else "the listing is cut short; its last entry was left out"
        )


@dataclass(slots=True)
class _Item:
    """The parts of an item, by priority of their source."""

    links: dict[str, str] = field(default_factory=dict)
    headline: str | None = None
    published: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)


def _entry(element: etree._Element, base: str, dates: DateContext) -> Entry | None:
    item = _Item()
    own = namespace(element)  # the format's, whatever it is called
    for child in element:
        _read_child(child, item, own)
    if not item.links:  # an element before the link may not be closed, which puts the link inside it
        for descendant in element.iterdescendants():
            _read_child(descendant, item, own)
    link = next((item.links[kind] for kind in ("origin", "page", "alternate", "guid") if item.links.get(kind)), None)
    about = element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about")
    # In a CDATA section, `&amp;` is escaped twice.
    url = absolute((link or about or "").replace("&amp;", "&"), base)
    if url is None:
        return None
    published = _first_date(item.published, dates)
    updated = _first_date(item.updated, dates)
    return Entry(
        url=url,
        headline=item.headline,
        published=published if published and published.value else None,
        modified=_latest(updated, published),
    )


def _read_child(child: etree._Element, item: _Item, own: str) -> None:
    name, space = local_name(child), namespace(child)
    if not name:
        return  # a comment
    text = "".join(child.itertext()).strip() if name not in ("content", "description", "encoded", "summary") else ""
    if name == "origlink":  # feedburner:origLink
        item.links.setdefault("origin", text)
    elif name in ("date", "created", "issued", "modified") and _DUBLIN_CORE.search(space):
        (item.updated if name == "modified" else item.published).append(text)
    elif space != own and not _OWN_NAMESPACES.search(space):
        return
    elif name == "link":
        href = child.get("href")
        relation = (child.get("rel") or "alternate").strip().lower()
        if relation in ("alternate", "http://www.iana.org/assignments/relation/alternate"):
            # A page is preferred to other representations of the item.
            kind = (child.get("type") or "text/html").lower()
            is_page = "html" in kind
            if href or text:
                item.links.setdefault("page" if is_page else "alternate", href or text)
    elif name == "guid":
        if (child.get("isPermaLink") or "true").strip().lower() != "false" and text.startswith(("http://", "https://")):
            item.links.setdefault("guid", text)
    elif name == "id":
        if text.startswith(("http://", "https://")):
            item.links.setdefault("guid", text)
    elif name == "title":
        item.headline = item.headline or plain_line(text)
    elif name in ("pubdate", "published", "issued", "created"):
        item.published.insert(0, text)
    elif name in ("updated", "modified"):
        item.updated.insert(0, text)


def _base(element: etree._Element, url: str) -> str:
    """Return the base of an item's links: xml:base of the element or of one around it."""
    bases = [value for e in (element, *element.iterancestors()) if (value := e.get(_BASE))]
    for value in reversed(bases):
        url = absolute(value, url) or url
    return url


def _first_date(raws: Iterable[str], dates: DateContext) -> ParsedDate | None:
    found = [parsed for raw in raws if (parsed := read_date(raw, "feed", dates))]
    return next((parsed for parsed in found if parsed.value), found[0] if found else None)


def _json_feed(document: bytes, url: str, dates: DateContext, limit: int) -> Listing:
    """JSON Feed 1.1, https://www.jsonfeed.org/version/1.1/"""
    try:
        data = json.loads(document.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        return Listing(problem=f"not a JSON feed: {error}"[:300])
    items = data.get("items")
    if not isinstance(items, list) or "jsonfeed.org" not in str(data.get("version")):
        return Listing(problem="not a feed: JSON without the version and items of a JSON Feed")
    listing = Listing()
    for item in items:
        if not isinstance(item, dict):
            continue
        links = (item.get("url"), item.get("external_url"), _id_link(item))
        link = absolute(next((text for text in links if isinstance(text, str) and text), ""), url)
        if link is None:
            continue
        if len(listing.entries) >= limit:
            listing.truncated = True
            break
        published = read_date(str(item.get("date_published") or ""), "feed", dates)
        updated = read_date(str(item.get("date_modified") or ""), "feed", dates)
        title = item.get("title")
        listing.entries.append(
            Entry(
                url=link,
                headline=plain_line(title) if isinstance(title, str) else None,
                published=published if published and published.value else None,
                modified=_latest(updated, published),
            )
        )
    return listing


def _id_link(item: dict[str, Any]) -> str | None:
    """Return the id of an item if it is a URL. It replaces a missing link."""
    identity = str(item.get("id") or "")
    return identity if identity.startswith(("http://", "https://")) else None


def _latest(*dates: ParsedDate | None) -> datetime | None:
    values = [date.value for date in dates if date and date.value]
    return max(values, default=None)
