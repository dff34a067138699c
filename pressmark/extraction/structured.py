"""schema.org data in the JSON-LD of a page. Broken blocks are skipped.

Vocabulary: https://schema.org/Article
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement

from pressmark.text import one_line

Node = dict[str, Any]

_ARTICLE_TYPES = frozenset(
    "article newsarticle reportagenewsarticle analysisnewsarticle opinionnewsarticle backgroundnewsarticle "
    "askpublicnewsarticle reviewnewsarticle blogposting liveblogposting report scholarlyarticle "
    "socialmediaposting techarticle satiricalarticle advertisercontentarticle".split()
)
_COMMENT_OPEN = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)")
_COMMENT_CLOSE = re.compile(r"(?:-->|//\s*\]\]>|\]\]>|/\*\s*\]\]>\s*\*/)\s*;?\s*$")
MAX_DEPTH = 12


def article_node(tree: HtmlElement) -> Node:
    """Return the JSON-LD object that describes the page's article. It is empty if there is none.

    If there are several, the one with most of the wanted properties is returned, and the first of these if they tie.
    """
    wanted = ("headline", "datePublished", "author", "articleBody", "description", "articleSection")
    best: Node = {}
    best_score = -1
    for node in nodes(tree):
        if _ARTICLE_TYPES.intersection(types(node)):
            score = sum(1 for name in wanted if node.get(name))
            if score > best_score:
                best, best_score = node, score
    return best


def nodes(tree: HtmlElement) -> Iterator[Node]:
    """Yield every object of every JSON-LD block, outer objects first."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text:
            continue
        data = _load(script.text)
        if data is not None:
            yield from _walk(data, 0)


def types(node: Node) -> set[str]:
    """Return the types of a node in lower case, without namespace."""
    return {str(kind).rsplit("/", 1)[-1].lower() for kind in as_list(node.get("@type"))}


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, None as an empty list, and any other value as a list with one item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def node_text(value: Any, limit: int = 2000) -> str | None:
    """Return the first string of a text property, with HTML entities resolved."""
    for item in as_list(value):
        if isinstance(item, dict):
            item = item.get("@value") or item.get("name") or item.get("url")
        if isinstance(item, (str, int, float)) and not isinstance(item, bool):
            text = one_line(html.unescape(str(item)), limit)
            if text:
                return text
    return None


def _load(text: str) -> Any:
    text = _COMMENT_CLOSE.sub("", _COMMENT_OPEN.sub("", text)).strip().rstrip(";")
    for candidate in (text, re.sub(r",\s*([}\]])", r"\1", text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _walk(value: Any, depth: int) -> Iterator[Node]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
        for name, item in value.items():
            if isinstance(item, (dict, list)) and name not in ("comment", "review", "isRelatedTo"):
                yield from _walk(item, depth + 1)
    elif isinstance(value, list):
        for item in value[:500]:
            yield from _walk(item, depth + 1)
