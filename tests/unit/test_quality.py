"""The quality of extraction does not fall below the committed figures. `make quality` measures all pages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.conftest import shared_folder

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_sample_of_the_packs_reaches_the_committed_figures() -> None:
    packs = shared_folder("bench")
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import quality
    finally:
        sys.path.remove(str(BENCHMARKS))
    committed = json.loads(quality.FIGURES.read_text(encoding="utf-8"))["sample"]
    figures = quality.measure(packs, quality.SAMPLE)
    assert set(figures) == set(committed)
    assert quality.below(figures, committed) == []
    worse = {pack: {**fields, "text": fields["text"] + 0.01} for pack, fields in figures.items()}
    assert len(quality.below(figures, worse)) == len(worse)
