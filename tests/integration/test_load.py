"""Loading of segments: in any order, repeatedly, concurrently, with removals and with rows that core rejects."""

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
    """Crawl as the command does, but leave the segments in staging."""
    from pressmark.cli.crawl import plan_requests
    from pressmark.crawl.process import run_crawls

    outlets = load_registry(installation.settings).select(arguments)
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
        load_registry(installation.settings), ArchiveStore(installation.settings.archive)
    )
    try:
        return load_segments(installation.warehouse, ids, page_extractor)
    finally:
        page_extractor.close()


def make_all_due(installation: Installation) -> None:
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")


@pytest.fixture
def three_captures(installation: Installation, serve: Callable[..., WebSite]) -> Installation:
    """Stage three crawls, not loaded, in which a page is A, then B, then A again."""
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/story", "t"), (f"{H}/moved", "t"))
    site.answers["test.example", "/moved"] = Answer(status=301, headers={"Location": f"{H}/story"})
    for page in (A, B, A):
        site.answers["test.example", "/story"] = page
        crawl_without_load(installation, "test")
        make_all_due(installation)
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
def restorable_staging(installation: Installation) -> Iterator[Callable[[], None]]:
    """Yield a function that restores the present staging tables and empties the tables that loading fills."""

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

    def restore() -> None:
        for_each("TRUNCATE {table} CASCADE", [table for (table,) in core])
        for_each("DELETE FROM {table}", tuple(reversed(STAGED)))
        for_each("INSERT INTO {table} TABLE {kept}")

    for_each("CREATE TABLE {kept} AS TABLE {table}")
    try:
        yield restore
    finally:
        for_each("DROP TABLE {kept}")


def test_captures_loaded_in_any_order_give_the_same_revisions(three_captures: Installation) -> None:
    installation = three_captures
    segments = [s for s, _, _ in segments_to_load(installation.warehouse)]
    assert len(segments) == 3
    results = []
    with restorable_staging(installation) as restore:
        for order in itertools.permutations(segments):
            restore()
            load(installation, list(order))
            results.append(state(installation))
    assert all(result == results[0] for result in results)
    assert results[0][0] == [
        (1, [], "first", "The bridge will be closed"),
        (2, ["headline", "body"], "publisher", "The bridge will be closed for a year"),
        (3, ["headline", "body"], "publisher", "The bridge will be closed"),
    ]
    assert results[0][1] == [("The bridge will be closed", 3, f"{H}/story")]


def loaded_state(installation: Installation) -> list[Any]:
    """Return what loading and clustering produced, without sequence numbers and times."""
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


