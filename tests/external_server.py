"""A Postgres server that listens on loopback and asks for passwords, as most servers do."""

from __future__ import annotations

import contextlib
import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from pressmark.warehouse.embedded import EmbeddedServer

INSTALLER, RUNNER = "canary-installer-pw", "canary-runner-pw"
PASSWORDS = {"installer": INSTALLER, "runner": RUNNER}
_HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass
class ExternalServer:
    """The port and the log file of a running server.

    Its users: `installer` may create roles and owns the database `pressmark`, `runner` may only log in. Neither is a
    superuser, as on a managed server.
    """

    port: int
    log: Path
    server: EmbeddedServer

    def url(self, user: str, database: str = "pressmark", port: int | None = None) -> str:
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def connect(self, user: str, password: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(self.url(user), password=password)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as superuser."""
        dsn = f"host={self.server.places.sockets} port={self.port} user=postgres dbname={database}"
        with contextlib.closing(psycopg2.connect(dsn)) as admin:
            admin.autocommit = True
            admin.cursor().execute("SET log_statement = none")  # they contain passwords
            for statement in statements:
                admin.cursor().execute(statement)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def create_database(name: str, owner: str = "installer", encoding: str = "UTF8") -> str:
    """Return the statement that creates a database."""
    return f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C' " + (
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'" if encoding == "UTF8" else "LOCALE_PROVIDER libc"
    )


@contextlib.contextmanager
def running_server(folder: Path) -> Iterator[ExternalServer]:
    """Run a server with its data below `folder`."""
    server = EmbeddedServer(folder)
    server.ensure_running()
    server.stop()
    paths = server.places
    (paths.data / "pg_hba.conf").write_text(_HBA)
    port = free_port()
    options = [f"--port={port}", "--listen_addresses=127.0.0.1", f"--unix_socket_directories={paths.sockets}",
               "--log_statement=all", "--log_min_error_statement=error"]  # fmt: skip
    started = server._run(
        "pg_ctl", "start", "-D", str(paths.data), "-l", str(paths.log), "-w", "-o", " ".join(map(shlex.quote, options))
    )
    assert started.returncode == 0, started.stderr
    external = ExternalServer(port, paths.log, server)
    external.execute(
        f"CREATE ROLE installer LOGIN CREATEROLE PASSWORD '{INSTALLER}'",
        f"CREATE ROLE runner LOGIN PASSWORD '{RUNNER}'",
        create_database("pressmark"),
    )
    yield external
    server.remove()
