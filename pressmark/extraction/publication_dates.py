"""The dates of publication and modification that a page declares, with their source.

Sources by priority: JSON-LD, meta elements, <time> elements and microdata of the article, its visible byline, and the
day that htmldate finds, if it appears in the article. Dates of teasers, comments and live posts don't count.

The first plausible date wins. An ambiguous one (03/10/2026) is decided by another date of the page, or left out. If
there is no plausible date, the first implausible one is returned with its raw text and flag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import htmldate
from lxml.html import HtmlElement

from pressmark.dates import DateContext, ParsedDate, day_in_url, decided_by, find_dates, read_date
from pressmark.extraction.elements import element_text, is_foreign
from pressmark.extraction.page import Page
from pressmark.extraction.structured import Node, node_text

_PUBLISHED_META = (
    "article:published_time", "og:article:published_time", "datepublished", "date", "pubdate", "publishdate",
    "publish-date", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date",
    "article.published", "published_time", "publication_date", "cxenseparse:recs:publishtime", "ptime",
    "rnews:datepublished",
)  # fmt: skip
_MODIFIED_META = (
    "article:modified_time", "og:updated_time", "datemodified", "lastmod", "dcterms.modified", "last-modified",
)  # fmt: skip
_PUBLISHED_CLASS = re.compile(r"publish|entry-date|post-date|pub-?date|date-?published|created|posted", re.IGNORECASE)
_MODIFIED_WORD = re.compile(
    r"\b(?:updat|modif|edited|last\s+chang|revis|aktuali|geändert|bearbeitet|mis(?:e)? à jour|modifi|actualiz|atualiz|"
    r"aggiorn|bijgewerkt|gewijzigd|uppdater|oppdater|opdater|päivitet|обновл|измен|zaktualiz|güncell|تحديث)|更新|最終",
    re.IGNORECASE,
)
_DATE_CLASS = re.compile(
    r"date|time|publi|post(?:ed|-meta|-info)|byline|dateline|datum|fecha|data(?:-|$)|meta|credit|author", re.IGNORECASE
)
_DATE_ATTRIBUTES = (
    "datetime", "data-published", "data-publish-date", "data-date", "data-datetime", "data-timestamp", "data-time",
    "data-utime", "data-pubdate", "data-created",
)  # fmt: skip
_BYLINE_WORDS = 8  # of an unmarked byline, without the date: a label, a name, a place
_TEXT_WORDS = 14  # of a paragraph that is no byline
_MAX_BYLINE = 160  # characters of an element with a visible date
_AROUND_HEADLINE = 25  # elements after the headline in which an unmarked date counts
_LONG_PARAGRAPH = 200  # characters
_SAME_DAY_WINDOW = 60  # characters on each side of a year


class PageDates:
    """The dates of one page."""

    def __init__(self, page: Page, article: Node, url: str, context: DateContext) -> None:
        """url: of the page; a day in it decides about an ambiguous date."""
        self._page = page
        self._node = article
        self._url = url
        self._context = context

    @cached_property
    def published(self) -> ParsedDate | None:
        """The date of publication, or None if the page has none."""
        return self._chosen(self._published())

    @cached_property
    def modified(self) -> ParsedDate | None:
        """The date of the last change that the page declares, or None if it has none."""
        return self._chosen(self._modified())

    def _published(self) -> Iterator[ParsedDate | None]:
        yield self._read(node_text(self._node.get("datePublished"), 100), "json_ld")
        for name in _PUBLISHED_META:
            for content in self._page.meta_in_head.get(name, ()):
                yield self._read(content, "meta")
        yield self._read(node_text(self._node.get("dateCreated"), 100), "json_ld")
        yield from self._own_elements
        yield from self._byline
        yield self._from_text()

    def _modified(self) -> Iterator[ParsedDate | None]:
        yield self._read(node_text(self._node.get("dateModified"), 100), "json_ld")
        for name in _MODIFIED_META:
            for content in self._page.meta_in_head.get(name, ()):
                yield self._read(content, "meta")
        for element in self._page.tree.xpath("//*[@itemprop='dateModified']"):
            if not is_foreign(element, self._page.article):
                yield self._read(element.get("datetime") or element.get("content"), "time_element")
        for element in self._near_headline:
            text = element_text(element, _MAX_BYLINE + 1) or ""
            if len(text) <= _MAX_BYLINE and not is_foreign(element, self._page.article):
                yield from (found for found, is_update in self._labelled(text) if is_update)

    def _read(self, raw: str | None, source: str) -> ParsedDate | None:
        return read_date(raw, source, self._context)

    def _chosen(self, dates: Iterator[ParsedDate | None]) -> ParsedDate | None:
        implausible: ParsedDate | None = None
        for found in dates:
            if found is not None and found.value is not None:
                return found
            if implausible is None or (found and found.flag == "ambiguous" and implausible.flag != "ambiguous"):
                implausible = found
        if implausible is not None and implausible.flag == "ambiguous":
            return decided_by(implausible, list(self._evidence())) or implausible
        return implausible

    def _evidence(self) -> Iterator[ParsedDate]:
        """Yield the other dates of the page, which may decide about an ambiguous one."""
        by_url = day_in_url(self._url, self._context)
        if by_url:
            yield by_url
        yield from (found for found in (*self._published(), *self._modified()) if found and found.value)

    @cached_property
    def _own_elements(self) -> list[ParsedDate]:
        """The dates of <time> elements and microdata of the article, those marked as published first."""
        marked: list[ParsedDate | None] = []
        others: list[ParsedDate | None] = []
        for element in self._page.tree.xpath("//*[@itemprop='datePublished'] | //time"):
            raw = element.get("datetime") or element.get("content")
            if not raw or is_foreign(element, self._page.article):
                continue
            prop = element.get("itemprop")
            found = self._read(raw, "time_element")
            if (
                prop == "datePublished"
                or element.get("pubdate") is not None
                or _PUBLISHED_CLASS.search(_marks(element))
            ):
                marked.append(found)
            elif prop != "dateModified" and self._is_byline(element):
                others.append(found)
        return [found for found in (*marked, *others) if found]

    def _is_byline(self, element: HtmlElement) -> bool:
        """Return whether a <time> is in a header or next to the headline, and isn't marked as an update."""
        parent = element.getparent()
        if _MODIFIED_WORD.search(_marks(element)) or (
            parent is not None and _MODIFIED_WORD.search(element_text(parent, 200) or "")
        ):
            return False
        return element in self._near_headline or any(ancestor.tag == "header" for ancestor in element.iterancestors())

    @cached_property
    def _scope(self) -> list[HtmlElement]:
        """The visible elements of the article, or of the page if it marks no article, in document order."""
        scope = self._page.article if self._page.article is not None else self._page.tree.find(".//body")
        if scope is None:
            return []
        return [e for e in scope.iter() if isinstance(e.tag, str) and e.tag not in _NOT_VISIBLE]

    @cached_property
    def _headline_position(self) -> int:
        """Where the headline is in the scope; 0 if there is none."""
        return next((i for i, element in enumerate(self._scope) if element.tag in ("h1", "h2")), 0)

    @cached_property
    def _near_headline(self) -> dict[HtmlElement, None]:
        """The elements around the headline, up to the first long paragraph, in document order."""
        start = self._headline_position
        near: dict[HtmlElement, None] = dict.fromkeys(self._scope[max(start - 8, 0) : start])
        for element in self._scope[start : start + _AROUND_HEADLINE + 60]:
            text = element.text_content() if element.tag == "p" else ""
            if len(text) > _LONG_PARAGRAPH:
                break
            near[element] = None
            if len(near) > _AROUND_HEADLINE and not text:
                break
        return near

    @cached_property
    def _byline(self) -> list[ParsedDate]:
        """The dates in the visible text next to the headline, and in elements that are marked as dates.

        Marked ones below the headline come first, then unmarked ones, then those above it.
        """
        after = dict.fromkeys(self._scope[self._headline_position :])
        marked = [element for element in self._scope if _is_marked(element)]
        unmarked = [element for element in self._near_headline if element in after and not _is_marked(element)]
        below = [element for element in marked if element in after]
        above = [element for element in (*marked, *self._near_headline) if element not in after]
        found = [date for element in dict.fromkeys((*below, *unmarked)) for date in self._dates_of(element)]
        # The masthead of many sites shows today's date.
        today = self._context.now.astimezone(self._context.own_zone).date()
        return found + [
            date
            for element in dict.fromkeys(above)
            for date in self._dates_of(element)
            if date.value is None or date.value.date() != today
        ]

    def _dates_of(self, element: HtmlElement) -> list[ParsedDate]:
        """Return the dates of publication that an element shows or has in an attribute."""
        if is_foreign(element, self._page.article):
            return []
        attributes = _DATE_ATTRIBUTES if element in self._near_headline else ()
        dates = [found for name in attributes if (found := self._read(element.get(name), "text")) and found.value]
        if dates and _MODIFIED_WORD.search(_marks(element)):
            dates = [] if self._visible_updates(element) else dates
        text = element_text(element, _MAX_BYLINE + 1) or ""
        if len(text) > _MAX_BYLINE or (_is_in_text(element) and not _is_marked(element)):
            return dates
        shown = [found for found, is_update in self._labelled(text) if not is_update]
        if shown and not _is_marked(element) and not _is_byline_text(text, shown):
            return dates
        return dates + shown

    def _visible_updates(self, element: HtmlElement) -> bool:
        parent = element.getparent()
        return parent is not None and bool(_MODIFIED_WORD.search(element_text(parent, 200) or ""))

    def _labelled(self, text: str) -> list[tuple[ParsedDate, bool]]:
        """Return the dates in a text, each with whether the words before it call it an update."""
        labelled = []
        before = 0
        for found in find_dates(text, "text", self._context):
            position = text.find(found.raw[:10], before)
            label = text[before : position if position >= 0 else len(text)]
            before = max(position, 0) + len(found.raw)
            labelled.append((found, bool(_MODIFIED_WORD.search(label))))
        return labelled

    def _from_text(self) -> ParsedDate | None:
        """Return the day that htmldate finds, with the text in which the article shows it; None if it does not appear.

        htmldate guesses the order of day and month, and also reads comments and teasers.
        """
        try:
            day = htmldate.find_date(
                self._page.tree,
                original_date=True,
                extensive_search=False,
                max_date=self._context.now.strftime("%Y-%m-%d"),
                outputformat="%Y-%m-%d",
            )
        except (ValueError, OverflowError, TypeError):  # impossible dates and offsets (docs/upstream.md)
            return None
        if not day:
            return None
        ambiguous: ParsedDate | None = None
        for found in self._shown(day[:4]):
            values = (found.value,) if found.value else found.readings
            if any(value.strftime("%Y-%m-%d") == day for value in values):
                if found.value:
                    return replace(found, source="text")
                ambiguous = ambiguous or found
        return ambiguous

    def _shown(self, year: str) -> Iterator[ParsedDate]:
        """Yield the dates of a year that appear in the article's text and attributes, or in meta elements."""
        today = self._context.now.astimezone(self._context.own_zone).date()
        above = set(self._scope[: self._headline_position])
        for element in (*self._page.tree.iter("meta", "link"), *self._scope):
            if element.tag == "meta" and (_is_update(element) or element.get("http-equiv")):
                continue
            values = [element.text, element.tail] if element.tag not in ("meta", "link") else []
            if any(text and year in text for text in values) and _is_in_text(element):
                values = []
            if element.tag in ("meta", "time", "abbr", "span", "div", "link"):
                values += [value for name, value in element.attrib.items() if name not in ("class", "style")]
            for text in values:
                if text and year in text and not is_foreign(element, self._page.article):
                    at = text.find(year)
                    window = text[max(at - _SAME_DAY_WINDOW, 0) : at + _SAME_DAY_WINDOW]
                    for found, is_update in self._labelled(window):
                        is_today = found.value is not None and found.value.date() == today
                        if not is_update and not (is_today and element in above):
                            yield found
                    in_url = day_in_url(text, self._context) if text.startswith("http") else None
                    if in_url:
                        yield in_url


