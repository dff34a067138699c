"""What is removed is nowhere, and stays away: tables, archive, logs, a restored backup, another crawl, a rebuild."""

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
from pressmark.registry import load_registry
from pressmark.warehouse import reextraction
from pressmark.warehouse.extraction_diff import ArchivedPageExtractor
from tests.conftest import Installation
from tests.site import PROSE, Answer, WebSite, article, feed

H = "http://test.example"
CANARY = "xylocanary"
STORIES = ("one", "two", "three")


def page(headline: str, *more: str, author: str = "Ann Otherwise") -> Answer:
    sound = article(headline, *PROSE, *more)
    head = f'<meta name="author" content="{author}">'
    return Answer(sound.body.replace(b"</head>", head.encode() + b"</head>"), content_type="text/html")


@pytest.fixture
def crawled(installation: Installation, serve: Callable[..., WebSite]) -> WebSite:
    """Three articles; the second has the canary in address, headline, text and author, and a wall stands beside it."""
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
    """Every value of every table, as text."""
    tables = installation.query(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('core', 'ops', 'staging')"
    )
    found = []
    for (table,) in tables:
        found += [row[0] for row in installation.query(f"SELECT t::text FROM {table} t", role="owner")]
    return "\n".join(found)


def archive_text(installation: Installation) -> str:
    """Everything in the archive's files, content encodings removed."""
    found = []
    for path in sorted((installation.home / "archive").rglob("*")):
        if path.suffix == ".gz":
            document = path.read_bytes()
            for offset, length in member_spans(document):
                member = gzip.decompress(document[offset : offset + length])
                found.append(member.decode("utf-8", "replace"))
                _, _, body = member.partition(b"\r\n\r\n")
                _, _, body = body.partition(b"\r\n\r\n")
                if body[:2] == b"\x1f\x8b":
                    found.append(zlib.decompressobj(31).decompress(body).decode("utf-8", "replace"))
        elif path.is_file():
            found.append(path.read_text())
    return "\n".join(found)


def logs_text(installation: Installation) -> str:
    return "\n".join(p.read_text(errors="replace") for p in (installation.home / "logs").rglob("*") if p.is_file())


def nowhere(installation: Installation) -> None:
    for place, text in (
        ("tables", database_text(installation)),
        ("archive", archive_text(installation)),
        ("logs", logs_text(installation)),
    ):
        at = text.find(CANARY)
        assert at < 0, f"{place}: {text[max(0, at - 200) : at + 100]}"


def test_a_canary_is_found_nowhere_after_it_was_erased(
    installation: Installation, crawled: WebSite, tmp_path: Path
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
        done = json.loads(installation.run("remove", "--url", url, "--erase", "--reason", "a test", "--json").stdout)
        assert done["captures_overwritten"] == (1 if "two" in url else 0)
    nowhere(installation)
    # The others are untouched, their pointers lead to their pages, and other tools read the file.
    after = installation.query(
        "SELECT url, archive_file, archive_offset, archive_length FROM mart.article ORDER BY url"
    )
    assert after == [row for row in before if CANARY not in row[0]]
    for path in (installation.home / "archive").rglob("*.warc.gz"):
        with path.open("rb") as file:
            kinds = [record.rec_type for record in WarcioIterator(file)]
        assert kinds.count("response") == 2
        assert all(s.captures for s in read_segments(path.read_bytes()))
    # Consumers of increments are told.
    changes = installation.query("SELECT change FROM mart.article_changes(%s)", (seq,), role="analyst")
    assert ("removed",) in changes
    # The ledger still adds up, and the address is not fetched again.
    asked = len(crawled.requests)
    installation.crawl("test")
    assert not [r for r in crawled.requests[asked:] if CANARY in r["path"]]
    assert installation.query("SELECT count(*) FROM ops.candidate WHERE outcome = 'suppressed'")[0][0] >= 1
    nowhere(installation)
    # A backup of before knows of it again, at once.
    _restore(installation, backup)
    assert [row[0] for row in installation.query("SELECT url FROM mart.article ORDER BY url")] == [
        row[0] for row in after
    ]
    nowhere(installation)
    asked = len(crawled.requests)
    installation.crawl("test")
    assert not [r for r in crawled.requests[asked:] if CANARY in r["path"]]
    nowhere(installation)
    # And so does a warehouse that is built anew from the archive.
    installation.empty_database()
    installation.run("db", "rebuild", "--from-archive")
    assert [row[0] for row in installation.query("SELECT url FROM mart.article ORDER BY url")] == [
        row[0] for row in after
    ]
    nowhere(installation)


def _restore(installation: Installation, backup: Path) -> None:
    installation.drop_database()
    told = installation.run("db", "restore", str(backup)).stdout
    assert "removed again" in told


def test_what_is_fetched_while_it_is_removed_goes_too(installation: Installation, crawled: WebSite) -> None:
    from tests.integration.test_load import crawl_without_load

    crawled.answers["test.example", f"/two-{CANARY}"] = page(
        f"Another {CANARY}", f"And {CANARY} again, in other words."
    )
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    crawl_without_load(installation, "test")
    installation.run("remove", "--prefix", f"{H}/two-{CANARY[:4]}", "--erase", "--reason", "a test", "--yes")
    installation.run("load")
    nowhere_but = database_text(installation)
    assert f"two-{CANARY}" not in nowhere_but and f"Another {CANARY}" not in nowhere_but
    assert f"Another {CANARY}" not in archive_text(installation)
    assert installation.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]


