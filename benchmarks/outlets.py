"""Measure what grows with the number of outlets: reading their files, planning, health, pages, and single queries.

    python benchmarks/outlets.py [--outlets 10000] [--days 3] [--listings 300] [--json] [--check]

Writes outlet files, half of them of the hourly tier, and fills a warehouse: per outlet and day four crawls of eight
candidates and three articles, and `--listings` entries of its feed. Prints the seconds of each measure next to its
limit. With --check, exits with code 1 if one takes longer. Limits are for 10,000 outlets and two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.cli.database import read_status  # noqa: E402
from pressmark.health.monitor import check_health  # noqa: E402
from pressmark.registry import load_registry  # noqa: E402
from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.connection import Warehouse, transaction  # noqa: E402
from pressmark.warehouse.crawls import read_due  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402
from pressmark.warehouse.queries import queries  # noqa: E402

FILL = (Path(__file__).parent / "operator_pages.sql").read_text()
_LISTINGS = """
SET session_replication_role = replica;
INSERT INTO core.url_listing (url_uid, endpoint_id, outlet, url, first_listed_at, last_listed_at)
SELECT md5(outlet || '-' || n)::uuid, md5(outlet || 1)::uuid, outlet, home || n, now() - interval '1 day' * n,
       now() - interval '1 day' * (n / 10)
FROM core.outlet, generate_series(1, %(listings)s) n;
INSERT INTO ops.frontier (url_uid, outlet, url, first_listed_at, next_due_at)
SELECT url_uid, outlet, url, first_listed_at, CASE WHEN first_listed_at > now() - interval '10 days'
                                              THEN now() + interval '1 hour' * (random() - .5) END
FROM core.url_listing;
INSERT INTO ops.quarantine (quarantine_id, crawl_id, url_uid, url, outlet, outcome, stage, reason, segment_id)
SELECT gen_random_uuid(), gen_random_uuid(), url_uid, url, outlet, 'not_an_article', 'classify', 'r', gen_random_uuid()
FROM core.url_listing WHERE random() < .3;
SET session_replication_role = origin;
"""
LIMITS = {
    "read all files": 5.0,
    "read all files again": 2.0,
    "read one file": 0.05,
    "plan half of the outlets": 30.0,
    "plan them again": 10.0,
    "health of all outlets": 20.0,
    "health of one outlet": 0.1,
    "status": 3.0,
    "page of outlets": 5.0,
    "page of one outlet": 1.0,
    "due pages of an outlet": 0.05,
    "unchanged listing": 0.05,
    "expired rejected pages": 0.05,
}
"""Seconds."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outlets", type=int, default=10_000, help="number of outlets (default: 10,000)")
    parser.add_argument("--days", type=int, default=3, help="days of history per outlet (default: 3)")
    parser.add_argument("--listings", type=int, default=300, help="listed URLs per outlet (default: 300)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--check", action="store_true", help="fail if a limit is exceeded")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        place = Path(folder)
        place.chmod(0o755)
        write_files(place / "outlets", options.outlets)
        os.environ.update(
            PRESSMARK_HOME=f"{folder}/home", PRESSMARK_OUTLETS=f"{folder}/outlets", AIRFLOW_HOME=f"{folder}/airflow"
        )
        warehouse = Warehouse(Settings.from_env())
        migrate(warehouse)
        try:
            fill(warehouse, options)
            seconds = measure(warehouse)
        finally:
            assert warehouse.embedded is not None
            warehouse.embedded.remove()
    slow = [name for name, limit in LIMITS.items() if seconds[name] > limit]
    if options.json:
        print(json.dumps({"outlets": options.outlets, "seconds": seconds, "slow": slow}))
    else:
        print(f"{options.outlets:,} outlets, {options.outlets * options.listings:,} listed URLs")
        for name, limit in LIMITS.items():
            print(f"  {name:26} {seconds[name]:8.3f} s (limit {limit:g}){'  SLOW' if name in slow else ''}")
    sys.exit(options.check and bool(slow))


