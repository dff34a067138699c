"""How far the main text of an article can be trusted: the probability that its F1 would be above .9.

It is a logistic regression on evidence that the page itself gives: how far a second extractor agrees, how sure the line
model is, how much it removed, whether the text is links, one column, and about what the titles say. The weights are
trained on the public benchmark packs by `benchmarks/train_confidence.py`, which also prints how reliable they are.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from operator import mul
from pathlib import Path

from pressmark.extraction.blocks import Block, KeyText, line_key
from pressmark.extraction.body_lines import Line

WEIGHTS_FILE = Path(__file__).parent / "confidence.json"
EVIDENCE = ("agreement", "line_certainty", "kept", "linked", "titles", "one_path")
"""Names of the evidence. All are shares from 0 to 1."""


def text_evidence(
    lines: Sequence[Line], blocks: Sequence[Block], *, candidate_size: int, other: KeyText, titles: Sequence[str]
) -> dict[str, float]:
    """Return the values of EVIDENCE for a text.

    agreement: with the second extractor. line_certainty: probability of its lines. kept: of the lines before some were
    removed. linked: of its letters. titles: words of the titles that it contains. one_path: of its letters, in elements
    of the same kind.

    lines: the text. candidate_size: letters of the lines before some were removed. other: the second extractor's text.
    titles: what the page says it is about.
    """
    key = "".join(line.key for line in lines)
    size = len(key)
    if not size:
        return dict.fromkeys(EVIDENCE, 0.0)
    paths: Counter[str] = Counter()
    linked = 0.0
    for position in {line.block for line in lines if line.block is not None}:
        block = blocks[position]
        paths[block.path] += len(block.key)
        linked += block.linked * len(block.key)
    body = paths.total() or 1
    wanted = {word for title in titles for word in title.casefold().split() if len(word) > 3}
    evidence = {
        "agreement": overlap(lines, other),
        "line_certainty": sum(line.probability * len(line.key) for line in lines) / size,
        "kept": min(1.0, size / max(1, candidate_size)),
        "linked": min(1.0, linked / body),
        "titles": sum(line_key(word) in key for word in wanted) / len(wanted) if wanted else 0.5,
        "one_path": max(paths.values(), default=0) / body,
    }
    return {name: round(value, 3) for name, value in evidence.items()}


def overlap(lines: Sequence[Line], other: KeyText) -> float:
    """Return how far a text and another agree, 0 to 1: F1 of the letters of lines that the other one contains too."""
    size = sum(len(line.key) for line in lines)
    if not len(other) or not size:
        return 0.0
    shared = sum(len(line.key) for line in lines if line.key in other)
    return 2 * shared / (size + max(shared, len(other)))


def confidence(evidence: dict[str, float]) -> float:
    """Return the probability that the text is right, 0 to 1, from the result of `text_evidence`."""
    weights = _weights()
    score = sum(map(mul, weights, confidence_features(evidence)))
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, score)))), 3)


def confidence_features(evidence: dict[str, float]) -> list[float]:
    """Return the features of the regression: a constant and the evidence."""
    return [1.0, *(evidence[name] for name in EVIDENCE)]


@cache
def _weights() -> tuple[float, ...]:
    weights: dict[str, float] = json.loads(WEIGHTS_FILE.read_text(encoding="utf-8"))["weights"]
    return tuple(weights[name] for name in ("bias", *EVIDENCE))
