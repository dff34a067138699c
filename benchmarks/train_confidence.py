"""Train the confidence of main texts on packs of pages with gold texts, and print how reliable it is.

    python benchmarks/train_confidence.py PACK [PACK ...] [--write] [--json]

PACK is a folder with gold.jsonl and html/, as for benchmarks/extraction.py. A text is right if its F1 is above .9. The
table compares the confidence with the share of texts that are right; it is measured on a fifth of the domains with
weights that were trained on the others. --write replaces pressmark/extraction/confidence.json with weights trained on
all pages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from extraction import page_arguments
from regression import fit
from scoring import f1, precision_recall
from train_line_model import FOLDS

from pressmark.extraction.confidence import EVIDENCE, WEIGHTS_FILE, confidence_features
from pressmark.extraction.extract import extract

RIGHT = 0.9
RIDGE = 40.0
BANDS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.01)


def main() -> None:
    """Train, and print the reliability."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", type=Path, nargs="+", metavar="PACK")
    parser.add_argument("--write", action="store_true", help="replace the weights in the package")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    jobs = [(pack, json.loads(line)) for pack in options.packs for line in (pack / "gold.jsonl").open(encoding="utf-8")]
    with ProcessPoolExecutor() as pool:
        rows = [row for row in pool.map(page_evidence, *zip(*jobs, strict=True), chunksize=4) if row]
    folds = np.array([int(hashlib.sha256(row[0].encode()).hexdigest(), 16) % FOLDS for row in rows])
    values = np.array([row[1] for row in rows])
    right = np.array([row[2] > RIGHT for row in rows], dtype=float)
    predicted = np.zeros(len(rows))
    for fold in range(FOLDS):
        weights = np.array(fit(values[folds != fold, 1:], right[folds != fold], RIDGE))
        predicted[folds == fold] = 1 / (1 + np.exp(-np.clip(values[folds == fold] @ weights, -30, 30)))
    report = {
        "pages": len(rows),
        "right": round(float(right.mean()), 3),
        "auc": round(auc(predicted, right), 3),
        "bands": bands(predicted, right),
    }
    if options.json:
        print(json.dumps(report))
    else:
        print(f"{report['pages']} pages, {report['right']:.1%} of the texts are right, AUC {report['auc']}")
        for band in report["bands"]:
            print(
                f"  {band['from']:.2f} to {band['to']:.2f}: {band['pages']:4} pages, "
                f"confidence {band['confidence']:.2f}, right {band['right']:.2f}"
            )
    if options.write:
        named = dict(zip(("bias", *EVIDENCE), fit(values[:, 1:], right, RIDGE), strict=True))
        content = {"trained_on": [pack.name for pack in options.packs], "weights": named}
        WEIGHTS_FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {WEIGHTS_FILE.name}")


def page_evidence(pack: Path, row: dict[str, Any]) -> tuple[str, list[float], float] | None:
    """Return (domain, features, F1) of a page; None if its text comes from a script."""
    document, url, headers, config = page_arguments(pack, row)
    page = extract(document, url, headers, datetime.now(UTC), config)
    if not page.confidence_basis:
        return None
    precision, recall = precision_recall(row["body"], page.article_body)
    return row["domain"], confidence_features(page.confidence_basis), f1(precision, recall)


def auc(predicted: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """Return the probability that a right text has a higher confidence than a wrong one."""
    good, bad = predicted[right == 1], predicted[right == 0]
    wins = (good[:, None] > bad).sum() + 0.5 * (good[:, None] == bad).sum()
    return float(wins / (len(good) * len(bad)))


def bands(predicted: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> list[dict[str, float]]:
    """Return the share of right texts by band of confidence."""
    rows = []
    for low, high in pairwise(BANDS):
        inside = (predicted >= low) & (predicted < high)
        if inside.any():
            rows.append(
                {
                    "from": low,
                    "to": min(high, 1.0),
                    "pages": int(inside.sum()),
                    "confidence": round(float(predicted[inside].mean()), 3),
                    "right": round(float(right[inside].mean()), 3),
                }
            )
    return rows


if __name__ == "__main__":
    main()
