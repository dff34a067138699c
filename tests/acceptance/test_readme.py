"""README: its commands work as printed, and its links lead to existing files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pressmark.cli import COMMANDS
from pressmark.settings import PROJECT_ROOT
from pressmark.warehouse.embedded import EmbeddedServer

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"^(\.|pressmark) .*$", re.MULTILINE)


def shell_blocks() -> list[str]:
    """Return the ```sh blocks. The tests run everything in them except the make targets."""
    return re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_links_lead_to_existing_files() -> None:
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert targets and [target for target in targets if not (PROJECT_ROOT / target).exists()] == []


def test_commands_in_the_text_exist() -> None:
    names = set(re.findall(r"pressmark ([a-z]+)", README)) - {"on"}
    assert names <= set(COMMANDS), names - set(COMMANDS)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_commands_work_in_a_new_shell_after_the_demo(tmp_path: Path) -> None:
    """Run the demo in its own home, then every command of the README in one new shell."""
    home = tmp_path / "demo"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PRESSMARK_", "AIRFLOW"))}
    environment["PATH"] = os.defpath
    try:
        demo = subprocess.run(
            [Path(sys.prefix) / "bin" / "pressmark", "demo", "--home", home],
            env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert demo.returncode == 0, demo.stdout + demo.stderr
        commands = [line for block in shell_blocks() for line in COMMAND.findall(block) if line]
        script = "\n".join(m[0] for block in shell_blocks() for m in COMMAND.finditer(block))
        assert len(commands) >= 4
        done = subprocess.run(
            ["/bin/sh", "-e"], input=script.replace(".pressmark-demo", str(home)),
            env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "harbour-dispatch" in done.stdout and "Traceback" not in done.stderr
    finally:
        EmbeddedServer(home).remove()
