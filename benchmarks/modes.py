"""Compare modes of finding the main text: quality and speed of each, on packs of pages with gold texts.

    python benchmarks/modes.py [--packs DIR] [--json]

Each mode adds a step to the one before. Pages per second are CPU of one core, with parsing, for all fields in the last
row and for the text alone in the others. The default of --packs is ../shared/bench.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from extraction import page_arguments, predict
from quality import PACKS, unpacked
from scoring import average_f1

from pressmark.extraction.blocks import line_key, page_blocks
from pressmark.extraction.body import BodyContext, find_body
from pressmark.extraction.body_lines import body_lines, fill_gaps
from pressmark.extraction.boilerplate import subheadings, without_phrases, without_repetition
from pressmark.extraction.headline import page_titles
from pressmark.extraction.main_text import MainText, find_main_text, trafilatura_text
from pressmark.extraction.page import Page, parse_page
from pressmark.extraction.tree_repair import repair_tree


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=Path, default=PACKS, help="folder with the packs (default: ../shared/bench)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packs = unpacked(options.packs, Path(folder))
        jobs = [(name, pack) for name in MODES for pack in packs]
        with ProcessPoolExecutor() as pool:
            results = dict(zip(jobs, pool.map(measure, *zip(*jobs, strict=True)), strict=True))
        table = [
            {
                "mode": name,
                **{pack.name: results[name, pack][0] for pack in packs},
                "pages_per_second": round(
                    sum(results[name, pack][2] for pack in packs) / sum(results[name, pack][1] for pack in packs), 1
                ),
            }
            for name in MODES
        ]
    if options.json:
        print(json.dumps(table))
        return
    for row in table:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


def measure(mode: str, pack: Path) -> tuple[float, float, int]:
    """Return F1 of the texts, CPU seconds and number of pages."""
    rows = [json.loads(line) for line in (pack / "gold.jsonl").open(encoding="utf-8")]
    pairs = []
    seconds = 0.0
    for row in rows:
        started = time.process_time()
        text = MODES[mode](pack, row)
        seconds += time.process_time() - started
        pairs.append((row["body"], text))
    return round(average_f1(pairs), 4), seconds, len(rows)


def _page(pack: Path, row: dict[str, Any]) -> Page:
    document, _, _, _ = page_arguments(pack, row)
    page = parse_page(document, "text/html; charset=utf-8")
    repair_tree(page.tree, document)
    return page


def _trafilatura(fast: bool) -> Callable[[Path, dict[str, Any]], str]:
    return lambda pack, row: trafilatura_text(_page(pack, row).tree, fast=fast)


def _selected(pack: Path, row: dict[str, Any]) -> str:
    page = _page(pack, row)
    return find_main_text(page.tree, page.text, page_titles(page)).text


def _completed(pack: Path, row: dict[str, Any]) -> str:
    page = _page(pack, row)
    main = find_main_text(page.tree, page.text, page_titles(page))
    return "\n".join(_lines(page, main))


def _lines(page: Page, main: MainText) -> list[str]:
    blocks = page_blocks(page.tree)
    lines = fill_gaps(body_lines(main.text, blocks), blocks, line_key(main.other))
    titles = page_titles(page)
    kept = without_phrases(lines, titles[0] if titles else None, frozenset(), (), subheadings(page.tree))
    return [line.text for line in without_repetition(kept)]


def _with_model(pack: Path, row: dict[str, Any]) -> str:
    page = _page(pack, row)
    titles = page_titles(page)
    return find_body(page.tree, page.text, BodyContext(titles[0] if titles else None, titles, frozenset())).text


def _all_fields(pack: Path, row: dict[str, Any]) -> str:
    return str(predict(pack, row).get("text") or "")


MODES: dict[str, Callable[[Path, dict[str, Any]], str]] = {
    "Trafilatura, full": _trafilatura(fast=False),
    "Trafilatura, fast": _trafilatura(fast=True),
    "fast first": _selected,
    "+ parts and phrases": _completed,
    "+ line model": _with_model,
    "all fields (default)": _all_fields,
}

if __name__ == "__main__":
    main()
