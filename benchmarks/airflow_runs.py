"""Measure the cost of a tier with many small outlets, in runs of the DAG by a real Airflow.

    python benchmarks/airflow_runs.py [--outlets 300] [--articles 2] [--json]

The newsstand serves the outlets on loopback. `crawl_hourly` crawls them twice under `pressmark up`. The second run
finds nothing new, so it measures the overhead per outlet: polling, ledger and Airflow. Prints the seconds of each run.
The baseline is the same crawls from the command line, in one process.
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
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outlets", type=int, default=300, help="Number of outlets.")
    parser.add_argument("--articles", type=int, default=2, help="Articles per outlet.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
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
    print(f"  overhead per outlet with nothing new: {1000 * result['overhead_per_outlet']:.0f} ms")


def measure_airflow(home: Path, articles: int) -> dict[str, Any]:
    """Return the seconds of the first run and of a run with nothing new, and the number of jobs."""
    os.environ["PRESSMARK_HOME"] = str(home)
    settings = Settings.from_env()
    service = AirflowService(settings)
    try:
        wait_until_ready(service, service.launch(free_port(), die_with_us=True))
        with AirflowClient(service) as airflow:
            while not (runs := airflow.runs(DAG_ID)):
                time.sleep(0.5)
            first = _await_end(airflow, runs[0])
            _check(settings, articles)
            second = _await_end(airflow, airflow.trigger(DAG_ID))
            jobs = sum(task["task_id"] == "job.crawl" for task in airflow.tasks(runs[0]))
    finally:
        end_all(settings)
    return {"first": first, "second": second, "jobs": jobs}


def _await_end(airflow: AirflowClient, run: Run) -> float:
    while not airflow.run(run.dag_id, run.run_id).has_ended:
        time.sleep(1)
        done = sum(task["state"] == "success" for task in airflow.tasks(run))
        print(f"\r{run.run_id}: {done} tasks done", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if airflow.run(run.dag_id, run.run_id).state != "success":
        raise SystemExit(f"The run {run.run_id} of {run.dag_id} failed. See the log of its task audit.")
    return airflow.seconds(run)


def measure_command_line(home: Path, outlets: Path) -> dict[str, float]:
    """Return the seconds of the same two crawls by `pressmark crawl`, with all outlets in one process."""
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
        result = cursor.fetchone()
    if result != (articles, True):
        raise SystemExit(f"Expected {articles} articles and ledgers that add up (True), got {result}.")


if __name__ == "__main__":
    main()
