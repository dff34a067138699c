"""A running Airflow crawls the newsstand: it is started as `pressmark up` starts it, disturbed and stopped."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import pytest

from pressmark.airflow.client import AirflowClient, Run
from pressmark.airflow.pools import CRAWL_POOL
from pressmark.airflow.service import AirflowService, read_health
from pressmark.errors import ServerError
from pressmark.settings import PROJECT_ROOT
from tests.airflow.conftest import FIRST_FOUR, RunningAirflow
from tests.conftest import Installation, process_command

DAG_ID = "crawl_hourly"
pytestmark = pytest.mark.timeout(600)
Value = TypeVar("Value")


def wait(condition: Callable[[], Value | None], seconds: float, failure: str) -> Value:
    """Wait until the condition returns a true value, and return it. Fail with a message after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, failure
        time.sleep(0.2)
    return value


def end_of(airflow: AirflowClient, run: Run, seconds: float = 240) -> Run:
    """Wait for the end of a run. Return its final state.

    Right after the database was killed, Airflow answers 500: its health is that of a moment ago.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            now = airflow.run(run.dag_id, run.run_id)
        except ServerError:
            if time.monotonic() > deadline:
                raise
        else:
            if now.has_ended:
                return now
            if time.monotonic() > deadline:
                raise AssertionError(f"{run.run_id} did not end: {now.state}\n{_task_states(airflow, run)}")
        time.sleep(0.2)


def _task_states(airflow: AirflowClient, run: Run) -> str:
    """Return the state of each task, with the last log lines of those that did not succeed."""
    lines = []
    for task in airflow.tasks(run):
        name, state = f"{task['task_id']} {task['rendered_map_index'] or ''}", task["state"]
        lines.append(f"{name}: {state}, try {task['try_number']}, since {task['start_date']}, pid {task['pid']}")
        if state not in ("success", None) and task["try_number"]:
            log = airflow.log(run, task["task_id"], task["map_index"])
            lines += [f"    {line}" for line in log.splitlines()[-8:]]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def undisturbed(running_airflow: RunningAirflow) -> str:
    """The fingerprint after the scheduled run, which Airflow starts automatically."""
    with AirflowClient(running_airflow.service) as airflow:
        wait(lambda: airflow.runs(DAG_ID), 60, "no scheduled run")
        assert end_of(airflow, airflow.runs(DAG_ID)[0]).state == "success"
    assert running_airflow.installation.query("SELECT count(*) FROM mart.article") == [(40,)]
    return running_airflow.installation.fingerprint()


def test_airflow_is_healthy_and_listens_on_loopback_only(running_airflow: RunningAirflow, undisturbed: str) -> None:
    state = running_airflow.service.state()
    assert state is not None and set(read_health(state.port).values()) == {"healthy"}
    listening = set()
    for process in running_airflow.service.processes():
        with contextlib.suppress(psutil.NoSuchProcess):  # the process of a task may have ended
            listening |= {c.laddr for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert {(address.ip, address.port) for address in listening} == {("127.0.0.1", state.port)}
    for name in ("passwords.json", "secrets.json"):
        assert (running_airflow.service.home / name).stat().st_mode & 0o777 == 0o600
    secrets = [
        running_airflow.service.password(),
        *json.loads((running_airflow.service.home / "secrets.json").read_text()).values(),
    ]
    for folder in (running_airflow.installation.home / "logs", running_airflow.service.home / "logs"):
        for log in folder.rglob("*.log"):
            text = log.read_text(errors="replace")
            assert not any(secret in text for secret in secrets), log
    status = json.loads(running_airflow.installation.run("status", "--json").stdout)
    assert status["airflow"] == {"state": "ready", "url": state.url, "parts": None}
    assert "already running" in running_airflow.installation.run("up", "--detach").stdout


def test_run_shows_tasks_logs_counts_and_the_crawls_page(
    running_airflow: RunningAirflow, airflow: AirflowClient, undisturbed: str
) -> None:
    run = airflow.runs(DAG_ID)[0]
    tasks = airflow.tasks(run)
    assert {(t["state"], t["try_number"]) for t in tasks} == {("success", 1)}, _task_states(airflow, run)
    for task_id in ("job.crawl", "job.load", "job.evaluate"):
        assert {t["rendered_map_index"] for t in tasks if t["task_id"] == task_id} == set(FIRST_FOUR), task_id
    (crawl,) = [t for t in tasks if t["task_id"] == "job.crawl" and t["rendered_map_index"] == "tagesblick"]
    log = airflow.log(run, "job.crawl", crawl["map_index"])
    assert "tagesblick: 1 of 1 crawl succeeded: 10 new" in log and "listed http://tagesblick.newsstand.example" in log
    counts = airflow.xcom(run, "job.crawl", crawl["map_index"])
    assert counts == {"outlets": 1, "failed": 0, "new": 10}
    link = airflow.links(run, "job.crawl", crawl["map_index"])["Crawls"]
    path = link.removeprefix("/plugin/pressmark")  # what Airflow's page shows in its frame
    page = airflow.page(path)
    assert "4 crawls of crawl_hourly" in page and ">tagesblick</a>" in page and "10 new" in page
    assert httpx.get(airflow.url + path).status_code == 401, "the page requires Airflow's login"
    (event,) = airflow.asset_events("news_articles", DAG_ID)
    assert event["outcomes"] == {"new": 40} and event["failed"] == 0
    requests = running_airflow.installation.query(
        "SELECT DISTINCT mode, requested_by, interval_end - interval_start FROM ops.crawl_request WHERE run_id = %s",
        (run.run_id,),  # the schedule may begin another run in the meantime
    )
    assert [(mode, by, str(width)) for mode, by, width in requests] == [
        ("incremental", "Airflow crawl_hourly", "1:00:00")
    ]


@pytest.mark.long
def test_reextraction_and_backfill_run_on_demand(
    running_airflow: RunningAirflow, airflow: AirflowClient, undisturbed: str
) -> None:
    """Trigger both with their forms. Neither changes a warehouse that is already correct."""
    before = len(running_airflow.newsstand.requests())
    file = Path(running_airflow.installation.env["PRESSMARK_OUTLETS"]) / "tagesblick.yaml"
    kept = file.read_text()
    file.write_text(kept + "extraction: {prune: ['//aside']}\n")  # a new extractor, so there are pages to extract again
    run = airflow.trigger("reextract", {"outlets": ["la-plaza", "tagesblick"], "promote": True})
    assert end_of(airflow, run).state == "success", _task_states(airflow, run)
    extract_tasks = {t["rendered_map_index"]: t["map_index"] for t in airflow.tasks(run) if t["task_id"] == "extract"}
    assert set(extract_tasks) == {"la-plaza", "tagesblick"}
    assert "COMPARED" in airflow.log(run, "extract", extract_tasks["tagesblick"])
    (result,) = airflow.xcom(run, "extract", extract_tasks["tagesblick"])
    assert result["pages"] == 10 and result["outlet"] == "tagesblick"
    assert airflow.xcom(run, "promote")["promoted"] == 2
    file.write_text(kept)
    assert len(running_airflow.newsstand.requests()) == before, "a re-extraction sends no requests"
    assert running_airflow.installation.fingerprint() == undisturbed

    form = {"outlets": ["tagesblick"], "since": "2026-03-01", "until": "2026-04-01"}
    run = airflow.trigger("backfill", form)
    assert end_of(airflow, run).state == "success", _task_states(airflow, run)
    assert "PLAN" in airflow.log(run, "plan_backfill")
    assert airflow.xcom(run, "report") == {"state": "dry_run"}, "a dry run is the default"
    run = airflow.trigger("backfill", {**form, "dry_run": False, "force_refetch": True})
    assert end_of(airflow, run).state == "success", _task_states(airflow, run)
    (chunks_task,) = [t for t in airflow.tasks(run) if t["task_id"] == "crawl_and_load"]
    assert chunks_task["rendered_map_index"] == "tagesblick (1 chunk)"
    assert airflow.xcom(run, "crawl_and_load", chunks_task["map_index"]) == {"done": 1}
    assert airflow.xcom(run, "report") == {"state": "done", "outlets": 1}
    assert running_airflow.installation.fingerprint() == undisturbed
    # An impossible backfill fails immediately, with the reason in the log.
    run = airflow.trigger("backfill", {**form, "until": "2026-02-01"})
    assert end_of(airflow, run).state == "failed"
    assert "2026-02-01" in airflow.log(run, "plan_backfill")
    # The daily maintenance is scheduled.
    (maintenance, *_) = airflow.runs("maintain")
    assert end_of(airflow, maintenance).state == "success", _task_states(airflow, maintenance)


def _by_command(running_airflow: RunningAirflow, words: str) -> psutil.Process | None:
    return next((p for p in running_airflow.service.processes() if words in " ".join(process_command(p))), None)


def _scheduler(running_airflow: RunningAirflow) -> psutil.Process | None:
    return _by_command(running_airflow, "airflow scheduler")


def _api_server(running_airflow: RunningAirflow) -> psutil.Process | None:
    return _by_command(running_airflow, "airflow api_server")


def _crawl(running_airflow: RunningAirflow) -> psutil.Process | None:
    return _by_command(running_airflow, "spiders.job")


def _task(running_airflow: RunningAirflow) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        crawl = _crawl(running_airflow)
        return crawl.parent() if crawl else None
    return None


def _suspended_crawl(running_airflow: RunningAirflow) -> psutil.Process | None:
    """Suspend a crawl, so that it and its task run until it is resumed."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if crawl := _crawl(running_airflow):
            crawl.suspend()
            return crawl
    return None


