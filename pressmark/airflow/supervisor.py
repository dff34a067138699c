"""Parent of Airflow's processes: `python -m pressmark.airflow.supervisor PORT [--parent PID]`.

Starts Postgres, prepares the warehouse and Airflow's metadata, then starts scheduler, DAG processor, API server and
triggerer. Restarts what dies. On SIGTERM, seals running crawls and stops everything. Orphans of a killed process become
children of the supervisor (PR_SET_CHILD_SUBREAPER) and are killed before its successor starts.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from types import FrameType
from typing import IO

import psutil

from pressmark.airflow.metadata import connect, create_metadata_database
from pressmark.airflow.service import DATABASE, ROLE, AirflowService, State, read_health
from pressmark.errors import PressmarkError, ServerError
from pressmark.extraction.parent_death import die_with_parent
from pressmark.logs import configure_logging, redact
from pressmark.settings import PROJECT_ROOT, Settings
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.embedded import SUPERUSER, EmbeddedServer
from pressmark.warehouse.migrations import migrate

# None of them serves log files on a port, because the API server reads them from disk.
COMPONENTS = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
_PR_SET_CHILD_SUBREAPER = 36
_MAX_RESTARTS = 5  # of one component within _RESTART_WINDOW; after that the supervisor fails
_MAX_LOG_SIZE = 20 * 2**20  # bytes
# In seconds:
_RESTART_WINDOW = 300.0
_CLEANING_INTERVAL = 86400.0  # between deletions of old metadata and task logs
_CHECK_INTERVAL = 3.0  # between checks of Postgres and of log sizes
_HEALTH_INTERVAL = 10.0  # between checks of the components' heartbeats
_STUCK_SECONDS = 60.0  # without a recent heartbeat (30 s), before a component that runs is replaced
_READY_TIMEOUT = 240.0
_CRAWL_STOP_TIMEOUT = 60.0
_STOP_TIMEOUT = 15.0

logger = logging.getLogger("pressmark.airflow")


class _Stopped(Exception):
    """A signal requested a stop."""


class Supervisor:
    """Runs Airflow until a signal stops it, or until a component keeps dying."""

    def __init__(self, service: AirflowService, port: int) -> None:
        self.service = service
        self.port = port
        self.environment = {**os.environ, **service.environment(port)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._starts: dict[str, deque[float]] = {name: deque(maxlen=_MAX_RESTARTS) for name in COMPONENTS}
        self._state = State(os.getpid(), port, "starting")
        self._server = EmbeddedServer(service.settings.home) if service.needs_embedded_server else None
        self._next_check_at = 0.0
        self._next_health_at = 0.0
        self._next_cleaning_at = time.monotonic() + _CLEANING_INTERVAL
        self._cleaning: subprocess.Popen[bytes] | None = None
        self._unhealthy_since: dict[str, float] = {}
        self._sessions: dict[str, list[float]] = {}  # component to session id and start time

    def run(self) -> None:
        """Start everything and keep it running. Raises PressmarkError if it cannot."""
        try:
            self._prepare()
            # The scheduler starts after the API server, because a task without an API server fails.
            self._start("dag-processor")
            self._start("api-server")
            self._wait_for({"api-server"})
            self._start("scheduler")
            self._start("triggerer")
            self._wait_for(set(COMPONENTS))
            self._set_stage("ready", ready=True)
            while True:
                self._keep_alive()
                self._end_stuck()
                time.sleep(0.5)
        except _Stopped:
            logger.info("stopping on request")
        finally:
            # Another signal now would leave processes behind.
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self._end_all()

    # -- start ---------------------------------------------------------------------------------

    def _prepare(self) -> None:
        if self._server:
            self._set_stage("starting Postgres")
            self._server.ensure_running()
            with contextlib.closing(connect(self._server.dsn(SUPERUSER, "postgres"))) as admin:
                create_metadata_database(admin, DATABASE, ROLE)
        self._set_stage("migrating the warehouse")
        migrate(Warehouse(self.service.settings))
        self._set_stage("preparing Airflow's metadata")
        if self._run_module("pressmark.airflow.bootstrap").wait() != 0:
            raise ServerError(f"Cannot prepare Airflow's metadata. See {self._log_path('prepare')}.")

    def _run_module(self, module: str) -> subprocess.Popen[bytes]:
        """Run a module in Airflow's environment. Its output goes to prepare.log."""
        with self._open_log("prepare") as log:
            return subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", module],
                cwd=PROJECT_ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _start(self, name: str) -> None:
        starts = self._starts[name]
        if len(starts) == _MAX_RESTARTS and time.monotonic() - starts[0] < _RESTART_WINDOW:
            raise ServerError(f"Airflow's {name} died {_MAX_RESTARTS} times. See {self._log_path(name)}.")
        starts.append(time.monotonic())
        with self._open_log(name) as log:
            # It dies with the supervisor; exec keeps that setting (prctl(2)).
            self._processes[name] = subprocess.Popen(  # noqa: S603 - no untrusted input
                [sys.executable, "-m", "pressmark.airflow.airflow_process", str(os.getpid()), *COMPONENTS[name]],
                cwd=PROJECT_ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        with contextlib.suppress(psutil.Error):
            self._sessions[name] = [self._processes[name].pid, psutil.Process(self._processes[name].pid).create_time()]
        self._set_stage(self._state.stage, self._state.ready)  # the state includes the sessions

    def _wait_for(self, names: set[str]) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT
        while waiting := sorted(names & self._not_healthy()):
            self._set_stage(f"waiting for {', '.join(waiting)}")
            self._keep_alive()
            if time.monotonic() > deadline:
                raise ServerError(
                    f"Airflow's {', '.join(waiting)} did not become ready. See the logs in {self.service.logs}."
                )
            time.sleep(0.5)

    def _not_healthy(self) -> set[str]:
        try:
            health = read_health(self.port)
        except OSError:
            return set(COMPONENTS)
        return {name.replace("_", "-") for name, state in health.items() if state != "healthy"}

    # -- watch ---------------------------------------------------------------------------------

    def _keep_alive(self) -> None:
        if time.monotonic() >= self._next_check_at:
            self._next_check_at = time.monotonic() + _CHECK_INTERVAL
            if self._server and self._server.ensure_running():
                logger.warning("Postgres was down and has been restarted")
            self._rotate_logs()
        if time.monotonic() >= self._next_cleaning_at and (self._cleaning is None or self._cleaning.poll() is not None):
            self._next_cleaning_at = time.monotonic() + _CLEANING_INTERVAL
            self._cleaning = self._run_module("pressmark.airflow.cleaning")
        for name, process in self._processes.items():
            code = process.poll()
            if code is None:
                continue
            logger.warning("%s exited with code %s; restarting it", name, code)
            self._end_orphans()
            self._start(name)
        self._reap()

    def _end_stuck(self) -> None:
        """Kill components that run but have no heartbeat, for example after their database was killed."""
        now = time.monotonic()
        if now < self._next_health_at:
            return
        self._next_health_at = now + _HEALTH_INTERVAL
        unhealthy = self._not_healthy()
        if unhealthy == set(COMPONENTS):
            unhealthy = {"api-server"}  # it does not respond, so the state of the others is unknown
        for name, process in self._processes.items():
            if name not in unhealthy:
                self._unhealthy_since.pop(name, None)
            elif now - self._unhealthy_since.setdefault(name, now) >= _STUCK_SECONDS:
                logger.warning("%s has had no heartbeat for a minute; killing it", name)
                del self._unhealthy_since[name]
                process.kill()

    def _end_orphans(self) -> None:
        """Kill the children of a dead component. They are children of the supervisor now."""
        own = self._own_processes()
        orphans = [child for child in _children(psutil.Process(), recursive=False) if child.pid not in own]
        _kill([*orphans, *(grandchild for orphan in orphans for grandchild in _children(orphan))])

    def _own_processes(self) -> set[int]:
        cleaning = [self._cleaning] if self._cleaning else []
        return {process.pid for process in (*self._processes.values(), *cleaning)}

    def _reap(self) -> None:
        """Collect the exit status of orphans, so that they do not stay as zombies."""
        own = self._own_processes()
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error, ChildProcessError):
                if child.pid not in own and child.status() == psutil.STATUS_ZOMBIE:
                    os.waitpid(child.pid, os.WNOHANG)

    # -- stop ----------------------------------------------------------------------------------

    def _end_all(self) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, PressmarkError):
            self._set_stage("failed", error=str(error))
        else:
            self._set_stage("stopping")
        # Stop new tasks first. Running tasks still report their state to the API server.
        for name in ("scheduler", "triggerer", "dag-processor"):
            self._signal(name, signal.SIGTERM)
        crawls = [process for process in _children(psutil.Process()) if _is_crawl(process)]
        for crawl in crawls:
            with contextlib.suppress(psutil.Error):
                crawl.terminate()
        if crawls:
            psutil.wait_procs(crawls, _CRAWL_STOP_TIMEOUT)
        deadline = time.monotonic() + _STOP_TIMEOUT
        # Do not wait for the triggerer. It exits slowly and has no work, because no DAG here defers tasks.
        awaited = [process for name, process in self._processes.items() if name in ("scheduler", "dag-processor")]
        while any(process.poll() is None for process in awaited) and time.monotonic() < deadline:
            time.sleep(0.1)
        self._signal("api-server", signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            if "api-server" in self._processes:
                self._processes["api-server"].wait(_STOP_TIMEOUT / 3)
        _kill(_children(psutil.Process()))

    def _signal(self, name: str, number: int) -> None:
        process = self._processes.get(name)
        if process is not None and process.poll() is None:
            process.send_signal(number)

    # -- state ---------------------------------------------------------------------------------

    def _set_stage(self, stage: str, ready: bool = False, error: str | None = None) -> None:
        if self._state.error is not None:
            return
        if stage != self._state.stage:
            logger.info("%s%s", stage, f": {error}" if error else "")
        message = redact(error) if error else None
        self._state = State(os.getpid(), self.port, stage, ready, message, self._sessions)
        self.service.write_state(self._state)

    def _log_path(self, name: str) -> str:
        return str(self.service.logs / f"{name}.log")

    def _open_log(self, name: str) -> IO[bytes]:
        self.service.logs.mkdir(parents=True, exist_ok=True)
        return (self.service.logs / f"{name}.log").open("ab")

    def _rotate_logs(self) -> None:
        """Copy large logs to `.log.1` and truncate them. The writers append, so they need no restart."""
        for path in self.service.logs.glob("*.log"):
            if path.stat().st_size > _MAX_LOG_SIZE:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                os.truncate(path, 0)


def _is_crawl(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "spiders.job" in process.cmdline()
    return False


def _children(process: psutil.Process, recursive: bool = True) -> list[psutil.Process]:
    """Return the children of a process that belong to Airflow, so not the adopted Postgres."""
    children = []
    with contextlib.suppress(psutil.Error):
        for child in process.children(recursive=recursive):
            with contextlib.suppress(psutil.Error):
                if child.name() not in ("postgres", "pg_ctl", "initdb"):
                    children.append(child)
    return children


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, 5)


def main() -> int:
    """Run the supervisor. Return the exit code: 1 after an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int, help="Port for Airflow on 127.0.0.1.")
    parser.add_argument("--parent", type=int, help="Stop when the process with this pid ends.")
    options = parser.parse_args()
    configure_logging()

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    with contextlib.suppress(OSError, AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if options.parent:
        # SIGTERM, so that the supervisor can stop its processes.
        die_with_parent(options.parent, signal.SIGTERM)
    service = AirflowService(Settings.from_env())
    try:
        with service.holding():
            Supervisor(service, options.port).run()
    except PressmarkError as error:
        logger.error("%s", error)
        return 1
    except _Stopped:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
