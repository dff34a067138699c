"""Requests and seconds of a second crawl of an unchanged site, compared with the first crawl.

    python benchmarks/second_crawl.py [--json]

Crawls newsstand outlets whose pages are not due again on the same day twice. The second crawl requests robots.txt and
each endpoint once, and no article.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.newsstand import OUTLETS  # noqa: E402
from pressmark.newsstand.server import Newsstand, running  # noqa: E402
from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.connection import Warehouse  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402

IDS = ("harbour-dispatch", "tagesblick", "al-waha", "meridian-wire", "la-sentinelle", "shiomi-shimpo", "severny-mayak")


def main() -> None:
    """Measure and print. The exit code is 1 if the second crawl requested an article."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "access.log") as newsstand:
            first, second = measure(Path(folder) / "home", newsstand)
    result = {
        "outlets": len(IDS),
        "first": first,
        "second": second,
        "ratio_requests": second["requests"] / first["requests"],
        "ratio_seconds": second["seconds"] / first["seconds"],
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{len(IDS)} outlets   requests  for articles  seconds")
        for name, row in (("first", first), ("second", second)):
            print(f"  {name:9} {row['requests']:9} {row['articles']:13} {row['seconds']:8.1f}")
        requests, seconds = result["ratio_requests"], result["ratio_seconds"]
        print(f"  second / first: {requests:.2f} times the requests, {seconds:.2f} times the time")
    if second["articles"]:
        raise SystemExit(1)


def measure(home: Path, newsstand: Newsstand) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return, for both crawls, the requests in the site's log, the requests for articles and the seconds."""
    env = {
        **os.environ,
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_OUTLETS": str(OUTLETS),
        "PRESSMARK_RESOLVE": newsstand.resolve,
    }
    warehouse = Warehouse(Settings.from_env(env))
    migrate(warehouse)
    rows = []
    try:
        for _ in range(2):
            requests_before, begin = len(newsstand.requests()), time.perf_counter()
            completed = subprocess.run(
                [sys.executable, "-m", "pressmark.cli", "crawl", *IDS, "--json"],
                env=env, cwd=ROOT, capture_output=True, text=True, check=True,
            )  # fmt: skip
            report = json.loads(completed.stdout)
            if not report["ledger_ok"]:
                raise SystemExit(f"the ledger of a crawl does not add up: {report}")
            fetched = sum(
                count
                for row in report["crawls"]
                for outcome, count in row["outcomes"].items()
                if outcome not in ("known_not_due", "out_of_scope")
            )
            requests = len(newsstand.requests()) - requests_before
            rows.append({"requests": requests, "articles": fetched, "seconds": time.perf_counter() - begin})
    finally:
        if warehouse.embedded:
            warehouse.embedded.remove()
    return rows[0], rows[1]


if __name__ == "__main__":
    main()
