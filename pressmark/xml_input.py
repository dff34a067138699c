"""The one place where XML from outside is parsed. Other XML constructors are banned by lint.

Entities are not resolved, nothing is loaded from the network, depth and size stay within libxml2's
limits, and malformed input is repaired as far as it goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from lxml import etree

from pressmark.errors import DiscoveryError


def elements(document: bytes, names: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    """Yield (local name, element) for each finished element of one of `names`, in document order.

    Each element is emptied after the caller has read it, so that a large document stays small in
    memory. Raises DiscoveryError where not even a root element can be read.
    """
    context = etree.iterparse(  # noqa: TID251 - this is the one parser
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
        raise DiscoveryError(f"not readable as XML: {error}") from error


def local_name(element: etree._Element) -> str:
    """An element's name without its namespace, in lower case; empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def root_name(document: bytes) -> str:
    """Local name of the root element; empty where there is none to be read."""
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
