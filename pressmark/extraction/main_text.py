"""Finds the main text of a page: Trafilatura's fast mode, and its full mode if the fast text looks wrong.

The two modes differ on 4 % of pages, and the fast one is right on half of those. Where it is wrong, its text is short
on a page with much more text. Where the full one is wrong, it has picked another text, such as a list of cookies. So
the two are compared with a second extractor (resiliparse) and with the page's own titles.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from trafilatura import bare_extraction
from trafilatura.settings import Extractor

from pressmark.extraction.trafilatura_tuning import keep_joiners, optimize_trafilatura

optimize_trafilatura()
keep_joiners()

logger = logging.getLogger(__name__)
_SHORT = 1700  # characters of a fast text that may be a part only
_NEARLY_EMPTY = 250  # characters
_MUCH_MORE = 1.5  # times as long is the second extractor's text if something is missing
_ON_TOPIC = 0.5  # of the share of title words in the other text
_SHINGLE = 4
_WORD = re.compile(r"\w+")
_LONG_WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True)
class MainText:
    """The main text of a page as Trafilatura gives it. mode: fast or full. other: the second extractor's text."""

    text: str
    mode: str
    other: str


def find_main_text(tree: HtmlElement, document: str, titles: Sequence[str]) -> MainText:
    """Return the main text. It is empty if there is none.

    tree: the page, which isn't changed. document: its HTML. titles: what the page says it is about, such as its
    headline and description.
    """
    other = second_opinion(document)
    fast = trafilatura_text(tree, fast=True)
    if len(fast) >= _SHORT or (len(fast) >= _NEARLY_EMPTY and len(other) < _MUCH_MORE * len(fast)):
        return MainText(fast, "fast", other)
    full = trafilatura_text(tree, fast=False)
    return MainText(full, "full", other) if _is_better(full, fast, other, titles) else MainText(fast, "fast", other)


def second_opinion(document: str) -> str:
    """Return the main text as resiliparse finds it. Empty if it fails on the page."""
    try:
        text: str = extract_plain_text(
            HTMLTree.parse(document), main_content=True, alt_texts=False, form_fields=False, comments=False
        )
    except Exception as error:
        logger.debug("no second opinion: %s", error)
        return ""
    return text


def agreement(text: str, other: str) -> float:
    """Return the F1 of the word 4-grams of two texts."""
    grams, other_grams = _shingles(text), _shingles(other)
    if not grams or not other_grams:
        return 0.0
    shared = sum((grams & other_grams).values())
    return 2 * shared / (grams.total() + other_grams.total())


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    return Counter(zip(*(words[start:] for start in range(_SHINGLE)), strict=False))


def _is_better(full: str, fast: str, other: str, titles: Sequence[str]) -> bool:
    if full == fast or not full:
        return False
    words = set(_LONG_WORD.findall(" ".join(titles).casefold()))
    if len(fast) < _NEARLY_EMPTY:
        return len(full) > len(fast)
    if _share(words, full) < _ON_TOPIC * _share(words, fast):
        return False
    return agreement(full, other) > agreement(fast, other)


def _share(words: set[str], text: str) -> float:
    return len(words.intersection(_LONG_WORD.findall(text.casefold()))) / len(words) if words else 0.0


def trafilatura_text(tree: HtmlElement, *, fast: bool) -> str:
    """Return the text that Trafilatura finds, without comments. Empty if it finds none. The tree is not changed."""
    options = Extractor(output_format="python", comments=False, with_metadata=False, tables=True, fast=fast)
    return getattr(bare_extraction(tree, options=options), "text", None) or ""
