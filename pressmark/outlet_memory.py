"""The outlet's memory: lines that an outlet repeats above or below its texts. Pure.

A notice in plain markup looks like a paragraph. What gives it away is that it stands on other pages of the outlet too.
Only whole lines count, only those at the borders of a text, and only if the articles have different headlines, so that
two URLs of one article teach nothing. Numbers are ignored, because a notice may contain a date or a price.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pressmark.text import comparable, fold_name

MAX_LINES = 200
"""Lines kept per outlet."""
FORGET_AFTER_DAYS = 90
MIN_ARTICLES = 5
_MIN_SHARE = 0.15  # of the latest articles, so that a phrase that reporters like is not learned
HEAD_LINES, TAIL_LINES = 3, 5
_MIN_LENGTH = 6
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class RepeatedLine:
    """A line that the outlet repeats. key: see `memory_key`. articles: how many have it."""

    key: str
    line: str
    articles: int


def memory_key(line: str) -> str:
    """Return the form in which lines are compared: NFKC, lower case, digits as 0."""
    return _DIGITS.sub("0", comparable(line).casefold())


def learn(articles: Iterable[tuple[str | None, str]]) -> list[RepeatedLine]:
    """Return the lines that (headline, text) pairs of an outlet's latest articles repeat, most frequent first."""
    headlines: defaultdict[str, set[str]] = defaultdict(set)
    written: dict[str, str] = {}
    count = 0
    for headline, text in articles:
        count += 1
        lines = text.splitlines()
        for line in (*lines[:HEAD_LINES], *lines[max(HEAD_LINES, len(lines) - TAIL_LINES) :]):
            key = memory_key(line)
            if len(key) >= _MIN_LENGTH:
                headlines[key].add(fold_name(headline or ""))
                written.setdefault(key, line)
    wanted = max(MIN_ARTICLES, _MIN_SHARE * count)
    repeated = [RepeatedLine(key, written[key], len(found)) for key, found in headlines.items() if len(found) >= wanted]
    return sorted(repeated, key=lambda line: (-line.articles, line.key))[:MAX_LINES]


def repeated_at_borders(lines: Sequence[str], memory: frozenset[str]) -> set[int]:
    """Return the positions of the lines that the outlet repeats, within the borders of a text."""
    found: set[int] = set()
    for positions, border in ((range(len(lines)), HEAD_LINES), (range(len(lines) - 1, -1, -1), TAIL_LINES)):
        others = 0
        for position in positions:
            if memory_key(lines[position]) in memory:
                found.add(position)
            else:
                others += 1
                if others == border:
                    break
    return found
