"""Whether a text can be the text of an article: of this page, and compared with what its outlet usually gives. Pure.

When an outlet changes its layout, extraction may find something else: the menu, a notice that stands on every page, the
first lines. Such a text is not loaded. A page alone shows whether it is a text at all; the outlet's other pages show
whether it is the article's.
"""

from __future__ import annotations

import re
import statistics
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from pressmark.extraction.fields import Extraction
from pressmark.text import SENTENCE_END, comparable, fold_name, plural

MIN_WORDS = 8
_LABEL_WORDS = 25  # a text with fewer and without a sentence consists of labels
_MENU_WORDS = 200
_PARTLY_LINKED, _LINKED, _MOSTLY_LINKED = 0.3, 0.6, 0.8
_MIN_ARTICLES = 5
_FRACTION = 0.2  # of the words of the outlet's shortest tenth
_SHORT = 0.5  # of them, if most lines stand elsewhere too
_SEEN, _PARTLY_SEEN = 0.7, 0.3
_ABOUT_TITLES = 0.1
_OTHERS = 2  # articles; one may be a copy under another headline
_MIN_LINE = 12  # characters of a line by which texts are compared
LAST_ARTICLES = 60
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff]")
# Thai, Lao, Khmer and Burmese don't end sentences with a mark.
_UNMARKED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text compared with the outlet's latest articles.

    articles: how many. shortest: words of their shortest tenth; typical: their median. seen: share of the text's
    letters in lines that stand in at least two other articles with other headlines. text_hash: of the text, in
    hexadecimal.
    """

    articles: int
    shortest: int
    typical: int
    seen: float
    text_hash: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what the WARC keeps, so that the decision can be repeated from there."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any], extraction: Extraction) -> Comparison:
        """Return a comparison that the WARC keeps, for what is extracted from the page now."""
        comparison = cls(**fields)
        # Another text has not been compared line by line.
        return comparison if comparison.text_hash == _hash(extraction) else replace(comparison, seen=0.0)


class OutletTexts:
    """The latest texts of an outlet, those of the running crawl included. Lines are compared only for short texts."""

    def __init__(self, articles: Iterable[tuple[UUID, str | None, str, int]]) -> None:
        """articles: (article_uid, headline, text, words) of the latest articles, newest first."""
        self._latest: OrderedDict[UUID, tuple[str | None, str, int]] = OrderedDict()
        self._lines: dict[str, dict[UUID, str]] | None = None  # line: article and its headline
        for article_uid, headline, text, words in reversed(list(articles)):
            self._add(article_uid, headline, text, words)

    def add(self, article_uid: UUID, extraction: Extraction) -> None:
        """Add the text of a page that is kept."""
        self._add(article_uid, extraction.headline, extraction.article_body, extraction.word_count)

    def _add(self, article_uid: UUID, headline: str | None, text: str, words: int) -> None:
        self._latest[article_uid] = (headline, text, words)
        if len(self._latest) > LAST_ARTICLES:
            self._latest.popitem(last=False)
        self._lines = None

    def compare(self, article_uid: UUID, extraction: Extraction) -> Comparison:
        """Compare the text of a page with them. `seen` is 0 for a text that is long enough."""
        words = sorted(count for _, _, count in self._latest.values())
        shortest = words[len(words) // 10] if words else 0
        typical = round(statistics.median(words)) if words else 0
        seen = self._seen(article_uid, extraction) if extraction.word_count < _SHORT * shortest else 0.0
        return Comparison(len(words), shortest, typical, round(seen, 3), _hash(extraction))

    def _seen(self, article_uid: UUID, extraction: Extraction) -> float:
        own = fold_name(extraction.headline or "")
        lines = _lines(extraction.article_body)
        seen = sum(len(line) for line in lines if self._others(line, article_uid, own) >= _OTHERS)
        return seen / size if (size := sum(map(len, lines))) else 0.0

    def _index(self) -> dict[str, dict[UUID, str]]:
        if self._lines is None:
            self._lines = {}
            for uid, (headline, text, _) in self._latest.items():
                for line in _lines(text):
                    self._lines.setdefault(line, {})[uid] = fold_name(headline or "")
        return self._lines

    def _others(self, line: str, article_uid: UUID, headline: str) -> int:
        """Return in how many other articles with other headlines a line stands."""
        return sum(1 for uid, other in self._index().get(line, {}).items() if uid != article_uid and other != headline)


def implausible_text(extraction: Extraction) -> str | None:
    """Return why the text of a page can't be that of an article, or None if it can."""
    words = extraction.word_count
    linked = extraction.confidence_basis.get("linked", 0.0)
    if linked >= _MOSTLY_LINKED or (linked >= _LINKED and words < _MENU_WORDS):
        return f"{linked:.0%} of the text is links; {plural(words, 'word')} of text"
    # Results, a poem and a table of prices have no sentence either, but they are about what the titles say.
    is_label = linked >= _PARTLY_LINKED or not _is_about_titles(extraction)
    if words < _LABEL_WORDS and is_label and not has_sentence(extraction.article_body):
        return f"the text has no sentence; {plural(words, 'word')} of text"
    return None


def implausible_for_outlet(extraction: Extraction, comparison: Comparison) -> str | None:
    """Return why the text can't be the article's, compared with the outlet's other texts, or None if it can."""
    words = extraction.word_count
    if comparison.articles < _MIN_ARTICLES:
        return None
    usual = f"the outlet's articles usually have {comparison.shortest:,} to {comparison.typical:,} words"
    if comparison.seen >= _SEEN and words < _SHORT * comparison.shortest:
        share = f"{comparison.seen:.0%} of the text stands on other pages"
        return f"{plural(words, 'word')} of text; {share}, and {usual}"
    if words >= _FRACTION * comparison.shortest:
        return None
    # A short report is about what its headline says, and no other page has its lines.
    if comparison.seen > _PARTLY_SEEN or not _is_about_titles(extraction) or not has_sentence(extraction.article_body):
        return f"{plural(words, 'word')} of text; {usual}"
    return None


def _is_about_titles(extraction: Extraction) -> bool:
    """Return whether the text has a word of the page's titles. Scripts without spaces show nothing."""
    if _UNSPACED.search(extraction.headline or ""):
        return True
    return extraction.confidence_basis.get("titles", 1.0) >= _ABOUT_TITLES


def has_sentence(text: str) -> bool:
    """Return whether a line of a text is a sentence."""
    return _sentences(text) > 0


def _sentences(text: str) -> int:
    return sum(1 for line in text.splitlines() if SENTENCE_END.search(line[-12:]) or _UNMARKED.search(line))


def _lines(text: str) -> list[str]:
    return [line for part in text.splitlines() if len(line := comparable(part)) >= _MIN_LINE]


def _hash(extraction: Extraction) -> str:
    return extraction.text_hash.hex() if extraction.text_hash else ""
