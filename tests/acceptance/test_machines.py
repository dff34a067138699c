"""Two machines with separate disks share a Postgres server and an archive on S3. Machines and the archive fail."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg2
import pytest
from s3fs import S3FileSystem

from pressmark.archive import remote
from pressmark.archive.store import ArchiveStore
from pressmark.errors import ArchiveUnavailable, LockTimeout
from pressmark.newsstand import OUTLETS as FOLDER
from pressmark.newsstand.server import Newsstand, running
from pressmark.warehouse import locks
from pressmark.warehouse.connection import transaction
from pressmark.warehouse.locks import LeaseHolder, session_lock, take_turn
from tests.acceptance.test_newsstand import OUTLETS, check_archive
from tests.conftest import Installation
from tests.external_server import INSTALLER, ExternalServer, create_database, running_server
from tests.packages import needs_debian_package
from tests.s3_server import S3Server, running_s3
from tests.tcp_proxy import tcp_proxy

KEY = "a-key-of-more-than-thirty-two-characters"
LIMIT = 180  # seconds after the loss of a machine until work must continue
Machine = Callable[..., Installation]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExternalServer]:
    with running_server(tmp_path_factory.mktemp("server")) as external:
        yield external


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with running_s3() as running_server:
        yield running_server


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Newsstand]:
    with running(tmp_path / "access.log") as newsstand:
        yield newsstand


@pytest.fixture
def machine(server: ExternalServer, s3: S3Server, stand: Newsstand, tmp_path: Path) -> Machine:
    """A function that returns one more machine of an installation with an empty warehouse and archive."""
    database = f"d{time.monotonic_ns()}"
    server.execute(create_database(database))

    def add(name: str, port: int | None = None, s3_port: int | None = None, **env: str) -> Installation:
        """port, s3_port: of proxies in front of the servers."""
        url = server.url(f"installer:{quote(INSTALLER)}", database, port)
        return Installation(
            tmp_path / name,
            {
                "PRESSMARK_DATABASE_URL": url,
                "PRESSMARK_OUTLETS": str(FOLDER),
                "PRESSMARK_RESOLVE": stand.resolve,
                **s3.environment(s3_port, prefix=database),
                **env,
            },
        )

    add("setup").run("db", "migrate")
    return add


def use_environment(monkeypatch: pytest.MonkeyPatch, installation: Installation) -> None:
    """Give this process the S3 credentials of a machine."""
    for name, value in installation.env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()  # it does not know that the endpoint has changed


@pytest.mark.long
def test_crawls_of_two_machines_equal_those_of_one(
    machine: Machine, installation: Installation, newsstand: Newsstand, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.crawl(*OUTLETS)
    first, second = machine("first"), machine("second")
    first.crawl(*OUTLETS[:2])
    second.crawl(*OUTLETS[2:])
    assert first.fingerprint() == second.fingerprint() == installation.fingerprint()
    use_environment(monkeypatch, first)
    assert check_archive(first) == 40
    # What the archive holds is enough to rebuild the warehouse on a third machine with an embedded server.
    third = machine("third")
    del third.env["PRESSMARK_DATABASE_URL"]
    rebuilt = third.run("db", "rebuild", "--from-archive").stdout.split()[-1]
    assert rebuilt == first.fingerprint()
    third.run("down")


def test_sealed_pages_of_a_lost_machine_are_loaded_when_it_is_back(machine: Machine, stand: Newsstand) -> None:
    lost, other = machine("lost"), machine("other")
    done = lost.run("crawl", "la-plaza", check=False, PRESSMARK_FAILPOINT="sealed_not_archived")
    assert done.returncode != 0
    ((crawl_id,),) = lost.query("SELECT crawl_id FROM ops.crawl")
    spooled = list((lost.home / "spool" / str(crawl_id)).glob("*.warc.gz"))
    assert len(spooled) == 1
    # The other machine closes the dead crawl. It cannot know the pages, so it fetches them again.
    assert other.outcomes("la-plaza") == {"new": 10}
    outcomes = "SELECT outcome, count(*) FROM ops.candidate WHERE crawl_id = %s GROUP BY 1"
    assert other.query(outcomes, (crawl_id,)) == [("interrupted", 10)]
    # The lost machine is back and crawls something else.
    back = lost.run("crawl", "tagesblick", "--json")
    log = (lost.home / "logs" / "crawl.log").read_text()
    assert "staged 10 pages from the spool" in log, back.stderr
    assert list((lost.home / "spool").glob("*")) == []
    lost.run("load")
    # Its pages were fetched first, so they are the new ones, and those of the other machine are unchanged.
    assert other.query(outcomes, (crawl_id,)) == [("new", 10)]
    ((captures, ledgers),) = other.query(
        "SELECT (SELECT count(*) FROM core.capture JOIN core.article USING (article_uid) WHERE outlet = 'la-plaza'), "
        "(SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok)"
    )
    assert (captures, ledgers) == (20, 0)


def test_sweep_neither_restores_erased_pages_nor_stops_at_damaged_files(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose upload was confirmed to nobody, a file cut short, and a folder of another installation."""
    lost = machine("lost", PRESSMARK_ERASURE_KEY=KEY)
    assert lost.run("crawl", "la-plaza", check=False, PRESSMARK_FAILPOINT="sealed_not_archived").returncode != 0
    ((crawl_id,),) = lost.query("SELECT crawl_id FROM ops.crawl")
    (spooled,) = (lost.home / "spool" / str(crawl_id)).glob("*.warc.gz")
    document = spooled.read_bytes()
    lost.crawl("la-plaza")  # archives and stages it
    ((url, file),) = lost.query(
        "SELECT url, file FROM core.article JOIN core.capture USING (article_uid) JOIN core.archive_segment "
        "USING (segment_id) WHERE segment_id = %s LIMIT 1", (spooled.name.removesuffix(".warc.gz"),)
    )  # fmt: skip
    lost.run("remove", "--url", url, "--erase", "--reason", "a test", "--yes")
    use_environment(monkeypatch, lost)
    store = ArchiveStore(lost.env["PRESSMARK_ARCHIVE"])
    erased = store.read_file(file)
    assert erased != document
    spooled.parent.mkdir(parents=True)
    spooled.write_bytes(document)
    damaged = spooled.with_name(f"{uuid4()}.warc.gz")
    damaged.write_bytes(document[: len(document) // 2])
    empty = spooled.with_name(f"{uuid4()}.warc.gz")
    empty.touch()
    foreign = lost.home / "spool" / str(uuid4())
    foreign.mkdir()
    lost.crawl("tagesblick")
    assert store.read_file(file) == erased, "the erased page has not come back"
    kept = sorted(path.name for path in spooled.parent.iterdir())
    assert kept == sorted(path.with_suffix(".damaged").name for path in (damaged, empty))
    log = (lost.home / "logs" / "crawl.log").read_text()
    assert f"{damaged}: it is not complete" in log and f"{foreign} is kept" in log


@pytest.mark.long
def test_machine_takes_no_other_key_than_that_of_earlier_erasures(machine: Machine) -> None:
    """A database whose erasures are older than the check value of their key."""
    first, second = machine("first", PRESSMARK_ERASURE_KEY=KEY), machine("second", PRESSMARK_ERASURE_KEY=KEY[::-1])
    first.crawl("la-plaza")
    ((url,),) = first.query("SELECT url FROM core.article ORDER BY url LIMIT 1")
    first.run("remove", "--url", url, "--erase", "--reason", "a test", "--yes")
    first.query("DELETE FROM ops.erasure_key")
    for one in (first, second):
        refused = one.run("crawl", "la-plaza", check=False)
        assert refused.returncode == 2 and "does not know yet which key earlier erasures used" in refused.stderr
    first.run("db", "migrate")
    first.crawl("la-plaza")
    assert "is not the key that earlier erasures used" in second.run("crawl", "la-plaza", check=False).stderr
    # A warehouse that is rebuilt from the archive knows the key from the notes beside it.
    third = machine("third", PRESSMARK_ERASURE_KEY=KEY[::-1])
    del third.env["PRESSMARK_DATABASE_URL"]
    refused = third.run("db", "rebuild", "--from-archive", check=False)
    third.run("down")
    assert refused.returncode == 2 and "is not the key that earlier erasures used" in refused.stderr


def test_key_of_erasures_must_be_the_same_on_all_machines(machine: Machine) -> None:
    first = machine("first")
    first.crawl("la-plaza")
    ((url,),) = first.query("SELECT url FROM core.article WHERE outlet = 'la-plaza' ORDER BY url LIMIT 1")
    erase = ("remove", "--url", url, "--erase", "--reason", "a test", "--yes")
    refused = first.run(*erase, check=False)
    assert refused.returncode == 2 and "Set PRESSMARK_ERASURE_KEY to the same value on all of them" in refused.stderr
    key = KEY
    assert "Removed: 1 article" in first.run(*erase, PRESSMARK_ERASURE_KEY=key).stdout
    crawls = first.query("SELECT count(*) FROM ops.crawl")
    for env, message in (
        ({}, "is missing. Without it, erased values cannot be recognised"),
        ({"PRESSMARK_ERASURE_KEY": key.upper()}, "is not the key that earlier erasures used"),
    ):
        second = machine("second", **env)
        failed = second.run("crawl", "la-plaza", check=False)
        assert failed.returncode == 2 and message in failed.stderr, failed.stderr
        assert first.query("SELECT count(*) FROM ops.crawl") == crawls, "no crawl was opened"
        problems = second.run("doctor", check=False).stdout
        assert message.split(".")[0] in " ".join(problems.split())
    assert machine("second", PRESSMARK_ERASURE_KEY=key).outcomes("la-plaza") == {"not_modified": 9}


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"PRESSMARK_ARCHIVE": "s3://missing/x"}, "the bucket missing does not exist"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"},
            "no credentials. Set AWS_ACCESS_KEY_ID",
        ),
        ({"PRESSMARK_ARCHIVE": "nothing://x/y"}, "cannot be opened: Protocol not known"),
        ({"PRESSMARK_ARCHIVE": "/proc/nothing"}, "/proc/nothing"),
    ],
)  # fmt: skip
def test_unusable_archive_is_one_line_before_anything_is_fetched(
    machine: Machine, stand: Newsstand, env: dict[str, str], message: str
) -> None:
    broken = machine("broken")
    done = broken.run("crawl", "la-plaza", check=False, **env)
    assert done.returncode != 0 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert broken.query("SELECT count(*) FROM ops.crawl") == [(0,)]
    assert stand.requests() == []


