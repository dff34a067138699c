"""Crawl requests record mode and interval for each kind of run. The audit reports the results of a mixed run."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import RetryAction

from pressmark.airflow.bootstrap import write_password
from pressmark.airflow.cleaning import clean_logs
from pressmark.airflow.crawl_tasks import audit_run, crawl_job, load_job, plan_tier
from pressmark.airflow.operator import RETRY_POLICY, TaskFailed, TaskFailedForGood, expected_errors
from pressmark.errors import ConfigError, LoadError, OutletsFailed, PressmarkError, RunFailed
from pressmark.scheduling import job_name
from tests.conftest import Installation
from tests.site import Answer, WebSite

HOURS = (datetime(2026, 11, 20, 2, 7, tzinfo=UTC), datetime(2026, 11, 20, 3, 7, tzinfo=UTC))
PAGE = "<html><body><article><h1>A title of the page</h1>" + "<p>Words of a paragraph that is long enough.</p>" * 12


@pytest.fixture
def two_outlets(
    installation: Installation, outlet_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """An installation with one outlet that has a feed and one that has a sitemap. This process uses its environment."""
    outlet_file("feeds", "feeds.example")
    folder = outlet_file("maps", "maps.example", endpoints=(("sitemap", "/sitemap.xml"),))
    installation.env = {"PRESSMARK_OUTLETS": str(folder)}
    for name, value in installation.environment().items():
        if name.startswith("PRESSMARK_"):
            monkeypatch.setenv(name, value)
    return installation


def context(
    run_type: str,
    interval: tuple[datetime, datetime] | None,
    run_id: str = "r",
    running: tuple[str, ...] = (),
    **params: Any,
) -> dict[str, Any]:
    """Return the context of a task. running: the runs of the DAG that Airflow says are running."""
    ti = SimpleNamespace(get_dr_count=lambda dag_id, run_ids, states: len(set(run_ids) & set(running)))
    values: dict[str, Any] = {
        "dag_run": SimpleNamespace(dag_id="crawl_hourly", run_id=run_id, run_type=run_type), "ti": ti, "params": params,
    }  # fmt: skip
    if interval:  # Airflow omits these keys if a run has no logical date
        values |= {"data_interval_start": interval[0], "data_interval_end": interval[1]}
    return values


@pytest.mark.parametrize(
    ("run_type", "interval", "outlets", "mode", "recorded"),
    [
        ("scheduled", HOURS, ["feeds", "maps"], "incremental", HOURS),
        ("manual", HOURS, ["feeds", "maps"], "incremental", HOURS),
        ("manual", None, ["feeds", "maps"], "incremental", None),
        ("asset_triggered", None, ["feeds", "maps"], "incremental", None),
        ("backfill", HOURS, ["maps"], "window", HOURS),  # a feed does not list past articles
    ],
)
def test_mode_and_interval_of_a_dag_run(
    two_outlets: Installation,
    run_type: str,
    interval: Any,
    outlets: list[str],
    mode: str,
    recorded: tuple[datetime, datetime] | None,
) -> None:
    before = datetime.now(UTC)
    jobs = plan_tier("hourly", context(run_type, interval))
    assert [job["outlets"] for job in jobs] == [[outlet] for outlet in outlets]
    statement = (
        "SELECT request_id::text, outlet, mode, interval_start, interval_end, dag_id, run_id "
        "FROM ops.crawl_request ORDER BY 2"
    )
    rows = two_outlets.query(statement)
    assert [(row[1], row[2], row[5], row[6]) for row in rows] == [(o, mode, "crawl_hourly", "r") for o in outlets]
    for _, _, _, start, end, _, _ in rows:
        if recorded:
            assert (start, end) == recorded
        else:
            assert start is None and before <= end <= datetime.now(UTC), (
                "without an earlier success, the interval has no start"
            )
    # A cleared or repeated task gets the same rows with the same mode and interval.
    assert plan_tier("hourly", context(run_type, interval)) == jobs
    assert two_outlets.query(statement) == rows


def test_mode_and_interval_from_the_command_line(two_outlets: Installation, site: WebSite) -> None:
    two_outlets.env["PRESSMARK_RESOLVE"] = site.resolve("maps.example", "feeds.example")
    site.answers["maps.example", "/sitemap.xml"] = Answer(
        b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'></urlset>", content_type="application/xml"
    )
    two_outlets.crawl("maps")
    two_outlets.crawl("maps", "--since", "2026-11-01", "--until", "2026-11-03T06:00Z")
    statement = "SELECT mode, interval_start, interval_end, dag_id FROM ops.crawl_request ORDER BY mode"
    first, second = two_outlets.query(statement)
    assert first[:2] == ("incremental", None) and first[3] is None
    assert second == (
        "window", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 3, 6, tzinfo=UTC), None,
    )  # fmt: skip
    two_outlets.crawl("maps")
    assert two_outlets.query(statement)[1][1] == first[2], "the interval starts at the last success"


def test_plan_writes_an_outlet_again_only_if_its_file_changed(two_outlets: Installation) -> None:
    def rows() -> list[tuple[Any, ...]]:
        return two_outlets.query("SELECT outlet, updated_at, name, xmin::text FROM core.outlet ORDER BY outlet")

    plan_tier("hourly", context("scheduled", HOURS, "one"))
    first = rows()
    plan_tier("hourly", context("scheduled", HOURS, "two"))
    assert rows() == first
    file = two_outlets.settings.outlets / "maps.yaml"
    file.write_text(file.read_text().replace("name: ", "name: New "))
    plan_tier("hourly", context("scheduled", HOURS, "three"))
    feeds, maps = rows()
    assert feeds == first[0] and maps[2].startswith("New ") and maps[1] > first[1][1]
    versions = "SELECT count(*) FROM ops.outlet_config WHERE outlet = 'maps'"
    assert two_outlets.query(versions) == [(2,)]
    plan_tier("hourly", context("scheduled", HOURS, "four"))
    assert two_outlets.query("SELECT count(*) FROM ops.crawl_request") == [(8,)]


@pytest.mark.long
def test_audit_of_a_run_with_all_kinds_of_outlets(
    installation: Installation,
    site: WebSite,
    outlet_file: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hosts = [f"{name}.example" for name in ("fine1", "fine2", "fine3", "silent", "denied")]
    for host in hosts:
        outlet_file(host.split(".")[0], host)
        items = "" if host == "silent.example" else f"<item><link>http://{host}/a</link></item>"
        feed = f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"
        site.answers[host, "/feed"] = Answer(feed.encode(), content_type="application/rss+xml")
        site.answers[host, "/a"] = Answer((PAGE + f"<p>{host}</p>").encode())
    site.answers["denied.example", "/robots.txt"] = Answer(
        b"User-agent: *\nAllow: /feed\nDisallow: /\n", content_type="text/plain"
    )
    installation.env = {
        "PRESSMARK_OUTLETS": str(outlet_file("broken", "broken.example")),
        "PRESSMARK_RESOLVE": site.resolve(*hosts, "broken.example"),
    }
    site.answers["broken.example", "/feed"] = Answer(b"down", 500)
    for name, value in installation.environment().items():
        if name.startswith("PRESSMARK_"):
            monkeypatch.setenv(name, value)
    jobs = plan_tier("hourly", context("scheduled", HOURS))
    assert len(jobs) == 6
    caplog.set_level(logging.INFO)
    for job in jobs:
        if job["name"] == "broken":
            with pytest.raises(PressmarkError, match=r"broken: .*http://broken\.example/feed.*500"):
                crawl_job(job)
        else:
            crawl_job(job)
        load_job(job)
    counts = audit_run("crawl_hourly", "r")
    assert counts == {"outlets": 6, "failed": 1, "empty": 1, "outcomes": {"new": 3, "robots_denied": 1}}
    messages = [record.getMessage() for record in caplog.records]
    assert "6 outlets: 1 failed, 1 listed nothing, 1 forbid crawling, 0 waiting; 3 new, 1 robots_denied" in messages
    assert any(line.startswith("failed   broken: ") for line in messages)
    assert "empty    silent: its endpoints respond but list nothing" in messages
    assert "refused  denied: 1 robots_denied" in messages
    # Cleared, the job runs again. A retry runs only crawls that failed because of us.
    site.answers["broken.example", "/feed"] = site.answers["silent.example", "/feed"]
    (broken,) = [job for job in jobs if job["name"] == "broken"]
    (fine,) = [job for job in jobs if job["name"] == "fine1"]
    both_jobs = {"name": "both", "requests": broken["requests"] + fine["requests"], "outlets": ["broken", "fine1"]}
    requests_before = len(site.requests)
    crawl_job(both_jobs, is_retry=True)
    assert len(site.requests) == requests_before, "the back-off of its endpoint decides when it is polled again"
    installation.query("UPDATE ops.crawl SET finish_reason = 'killed' WHERE outlet = 'broken'")
    crawl_job(both_jobs, is_retry=True)
    assert {r["host"] for r in site.requests[requests_before:]} == {"broken.example"}
    assert audit_run("crawl_hourly", "r")["failed"] == 0
    # The run fails when the failure budget is exceeded, and the error names the outlets.
    monkeypatch.setenv("PRESSMARK_RESOLVE", site.resolve(*hosts[2:]))
    for job in plan_tier("hourly", context("scheduled", HOURS, "bad")):
        if job["name"] in ("fine1", "fine2", "broken"):
            with pytest.raises(PressmarkError):
                crawl_job(job)
        else:
            crawl_job(job)
    with pytest.raises(RunFailed, match=r"3 of 6 outlets failed; the failure budget is 25%.*fine1: "):
        audit_run("crawl_hourly", "bad")


def test_audit_fails_if_planning_failed(two_outlets: Installation) -> None:
    with pytest.raises(RunFailed, match="the log of the task plan"):
        audit_run("crawl_hourly", "r", planned=False)


def test_missing_outlet_file_fails_only_its_outlet(
    installation: Installation, site: WebSite, outlet_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = outlet_file("stays", "stays.example")
    outlet_file("leaves", "leaves.example")
    outlet_file("odd", "odd.example", "spider: no.such.Spider")
    feed = b"<rss version='2.0'><channel><title>t</title></channel></rss>"
    site.answers["stays.example", "/feed"] = Answer(feed, content_type="application/rss+xml")
    installation.env = {"PRESSMARK_OUTLETS": str(folder), "PRESSMARK_RESOLVE": site.resolve("stays.example")}
    for name, value in installation.environment().items():
        if name.startswith("PRESSMARK_"):
            monkeypatch.setenv(name, value)
    jobs = plan_tier("hourly", context("scheduled", HOURS))
    (folder / "leaves.yaml").unlink()
    job = {"name": "all", "requests": [r for j in jobs for r in j["requests"]], "outlets": ["leaves", "odd", "stays"]}
    with pytest.raises(
        OutletsFailed, match=r"leaves: No outlet 'leaves' in .*; odd: spider: no\.such\.Spider cannot be imported"
    ):
        crawl_job(job)
    assert installation.query("SELECT outlet, finish_reason FROM mart.crawl") == [("stays", "finished")]


def test_invalid_setting_raises_a_config_error(two_outlets: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    (job, *_) = plan_tier("hourly", context("scheduled", HOURS))
    monkeypatch.setenv("PRESSMARK_RESOLVE", "nonsense")
    with pytest.raises(ConfigError, match="PRESSMARK_RESOLVE"):
        crawl_job(job)


def test_invalid_setting_fails_the_task_without_retry(
    two_outlets: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PRESSMARK_OUTLETS", "/no/such/folder")
    with pytest.raises(TaskFailedForGood), expected_errors():
        plan_tier("hourly", context("scheduled", HOURS))
    assert [(r.levelname, r.message) for r in caplog.records if "/no/such/folder" in r.message][-1][0] == "ERROR"


@pytest.mark.parametrize(
    ("error", "is_retried"),
    [(ConfigError("wrong"), False), (OutletsFailed("a: down"), False), (RunFailed("budget"), False),
     (LoadError("a: segment"), True), (PressmarkError("a: its crawl was killed"), True)],
)  # fmt: skip
def test_airflow_retries_only_errors_of_the_installation(
    error: PressmarkError, is_retried: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TaskFailed) as raised, expected_errors():
        raise error
    decision = RETRY_POLICY.evaluate(raised.value, 1, 2)
    assert (decision.action is RetryAction.DEFAULT) is is_retried
    assert [(r.levelname, r.message) for r in caplog.records] == [("ERROR", str(error))]
    assert raised.value.__suppress_context__, "no chained traceback"


def test_run_leaves_out_outlets_that_another_run_still_crawls(
    two_outlets: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert len(plan_tier("hourly", context("scheduled", HOURS, "first"))) == 2
    two_outlets.query(
        "INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_end, finished_at, finish_reason, "
        "code_version, host, pid) SELECT gen_random_uuid(), request_id, outlet, mode, interval_end, now(), 'finished', "
        "'0', 'h', 1 FROM ops.crawl_request WHERE outlet = 'feeds'"
    )
    jobs = plan_tier("hourly", context("scheduled", HOURS, "second", running=("first",)))
    assert [job["outlets"] for job in jobs] == [["feeds"]]
    assert "maps: skipped, the run first is still crawling it" in caplog.text
    # A run that is over left the outlet uncrawled, so the next run crawls it.
    assert len(plan_tier("hourly", context("scheduled", HOURS, "third"))) == 2


def test_param_limits_a_run_to_outlets_of_any_tier(two_outlets: Installation, outlet_file: Callable[..., Path]) -> None:
    outlet_file("slow", "slow.example", "tier: daily")
    file = outlet_file("off", "off.example") / "off.yaml"
    file.write_text(file.read_text().replace("enabled: true", "enabled: false\ndisabled_reason: closed"))
    jobs = plan_tier("hourly", context("manual", None, outlets=["slow", "off"]))
    assert [job["outlets"] for job in jobs] == [["slow"], ["off"]]
    with pytest.raises(ConfigError, match="slwo"):
        plan_tier("hourly", context("manual", None, "2", outlets=["slwo"]))
    two_outlets.run("outlet", "pause", "slow", "--reason", "the publisher asked")
    with pytest.raises(ConfigError, match=r"slow is paused by .*the publisher asked.*pressmark outlet resume slow"):
        plan_tier("hourly", context("manual", None, "3", outlets=["slow"]))
    assert plan_tier("hourly", context("manual", None, "4", outlets=["slow", "maps"]))[0]["outlets"] == ["maps"]


def test_hourly_run_retries_outlets_of_other_tiers_after_their_back_off(
    two_outlets: Installation, outlet_file: Callable[..., Path]
) -> None:
    outlet_file("slow", "slow.example", "tier: daily")
    two_outlets.env["PRESSMARK_RESOLVE"] = "slow.example=127.0.0.1:9"
    failed = two_outlets.run("crawl", "slow", check=False)
    assert failed.returncode == 1 and "slow.example refused the connection" in failed.stderr
    assert two_outlets.query("SELECT finish_reason FROM mart.crawl") == [("no_listing",)]

    def planned(run_id: str) -> list[str]:
        return [job["name"] for job in plan_tier("hourly", context("scheduled", HOURS, f"scheduled__{run_id}"))]

    assert planned("1") == ["feeds", "maps"], "it waits for its back-off"
    two_outlets.query("UPDATE ops.endpoint SET next_poll_at = now() - interval '1 second'")
    assert planned("2") == ["feeds", "maps", "slow"]
    two_outlets.query("UPDATE ops.crawl SET finish_reason = 'finished'")
    assert planned("3") == ["feeds", "maps"]


def test_empty_tier_succeeds_and_logs_the_reason(two_outlets: Installation, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert plan_tier("daily", context("scheduled", HOURS)) == []
    assert "No outlet of the tier daily is enabled" in caplog.text
    assert audit_run("crawl_daily", "r")["outlets"] == 0


def test_job_names_are_shortened() -> None:
    assert job_name(["a", "b"]) == "a, b"
    many = job_name([f"outlet-number-{n}" for n in range(40)])
    assert len(many) < 230 and many.startswith("outlet-number-0, ") and many.endswith(" more")
    shown = many.rsplit(" and ", 1)[0].count(",") + 1
    assert many.endswith(f" and {40 - shown} more")


def test_old_logs_are_deleted(tmp_path: Path) -> None:
    old, young = tmp_path / "dag_id=a" / "run_id=1" / "1.log", tmp_path / "dag_id=a" / "run_id=2" / "1.log"
    for file in (old, young):
        file.parent.mkdir(parents=True)
        file.write_text("x")
    os.utime(old, (0, 0))
    assert clean_logs(tmp_path, datetime(2026, 1, 1, tzinfo=UTC)) == 1
    assert not old.parent.exists() and young.exists()
    assert clean_logs(tmp_path / "none", datetime(2026, 1, 1, tzinfo=UTC)) == 0


def test_admin_password_is_written_to_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    write_password({})
    assert not file.exists()
    for password in ("one", "two"):
        named = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(file)}
        write_password({"PRESSMARK_ADMIN_PASSWORD": password, **named})
        assert file.read_text() == f'{{"admin": "{password}"}}' and file.stat().st_mode & 0o777 == 0o600