_NOT_VISIBLE = frozenset(("script", "style", "noscript", "template", "svg"))


def _marks(element: HtmlElement) -> str:
    return " ".join(filter(None, (element.get("class"), element.get("id"), element.get("itemprop"))))


def _is_byline_text(text: str, dates: list[ParsedDate]) -> bool:
    """Return whether a text is hardly more than its dates: "Published 4 March 2026 in Port", but not a sentence."""
    for found in dates:
        text = text.replace(found.raw, " ")
    return len(re.findall(r"[^\W\d_]{2,}", text)) <= _BYLINE_WORDS and not text.rstrip().endswith(".")


def _is_in_text(element: HtmlElement) -> bool:
    """Return whether an element is part of a long paragraph, where a date is part of the story."""
    paragraph = next((e for e in (element, *element.iterancestors("p")) if e.tag == "p"), None)
    return paragraph is not None and len(paragraph.text_content().split()) >= _TEXT_WORDS


def _is_update(meta: HtmlElement) -> bool:
    names = {(meta.get(attribute) or "").lower() for attribute in ("property", "name", "itemprop", "http-equiv")}
    return bool(names & set(_MODIFIED_META))


def _is_marked(element: HtmlElement) -> bool:
    return element.tag == "time" or (
        element.tag in ("span", "div", "p", "li", "small", "em", "b", "i", "td", "abbr", "dd", "strong", "a", "section")
        and bool(_DATE_CLASS.search(_marks(element)) or any(element.get(name) for name in _DATE_ATTRIBUTES))
    )
