"""Test corpora stored outside the repository, unpacked once per session."""

from __future__ import annotations

import atexit
import functools
import shutil
import tarfile
import tempfile
from pathlib import Path

from tests.conftest import shared_folder


@functools.cache
def _unpacked(archive: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pressmark-corpora-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def corpora() -> Path:
    """Return the folder with feeds, robots, compressed, sitemaps and strings. Skips the test if it is missing."""
    return _unpacked(shared_folder("corpora") / "corpora.tar.xz")


def bench_pack(name: str) -> Path:
    """Return the folder of a benchmark pack. Skips the test if it is missing."""
    return _unpacked(shared_folder("bench") / f"{name}.tar.xz")
