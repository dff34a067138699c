"""Scores of extracted fields against gold, as the packs' own scorer counts them.

Text: precision and recall of word 4-grams, averaged over pages, and the F1 of the two averages. Title: equal after
white space and case are folded. Date: the same calendar day. Authors: F1 of names. Only pages whose gold has the field
are counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_TOKEN = re.compile(r"\w+")
Shingles = Counter[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    """Return the word 4-grams of a text."""
    tokens = _TOKEN.findall(text)
    if tokens and len(tokens) < 4:
        return Counter([tuple(tokens)])
    return Counter(zip(*(tokens[start:] for start in range(4)), strict=False))


def precision_recall(gold: str, text: str) -> tuple[float, float]:
    """Return precision and recall of the word 4-grams of a text."""
    wanted, found = shingles(gold), shingles(text)
    if not wanted and not found:
        return 1.0, 1.0
    hits = (wanted & found).total()
    return hits / found.total() if found else 0.0, hits / wanted.total() if wanted else 0.0


def f1(precision: float, recall: float) -> float:
    """Return the harmonic mean."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def average_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the F1 of the average precision and the average recall of (gold, text) pairs."""
    scores = [precision_recall(gold, text) for gold, text in pairs]
    precision, recall = (sum(score[n] for score in scores) / len(scores) for n in (0, 1))
    return f1(precision, recall)


def score(rows: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, float]:
    """Return the score of each field from (gold, prediction) rows: text, headline, date and authors, from 0 to 1."""
    texts: list[tuple[str, str]] = []
    headlines: list[bool] = []
    dates: list[bool] = []
    right = wrong = missed = 0
    for gold, found in rows:
        if gold.get("body"):
            texts.append((gold["body"], found.get("text") or ""))
        if gold.get("title"):
            headlines.append(_folded(gold["title"]) == _folded(found.get("title")))
        if gold.get("date"):
            dates.append(str(gold["date"])[:10] == str(found.get("date") or "")[:10])
        if gold.get("authors"):
            wanted = {_folded(name) for name in gold["authors"]}
            named = {_folded(name) for name in found.get("authors") or []}
            right += len(wanted & named)
            wrong += len(named - wanted)
            missed += len(wanted - named)
    scores = {"text": average_f1(texts)}
    if headlines:
        scores["headline"] = sum(headlines) / len(headlines)
    if dates:
        scores["date"] = sum(dates) / len(dates)
    if right + missed:
        scores["authors"] = f1(right / (right + wrong) if right + wrong else 0.0, right / (right + missed))
    return {name: round(value, 4) for name, value in scores.items()}


def _folded(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()
