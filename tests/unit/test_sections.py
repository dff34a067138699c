"""Parsers of section pages, JSON listings and TDM files, including malformed and hostile input."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pressmark.dates import DateContext
from pressmark.discovery.sections import parse_section
from pressmark.rights import TdmFile
from spiders.examples.json_listing import parse as parse_json

URL = "http://x.example/news/"
DATES = DateContext(datetime(2026, 11, 23, tzinfo=UTC))


def section(body: str, **more: object) -> tuple[list[tuple[str, str | None]], list[str], str | None]:
    listing = parse_section(
        f"<html><body>{body}</body></html>".encode(), URL, domains=["x.example"], include=[r"/20\d\d/"], **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return [(e.url, e.headline) for e in listing.entries], [c.url for c in listing.children], listing.problem


def test_article_links_are_listed_once_with_their_longest_text_and_navigation_is_ignored() -> None:
    body = (
        '<nav><a href="/about">About</a></nav><a href="/2026/a"><img></a><h2><a href="/2026/a">A long headline</a></h2>'
        '<a href="/2026/a">more</a><a href="http://elsewhere.example/2026/b">B</a><a href="2026/c?x=1#top"> C </a>'
        '<a href="javascript:void(0)">/2026/</a><a href="mailto:a@x.example">/2026/</a><a>no address</a>'
    )
    entries, children, problem = section(body)
    assert entries == [("http://x.example/2026/a", "A long headline"), ("http://x.example/news/2026/c?x=1", "C")]
    assert children == [] and problem is None
    assert section(body, exclude=["/c"])[0] == entries[:1]
    assert len(section(body, limit=1)[0]) == 1


@pytest.mark.parametrize(
    "link",
    [
        '<a rel="next" href="?page=2">2</a>',
        '<link rel="next" href="/news/?page=2">',
        '<a href="?page=2">Older posts</a>',
        '<a href="?page=2">Page suivante »</a>',
        '<a href="?page=2" aria-label="Next page">›</a>',
    ],
)
def test_link_to_the_next_page_is_followed(link: str) -> None:
    assert section(f'<a href="/2026/a">A</a>{link}')[1] == ["http://x.example/news/?page=2"]


def test_next_page_on_another_domain_or_the_same_page_is_not_followed() -> None:
    assert section('<a rel="next" href="http://elsewhere.example/">2</a>')[1] == []
    assert section(f'<a rel="next" href="{URL}">2</a>')[1] == []
    assert section('<a href="?p=2">Next of kin inherit a lighthouse</a>')[1] == []


@pytest.mark.parametrize("document", [b"", b"\x00\xff\xfe", b"%PDF-1.7", b"<html>", b"<a href='/2026/a'" * 3])
def test_document_that_is_not_a_section_page_is_reported_as_a_problem(document: bytes) -> None:
    listing = parse_section(document, URL, domains=["x.example"], include=["/20"])
    assert listing.problem and listing.entries == []


def test_base_element_is_respected() -> None:
    assert section('<base href="http://x.example/b/"><a href="2026/a">A</a>')[0] == [("http://x.example/b/2026/a", "A")]


def test_json_listing_entries_have_url_headline_and_dates() -> None:
    items = [
        {"url": "/r/1", "headline": "One", "published": "2026-03-05T10:00:00Z", "updated": "2026-03-05T11:00:00Z"},
        {"url": "javascript:alert(1)"}, {"url": None}, "text", {"url": "/r/2", "published": ["2026"], "headline": 7},
    ]  # fmt: skip
    listing = parse_json(json.dumps({"items": items}).encode(), URL, DATES, 10)
    assert [(e.url, e.headline) for e in listing.entries] == [
        ("http://x.example/r/1", "One"), ("http://x.example/r/2", "7"),
    ]  # fmt: skip
    first = listing.entries[0]
    assert first.published and first.modified and first.modified > first.published.value  # type: ignore[operator]
    for broken in (b"", b"[]", b'{"items": 3}', b"<html>", b"[" * 100_000):
        assert "not the expected JSON" in (parse_json(broken, URL, DATES, 10).problem or "")


def test_most_specific_location_in_a_tdm_file_decides() -> None:
    rows = [
        {"location": "/", "tdm-reservation": 0},
        {"location": "/archive/*", "tdm-reservation": 1, "tdm-policy": "http://x.example/p"},
        {"location": "/archive/free/", "tdm-reservation": 0},
        {"location": "*.pdf$", "tdm-reservation": "1"},
        {"location": 5, "tdm-reservation": 1}, {"tdm-reservation": 1}, "text", {"location": "/x", "tdm-reservation": 2},
    ]  # fmt: skip
    file = TdmFile.parse(json.dumps(rows).encode())
    assert file.reserves("/news") == (False, None) and file.reserves("/x") == (False, None)
    assert file.reserves("/archive/1?a=b") == (True, "http://x.example/p")
    assert file.reserves("/archive/free/1") == (False, None)
    assert file.reserves("/a.pdf")[0] and not file.reserves("/a.pdf?x")[0]
    costly = TdmFile.parse(json.dumps([{"location": "/" + "*a" * 500 + "b", "tdm-reservation": 1}]).encode())
    assert costly.reserves("/" + "a" * 2000)[0] is False, "a pattern with many wildcards causes no backtracking"
    for broken in (b"", b"<html>", b"{}", b"null", b"[[[[", b"[" * 100_000, b"\xff\xfe"):
        assert TdmFile.parse(broken).reserves("/")[0] is False
