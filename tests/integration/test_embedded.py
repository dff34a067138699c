"""The embedded server: two homes on one machine, crashes, a missing socket, access, stop."""

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


def test_servers_of_two_homes_are_independent(installation: Installation, server: EmbeddedServer) -> None:
    begin = time.monotonic()
    assert server.ensure_running() is True
    assert time.monotonic() - begin < 30
    assert server.ensure_running() is False
    other = installation.warehouse.embedded
    assert other is not None and other.places.data != server.places.data
    assert server.stop() and not server.is_running()
    assert other.is_running() and not server.stop()


def test_killed_server_is_restarted(server: EmbeddedServer) -> None:
    server.ensure_running()
    pid = int((server.places.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    assert EmbeddedServer(server.home).ensure_running() is True
    assert server.is_running()


def test_server_outlives_the_process_that_started_it(server: EmbeddedServer) -> None:
    program = (
        "import sys; from pathlib import Path; from pressmark.warehouse.embedded import EmbeddedServer\n"
        f"EmbeddedServer(Path({str(server.home)!r})).ensure_running(); print('up', flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None and parent.stdout.readline() == "up\n"
    parent.kill()
    parent.wait()
    assert server.is_running()


def test_server_is_reachable_only_by_its_owner_through_the_socket(server: EmbeddedServer) -> None:
    server.ensure_running()
    assert stat.S_IMODE(server.places.sockets.stat().st_mode) == 0o700
    pid = int((server.places.data / "postmaster.pid").read_text().splitlines()[0])
    listening = [c for c in psutil.Process(pid).net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
    assert listening == [], "the server listens on a network address"


def test_server_whose_socket_was_deleted_is_restarted(server: EmbeddedServer) -> None:
    # The old server of a deleted and recreated folder does this when it notices the deletion.
    server.ensure_running()
    before = psutil.Process(int((server.places.data / "postmaster.pid").read_text().splitlines()[0]))
    (server.places.sockets / ".s.PGSQL.5432").unlink()
    assert server.ensure_running() is True and server.is_running()
    assert not before.is_running()
