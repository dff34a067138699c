"""The whole pipeline run against the newsstand."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from pressmark.archive.records import read_response
from pressmark.archive.store import ArchiveStore
from pressmark.content_encoding import remove_content_encoding
from pressmark.extraction.page import payload_hash
from pressmark.newsstand import OUTLETS as OUTLETS_FOLDER
from pressmark.newsstand.server import Newsstand
from pressmark.newsstand.sites import FIRST_FOUR, SEED_URL, seed_paragraphs
from pressmark.settings import PROJECT_ROOT
from tests.conftest import Installation

OUTLETS = ("al-waha", "harbour-dispatch", "la-plaza", "tagesblick")


def check_archive(installation: Installation) -> int:
    """Check that each archive pointer leads to the payload of its capture. Return the number of captures."""
    store = ArchiveStore(installation.settings.archive)
    rows = installation.query(
        "SELECT v.payload_hash, g.file, g.base_offset + v.archive_offset, v.archive_length FROM core.capture v "
        "JOIN core.archive_segment g USING (segment_id)"
    )
    for payload, file, offset, length in rows:
        response = read_response(store.read(file, offset, length))
        body = remove_content_encoding(response.body, response.header("Content-Encoding"), 10**8)
        assert payload_hash(body) == bytes(payload)
    return len(rows)


def test_second_crawl_records_changes_and_requests_only_due_pages(
    installation: Installation, newsstand: Newsstand
) -> None:
    first = installation.outcomes(*OUTLETS)
    assert first == {"new": 40}
    newsstand.advance()
    time.sleep(1.1)
    before = len(newsstand.requests())
    report = {row["outlet"]: row["outcomes"] for row in installation.crawl(*OUTLETS)["crawls"]}
    assert report == {
        "al-waha": {},  # the feed returned 304, so it listed nothing
        "harbour-dispatch": {"known_not_due": 9, "revised": 1},
        "la-plaza": {"gone": 1, "not_modified": 9},
        "tagesblick": {"known_not_due": 10, "new": 1},
    }
    requested = [r["path"] for r in newsstand.requests()[before:] if r["host"] == "dispatch.newsstand.example"]
    assert sorted(requested) == ["/feed/", "/harbour-notes-4/"], "robots.txt and tdmrep.json are valid for a day"

    texts = dict(installation.query("SELECT url, article_body FROM mart.article", role="analyst"))
    for site in FIRST_FOUR:
        for article in site.articles(2):
            assert texts[f"http://{site.host}{article.path}"] == "\n".join(article.paragraphs)
    assert check_archive(installation) == 40 + 1 + 1
    assert installation.query(
        "SELECT count(*) FROM mart.article WHERE outlet = 'la-plaza' AND last_seen_at > first_seen_at", role="analyst"
    ) == [(9,)], "a 304 response counts as seen"
    revisions = installation.query(
        "SELECT url, ordinal, changed_parts, cause FROM mart.article_revision WHERE ordinal > 1"
    )
    assert revisions == [("http://dispatch.newsstand.example/harbour-notes-4/", 2, ["body"], "publisher")]
    assert installation.query("SELECT count(*) FROM staging.capture") == [(0,)]


def test_reference_article_is_extracted_with_date_and_comments(
    installation: Installation, newsstand: Newsstand
) -> None:
    installation.crawl("harbour-dispatch")
    ((body, published, precision, source, raw),) = installation.query(
        "SELECT article_body, date_published::text, date_published_precision, date_published_source, "
        "date_published_raw FROM mart.article WHERE url = %s",
        (SEED_URL,),
        role="analyst",
    )
    assert body == "\n".join(seed_paragraphs())
    assert "Support SouthFront" not in body and "Click to see full-size image" not in body
    assert (published, precision, source, raw) == (
        "2021-07-26 17:12:41+00",
        "second",
        "meta",
        "2021-07-26T17:12:41+00:00",
    )
    comments = installation.query(
        "SELECT author, comment_body, edited_raw FROM mart.comment ORDER BY position", role="comments"
    )
    assert len(comments) == 5
    assert [author for author, _, _ in comments] == [None, None, "Harbour Master", "Umbrella Seller", "Ivan Freely"]
    assert comments[4][2] == "Last edited 2 months ago by Ivan Freely"
    assert not any(text and text in body for _, text, _ in comments)


def test_why_show_and_psql_report_a_crawled_article(installation: Installation, newsstand: Newsstand) -> None:
    installation.crawl("harbour-dispatch")
    why = installation.run("why", SEED_URL).stdout
    assert "feed  http://dispatch.newsstand.example/feed/" in why
    assert "fetched for the first time" in why and ".warc.gz at byte" in why
    # A variant of the URL leads to the same article.
    assert (
        installation.run("why", SEED_URL.replace("http://", "https://www.") + "?utm_source=x", check=False).returncode
        == 0
    )
    shown = installation.run("show", SEED_URL).stdout
    assert shown.startswith("Resistance Groups") and "date_published: 2021-07-26" in shown
    rows = installation.run("psql", "-At", "-c", "SELECT count(*) FROM mart.article").stdout
    assert rows == "10\n"
    refused = installation.run("psql", "-At", "-c", "SELECT 1 FROM core.article", check=False)
    assert refused.returncode != 0 and "permission denied" in refused.stderr
    unknown = installation.run("why", "http://dispatch.newsstand.example/never-heard-of/", check=False)
    assert unknown.returncode == 1 and "never been discovered" in unknown.stderr


def test_dry_run_stores_nothing(installation: Installation, newsstand: Newsstand) -> None:
    out = installation.run(
        "crawl", "tagesblick", "--since", "2026-03-03", "--until", "2026-03-06", "--dry-run", "--json"
    ).stdout
    assert '"candidates": 10, "fetch": 3' in out and '"out_of_window": 7' in out
    assert installation.query("SELECT (SELECT count(*) FROM ops.crawl), (SELECT count(*) FROM ops.frontier)") == [
        (0, 0)
    ]
    assert not any("artikel" in request["path"] for request in newsstand.requests())


def test_window_crawl_keeps_only_articles_published_in_the_window(
    installation: Installation, newsstand: Newsstand
) -> None:
    done = installation.run("crawl", "tagesblick", "--since", "2026-03-03", "--until", "2026-03-06", "--json").stdout
    assert '"new": 3' in done and '"out_of_window": 7' in done and '"mode": "window"' in done
    days = installation.query("SELECT date_published_day::text FROM mart.article ORDER BY 1")
    assert days == [("2026-03-03",), ("2026-03-04",), ("2026-03-05",)]
    # The incremental crawl fetches the articles outside the window.
    assert installation.outcomes("tagesblick") == {"new": 7, "known_not_due": 3}
    # A URL outside the window is not a rejected URL.
    installation.run("crawl", "tagesblick", "--since", "2026-03-08", "--until", "2026-03-09", "--json")
    assert installation.query("SELECT count(*) FROM mart.rejected_url", role="analyst") == [(0,)]
    done = installation.run("crawl", "la-plaza", "--since", "2026-03-03", "--json", check=False)
    assert done.returncode == 1 and "reaches the past" in done.stderr


def run_scrapy(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "scrapy"), *arguments]
    return subprocess.run(
        command, env=installation.environment(), cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120
    )


def test_scrapy_commands_work_from_the_project_root(installation: Installation, newsstand: Newsstand) -> None:
    assert run_scrapy(installation, "list").stdout == "outlet\n"
    done = run_scrapy(installation, "crawl", "outlet", "-a", "id=tagesblick")
    assert done.returncode == 0, done.stderr[-2000:]
    assert installation.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1") == [("new", 10)]
    assert "10 captures" in installation.run("load", "tagesblick").stdout
    assert installation.query("SELECT count(*) FROM mart.article") == [(10,)]
    missing = run_scrapy(installation, "crawl", "outlet")
    assert "outlet id missing" in missing.stderr + missing.stdout


def test_ctrl_c_stops_the_crawl_and_the_next_one_resumes_it(
    installation: Installation, newsstand: Newsstand, tmp_path: Path
) -> None:
    folder = tmp_path / "outlets"
    shutil.copytree(OUTLETS_FOLDER, folder)
    slow = folder / "tagesblick.yaml"
    slow.write_text(slow.read_text().replace("delay: 0.05", "delay: 0.6"))
    installation.env["PRESSMARK_OUTLETS"] = str(folder)
    process = subprocess.Popen(
        installation.command("crawl", "tagesblick"), env=installation.environment(), cwd=PROJECT_ROOT,
        stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    while sum("artikel" in r["path"] for r in newsstand.requests()) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in errors
    ((reason, ok),) = installation.query("SELECT finish_reason, ledger_ok FROM mart.crawl")
    assert (reason, ok) == ("stopped", True)
    outcomes = dict(installation.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1"))
    assert 3 <= outcomes["new"] < 10 and outcomes["new"] + outcomes["interrupted"] == 10
    installation.env["PRESSMARK_OUTLETS"] = str(OUTLETS_FOLDER)
    again = installation.outcomes("tagesblick")
    assert again == {"new": outcomes["interrupted"]}, "interrupted candidates are due although the feed returns 304"
