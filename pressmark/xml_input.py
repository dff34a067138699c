"""The only parser for XML from outside. A lint rule bans other XML constructors.

Entities are not resolved, and nothing is loaded from the network. Depth and size are limited by libxml2. Malformed
input is repaired if possible: a wrong or missing encoding declaration, HTML entities, `&` without `amp;`, anything
before the root. All of this takes time proportional to the size of the document.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Any

from lxml import etree
from w3lib.encoding import http_content_type_encoding, read_bom, resolve_encoding

from pressmark.errors import DiscoveryError
from pressmark.text import clean_text, text_encoding

_DECLARATION = re.compile(
    rb"<\?xml\b[^>]{0,300}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_.:-]{2,40})[\"']", re.IGNORECASE
)
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,100})")
_BEFORE_ROOT = re.compile(
    r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!DOCTYPE[^>\[]*(?:\[.*?(?:\]\s*|\Z))?(?:>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
# CDATA sections and comments are left as they are. In everything else, `&` begins an entity or is a character, and `<`
# begins a tag or is a character.
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|"
    r"&(?:#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)?(\w{2,10};)?|<(?![A-Za-z_/!?])",
    re.DOTALL,
)
# A document with more text than this before its root is not XML.
_MAX_PREFIX = 1_000_000
_MAX_SEPARATE = 200_000  # elements; the sitemap protocol allows 50,000
_UNQUOTED_TAG = re.compile(r"<[A-Za-z][^<>\"']*=[^<>\"']*>")
_UNQUOTED = re.compile(r"(\s[\w:.-]+)=([^\s<>]+?)(?=\s|/?>)")
_CDATA = "<![CDATA["
_COMMENTS = re.compile(r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)


def xml_text(document: bytes, content_type: str | None = None) -> str:
    """Decode an XML document. Returns text that begins with the root element, without declaration and doctype.

    content_type: the header, which names an encoding if the document doesn't. Bytes that don't belong to the encoding
    become U+FFFD.
    """
    text = _decoded(document, content_type)
    start = _root_start(text)
    return _AMPERSAND.sub(_escaped, _with_closed_cdata(text[start:]))


class MalformedXml(DiscoveryError):
    """The markup of a document is broken, so that elements may be missing or nested wrongly."""


def elements(text: str, names: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    """Yield (local name, element) for each finished element of one of `names`, in document order.

    text: from `xml_text`. Each element is cleared after the caller has used it, so that large documents need little
    memory. Raises MalformedXml at the end if the markup is broken: then `separate_elements` gives more.
    """
    context = _parser(text)
    try:
        for _, element in context:
            name = local_name(element)
            if name in names:
                yield name, element
                _clear(element)
    except etree.XMLSyntaxError as error:
        raise MalformedXml(f"not valid XML: {error}") from error
    fatal = next((entry for entry in context.error_log if entry.level >= etree.ErrorLevels.FATAL), None)
    if fatal is not None:
        raise MalformedXml(f"not valid XML: {fatal.message}")


def separate_elements(text: str, names: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    """Yield the same elements, each parsed on its own, so that a broken one doesn't affect the others.

    The last element of a cut document is left out, since its text may be cut too.
    """
    root = text[: text.find(">") + 1]
    whole = is_whole(text)
    starts = [match.start() for match in islice(_open_tags(text, names), _MAX_SEPARATE)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        fragment = text[start:end]
        if end == len(text) and not whole and not _closes(fragment, names):
            return
        try:
            for _, element in _parser(root + _UNQUOTED_TAG.sub(_with_quotes, fragment)):
                if local_name(element) in names:
                    yield local_name(element), element
                    break
        except etree.XMLSyntaxError:
            continue


def _open_tags(text: str, names: tuple[str, ...]) -> Iterator[re.Match[str]]:
    """Find the start tags of elements of one of `names` outside comments and CDATA sections."""
    pattern = re.compile(
        rf"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(?:[\w.-]{{1,30}}:)?(?:{'|'.join(names)})(?=[\s>/])",
        re.DOTALL | re.IGNORECASE,
    )
    return (match for match in pattern.finditer(text) if not match[0].startswith("<!"))


def _closes(fragment: str, names: tuple[str, ...]) -> bool:
    return bool(re.search(rf"</(?:[\w.-]{{1,30}}:)?(?:{'|'.join(names)})\s*>", fragment, re.IGNORECASE))


def _with_quotes(tag: re.Match[str]) -> str:
    return _UNQUOTED.sub(r'\1="\2"', tag[0])


def _parser(text: str) -> Any:
    # `huge_tree` lifts the limits on depth and on the length of texts. There are no entities to expand: `xml_text` has
    # removed the document type.
    return etree.iterparse(  # noqa: TID251 - the only place that may construct one
        BytesIO(text.encode("utf-8")),
        events=("end",),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        huge_tree=True,
        recover=True,
        load_dtd=False,
    )


def is_whole(text: str) -> bool:
    """Return whether a document ends with the end of its root element. One that was cut short doesn't."""
    root = _ROOT.match(text)
    if root is None:
        return False
    end = text.lower().rfind(f"</{root[1].lower()}")
    if end < 0:
        return text.rstrip().endswith("/>") and text.count("<") == 1
    return "<" not in _COMMENTS.sub("", text[end + 1 :]) and ">" in text[end:]