@pytest.mark.long
def test_concurrent_loaders_with_killed_backends_give_the_same_result(
    installation: Installation, newsstand: Newsstand
) -> None:
    outlets = sorted(load_registry(installation.settings).outlets)
    for edition in (1, 2):
        newsstand.edition = edition
        crawl_without_load(installation, *outlets)
        make_all_due(installation)
    segments = [s for s, _, _ in segments_to_load(installation.warehouse)]
    assert len(segments) >= 12
    seed = int(os.environ.get("PRESSMARK_TEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"PRESSMARK_TEST_SEED={seed}")
    finished, killed, problems = threading.Event(), [], []

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
        """End a backend every 500 ms. Every fourth gets SIGKILL, after which Postgres ends all the others."""
        rng = random.Random(seed)
        for number in itertools.count(1):
            if finished.wait(0.5):
                return
            with contextlib.suppress(ServerError, psycopg2.Error, ProcessLookupError):
                backends = installation.query(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'pressmark load' ORDER BY pid"
                )
                if backends:
                    (pid,) = rng.choice(backends)
                    os.kill(pid, signal.SIGTERM if number % 4 else signal.SIGKILL)
                    killed.append(pid)

    with restorable_staging(installation) as restore:
        load(installation, segments)
        expected = loaded_state(installation)
        for _ in range(6):  # until several backends were killed; a fast machine finishes in a second or two
            restore()
            finished.clear()
            loaders = [threading.Thread(target=load_all, args=(number,)) for number in range(4)]
            killer = threading.Thread(target=kill)
            for thread in (*loaders, killer):
                thread.start()
            for thread in loaders:
                thread.join()
            finished.set()
            killer.join()
            assert not segments_left(), problems
            assert loaded_state(installation) == expected, (len(killed), problems)
            if len(killed) >= 4:
                break
        assert killed, "the loads finished before a backend was killed"


def test_loading_repeatedly_and_concurrently_changes_nothing(three_captures: Installation) -> None:
    installation = three_captures
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


def test_row_that_core_rejects_is_quarantined_and_the_others_are_loaded(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    paths = [f"/{n}" for n in range(6)]
    site.answers["test.example", "/feed"] = feed(*[(H + p, "t") for p in paths])
    for path in paths:
        site.answers["test.example", path] = article(f"Story {path} of the day", *PROSE, f"Details of {path}.")
    crawl_without_load(installation, "test")
    # This staged row cannot be loaded because core does not know its extractor.
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


def test_removal_between_fetch_and_load_is_applied(installation: Installation, serve: Callable[..., WebSite]) -> None:
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


def test_extractor_change_is_not_recorded_as_a_publisher_revision(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve("extraction: {prune: ['//em']}")
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = article(
        "Story a of the day", *PROSE, "<em>Follow us on all channels for more.</em>"
    )
    installation.crawl("test")
    # The extraction hints of the outlet change the result, and the page changes outside its text.
    path = f"{installation.env['PRESSMARK_OUTLETS']}/test.yaml"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("prune: ['//em']", "prune: []"))
    site.answers["test.example", "/a"] = article(
        "Story a of the day", *PROSE, "<em>Follow us on all channels for more.</em>", head="<!-- another build -->"
    )
    make_all_due(installation)
    installation.crawl("test")
    assert installation.query("SELECT count(*) FROM core.capture") == [(2,)]
    assert installation.query("SELECT count(DISTINCT extractor_id), count(*) FROM core.extraction") == [(2, 3)]
    assert installation.query("SELECT ordinal, cause FROM mart.article_revision") == [(1, "first")]
    assert installation.query("SELECT outcome FROM ops.candidate ORDER BY resolved_at DESC LIMIT 1") == [("unchanged",)]
    # Without the archived page, the cause of a change is recorded as unknown.
    installation.query("UPDATE core.archive_segment SET expired_at = now()")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    site.answers["test.example", "/a"] = article("Story a of the night", *PROSE)
    make_all_due(installation)
    installation.crawl("test")
    assert installation.query("SELECT ordinal, cause FROM mart.article_revision ORDER BY 1") == [
        (1, "first"),
        (2, "unknown"),
    ]


def test_fingerprint_changes_with_content_but_not_with_times_and_sequence_numbers(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = A
    installation.crawl("test")
    observed = {installation.fingerprint()}
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
        observed.add(installation.fingerprint())
    assert len(observed) == 8
    installation.query("UPDATE core.article SET last_seen_at = now(), changed_at = now(), load_seq = 99")
    installation.query("UPDATE core.capture SET recorded_at = now()")
    assert installation.fingerprint() in observed, "times and sequence numbers are not content"


def test_article_is_gone_only_after_a_recheck_confirms_it(
    installation: Installation, serve: Callable[..., WebSite]
) -> None:
    site = serve("revisits: {after: [1s], gone_after: 1s}")
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = A
    installation.crawl("test")
    site.answers["test.example", "/feed"] = feed((f"{H}/b", "t"))
    site.answers["test.example", "/a"] = Answer(b"gone", 410)
    site.answers["test.example", "/b"] = B
    for expected in (False, True):
        make_all_due(installation)
        time.sleep(1.1)
        installation.crawl("test")
        assert installation.query("SELECT gone_at IS NOT NULL FROM mart.article WHERE url = %s", (f"{H}/a",)) == [
            (expected,)
        ]
    # The article is available again, so it is no longer gone.
    site.answers["test.example", "/a"] = A
    make_all_due(installation)
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    installation.crawl("test")
    assert installation.query("SELECT gone_at, revision_count FROM mart.article WHERE url = %s", (f"{H}/a",)) == [
        (None, 1)
    ]


def test_identical_page_is_archived_once(installation: Installation, serve: Callable[..., WebSite]) -> None:
    from warcio.archiveiterator import ArchiveIterator

    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/a", "t"))
    site.answers["test.example", "/a"] = A
    installation.crawl("test")
    make_all_due(installation)
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
