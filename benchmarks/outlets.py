"""What a tier of many small outlets costs: one run of the DAG by a real Airflow.

    python benchmarks/outlets.py [--outlets 300] [--articles 2] [--json]

Served by the newsstand on loopback, crawled by `crawl_hourly` under `pressmark up`: planned, crawled, loaded,
audited; then once more, with nothing new. Prints seconds of each run, and what an outlet costs beyond its
articles: of the second run, where nothing is left but polling and book-keeping. The baseline is what the same
crawls take from the command line, in one process, in the same run of this program.
"""

from __future__ import annotations

import argparse
import contextlib
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

from pressmark.airflow.client import AirflowClient, Run  # noqa: E402
from pressmark.airflow.service import AirflowService, free_port  # noqa: E402
from pressmark.cli.service import end_all, wait_until_ready  # noqa: E402
from pressmark.newsstand.bulk_sites import small_outlets  # noqa: E402
from pressmark.newsstand.server import running  # noqa: E402
from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.connection import Warehouse  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402

DAG_ID = "crawl_hourly"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outlets", type=int, default=300)
    parser.add_argument("--articles", type=int, default=2, help="articles of each outlet")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        place = Path(folder)
        place.chmod(0o755)
        pages = small_outlets(options.outlets, options.articles, place / "outlets")
        with running(place / "access.log", more=pages) as newsstand:
            os.environ.update(PRESSMARK_OUTLETS=str(place / "outlets"), PRESSMARK_RESOLVE=newsstand.resolve)
            result = {
                "outlets": options.outlets,
                "articles": options.articles * options.outlets,
                "airflow": measure_airflow(place / "airflow-home", options.outlets * options.articles),
                "command_line": measure_command_line(place / "home", place / "outlets"),
            }
    airflow, baseline = result["airflow"], result["command_line"]
    result["overhead_per_outlet"] = airflow["second"] / options.outlets
    result["ratio_first"] = airflow["first"] / baseline["first"]
    result["ratio_second"] = airflow["second"] / baseline["second"]
    if options.json:
        print(json.dumps(result))
        return
    print(f"{result['outlets']} outlets, {result['articles']} articles, {os.cpu_count()} cores")
    print(
        f"  Airflow:      {airflow['first']:6.1f} s all new, {airflow['second']:6.1f} s nothing new, "
        f"{airflow['jobs']} jobs"
    )
    print(f"  command line: {baseline['first']:6.1f} s all new, {baseline['second']:6.1f} s nothing new")
    print(f"  ratio:        {result['ratio_first']:6.2f}            {result['ratio_second']:6.2f}")
    print(f"  an outlet with nothing new costs {1000 * result['overhead_per_outlet']:.0f} ms of a run")


def measure_airflow(home: Path, articles: int) -> dict[str, Any]:
    """Seconds of the first run and of one with nothing new, from its start to its end."""
    os.environ["PRESSMARK_HOME"] = str(home)
    settings = Settings.from_env()
    service = AirflowService(settings)
    try:
        wait_until_ready(service, service.launch(free_port(), die_with_us=True))
        with AirflowClient(service) as airflow:
            while not (found := airflow.runs(DAG_ID)):
                time.sleep(0.5)
            first = _end_of(airflow, found[0])
            _check(settings, articles)
            second = _end_of(airflow, airflow.trigger(DAG_ID))
            jobs = sum(task["task_id"] == "job.crawl" for task in airflow.tasks(found[0]))
    finally:
        end_all(settings)
    return {"first": first, "second": second, "jobs": jobs}


def _end_of(airflow: AirflowClient, run: Run) -> float:
    while not airflow.run(run.dag_id, run.run_id).has_ended:
        time.sleep(1)
        done = sum(task["state"] == "success" for task in airflow.tasks(run))
        print(f"\r{run.run_id}: {done} tasks done", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if airflow.run(run.dag_id, run.run_id).state != "success":
        raise SystemExit(f"the run {run.run_id} failed")
    return airflow.seconds(run)


def measure_command_line(home: Path, outlets: Path) -> dict[str, float]:
    """The same by `pressmark crawl`, all outlets in one process."""
    os.environ["PRESSMARK_HOME"] = str(home)
    settings = Settings.from_env()
    migrate(Warehouse(settings))
    seconds = []
    try:
        for _ in range(2):
            begin = time.monotonic()
            names = sorted(path.stem for path in outlets.glob("*.yaml"))
            command = [sys.executable, "-m", "pressmark.cli", "crawl", *names, "--json"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
            seconds.append(time.monotonic() - begin)
    finally:
        end_all(settings)
    return {"first": seconds[0], "second": seconds[1]}


def _check(settings: Settings, articles: int) -> None:
    connection = Warehouse(settings).connect("loader", "pressmark benchmark")
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM mart.article), (SELECT bool_and(ledger_ok) FROM mart.crawl)")
        found = cursor.fetchone()
    if found != (articles, True):
        raise SystemExit(f"expected {articles} articles and sound ledgers, found {found}")


if __name__ == "__main__":
    main()
