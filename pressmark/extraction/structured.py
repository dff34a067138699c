"""schema.org data in the JSON-LD of a page, and which of its objects describes the page's own article.

Blocks are repaired if possible: comments, CDATA marks, trailing commas, HTML entities, several objects.
Vocabulary: https://schema.org/Article
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml.html import HtmlElement

from pressmark.text import clean_line, fold_name
from pressmark.urls import absolute, is_homepage, url_key

Node = dict[str, Any]

_ARTICLE_TYPES = frozenset(
    "article newsarticle reportagenewsarticle analysisnewsarticle opinionnewsarticle backgroundnewsarticle "
    "askpublicnewsarticle reviewnewsarticle blogposting liveblogposting report scholarlyarticle "
    "socialmediaposting techarticle satiricalarticle advertisercontentarticle".split()
)
# Properties whose values are other articles, or parts of this one.
_OTHER_PROPERTIES = frozenset(
    "liveblogupdate itemlistelement haspart comment review isrelatedto relatedlink ispartof mentions citation "
    "associatedarticle suggestedanswer isbasedon subjectof workexample video".split()
)
_WANTED = ("headline", "datePublished", "author", "articleBody", "description", "articleSection")
_MARKS = re.compile(
    r"<!--|-->|(?://|/\*)?[ \t]{0,20}<!\[CDATA\[\s{0,20}(?:\*/)?|(?://|/\*)?[ \t]{0,20}\]\](?:>|&gt;)\s{0,20}(?:\*/)?"
)
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|/\*.*?(?:\*/|\Z)|//[^\n]*', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|,(?=\s*[}\]])', re.DOTALL)
_SHARED_WORDS = 0.3  # of a headline and a title of the same article
_SAME_HEADLINE = 25  # characters that a cut headline must share
MAX_DEPTH = 12
_MAX_OBJECTS = 20  # of one block, one after the other


@dataclass(frozen=True, slots=True)
class StructuredData:
    """All JSON-LD objects of a page. inner: those within another article, a list, or a live blog."""

    outer: list[Node] = field(default_factory=list)
    inner: list[Node] = field(default_factory=list)
    by_id: dict[str, Node] = field(default_factory=dict)

    @property
    def nodes(self) -> list[Node]:
        """Every object, outer ones first."""
        return self.outer + self.inner

    def resolved(self, value: Any) -> Any:
        """Return the object that a reference (`{"@id": ...}`) names, or the value itself."""
        if isinstance(value, dict) and isinstance(value.get("@id"), str) and not value.keys() - {"@id", "@type"}:
            return self.by_id.get(value["@id"], value)
        return value

    def values(self, value: Any) -> list[Any]:
        """Return a property's values: lists are flattened and references resolved."""
        return [self.resolved(item) for item in flat(value)]


def read_structured(tree: HtmlElement) -> StructuredData:
    """Read every JSON-LD block of a page."""
    data = StructuredData()
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text:
            for value in _load(script.text):
                _collect(value, data, 0, inner=False)
    return data


def article_node(data: StructuredData, url: str, titles: tuple[str, ...] = ()) -> Node:
    """Return the object that describes the page's article. It is empty if there is none.

    It is the one whose url, mainEntityOfPage or @id is this page, then the one whose headline is a title of the page.
    One that names another page and has another headline is not. Parts of a list or of a live blog count only if one of
    these holds and no outer object is an article.

    url: the page's URL. titles: the texts of h1, og:title and <title>.
    """
    outer = [node for node in data.outer if _ARTICLE_TYPES.intersection(types(node))]
    if titles:
        outer = [node for node in outer if not _is_other_page(node, data, url) or _is_like_title(node, titles)]
    if outer:
        return max(outer, key=lambda node: _fit(node, data, url, titles))
    inner = [node for node in data.inner if _ARTICLE_TYPES.intersection(types(node))]
    matching = [node for node in inner if _is_this_page(node, data, url) or _has_title(node, titles)]
    return max(matching, key=lambda node: _fit(node, data, url, titles), default={})


def types(node: Node) -> set[str]:
    """Return the types of a node in lower case, without namespace."""
    return {str(kind).rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower() for kind in flat(node.get("@type"))}


def flat(value: Any) -> list[Any]:
    """Return the items of nested lists in one list, None as an empty list, and any other value as its only item."""
    if value is None:
        return []
    if isinstance(value, list):
        return [item for part in value[:500] for item in flat(part)]
    if isinstance(value, dict) and isinstance(value.get("@list"), list):
        return flat(value["@list"])
    return [value]


