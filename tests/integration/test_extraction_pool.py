"""Extraction workers: they have a timeout, are replaced when killed, and end with their parent process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from pressmark.archive.records import Response, body_digest
from pressmark.archive.spool import Spool, SpoolPointer
from pressmark.extraction.fields import ExtractionConfig
from pressmark.extraction.pool import ExtractionPool
from tests.site import PROSE, article

CONFIG = ExtractionConfig("test", "Test", "http://test.example/", ("test.example",), ("en",), "UTC")


def spooled(folder: Path, body: bytes) -> SpoolPointer:
    response = Response(
        uuid4(),
        "http://test.example/a",
        datetime.now(UTC),
        200,
        (("Content-Type", "text/html"),),
        body,
        body_digest(body),
    )
    return Spool(folder / f"{uuid4()}.spool").append(response)


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    pool = ExtractionPool(1, timeout=2)
    yield pool
    pool.close()


def test_page_that_exceeds_the_timeout_is_stopped(pool: ExtractionPool, tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>{PROSE[0]}</td></tr>" for _ in range(60_000))
    slow = spooled(tmp_path, f"<html><body><table>{rows}</table></body></html>".encode())
    begin = time.monotonic()
    extraction = pool.extract_now(slow, CONFIG, 10**8)
    assert (extraction.outcome, extraction.stage) == ("extraction_timeout", "extract")
    assert time.monotonic() - begin < 20, "the page would take minutes"
    assert pool.extract_now(spooled(tmp_path, article("The next page", *PROSE).body), CONFIG, 10**8).outcome is None


def test_killed_worker_is_replaced(pool: ExtractionPool, tmp_path: Path) -> None:
    good = spooled(tmp_path, article("A good story", *PROSE).body)
    assert pool.extract_now(good, CONFIG, 10**8).outcome is None
    for child in psutil.Process().children(recursive=True):
        if "forkserver" in " ".join(child.cmdline()) and child.parent().pid != os.getpid():  # type: ignore[union-attr]
            child.send_signal(signal.SIGKILL)
    assert pool.extract_now(good, CONFIG, 10**8).outcome is None


def test_workers_end_with_their_parent_process(tmp_path: Path) -> None:
    program = (
        "import time; from pressmark.extraction.pool import ExtractionPool\n"
        "if __name__ == '__main__':\n    p = ExtractionPool(2); p.warm_up(); time.sleep(3)\n"
        "    print('up', flush=True); time.sleep(60)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None and parent.stdout.readline() == "up\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 3
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