def _postmaster(running_airflow: RunningAirflow) -> psutil.Process | None:
    server = running_airflow.installation.warehouse.embedded
    assert server is not None
    return psutil.Process(int((server.places.data / "postmaster.pid").read_text().splitlines()[0]))


@pytest.mark.parametrize(
    "victim",
    [
        _crawl,
        *(pytest.param(victim, marks=pytest.mark.long) for victim in (_task, _api_server, _scheduler, _postmaster)),
    ],
)
def test_run_succeeds_after_a_process_is_killed(
    running_airflow: RunningAirflow,
    airflow: AirflowClient,
    undisturbed: str,
    victim: Callable[[RunningAirflow], psutil.Process | None],
) -> None:
    running_airflow.installation.empty()
    before = len(running_airflow.newsstand.requests())
    run = airflow.trigger(DAG_ID)
    wait(lambda: len(running_airflow.newsstand.requests()) > before + 12, 60, "nothing was crawled")
    # Between the crawls of two outlets there is neither a crawl nor its task.
    wait(lambda: victim(running_airflow), 60, "there is no such process").kill()
    if victim is _crawl:
        (task, *_) = wait(lambda: _waiting_tasks(airflow, run), 60, "no task waits for its retry")
        assert task["rendered_map_index"] in FIRST_FOUR, "the task keeps its outlet's name"
    wait(lambda: _healthy(running_airflow), 120, "Airflow did not come back")
    # A component that died with the server counts as healthy until its heartbeat is missed, so wait for its successor.
    wait(lambda: _all_registered(running_airflow), 60, "a restarted component is not registered")
    assert end_of(airflow, run, 300).state == "success"
    assert running_airflow.installation.fingerprint() == undisturbed
    assert _crawl(running_airflow) is None, "a crawl was left behind"
    assert running_airflow.installation.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]


