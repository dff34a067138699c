"""An external Postgres server with scram passwords: one user with CREATEROLE sets it up, one without runs it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from pressmark.airflow import metadata
from pressmark.newsstand import OUTLETS
from pressmark.newsstand.server import running
from tests.conftest import Installation
from tests.external_server import (
    INSTALLER,
    PASSWORDS,
    RUNNER,
    ExternalServer,
    create_database,
    free_port,
    running_server,
)
from tests.packages import needs_debian_package

JANE = "canary-jane-pw"


@pytest.fixture(scope="module")
def external_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalServer]:
    """A Postgres server that listens on loopback and requires passwords."""
    with running_server(tmp_path_factory.mktemp("external")) as server:
        yield server


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
    # The runner may log in, but has no rights yet. Every command says so, and names the one that grants them.
    for arguments in (["status"], ["crawl", "harbour-dispatch"], ["db", "status"]):
        refused = command(external_server, installation, "runner", RUNNER, *arguments, PRESSMARK_OUTLETS=str(OUTLETS))
        assert refused.returncode == 3 and "`pressmark db grant-runner runner`" in refused.stderr, refused.stderr
    granting = command(external_server, installation, "installer", INSTALLER, "db", "grant-runner", "runner",
                       "--no-password")  # fmt: skip
    assert granting.returncode == 0 and "runner can run crawls" in granting.stdout, granting.stderr
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
    assert done.returncode == 2 and "Invalid login name" in done.stderr


def test_analyst_on_the_embedded_server_reads_only_mart(installation: Installation) -> None:
    installation.run("db", "grant-analyst", "joe", "--no-password")
    server = installation.warehouse.embedded
    assert server is not None
    with contextlib.closing(psycopg2.connect(server.dsn("joe", "pressmark"))) as joe:
        cursor = joe.cursor()
        cursor.execute("SELECT count(*) FROM article")  # search_path is mart
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT 1 FROM core.article")


def test_every_form_of_the_url_works_in_every_command(
    external_server: ExternalServer, installation: Installation, tmp_path: Path
) -> None:
    """Several hosts, of which the first is down, and keywords with values."""
    external_server.execute(create_database("forms"))
    port, dead = external_server.port, free_port()
    for url in (
        f"postgresql://installer@127.0.0.1:{dead},127.0.0.1:{port}/forms?target_session_attrs=read-write",
        f"host=127.0.0.1 port={port} user=installer dbname=forms",
    ):
        env = {"PRESSMARK_DATABASE_URL": url, "PGPASSWORD": INSTALLER}
        for arguments in (["db", "migrate"], ["db", "status"], ["status"], ["db", "fingerprint"],
                          ["db", "backup", str(tmp_path / "forms.dump")]):  # fmt: skip
            done = installation.run(*arguments, check=False, **env)
            assert done.returncode == 0, (url, arguments, done.stderr)
        external_server.execute("ALTER ROLE pressmark_analyst PASSWORD 'canary-analyst-pw'")
        passwords = tmp_path / "pgpass"
        passwords.write_text(f"*:*:*:installer:{INSTALLER}\n*:*:*:pressmark_analyst:canary-analyst-pw\n")
        passwords.chmod(0o600)
        asked = installation.run(
            "psql",
            "-At",
            "-c",
            "SELECT count(*) FROM article",
            PRESSMARK_DATABASE_URL=url,
            PGPASSFILE=str(passwords),
        )
        assert asked.stdout.strip() == "0"
    wrong = installation.run("db", "status", check=False, PRESSMARK_DATABASE_URL="mysql://x@y/z")
    assert wrong.returncode == 2 and "PRESSMARK_DATABASE_URL is not a Postgres URL" in wrong.stderr


def test_second_installation_on_the_server_gets_a_prefix(
    external_server: ExternalServer, installation: Installation
) -> None:
    """Roles belong to the whole server: another user cannot take over those of the first installation."""
    external_server.execute(
        "CREATE ROLE second LOGIN CREATEROLE PASSWORD 'canary-second-pw'", create_database("second", "second")
    )
    assert command(external_server, installation, "installer", INSTALLER, "db", "migrate").returncode == 0

    def second(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        url = external_server.url("second", "second")
        env = {"PRESSMARK_DATABASE_URL": url, "PGPASSWORD": "canary-second-pw", **env}
        return installation.run(*arguments, check=False, **env)

    refused = second("db", "migrate")
    assert refused.returncode == 3 and "PRESSMARK_ROLE_PREFIX" in refused.stderr, refused.stderr
    assert "Traceback" not in refused.stderr
    done = second("db", "migrate", PRESSMARK_ROLE_PREFIX="herald")
    assert done.returncode == 0, done.stderr
    assert second("status", PRESSMARK_ROLE_PREFIX="herald").returncode == 0
    rows = second("db", "status", PRESSMARK_ROLE_PREFIX="herald").stdout
    assert "pending:  none" in rows
    with contextlib.closing(
        psycopg2.connect(external_server.url("second", "second"), password="canary-second-pw")
    ) as c:
        cursor = c.cursor()
        cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('core', 'ops')")
        assert cursor.fetchall() == [("herald_owner",)]
        cursor.execute("SELECT count(*) FROM information_schema.role_table_grants WHERE grantee LIKE 'pressmark%'")
        assert cursor.fetchone() == (0,)
    # Without the prefix, or with another one, the database is recognised as that of the first.
    assert "set PRESSMARK_ROLE_PREFIX=herald" in second("db", "migrate", PRESSMARK_ROLE_PREFIX="other").stderr
    invalid = second("db", "status", PRESSMARK_ROLE_PREFIX="No-Good")
    assert invalid.returncode == 2 and "PRESSMARK_ROLE_PREFIX is 'No-Good'" in invalid.stderr


@pytest.mark.parametrize(
    ("database", "user", "message"),
    [
        ("latin", "installer", "has the encoding LATIN1, and Pressmark needs UTF8"),
        ("foreign_owner", "installer", "does not own the database foreign_owner"),
        ("no_roles", "runner", "cannot use the role pressmark_owner"),
    ],
)  # fmt: skip
def test_unsuitable_databases_are_refused_in_one_line(
    external_server: ExternalServer, installation: Installation, database: str, user: str, message: str
) -> None:
    assert (
        command(external_server, installation, "installer", INSTALLER, "db", "migrate").returncode == 0
    )  # has roles now
    owner = {"latin": "installer", "foreign_owner": "postgres", "no_roles": "runner"}[database]
    external_server.execute(create_database(database, owner, "LATIN1" if database == "latin" else "UTF8"))
    env = {"PRESSMARK_DATABASE_URL": external_server.url(user, database), "PGPASSWORD": PASSWORDS[user]}
    done = installation.run("db", "migrate", check=False, **env)
    assert done.returncode == 3, done.stderr
    assert message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_connection_pooler_is_refused(
    external_server: ExternalServer, installation: Installation, tmp_path: Path, mode: str
) -> None:
    needs_debian_package("pgbouncer", "pgbouncer")
    port = free_port()
    (tmp_path / "users.txt").write_text(f'"installer" "{INSTALLER}"\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={external_server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = plain\nauth_file = {tmp_path}/users.txt\npool_mode = {mode}\n"
        f"unix_socket_dir =\nlogfile = {tmp_path}/log\n"
    )
    for path in (tmp_path, *tmp_path.iterdir()):
        shutil.chown(path, "nobody")
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    pooler = subprocess.Popen(["pgbouncer", "-u", "nobody", str(tmp_path / "pgbouncer.ini")], stderr=subprocess.DEVNULL)
    try:
        url = external_server.url("installer", port=port)
        for _ in range(50):
            with contextlib.suppress(psycopg2.OperationalError):
                psycopg2.connect(url, password=INSTALLER).close()
                break
            time.sleep(0.1)
        done = installation.run("db", "status", check=False, PRESSMARK_DATABASE_URL=url, PGPASSWORD=INSTALLER)
        assert done.returncode == 3, done.stderr
        assert "leads to a connection pooler" in done.stderr and "address of the server itself" in done.stderr
    finally:
        pooler.terminate()
        pooler.wait()


def test_metadata_of_an_earlier_version_gets_its_own_login(external_server: ExternalServer) -> None:
    """In earlier versions of docker-compose.yml, Airflow's tables belonged to the superuser."""
    external_server.execute("CREATE DATABASE airflow_old")
    external_server.execute(
        "CREATE TYPE colour AS ENUM ('red')", "CREATE TABLE dag (id serial PRIMARY KEY, c colour)",
        "CREATE SEQUENCE alone", "CREATE VIEW dags AS SELECT * FROM dag", database="airflow_old",
    )  # fmt: skip
    dsn = f"host={external_server.server.places.sockets} port={external_server.port} user=postgres dbname="
    for _ in range(2):
        with contextlib.closing(metadata.connect(dsn + "postgres")) as admin:
            metadata.create_metadata_database(admin, "airflow_old", "airflow_login", "canary-airflow-pw")
        with contextlib.closing(metadata.connect(dsn + "airflow_old")) as admin:
            metadata.take_over_tables(admin, "airflow_login")
    url = external_server.url("airflow_login", "airflow_old")
    with contextlib.closing(psycopg2.connect(url, password="canary-airflow-pw")) as airflow:
        cursor = airflow.cursor()
        cursor.execute("INSERT INTO dag (c) VALUES ('red')")
        cursor.execute("ALTER TABLE dag ADD COLUMN added integer")
        cursor.execute("ALTER TYPE colour RENAME TO hue")
        cursor.execute("DROP VIEW dags")
        cursor.execute("DROP SEQUENCE alone")
