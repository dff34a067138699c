"""Programs of Debian packages that some tests need. They are installed if possible; otherwise the test is skipped."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def needs_debian_package(package: str, program: str) -> str:
    """Return the path of a program, after installing its package if necessary. Skips the test if that is impossible."""
    if (found := _which(program)) is None and shutil.which("apt-get") and os.geteuid() == 0:
        with (Path(tempfile.gettempdir()) / "pressmark-apt.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _which(program) is None:
                for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
                    # Services are not started: the tests start what they need, with other settings.
                    subprocess.run(
                        ["apt-get", *command], check=False, capture_output=True,
                        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
                    )  # fmt: skip
        found = _which(program)
    if found is None:
        pytest.skip(f"{program} is not installed, and its Debian package {package} cannot be installed here")
    return found


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
