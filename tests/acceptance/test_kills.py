"""After a kill at any point and another crawl, the warehouse equals one whose crawl was not disturbed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pressmark.failpoints import POINTS
from pressmark.newsstand.server import Newsstand
from tests.acceptance.test_newsstand import OUTLETS, check_archive
from tests.conftest import Installation, fingerprints_of_editions, process_command

SEED = int(os.environ.get("PRESSMARK_TEST_SEED", "0")) or random.randrange(1, 10**6)
RANDOM_KILLS = 10


@pytest.fixture(scope="module")
def undisturbed(session_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Fingerprints of both editions, crawled without a kill."""
    session_installation.empty()
    return fingerprints_of_editions(
        session_installation, OUTLETS, tmp_path_factory.mktemp("undisturbed") / "access.log"
    )


def processes(installation: Installation) -> list[psutil.Process]:
    """Return the processes of the installation's home: the command line, crawl processes, workers."""
    running = []
    for process in psutil.process_iter():
        try:
            if (
                process.environ().get("PRESSMARK_HOME") == str(installation.home)
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                running.append(process)
        except (psutil.Error, OSError):
            continue
    return running


def wait_until_alone(installation: Installation, seconds: float = 10) -> None:
    """Wait until no process of the home is left. Fail if one is left after `seconds`."""
    deadline = time.monotonic() + seconds
    while left := processes(installation):
        assert time.monotonic() < deadline, f"orphans: {[(p.pid, process_command(p)) for p in left]}"
        time.sleep(0.1)


def settle_and_compare(installation: Installation, expected: str) -> None:
    """Crawl again. Check the fingerprint, that committed segments are loaded, and that every archive pointer works."""
    committed = set(installation.query("SELECT segment_id FROM ops.segment"))
    installation.crawl(*OUTLETS)
    assert installation.fingerprint() == expected
    check_archive(installation)
    assert committed <= set(installation.query("SELECT segment_id FROM ops.segment WHERE state = 'loaded'"))
    ((open_candidates, unfinished, staged, bad),) = installation.query(
        "SELECT (SELECT count(*) FROM ops.candidate WHERE outcome IS NULL), "
        "(SELECT count(*) FROM ops.crawl WHERE finished_at IS NULL), (SELECT count(*) FROM staging.capture), "
        "(SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok) + (SELECT count(*) FROM staging.cluster_queue)"
    )
    assert (open_candidates, unfinished, staged, bad) == (0, 0, 0, 0)
    assert list((installation.home / "spool").glob("*")) == []
    wait_until_alone(installation)


# Kill at the first pass of each point, and twice in the middle of a crawl or load.
@pytest.mark.parametrize(
    ("point", "count"), [*((point, 1) for point in POINTS), ("after_fetch", 17), ("within_load", 2)]
)
def test_crawl_killed_at_a_failpoint_recovers(
    installation: Installation, newsstand: Newsstand, undisturbed: dict[int, str], point: str, count: int
) -> None:
    done = installation.run("crawl", *OUTLETS, check=False, PRESSMARK_FAILPOINT=f"{point}:{count}")
    assert done.returncode != 0, "the failpoint was not reached"
    wait_until_alone(installation)
    settle_and_compare(installation, undisturbed[1])


def test_crawl_that_seems_alive_a_little_longer_than_its_lock_is_closed(
    installation: Installation, newsstand: Newsstand, undisturbed: dict[int, str]
) -> None:
    """A process that dies soon after its start has taken its `alive` lock seconds after the lock of the crawl."""
    assert installation.run("crawl", *OUTLETS, check=False, PRESSMARK_FAILPOINT="after_fetch:3").returncode != 0
    wait_until_alone(installation)
    installation.query(
        "UPDATE ops.lock SET heartbeat_at = clock_timestamp() + interval '2 seconds' WHERE name LIKE 'alive:%'"
    )
    settle_and_compare(installation, undisturbed[1])


@pytest.mark.long
@pytest.mark.parametrize("point", ["archived_not_committed", "within_load"])
def test_crawl_killed_in_the_second_edition_recovers(
    installation: Installation, newsstand: Newsstand, undisturbed: dict[int, str], point: str
) -> None:
    installation.crawl(*OUTLETS)
    newsstand.advance()
    time.sleep(1.1)
    assert installation.run("crawl", *OUTLETS, check=False, PRESSMARK_FAILPOINT=f"{point}:2").returncode != 0
    settle_and_compare(installation, undisturbed[2])


def _crawl_process(installation: Installation) -> psutil.Process | None:
    return next((p for p in processes(installation) if "spiders.job" in process_command(p)), None)


def _worker(installation: Installation) -> psutil.Process | None:
    workers = [p for p in processes(installation) if any("forkserver" in part for part in process_command(p))]
    return random.choice(workers) if workers else None


def _backend(installation: Installation) -> psutil.Process | None:
    rows = installation.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pressmark %' AND pid <> pg_backend_pid()"
    )
    return psutil.Process(random.choice(rows)[0]) if rows else None


def _postmaster(installation: Installation) -> psutil.Process | None:
    server = installation.warehouse.embedded
    assert server is not None
    pid = int((server.places.data / "postmaster.pid").read_text().splitlines()[0])
    return psutil.Process(pid)


def _command(installation: Installation) -> psutil.Process | None:
    return next((p for p in processes(installation) if "pressmark.cli" in process_command(p)), None)


VICTIMS: dict[str, Callable[[Installation], psutil.Process | None]] = {
    "crawl": _crawl_process,
    "worker": _worker,
    "backend": _backend,
    "postmaster": _postmaster,
    "command": _command,
}


def kill_after(installation: Installation, seconds: float, victim: str, log: Path) -> str:
    """Crawl, and kill the victim `seconds` after the crawl process has started. Return what was killed."""
    with log.open("w") as output:
        process = subprocess.Popen(
            installation.command("crawl", *OUTLETS),
            env=installation.environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        killed = "nothing"
        deadline = time.monotonic() + 20
        while _crawl_process(installation) is None and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(seconds)
        if process.poll() is None:
            with contextlib.suppress(psutil.Error):  # the process may have just ended
                if (target := VICTIMS[victim](installation)) is not None:
                    target.send_signal(signal.SIGKILL)
                    killed = f"{victim} {target.pid}"
        process.wait(120)
    return killed


@pytest.mark.long
@pytest.mark.parametrize("number", range(RANDOM_KILLS))
def test_process_killed_at_a_random_time_recovers(
    installation: Installation, newsstand: Newsstand, undisturbed: dict[int, str], number: int, tmp_path: Path
) -> None:
    chance = random.Random(SEED * 1000 + number)
    random.seed(SEED * 1000 + number)
    victim = list(VICTIMS)[number % len(VICTIMS)]
    seconds = chance.uniform(0.2, 3.5)
    print(f"PRESSMARK_TEST_SEED={SEED} number={number}: {victim} after {seconds:.2f} s")
    killed = kill_after(installation, seconds, victim, tmp_path / "out.txt")
    print(f"killed {killed}: {(tmp_path / 'out.txt').read_text()[-300:]}")
    settle_and_compare(installation, undisturbed[1])
