"""The pipeline's own extraction over a pack of pages with gold texts, for its scorer.

    python benchmarks/extraction.py --pack DIR --out predictions.jsonl
    python score.py DIR predictions.jsonl

DIR holds gold.jsonl (an object a line with id, url, html) and a folder html/ with the pages that
`html` names. Each page is extracted as a crawl would: same function, no hints of an
outlet's file. Gold fields are not read.
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

from pressmark.extraction.extract import ExtractionConfig, extract


def predict(pack: Path, row: dict[str, Any]) -> dict[str, Any]:
    """One line of predictions: id, text, title, authors, date."""
    url = row.get("url") or f"https://{row['domain']}/{row['id']}"
    host = urlsplit(url).hostname or row["domain"]
    domain = host.removeprefix("www.")
    config = ExtractionConfig(
        outlet="bench", name=domain, home=f"https://{host}/", domains=(domain,), languages=(), timezone="UTC"
    )
    document = (pack / "html" / row["html"]).read_bytes()
    try:
        page = extract(document, url, (("Content-Type", "text/html; charset=utf-8"),), datetime.now(UTC), config)
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
    """Write the predictions and print what they cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="folder with gold.jsonl and the pages")
    parser.add_argument("--out", type=Path, required=True, help="file to write, an object a line")
    parser.add_argument("--jobs", type=int, default=None, help="processes (default: one a core)")
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
