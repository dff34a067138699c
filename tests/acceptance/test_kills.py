"""Killed at any moment and run again, the warehouse says the same as one that was left in peace."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pressmark.failpoints import POINTS
from pressmark.newsstand import OUTLETS as FOLDER
from pressmark.newsstand.server import Newsstand
from pressmark.newsstand.server import running as newsstand_running
from tests.acceptance.test_newsstand import OUTLETS, check_archive
from tests.conftest import Line, process_command

SEED = int(os.environ.get("PRESSMARK_TEST_SEED", "0")) or random.randrange(1, 10**6)
# The delay is longer than the newsstand's own, so that a kill meets a crawl in the middle of its work.
RANDOM_KILLS = 10


@pytest.fixture(scope="module")
def undisturbed(session_pipeline: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, str]]:
    """Fingerprints of both editions, crawled in peace."""
    line = session_pipeline
    line.empty()
    with newsstand_running(tmp_path_factory.mktemp("peace") / "access.log") as stand:
        line.env = {"PRESSMARK_OUTLETS": str(FOLDER), "PRESSMARK_RESOLVE": stand.resolve}
        line.crawl(*OUTLETS)
        first = line.fingerprint()
        stand.advance()
        time.sleep(1.1)
        line.crawl(*OUTLETS)
        yield {1: first, 2: line.fingerprint()}


def processes(line: Line) -> list[psutil.Process]:
    """Processes of the line's home: the command line, crawl processes, workers."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PRESSMARK_HOME") == str(line.home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_until_alone(line: Line, seconds: float = 10) -> None:
    """No process of the home is left."""
    deadline = time.monotonic() + seconds
    while left := processes(line):
        assert time.monotonic() < deadline, f"orphans: {[(p.pid, process_command(p)) for p in left]}"
        time.sleep(0.1)


def settle_and_compare(line: Line, expected: str) -> None:
    """Crawl again and compare; nothing that was committed is lost, every pointer reads back."""
    committed = set(line.query("SELECT segment_id FROM ops.segment"))
    line.crawl(*OUTLETS)
    assert line.fingerprint() == expected
    check_archive(line)
    assert committed <= set(line.query("SELECT segment_id FROM ops.segment WHERE state = 'loaded'"))
    ((open_candidates, unfinished, staged, bad),) = line.query(
        "SELECT (SELECT count(*) FROM ops.candidate WHERE outcome IS NULL), "
        "(SELECT count(*) FROM ops.crawl WHERE finished_at IS NULL), (SELECT count(*) FROM staging.capture), "
        "(SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok) + (SELECT count(*) FROM staging.cluster_queue)"
    )
    assert (open_candidates, unfinished, staged, bad) == (0, 0, 0, 0)
    assert list((line.home / "spool").glob("*")) == []
    wait_until_alone(line)


# The first time that each point is reached, and in the middle of the work.
@pytest.mark.parametrize(
    ("point", "count"), [*((point, 1) for point in POINTS), ("after_fetch", 17), ("within_load", 2)]
)
def test_killed_at_a_named_point(
    line: Line, newsstand: Newsstand, undisturbed: dict[int, str], point: str, count: int
) -> None:
    done = line.run("crawl", *OUTLETS, check=False, PRESSMARK_FAILPOINT=f"{point}:{count}")
    assert done.returncode != 0, "the point was not reached"
    wait_until_alone(line)
    settle_and_compare(line, undisturbed[1])


@pytest.mark.parametrize("point", ["archived_not_committed", "within_load"])
def test_killed_in_the_second_edition(
    line: Line, newsstand: Newsstand, undisturbed: dict[int, str], point: str
) -> None:
    line.crawl(*OUTLETS)
    newsstand.advance()
    time.sleep(1.1)
    assert line.run("crawl", *OUTLETS, check=False, PRESSMARK_FAILPOINT=f"{point}:2").returncode != 0
    settle_and_compare(line, undisturbed[2])


def _crawl_process(line: Line) -> psutil.Process | None:
    return next((p for p in processes(line) if "spiders.job" in process_command(p)), None)


def _worker(line: Line) -> psutil.Process | None:
    workers = [p for p in processes(line) if any("forkserver" in part for part in process_command(p))]
    return random.choice(workers) if workers else None


def _backend(line: Line) -> psutil.Process | None:
    rows = line.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pressmark %' AND pid <> pg_backend_pid()"
    )
    return psutil.Process(random.choice(rows)[0]) if rows else None


def _postmaster(line: Line) -> psutil.Process | None:
    server = line.warehouse.embedded
    assert server is not None
    pid = int((server.places.data / "postmaster.pid").read_text().splitlines()[0])
    return psutil.Process(pid)


def _command(line: Line) -> psutil.Process | None:
    return next((p for p in processes(line) if "pressmark.cli" in process_command(p)), None)


VICTIMS: dict[str, Callable[[Line], psutil.Process | None]] = {
    "crawl": _crawl_process,
    "worker": _worker,
    "backend": _backend,
    "postmaster": _postmaster,
    "command": _command,
}


def kill_after(line: Line, seconds: float, victim: str, log: Path) -> str:
    """Crawl, and kill the victim so many seconds after the crawl process has begun; says what was hit."""
    with log.open("w") as output:
        process = subprocess.Popen(
            line.command("crawl", *OUTLETS),
            env=line.environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        hit = "nothing"
        deadline = time.monotonic() + 20
        while _crawl_process(line) is None and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(seconds)
        if process.poll() is None:
            with contextlib.suppress(psutil.Error):  # it may have just ended
                if (target := VICTIMS[victim](line)) is not None:
                    target.send_signal(signal.SIGKILL)
                    hit = f"{victim} {target.pid}"
        process.wait(120)
    return hit


@pytest.mark.parametrize("number", range(RANDOM_KILLS))
def test_killed_at_random(
    line: Line, newsstand: Newsstand, undisturbed: dict[int, str], number: int, tmp_path: Path
) -> None:
    chance = random.Random(SEED * 1000 + number)
    random.seed(SEED * 1000 + number)
    victim = list(VICTIMS)[number % len(VICTIMS)]
    seconds = chance.uniform(0.2, 3.5)
    print(f"PRESSMARK_TEST_SEED={SEED} number={number}: {victim} after {seconds:.2f} s")
    hit = kill_after(line, seconds, victim, tmp_path / "out.txt")
    print(f"hit {hit}: {(tmp_path / 'out.txt').read_text()[-300:]}")
    settle_and_compare(line, undisturbed[1])
