"""The outlet's memory: lines that an outlet repeats above or below its texts. Pure.

A notice in plain markup looks like a paragraph. What gives it away is that it stands on other pages of the outlet too.
Only whole lines count, only those at the borders of a text, and only if the articles have different headlines, so that
two URLs of one article teach nothing. A notice may contain a date or a price, so numbers are ignored once it is known.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import xxhash

from pressmark.text import comparable, fold_name

MAX_LINES = 200
"""Lines kept per outlet."""
FORGET_AFTER_DAYS = 90
MIN_ARTICLES = 5
_MIN_SHARE = 0.15  # of the latest articles, so that a phrase that reporters like is not learned
HEAD_LINES, TAIL_LINES = 3, 5
_MIN_LENGTH, _MAX_LENGTH = 6, 600  # characters
_MIN_EQUAL = 3  # articles in which a line is equal to the digit
_MAX_REMOVED = 0.5  # of the letters of a text
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class RepeatedLine:
    """A line that the outlet repeats. key: see `memory_key`. articles: how many have it."""

    key: str
    line: str
    articles: int


def memory_key(line: str) -> str:
    """Return a hash of the form in which lines are compared: NFKC, lower case, digits as 0.

    Settings of extractors and WARC files keep these hashes for good. They say nothing about the text.
    """
    return xxhash.xxh3_64_hexdigest(_DIGITS.sub("0", comparable(line).casefold()).encode())


def learn(articles: Iterable[tuple[str | None, str]]) -> list[RepeatedLine]:
    """Return the lines that (headline, text) pairs of an outlet's latest articles repeat, most frequent first.

    Some of them must be equal to the digit: the results of a lottery differ in nothing but numbers either.
    """
    headlines: defaultdict[str, set[str]] = defaultdict(set)
    written: defaultdict[str, Counter[str]] = defaultdict(Counter)
    count = 0
    for headline, text in articles:
        count += 1
        lines = text.splitlines()
        for line in (*lines[:HEAD_LINES], *lines[max(HEAD_LINES, len(lines) - TAIL_LINES) :]):
            if _MIN_LENGTH <= len(line) <= _MAX_LENGTH:
                key = memory_key(line)
                headlines[key].add(fold_name(headline or ""))
                written[key][comparable(line)] += 1
    wanted = max(MIN_ARTICLES, _MIN_SHARE * count)
    repeated = [
        RepeatedLine(key, line, len(found))
        for key, found in headlines.items()
        for line, equal in written[key].most_common(1)
        if len(found) >= wanted and equal >= _MIN_EQUAL
    ]
    return sorted(repeated, key=lambda line: (-line.articles, line.key))[:MAX_LINES]


def repeated_at_borders(lines: Sequence[str], memory: frozenset[str]) -> set[int]:
    """Return the positions of the lines that the outlet repeats, within the borders of a text.

    Returns none if they make up most of the text, for example in a report of results.
    """
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
    size = sum(map(len, lines))
    return found if sum(len(lines[position]) for position in found) <= _MAX_REMOVED * size else set()
