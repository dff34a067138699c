"""Alerts reach a webhook and a mail server; when it is our side, one alert says so and no outlet is held to account."""

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
from airflow.sdk.exceptions import AirflowFailException

from pressmark.airflow.alerts import AlertNotifier, send_alerts
from pressmark.airflow.crawl_tasks import audit_run, crawl_job, load_job, plan_tier
from pressmark.errors import PressmarkError
from tests.airflow.test_plan import HOURS, PAGE, context
from tests.conftest import Installation
from tests.site import Answer, WebSite

NAMES = [f"paper{number}" for number in range(1, 6)]
HOSTS = [f"{name}.example" for name in NAMES]


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A real address that alerts are posted to by the connection; gives what came: (path, authorization, body)."""
    came: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            self.send_response(500 if "refuse" in self.path else 204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connect(
        monkeypatch, "http", schema="http", port=server.server_address[1], password="token", extra={"path": "/hook"}
    )
    yield came
    server.shutdown()
    server.server_close()


def connect(monkeypatch: pytest.MonkeyPatch, kind: str, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PRESSMARK_ALERTS", json.dumps({"conn_type": kind, "host": "127.0.0.1", **fields}))


def test_a_webhook(webhook: list[Any]) -> None:
    send_alerts("outlets", [])
    assert webhook == []
    send_alerts("outlets", ["a is silent: why", "b is blocked: why"])
    body = {"text": "outlets\na is silent: why\nb is blocked: why", "subject": "outlets",
            "alerts": ["a is silent: why", "b is blocked: why"]}  # fmt: skip
    assert webhook == [("/hook", "Bearer token", body)]
    AlertNotifier().notify({"dag_run": SimpleNamespace(dag_id="crawl_daily", run_id="scheduled__1")})
    assert webhook[1][2]["alerts"] == ["crawl_daily: run scheduled__1 failed. See the log of its last task."]


@pytest.mark.parametrize("path", ["/refuse", None])
def test_a_webhook_that_refuses_or_is_not_there_fails_no_task(
    webhook: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str | None
) -> None:
    given = json.loads(os.environ["AIRFLOW_CONN_PRESSMARK_ALERTS"])
    given |= {"extra": {"path": path}} if path else {"port": 9}
    monkeypatch.setenv("AIRFLOW_CONN_PRESSMARK_ALERTS", json.dumps(given))
    send_alerts("outlets", ["a is silent"])
    assert "ALERT a is silent" in caplog.text
    assert "Cannot send alerts through the connection pressmark_alerts" in caplog.text and "token" not in caplog.text
    assert [came[0] for came in webhook] == ([path] if path else [])


def test_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Mail(socketserver.StreamRequestHandler):
        """As much of RFC 5321 as taking one message needs."""

        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            taking = False
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                said.append(line)
                if taking and line != ".":
                    continue
                answer = {"data": "354 go on", "quit": "221 bye"}.get(line.lower(), "250 ok")
                taking = line.lower() == "data"
                self.wfile.write(f"{answer}\r\n".encode())
                if line.lower() == "quit":
                    return

    with socketserver.TCPServer(("127.0.0.1", 0), Mail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        connect(monkeypatch, "smtp", port=port, extra={"to": "desk@paper.example", "from": "pressmark@paper.example"})
        send_alerts("outlets", ["a is silent: no articles since Monday"])
        server.shutdown()
    assert "rcpt to:<desk@paper.example>" in [line.lower() for line in said]
    assert "Subject: Pressmark: outlets" in said and "a is silent: no articles since Monday" in said


@pytest.fixture
def papers(
    installation: Installation, site: WebSite, outlet_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Gives a function that has a tier of five outlets run as its DAG does, and returns who failed."""
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
        except AirflowFailException:
            assert failed
        return failed

    return run


def standing(installation: Installation) -> list[Any]:
    return [
        installation.query("SELECT outlet, state, since FROM ops.health ORDER BY 1"),
        installation.query(
            "SELECT outlet, failures, COALESCE(next_poll_at, now()) <= now() + interval '2 hours' FROM ops.endpoint ORDER BY 1"
        ),
        installation.query("SELECT url, failures FROM ops.frontier ORDER BY 1"),
        installation.query("SELECT url, gone_at FROM mart.article ORDER BY 1"),
    ]


def open_alerts(installation: Installation) -> list[Any]:
    return installation.query("SELECT cause, outlet FROM ops.alert WHERE closed_at IS NULL ORDER BY 1, 2")


def test_our_side(
    installation: Installation,
    site: WebSite,
    papers: Callable[..., list[str]],
    webhook: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRESSMARK_HEARTBEAT_URL", f"http://127.0.0.1:{site.port}/beat/{{tier}}")
    installation.env["PRESSMARK_HEARTBEAT_URL"] = f"http://127.0.0.1:{site.port}/beat/{{tier}}"
    assert papers("well", *HOSTS) == []
    before = standing(installation)
    assert len(before[0]) == 5 and webhook == []

    # Three of five give no answer: nobody is blamed.
    assert papers("down", *HOSTS[:2]) == NAMES[2:]
    assert standing(installation) == before
    assert open_alerts(installation) == [("internal_failure", None)]
    ((_, _, told),) = webhook
    (message,) = told["alerts"]
    assert "3 of 5 outlets failed in the same run" in message and "probably internal" in message
    # Once more: it has been told already.
    assert papers("still down", *HOSTS[:2]) == NAMES[2:]
    assert len(webhook) == 1 and standing(installation) == before

    # One alone is its own matter, and our side is well again.
    assert papers("one", *HOSTS[:4]) == ["paper5"]
    assert open_alerts(installation) == [("failing", "paper5")]
    assert [told["alerts"] for _, _, told in webhook[1:]] == [
        [installation.query("SELECT message FROM ops.alert WHERE outlet = 'paper5'")[0][0]]
    ]
    assert [r["path"] for r in site.requests if r["path"].startswith("/beat")] == ["/beat/hourly"] * 4


def test_a_control_host(
    installation: Installation, site: WebSite, papers: Callable[..., list[str]], webhook: list[Any]
) -> None:
    control = f"http://127.0.0.1:{site.port}/control"
    installation.env["PRESSMARK_CONTROL_URL"] = control
    site.answers["127.0.0.1", "/control"] = Answer(b"down", 503)
    assert papers("down", *HOSTS[1:]) == ["paper1"]
    assert installation.query("SELECT count(*) FROM ops.health") == [(0,)]
    assert open_alerts(installation) == [("internal_failure", None)]
    assert control in webhook[0][2]["alerts"][0]
    site.answers["127.0.0.1", "/control"] = Answer(b"fine")
    assert papers("well", *HOSTS) == []
    assert open_alerts(installation) == [] and len(webhook) == 1