def test_erasure_says_that_the_bucket_keeps_old_versions(machine: Machine, s3: S3Server) -> None:
    one = machine("one", PRESSMARK_ERASURE_KEY=KEY)
    one.crawl("la-plaza")
    ((url,),) = one.query("SELECT url FROM core.article ORDER BY url LIMIT 1")
    dry_run = ("remove", "--url", url, "--erase", "--reason", "a test", "--dry-run")
    assert "keeps old versions" not in one.run(*dry_run).stderr
    s3.client.put_bucket_versioning(Bucket="archive", VersioningConfiguration={"Status": "Enabled"})
    try:
        assert "keeps old versions" in " ".join(one.run(*dry_run).stderr.split())
        assert '"archive_keeps_versions": true' in one.run(*dry_run, "--json").stdout
        assert "keeps old versions" in " ".join(one.run("doctor", check=False).stdout.split())
    finally:
        s3.client.put_bucket_versioning(Bucket="archive", VersioningConfiguration={"Status": "Suspended"})


def pages(stand: Newsstand) -> int:
    """Return the number of requests for articles of la-plaza."""
    return sum(request["path"].startswith("/nota.php") for request in stand.requests())


def crawl_while_s3_is_down(
    machine: Machine, s3: S3Server, stand: Newsstand, seconds: float
) -> tuple[Installation, str]:
    """Crawl, and let S3 fail after the first page. It is back after `seconds`. Return the machine and its errors."""
    with tcp_proxy(s3.port) as proxy:
        one = machine("one", s3_port=proxy.port)
        process = subprocess.Popen(
            one.command("crawl", "la-plaza"), env=one.environment(), stderr=subprocess.PIPE, text=True
        )
        while pages(stand) == 0:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        proxy.refuse()
        timer = threading.Timer(seconds, proxy.forward)
        timer.start()
        _, errors = process.communicate(timeout=280)
        timer.cancel()
    one.env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{s3.port}"
    return one, errors


