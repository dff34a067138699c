"""An analyst connects to the embedded server over TCP with the clients of docs/connect.md, and can only read mart."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas
import polars
import psutil
import psycopg2
import pytest
import sqlalchemy

from pressmark.newsstand import OUTLETS
from pressmark.newsstand.server import running
from pressmark.settings import Settings
from pressmark.warehouse.connect_info import ConnectInfo, connect_info
from pressmark.warehouse.connection import Warehouse
from tests.conftest import Installation
from tests.external_server import free_port

PASSWORD = "canary: jane's pass\\word"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Installation]:
    """An installation with the articles of one outlet and its own server."""
    with running(tmp_path / "access.log") as newsstand:
        one = Installation(
            tmp_path / "home", {"PRESSMARK_OUTLETS": str(OUTLETS), "PRESSMARK_RESOLVE": newsstand.resolve}
        )
        one.crawl("harbour-dispatch")
        yield one
    server = one.warehouse.embedded
    assert server is not None
    server.remove()


def listening(installation: Installation) -> set[tuple[str, int]]:
    server = installation.warehouse.embedded
    assert server is not None
    pid = int((server.places.data / "postmaster.pid").read_text().splitlines()[0])
    connections = psutil.Process(pid).net_connections(kind="inet")
    return {tuple(c.laddr) for c in connections if c.status == psutil.CONN_LISTEN}


def grant(installation: Installation, name: str, password: str) -> str:
    done = subprocess.run(
        installation.command("db", "grant-analyst", name, "--password-stdin"), env=installation.environment(),
        input=password + "\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_new_login_connects_over_tcp_and_only_reads_mart(home: Installation) -> None:
    assert listening(home) == set()
    port = free_port()
    home.run("db", "listen", str(port))
    assert listening(home) == {("127.0.0.1", port)}
    printed = grant(home, "jane", PASSWORD)
    assert f"127.0.0.1:{port}:pressmark:jane:PASSWORD" in printed
    info = json.loads(home.run("db", "connect-info", "--user", "jane", "--json").stdout)
    assert (info["host"], info["port"], info["database"]) == ("127.0.0.1", str(port), "pressmark")

    with contextlib.closing(psycopg2.connect(info["dsn"], password=PASSWORD)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM article")
        assert cursor.fetchone() == (10,)
        for forbidden in ("SELECT 1 FROM core.article", "SELECT 1 FROM ops.crawl", "SELECT 1 FROM mart.comment",
                          "CREATE TABLE mart.mine (i int)", "CREATE TEMP TABLE mine (i int)"):  # fmt: skip
            with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)):
                cursor.execute(forbidden)
        cursor.execute("SET statement_timeout = '100ms'")
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("SELECT pg_sleep(5)")
        cursor.execute("RESET statement_timeout; SHOW statement_timeout")
        assert cursor.fetchone() == ("5min",)

    url = sqlalchemy.make_url(info["sqlalchemy_url"]).set(password=PASSWORD)
    engine = sqlalchemy.create_engine(url)
    frame = pandas.read_sql("SELECT outlet, headline, date_published FROM article ORDER BY headline", engine)
    assert len(frame) == 10 and set(frame.outlet) == {"harbour-dispatch"}
    assert str(frame.date_published.dtype).startswith("datetime64") and frame.headline.notna().all()
    assert polars.read_database("SELECT headline FROM article", engine.connect()).height == 10
    engine.dispose()

    # Pressmark's own roles use the socket, as the user that runs the server.
    own = json.loads(home.run("db", "connect-info", "--user", "pressmark_loader", "--json").stdout)
    assert own["host"].startswith("/") and own["pgpass"] is None
    with contextlib.closing(psycopg2.connect(own["dsn"])) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM ops.crawl")
        assert cursor.fetchone() == (1,)

    # Nobody gets in without a password: neither the superuser nor the roles of crawls.
    for user in ("postgres", "pressmark_loader", "pressmark_owner", "jane"):
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(host="127.0.0.1", port=port, user=user, dbname="pressmark", password="wrong")


@pytest.mark.long
def test_server_changes_its_port_and_stops_listening(home: Installation) -> None:
    first, second = free_port(), free_port()
    home.run("db", "listen", str(first))
    fingerprint = home.fingerprint()
    home.run("db", "listen", str(second))
    assert listening(home) == {("127.0.0.1", second)}
    home.run("down")
    assert home.fingerprint() == fingerprint, "the next command starts it on the same port"
    assert listening(home) == {("127.0.0.1", second)}
    with socket.create_server(("127.0.0.1", first)):
        refused = home.run("db", "listen", str(first), check=False)
    assert refused.returncode == 3 and f"Port {first} of 127.0.0.1 cannot be used" in refused.stderr
    assert home.fingerprint() == fingerprint and listening(home) == {("127.0.0.1", second)}
    home.run("db", "listen", "--off")
    assert home.fingerprint() == fingerprint and listening(home) == set()
    for wrong in ([], ["5433", "--off"], ["80"], ["port"]):
        assert home.run("db", "listen", *wrong, check=False).returncode == 2


def test_login_without_a_password_must_be_asked_for(installation: Installation) -> None:
    refused = installation.run("db", "grant-analyst", "mary", check=False)
    assert refused.returncode == 2 and "--password-stdin or --no-password" in refused.stderr
    assert installation.query("SELECT count(*) FROM pg_roles WHERE rolname = 'mary'") == [(0,)]
    assert "mary can read mart" in installation.run("db", "grant-analyst", "mary", "--no-password").stdout


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://crawler:pw@db.example:6432/news", ("db.example", "6432", "news")),
        ("postgresql://crawler@db1,db2:5433/news?sslmode=require", ("db1", "5432", "news")),
        ("host=::1 dbname=news user=crawler", ("::1", "5432", "news")),
    ],
)
def test_connect_info_of_a_server(tmp_path: Path, url: str, expected: tuple[str, str, str]) -> None:
    settings = Settings.from_env({"PRESSMARK_HOME": str(tmp_path), "PRESSMARK_DATABASE_URL": url})
    info = connect_info(Warehouse(settings), "jane")
    assert (info.host, info.port, info.database) == expected and info.user == "jane"
    assert "pw" not in (info.dsn + info.sqlalchemy_url).replace("psycopg2", "")
    parsed = sqlalchemy.make_url(info.sqlalchemy_url)
    assert (parsed.host, str(parsed.port), parsed.database) == expected


def test_pgpass_line_escapes_what_libpq_separates_by() -> None:
    assert ConnectInfo("::1", "5432", "a:b", "j\\x").pgpass == r"\:\:1:5432:a\:b:j\\x:PASSWORD"
