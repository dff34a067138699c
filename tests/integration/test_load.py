"""Loading: in any order, twice, twice at once, with a removal, with a row that core refuses."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from psycopg2 import sql

from pressmark.archive.store import ArchiveStore
from pressmark.errors import ServerError
from pressmark.newsstand.server import Newsstand
from pressmark.registry import load_registry
from pressmark.warehouse.connection import transaction
from pressmark.warehouse.extraction_diff import ArchivedPageExtractor
from pressmark.warehouse.load import load_segments, segments_to_load
from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article, feed

H = "http://test.example"
A = article("The bridge will be closed", *PROSE)
B = article(
    "The bridge will be closed for a year", *PROSE, "A correction was added below the text by the newsroom today."
)

STAGED = ("core.archive_segment", "ops.segment", "staging.capture", "staging.event", "ops.candidate")


def crawl_without_load(installation: Installation, *arguments: str) -> None:
    """Crawl as the command does, and leave what came in staging."""
    from pressmark.cli.crawl import plan_requests
    from pressmark.crawl.process import run_crawls

    outlets = load_registry(installation.settings.outlets).select(arguments)
    requests = plan_requests(installation.warehouse, outlets, None, None, False, None)
    environment = {k: v for k, v in installation.environment().items() if k.startswith("PRESSMARK_")}
    run = run_crawls([r.request_id for r in requests], installation.home / "logs" / "crawl.log", None, environment)
    assert run.exit_code == 0, run


def load(installation: Installation, segments: list[UUID] | None = None) -> list[Any]:
    ids = (
        [(s, o) for s, o, _ in segments_to_load(installation.warehouse, failed=True)]
        if segments is None
        else [(s, "test") for s in segments]
    )
    page_extractor = ArchivedPageExtractor(
        load_registry(installation.settings.outlets), ArchiveStore(installation.settings.archive)
    )
    try:
        return load_segments(installation.warehouse, ids, page_extractor)
    finally:
        page_extractor.close()


def due_now(installation: Installation) -> None:
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")


@pytest.fixture
def three_versions(installation: Installation, serve: Callable[..., WebSite]) -> Installation:
    """Three crawls that saw a page as A, B and A again, staged and not loaded."""
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/story", "t"), (f"{H}/moved", "t"))
    site.answers["test.example", "/moved"] = Answer(status=301, headers={"Location": f"{H}/story"})
    for version in (A, B, A):
        site.answers["test.example", "/story"] = version
        crawl_without_load(installation, "test")
        due_now(installation)
    return installation


def state(installation: Installation) -> list[Any]:
    return [
        installation.query(
            "SELECT ordinal, changed_parts, cause, headline FROM mart.article_revision ORDER BY ordinal"
        ),
        installation.query("SELECT headline, revision_count, url FROM mart.article"),
        installation.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1 ORDER BY 1"),
        installation.fingerprint(),
    ]


@contextlib.contextmanager
def loaded_again(installation: Installation) -> Iterator[Callable[[], None]]:
    """Gives a function that puts the warehouse back to now: staged, and nothing in core that comes from loading."""

    def for_each(statement: str, tables: Sequence[str] = STAGED) -> None:
        with (
            contextlib.closing(installation.warehouse.connect_admin()) as connection,
            transaction(connection) as cursor,
        ):
            for table in tables:
                names = {
                    "table": sql.Identifier(*table.split(".")),
                    "kept": sql.Identifier("public", f"kept_{table.replace('.', '_')}"),
                }
                cursor.execute(sql.SQL(statement).format(**names))

    core = installation.query(
        "SELECT 'core.' || tablename FROM pg_tables "
        "WHERE schemaname = 'core' AND tablename NOT IN ('outcome', 'outlet', 'extractor', 'archive_segment')"
    )

    def back() -> None:
        for_each("TRUNCATE {table} CASCADE", [table for (table,) in core])
        for_each("DELETE FROM {table}", tuple(reversed(STAGED)))
        for_each("INSERT INTO {table} TABLE {kept}")

    for_each("CREATE TABLE {kept} AS TABLE {table}")
    try:
        yield back
    finally:
        for_each("DROP TABLE {kept}")


def test_any_order_gives_the_same_list(three_versions: Installation) -> None:
    installation = three_versions
    segments = [s for s, _, _ in segments_to_load(installation.warehouse)]
    assert len(segments) == 3
    results = []
    with loaded_again(installation) as back:
        for order in itertools.permutations(segments):
            back()
            load(installation, list(order))
            results.append(state(installation))
    assert all(result == results[0] for result in results)
    assert results[0][0] == [
        (1, [], "first", "The bridge will be closed"),
        (2, ["headline", "body"], "publisher", "The bridge will be closed for a year"),
        (3, ["headline", "body"], "publisher", "The bridge will be closed"),
    ]
    assert results[0][1] == [("The bridge will be closed", 3, f"{H}/story")]


def everything(installation: Installation) -> list[Any]:
    """What the loads and the search for copies made, without numbers and times."""
    installation.run("cluster")
    return [
        installation.fingerprint(),
        installation.query("SELECT url, outcome FROM ops.candidate ORDER BY 1, 2"),
        installation.query(
            "SELECT article_uid, merged_into FROM core.article_merge WHERE superseded_seq IS NULL ORDER BY 1"
        ),
        installation.query(
            "SELECT article_uid, in_language, source, tokens::text FROM core.search_document ORDER BY 1"
        ),
        installation.query("SELECT outlet_list, articles FROM mart.copy_cluster ORDER BY 1, 2"),
    ]


def test_four_loaders_with_shuffled_batches_while_backends_are_killed(
    installation: Installation, newsstand: Newsstand
) -> None:
    outlets = sorted(load_registry(installation.settings.outlets).outlets)
    for edition in (1, 2):
        newsstand.edition = edition
        crawl_without_load(installation, *outlets)
        due_now(installation)
    segments = [s for s, _, _ in segments_to_load(installation.warehouse)]
    assert len(segments) >= 12
    seed = int(os.environ.get("PRESSMARK_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"PRESSMARK_TEST_SEED={seed}")
    over, hits, problems = threading.Event(), [], []

    def load_all(number: int) -> None:
        rng = random.Random(seed + number)
        deadline = time.monotonic() + 200
        while segments_left() and time.monotonic() < deadline:
            shuffled = rng.sample(segments, len(segments)) + rng.sample(segments, len(segments))
            for start in range(0, len(shuffled), 3):
                try:
                    load(installation, shuffled[start : start + 3])
                except (ServerError, psycopg2.Error) as error:
                    problems.append(str(error))

    def segments_left() -> bool:
        with contextlib.suppress(ServerError, psycopg2.Error):
            return bool(segments_to_load(installation.warehouse))
        return True

    def kill() -> None:
        """A backend every 500 ms; every fourth by SIGKILL, upon which Postgres ends them all."""
        rng = random.Random(seed)
        for number in itertools.count(1):
            if over.wait(0.5):
                return
            with contextlib.suppress(ServerError, psycopg2.Error, ProcessLookupError):
                backends = installation.query(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'pressmark load' ORDER BY pid"
                )
                if backends:
                    (pid,) = rng.choice(backends)
                    os.kill(pid, signal.SIGTERM if number % 4 else signal.SIGKILL)
                    hits.append(pid)

    with loaded_again(installation) as back:
        load(installation, segments)
        expected = everything(installation)
        for _ in range(6):  # until several were hit: a quick machine is done within a second or two
            back()
            over.clear()
            loaders = [threading.Thread(target=load_all, args=(number,)) for number in range(4)]
            killer = threading.Thread(target=kill)
            for thread in (*loaders, killer):
                thread.start()
            for thread in loaders:
                thread.join()
            over.set()
            killer.join()
            assert not segments_left(), problems
            assert everything(installation) == expected, (len(hits), problems)
            if len(hits) >= 4:
                break
        assert hits, "the loads were too quick to be hit"


def test_loading_twice_and_twice_at_once(three_versions: Installation) -> None:
    installation = three_versions
    segments = [s for s, _, _ in segments_to_load(installation.warehouse)]
    threads = [threading.Thread(target=load, args=(installation, segments)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    before = state(installation)
    assert [result.captures for result in load(installation, segments)] == [None, None, None]
    assert state(installation) == before
    assert before[0][0][2] == "first" and len(before[0]) == 3
    order = installation.query("SELECT load_seq FROM ops.segment ORDER BY loaded_at")
    assert order == sorted(order), "the order of load_seq is the order of commits"


def test_a_row_that_core_refuses_does_not_stop_the_others(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    paths = [f"/{n}" for n in range(6)]
    site.answers["test.example", "/feed"] = feed(*[(H + p, "t") for p in paths])
    for path in paths:
        site.answers["test.example", path] = article(f"Story {path} of the day", *PROSE, f"Installation of {path}.")
    crawl_without_load(installation, "test")
    # A staged row that no article can be made of: its extractor is unknown to core.
    installation.query("UPDATE staging.capture SET extractor_id = -1 WHERE requested_url = %s", (f"{H}/3",))
    (result,) = load(installation)
    assert result.error is None and result.captures == 5
    assert installation.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1 ORDER BY 1") == [
        ("load_failed", 1),
        ("new", 5),
    ]
    ((url, stage, reason),) = installation.query("SELECT url, stage, reason FROM ops.quarantine")
    assert (url, stage) == (f"{H}/3", "load") and "extractor" in reason
    assert installation.query("SELECT ledger_ok FROM mart.crawl") == [(True,)]


def test_a_removal_that_comes_between_fetch_and_load(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"), (f"{H}/b/c", "t"))
    site.answers["test.example", "/a"] = article("Story a of the day", *PROSE)
    site.answers["test.example", "/b/c"] = article("Story c of the day", *PROSE)
    crawl_without_load(installation, "test")
    installation.query(
        "INSERT INTO ops.removal (removal_id, target, value, outlet, action, reason, requested_by) "
        "VALUES (gen_random_uuid(), 'prefix', %s, 'test', 'hide', 'a court', 'a test')",
        (f"{H}/b/",),
    )
    load(installation)
    assert installation.query("SELECT url, outcome FROM ops.candidate ORDER BY url") == [
        (f"{H}/a", "new"),
        (f"{H}/b/c", "suppressed"),
    ]
    assert installation.query("SELECT url FROM mart.article") == [(f"{H}/a",)]


def test_an_upgraded_extractor_is_not_a_newsrooms_edit(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve("extraction: {prune: ['//em']}")
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = article(
        "Story a of the day", *PROSE, "<em>Follow us on all channels for more.</em>"
    )
    installation.crawl("test")
    # The outlet's hints change what is extracted, and the page changes in something that is not its text.
    path = f"{installation.env['PRESSMARK_OUTLETS']}/test.yaml"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("prune: ['//em']", "prune: []"))
    site.answers["test.example", "/a"] = article(
        "Story a of the day", *PROSE, "<em>Follow us on all channels for more.</em>", head="<!-- another build -->"
    )
    due_now(installation)
    installation.crawl("test")
    assert installation.query("SELECT count(*) FROM core.capture") == [(2,)]
    assert installation.query("SELECT count(DISTINCT extractor_id), count(*) FROM core.extraction") == [(2, 3)]
    assert installation.query("SELECT ordinal, cause FROM mart.article_revision") == [(1, "first")]
    assert installation.query("SELECT outcome FROM ops.candidate ORDER BY resolved_at DESC LIMIT 1") == [("unchanged",)]
    # Without the archived page nobody can tell: the cause is unknown, and said so.
    installation.query("UPDATE core.archive_segment SET expired_at = now()")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    site.answers["test.example", "/a"] = article("Story a of the night", *PROSE)
    due_now(installation)
    installation.crawl("test")
    assert installation.query("SELECT ordinal, cause FROM mart.article_revision ORDER BY 1") == [
        (1, "first"),
        (2, "unknown"),
    ]


def test_the_fingerprint_changes_with_each_thing_it_speaks_of(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = A
    installation.crawl("test")
    seen = {installation.fingerprint()}
    for statement in (
        "UPDATE core.extraction SET headline = headline || '!'",
        "UPDATE core.text SET article_body = article_body || '!'",
        "UPDATE core.revision SET changed_parts = '{body}'",
        "UPDATE core.article_url SET url = url || '?x=1', kind = 'amp'",
        "INSERT INTO core.comment SELECT gen_random_uuid(), article_uid, 1, 'a', NULL, NULL, 'b', now(), 1 FROM core.article",
        "UPDATE core.article SET gone_at = now()",
        "UPDATE core.article SET revision_count = 9",
    ):
        installation.query(statement)
        seen.add(installation.fingerprint())
    assert len(seen) == 8
    installation.query("UPDATE core.article SET last_seen_at = now(), changed_at = now(), load_seq = 99")
    installation.query("UPDATE core.capture SET recorded_at = now()")
    assert installation.fingerprint() in seen, "times and numbers are not content"


def test_gone_is_confirmed_by_a_second_look(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("revisits: {after: [1s], gone_after: 1s}")
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = A
    installation.crawl("test")
    site.answers["test.example", "/feed"] = feed((f"{H}/b", "t"))
    site.answers["test.example", "/a"] = Answer(b"gone", 410)
    site.answers["test.example", "/b"] = B
    for expected in (False, True):
        due_now(installation)
        time.sleep(1.1)
        installation.crawl("test")
        assert installation.query("SELECT gone_at IS NOT NULL FROM mart.article WHERE url = %s", (f"{H}/a",)) == [
            (expected,)
        ]
    # It comes back: then it is not gone any more.
    site.answers["test.example", "/a"] = A
    due_now(installation)
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    installation.crawl("test")
    assert installation.query("SELECT gone_at, revision_count FROM mart.article WHERE url = %s", (f"{H}/a",)) == [
        (None, 1)
    ]


def test_an_identical_page_is_archived_once(installation: Installation, serve: Callable[..., WebSite]) -> None:
    from warcio.archiveiterator import ArchiveIterator

    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = A
    installation.crawl("test")
    due_now(installation)
    installation.crawl("test")
    kinds = []
    for warc in sorted((installation.home / "archive").rglob("*.warc.gz"), key=lambda p: p.stat().st_mtime):
        with warc.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                kinds.append(record.rec_type)
                if record.rec_type == "revisit":
                    assert record.rec_headers.get_header("WARC-Refers-To-Target-URI") == f"{H}/a"
    assert kinds == ["warcinfo", "request", "response", "metadata", "warcinfo", "request", "revisit", "metadata"]
    assert installation.query("SELECT count(*), count(DISTINCT (segment_id, archive_offset)) FROM core.capture") == [
        (2, 1)
    ]
    assert installation.outcomes("test") == {"known_not_due": 1}
