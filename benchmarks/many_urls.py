"""Peak memory of the pipeline on a crawl of many URLs.

    python benchmarks/many_urls.py [--urls N] [--json]

N pages of generated articles are served under eight hosts and crawled with one command. The memory is the sum of what
each process has for itself: the command, the crawl process, the extraction workers and Postgres, without the shared
cache of Postgres (`shared_buffers`), which is an eighth of the machine's memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from html import escape
from pathlib import Path

from generated_articles import write_article
from pipeline import run_pipeline, served

_MAX_MB = 500


def main() -> None:
    """Measure and print. Exit code 1 if it is too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=50_000, help="number of URLs (default: 50,000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        work_folder = Path(folder)
        work_folder.chmod(0o755)
        with served([_page(number) for number in range(options.urls)], work_folder) as site:
            result = run_pipeline(site, work_folder / "home", options.urls)
    if options.json:
        print(json.dumps({"urls": options.urls, **result}))
    else:
        print(f"{options.urls:,} URLs in {result['seconds']:.0f} s, {result['articles_per_second']:.1f} articles/s")
        print(f"  peak memory: {result['peak_memory_mb']:.0f} MB (target: at most {_MAX_MB})")
        print("  at the peak: " + ", ".join(f"{k} {v}" for k, v in result["peak_memory_mb_by_stage"].items()))
        print(f"  every page is new and has a text: {'yes' if result['all_new'] else 'no'}")
    sys.exit(result["peak_memory_mb"] > _MAX_MB)


def _page(number: int) -> bytes:
    article = write_article(number, quick=True)
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in article.body.split("\n"))
    return (
        f"<!doctype html><html lang=en><head><title>{article.headline}</title>"
        f'<meta property="article:published_time" content="{article.published.isoformat()}"></head>'
        f"<body><article><h1>{article.headline}</h1>{paragraphs}</article></body></html>"
    ).encode()


if __name__ == "__main__":
    main()
