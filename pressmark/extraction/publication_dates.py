"""The dates of publication and modification that a page declares, with their source.

Sources by priority: JSON-LD, meta elements, <time> elements of the article, then htmldate on the text, which gives
days. The first plausible date wins. If there is none, the first implausible one is returned with its raw text and flag.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import htmldate

from pressmark.dates import ParsedDate, read_date
from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, node_text

_PUBLISHED_META = (
    "article:published_time", "og:article:published_time", "datepublished", "date", "pubdate", "publishdate",
    "publish-date", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date",
    "article.published", "published_time", "publication_date", "cxenseparse:recs:publishtime", "ptime",
    "rnews:datepublished",
)  # fmt: skip
_MODIFIED_META = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "lastmod",
    "dcterms.modified",
    "last-modified",
)
_PUBLISHED_TIME = (
    "//*[@itemprop='datePublished']/@datetime | //*[@itemprop='datePublished']/@content",
    "//time[contains(@class, 'publish') or contains(@class, 'entry-date') or contains(@class, 'post-date')]/@datetime",
    "//article//header//time/@datetime",
    "//time[@pubdate]/@datetime",
)


def find_published(page: Page, article: Node, now: datetime, zone: str) -> ParsedDate | None:
    """Return the date of publication, or None if the page has none."""
    return _first_plausible(_published(page, article, now, zone))


def find_modified(page: Page, article: Node, now: datetime, zone: str) -> ParsedDate | None:
    """Return the date of the last change that the page declares, or None if it has none."""
    return _first_plausible(_modified(page, article, now, zone))


def _published(page: Page, article: Node, now: datetime, zone: str) -> Iterator[ParsedDate | None]:
    yield read_date(node_text(article.get("datePublished"), 100), "json_ld", now, zone)
    for name in _PUBLISHED_META:
        for content in page.meta.get(name, ()):
            yield read_date(content, "meta", now, zone)
    yield read_date(node_text(article.get("dateCreated"), 100), "json_ld", now, zone)
    for xpath in _PUBLISHED_TIME:
        values = page.tree.xpath(xpath)
        if values:
            yield read_date(str(values[0]), "time_element", now, zone)
    yield _from_text(page, now)


def _modified(page: Page, article: Node, now: datetime, zone: str) -> Iterator[ParsedDate | None]:
    yield read_date(node_text(article.get("dateModified"), 100), "json_ld", now, zone)
    for name in _MODIFIED_META:
        for content in page.meta.get(name, ()):
            yield read_date(content, "meta", now, zone)


def _from_text(page: Page, now: datetime) -> ParsedDate | None:
    """Return the day that htmldate finds in the visible page. Only complete dates count, so no year is invented."""
    day = htmldate.find_date(
        page.tree,
        original_date=True,
        extensive_search=False,
        max_date=now.strftime("%Y-%m-%d"),
        outputformat="%Y-%m-%d",
    )
    return read_date(day, "text", now) if day else None


def _first_plausible(dates: Iterator[ParsedDate | None]) -> ParsedDate | None:
    implausible: ParsedDate | None = None
    for date in dates:
        if date is not None and date.value is not None:
            return date
        if implausible is None:
            implausible = date
    return implausible