def _waiting_tasks(airflow: AirflowClient, run: Run) -> list[dict[str, Any]]:
    """Return the crawl tasks that wait for their retry."""
    return [t for t in airflow.tasks(run) if t["task_id"] == "job.crawl" and t["state"] == "up_for_retry"]


def _healthy(running_airflow: RunningAirflow) -> bool:
    state = running_airflow.service.state()
    try:
        return state is not None and set(read_health(state.port).values()) == {"healthy"}
    except OSError:
        return False


def _all_registered(running_airflow: RunningAirflow) -> bool:
    state = running_airflow.service.state()
    assert state is not None and len(state.sessions) == 4
    return all(psutil.pid_exists(int(number)) for number, _ in state.sessions.values())


@pytest.mark.long
def test_task_marked_failed_ends_its_crawl_and_can_be_cleared(
    running_airflow: RunningAirflow, airflow: AirflowClient, undisturbed: str
) -> None:
    running_airflow.installation.empty()
    before = len(running_airflow.newsstand.requests())
    run = airflow.trigger(DAG_ID)
    wait(lambda: len(running_airflow.newsstand.requests()) > before + 12, 60, "nothing was crawled")
    crawl = wait(lambda: _suspended_crawl(running_airflow), 60, "there is no crawl")
    task = wait(
        lambda: next((t for t in airflow.tasks(run) if t["task_id"] == "job.crawl" and t["state"] == "running"), None),
        60,
        "no crawl is shown as running",
    )
    airflow.set_state(run, "job.crawl", task["map_index"], "failed")
    with contextlib.suppress(psutil.NoSuchProcess):
        crawl.resume()
    assert end_of(airflow, run).state == "success", "one failed outlet of four is within the failure budget"
    wait(lambda: _crawl(running_airflow) is None, 60, "a crawl was left behind")
    airflow.clear(run)
    assert end_of(airflow, run).state == "success"
    assert running_airflow.installation.fingerprint() == undisturbed


