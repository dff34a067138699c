"""Parses the bytes of a page. `charset` decodes them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lxml.etree import ElementDefaultClassLookup, ErrorTypes, LxmlError
from lxml.html import (
    HtmlComment,
    HtmlElement,
    HtmlEntity,
    HTMLParser,
    HtmlProcessingInstruction,
    document_fromstring,
)
from trafilatura import load_html
from trafilatura import utils as trafilatura_utils
from trafilatura.utils import repair_faulty_html

from pressmark.errors import ExtractionError
from pressmark.extraction.charset import decode
from pressmark.extraction.elements import main_article
from pressmark.text import one_line

_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
_LOOKS_LIKE_HTML = re.compile(r"<(?:!doctype|html|head|body|div|p|meta|title|script|article)\b", re.IGNORECASE)
_HTML_START = re.compile(r"\s{0,40}(?:<!doctype html\b|<html\b)", re.IGNORECASE)

# `huge_tree` raises libxml2's limit from 256 to 2,048 levels. The other options are those of Trafilatura's parser
# (docs/upstream.md).
PARSER = HTMLParser(
    collect_ids=False, default_doctype=False, encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True
)
# By default lxml.html calls Python to choose the class of each element, which distinguishes forms and inputs. Articles
# don't need that (docs/upstream.md).
PARSER.set_element_class_lookup(
    ElementDefaultClassLookup(element=HtmlElement, comment=HtmlComment, pi=HtmlProcessingInstruction, entity=HtmlEntity)
)
trafilatura_utils.HTML_PARSER = PARSER


class NotHtml(ExtractionError):
    """The response is not an HTML page."""


class Link(NamedTuple):
    """A <link> element. rel and media are in lower case."""

    rel: str
    type: str
    href: str
    media: str


@dataclass(frozen=True)
class Page:
    """A decoded and parsed page. text: its HTML."""

    text: str
    tree: HtmlElement
    payload_hash: bytes
    encoding: str
    encoding_source: str

    @cached_property
    def article(self) -> HtmlElement | None:
        """The element of the page's article, see `main_article`. Use it after the tree was repaired."""
        return main_article(self.tree)

    @cached_property
    def meta_in_head(self) -> dict[str, list[str]]:
        """Like `meta`, without microdata, which may be that of a teaser, and without headers (`http-equiv`)."""
        return self._contents(in_head=True)

    @cached_property
    def meta(self) -> dict[str, list[str]]:
        """Contents of <meta> elements by lower-cased name, property, itemprop or http-equiv, in document order."""
        return self._contents(in_head=False)

    def _contents(self, *, in_head: bool) -> dict[str, list[str]]:
        contents: dict[str, list[str]] = {}
        for element in self.tree.iter("meta"):
            content = element.get("content")
            if not content or not content.strip():
                continue
            if in_head and element.get("itemprop") and not (element.get("name") or element.get("property")):
                continue
            # `http-equiv` describes the response: its date is the server's time.
            for attribute in (
                ("property", "name", "itemprop") if in_head else ("property", "name", "itemprop", "http-equiv")
            ):
                name = element.get(attribute)
                if name:
                    contents.setdefault(name.strip().lower(), []).append(content.strip())
        return contents

    @cached_property
    def links(self) -> list[Link]:
        """<link> elements that have an href, in document order."""
        return [
            Link((e.get("rel") or "").lower(), e.get("type") or "", href.strip(), (e.get("media") or "").lower())
            for e in self.tree.iter("link")
            if (href := e.get("href"))
        ]

    def meta_first(self, *names: str) -> str | None:
        """Return the first content of the first of these names that the page has."""
        return next((one_line(content) for name in names for content in self.meta.get(name, ())), None)


def payload_hash(document: bytes) -> bytes:
    """Return the identity of a payload: the sha256 of its bytes without content encoding."""
    return hashlib.sha256(document).digest()


def parse_page(document: bytes, content_type: str | None, languages: tuple[str, ...] = ()) -> Page:
    """Parse a page. languages: of the outlet, for pages that declare no encoding.

    Raises NotHtml if it isn't HTML, and ExtractionError if lxml cannot parse it.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and kind not in _HTML_TYPES:
        raise NotHtml(f"the content type is {kind[:80]}")
    if not document.strip():
        raise NotHtml("the body is empty")
    text, encoding, source = decode(document, content_type, languages)
    if not _LOOKS_LIKE_HTML.search(text, 0, 4096) and not _LOOKS_LIKE_HTML.search(text):
        raise NotHtml("the body contains no HTML")
    tree = _tree(text)
    if tree is None:
        raise ExtractionError("lxml could not parse the page")
    last = PARSER.error_log.last_error
    if last is not None and last.type == ErrorTypes.ERR_RESOURCE_LIMIT:  # the parser stopped there
        raise ExtractionError("its elements are nested too deeply; a part of the page would be lost")
    return Page(text, tree, payload_hash(document), encoding, source)


def _tree(text: str) -> HtmlElement | None:
    """Parse a decoded text with the same result as Trafilatura's `load_html`, but without its check of every character.

    `decode` has made that check already. The fast path is for documents that start with a doctype or <html>. All others
    go to `load_html`, which repairs them.
    """
    line_end = text.find("\n", 4096)
    if line_end < 0 or not _HTML_START.match(text) or "\ufffe" in text or "\uffff" in text:
        return load_html(text)
    head = text[: line_end + 1]  # `repair_faulty_html` changes only this part
    try:
        tree = document_fromstring(repair_faulty_html(head, head[:50].lower()) + text[line_end + 1 :], PARSER)
    except (ValueError, LxmlError):
        return load_html(text)
    return tree if len(tree) > 1 else load_html(text)
