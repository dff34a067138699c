"""The DAGs as Airflow parses them, and one end-to-end run of a tier."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pressmark.airflow.pools import CRAWL_POOL, LOAD_POOL, POOLS
from pressmark.newsstand.server import Newsstand
from pressmark.scheduling import PlannedCrawl, audit, batch_jobs, outlet_jobs
from pressmark.settings import PROJECT_ROOT
from tests.conftest import Installation

TIERS = {"crawl_hourly", "crawl_six_hourly", "crawl_daily"}
OTHERS = {"backfill", "reextract", "maintain"}


def test_dag_files_import_fast_and_without_heavy_modules() -> None:
    program = (
        "import airflow.sdk, sys, time; sys.path.insert(0, 'dags'); begin = time.monotonic(); import crawl\n"
        "print(time.monotonic() - begin, [m for m in ('scrapy', 'trafilatura', 'psycopg2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    seconds, heavy = done.stdout.splitlines()[-1].split(" ", 1)
    assert float(seconds) < 1 and heavy == "[]"


def test_tier_dags_have_the_expected_tasks(airflow_database: None) -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(PROJECT_ROOT / "dags"))
    assert bag.import_errors == {} and set(bag.dags) == TIERS | OTHERS
    for dag in (bag.dags[name] for name in sorted(TIERS)):
        assert dag.doc_md and "*Clear*" in dag.doc_md and "*Backfill*" in dag.doc_md
        assert {"pressmark", "crawl"} <= set(dag.tags) and dag.max_active_runs == 4 and not dag.catchup
        assert type(dag.timetable).__name__ == "CronDataIntervalTimetable", (
            "a plain cron string would give empty intervals"
        )
        assert set(dag.task_ids) == {"plan", "job.crawl", "job.load", "job.evaluate", "cluster", "audit"}
        assert [task.task_id for task in dag.tasks if not task.downstream_task_ids] == ["audit"], (
            "audit is the only leaf"
        )
        assert dag.get_task("job.load").trigger_rule == "all_done" and dag.get_task("audit").trigger_rule == "all_done"
        assert all(task.execution_timeout for task in dag.tasks)
        assert {task.pool for task in dag.tasks} == {"default_pool", CRAWL_POOL, LOAD_POOL}


def test_other_dags_have_the_expected_tasks(airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    # An Airflow that other tests of this process still run has set the sample outlets.
    monkeypatch.setenv("PRESSMARK_OUTLETS", str(PROJECT_ROOT / "outlets"))
    bag = DagBag(str(PROJECT_ROOT / "dags"))
    tasks = {
        "backfill": ["plan_backfill", "crawl_and_load", "cluster", "report", "complete"],
        "reextract": ["plan", "extract", "compare", "promote"],
        "maintain": ["run", "load", "health", "complete"],
    }
    for name in OTHERS:
        dag = bag.dags[name]
        assert dag.doc_md and "pressmark" in dag.tags and dag.task_ids == tasks[name]
    pools = {task.pool for dag in bag.dags.values() for task in dag.tasks}
    assert pools == {"default_pool", *POOLS}, "a task in a missing pool never starts"
    for name in OTHERS:
        dag = bag.dags[name]
        assert all(task.execution_timeout for task in dag.tasks)
        assert [task.task_id for task in dag.tasks if not task.downstream_task_ids] == [tasks[name][-1]]
    params = bag.dags["backfill"].params
    assert params["dry_run"] is True, "a backfill starts with a dry run"
    assert "tagesschau" in params.get_param("outlets").schema["examples"]


def test_outlets_are_batched_into_balanced_jobs() -> None:
    assert batch_jobs([]) == [] and batch_jobs(["a", "b"]) == [["a"], ["b"]]
    for count in (12, 13, 100, 300, 2000, 20_000):
        ids = [f"o{n}" for n in range(count)]
        jobs = batch_jobs(ids)
        assert sorted(o for job in jobs for o in job) == sorted(ids) and len(jobs) <= 300
        assert max(map(len, jobs)) - min(map(len, jobs)) <= 1
        jobs = outlet_jobs(ids)
        assert sorted(o for job in jobs for o in job) == sorted(ids) and len(jobs) == min(count, 300)
    assert outlet_jobs([]) == []


def planned_crawl(outlet: str, **changes: Any) -> PlannedCrawl:
    """Return a successful crawl with some values changed."""
    values: dict[str, Any] = {
        "outlet": outlet, "request_id": UUID(int=1), "crawl_id": UUID(int=2), "finish_reason": "finished",
        "error": None, "candidates": 3, "requests": 4, "ledger_ok": True, "outcomes": {"new": 3}, "not_loaded": 0,
        "listed_nothing": False, "tier": "hourly", "listed": 1, "unchanged": 0, "waiting_until": None, **changes,
    }  # fmt: skip
    return PlannedCrawl(**values)


def test_audit_reports_failed_outlets_and_applies_the_failure_budget() -> None:
    failed = planned_crawl("b", finish_reason="no_listing", error="no robots.txt", ledger_ok=True, outcomes={})
    silent = planned_crawl("c", candidates=0, outcomes={}, listed_nothing=True)
    unchanged = planned_crawl("e", candidates=0, outcomes={})
    report = audit([planned_crawl("a"), failed, silent, planned_crawl("d"), unchanged])
    assert report.problems == [] and report.failed == {"b": "no robots.txt"} and report.empty == ["c"]
    assert report.lines[0].startswith(
        "5 outlets: 1 failed, 1 listed nothing, 0 forbid crawling, 0 waiting"
    ) and report.counts == {"new": 6}
    assert report.lines[1:] == ["failed   b: no robots.txt", "empty    c: its endpoints respond but list nothing"]
    denied = audit([planned_crawl("a", outcomes={"robots_denied": 2, "rights_reserved": 1})])
    assert denied.refused == {"a": "1 rights_reserved, 2 robots_denied"} and denied.problems == []
    assert "budget" in audit([planned_crawl("a"), failed]).problems[0]
    assert "was not crawled" in audit([planned_crawl("a", crawl_id=None)]).failed["a"]
    assert "does not add up" in audit([planned_crawl("a", ledger_ok=False)]).problems[0]
    assert "not loaded" in audit([planned_crawl("a", not_loaded=1)]).failed["a"]


def test_outlet_in_back_off_waits_and_is_no_failure() -> None:
    until = datetime(2026, 11, 27, 15, tzinfo=UTC)
    waiting = planned_crawl(
        "b", finish_reason="waiting", error="b.example refused the connection", candidates=0, outcomes={}, listed=0,
        waiting_until=until,
    )  # fmt: skip
    assert waiting.problem is None and not waiting.may_be_retried
    report = audit([planned_crawl("a"), waiting])
    assert report.problems == [] and report.failed == {} and report.unanswered == []
    assert report.lines[1:] == [
        "waiting  b: waiting until 2026-11-27 15:00:00Z, because b.example refused the connection"
    ]


def test_only_errors_of_the_installation_are_retried() -> None:
    retried = [r for r in ("finished", "budget", "stopped", "waiting", "refused", "no_listing", "failed", "killed", None)
               if planned_crawl("a", finish_reason=r, error="x").may_be_retried]  # fmt: skip
    assert retried == ["stopped", "failed", "killed", None]
    assert planned_crawl("a", crawl_id=None, finish_reason=None).may_be_retried


def test_failed_outlets_of_other_tiers_do_not_use_up_the_failure_budget() -> None:
    retried = [planned_crawl(name, tier="daily", finish_reason="no_listing", error="down") for name in "bcd"]
    report = audit([planned_crawl("a"), *retried], "hourly")
    assert report.problems == [] and set(report.failed) == {"b", "c", "d"}


def use_installation(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of this process to that of the installation."""
    for name, value in installation.environment().items():
        if name.startswith("PRESSMARK_"):
            monkeypatch.setenv(name, value)


