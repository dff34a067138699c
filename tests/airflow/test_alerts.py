"""Alerts by webhook and mail. An internal failure sends one alert and does not change the health of any outlet."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pressmark.airflow.alerts import AlertNotifier, send_alerts
from pressmark.airflow.crawl_tasks import audit_run, crawl_job, load_job, plan_tier
from pressmark.errors import PressmarkError, RunFailed
from tests.airflow.test_plan import HOURS, PAGE, context
from tests.conftest import Installation
from tests.site import Answer, WebSite

NAMES = [f"paper{number}" for number in range(1, 6)]
HOSTS = [f"{name}.example" for name in NAMES]


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Run a webhook that the connection points to. Return the received requests as (path, authorization, body)."""
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            self.send_response(500 if "refuse" in self.path else 204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    set_alert_connection(
        monkeypatch, "http", schema="http", port=server.server_address[1], password="token", extra={"path": "/hook"}
    )
    yield received
    server.shutdown()
    server.server_close()


def set_alert_connection(monkeypatch: pytest.MonkeyPatch, kind: str, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PRESSMARK_ALERTS", json.dumps({"conn_type": kind, "host": "127.0.0.1", **fields}))


def test_alerts_are_posted_to_a_webhook(webhook: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    send_alerts("outlets", [])
    assert webhook == []
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/")
    send_alerts("2 outlets", ["a is silent: why", "b is silent: why"], "overview")
    link = "https://airflow.example/plugin/pressmark/pressmark/overview"
    body = {"text": f"Pressmark: 2 outlets\na is silent: why\nb is silent: why\n{link}", "subject": "2 outlets",
            "alerts": ["a is silent: why", "b is silent: why"], "link": link}  # fmt: skip
    assert webhook == [("/hook", "Bearer token", body)]
    AlertNotifier().notify({"dag_run": SimpleNamespace(dag_id="crawl_daily", run_id="scheduled__1")})
    assert webhook[1][2]["alerts"] == ["crawl_daily: run scheduled__1 failed. See the log of its last task."]


@pytest.mark.parametrize("path", ["/refuse", None])
def test_unavailable_webhook_is_logged_and_fails_no_task(
    webhook: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str | None
) -> None:
    connection = json.loads(os.environ["AIRFLOW_CONN_PRESSMARK_ALERTS"])
    connection |= {"extra": {"path": path}} if path else {"port": 9}
    monkeypatch.setenv("AIRFLOW_CONN_PRESSMARK_ALERTS", json.dumps(connection))
    send_alerts("outlets", ["a is silent"])
    assert "ALERT a is silent" in caplog.text
    assert "Cannot send alerts through the connection pressmark_alerts" in caplog.text and "token" not in caplog.text
    assert [request[0] for request in webhook] == ([path] if path else [])


def test_alerts_are_sent_by_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    class Mail(socketserver.StreamRequestHandler):
        """The part of RFC 5321 that is needed to receive one message."""

        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            in_message = False
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                lines.append(line)
                if in_message and line != ".":
                    continue
                answer = {"data": "354 go on", "quit": "221 bye"}.get(line.lower(), "250 ok")
                in_message = line.lower() == "data"
                self.wfile.write(f"{answer}\r\n".encode())
                if line.lower() == "quit":
                    return

    with socketserver.TCPServer(("127.0.0.1", 0), Mail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        set_alert_connection(
            monkeypatch, "smtp", port=port, extra={"to": "editors@paper.example", "from": "pressmark@paper.example"}
        )
        send_alerts("outlets", ["a is silent: no articles since Monday"])
        server.shutdown()
    assert "rcpt to:<editors@paper.example>" in [line.lower() for line in lines]
    assert "Subject: Pressmark: outlets" in lines and "a is silent: no articles since Monday" in lines


@pytest.fixture
def run_tier(
    installation: Installation, site: WebSite, outlet_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Return a function that runs a tier of five outlets as its DAG does. It returns the outlets that failed."""
    for name, host in zip(NAMES, HOSTS, strict=True):
        folder = outlet_file(name, host)
        feed = f"<rss version='2.0'><channel><title>t</title><item><link>http://{host}/a</link></item></channel></rss>"
        site.answers[host, "/feed"] = Answer(feed.encode(), content_type="application/rss+xml")
        site.answers[host, "/a"] = Answer((PAGE + f"<p>{name}</p>").encode())
    installation.env = {"PRESSMARK_OUTLETS": str(folder)}

    def run(run_id: str, *reachable: str) -> list[str]:
        resolve = [f"{host}=127.0.0.1:{site.port if host in reachable else 9}" for host in HOSTS]
        for name, value in installation.environment(PRESSMARK_RESOLVE=",".join(resolve)).items():
            if name.startswith("PRESSMARK_"):
                monkeypatch.setenv(name, value)
        jobs = plan_tier("hourly", context("scheduled", HOURS, run_id))
        job = {"name": "all", "requests": [r for one in jobs for r in one["requests"]], "outlets": NAMES}
        failed: list[str] = []
        try:
            crawl_job(job)
        except PressmarkError as error:
            failed = [name for name in NAMES if f"{name}: " in str(error)]
        load_job(job)
        try:
            audit_run("crawl_hourly", run_id)
        except RunFailed:
            assert failed
        return failed

    return run


def recorded_state(installation: Installation) -> list[Any]:
    """Return the rows that an internal failure must not change."""
    return [
        installation.query("SELECT outlet, state, since FROM ops.health ORDER BY 1"),
        installation.query(
            "SELECT outlet, failures, COALESCE(next_poll_at, now()) <= now() + interval '2 hours' "
            "FROM ops.endpoint ORDER BY 1"
        ),
        installation.query("SELECT url, failures FROM ops.frontier ORDER BY 1"),
        installation.query("SELECT url, gone_at FROM mart.article ORDER BY 1"),
    ]


def open_alerts(installation: Installation) -> list[Any]:
    return installation.query("SELECT cause, outlet FROM ops.alert WHERE closed_at IS NULL ORDER BY 1, 2")


def test_internal_failure_sends_one_alert_and_changes_no_outlet(
    installation: Installation,
    site: WebSite,
    run_tier: Callable[..., list[str]],
    webhook: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRESSMARK_HEARTBEAT_URL", f"http://127.0.0.1:{site.port}/beat/{{tier}}")
    installation.env["PRESSMARK_HEARTBEAT_URL"] = f"http://127.0.0.1:{site.port}/beat/{{tier}}"
    assert run_tier("well", *HOSTS) == []
    before = recorded_state(installation)
    assert len(before[0]) == 5 and webhook == []

    # Three of five do not respond: this is an internal failure, and no outlet changes its state.
    assert run_tier("down", *HOSTS[:2]) == NAMES[2:]
    assert recorded_state(installation) == before
    assert open_alerts(installation) == [("internal_failure", None)]
    ((_, _, body),) = webhook
    (message,) = body["alerts"]
    assert "3 of 5 outlets failed in the same run" in message and "probably internal" in message
    # The same failure does not send another alert.
    assert run_tier("still down", *HOSTS[:2]) == NAMES[2:]
    assert len(webhook) == 1 and recorded_state(installation) == before

    # A single failing outlet gets its own alert, and the internal failure is over.
    assert run_tier("one", *HOSTS[:4]) == ["paper5"]
    assert open_alerts(installation) == [("failing", "paper5")]
    assert [(body["subject"], body["alerts"]) for _, _, body in webhook[1:]] == [
        ("paper5 is failing", [installation.query("SELECT message FROM ops.alert WHERE outlet = 'paper5'")[0][0]]),
        ("internal failure is over", ["internal failure is over"]),
    ]
    assert webhook[1][2]["link"].endswith("/pressmark/outlet?id=paper5")
    # The end of an alert is sent once.
    assert run_tier("well again", *HOSTS) == [] and open_alerts(installation) == []
    assert run_tier("still well", *HOSTS) == []
    assert [body["alerts"] for _, _, body in webhook[3:]] == [["paper5 is no longer failing"]]
    assert [r["path"] for r in site.requests if r["path"].startswith("/beat")] == ["/beat/hourly"] * 6


def test_unreachable_control_url_marks_an_internal_failure(
    installation: Installation, site: WebSite, run_tier: Callable[..., list[str]], webhook: list[Any]
) -> None:
    control = f"http://127.0.0.1:{site.port}/control"
    installation.env["PRESSMARK_CONTROL_URL"] = control
    site.answers["127.0.0.1", "/control"] = Answer(b"down", 503)
    assert run_tier("down", *HOSTS[1:]) == ["paper1"]
    assert installation.query("SELECT count(*) FROM ops.health") == [(0,)]
    assert open_alerts(installation) == [("internal_failure", None)]
    assert control in webhook[0][2]["alerts"][0]
    site.answers["127.0.0.1", "/control"] = Answer(b"fine")
    assert run_tier("well", *HOSTS) == []
    assert open_alerts(installation) == []
    assert [body["alerts"] for _, _, body in webhook[1:]] == [["internal failure is over"]]
