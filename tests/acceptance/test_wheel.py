"""The wheel runs without the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from pressmark.settings import PROJECT_ROOT


@pytest.mark.long
def test_wheel_in_an_empty_environment_runs_the_demo(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "build", "--quiet", "--wheel", "-o", tmp_path / "dist"], cwd=PROJECT_ROOT, check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, wheel], check=True)
    place = tmp_path / "elsewhere"
    place.mkdir()
    environment = {"HOME": str(place), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": ""}

    def run(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command], cwd=place, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pressmark = python.with_name("pressmark")
    assert str(PROJECT_ROOT) not in run(f"{python} -c 'import pressmark, spiders; print(pressmark, spiders)'")
    assert "southfront" in run(f"{pressmark} outlet list"), "the sample outlets are in the wheel"
    try:
        shown = run(f"{pressmark} demo")
        assert "127 articles, 125 without copies" in shown
        example = next(line for line in shown.splitlines() if "pressmark psql -f" in line)
        assert str(PROJECT_ROOT) not in example
        assert "challenge_page" in run(f". .pressmark-demo/env.sh && {example}")
    finally:
        run(". .pressmark-demo/env.sh && pressmark down")
    assert sorted(path.name for path in place.iterdir() if not path.name.startswith(".cache")) == [".pressmark-demo"]
