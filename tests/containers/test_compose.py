"""docker-compose.yml brings up both of its profiles in a real engine, and crawls the newsstand through them.

`make test-compose` runs this. The engine, docker-compose and stand-ins for the images are made by engine.sh. Where no
engine can run, the tests are skipped with the reason. Set PRESSMARK_TEST_CONTAINERS to a folder to keep them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import pytest

from pressmark import __version__
from pressmark.newsstand import OUTLETS
from pressmark.settings import PROJECT_ROOT
from tests.conftest import Installation, fingerprints_of_editions

HERE = Path(__file__).parent
FIRST_FOUR = ("al-waha", "harbour-dispatch", "la-plaza", "tagesblick")
HOSTS = ("alwaha", "dispatch", "laplaza", "tagesblick")
pytestmark = pytest.mark.timeout(1800)
Value = TypeVar("Value")


@pytest.fixture(scope="module")
def docker_compose() -> Iterator[str]:
    """The path of docker-compose. An engine runs, and the image of this tree is built."""
    if os.geteuid() != 0 and shutil.which("docker") is None:
        pytest.skip("there is no Docker engine, and only root can start one")
    kept = os.environ.get("PRESSMARK_TEST_CONTAINERS")
    folder = kept or "/var/tmp/pressmark-containers"  # noqa: S108 - not in memory, as /tmp may be
    started = subprocess.run(
        [str(HERE / "engine.sh"), "start", folder], capture_output=True, text=True, check=False, timeout=900
    )
    if started.returncode != 0:
        pytest.skip(f"no Docker engine can run here: {' '.join(started.stderr.split())[-500:]}")
    command = [
        "docker", "build", "--quiet", "--network", "host", "--build-arg", f"VERSION={__version__}", "--tag",
        f"pressmark:{__version__}", str(PROJECT_ROOT),
    ]  # fmt: skip
    for _ in range(2):  # a package index may not respond once
        built = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "DOCKER_BUILDKIT": "0"}
        )
        if built.returncode == 0:
            break
    assert built.returncode == 0, built.stderr[-3000:]
    yield started.stdout.strip()
    if not kept:
        subprocess.run([str(HERE / "engine.sh"), "stop", folder], check=False)


class Stack:
    """The services of one profile, in a separate folder."""

    def __init__(self, compose: str, folder: Path, profile: str) -> None:
        self.profile = profile
        self.folder = folder
        shutil.copytree(PROJECT_ROOT / "deploy", folder / "deploy")
        for name in ("docker-compose.yml", "Makefile"):
            shutil.copy(PROJECT_ROOT / name, folder)
        (folder / "outlets").mkdir()
        for outlet in FIRST_FOUR:
            shutil.copy(OUTLETS / f"{outlet}.yaml", folder / "outlets")
        subprocess.run(["make", "env"], cwd=folder, check=True, capture_output=True)
        resolve = ",".join(f"{host}.newsstand.example=172.30.99.10:8484" for host in HOSTS)
        with (folder / ".env").open("a") as file:
            file.write(
                f"PRESSMARK_RESOLVE={resolve}\nTESTS={HERE}\nPRESSMARK_PORT=8090\nPRESSMARK_POSTGRES_PORT=5490\nAIRFLOW__CELERY__WORKER_CONCURRENCY=2\n"
            )
        self.values = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
        self._command = [
            compose, "--ansi", "never", "--progress", "quiet", "--project-name", f"pressmark-{profile}",
            "--profile", profile, "--file", "docker-compose.yml", "--file", str(HERE / "override.yml"),
        ]  # fmt: skip

    def run(self, *arguments: str, check: bool = True, **env: str) -> str:
        done = subprocess.run(
            [*self._command, *arguments], cwd=self.folder, env={**os.environ, **env}, capture_output=True, text=True,
            check=False, timeout=600,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{arguments}: {done.stderr[-3000:]}\n{self.states()}"
        return done.stdout

    def states(self) -> str:
        """Return the states of the containers, with the last log lines of those that are not healthy."""
        done = subprocess.run(
            [*self._command, "ps", "--all"], cwd=self.folder, capture_output=True, text=True, check=False
        )
        logs = subprocess.run(
            [*self._command, "logs", "--tail", "15"], cwd=self.folder, capture_output=True, text=True, check=False
        )
        return f"{done.stdout}\n{logs.stdout[-6000:]}"

    def up(self, *arguments: str) -> None:
        """Start everything and wait until all services are healthy."""
        self.run("up", "--detach", "--no-build", "--pull", "never", *arguments)
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        def all_healthy() -> bool:
            rows = [json.loads(line) for line in self.run("ps", "--format", "json").splitlines()]
            return all(row["Health"] in ("", "healthy") and row["State"] == "running" for row in rows)

        self.wait(all_healthy, 300, "the services did not become healthy")

    def wait(self, condition: Callable[[], Value | None], seconds: float, failure: str) -> Value:
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{failure}\n{self.states()}"
            time.sleep(1)
        return value

    def pressmark(self, *arguments: str, check: bool = True) -> str:
        """Run the command line in the scheduler's container."""
        service = "scheduler" if self.profile == "local" else "celery-scheduler"
        return self.run("exec", "-T", service, "pressmark", *arguments, check=check)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse as its superuser, through the published port."""
        with psycopg2.connect(
            host="127.0.0.1", port=5490, user="pressmark", password=self.values["POSTGRES_PASSWORD"], dbname="pressmark"
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())

    def ended_runs(self) -> list[str]:
        """Return the states of the ended runs of crawl_hourly."""
        with psycopg2.connect(
            host="127.0.0.1", port=5490, user="airflow", password=self.values["AIRFLOW_DATABASE_PASSWORD"],
            dbname="airflow",
        ) as connection:  # fmt: skip
            cursor = connection.cursor()
            cursor.execute(
                "SELECT state FROM dag_run WHERE dag_id = 'crawl_hourly' AND state IN ('success', 'failed') "
                "ORDER BY start_date"
            )
            return [state for (state,) in cursor.fetchall()]

    def trigger(self) -> None:
        service = "scheduler" if self.profile == "local" else "celery-scheduler"
        self.run("exec", "-T", service, "airflow", "dags", "trigger", "crawl_hourly")


@pytest.fixture
def stack(docker_compose: str, tmp_path: Path) -> Iterator[Callable[[str], Stack]]:
    made: list[Stack] = []

    def make(profile: str) -> Stack:
        made.append(Stack(docker_compose, tmp_path / profile, profile))
        return made[-1]

    for folder in (tmp_path, *tmp_path.parents[:3]):  # the services run as another user
        folder.chmod(folder.stat().st_mode | 0o055)
    yield make
    for each in made:
        each.run("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


@pytest.fixture
def one_machine(installation: Installation, tmp_path: Path) -> dict[int, str]:
    """The fingerprints of both editions, crawled by one machine without containers."""
    return fingerprints_of_editions(installation, FIRST_FOUR, tmp_path / "access.log")


def test_missing_env_file_names_the_next_step(docker_compose: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    refused = subprocess.run(
        [docker_compose, "--env-file", str(tmp_path / "empty"), "--profile", "celery", "--file",
         str(PROJECT_ROOT / "docker-compose.yml"), "config"],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    assert refused.returncode != 0 and "run make env" in refused.stderr


def test_profile_local_crawls_and_shares_what_it_must_only(
    stack: Callable[[str], Stack], one_machine: dict[int, str]
) -> None:
    local = stack("local")
    local.up()
    local.wait(local.ended_runs, 300, "no run of crawl_hourly has ended")
    assert local.ended_runs() == ["success"], local.states()
    assert local.pressmark("db", "fingerprint").strip() == one_machine[1]
    # `status` asks the API server of the other container.
    status = json.loads(local.pressmark("status", "--json"))
    assert status["airflow"] == {"state": "ready", "url": "http://api-server:8080", "parts": None}
    # The analyst of .env reads mart, and nothing else.
    with psycopg2.connect(
        host="127.0.0.1", port=5490, user="analyst", password=local.values["PRESSMARK_ANALYST_PASSWORD"],
        dbname="pressmark",
    ) as connection:  # fmt: skip
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM article")
        assert cursor.fetchone() == (40,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT 1 FROM core.article")
    # Only the preparation has the superuser's password, and only Airflow's services have its keys.
    for service in ("scheduler", "api-server", "dag-processor", "triggerer"):
        env = local.run("exec", "-T", service, "env")
        assert local.values["POSTGRES_PASSWORD"] not in env, service
    logins = dict(
        local.query("SELECT rolname, rolsuper OR rolcreaterole FROM pg_roles WHERE rolname IN ('crawler', 'airflow')")
    )
    assert logins == {"crawler": False, "airflow": False}
    labels = subprocess.run(
        ["docker", "inspect", f"pressmark:{__version__}"], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(labels)[0]["Config"]["Labels"]["org.opencontainers.image.version"] == __version__
    # A new version stops, migrates and starts again, as `make upgrade` does.
    local.run("stop")
    local.up("--force-recreate")
    assert local.pressmark("db", "fingerprint").strip() == one_machine[1]


def test_profile_celery_survives_the_kill_of_a_worker(
    stack: Callable[[str], Stack], one_machine: dict[int, str]
) -> None:
    celery = stack("celery")
    celery.up("--scale", "worker=2")
    celery.wait(celery.ended_runs, 300, "no run of crawl_hourly has ended")
    assert celery.ended_runs() == ["success"], celery.states()
    assert celery.pressmark("db", "fingerprint").strip() == one_machine[1]
    hosts = celery.query("SELECT DISTINCT host FROM ops.crawl")
    assert len(hosts) == 2, f"both workers crawl: {hosts}"
    assert json.loads(celery.pressmark("status", "--json"))["archive"] == "s3://pressmark/archive"

    celery.run("up", "--detach", "--no-build", "--pull", "never", "--force-recreate", "--no-deps", "newsstand",
               NEWSSTAND_EDITION="2")  # fmt: skip
    celery.trigger()
    (victim,) = celery.wait(
        lambda: celery.query("SELECT host FROM ops.crawl WHERE finished_at IS NULL LIMIT 1"), 120, "no crawl has begun"
    )[0]
    subprocess.run(["docker", "kill", victim], check=True, capture_output=True)
    celery.wait(lambda: len(celery.ended_runs()) == 2, 400, "the run did not end after a worker was killed")
    assert celery.ended_runs() == ["success", "success"], celery.states()
    assert celery.pressmark("db", "fingerprint").strip() == one_machine[2]
    assert celery.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok OR finished_at IS NULL") == [(0,)]
