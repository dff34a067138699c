"""From the bytes of a response to a parsed page. Bounded in size; never trusts a declared charset."""

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
_PROPER_BEGINNING = re.compile(r"\s{0,40}(?:<!doctype html\b|<html\b)", re.IGNORECASE)
_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])

# lxml.html asks Python for the class of each element, also to tell forms and inputs, which no article needs
# (docs/upstream.md).
HTML_PARSER.set_element_class_lookup(
    ElementDefaultClassLookup(element=HtmlElement, comment=HtmlComment, pi=HtmlProcessingInstruction, entity=HtmlEntity)
)


class NotHtml(ExtractionError):
    """The answer is not an HTML page."""


class TooLarge(ExtractionError):
    """The page is larger than the limit once its content encoding is removed."""


class Link(NamedTuple):
    """A <link> element; rel and media in lower case."""

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
        """Contents of <meta> by lower-cased name, property or itemprop, in document order."""
        found: dict[str, list[str]] = {}
        for element in self.tree.iter("meta"):
            content = element.get("content")
            if not content or not content.strip():
                continue
            for attribute in ("property", "name", "itemprop", "http-equiv"):
                name = element.get(attribute)
                if name:
                    found.setdefault(name.strip().lower(), []).append(content.strip())
        return found

    @cached_property
    def links(self) -> list[Link]:
        """<link> elements with an address, in document order."""
        return [
            Link((e.get("rel") or "").lower(), e.get("type") or "", href.strip(), (e.get("media") or "").lower())
            for e in self.tree.iter("link")
            if (href := e.get("href"))
        ]

    def meta_first(self, *names: str) -> str | None:
        """The first content among these names, in the order of the names."""
        return next((one_line(content) for name in names for content in self.meta.get(name, ())), None)


def remove_content_encoding(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """The body without gzip or deflate, layer by layer.

    limit: most bytes at any layer. Raises TooLarge, or ExtractionError for a body that is broken or
    encoded otherwise (only gzip and deflate are asked for).
    """
    layers = [layer.strip().lower() for layer in (content_encoding or "").split(",")]
    for layer in reversed([layer for layer in layers if layer and layer != "identity"]):
        if layer in ("gzip", "x-gzip"):
            body = _inflate(body, (31,), limit)
        elif layer == "deflate":
            body = _inflate(body, (15, -15), limit)
        else:
            raise ExtractionError(f"content encoding {layer!r} was not asked for and is not read")
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
            raise TooLarge(f"larger than {limit} bytes once decompressed")
        return content
    raise ExtractionError(f"broken compressed body: {problem}")


def payload_hash(document: bytes) -> bytes:
    """Identity of a payload: sha256 of the bytes without content encoding."""
    return hashlib.sha256(document).digest()


def parse_page(document: bytes, content_type: str | None) -> Page:
    """Parse a page. Raises NotHtml, or ExtractionError where nothing can be parsed."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and kind not in _HTML_TYPES:
        raise NotHtml(f"its type is {kind[:80]}")
    if not _LOOKS_LIKE_HTML.search(document[:4096]) and not _LOOKS_LIKE_HTML.search(document):
        raise NotHtml("no HTML in it" if document.strip() else "the body is empty")
    text, encoding, source = decode(document, content_type)
    tree = _tree(text)
    if tree is None:
        raise ExtractionError("lxml could not build a tree")
    return Page(tree, payload_hash(document), encoding, source)


def _tree(text: str) -> HtmlElement | None:
    """What Trafilatura's `load_html` gives for a decoded text, without its look at every character: `decode` had one.

    Documents with a proper beginning only; the others are left to it, with its rescues.
    """
    line_end = text.find("\n", 4096)
    if line_end < 0 or not _PROPER_BEGINNING.match(text) or "\ufffe" in text or "\uffff" in text:
        return load_html(text)
    head = text[: line_end + 1]  # what is repaired lies there
    try:
        tree = document_fromstring(repair_faulty_html(head, head[:50].lower()) + text[line_end + 1 :], HTML_PARSER)
    except (ValueError, LxmlError):
        return load_html(text)
    return tree if len(tree) > 1 else load_html(text)


def decode(document: bytes, content_type: str | None) -> tuple[str, str, str]:
    """(text, encoding, where the encoding comes from: bom, header, meta or guess).

    A declared encoding counts only where it decodes the whole document, or where none does.
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
        # A single-byte encoding decodes anything: believe it only where UTF-8 does not fit as well.
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
    """The text as it can be stored; in an encoding that extends ASCII a look at the bytes often suffices."""
    if not encoding.lower().startswith("utf-16") and len(document.translate(None, _CONTROL_BYTES)) == len(document):
        return text
    return clean_text(text)


def _is_single_byte(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith(("cp125", "iso8859", "koi8", "ascii", "mac"))


def _is_utf8(document: bytes) -> bool:
    """Whether the document is UTF-8 with at least one character outside of ASCII."""
    if document.isascii():
        return False
    try:
        document.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