@pytest.mark.long
def test_one_slow_outlet_holds_up_neither_the_others_nor_the_next_run(
    running_airflow: RunningAirflow, airflow: AirflowClient, undisturbed: str
) -> None:
    running_airflow.installation.empty()
    first = airflow.trigger(DAG_ID)
    crawl = wait(lambda: _suspended_crawl(running_airflow), 60, "there is no crawl")
    healthy = "SELECT count(*) FROM ops.health WHERE state = 'fresh'"
    wait(lambda: running_airflow.installation.query(healthy) == [(3,)], 120, "the other outlets are not evaluated")
    assert not airflow.run(DAG_ID, first.run_id).has_ended
    second = airflow.trigger(DAG_ID)
    assert end_of(airflow, second, 120).state == "success"
    names = {t["rendered_map_index"] for t in airflow.tasks(second) if t["task_id"] == "job.crawl"}
    assert len(names) == 3 and f"skipped, the run {first.run_id} is still crawling it" in airflow.log(second, "plan")
    assert not airflow.run(DAG_ID, first.run_id).has_ended
    crawl.resume()
    assert end_of(airflow, first).state == "success"
    assert running_airflow.installation.fingerprint() == undisturbed


@pytest.mark.long
def test_log_of_a_failed_crawl_ends_with_one_sentence_and_the_task_keeps_its_name(
    running_airflow: RunningAirflow, airflow: AirflowClient, undisturbed: str
) -> None:
    outlets = Path(running_airflow.installation.env["PRESSMARK_OUTLETS"])
    file = outlets / "tagesblick.yaml"
    kept = file.read_text()
    file.write_text(kept.replace("tagesblick.newsstand.example", "nowhere.newsstand.example"))
    try:
        run = airflow.trigger(DAG_ID, {"outlets": ["tagesblick"]})
        assert end_of(airflow, run).has_ended
    finally:
        file.write_text(kept)
    (task,) = [t for t in airflow.tasks(run) if t["task_id"] == "job.crawl"]
    assert (task["state"], task["try_number"], task["rendered_map_index"]) == ("failed", 1, "tagesblick")
    log = airflow.log(run, "job.crawl", task["map_index"])
    assert "Traceback" not in log and "Error:" not in log, log
    end = [line for line in log.splitlines() if line.strip()][-6:]
    assert any("the host name nowhere.newsstand.example could not be resolved" in line for line in end), end
    running_airflow.installation.query("UPDATE ops.endpoint SET next_poll_at = NULL, failures = 0")


