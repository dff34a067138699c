"""The outlet's memory end to end: learned by crawls, used by the next, applied to earlier pages, kept in the archive."""

from __future__ import annotations

import json
from collections.abc import Callable

from pressmark.newsstand.text_generator import ENGLISH, write_headline, write_paragraphs
from tests.conftest import Installation
from tests.site import Answer, WebSite, feed

H = "http://test.example"
NOTICE = "Every morning our readers find the harbour in their letter box, and many of them find more than that."


def publish(web: WebSite, numbers: range) -> None:
    """Publish stories that end with the outlet's notice in plain markup."""
    for number in numbers:
        headline = write_headline(ENGLISH, f"memory {number}") + f" ({number})"
        paragraphs = write_paragraphs(ENGLISH, f"memory {number}", 8)
        text = "".join(f"<p>{paragraph}</p>" for paragraph in (*paragraphs, NOTICE))
        page = f"<html><head><title>{headline}</title></head><body><article><h1>{headline}</h1>{text}</article></body></html>"
        web.answers["test.example", f"/story-{number}"] = Answer(page.encode())
    web.answers["test.example", "/feed"] = feed(*((f"{H}/story-{n}", "t") for n in reversed(range(numbers.stop))))


def with_notice(installation: Installation) -> int:
    return int(installation.query(f"SELECT count(*) FROM mart.article WHERE article_body LIKE '%{NOTICE}%'")[0][0])


def test_notice_is_learned_used_applied_and_kept(installation: Installation, serve: Callable[..., WebSite]) -> None:
    web = serve()
    publish(web, range(6))
    assert installation.outcomes("test") == {"new": 6}
    assert with_notice(installation) == 6
    publish(web, range(9))
    installation.crawl("test")
    assert with_notice(installation) == 6  # the three new ones are without it
    assert installation.query("SELECT count(*), min(word_count) > 50 FROM mart.article") == [(9, True)]
    (line,) = json.loads(installation.run("outlet", "boilerplate", "test", "--json").stdout)
    assert line["line"] == NOTICE and line["articles"] == 6
    assert NOTICE[:40] in installation.run("outlet", "boilerplate", "test").stdout.replace("\n", " ")

    # The earlier pages, as soon as they are extracted again; their revisions stay as they are.
    report = json.loads(installation.run("reextract", "test", "--json").stdout)
    installation.run("reextract", "--promote", report["reextraction_id"])
    assert with_notice(installation) == 0
    assert installation.query("SELECT DISTINCT revision_count FROM mart.article") == [(1,)]

    # The archive keeps what was removed, so a rebuilt warehouse has the same texts of the later pages.
    texts = "SELECT url, text_hash FROM mart.article WHERE url > 'http://test.example/story-5' ORDER BY url"
    before = installation.query(texts)
    installation.empty_database()
    installation.run("db", "rebuild", "--from-archive")
    assert installation.query(texts) == before

    installation.crawl("test")  # learned again from the rebuilt articles
    shown = installation.run("outlet", "boilerplate", "test", "--forget", NOTICE).stdout
    assert "No repeated lines are known for test" in shown
    assert installation.run("outlet", "boilerplate", "test", "--forget", "Nothing", check=False).returncode == 1