def test_a_reextraction_under_way_does_not_bring_it_back(
    installation: Installation, crawled: WebSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reextraction, "_BATCH", 1)
    file = Path(installation.env["PRESSMARK_OUTLETS"]) / "test.yaml"
    file.write_text(file.read_text() + "extraction: {prune: ['//aside']}\n")
    registry = load_registry(file.parent)
    erased: list[threading.Thread] = []

    def erase_it(done: int, total: int) -> None:
        if erased:
            return
        assert (done, total) == (1, 3)
        options = ("--outlet", "test", "--erase", "--reason", "a test", "--yes")
        erased.append(threading.Thread(target=installation.run, args=("remove", *options)))
        erased[0].start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while installation.query(waiting) == [(0,)] and erased[0].is_alive():  # it is next, before our second page
            time.sleep(0.05)

    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(installation.settings.archive))
    done = reextraction.reextract(installation.warehouse, registry.select(["test"]), page_extractor, on_page=erase_it)
    page_extractor.close()
    erased[0].join(60)
    assert done.failed == 0
    for table in ("core.article", "core.capture", "core.extraction", "core.text"):
        assert installation.query(f"SELECT count(*) FROM {table}") == [(0,)], table


def test_what_only_names_another_page_as_canonical(installation: Installation, serve: Callable[..., WebSite]) -> None:
    """The print view is the article and goes with it; another story that names it as canonical is not."""
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
    nowhere(installation)
    text = database_text(installation) + archive_text(installation)
    assert "print/story" not in text, "what was hidden first is named no more"
    # Without the key nothing is recognised, so nothing is done.
    key = installation.home / "erasure.key"
    kept = key.rename(installation.home / "kept.key")
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    refused = installation.run("crawl", "test", check=False)
    kept.rename(key)
    assert refused.returncode == 2 and "erasure.key is missing" in refused.stderr


def test_hidden_is_not_shown_and_keeps_its_bytes(installation: Installation, crawled: WebSite) -> None:
    installation.run("remove", "--author", f"{CANARY} SMITH", "--hide", "--reason", "her request", "--yes")
    assert len(installation.query("SELECT 1 FROM mart.article")) == 2
    for question in (
        "SELECT 1 FROM mart.search('xylocanary')",
        "SELECT 1 FROM mart.article_revision WHERE url LIKE '%%two%%'",
        "SELECT 1 FROM mart.article_url WHERE url LIKE '%%two%%'",
        "SELECT 1 FROM mart.article_as_of(1000000) WHERE url LIKE '%%two%%'",
        "SELECT 1 FROM mart.rejected_url WHERE url LIKE '%%two%%'",
    ):
        assert installation.query(question, role="analyst") == [], question
    assert CANARY in archive_text(installation)
    told = installation.run("why", f"{H}/two-{CANARY}").stdout
    assert "two" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "Name one of"),
        (["--url", "nonsense", "--erase", "--reason", "r"], "is not an http"),
        (["--url", "http://elsewhere.example/x", "--erase", "--reason", "r"], "Cannot tell which outlet"),
        (["--url", f"{H}/one", "--reason", "r"], "--hide"),
        (["--url", f"{H}/one", "--erase"], "--reason is missing"),
        (["--prefix", "two-", "--erase", "--reason", "r"], "must begin with http"),
    ],
)
def test_what_is_not_clear_is_asked_for(installation: Installation, options: list[str], told: str) -> None:
    done = installation.run("remove", *options, check=False)
    assert done.returncode == 2 and told in done.stderr


def test_comments_of_one_person(installation: Installation, newsstand: object) -> None:
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
    assert articles[0][0] == 10 and articles[0][1] < 10, "texts stay, the pages with the comments go"
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    installation.crawl("harbour-dispatch", PRESSMARK_OUTLETS=installation.env["PRESSMARK_OUTLETS"])
    assert installation.query("SELECT count(*) FROM mart.comment WHERE author = %s", (name,), role="comments") == [(0,)]
    assert name not in archive_text(installation)
    assert count >= 1


@pytest.mark.parametrize("length", [250, 1000, 70_000])
def test_a_filler_has_its_length(length: int) -> None:
    made = filler(length)
    assert len(made) == length and gzip.decompress(made).startswith(b"WARC/1.1")
    assert list(member_spans(made + made)) == [(0, length), (length, length)]
    with pytest.raises(ArchiveError):
        filler(50)
