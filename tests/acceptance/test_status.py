"""`pressmark status` with a stopped and with a running embedded server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pressmark.newsstand import OUTLETS
from pressmark.newsstand.server import Newsstand
from pressmark.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation

NOT_RUNNING = "The embedded server is not running. Start it with `pressmark up` or any crawl."


@pytest.fixture
def stopped_installation(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose server was never started."""
    yield Installation(tmp_path / "home", {"PRESSMARK_OUTLETS": str(OUTLETS)})
    EmbeddedServer(tmp_path / "home").remove()


def check_stopped(installation: Installation) -> None:
    server = EmbeddedServer(installation.home)
    created = server.is_created()
    shown = installation.run("status")
    assert NOT_RUNNING in shown.stdout and shown.stderr == ""
    assert str(installation.home) in shown.stdout and "airflow: down" in shown.stdout
    assert f"9 in {OUTLETS}, 9 enabled" in shown.stdout
    status = json.loads(installation.run("status", "--json").stdout)
    assert status["server"] == "down" and status["message"] == NOT_RUNNING
    assert status["home"] == str(installation.home)
    assert status["airflow"] == {"state": "down", "url": None, "parts": None}
    assert len(status["outlets"]) == 9 and {"outlet": "tagesblick", "enabled": True} in status["outlets"]
    assert not server.is_running() and server.is_created() == created


def test_status_does_not_start_the_server(stopped_installation: Installation) -> None:
    check_stopped(stopped_installation)
    server = EmbeddedServer(stopped_installation.home)
    server.ensure_running()
    server.stop()
    check_stopped(stopped_installation)


def test_status_reports_a_missing_outlets_folder(stopped_installation: Installation) -> None:
    shown = stopped_installation.run("status", PRESSMARK_OUTLETS="/nowhere")
    assert "/nowhere" in shown.stdout and NOT_RUNNING in shown.stdout
    assert (
        json.loads(stopped_installation.run("status", "--json", PRESSMARK_OUTLETS="/nowhere").stdout)["outlets"] == []
    )


def test_status_of_a_running_server_lists_outlets(installation: Installation, newsstand: Newsstand) -> None:
    installation.crawl("tagesblick")
    shown = installation.run("status").stdout
    assert "server:  running" in shown and NOT_RUNNING not in shown
    status = json.loads(installation.run("status", "--json").stdout)
    assert status["server"] == "up" and "message" not in status
    (row,) = [row for row in status["outlets"] if row["outlet"] == "tagesblick"]
    assert row["articles"] == 10 and row["to_load"] == 0
