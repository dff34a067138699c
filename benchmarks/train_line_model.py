"""Train the line model of the main text on packs of pages with gold texts.

    python benchmarks/train_line_model.py PACK [PACK ...] [--validate] [--write]

PACK is a folder with gold.jsonl and html/, as for benchmarks/extraction.py. A line of a page is good if the gold text
contains it. Lines are weighted by their share of the page's words. Pages whose gold text shares less than half with the
extracted one are left out, because most of them have a faulty gold text. --validate trains on four fifths of the
domains, measures on the last fifth, and prints the F1 of each pack without and with the model. --write replaces
pressmark/extraction/line_model.json with the weights trained on all pages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from extraction import page_arguments
from regression import fit
from scoring import average_f1, precision_recall, shingles

from pressmark.extraction import body, extract
from pressmark.extraction.blocks import line_key
from pressmark.extraction.line_model import (
    FEATURES,
    WEIGHTS_FILE,
    LineContext,
    is_body_text,
    line_features,
    protected_lines,
)

FOLDS = 5
RIDGE = 20.0


@dataclass
class PageLines:
    """The lines of one page before the model. label: 1 good, 0 bad, -1 undecided. weight: share of the page's words."""

    pack: str
    domain: str
    gold: str
    texts: list[str] = field(default_factory=list)
    features: list[tuple[float, ...]] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    @property
    def is_usable(self) -> bool:
        """Whether gold and extracted text are about the same."""
        precision, recall = precision_recall(self.gold, "\n".join(self.texts))
        return precision > 0.5 and recall > 0.3


def main() -> None:
    """Train, and print or write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", type=Path, nargs="+", metavar="PACK")
    parser.add_argument("--validate", action="store_true", help="measure on domains that were not trained on")
    parser.add_argument("--write", action="store_true", help="replace the weights in the package")
    options = parser.parse_args()
    jobs = [(pack, json.loads(line)) for pack in options.packs for line in (pack / "gold.jsonl").open(encoding="utf-8")]
    with ProcessPoolExecutor() as pool:
        pages = list(pool.map(page_lines, *zip(*jobs, strict=True), chunksize=4))
    if options.validate:
        validate(pages)
    weights = train(pages)
    if options.write:
        content = {"trained_on": [pack.name for pack in options.packs], "weights": weights}
        WEIGHTS_FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {len(weights)} weights to {WEIGHTS_FILE.name}")
    elif not options.validate:
        for name, weight in sorted(weights.items(), key=lambda item: item[1]):
            print(f"{weight:8.3f}  {name}")


def page_lines(pack: Path, row: dict[str, Any]) -> PageLines:
    """Extract a page up to the point where the line model decides."""
    result = PageLines(pack.name, row["domain"], row["body"])
    document, url, headers, config = page_arguments(pack, row)

    def record(lines: list[Any], context: LineContext) -> list[Any]:
        result.texts = [line.text for line in lines]
        result.features = line_features(lines, context)
        result.protected = protected_lines(lines, context)
        return lines

    with patch.object(body, "without_boilerplate", record):
        extract.extract(document, url, headers, datetime.now(UTC), config)
    gold, gold_key = shingles(row["body"]), line_key(row["body"])
    sizes = []
    for text in result.texts:
        grams = shingles(text)
        share = (grams & gold).total() / grams.total() if grams else 0.0
        good = line_key(text) in gold_key or share >= 0.6
        result.labels.append(1 if good else 0 if share < 0.4 else -1)
        sizes.append(max(1, grams.total()))
    result.weights = [float(np.clip(size / sum(sizes), 0.004, 0.1)) for size in sizes]
    return result


def train(pages: Sequence[PageLines]) -> dict[str, float]:
    """Return the weights of a logistic regression with an L2 penalty on standardised features."""
    usable = [page for page in pages if page.is_usable]
    rows = [
        (features[1:], label, weight)
        for page in usable
        for features, label, weight in zip(page.features, page.labels, page.weights, strict=True)
        if label >= 0
    ]
    values = np.array([row[0] for row in rows], dtype=float)
    labels = np.array([row[1] for row in rows], dtype=float)
    importance = np.array([row[2] for row in rows])
    importance *= len(rows) / importance.sum()
    return dict(zip(FEATURES, fit(values, labels, RIDGE, importance), strict=True))


def validate(pages: Sequence[PageLines]) -> None:
    """Print the F1 of each pack, with weights that were trained without the domain of the page."""
    kept: dict[int, str] = {}
    for fold in range(FOLDS):
        weights = list(train([page for page in pages if _fold(page) != fold]).values())
        for number, page in enumerate(pages):
            if _fold(page) == fold:
                kept[number] = "\n".join(
                    text
                    for text, features, protected in zip(page.texts, page.features, page.protected, strict=True)
                    if protected or is_body_text(features, weights)
                )
    for pack in dict.fromkeys(page.pack for page in pages):
        chosen = [(page.gold, "\n".join(page.texts), kept[n]) for n, page in enumerate(pages) if page.pack == pack]
        before, after = (average_f1([(row[0], row[column]) for row in chosen]) for column in (1, 2))
        print(f"{pack}: {before:.4f} without, {after:.4f} with the model")


def _fold(page: PageLines) -> int:
    return int(hashlib.sha256(page.domain.encode()).hexdigest(), 16) % FOLDS


if __name__ == "__main__":
    main()
