"""Measure how long the operator pages take with many outlets.

    python benchmarks/operator_pages.py [--outlets 300] [--days 84] [--articles 10] [--json]

Fills a warehouse with generated outlets: per day four crawls with new articles and five other candidates, with
endpoints, polls and health; by default a million articles. Renders each page as the API server does (queries as the
analyst, then the template). Prints the median and the maximum of five runs in ms, and the size of the page. Exits with
code 1 if the median of a page is above 300 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.connection import Warehouse, transaction  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402

LIMIT_MS = 300
RUNS = 5

FILL = (Path(__file__).parent / "operator_pages.sql").read_text()


def main() -> None:
    """Fill the warehouse, measure the pages and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outlets", type=int, default=300, help="Number of generated outlets.")
    parser.add_argument("--days", type=int, default=84, help="Days of history per outlet.")
    parser.add_argument("--articles", type=int, default=10, help="New articles of a crawl.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        os.environ.update(PRESSMARK_HOME=f"{folder}/home", AIRFLOW_HOME=f"{folder}/airflow")
        warehouse = Warehouse(Settings.from_env())
        migrate(warehouse)
        try:
            result = measure(warehouse, options.outlets, options.days, options.articles)
        finally:
            assert warehouse.embedded is not None
            warehouse.embedded.remove()
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{result['outlets']} outlets, {result['crawls']} crawls, {result['articles']} articles")
        for name, page in result["pages"].items():
            print(f"  {name:24} {page['ms']:7.0f} ms, {page['worst_ms']:7.0f} ms max, {page['bytes'] // 1024:5} KB")
    if any(page["ms"] > LIMIT_MS for page in result["pages"].values()):
        raise SystemExit(1)


def measure(warehouse: Warehouse, outlets: int, days: int, articles: int) -> dict[str, Any]:
    """Return the times of each page in ms, and its size in bytes."""
    with contextlib.closing(warehouse.connect_admin()) as connection:
        with transaction(connection) as cursor:
            cursor.execute(FILL, {"outlets": outlets, "days": days, "articles": articles})
            cursor.execute(
                "SELECT (SELECT count(*) FROM ops.crawl), (SELECT count(*) FROM core.article), "
                "(SELECT article_uid::text FROM core.article LIMIT 1)"
            )
            crawls, loaded, uid = cursor.fetchone() or (0, 0, "")
        connection.autocommit = True
        connection.cursor().execute("ANALYZE")
    from uuid import UUID

    from pressmark.airflow.pages import article, backfills, metrics, outlet, overview
    from pressmark.airflow.pages import outlets as outlets_page
    from pressmark.health.monitor import check_health

    check_health(warehouse, days=35)
    pages: dict[str, Callable[[], str]] = {
        "overview": overview.overview,
        "outlets": outlets_page.outlets,
        "outlets, page 2 by kept": lambda: outlets_page.outlets(sort="kept", page=2),
        "outlets, filtered": lambda: outlets_page.outlets(q="bench-7", state="silent,failing"),
        "outlet": lambda: outlet.outlet("bench-7"),
        "article": lambda: article.article(UUID(uid)),
        "backfills": backfills.backfills,
        "crawls": lambda: outlets_page.crawls("crawl_hourly", "scheduled__1_1"),
        "metrics": metrics.text,
    }
    results = {}
    for name, page in pages.items():
        times = []
        for _ in range(RUNS):
            started = time.perf_counter()
            text = page()
            times.append((time.perf_counter() - started) * 1000)
        results[name] = {"ms": statistics.median(times), "worst_ms": max(times), "bytes": len(text.encode())}
    return {"outlets": outlets, "crawls": crawls, "articles": loaded, "pages": results}


if __name__ == "__main__":
    main()
