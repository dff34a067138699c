"""The embedded server: two homes side by side, a crash, a stale lock, a stop."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pressmark.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path / "another home's folder")
    yield server
    server.remove()


def test_two_homes_do_not_disturb_each_other(installation: Installation, server: EmbeddedServer) -> None:
    begin = time.monotonic()
    assert server.ensure_running() is True
    assert time.monotonic() - begin < 30
    assert server.ensure_running() is False
    mine = installation.warehouse.embedded
    assert mine is not None and mine.places.data != server.places.data
    assert server.stop() and not server.is_running()
    assert mine.is_running() and not server.stop()


def test_a_killed_server_comes_back(server: EmbeddedServer) -> None:
    server.ensure_running()
    pid = int((server.places.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    assert EmbeddedServer(server.home).ensure_running() is True
    assert server.is_running()


def test_it_outlives_its_starter(server: EmbeddedServer) -> None:
    program = (
        "import sys; from pathlib import Path; from pressmark.warehouse.embedded import EmbeddedServer\n"
        f"EmbeddedServer(Path({str(server.home)!r})).ensure_running(); print('up', flush=True); sys.stdin.read()"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None and starter.stdout.readline() == "up\n"
    starter.kill()
    starter.wait()
    assert server.is_running()


def test_nobody_else_gets_in(server: EmbeddedServer) -> None:
    server.ensure_running()
    assert stat.S_IMODE(server.places.sockets.stat().st_mode) == 0o700
    pid = int((server.places.data / "postmaster.pid").read_text().splitlines()[0])
    listening = [c for c in psutil.Process(pid).net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
    assert listening == [], "no network address, only the socket"


def test_a_server_whose_socket_was_taken_away_is_started_anew(server: EmbeddedServer) -> None:
    # As by the server of a folder that was deleted and made anew, when it notices.
    server.ensure_running()
    before = psutil.Process(int((server.places.data / "postmaster.pid").read_text().splitlines()[0]))
    (server.places.sockets / ".s.PGSQL.5432").unlink()
    assert server.ensure_running() is True and server.is_running()
    assert not before.is_running()
