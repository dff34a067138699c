"""`pressmark newsstand` serves the sample sites, and `pressmark up` notices when nothing does."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

from pressmark.airflow.service import free_port
from pressmark.cli.newsstand import DEFAULT_PORT, unserved, write_environment
from pressmark.newsstand import OUTLETS
from pressmark.newsstand.server import Newsstand
from pressmark.registry import Registry, load_registry
from pressmark.settings import PROJECT_ROOT
from tests.conftest import Installation


def test_sample_sites_are_served_until_interrupted(installation: Installation) -> None:
    port = free_port()
    server = subprocess.Popen(
        installation.command("newsstand", "--port", str(port)), env=installation.environment(), cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        printed = [next(server.stdout) for _ in range(6)]
        variables = dict(
            line.strip().removeprefix("export ").split("=", 1) for line in printed if line.strip().startswith("export")
        )
        assert Path(variables["PRESSMARK_OUTLETS"]) == OUTLETS
        installation.env = variables
        outlets = load_registry(installation.settings).outlets.values()
        assert unserved(outlets, installation.settings) == []
        assert installation.outcomes("tagesblick") == {"new": 10}
        second = installation.run("newsstand", "--port", str(port), check=False)
        assert second.returncode == 2 and f"Port {port} is not available" in second.stderr
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert len(unserved(outlets, installation.settings)) == len(outlets), "no sample site is served after the interrupt"


def test_outlets_of_real_sites_are_not_reported(installation: Installation) -> None:
    outlets = Registry(PROJECT_ROOT / "outlets").outlets.values()
    assert unserved(outlets, installation.settings) == []


def test_environment_file_of_the_demo_can_be_sourced(tmp_path: Path) -> None:
    path = write_environment(tmp_path)
    script = f'. {path} && printf \'%s\\n\' "$PRESSMARK_HOME" "$PRESSMARK_RESOLVE" && command -v pressmark'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/bin"})
    home, resolve, program = done.stdout.splitlines()
    assert Path(home) == tmp_path and Path(program).name == "pressmark"
    assert resolve == Newsstand.resolve_value(DEFAULT_PORT)


def test_newsstand_listens_on_the_given_port(tmp_path: Path) -> None:
    port = free_port()
    site = Newsstand(tmp_path / "access.log", port=port)
    site.start()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            assert site.port == port
    finally:
        site.stop()
