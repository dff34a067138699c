"""The corpora kept beside the project, unpacked once a session."""

from __future__ import annotations

import functools
import tarfile
import tempfile
from pathlib import Path

from tests.conftest import shared_folder


@functools.cache
def _unpacked(archive: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pressmark-corpora-"))
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def corpora() -> Path:
    """Folder with feeds, robots, compressed, sitemaps, strings; skips the test where it is absent."""
    return _unpacked(shared_folder("corpora") / "corpora.tar.xz")


def bench_pack(name: str) -> Path:
    """Folder of a benchmark pack; skips the test where it is absent."""
    return _unpacked(shared_folder("bench") / f"{name}.tar.xz")
