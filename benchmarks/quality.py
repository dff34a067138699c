"""Compare the quality of extraction with the committed figures.

    python benchmarks/quality.py [--packs DIR] [--sample] [--write] [--json]

The packs of ../shared/bench are extracted as a crawl does it, and scored by pack and field. A figure that is more than
.003 below the one in benchmarks/quality.json fails, with exit code 1. --sample takes every sixth page, as `make test`
does; its figures are committed too. --write commits the figures of this run instead. DIR is a folder with packs, either
unpacked or as .tar.xz.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from extraction import predict
from scoring import score

ROOT = Path(__file__).resolve().parents[1]
PACKS = ROOT.parent / "shared" / "bench"
FIGURES = Path(__file__).parent / "quality.json"
TOLERANCE = 0.003
SAMPLE = 6  # every sixth page

Figures = dict[str, dict[str, float]]


def main() -> None:
    """Measure, compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=Path, default=PACKS, help="folder with the packs (default: ../shared/bench)")
    parser.add_argument("--sample", action="store_true", help="every sixth page only")
    parser.add_argument("--write", action="store_true", help="commit the figures of this run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if not options.packs.exists():
        print(f"{options.packs} is missing: the packs are not part of the project. Nothing was measured.")
        return
    figures = measure(options.packs, SAMPLE if options.sample else 1)
    kind = "sample" if options.sample else "all"
    committed = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    if options.write:
        committed[kind] = figures
        FIGURES.write_text(json.dumps(committed, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    failures = below(figures, committed.get(kind, {}))
    if options.json:
        print(json.dumps({"figures": figures, "below": failures}))
    else:
        for pack, fields in figures.items():
            print(f"{pack:12} " + "  ".join(f"{name} {value:.4f}" for name, value in fields.items()))
        for failure in failures:
            print(failure)
    sys.exit(1 if failures else 0)


def measure(packs: Path, step: int = 1) -> Figures:
    """Return the scores by pack and field of every `step`-th page."""
    with tempfile.TemporaryDirectory() as folder:
        figures = {}
        for pack in unpacked(packs, Path(folder)):
            rows = [json.loads(line) for line in (pack / "gold.jsonl").open(encoding="utf-8")][::step]
            with ProcessPoolExecutor() as pool:
                predictions = list(pool.map(predict, [pack] * len(rows), rows, chunksize=4))
            figures[pack.name] = score(zip(rows, predictions, strict=True))
        return figures


def unpacked(packs: Path, folder: Path) -> list[Path]:
    """Return the folders of the packs. Archives are unpacked into `folder`."""
    found = {path.parent.name: path.parent for path in sorted(packs.glob("*/gold.jsonl"))}
    for archive in sorted(packs.glob("*.tar.xz")):
        name = archive.name.removesuffix(".tar.xz")
        if name not in found:
            shutil.unpack_archive(archive, folder, filter="data")
            found[name] = next(path.parent for path in folder.rglob("gold.jsonl") if path.parent.name == name)
    return [found[name] for name in sorted(found)]


def below(figures: Figures, committed: dict[str, Any]) -> list[str]:
    """Return a line for each figure that is more than the tolerance below the committed one."""
    return [
        f"{pack} {name}: {value:.4f}, committed {committed[pack][name]:.4f}"
        for pack, fields in figures.items()
        for name, value in fields.items()
        if value < committed.get(pack, {}).get(name, 0.0) - TOLERANCE
    ]


if __name__ == "__main__":
    main()