def local_name(element: etree._Element) -> str:
    """Return an element's name in lower case, without namespace or prefix. It is empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def namespace(element: etree._Element) -> str:
    """Return an element's namespace in lower case, or its prefix if the prefix isn't declared; empty if it has none."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    if tag.startswith("{"):
        return tag[1:].partition("}")[0].lower()
    return tag.rpartition(":")[0].lower()


def root_name(text: str) -> str:
    """Return the local name of the root element. text: from `xml_text`. It is empty if there is none."""
    root = _ROOT.match(text)
    return root[1].rpartition(":")[2].lower() if root else ""


def _clear(element: etree._Element) -> None:
    """Free an element and the siblings before it, which are empty by now."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _decoded(document: bytes, content_type: str | None) -> str:
    bom_encoding, bom = read_bom(document)
    if bom_encoding:
        return clean_text(document[len(bom or b"") :].decode(bom_encoding, "replace"))
    if document[:2] == b"<\x00":
        return clean_text(document.decode("utf-16-le", "replace"))
    if document[:2] == b"\x00<":
        return clean_text(document.decode("utf-16-be", "replace"))
    try:
        return clean_text(document.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    declaration = _DECLARATION.search(document[:2000])
    labels = (declaration[1].decode("ascii") if declaration else None, http_content_type_encoding(content_type))
    for label in labels:
        name = text_encoding((label and resolve_encoding(label)) or label)
        # UTF-16 cannot be declared in a document that is readable as ASCII.
        if name and name != "utf-8" and not name.startswith("utf-16"):
            return clean_text(document.decode(name, "replace"))
    return clean_text(document.decode("utf-8", "replace"))


def _with_closed_cdata(text: str) -> str:
    """Remove the beginnings of CDATA sections that have no end, which would make text of all that follows."""
    first, *sections = text.split(_CDATA)
    return first + "".join(_CDATA + section if "]]>" in section else section for section in sections)


def _root_start(text: str) -> int:
    """Return where the root element begins; the end of the text if there is none."""
    position = 0
    while position < min(len(text), _MAX_PREFIX):
        start = text.find("<", position)
        if start < 0:
            break
        skipped = _BEFORE_ROOT.match(text, start)
        if skipped is None:
            if _ROOT.match(text, start):
                return start
            position = start + 1
        else:
            position = skipped.end()
    return len(text)


def _escaped(match: re.Match[str]) -> str:
    whole = match[0]
    if whole == "<":
        return "&lt;"
    if whole[0] == "<":
        return whole
    name = match[1]
    if name is None:
        return whole if len(whole) > 1 else "&amp;"
    if len(whole) > len(name) + 1:
        return whole
    character = html.unescape(f"&{name}")
    return character if character != f"&{name}" and character not in "<>&" else f"&amp;{name}"
