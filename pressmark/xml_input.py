"""The only parser for XML from outside. A lint rule bans other XML constructors.

Entities are not resolved, and nothing is loaded from the network. Depth and size are limited by libxml2. Malformed
input is repaired if possible: a wrong or missing encoding declaration, HTML entities, `&` without `amp;`, anything
before the root. All of this takes time proportional to the size of the document.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from io import BytesIO

from lxml import etree
from w3lib.encoding import http_content_type_encoding, read_bom, resolve_encoding

from pressmark.errors import DiscoveryError
from pressmark.text import clean_text

_DECLARATION = re.compile(
    rb"<\?xml\b[^>]{0,300}?encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_.:-]{2,40})[\"']", re.IGNORECASE
)
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,100})")
_BEFORE_ROOT = re.compile(
    r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!DOCTYPE[^>\[]*(?:\[.*?(?:\]\s*|\Z))?(?:>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
# CDATA sections and comments are left as they are. In everything else, `&` begins an entity or is a character.
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|&(?:#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)?(\w{2,10};)?",
    re.DOTALL,
)
# Where the text before the root is longer than this, the document is none.
_MAX_PREFIX = 1_000_000


def xml_text(document: bytes, content_type: str | None = None) -> str:
    """Decode an XML document. Returns text that begins with the root element, without declaration and doctype.

    content_type: the header, which names an encoding if the document doesn't. Bytes that don't belong to the encoding
    become U+FFFD.
    """
    text = _decoded(document, content_type)
    start = _root_start(text)
    return _AMPERSAND.sub(_escaped, text[start:])


def elements(text: str, names: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    """Yield (local name, element) for each finished element of one of `names`, in document order.

    text: from `xml_text`. Each element is cleared after the caller has used it, so that large documents need little
    memory. An element that the end of a cut document has closed is not yielded, since its text may be cut too. Raises
    DiscoveryError if not even a root element can be parsed.
    """
    context = etree.iterparse(  # noqa: TID251 - the only place that may construct one
        BytesIO(text.encode("utf-8")),
        events=("end",),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        recover=True,
        load_dtd=False,
    )
    whole = is_whole(text)
    previous: tuple[str, etree._Element] | None = None
    try:
        for _, element in context:
            name = local_name(element)
            if name not in names:
                continue
            if whole:
                yield name, element
                _clear(element)
                continue
            # The last element of a cut document is held back.
            if previous is not None:
                yield previous
                _clear(previous[1])
            previous = name, element
    except etree.XMLSyntaxError as error:
        raise DiscoveryError(f"not valid XML: {error}") from error


def is_whole(text: str) -> bool:
    """Return whether a document ends with the end of its root element. One that was cut short doesn't."""
    root = _ROOT.match(text)
    if root is None:
        return False
    tail = text[-2000:].rstrip()
    return bool(re.search(rf"</\s*{re.escape(root[1])}\s*>", tail, re.IGNORECASE)) or (
        tail.endswith("/>") and tail.count("<") == 1
    )


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
        name = resolve_encoding(label) if label else None
        # UTF-16 cannot be declared in a document that is readable as ASCII.
        if name and name != "utf-8" and not name.startswith("utf-16") and _is_known(name):
            return clean_text(document.decode(name, "replace"))
    return clean_text(document.decode("utf-8", "replace"))


def _is_known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


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
    if whole[0] == "<":
        return whole
    name = match[1]
    if name is None:
        return whole if len(whole) > 1 else "&amp;"
    if len(whole) > len(name) + 1:
        return whole
    character = html.unescape(f"&{name}")
    return character if character != f"&{name}" and character not in "<>&" else f"&amp;{name}"