def node_text(value: Any, limit: int = 2000) -> str | None:
    """Return the first string of a text property, with HTML entities resolved."""
    for item in flat(value):
        if isinstance(item, dict):
            item = item.get("@value") or item.get("name") or item.get("url")
            if isinstance(item, list):
                item = next((part for part in flat(item) if isinstance(part, str)), None)
        if isinstance(item, (str, int, float)) and not isinstance(item, bool):
            text = clean_line(str(item), limit)
            if text:
                return text
    return None


def _fit(node: Node, data: StructuredData, url: str, titles: tuple[str, ...]) -> tuple[bool, bool, bool, int]:
    score = sum(1 for name in _WANTED if node.get(name))
    other_page = _is_other_page(node, data, url)
    return _is_this_page(node, data, url), _has_title(node, titles), not other_page, score


def _is_other_page(node: Node, data: StructuredData, url: str) -> bool:
    """Return whether a node names a page that is neither this one nor a homepage."""
    named = [text for text in _urls(node, data) if (full := absolute(text, url)) and not is_homepage(full)]
    return bool(named) and not _is_this_page(node, data, url)


def _urls(node: Node, data: StructuredData) -> list[str]:
    values = [*data.values(node.get("url")), *flat(node.get("mainEntityOfPage")), node.get("@id")]
    texts = [value.get("@id") or value.get("url") if isinstance(value, dict) else value for value in values]
    return [text for text in texts if isinstance(text, str) and text.startswith(("http", "/"))]


def _is_this_page(node: Node, data: StructuredData, url: str) -> bool:
    own = url_key(url)
    for text in _urls(node, data):
        named = absolute(text, url)
        if named and url_key(named) == own:
            return True
    return False


def _has_title(node: Node, titles: tuple[str, ...]) -> bool:
    headline = fold_name(node_text(node.get("headline")) or node_text(node.get("name")) or "")
    if not headline:
        return False
    return any(
        headline == title
        or (len(headline) >= _SAME_HEADLINE and (title.startswith(headline) or headline.startswith(title)))
        for title in (fold_name(text) for text in titles)
        if len(title) >= min(_SAME_HEADLINE, len(headline))
    )


def _is_like_title(node: Node, titles: tuple[str, ...]) -> bool:
    """Return whether a headline shares words with a title of the page. Headlines for search engines are reworded."""
    words = _long_words(node_text(node.get("headline")) or node_text(node.get("name")) or "")
    shared = max((len(words & _long_words(title)) for title in titles), default=0)
    return not words or shared >= max(2, len(words) * _SHARED_WORDS)


def _long_words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3 or not word.isascii()}


def _collect(value: Any, data: StructuredData, depth: int, *, inner: bool) -> None:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        if value.keys() - {"@id"}:
            (data.inner if inner else data.outer).append(value)
        name = value.get("@id")
        if isinstance(name, str) and len(value) > len(data.by_id.get(name, {})):
            data.by_id[name] = value
        is_article = bool(_ARTICLE_TYPES.intersection(types(value)))
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                other = key.lower() in _OTHER_PROPERTIES or (is_article and key != "mainEntity")
                _collect(item, data, depth + 1, inner=inner or other)
    elif isinstance(value, list):
        for item in value[:500]:
            _collect(item, data, depth + 1, inner=inner)


def _load(text: str) -> list[Any]:
    """Return the values of a block: of its first repair that can be decoded to the end, or else of the best one."""
    best: list[Any] = []
    for candidate in _repaired(text):
        values, complete = _decoded(candidate)
        if complete and values:
            return values
        best = max(best, values, key=len)
    return best


def _repaired(text: str) -> Iterator[str]:
    yield text
    unmarked = _MARKS.sub("", text).strip().strip(";")
    for candidate in (unmarked, html.unescape(unmarked)):
        yield candidate
        bare = _STRING_OR_COMMENT.sub(lambda match: match[0] if match[0].startswith('"') else "", candidate)
        yield _TRAILING_COMMA.sub(lambda match: match[1] or "", bare)


def _decoded(text: str) -> tuple[list[Any], bool]:
    """Return the values that stand in the text one after the other, and whether nothing else is in it."""
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    position = 0
    while position < len(text) and len(values) < _MAX_OBJECTS:
        while position < len(text) and text[position] in " \t\r\n,;\ufeff":
            position += 1
        if position == len(text):
            break
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return values, False
        values.append(value)
    return values, True
