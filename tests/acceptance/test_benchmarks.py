"""The benchmarks run, on small numbers. What they measure is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from pressmark.settings import PROJECT_ROOT


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("warehouse.py", "--sizes", "2000"), "questions_ms"),
        (("outlets.py", "--outlets", "30", "--listings", "20"), "seconds"),
        (("many_urls.py", "--urls", "200"), "all_new"),
    ],
)
def test_benchmark_runs(command: tuple[str, ...], key: str) -> None:
    done = subprocess.run(
        [sys.executable, PROJECT_ROOT / "benchmarks" / command[0], *command[1:], "--json"],
        cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    result: Any = json.loads(done.stdout.strip().splitlines()[-1])
    assert (result[0] if isinstance(result, list) else result)[key]
