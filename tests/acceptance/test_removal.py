"""Erased content is gone from tables, archive and logs. It does not return with a backup, a crawl or a rebuild."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from pressmark.archive.erasure import filler
from pressmark.archive.records import member_spans, read_segments
from pressmark.archive.store import ArchiveStore
from pressmark.errors import ArchiveError
from pressmark.registry import Registry
from pressmark.warehouse import reextraction
from pressmark.warehouse.extraction_diff import ArchivedPageExtractor
from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article, feed

H = "http://test.example"
CANARY = "xylocanary"


def page(headline: str, *more: str, author: str = "Ann Otherwise") -> Answer:
    sound = article(headline, *PROSE, *more)
    head = f'<meta name="author" content="{author}">'
    return Answer(sound.body.replace(b"</head>", head.encode() + b"</head>"), content_type="text/html")


@pytest.fixture
def crawled_site(installation: Installation, serve: Callable[..., WebSite]) -> WebSite:
    """Crawl three articles and a missing page.

    The second article has the canary in its URL, headline, text and author.
    """
    site = serve()
    secret = f"{H}/two-{CANARY}"
    site.answers["test.example", "/feed"] = feed(
        (f"{H}/one", "t"), (secret, f"{CANARY} t"), (f"{H}/three", "t"), (f"{H}/gone-{CANARY}", "t")
    )
    site.answers["test.example", "/one"] = page("The first story of the day")
    site.answers["test.example", f"/two-{CANARY}"] = page(
        f"The {CANARY} story", f"It says {CANARY} in the text.", author=f"{CANARY} Smith"
    )
    site.answers["test.example", "/three"] = page("The third story of the day")
    installation.crawl("test")
    return site


def database_text(installation: Installation) -> str:
    """Return every value of every table as text."""
    tables = installation.query(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('core', 'ops', 'staging')"
    )
    values = []
    for (table,) in tables:
        values += [row[0] for row in installation.query(f"SELECT t::text FROM {table} t", role="owner")]
    return "\n".join(values)


def archive_text(installation: Installation) -> str:
    """Return the content of all archive files with content encodings removed."""
    parts = []
    for path in sorted((installation.home / "archive").rglob("*")):
        if path.suffix == ".gz":
            document = path.read_bytes()
            for offset, length in member_spans(document):
                member = gzip.decompress(document[offset : offset + length])
                parts.append(member.decode("utf-8", "replace"))
                _, _, body = member.partition(b"\r\n\r\n")
                _, _, body = body.partition(b"\r\n\r\n")
                if body[:2] == b"\x1f\x8b":
                    parts.append(zlib.decompressobj(31).decompress(body).decode("utf-8", "replace"))
        elif path.is_file():
            parts.append(path.read_text())
    return "\n".join(parts)


def logs_text(installation: Installation) -> str:
    return "\n".join(p.read_text(errors="replace") for p in (installation.home / "logs").rglob("*") if p.is_file())


def check_canary_is_gone(installation: Installation) -> None:
    for source, text in (
        ("tables", database_text(installation)),
        ("archive", archive_text(installation)),
        ("logs", logs_text(installation)),
    ):
        at = text.find(CANARY)
        assert at < 0, f"{source}: {text[max(0, at - 200) : at + 100]}"


def test_erased_article_is_gone_everywhere_and_does_not_return(
    installation: Installation, crawled_site: WebSite, tmp_path: Path
) -> None:
    assert (
        CANARY in database_text(installation)
        and CANARY in archive_text(installation)
        and CANARY in logs_text(installation)
    )
    backup = tmp_path / "before.dump"
    installation.run("db", "backup", str(backup))
    before = installation.query(
        "SELECT url, archive_file, archive_offset, archive_length FROM mart.article ORDER BY url"
    )
    dry = installation.run("remove", "--prefix", f"{H}/two-", "--erase", "--reason", "a test", "--dry-run").stdout
    assert "1 article, " in dry and len(installation.query("SELECT 1 FROM mart.article")) == 3
    ((seq,),) = installation.query("SELECT max(change_seq) FROM mart.article_changes(0)")
    for url in (f"{H}/two-{CANARY}", f"{H}/gone-{CANARY}"):
        done = json.loads(
            installation.run("remove", "--url", url, "--erase", "--reason", "a test", "--yes", "--json").stdout
        )
        assert done["captures_overwritten"] == (1 if "two" in url else 0)
    check_canary_is_gone(installation)
    unknown = installation.run("why", f"{H}/two-{CANARY}", check=False)
    assert unknown.returncode == 1 and "was erased on request (removal " in unknown.stderr
    # The other articles are unchanged, their pointers are valid, and other tools can read the files.
    after = installation.query(
        "SELECT url, archive_file, archive_offset, archive_length FROM mart.article ORDER BY url"
    )
    assert after == [row for row in before if CANARY not in row[0]]
    for path in (installation.home / "archive").rglob("*.warc.gz"):
        with path.open("rb") as file:
            kinds = [record.rec_type for record in WarcioIterator(file)]
        assert kinds.count("response") == 2
        assert all(s.captures for s in read_segments(path.read_bytes()))
    # Consumers of the change feed see the removal.
    changes = installation.query("SELECT change FROM mart.article_changes(%s)", (seq,), role="analyst")
    assert ("removed",) in changes
    # The ledger still adds up, and the URL is not fetched again.
    requests_before = len(crawled_site.requests)
    installation.crawl("test")
    assert not [r for r in crawled_site.requests[requests_before:] if CANARY in r["path"]]
    assert installation.query("SELECT count(*) FROM ops.candidate WHERE outcome = 'suppressed'")[0][0] >= 1
    check_canary_is_gone(installation)
    # After a restore of an older backup, the removal is applied again immediately.
    _restore(installation, backup)
    assert [row[0] for row in installation.query("SELECT url FROM mart.article ORDER BY url")] == [
        row[0] for row in after
    ]
    check_canary_is_gone(installation)
    requests_before = len(crawled_site.requests)
    installation.crawl("test")
    assert not [r for r in crawled_site.requests[requests_before:] if CANARY in r["path"]]
    check_canary_is_gone(installation)
    # A warehouse rebuilt from the archive does not contain the article either.
    installation.empty_database()
    installation.run("db", "rebuild", "--from-archive")
    assert [row[0] for row in installation.query("SELECT url FROM mart.article ORDER BY url")] == [
        row[0] for row in after
    ]
    check_canary_is_gone(installation)


def _restore(installation: Installation, backup: Path) -> None:
    installation.drop_database()
    assert "removed again" in installation.run("db", "restore", str(backup)).stdout


def test_capture_fetched_before_the_removal_is_erased_on_load(
    installation: Installation, crawled_site: WebSite
) -> None:
    from tests.integration.test_load import crawl_without_load

    crawled_site.answers["test.example", f"/two-{CANARY}"] = page(
        f"Another {CANARY}", f"And {CANARY} again, in other words."
    )
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    crawl_without_load(installation, "test")
    installation.run("remove", "--prefix", f"{H}/two-{CANARY[:4]}", "--erase", "--reason", "a test", "--yes")
    installation.run("load")
    tables = database_text(installation)
    assert f"two-{CANARY}" not in tables and f"Another {CANARY}" not in tables
    assert f"Another {CANARY}" not in archive_text(installation)
    assert installation.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]


def test_running_reextraction_does_not_restore_an_erased_article(
    installation: Installation, crawled_site: WebSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reextraction, "_BATCH", 1)
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "test.yaml"
    file.write_text(file.read_text() + "extraction: {prune: ['//aside']}\n")
    registry = Registry(file.parent)
    erased: list[threading.Thread] = []

    def erase_it(done: int, total: int) -> None:
        if erased:
            return
        assert (done, total) == (1, 3)
        options = ("--outlet", "test", "--erase", "--reason", "a test", "--yes")
        erased.append(threading.Thread(target=installation.run, args=("remove", *options)))
        erased[0].start()
        # Wait until the removal queues for the lock, which it then gets before our second page.
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while installation.query(waiting) == [(0,)] and erased[0].is_alive():
            time.sleep(0.05)

    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(installation.settings.archive))
    done = reextraction.reextract(installation.warehouse, registry.select(["test"]), page_extractor, on_page=erase_it)
    page_extractor.close()
    erased[0].join(60)
    assert done.failed == 0
    for table in ("core.article", "core.capture", "core.extraction", "core.text"):
        assert installation.query(f"SELECT count(*) FROM {table}") == [(0,)], table


def test_canonical_link_to_unrelated_page_is_ignored(installation: Installation, serve: Callable[..., WebSite]) -> None:
    """A print view is removed with its article. Another article with a canonical link to it is not."""
    site = serve()
    head = f'<link rel="canonical" href="{H}/story">'
    site.answers["test.example", "/feed"] = feed(*[(f"{H}/{name}", "t") for name in ("story", "print/story", "other")])
    site.answers["test.example", "/story"] = article("The story", *PROSE, f"It says {CANARY}.")
    site.answers["test.example", "/print/story"] = article("The story", *PROSE, f"It says {CANARY}.", head=head)
    site.answers["test.example", "/other"] = article("Another story", *PROSE[::-1], "Of other things.", head=head)
    installation.crawl("test")
    assert installation.query("SELECT url FROM mart.article ORDER BY 1") == [(f"{H}/other",), (f"{H}/story",)]
    installation.run("remove", "--url", f"{H}/other", "--erase", "--reason", "a test", "--yes")
    assert installation.query("SELECT url FROM mart.article") == [(f"{H}/story",)]
    assert CANARY in archive_text(installation) and len(installation.query("SELECT 1 FROM ops.frontier")) == 2
    installation.run("remove", "--url", f"{H}/print/story", "--hide", "--reason", "a test", "--yes")
    assert installation.query("SELECT url FROM mart.article") == []
    installation.run("remove", "--url", f"{H}/print/story", "--erase", "--reason", "a test", "--yes")
    check_canary_is_gone(installation)
    text = database_text(installation) + archive_text(installation)
    assert "print/story" not in text, "erasing a hidden URL removes its plain text too"
    # Without the key, erased URLs cannot be recognised, so the crawl refuses to start.
    key = installation.home / "erasure.key"
    kept = key.rename(installation.home / "kept.key")
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    refused = installation.run("crawl", "test", check=False)
    kept.rename(key)
    assert refused.returncode == 2 and "erasure.key is missing" in refused.stderr


def test_hidden_article_is_absent_from_views_and_stays_in_the_archive(
    installation: Installation, crawled_site: WebSite
) -> None:
    installation.run("remove", "--author", f"{CANARY} SMITH", "--hide", "--reason", "her request", "--yes")
    assert len(installation.query("SELECT 1 FROM mart.article")) == 2
    for statement in (
        "SELECT 1 FROM mart.search('xylocanary')",
        "SELECT 1 FROM mart.article_revision WHERE url LIKE '%%two%%'",
        "SELECT 1 FROM mart.article_url WHERE url LIKE '%%two%%'",
        "SELECT 1 FROM mart.article_as_of(1000000) WHERE url LIKE '%%two%%'",
        "SELECT 1 FROM mart.rejected_url WHERE url LIKE '%%two%%'",
    ):
        assert installation.query(statement, role="analyst") == [], statement
    assert CANARY in archive_text(installation)
    assert "two" in installation.run("why", f"{H}/two-{CANARY}").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Name one of"),
        (["--url", "nonsense", "--erase", "--reason", "r"], "is not an http"),
        (["--url", "http://elsewhere.example/x", "--erase", "--reason", "r"], "Cannot tell which outlet"),
        (["--url", f"{H}/one", "--reason", "r"], "--hide"),
        (["--url", f"{H}/one", "--erase"], "--reason is missing"),
        (["--prefix", "two-", "--erase", "--reason", "r"], "must begin with http"),
        (["--prefix", f"{H}/", "--outlet", "test", "--erase", "--reason", "r"], "Nothing was erased"),
        (["--prefix", f"{H}/", "--outlet", "test", "--erase", "--reason", "r", "--json"], "then add --yes"),
    ],
)
def test_incomplete_or_ambiguous_arguments_are_rejected(
    installation: Installation, options: list[str], message: str
) -> None:
    done = installation.run("remove", *options, check=False)
    assert done.returncode == 2 and message in done.stderr


def test_comments_of_one_author_are_erased(installation: Installation, newsstand: object) -> None:
    installation.crawl("harbour-dispatch")
    authors = installation.query(
        "SELECT author, count(*) FROM mart.comment WHERE author IS NOT NULL GROUP BY 1 ORDER BY 2 DESC",
        role="comments",
    )
    name, count = authors[0]
    installation.run("remove", "--commenter", name.upper(), "--erase", "--reason", "a request", "--yes")
    assert installation.query("SELECT count(*) FROM mart.comment WHERE author = %s", (name,), role="comments") == [(0,)]
    assert name not in archive_text(installation)
    articles = installation.query("SELECT count(*), count(archive_file) FROM mart.article")
    assert articles[0][0] == 10 and articles[0][1] < 10, "texts stay, archived pages with the comments do not"
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    installation.crawl("harbour-dispatch", PRESSMARK_OUTLETS=installation.env["PRESSMARK_OUTLETS"])
    assert installation.query("SELECT count(*) FROM mart.comment WHERE author = %s", (name,), role="comments") == [(0,)]
    assert name not in archive_text(installation)
    assert count >= 1


@pytest.mark.parametrize("length", [250, 1000, 70_000])
def test_filler_has_the_requested_length(length: int) -> None:
    member = filler(length)
    assert len(member) == length and gzip.decompress(member).startswith(b"WARC/1.1")
    assert list(member_spans(member + member)) == [(0, length), (length, length)]
    with pytest.raises(ArchiveError):
        filler(50)
