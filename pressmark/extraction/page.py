"""Decodes and parses the bytes of a response. Size is limited, and a declared charset is always verified."""

from __future__ import annotations

import codecs
import hashlib
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lxml.etree import ElementDefaultClassLookup, LxmlError
from lxml.html import HtmlComment, HtmlElement, HtmlEntity, HtmlProcessingInstruction, document_fromstring
from trafilatura import load_html
from trafilatura.utils import HTML_PARSER, repair_faulty_html
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, resolve_encoding

from pressmark.errors import ExtractionError
from pressmark.text import clean_text, one_line

_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
_LOOKS_LIKE_HTML = re.compile(rb"<(?:!doctype|html|head|body|div|p|meta|title|script|article)\b", re.IGNORECASE)
_HTML_START = re.compile(r"\s{0,40}(?:<!doctype html\b|<html\b)", re.IGNORECASE)
_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])

# By default lxml.html calls Python to choose the class of each element, which distinguishes forms and inputs. Articles
# don't need that (docs/upstream.md).
HTML_PARSER.set_element_class_lookup(
    ElementDefaultClassLookup(element=HtmlElement, comment=HtmlComment, pi=HtmlProcessingInstruction, entity=HtmlEntity)
)


class NotHtml(ExtractionError):
    """The response is not an HTML page."""


class TooLarge(ExtractionError):
    """The page is larger than the limit after its content encoding is removed."""


class Link(NamedTuple):
    """A <link> element. rel and media are in lower case."""

    rel: str
    type: str
    href: str
    media: str


@dataclass(frozen=True)
class Page:
    """A decoded and parsed page."""

    tree: HtmlElement
    payload_hash: bytes
    encoding: str
    encoding_source: str

    @cached_property
    def meta(self) -> dict[str, list[str]]:
        """Contents of <meta> elements by lower-cased name, property, itemprop or http-equiv, in document order."""
        contents: dict[str, list[str]] = {}
        for element in self.tree.iter("meta"):
            content = element.get("content")
            if not content or not content.strip():
                continue
            for attribute in ("property", "name", "itemprop", "http-equiv"):
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


def remove_content_encoding(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """Decompress a body, layer by layer.

    limit: maximum number of bytes at any layer. Raises TooLarge if it is exceeded. Raises ExtractionError if the body
    is broken or has an encoding other than gzip and deflate, which are the only ones requested.
    """
    layers = [layer.strip().lower() for layer in (content_encoding or "").split(",")]
    for layer in reversed([layer for layer in layers if layer and layer != "identity"]):
        if layer in ("gzip", "x-gzip"):
            body = _inflate(body, (31,), limit)
        elif layer == "deflate":
            body = _inflate(body, (15, -15), limit)
        else:
            raise ExtractionError(f"content encoding {layer!r} is not supported: only gzip and deflate are requested")
    if len(body) > limit:
        raise TooLarge(f"larger than {limit} bytes")
    return body


def _inflate(body: bytes, window_sizes: tuple[int, ...], limit: int) -> bytes:
    problem: Exception | None = None
    for bits in window_sizes:
        decoder = zlib.decompressobj(wbits=bits)
        try:
            content = decoder.decompress(body, limit + 1)
        except zlib.error as error:
            problem = error
            continue
        if len(content) > limit:
            raise TooLarge(f"larger than {limit} bytes after decompression")
        return content
    raise ExtractionError(f"broken compressed body: {problem}")


def payload_hash(document: bytes) -> bytes:
    """Return the identity of a payload: the sha256 of its bytes without content encoding."""
    return hashlib.sha256(document).digest()


def parse_page(document: bytes, content_type: str | None) -> Page:
    """Parse a page. Raises NotHtml if it isn't HTML, and ExtractionError if lxml cannot parse it."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and kind not in _HTML_TYPES:
        raise NotHtml(f"the content type is {kind[:80]}")
    if not _LOOKS_LIKE_HTML.search(document[:4096]) and not _LOOKS_LIKE_HTML.search(document):
        raise NotHtml("the body contains no HTML" if document.strip() else "the body is empty")
    text, encoding, source = decode(document, content_type)
    tree = _tree(text)
    if tree is None:
        raise ExtractionError("lxml could not parse the page")
    return Page(tree, payload_hash(document), encoding, source)


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
        tree = document_fromstring(repair_faulty_html(head, head[:50].lower()) + text[line_end + 1 :], HTML_PARSER)
    except (ValueError, LxmlError):
        return load_html(text)
    return tree if len(tree) > 1 else load_html(text)


def decode(document: bytes, content_type: str | None) -> tuple[str, str, str]:
    """Decode a document. Return (text, encoding, source of the encoding: bom, header, meta or guess).

    A declared encoding is used if it decodes the whole document, or if no encoding does.
    """
    bom_encoding, bom = read_bom(document)
    if bom_encoding:
        return clean_text(document[len(bom or b"") :].decode(bom_encoding, "replace")), bom_encoding, "bom"
    declared = [
        (resolve_encoding(name), source)
        for name, source in (
            (http_content_type_encoding(content_type), "header"),
            (html_body_declared_encoding(document[:4096]), "meta"),
            ("utf-8", "guess"),
        )
        if name
    ]
    for encoding, source in declared:
        # A single-byte encoding decodes anything, so it is used only if the document isn't valid UTF-8.
        if encoding and not (_is_single_byte(encoding) and _is_utf8(document)):
            try:
                return _cleaned(document, document.decode(encoding), encoding), encoding, source
            except (UnicodeDecodeError, LookupError):
                continue
    if _is_utf8(document):
        return _cleaned(document, document.decode("utf-8"), "utf-8"), "utf-8", "guess"
    encoding, source = next(((e, s) for e, s in declared if e), ("utf-8", "guess"))
    return clean_text(document.decode(encoding or "utf-8", "replace")), encoding or "utf-8", source


def _cleaned(document: bytes, text: str, encoding: str) -> str:
    """Return the text without unstorable characters. Most encodings allow a faster check of the bytes."""
    if not encoding.lower().startswith("utf-16") and len(document.translate(None, _CONTROL_BYTES)) == len(document):
        return text
    return clean_text(text)


def _is_single_byte(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith(("cp125", "iso8859", "koi8", "ascii", "mac"))


def _is_utf8(document: bytes) -> bool:
    """Return whether the document is UTF-8 with at least one non-ASCII character."""
    if document.isascii():
        return False
    try:
        document.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
