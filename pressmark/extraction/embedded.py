"""The main text of pages that carry it only in a script: JSON-LD's articleBody, or the state of a JavaScript framework.

It is a fallback for pages whose markup gives no text. Embedded texts are often cut or flattened otherwise.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lxml.html import HtmlElement, fromstring

from pressmark.extraction.structured import Node, flat
from pressmark.text import clean_line, clean_text

_STATE = re.compile(r"^\s*(?:window|self|globalThis)?\.?\s*[\w.$\[\]\"']{1,60}\s*=\s*(?=[{\[])")
_TAG = re.compile(r"<[a-zA-Z/][^>]*>")
_BLOCK_END = re.compile(r"</(?:p|div|h[1-6]|li|blockquote|figure|section)\s*>|<br\s*/?>", re.IGNORECASE)
_MAX_PARAGRAPH = 250  # words
_MIN_BLOCK_WORDS = 5
_MIN_WORDS = 40
_MAX_SCRIPT = 5_000_000  # characters
_MAX_DEPTH = 60
_TEXT_KEYS = frozenset(
    "text content body html value paragraph paragraphs p children articlebody story data markup".split()
)
_SENTENCE_END = re.compile(r"[.!?。！？؟।…](?:[\"”’»)]|\s|$)")


def find_embedded_body(tree: HtmlElement, article: Node, beginning: Sequence[str] = ()) -> str:
    """Return the main text that a script of the page holds, one line per paragraph; empty if there is none.

    beginning: lines of the markup. If there are any, the texts of several articles are not joined.
    """
    best = _lines([text for text in flat(article.get("articleBody")) if isinstance(text, str)])
    for value in _states(tree):
        groups: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        _collect(value, (), groups, 0)
        for texts in _articles(groups.values(), one_by_one=bool(beginning)):
            lines = _lines(texts)
            if _words(lines) > _words(best):
                best = lines
    return clean_text("\n".join(best)) if _words(best) >= _MIN_WORDS else ""


def _articles(groups: Iterable[list[str]], *, one_by_one: bool) -> Iterator[list[str]]:
    """Yield the texts of each article: a group of paragraphs, or each text of a group that has several paragraphs."""
    for texts in groups:
        if one_by_one and any(len(_lines([text])) > 1 or len(text.split()) > _MAX_PARAGRAPH for text in texts):
            yield from ([text] for text in texts)
        else:
            yield texts


def _states(tree: HtmlElement) -> Iterator[Any]:
    """Yield the JSON values of scripts that are data, or that begin with an assignment of data."""
    for script in tree.iter("script"):
        text = script.text
        if not text or len(text) > _MAX_SCRIPT:
            continue
        kind = (script.get("type") or "").lower()
        start = 0
        if "json" in kind:
            if "ld+json" in kind:
                continue
        else:
            match = _STATE.match(text)
            if not match:
                continue
            start = match.end()
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(text[start:].lstrip())
        except (ValueError, RecursionError):
            continue
        yield value


def _collect(value: Any, path: tuple[str, ...], groups: dict[tuple[str, ...], list[str]], depth: int) -> None:
    """Collect texts by key path. The paragraphs of one text have the same path."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            _collect(item, (*path, key), groups, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _collect(item, path, groups, depth + 1)
    elif isinstance(value, str) and path and len(value.split()) >= _MIN_BLOCK_WORDS:
        if path[-1].lower() in _TEXT_KEYS or _TAG.search(value):
            groups[path].append(value)


def _lines(texts: list[str]) -> list[str]:
    lines: dict[str, None] = {}  # each line once, in order
    for text in texts:
        parts = _BLOCK_END.split(text) if _TAG.search(text) else text.split("\n")
        for part in parts:
            line = clean_line(_without_markup(part), 20_000)
            if line:
                lines[line] = None
    # A text consists of sentences. Styles, queries and lists of keywords don't.
    return list(lines) if any(_SENTENCE_END.search(line) for line in lines) else []


def _without_markup(text: str) -> str:
    if not _TAG.search(text) or not text.strip():
        return text
    try:
        return str(fromstring(f"<div>{text}</div>").text_content())
    except (ValueError, SyntaxError):
        return _TAG.sub(" ", text)


def _words(lines: list[str]) -> int:
    return sum(len(line.split()) for line in lines)
