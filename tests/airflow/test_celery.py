"""Two Celery workers with separate homes run a tier. One of them is killed.

Redis is the broker, Postgres is reached over TCP, and the archive is on S3, so the workers share nothing else.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pressmark.airflow.client import AirflowClient
from pressmark.airflow.service import AirflowService, free_port
from pressmark.cli.service import end_all, wait_until_ready
from pressmark.newsstand.server import running
from pressmark.settings import PROJECT_ROOT
from tests.acceptance.test_newsstand import check_archive
from tests.airflow.conftest import FIRST_FOUR
from tests.airflow.test_running_airflow import DAG_ID, end_of, wait
from tests.conftest import Installation, process_command
from tests.external_server import INSTALLER, create_database, running_server
from tests.packages import needs_debian_package
from tests.s3_server import running_s3

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class Worker:
    """A Celery worker with its own home."""

    def __init__(self, name: str, home: Path, env: dict[str, str], log_port: int) -> None:
        """log_port: where it serves the logs of its tasks. Workers on separate hosts all have the same."""
        self.name = name
        self.home = home
        home.mkdir(exist_ok=True)
        self.airflow_home = home / "airflow"
        self.env = {
            **env,
            "PRESSMARK_HOME": str(home),
            "AIRFLOW_HOME": str(self.airflow_home),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.airflow_home / "logs"),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
        }
        with (home / "worker.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "celery", "worker", "--celery-hostname", f"{name}@%h"],
                cwd=PROJECT_ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def log(self) -> str:
        return (self.home / "worker.log").read_text(errors="replace")

    def crawled(self) -> set[str]:
        """Return the paths of the logs of crawl tasks that this worker ran."""
        return {
            str(path) for path in self.airflow_home.glob(f"logs/dag_id={DAG_ID}/run_id=*/task_id=job.crawl/**/*.log")
        }

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("PRESSMARK_HOME") == str(self.home):
                    found.append(process)
        return found

    def crawls(self) -> list[psutil.Process]:
        return [process for process in self.processes() if "spiders.job" in process_command(process)]

    def kill(self) -> None:
        """Kill all processes at once, as a power failure does."""
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in self.processes():
                with contextlib.suppress(psutil.Error):
                    process.send_signal(number)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    """The port of a Redis server."""
    port = free_port()
    command = [needs_debian_package("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1",
               "--save", "", "--dir", str(tmp_path)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield port
    process.terminate()
    process.wait()


def test_tier_runs_on_two_workers_and_one_of_them_is_killed(
    installation: Installation, redis: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "PRESSMARK_"))]:
        monkeypatch.delenv(name)
    outlets = tmp_path / "outlets"
    outlets.mkdir()
    from pressmark.newsstand import OUTLETS

    for outlet in FIRST_FOUR:
        (outlets / f"{outlet}.yaml").write_bytes((OUTLETS / f"{outlet}.yaml").read_bytes())
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server(tmp_path / "server"))
        server.execute(create_database("airflow"))
        s3 = stack.enter_context(running_s3())
        newsstand = stack.enter_context(running(tmp_path / "access.log"))
        metadata = f"postgresql+psycopg2://installer:{INSTALLER}@127.0.0.1:{server.port}/airflow"
        main = Installation(
            tmp_path / "main",
            {
                **s3.environment(),
                "PRESSMARK_OUTLETS": str(outlets),
                "PRESSMARK_RESOLVE": newsstand.resolve,
                "PRESSMARK_DATABASE_URL": server.url(f"installer:{INSTALLER}"),
                "PRESSMARK_WORKERS": "1",
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
                "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
                "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "2",
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port := free_port()),
                "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{redis}/0",
                "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://installer:{INSTALLER}@127.0.0.1:{server.port}/airflow",
            },
        )
        # What one machine makes of the same two editions.
        installation.env = {"PRESSMARK_OUTLETS": str(outlets), "PRESSMARK_RESOLVE": newsstand.resolve}
        installation.crawl(*FIRST_FOUR)
        first_edition = installation.fingerprint()

        for name, value in main.environment().items():
            monkeypatch.setenv(name, value)
        service = AirflowService(main.settings)
        stack.callback(end_all, main.settings)
        wait_until_ready(service, service.launch(free_port(), die_with_us=True))
        assert not (main.home / "postgres.lock").exists(), "nothing needs the embedded server"
        shared = service.environment(service.state().port)  # type: ignore[union-attr]
        env = {**os.environ, **shared}
        workers = [
            Worker("first", tmp_path / "first", env, log_port), Worker("second", tmp_path / "second", env, free_port())
        ]  # fmt: skip
        for worker in workers:
            stack.callback(worker.kill)
        airflow = stack.enter_context(AirflowClient(service))

        wait(lambda: airflow.runs(DAG_ID), 120, "no scheduled run")
        (run,) = airflow.runs(DAG_ID)
        assert end_of(airflow, run, 300).state == "success", "\n".join(worker.log()[-3000:] for worker in workers)
        assert all(worker.crawled() for worker in workers), "both have crawled"
        assert main.fingerprint() == first_edition
        (index,) = re.findall(r"/map_index=(\d+)/", min(workers[0].crawled()))
        assert "of 1 crawl succeeded" in airflow.log(run, "job.crawl", int(index)), "the log is read from the worker"

        newsstand.advance()
        time.sleep(1.1)
        installation.crawl(*FIRST_FOUR)
        run = airflow.trigger(DAG_ID)
        victim = wait(lambda: next((w for w in workers if w.crawls()), None), 120, "no worker crawls")
        victim.kill()
        killed_at = time.monotonic()
        assert end_of(airflow, run, 400).state == "success"
        assert time.monotonic() - killed_at < 300
        assert main.fingerprint() == installation.fingerprint()
        assert main.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok OR finished_at IS NULL") == [(0,)]
        reasons = dict(main.query("SELECT finish_reason, count(*) FROM ops.crawl GROUP BY 1"))
        assert reasons["finished"] >= 8 and set(reasons) <= {"finished", "killed"}, reasons
        check_archive(main)

        # The machine is back, and the other one is gone. Its first crawl clears what the killed one has left.
        for worker in workers:
            worker.kill()
        stack.callback(Worker("again", victim.home, victim.env, free_port()).kill)
        assert end_of(airflow, airflow.trigger(DAG_ID), 300).state == "success"
        assert list((victim.home / "spool").iterdir()) == []
        assert main.fingerprint() == installation.fingerprint()