def run_dag(dag_id: str, hour: int) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(str(PROJECT_ROOT / "dags")).dags[dag_id]
    for task in dag.tasks:
        task.retries = 0  # retries would start minutes later
    return dag.test(logical_date=datetime(2026, 11, 23, hour, tzinfo=UTC))


def test_tier_from_end_to_end(
    installation: Installation,
    newsstand: Newsstand,
    airflow_database: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    use_installation(installation, monkeypatch)
    assert run_dag("crawl_hourly", 3).state == "success"
    assert installation.query("SELECT count(*) FROM mart.article") == [(40,)]
    newsstand.advance()
    time.sleep(1.1)
    # One of four outlets is unreachable. The others are loaded, and the run stays within its failure budget.
    monkeypatch.setenv("PRESSMARK_RESOLVE", newsstand.resolve.replace("alwaha.newsstand.example", "other.example"))
    assert run_dag("crawl_hourly", 4).state == "success"
    totals = dict(
        installation.query(
            "SELECT outcome, sum(candidates)::int FROM mart.crawl_funnel "
            "WHERE started_at = ANY (SELECT max(started_at) FROM mart.crawl GROUP BY outlet) GROUP BY 1"
        )
    )
    assert totals == {"revised": 1, "gone": 1, "new": 1, "not_modified": 9, "known_not_due": 19}
    requests = installation.query("SELECT DISTINCT mode, dag_id, interval_end::text FROM ops.crawl_request ORDER BY 3")
    assert [(mode, dag) for mode, dag, _ in requests] == [("incremental", "crawl_hourly")] * 2
    assert installation.query("SELECT outlet FROM mart.crawl WHERE finish_reason = 'no_listing'") == [("al-waha",)]
    # Two of four exceed the failure budget.
    monkeypatch.setenv("PRESSMARK_RESOLVE", newsstand.resolve.replace("a.newsstand.example", "x.example"))
    assert run_dag("crawl_hourly", 5).state == "failed"
