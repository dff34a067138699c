"""An outlet changes its pages: nothing wrong is loaded, and the operator hears of it within two runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pressmark.newsstand.text_generator import ENGLISH, GERMAN, Language, write_headline, write_paragraphs
from tests.conftest import Installation
from tests.site import Answer, WebSite, feed

H = "http://test.example"
MENU = '<nav><a href="/">Home</a> <a href="/town">Town</a> <a href="/world">World</a> <a href="/about">About</a></nav>'
LOGIN = (
    "<p>Please log in to continue with this page.</p><p>You need an account of our house for that. "
    "If you have none, you can open one in two minutes.</p>"
)
USUAL, PER_RUN = 14, 6


def page(number: int, layout: str, words: Language = ENGLISH) -> Answer:
    """A page of the outlet: in its usual layout, or after a change."""
    headline = write_headline(words, f"story {number}")
    paragraphs = write_paragraphs(words, f"story {number}", 9)
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    head = f"<title>{headline}</title>"
    byline = '<p class="byline">By Maud Ferrier</p><time datetime="2026-11-20T09:00:00Z">20 November 2026</time>'
    title = f"<h1>{headline}</h1>"
    body = f'<article class="story">{title}{byline}<div class="story__body">{text}</div></article>'
    if layout == "no paragraphs":
        body = f"<main>{title}</main>"
    elif layout == "only a notice":
        body = f"<main>{title}{LOGIN}</main>"
    elif layout == "other classes":
        body = f'<div class="x1"><div class="x2">{title}{byline}<div class="x3">{text}</div></div></div>'
    elif layout == "json":
        state = json.dumps({"page": {"article": {"title": headline, "paragraphs": paragraphs}}})
        body = f'<div id="root"></div><script id="__NEXT_DATA__" type="application/json">{state}</script>'
        head += '<script src="/app.js"></script>'
    elif layout == "no byline":
        body = f'<article class="story">{title}<div class="story__body">{text}</div></article>'
    elif layout == "short report":
        subject = headline.rstrip(".")
        body = f'<article class="story">{title}{byline}<p>{subject}. The police confirmed it on Friday.</p></article>'
    html = f'<!DOCTYPE html><html lang="{"en" if words is ENGLISH else "de"}"><head><meta charset="utf-8">{head}</head><body>{MENU}{body}</body>'
    return Answer((html + "<footer>© 2026 Test</footer></html>").encode())


def run(installation: Installation, web: WebSite, numbers: range, layout: str, **more: Any) -> dict[str, int]:
    """Publish pages and crawl."""
    for number in numbers:
        web.answers["test.example", f"/story-{number}"] = page(number, layout, **more)
    entries = [(f"{H}/story-{number}", f"Story {number}") for number in reversed(range(numbers.stop))]
    web.answers["test.example", "/feed"] = feed(*entries[:30])
    return {k: v for k, v in installation.outcomes("test").items() if k != "known_not_due"}


def health(installation: Installation) -> tuple[str, str]:
    """Evaluate the outlet's health. Return its state and the reason."""
    (row,) = json.loads(installation.run("doctor", "--json", check=False).stdout)["health"]
    return row["state"], row["reason"]


@pytest.fixture
def usual(installation: Installation, serve: Callable[..., WebSite]) -> WebSite:
    """The outlet with a first run in its usual layout."""
    web = serve()
    assert run(installation, web, range(USUAL), "usual") == {"new": USUAL}
    return web


@pytest.mark.parametrize("layout", ["no paragraphs", "only a notice"])
def test_page_without_its_text_is_not_loaded_and_the_outlet_is_reported(
    layout: str, installation: Installation, usual: WebSite
) -> None:
    outcomes = run(installation, usual, range(USUAL, USUAL + PER_RUN), layout)
    assert set(outcomes) <= {"implausible_text", "extraction_empty", "paywall_stub"}
    assert installation.query("SELECT count(*) FROM mart.article") == [(USUAL,)]
    state, reason = health(installation)
    assert state == "extraction_broken"
    assert reason.startswith(f"text: all {PER_RUN} pages")
    assert reason.count(f"{H}/story-") == 2
    assert installation.query("SELECT count(*) FROM ops.quarantine WHERE segment_id IS NOT NULL") == [(PER_RUN,)]


def test_text_under_other_class_names_and_in_json_is_still_found(installation: Installation, usual: WebSite) -> None:
    assert run(installation, usual, range(USUAL, USUAL + PER_RUN), "other classes") == {"new": PER_RUN}
    assert run(installation, usual, range(USUAL + PER_RUN, USUAL + 2 * PER_RUN), "json") == {"new": PER_RUN}
    words = installation.query("SELECT min(word_count) FROM mart.article")[0][0]
    assert words > 100
    in_script = installation.query("SELECT count(*) FROM mart.article WHERE extraction_confidence IS NULL")
    assert in_script == [(PER_RUN,)]


def test_field_that_is_lost_is_named_within_two_runs(installation: Installation, usual: WebSite) -> None:
    for start in (USUAL, USUAL + PER_RUN):
        assert run(installation, usual, range(start, start + PER_RUN), "no byline") == {"new": PER_RUN}
    state, reason = health(installation)
    assert state == "extraction_broken"
    assert reason.startswith(("authors: 0 of the latest", "date_published: 0 of the latest"))
    assert reason.count(f"{H}/story-") == 2


def test_pages_in_another_language_are_named_within_two_runs(installation: Installation, usual: WebSite) -> None:
    for start in (USUAL, USUAL + PER_RUN):
        run(installation, usual, range(start, start + PER_RUN), "usual", words=GERMAN)
    state, reason = health(installation)
    assert state == "extraction_broken"
    assert reason.startswith("language: 0 of the latest")


def test_short_report_is_an_article(installation: Installation, usual: WebSite) -> None:
    assert run(installation, usual, range(USUAL, USUAL + 3), "short report") == {"new": 3}
    assert health(installation)[0] == "fresh"


def test_rejection_is_the_same_in_a_warehouse_rebuilt_from_the_archive(
    installation: Installation, usual: WebSite
) -> None:
    run(installation, usual, range(USUAL, USUAL + PER_RUN), "only a notice")
    fingerprint = installation.fingerprint()
    rejected = installation.query("SELECT outcome, count(*) FROM ops.quarantine GROUP BY 1")
    installation.empty_database()
    installation.run("db", "rebuild", "--from-archive")
    assert installation.fingerprint() == fingerprint
    assert installation.query("SELECT outcome, count(*) FROM ops.quarantine GROUP BY 1") == rejected


def test_reextraction_that_finds_no_text_replaces_none(
    installation: Installation, serve: Callable[..., WebSite], usual: WebSite
) -> None:
    texts = "SELECT url, text_hash FROM mart.article ORDER BY url"
    before = installation.query(texts)
    serve("extraction: {prune: [\"//div[@class='story__body']\"]}")
    report = json.loads(installation.run("reextract", "test", "--json").stdout)
    assert report["failed"] == USUAL
    installation.run("reextract", "--promote", report["reextraction_id"])
    assert installation.query(texts) == before
