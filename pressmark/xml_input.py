"""The only parser for XML from outside. A lint rule bans other XML constructors.

Entities are not resolved, and nothing is loaded from the network. Depth and size are limited by libxml2. Malformed
input is repaired if possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from lxml import etree

from pressmark.errors import DiscoveryError


def elements(document: bytes, names: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    """Yield (local name, element) for each finished element of one of `names`, in document order.

    Each element is cleared after the caller has used it, so that large documents need little memory. Raises
    DiscoveryError if not even a root element can be parsed.
    """
    context = etree.iterparse(  # noqa: TID251 - the only place that may construct one
        BytesIO(document),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        recover=True,
        load_dtd=False,
    )
    try:
        for _, element in context:
            name = local_name(element)
            if name in names:
                yield name, element
                element.clear()
    except etree.XMLSyntaxError as error:
        raise DiscoveryError(f"not valid XML: {error}") from error


def local_name(element: etree._Element) -> str:
    """Return an element's name in lower case, without namespace. It is empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def root_name(document: bytes) -> str:
    """Return the local name of the root element. It is empty if there is none."""
    parser = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, recover=True, load_dtd=False
    )
    try:
        parser.feed(document[:65536].lstrip())
        for _, element in parser.read_events():
            return local_name(element)
    except etree.XMLSyntaxError:
        pass
    return ""
