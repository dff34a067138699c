"""Extract a pack of pages as a crawl does and write the predictions for the pack's scorer.

    python benchmarks/extraction.py --pack DIR --out predictions.jsonl
    python score.py DIR predictions.jsonl

DIR contains gold.jsonl and the folder html/. Each line of gold.jsonl is an object with id, url and html, where html
names a file in the folder. Pages are extracted by the same function as in a crawl, without hints from an outlet file.
The gold fields are not used.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pressmark.extraction.extract import extract
from pressmark.extraction.fields import ExtractionConfig


def page_arguments(pack: Path, row: dict[str, Any]) -> tuple[bytes, str, tuple[tuple[str, str], ...], ExtractionConfig]:
    """Return what `extract` needs to know of a page: document, URL, headers and configuration."""
    url = row.get("url") or f"https://{row['domain']}/{row['id']}"
    host = urlsplit(url).hostname or row["domain"]
    domain = host.removeprefix("www.")
    config = ExtractionConfig(
        outlet="bench", name=domain, home=f"https://{host}/", domains=(domain,), languages=(), timezone="UTC"
    )
    document = (pack / "html" / row["html"]).read_bytes()
    return document, url, (("Content-Type", "text/html; charset=utf-8"),), config


def predict(pack: Path, row: dict[str, Any]) -> dict[str, Any]:
    """Return the prediction for a page: id, text, title, authors, date. Only the id if the extraction fails."""
    document, url, headers, config = page_arguments(pack, row)
    try:
        page = extract(document, url, headers, datetime.now(UTC), config)
    except Exception as error:
        print(f"{row['id']}: {type(error).__name__}: {error}", file=sys.stderr)
        return {"id": row["id"]}
    published = page.published
    date = None
    if published and published.value:
        local = published.value.timestamp() + (published.offset or 0) * 60
        date = datetime.fromtimestamp(local, UTC).strftime("%Y-%m-%d")
    return {"id": row["id"], "text": page.article_body, "title": page.headline, "authors": page.authors, "date": date}


def main() -> None:
    """Write the predictions and print the time they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="read gold.jsonl and the pages from this folder")
    parser.add_argument(
        "--out", type=Path, required=True, help="write the predictions to this file, one JSON object per line"
    )
    parser.add_argument("--jobs", type=int, default=None, help="use this number of processes (default: one per core)")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in (arguments.pack / "gold.jsonl").open(encoding="utf-8")]
    started = time.perf_counter()
    with ProcessPoolExecutor(arguments.jobs) as pool, arguments.out.open("w", encoding="utf-8") as out:
        for prediction in pool.map(predict, [arguments.pack] * len(rows), rows, chunksize=4):
            out.write(json.dumps(prediction, ensure_ascii=False) + "\n")
    seconds = time.perf_counter() - started
    print(
        json.dumps(
            {"pages": len(rows), "seconds": round(seconds, 1), "pages_per_second": round(len(rows) / seconds, 1)}
        )
    )


if __name__ == "__main__":
    main()