def test_crawl_waits_for_an_archive_that_is_down(machine: Machine, s3: S3Server, stand: Newsstand) -> None:
    one, errors = crawl_while_s3_is_down(machine, s3, stand, seconds=12)
    assert one.query("SELECT finish_reason FROM ops.crawl") == [("finished",)], errors
    assert "The archive does not respond, retrying" in (one.home / "logs" / "crawl.log").read_text()
    assert one.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1") == [("new", 10)]


def test_archive_that_accepts_connections_and_does_not_answer_is_given_up(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(remote, "_REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(remote, "_RETRY_DELAYS", (0.1,))
    monkeypatch.setattr(remote, "_ANY_FILE", 0)
    with tcp_proxy(s3.port) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        S3FileSystem.clear_instance_cache()  # another test of this process may have used another endpoint
        store = ArchiveStore("s3://archive/stalled")
        store.check_writable()
        proxy.stall()
        for request in (store.check_writable, lambda: store.read("a", 0, 10), lambda: list(store.files())):
            began = time.monotonic()
            with pytest.raises(ArchiveUnavailable, match="does not respond: no response within 1 s"):
                request()
            assert time.monotonic() - began < 10


@pytest.mark.long
def test_crawl_whose_archive_stays_down_keeps_its_pages(machine: Machine, s3: S3Server, stand: Newsstand) -> None:
    one, errors = crawl_while_s3_is_down(machine, s3, stand, seconds=10**4)
    ((reason, error, crawl_id),) = one.query("SELECT finish_reason, error, crawl_id FROM ops.crawl")
    assert reason == "failed" and "the archive does not respond" in error, errors
    rows = one.query("SELECT DISTINCT outcome, reason FROM ops.candidate")
    assert len(rows) == 1 and rows[0][0] == "interrupted", rows
    assert f"waits in the spool of {socket.gethostname()}" in rows[0][1]
    assert one.outcomes("la-plaza") == {"not_modified": 10}, "the pages are known, and none is fetched again"
    outcomes = "SELECT outcome, count(*) FROM ops.candidate WHERE crawl_id = %s GROUP BY 1"
    assert one.query(outcomes, (crawl_id,)) == [("new", 10)]


def test_both_ends_of_a_connection_notice_that_the_other_is_gone(machine: Machine) -> None:
    with contextlib.closing(machine("one").warehouse.connect()) as connection:
        with socket.socket(fileno=os.dup(connection.fileno())) as client:
            seconds = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            timeout = client.getsockopt(socket.IPPROTO_TCP, 18)  # TCP_USER_TIMEOUT
        assert (seconds, timeout) == (30, 60_000)
        cursor = connection.cursor()
        shown = []
        for name in ("tcp_keepalives_idle", "tcp_user_timeout", "idle_in_transaction_session_timeout",
                     "client_connection_check_interval"):  # fmt: skip
            cursor.execute("SELECT current_setting(%s)", (name,))
            shown += cursor.fetchone() or ()
        assert shown == ["30", "60000", "2min", "2s"]


@pytest.mark.long
@pytest.mark.parametrize("loss", ["stalled", "dropped"])
def test_everything_goes_on_after_a_machine_is_lost(machine: Machine, server: ExternalServer, loss: str) -> None:
    """A machine holds the lock of a crawl, that of loads, and that of the archive. Then it disappears."""
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(tcp_proxy(server.port))
        lost, other = machine("lost", port=proxy.port).warehouse, machine("other").warehouse
        leases = LeaseHolder(lost)
        assert leases.try_take("crawl:outlet:incremental")
        loading = lost.connect()
        take_turn(loading.cursor(), "load")
        archiving = session_lock(lost.connect(), "pressmark archive")
        archiving.__enter__()
        if loss == "stalled":
            proxy.stall()
        else:
            drop_packets(stack, server.port, proxy)
        started = time.monotonic()

        successor = stack.enter_context(contextlib.closing(LeaseHolder(other)))
        assert successor.take("crawl:outlet:incremental", LIMIT), "the lease has expired"
        with contextlib.closing(other.connect()) as connection, transaction(connection) as cursor:
            take_turn(cursor, "load")
        if loss == "dropped":  # a proxy that answers for the machine keeps its idle sessions alive
            with contextlib.closing(other.connect()) as connection, session_lock(connection, "pressmark archive"):
                pass  # it is free
        assert time.monotonic() - started < LIMIT
        proxy.close()  # so that nothing waits for the lost machine's sockets


def drop_packets(stack: contextlib.ExitStack, port: int, proxy: object) -> None:
    """Drop all packets of the proxy's present connections to the server, as if its machine had lost its power."""
    iptables = needs_debian_package("iptables", "iptables")
    ports = {each.getsockname()[1] for each in proxy._sockets if each.getpeername()[1] == port}  # type: ignore[attr-defined]
    for client in ports:
        for source, target in ((client, port), (port, client)):
            rule = ["INPUT", "-i", "lo", "-p", "tcp", "--sport", str(source), "--dport", str(target), "-j", "DROP"]
            done = subprocess.run([iptables, "-A", *rule], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                pytest.skip(f"packets cannot be dropped here: {done.stderr.strip()}")
            stack.callback(subprocess.run, [iptables, "-D", *rule], check=False)


def test_load_that_waits_too_long_names_the_session_in_the_way(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_TURN_PATIENCE", "300ms")
    warehouse = machine("one").warehouse
    with contextlib.closing(warehouse.connect("loader", "pressmark load")) as holder:
        cursor = holder.cursor()
        take_turn(cursor, "load")
        pid = holder.info.backend_pid
        with contextlib.closing(warehouse.connect()) as waiting, pytest.raises(LockTimeout) as failure:
            take_turn(waiting.cursor(), "load")
        assert f"session {pid} of 127.0.0.1 (pressmark load, idle in transaction, since 2" in str(failure.value)
        assert "pg_terminate_backend" in str(failure.value)
    with contextlib.closing(warehouse.connect()) as connection:
        cursor = connection.cursor()
        take_turn(cursor, "load")
        with pytest.raises(psycopg2.errors.UndefinedTable):
            cursor.execute("SELECT 1 FROM nothing")
