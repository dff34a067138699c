"""Draw the plots of docs/extraction.md from benchmarks that are run now.

    python docs/plots.py

Needs matplotlib (`uv sync --group docs`) and the benchmark packs in ../shared/bench. Writes docs/images/confidence.svg
and docs/images/modes.svg, and prints the table of modes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PACKS = ROOT.parent / "shared" / "bench"
mpl.rcParams.update({"svg.hashsalt": "pressmark", "font.family": "DejaVu Sans", "font.size": 10})


def main() -> None:
    """Run the benchmarks and draw."""
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, str(ROOT / "benchmarks"))
        from quality import unpacked

        packs = [str(pack) for pack in unpacked(PACKS, Path(folder))]
        draw_confidence(_run("train_confidence.py", *packs, "--json"))
    modes = _run("modes.py", "--json")
    draw_modes(modes)
    for row in modes:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


def draw_confidence(report: dict[str, Any]) -> None:
    """Draw the share of right texts against the confidence."""
    figure, axes = plt.subplots(figsize=(5, 3.6))
    axes.plot([0, 1], [0, 1], color="#999", linewidth=1, linestyle="--", label="perfectly calibrated")
    bands = report["bands"]
    axes.scatter(
        [band["confidence"] for band in bands],
        [band["right"] for band in bands],
        s=[20 + 2 * band["pages"] for band in bands],
        color="#2a6f97",
        label="pages (area: how many)",
    )
    axes.set(xlabel="extraction_confidence", ylabel="share of texts with F1 above .9", xlim=(0, 1.02), ylim=(0, 1.05))
    axes.legend(loc="lower right", frameon=False)
    _save(figure, "confidence")


def draw_modes(rows: list[dict[str, Any]]) -> None:
    """Draw the quality of each mode against its speed."""
    figure, axes = plt.subplots(figsize=(6, 3.8))
    packs = [name for name in rows[0] if name not in ("mode", "pages_per_second")]
    for row in rows:
        quality = sum(row[pack] for pack in packs) / len(packs)
        axes.scatter(row["pages_per_second"], quality, color="#2a6f97")
        axes.annotate(row["mode"], (row["pages_per_second"], quality), xytext=(6, -3), textcoords="offset points")
    axes.set(xlabel="pages per second of one core", ylabel="F1 of texts, mean of the packs")
    axes.margins(x=0.4)
    _save(figure, "modes")


def _save(figure: Any, name: str) -> None:
    figure.tight_layout()
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def _run(script: str, *arguments: str) -> Any:
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
