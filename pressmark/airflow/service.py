"""The Airflow of one home, seen from outside: settings, state, start and stop. Does not import Airflow.

A `supervisor` process runs Airflow's processes. It holds a lock while it lives and writes its progress to a state file.
All processes that it starts have MARK in their environment, so that processes left by a killed supervisor can be found
and ended.
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
METADATA = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_STOP_TIMEOUT = 150  # seconds
_PARALLELISM = 6  # LocalExecutor keeps this many processes of 145 MB each


@dataclass(frozen=True, slots=True)
class State:
    """The supervisor's state.

    stage: current step, as text. ready: all components respond. error: why it exited. sessions: session id of each
    component, and its start time in seconds since the epoch.
    """

    pid: int
    port: int
    stage: str
    ready: bool = False
    error: str | None = None
    sessions: dict[str, list[float]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """URL of Airflow's UI."""
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

    @property
    def needs_embedded_server(self) -> bool:
        """Whether the warehouse or Airflow's metadata is on the embedded server."""
        return self.settings.database_url is None or METADATA not in os.environ

    def environment(self, port: int) -> dict[str, str]:
        """Return the environment of all processes. AIRFLOW__* variables that the caller has set take precedence."""
        own = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Outlet files decide which outlets are crawled. A paused DAG would be a second switch.
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(_PARALLELISM),
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "120",
            # Notice the tasks of a killed scheduler or worker after one minute instead of five.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            # Notice tasks that a worker never started, such as during a Postgres outage. Default: ten minutes.
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "90",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "30",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
            # Shared by all processes. Without these, each would generate its own.
            **self._secrets(),
            "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
        }
        if METADATA not in os.environ:
            server = EmbeddedServer(self.settings.home)
            own[METADATA] = server.url(ROLE, DATABASE, "postgresql+psycopg2")
        return {
            **{name: value for name, value in own.items() if name not in os.environ},
            **self._pressmark_environment(),
            "AIRFLOW_HOME": str(self.home),
            # Not configurable: Airflow must not listen on another interface.
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(port),
            # The processes call each other on this machine, never through a proxy.
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), HOST, "localhost"))),
            "no_proxy": ",".join(filter(None, (os.environ.get("no_proxy"), HOST, "localhost"))),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT_ROOT), os.environ.get("PYTHONPATH")))),
            MARK: str(self.home),
            "SPT_NOENV": "1",  # setproctitle would overwrite the environment that identifies our processes
        }

    def make_home(self) -> None:
        """Create the folder, the login's password and Airflow's keys. Only the owner can read them."""
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
        """Hold the supervisor's lock. Raises ServerError if another supervisor holds it."""
        with self._lock_file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ServerError(
                    f"Airflow is already running in {self.settings.home}. See `pressmark status`."
                ) from error
            yield

    def write_state(self, state: State) -> None:
        """Replace the state file."""
        fresh = self._state_file.with_suffix(f".{os.getpid()}")
        fields = {name: getattr(state, name) for name in State.__slots__}
        fresh.write_text(json.dumps(fields))
        fresh.replace(self._state_file)

    # -- for clients ---------------------------------------------------------------------------

    def is_running(self) -> bool:
        """Whether a supervisor is running."""
        if not self._lock_file.exists():
            return False
        with self._lock_file.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def state(self) -> State | None:
        """Return the last state written, possibly by an earlier supervisor. None if there is none."""
        try:
            return State(**json.loads(self._state_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def password(self) -> str:
        """Return the password of the login USER."""
        return str(json.loads(self.password_file.read_text())[USER])

    def launch(self, port: int, die_with_us: bool) -> subprocess.Popen[bytes]:
        """Start a supervisor. Its progress is in `state`.

        die_with_us: end it when this process ends. Raises ServerError if the port is in use or a supervisor is already
        running.
        """
        if self.is_running():
            raise ServerError(f"Airflow is already running in {self.settings.home}. See `pressmark status`.")
        self.end_leftovers()
        check_port(port)
        self.make_home()
        self._state_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pressmark.airflow.supervisor", str(port)]
        if die_with_us:
            command += ["--parent", str(os.getpid())]
        with (self.logs / "supervisor.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - no untrusted input
                command,
                cwd=PROJECT_ROOT,
                env={**os.environ, **self._pressmark_environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> bool:
        """Seal running crawls, then stop the supervisor and all of Airflow. Return True if anything was running."""
        state = self.state()
        running = self.is_running()
        if running and state is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_TIMEOUT
            while self.is_running() and time.monotonic() < deadline:
                time.sleep(0.1)
        return bool(self.end_leftovers()) or running

    def end_leftovers(self) -> int:
        """Kill the processes left by a killed supervisor. Return their number."""
        processes = [] if self.is_running() else self.processes()
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(processes, 10)
        return len(processes)

    def processes(self) -> list[psutil.Process]:
        """Return all processes of this Airflow except the current one.

        They are found by their environment or by their session, because only root can read the environment of
        Airflow's workers.
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
        """Return the settings with absolute paths, since the processes have other working folders."""
        settings = self.settings
        return {
            "PRESSMARK_HOME": str(settings.home),
            "PRESSMARK_OUTLETS": str(settings.outlets),
            "PRESSMARK_ARCHIVE": settings.archive,
        }

    @contextlib.contextmanager
    def _private(self, path: Path) -> Iterator[Any]:
        """Write a file atomically that only the owner can read."""
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            yield file
        fresh.replace(path)


def check_port(port: int) -> None:
    """Raise ServerError with the program that uses the port, if it is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            return
        except OSError as error:
            if isinstance(error, PermissionError):
                raise ServerError(f"Port {port} requires root privileges. Choose another one with --port.") from error
    raise ServerError(f"Port {port} is in use by {_holder(port)}. Choose another one with --port.")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def read_health(port: int) -> dict[str, str]:
    """Return the state of each component of an Airflow on this machine. Raises OSError if it does not respond."""
    return read_health_at(f"http://{HOST}:{port}")


def read_health_at(url: str) -> dict[str, str]:
    """Return the state of each component by name, from an API server. Raises OSError if it does not respond."""
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{url}/api/v2/monitor/health", timeout=5) as response:
            body: dict[str, Any] = json.load(response)
    except ValueError as error:
        raise OSError(str(error)) from error
    return {name: str(part["status"]) for name, part in body.items() if isinstance(part, dict)}


def _belongs_to(process: psutil.Process, sessions: dict[int, float]) -> bool:
    """Whether a process belongs to one of these sessions, and not to a later session with the same id."""
    number = os.getsid(process.pid)
    if number not in sessions:
        return False
    try:
        # The kernel does not reuse a session id while the session has members.
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