@pytest.mark.long
def test_test_alert_goes_through_the_connection_of_airflow(
    running_airflow: RunningAirflow, airflow: AirflowClient
) -> None:
    nothing = running_airflow.installation.run("test-alert", check=False)
    assert nothing.returncode == 1 and "has no connection pressmark_alerts" in nothing.stderr
    received: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(204)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = {"connection_id": "pressmark_alerts", "conn_type": "slackwebhook", "password": "T0/B0/X",
                      "host": f"http://127.0.0.1:{server.server_address[1]}/services"}  # fmt: skip
        airflow._request("POST", "/api/v2/connections", json=connection)
        sent = running_airflow.installation.run("test-alert")
        server.shutdown()
    airflow._request("PATCH", "/api/v2/connections/pressmark_alerts", json={**connection, "host": "http://127.0.0.1:9"})
    refused = running_airflow.installation.run("test-alert", check=False)
    assert "Sent a test alert through the connection pressmark_alerts (slackwebhook" in sent.stdout
    # A run may have sent an alert too.
    ((path, body),) = [(path, body) for path, body in received if "This is a test." in body["text"]]
    assert path == "/services/T0/B0/X" and list(body) == ["text"]
    assert f"{airflow.url}/plugin/pressmark/pressmark/" in body["text"]
    assert refused.returncode == 1 and "was not sent" in refused.stderr and "T0/B0/X" not in refused.stderr


@pytest.mark.long
def test_scheduler_that_hangs_is_replaced(running_airflow: RunningAirflow, airflow: AirflowClient) -> None:
    scheduler = _scheduler(running_airflow)
    assert scheduler is not None
    scheduler.suspend()

    def is_replaced() -> bool:
        current = _scheduler(running_airflow)
        return current is not None and current.pid != scheduler.pid

    wait(is_replaced, 180, "the scheduler was not replaced")
    wait(lambda: read_health(running_airflow.service.state().port)["scheduler"] == "healthy", 60, "it is not healthy")


@pytest.mark.long
def test_airflow_starts_again_after_its_supervisor_is_killed(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("killed")
    own = Installation(home, {"PRESSMARK_OUTLETS": str(PROJECT_ROOT / "outlets")})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = own.run("up", "--detach", "--port", str(port), check=False)
        assert done.returncode != 0 and f"Port {port} is in use by process" in done.stderr and "--port" in done.stderr
    service = AirflowService(own.settings)
    try:
        process = subprocess.Popen(
            own.command("up", "--port", str(port)), env=own.environment(), cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        wait(lambda: (state := service.state()) and state.ready, 120, "Airflow did not start")
        state = service.state()
        assert state is not None
        with AirflowClient(service) as airflow:
            airflow._request(
                "PATCH",
                f"/api/v2/pools/{CRAWL_POOL}",
                json={"pool": CRAWL_POOL, "slots": 40, "include_deferred": False},
            )
        psutil.Process(state.pid).kill()
        process.communicate(timeout=60)
        assert not service.is_running()
        # Ctrl-C ends everything, including processes that the killed supervisor left.
        process = subprocess.Popen(
            own.command("up", "--port", str(port)), env=own.environment(), cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        wait(
            lambda: service.is_running() and (state := service.state()) and state.ready,
            120,
            "Airflow did not start again",
        )
        with AirflowClient(service) as airflow:
            pool = airflow._request("GET", f"/api/v2/pools/{CRAWL_POOL}")
        assert pool["slots"] == 40, "the operator's number of slots stays"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=90)
        assert process.returncode == 130, output
        assert service.processes() == [] and not service.is_running()
        assert own.warehouse.embedded is not None and not own.warehouse.embedded.is_running()
    finally:
        service.stop()
        assert own.warehouse.embedded is not None
        own.warehouse.embedded.remove()
