"""A server of one's own with passwords (scram): set up by a user that may create roles, run by one that may not."""

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
class OwnServer:
    port: int
    log: Path

    def url(self, user: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/pressmark"

    def connect(self, user: str, password: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(self.url(user), password=password)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A cluster of the wheel's binaries that listens on loopback and asks for passwords."""
    server = EmbeddedServer(tmp_path_factory.mktemp("own"))
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
    place = server.places
    (place.data / "pg_hba.conf").write_text(HBA)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--port={port}", "--listen_addresses=127.0.0.1", f"--unix_socket_directories={place.sockets}",
               "--log_statement=all", "--log_min_error_statement=error"]  # fmt: skip
    started = server._run(
        "pg_ctl", "start", "-D", str(place.data), "-l", str(place.log), "-w", "-o", " ".join(map(shlex.quote, options))
    )
    assert started.returncode == 0, started.stderr
    yield OwnServer(port, place.log)
    server.remove()


def command(
    own: OwnServer, installation: Installation, user: str, password: str, *arguments: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        installation.command(*arguments),
        env=installation.environment(PRESSMARK_DATABASE_URL=own.url(user), PGPASSWORD=password, **env),
        capture_output=True, text=True, timeout=120, check=False, input=stdin,
    )  # fmt: skip


def test_set_up_run_and_asked_by_three_different_users(
    own: OwnServer, installation: Installation, tmp_path: Path
) -> None:
    early = command(own, installation, "runner", RUNNER, "status")
    assert early.returncode == 3 and "pressmark db migrate" in early.stderr
    assert (done := command(own, installation, "installer", INSTALLER, "db", "migrate")).returncode == 0, done.stderr
    with own.connect("installer", INSTALLER) as connection:
        connection.cursor().execute(
            "GRANT pressmark_loader, pressmark_maintainer, pressmark_eraser, pressmark_owner TO runner"
        )
    with running(tmp_path / "access.log") as stand:
        crawled = command(
            own, installation, "runner", RUNNER, "crawl", "harbour-dispatch", "tagesblick", "--json",
            PRESSMARK_OUTLETS=str(OUTLETS), PRESSMARK_RESOLVE=stand.resolve,
        )  # fmt: skip
    assert crawled.returncode == 0 and '"ledger_ok": true' in crawled.stdout, crawled.stderr
    for arguments in (["maintain"], ["snapshot", "s"], ["snapshot", "s", "--check"], ["status"], ["cluster"]):
        done = command(own, installation, "runner", RUNNER, *arguments, PRESSMARK_OUTLETS=str(OUTLETS))
        assert done.returncode == 0, (arguments, done.stderr)
    granted = command(
        own, installation, "installer", INSTALLER, "db", "grant-analyst", "jane", "--password-stdin", stdin=JANE + "\n"
    )
    assert granted.returncode == 0, granted.stderr
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        own.connect("jane", "not hers")
    with contextlib.closing(own.connect("jane", JANE)) as jane:
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
        cursor.execute("SET default_transaction_read_only = off")  # guards against accidents; the rights are the wall
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("CREATE TABLE mart.mine (i int)")
    # The one who runs it is no superuser and can become none.
    with contextlib.closing(own.connect("runner", RUNNER)) as runner:
        cursor = runner.cursor()
        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    # No password stands in a log, ours or the server's, though it logs every statement.
    logs = [own.log, *(p for p in (installation.home / "logs").rglob("*") if p.is_file())]
    told = "".join(p.read_text(errors="replace") for p in logs) + crawled.stderr + granted.stderr + granted.stdout
    assert "SCRAM-SHA-256$" in told and not [p for p in (INSTALLER, RUNNER, JANE) if p in told]


@pytest.mark.parametrize("name", ["pressmark_x", "pg_x", "a b", 'x"; DROP TABLE y; --', ""])
def test_names_of_readers(installation: Installation, name: str) -> None:
    done = installation.run("db", "grant-analyst", name, "--password-stdin", check=False)
    assert done.returncode == 2 and "Invalid reader name" in done.stderr


def test_a_reader_on_the_embedded_server(installation: Installation) -> None:
    installation.run("db", "grant-analyst", "joe")
    server = installation.warehouse.embedded
    assert server is not None
    with contextlib.closing(psycopg2.connect(server.dsn("joe", "pressmark"))) as joe:
        cursor = joe.cursor()
        cursor.execute("SELECT count(*) FROM article")  # search_path is mart
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT 1 FROM core.article")
