"""CPU-seconds and wall time of a crawl that fetches nothing, compared with a plain Scrapy spider.

    python benchmarks/startup.py [--runs 5] [--json]

The crawl polls one empty feed on a local site. It runs as the `pressmark crawl` command and as a crawl process alone,
as an Airflow task starts it. The baseline is a Scrapy spider that requests the same feed, measured in the same run on
the same machine. Prints medians.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.connection import Warehouse, transaction  # noqa: E402
from pressmark.warehouse.crawl_requests import add_request  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402
from tests.site import WebSite, feed  # noqa: E402

_PR_SET_CHILD_SUBREAPER = 36
HOST = "empty.example"
OUTLET = f"""\
id: empty
name: Empty
home: http://{HOST}/
domains: [{HOST}]
languages: [en]
timezone: UTC
enabled: true
endpoints:
  - {{method: feed, url: 'http://{HOST}/feed', source: a benchmark}}
politeness: {{delay: 0, timeout: 5}}
"""
PLAIN = """
import scrapy
from scrapy.crawler import CrawlerProcess
class Plain(scrapy.Spider):
    name = "plain"
    start_urls = ["http://127.0.0.1:{port}/feed"]
    custom_settings = {{"LOG_ENABLED": False}}
    def parse(self, response):
        pass
process = CrawlerProcess()
process.crawl(Plain)
process.start()
"""


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return (CPU-seconds, wall seconds) of a command, including all processes that it started and waited for."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    completed = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - begin
    _reap_orphans()
    if completed.returncode:
        message = f"{command} failed with exit code {completed.returncode}"
        raise SystemExit(f"{message}\n{completed.stdout}\n{completed.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def _reap_orphans() -> None:
    """Wait for extraction workers that outlived the command, so that their CPU time is counted."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="measure this number of runs (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    site = WebSite()
    site.answers[(HOST, "/feed")] = feed()
    site.answers[("127.0.0.1", "/feed")] = feed()
    figures: dict[str, list[tuple[float, float]]] = {"command": [], "process": [], "plain": []}
    with tempfile.TemporaryDirectory(prefix="pressmark-startup-") as folder:
        outlets = Path(folder) / "outlets"
        outlets.mkdir()
        (outlets / "empty.yaml").write_text(OUTLET)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PRESSMARK_")},
            "PRESSMARK_HOME": str(Path(folder) / "home"), "PRESSMARK_OUTLETS": str(outlets),
            "PRESSMARK_RESOLVE": site.resolve(HOST), "PRESSMARK_WORKERS": "2",
        }  # fmt: skip
        warehouse = Warehouse(Settings.from_env(environment))
        migrate(warehouse)
        # From here on, orphaned processes become children of this one. The database server is already running.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            for _ in range(options.runs):
                figures["command"].append(timed([sys.executable, "-m", "pressmark.cli", "crawl", "empty"], environment))
                figures["process"].append(
                    timed([sys.executable, "-m", "spiders.job", _request(warehouse)], environment)
                )
                figures["plain"].append(timed([sys.executable, "-c", PLAIN.format(port=site.port)], environment))
        finally:
            site.close()
            if warehouse.embedded:
                warehouse.embedded.remove()
    result: dict[str, Any] = {
        name: {
            "cpu_seconds": round(statistics.median(cpu for cpu, _ in rows), 2),
            "wall_seconds": round(statistics.median(wall for _, wall in rows), 2),
        }
        for name, rows in figures.items()
    }
    result["process_to_plain"] = round(result["process"]["cpu_seconds"] / result["plain"]["cpu_seconds"], 2)
    if options.json:
        print(json.dumps(result))
        return
    for name in figures:
        print(f"{name:<8} {result[name]['cpu_seconds']:>6.2f} CPU-seconds {result[name]['wall_seconds']:>6.2f} s")
    print(f"the crawl process takes {result['process_to_plain']:.2f} times the CPU of a plain Scrapy spider")


def _request(warehouse: Warehouse) -> str:
    from pressmark.registry import load_registry

    outlet = load_registry(warehouse.settings).get("empty")
    connection = warehouse.connect("loader", "pressmark benchmark")
    try:
        with transaction(connection) as cursor:
            return str(add_request(cursor, outlet, requested_by="benchmark").request_id)
    finally:
        connection.close()


if __name__ == "__main__":
    main()