def write_files(folder: Path, count: int) -> None:
    """Write outlet files named as in operator_pages.sql."""
    folder.mkdir()
    for number in range(1, count + 1):
        (folder / f"bench-{number}.yaml").write_text(
            f"id: bench-{number}\nname: Bench-{number}\nhome: https://bench-{number}.example/\n"
            f"domains: [bench-{number}.example]\nlanguages: [en]\ntimezone: Europe/Berlin\ncountry: DE\nenabled: true\n"
            f"tier: {'hourly' if number % 2 else 'daily'}\n"
            f"endpoints: [{{method: feed, url: 'https://bench-{number}.example/feed-1', source: a benchmark}}]\n"
        )


def fill(warehouse: Warehouse, options: argparse.Namespace) -> None:
    """Fill the warehouse."""
    with contextlib.closing(warehouse.connect_admin()) as connection:
        with transaction(connection) as cursor:
            cursor.execute(FILL, {"outlets": options.outlets, "days": options.days, "articles": 1})
            cursor.execute(_LISTINGS, {"listings": options.listings})
        connection.autocommit = True
        connection.cursor().execute("ANALYZE")


def measure(warehouse: Warehouse) -> dict[str, float]:
    """Return the seconds of each measure."""
    from pressmark.airflow.crawl_tasks import plan_tier
    from pressmark.airflow.pages import outlet as outlet_page
    from pressmark.airflow.pages import outlets as outlets_page

    settings = warehouse.settings
    time.sleep(2.1)  # files that were just written are not cached
    seconds = {}

    def timed(name: str, work: Callable[[], Any]) -> None:
        started = time.perf_counter()
        work()
        seconds[name] = time.perf_counter() - started
        print(f"{name}: {seconds[name]:.3f} s", file=sys.stderr)

    def plan(run: str) -> None:
        dag_run = SimpleNamespace(run_type="scheduled", dag_id="crawl_hourly", run_id=run)
        # No other run of the DAG is running.
        plan_tier("hourly", {"dag_run": dag_run, "ti": SimpleNamespace(get_dr_count=lambda **_: 0)})

    timed("read all files", lambda: load_registry(settings).outlets)
    timed("read all files again", lambda: load_registry(settings).outlets)
    timed("read one file", lambda: load_registry(settings).get("bench-7"))
    timed("plan half of the outlets", lambda: plan("one"))
    timed("plan them again", lambda: plan("two"))
    timed("health of all outlets", lambda: check_health(warehouse))
    timed("health of one outlet", lambda: check_health(warehouse, ["bench-7"]))
    timed("status", lambda: read_status(warehouse))
    timed("page of outlets", outlets_page.outlets)
    timed("page of one outlet", lambda: outlet_page.outlet("bench-7"))
    outlet = load_registry(settings).get("bench-7")
    now = datetime.now(UTC)
    with contextlib.closing(warehouse.connect("loader", "pressmark benchmark")) as connection:
        with transaction(connection) as cursor:
            cursor.execute("SELECT md5('bench-7' || 1)::uuid, gen_random_uuid()")
            endpoint, crawl = cursor.fetchone() or (None, None)
            timed("due pages of an outlet", lambda: read_due(cursor, outlet, now, 500))
            values = {"endpoint_id": endpoint, "polled_at": now, "crawl_id": crawl}
            timed("unchanged listing", lambda: cursor.execute(queries("crawl")["still_listed"], values))
    with contextlib.closing(warehouse.connect("eraser", "pressmark benchmark")) as connection:
        with transaction(connection) as cursor:
            expired = {"outlet": "bench-7", "before": now - timedelta(days=90)}
            timed("expired rejected pages", lambda: cursor.execute(queries("retention")["old_refused"], expired))
    return seconds


if __name__ == "__main__":
    main()
