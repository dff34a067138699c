"""Airflow of one home, as seen from outside: its settings, whether it runs, starting, stopping. Imports no Airflow.

The processes are the supervisor's (`supervisor`), which holds a lock as long as it lives and writes
what it is doing to a state file. Everything that it starts carries MARK in its environment, so that what a
killed supervisor left behind is found and ended.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from pressmark.errors import ServerError
from pressmark.settings import PROJECT_ROOT, Settings
from pressmark.warehouse.embedded import EmbeddedServer

HOST = "127.0.0.1"
DEFAULT_PORT = 8080
USER = "admin"
DATABASE = "airflow"
ROLE = "pressmark_airflow"
MARK = "PRESSMARK_AIRFLOW_HOME"
_STOP_SECONDS = 150
_PARALLELISM = 6  # LocalExecutor keeps this many processes, 145 MB each


@dataclass(frozen=True, slots=True)
class State:
    """What the supervisor says of itself.

    stage: in words. ready: all of Airflow answers. error: why it ended. sessions: session id of each
    component, and when it began in seconds since the epoch.
    """

    pid: int
    port: int
    stage: str
    ready: bool = False
    error: str | None = None
    sessions: dict[str, list[float]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the operator looks."""
        return f"http://{HOST}:{self.port}"


class AirflowService:
    """The Airflow of one home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home / "airflow"
        self.logs = settings.logs / "airflow"
        self.password_file = self.home / "passwords.json"
        self._secrets_file = self.home / "secrets.json"
        self._state_file = self.home / "service.json"
        self._lock_file = self.home / "service.lock"

    # -- for the supervisor --------------------------------------------------------------------

    def environment(self, port: int) -> dict[str, str]:
        """The environment of all its processes; an AIRFLOW__* variable of the caller's own wins."""
        server = EmbeddedServer(self.settings.home)
        own = {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": server.url(ROLE, DATABASE, "postgresql+psycopg2"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Which outlets are crawled stands in their files; a paused DAG would be a second switch.
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(_PARALLELISM),
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "120",
            # What a killed scheduler or task leaves is noticed after a minute, not after five.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            # A task handed to a worker while Postgres went down, and never begun: noticed after ten minutes by default.
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "90",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "30",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
            # Shared by all processes; each would make up its own.
            **self._secrets(),
            "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
        }
        return {
            **{name: value for name, value in own.items() if name not in os.environ},
            **self._pressmark_environment(),
            "AIRFLOW_HOME": str(self.home),
            # Never from outside: nothing of ours listens on another interface.
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(port),
            # Its processes ask each other on this machine, whatever proxy leads out of it.
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), HOST, "localhost"))),
            "no_proxy": ",".join(filter(None, (os.environ.get("no_proxy"), HOST, "localhost"))),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT_ROOT), os.environ.get("PYTHONPATH")))),
            MARK: str(self.home),
            "SPT_NOENV": "1",  # setproctitle would write over the environment by which we find our processes
        }

    def make_home(self) -> None:
        """Folder and password of the login; both for the owner alone."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.home.chmod(0o700)
        self.logs.mkdir(parents=True, exist_ok=True)
        if not self.password_file.exists():
            with self._private(self.password_file) as file:
                json.dump({USER: secrets.token_urlsafe(18)}, file)
        if not self._secrets_file.exists():
            keys = {
                "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
                "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
                "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            }
            with self._private(self._secrets_file) as file:
                json.dump(keys, file)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Be the supervisor. Raises ServerError where another one is."""
        with self._lock_file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ServerError(f"Airflow of {self.settings.home} runs already (`pressmark status`).") from error
            yield

    def write_state(self, state: State) -> None:
        """Tell who waits."""
        fresh = self._state_file.with_suffix(f".{os.getpid()}")
        fields = {name: getattr(state, name) for name in State.__slots__}
        fresh.write_text(json.dumps(fields))
        fresh.replace(self._state_file)

    # -- for everybody -------------------------------------------------------------------------

    def is_running(self) -> bool:
        """Whether a supervisor lives."""
        if not self._lock_file.exists():
            return False
        with self._lock_file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def state(self) -> State | None:
        """What the supervisor said last, of whatever run."""
        try:
            return State(**json.loads(self._state_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def password(self) -> str:
        """Of the login USER."""
        return str(json.loads(self.password_file.read_text())[USER])

    def launch(self, port: int, die_with_us: bool) -> subprocess.Popen[bytes]:
        """Start a supervisor; it tells by `state` how far it is.

        die_with_us: it ends when this process does. Raises ServerError where the port is taken, or where
        a supervisor runs already.
        """
        if self.is_running():
            raise ServerError(f"Airflow of {self.settings.home} runs already (`pressmark status`).")
        self.end_leftovers()
        check_port(port)
        self.make_home()
        self._state_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pressmark.airflow.supervisor", str(port)]
        if die_with_us:
            command += ["--parent", str(os.getpid())]
        with (self.logs / "supervisor.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own module
                command,
                cwd=PROJECT_ROOT,
                env={**os.environ, **self._pressmark_environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> bool:
        """Stop the supervisor and all of Airflow; True if something ran. Crawls end gently."""
        state = self.state()
        running = self.is_running()
        if running and state is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_SECONDS
            while self.is_running() and time.monotonic() < deadline:
                time.sleep(0.1)
        return bool(self.end_leftovers()) or running

    def end_leftovers(self) -> int:
        """Kill what a supervisor that was killed left behind; returns how many processes."""
        processes = [] if self.is_running() else self.processes()
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(processes, 10)
        return len(processes)

    def processes(self) -> list[psutil.Process]:
        """All processes of this Airflow but ourselves, whoever their parent is.

        By their environment, or, since Airflow closes that of its workers to all but root, by their session.
        """
        state = self.state()
        sessions = {int(number): began for number, began in (state.sessions if state else {}).values()}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                ours = process.pid != os.getpid() and (self._is_marked(process) or _belongs_to(process, sessions))
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def _is_marked(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            return bool(process.environ().get(MARK) == str(self.home))
        return False

    def _secrets(self) -> dict[str, str]:
        return dict(json.loads(self._secrets_file.read_text()))

    def _pressmark_environment(self) -> dict[str, str]:
        """Settings by absolute paths: its processes have other working folders."""
        settings = self.settings
        return {
            "PRESSMARK_HOME": str(settings.home),
            "PRESSMARK_OUTLETS": str(settings.outlets),
            "PRESSMARK_ARCHIVE": settings.archive,
        }

    @contextlib.contextmanager
    def _private(self, path: Path) -> Iterator[Any]:
        """A file for the owner alone, there as a whole or not at all."""
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            yield file
        fresh.replace(path)


def check_port(port: int) -> None:
    """Raises ServerError naming who has the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            return
        except OSError as error:
            if isinstance(error, PermissionError):
                raise ServerError(f"Port {port} needs rights that you have not; choose one with --port.") from error
    raise ServerError(f"Port {port} is taken by {_holder(port)}; choose another one with --port.")


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def read_health(port: int) -> dict[str, str]:
    """State of each component by name, as the API server says. Raises OSError where it does not answer."""
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://{HOST}:{port}/api/v2/monitor/health", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
    except ValueError as error:
        raise OSError(str(error)) from error
    return {name: str(part["status"]) for name, part in found.items() if isinstance(part, dict)}


def _belongs_to(process: psutil.Process, sessions: dict[int, float]) -> bool:
    """Whether a process belongs to one of these sessions, and not to a later one of the same number."""
    number = os.getsid(process.pid)
    if number not in sessions:
        return False
    try:
        # A number is not given out again while its session has members.
        return bool(abs(psutil.Process(number).create_time() - sessions[number]) < 1)
    except psutil.Error:
        return True


def _holder(port: int) -> str:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid and connection.status == "LISTEN":
                process = psutil.Process(connection.pid)
                return f"process {connection.pid} ({process.name()})"
    return "another program"
