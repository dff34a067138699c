"""An external Postgres server with scram passwords: one user with CREATEROLE sets it up, one without runs it."""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from pressmark.newsstand import OUTLETS
from pressmark.newsstand.server import running
from pressmark.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation

INSTALLER, RUNNER, JANE = "canary-installer-pw", "canary-runner-pw", "canary-jane-pw"
HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass
class ExternalServer:
    """The port and the log file of a running server."""

    port: int
    log: Path

    def url(self, user: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/pressmark"

    def connect(self, user: str, password: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(self.url(user), password=password)


@pytest.fixture(scope="module")
def external_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalServer]:
    """A Postgres server that listens on loopback and requires passwords."""
    server = EmbeddedServer(tmp_path_factory.mktemp("external"))
    server.ensure_running()
    with contextlib.closing(psycopg2.connect(server.dsn("postgres", "postgres"))) as admin:
        admin.autocommit = True
        cursor = admin.cursor()
        cursor.execute("CREATE ROLE installer LOGIN CREATEROLE PASSWORD %s", (INSTALLER,))
        cursor.execute("CREATE ROLE runner LOGIN PASSWORD %s", (RUNNER,))
        cursor.execute(
            "CREATE DATABASE pressmark OWNER installer TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' "
            "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        )
    server.stop()
    paths = server.places
    (paths.data / "pg_hba.conf").write_text(HBA)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--port={port}", "--listen_addresses=127.0.0.1", f"--unix_socket_directories={paths.sockets}",
               "--log_statement=all", "--log_min_error_statement=error"]  # fmt: skip
    started = server._run(
        "pg_ctl", "start", "-D", str(paths.data), "-l", str(paths.log), "-w", "-o", " ".join(map(shlex.quote, options))
    )
    assert started.returncode == 0, started.stderr
    yield ExternalServer(port, paths.log)
    server.remove()


def command(
    external_server: ExternalServer,
    installation: Installation,
    user: str,
    password: str,
    *arguments: str,
    stdin: str = "",
    **env: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        installation.command(*arguments),
        env=installation.environment(PRESSMARK_DATABASE_URL=external_server.url(user), PGPASSWORD=password, **env),
        capture_output=True, text=True, timeout=120, check=False, input=stdin,
    )  # fmt: skip


def test_installer_runner_and_analyst_have_only_the_privileges_they_need(
    external_server: ExternalServer, installation: Installation, tmp_path: Path
) -> None:
    too_early = command(external_server, installation, "runner", RUNNER, "status")
    assert too_early.returncode == 3 and "pressmark db migrate" in too_early.stderr
    assert (done := command(external_server, installation, "installer", INSTALLER, "db", "migrate")).returncode == 0, (
        done.stderr
    )
    with external_server.connect("installer", INSTALLER) as connection:
        connection.cursor().execute(
            "GRANT pressmark_loader, pressmark_maintainer, pressmark_eraser, pressmark_owner TO runner"
        )
    with running(tmp_path / "access.log") as newsstand:
        crawled = command(
            external_server, installation, "runner", RUNNER, "crawl", "harbour-dispatch", "tagesblick", "--json",
            PRESSMARK_OUTLETS=str(OUTLETS), PRESSMARK_RESOLVE=newsstand.resolve,
        )  # fmt: skip
    assert crawled.returncode == 0 and '"ledger_ok": true' in crawled.stdout, crawled.stderr
    for arguments in (["maintain"], ["snapshot", "s"], ["snapshot", "s", "--check"], ["status"], ["cluster"]):
        done = command(external_server, installation, "runner", RUNNER, *arguments, PRESSMARK_OUTLETS=str(OUTLETS))
        assert done.returncode == 0, (arguments, done.stderr)
    granted = command(
        external_server,
        installation,
        "installer",
        INSTALLER,
        "db",
        "grant-analyst",
        "jane",
        "--password-stdin",
        stdin=JANE + "\n",
    )
    assert granted.returncode == 0, granted.stderr
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        external_server.connect("jane", "wrong password")
    with contextlib.closing(external_server.connect("jane", JANE)) as jane:
        jane.autocommit = True
        cursor = jane.cursor()
        cursor.execute("SELECT count(*) FROM mart.article")
        assert cursor.fetchone() == (20,)
        cursor.execute("SELECT count(*) FROM mart.search('harbour')")
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5min",)
        for forbidden in (
            "SELECT 1 FROM core.article",
            "SELECT 1 FROM ops.crawl",
            "SELECT 1 FROM staging.capture",
            "SELECT 1 FROM mart.comment",
            "SET ROLE pressmark_loader",
            "SET ROLE pressmark_owner",
            "SET ROLE NONE; SELECT 1 FROM core.article",
            "SET default_transaction_read_only = off; CREATE TABLE mart.mine (i int)",
            "SET default_transaction_read_only = off; CREATE TEMP TABLE t AS SELECT * FROM core.text",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT core.search_fold('x')",
        ):
            with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)):
                cursor.execute(forbidden)
        cursor.execute("SET default_transaction_read_only = off")  # it only prevents accidents
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("CREATE TABLE mart.mine (i int)")
    # The user that runs the pipeline is not a superuser and cannot create roles.
    with contextlib.closing(external_server.connect("runner", RUNNER)) as runner:
        cursor = runner.cursor()
        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    # Neither our logs nor the server's contain a password, although the server logs every statement.
    logs = [external_server.log, *(p for p in (installation.home / "logs").rglob("*") if p.is_file())]
    log_text = "".join(p.read_text(errors="replace") for p in logs) + crawled.stderr + granted.stderr + granted.stdout
    assert "SCRAM-SHA-256$" in log_text
    assert not [p for p in (INSTALLER, RUNNER, JANE) if p in log_text]


@pytest.mark.parametrize("name", ["pressmark_x", "pg_x", "a b", 'x"; DROP TABLE y; --', ""])
def test_invalid_analyst_names_are_rejected(installation: Installation, name: str) -> None:
    done = installation.run("db", "grant-analyst", name, "--password-stdin", check=False)
    assert done.returncode == 2 and "Invalid reader name" in done.stderr


def test_analyst_on_the_embedded_server_reads_only_mart(installation: Installation) -> None:
    installation.run("db", "grant-analyst", "joe")
    server = installation.warehouse.embedded
    assert server is not None
    with contextlib.closing(psycopg2.connect(server.dsn("joe", "pressmark"))) as joe:
        cursor = joe.cursor()
        cursor.execute("SELECT count(*) FROM article")  # search_path is mart
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT 1 FROM core.article")
