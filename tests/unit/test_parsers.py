"""Parsers of feeds, sitemaps, dates, robots.txt and rights signals, the COPY format and log redaction."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pressmark.dates import DateContext, day_in_url, read_date
from pressmark.discovery.feeds import parse_feed
from pressmark.discovery.sitemaps import parse_sitemap
from pressmark.logs import redact
from pressmark.rights import HostPreferences, read_rights
from pressmark.robots import RobotsPolicy
from pressmark.warehouse.copy_format import Json, field

DATES = DateContext(datetime(2026, 11, 23, 12, tzinfo=UTC))
URL = "http://example.org/x.xml"


def test_news_sitemap_entry_has_url_headline_and_dates() -> None:
    document = b"""<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
      xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
      <url><loc> http://example.org/a </loc><lastmod>2026-11-20</lastmod><image:image><image:loc>http://example.org/p.jpg</image:loc></image:image>
      <news:news><news:publication_date>2026-11-19T08:00:00+02:00</news:publication_date><news:title>A &amp; B</news:title></news:news></url></urlset>"""
    (entry,) = parse_sitemap(document, URL, DATES).entries
    assert (entry.url, entry.headline) == ("http://example.org/a", "A & B")
    assert entry.published is not None and entry.published.value == datetime(2026, 11, 19, 6, tzinfo=UTC)
    assert entry.published.offset == 120 and entry.published.source == "news_sitemap"
    assert entry.modified == datetime(2026, 11, 20, tzinfo=UTC), (
        "lastmod is only a bound, so it is stored apart from the publication date"
    )
    assert parse_sitemap(gzip.compress(document), URL, DATES).entries


@pytest.mark.parametrize(
    "document",
    [b"", b"<html><body>Checking your browser</body></html>", b"\x1f\x8bbroken", b"\xff\xfe\x00"],
)
def test_document_that_is_not_a_sitemap_is_reported_as_a_problem(document: bytes) -> None:
    listing = parse_sitemap(document, URL, DATES)
    assert not listing.entries and listing.problem


def test_xml_entities_are_not_expanded(tmp_path) -> None:  # type: ignore[no-untyped-def]
    secret = tmp_path / "secret"
    secret.write_text("http://example.org/SECRET")
    document = f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]><urlset><url><loc>http://example.org/&x;</loc></url></urlset>'
    assert "SECRET" not in str(parse_sitemap(document.encode(), URL, DATES))
    laughs = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    parse_sitemap(f"{laughs}]><urlset><url><loc>http://e.org/&i;</loc></url></urlset>".encode(), URL, DATES)


def test_feed_dates_keep_their_offset_and_entries_without_a_url_are_dropped() -> None:
    document = b"""<rss version="2.0"><channel><item><title>One</title><link>/story</link><pubDate>Thu, 19 Nov 2026 08:00:00 +0200</pubDate></item>
      <item><title>No link</title></item><item><link>javascript:alert(1)</link></item></channel></rss>"""
    (entry,) = parse_feed(document, "http://example.org/feed", DATES).entries
    assert entry.url == "http://example.org/story"
    assert entry.published is not None and entry.published.value == datetime(2026, 11, 19, 6, tzinfo=UTC)
    assert parse_feed(b"<html>Just a moment...</html>", URL, DATES).problem


@pytest.mark.parametrize(
    ("raw", "value", "precision"),
    [
        ("2021-07-26", datetime(2021, 7, 26, tzinfo=UTC), "day"),
        ("2021-07-26T17:12:41+02:00", datetime(2021, 7, 26, 15, 12, 41, tzinfo=UTC), "second"),
        ("26 July 2021", datetime(2021, 7, 26, tzinfo=UTC), "day"),
    ],
)
def test_complete_date_is_parsed_with_its_precision(raw: str, value: datetime, precision: str) -> None:
    date = read_date(raw, "meta", DATES)
    assert date is not None and (date.value, date.precision, date.raw) == (value, precision, raw)


@pytest.mark.parametrize(
    "raw", ["July 26th", "yesterday", "5/6/2021", "12:30", "2099-01-01", "0001-01-01", "not a date"]
)
def test_incomplete_ambiguous_or_implausible_date_is_not_guessed(raw: str) -> None:
    date = read_date(raw, "meta", DATES)
    assert date is None or date.value is None


def test_day_in_a_url_is_parsed() -> None:
    date = day_in_url("https://example.org/2021/07/26/story", DATES)
    assert date is not None and date.value == datetime(2021, 7, 26, tzinfo=UTC) and date.precision == "day"
    assert day_in_url("https://example.org/2021/13/45/story", DATES) is None


@given(st.text(max_size=60))
def test_date_parser_never_raises(text: str) -> None:
    read_date(text, "meta", DATES)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"User-agent: *\nDisallow: /private", "allowed"),
        (200, b"User-agent: pressmark\nDisallow: /", "robots_denied"),
        (404, b"", "allowed"),
        (403, b"", "allowed"),
        (429, b"", "robots_unreachable"),
        (500, b"", "robots_unreachable"),
        (301, b"", "robots_unreachable"),
    ],
)
def test_robots_txt_responses_are_interpreted_as_in_rfc_9309(status: int, body: bytes, outcome: str) -> None:
    assert RobotsPolicy.from_response(status, body).verdict("http://example.org/story", "Pressmark").outcome == outcome


def test_rights_signals_in_headers_and_meta_tags() -> None:
    signals = read_rights(
        (("X-Robots-Tag", "otherbot: noindex"), ("X-Robots-Tag", "noarchive"), ("tdm-reservation", "1")), {}
    )
    assert signals.noarchive and signals.tdm_reservation is True and "noindex" not in signals.robots
    assert read_rights((("tdm-reservation", "1"),), {"tdm-reservation": ["0"]}).tdm_reservation is False
    assert read_rights((), {"robots": ["index, NOARCHIVE"]}).noarchive


def test_values_are_escaped_for_copy() -> None:
    assert field("a\tb\\c\nd\x00\ud800") == "a\\tb\\\\c\\nd\ufffd"
    assert field(None) == "\\N" and field(True) == "t" and field(b"\x01") == "\\\\x01"
    assert field(['a"b', "c\\d"]) == '{"a\\\\"b","c\\\\\\\\d"}'
    assert field(Json({"k\x00": "v\x00"})) == '{"k": "v"}'
    assert field(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"


def test_passwords_are_redacted_in_logs() -> None:
    assert "canary" not in redact("postgresql://me:canary@host/db password=canary host=x password='can ary'").replace(
        "ca ary", ""
    )


def test_rights_signals_are_merged_from_headers_meta_tags_and_links() -> None:
    headers = (
        ("X-Robots-Tag", "noai, noimageai"), ("Content-Usage", "train-ai=n"), ("Content-Usage", "train-ai=y, search=y"),
        ("Link", '<https://x.example/css>; rel=preload, </terms.xml>; rel="license"; type="application/rsl+xml"'),
    )  # fmt: skip
    links = [("canonical", "", "/a", ""), ("license", "", "https://creativecommons.org/licenses/by/4.0/", ""),
             ("alternate", "application/rsl+xml", "/rsl.xml", ""), ("stylesheet", "text/css", "/s.css", "")]  # fmt: skip
    signals = read_rights(headers, {"robots": ["noindex"], "tdm-reservation": ["1"]}, links)
    assert signals.as_json() == {
        "robots": ["noai", "noimageai", "noindex"],
        "tdm_reservation": True,
        "content_usage": {"train-ai": "n", "search": "y"},
        "license": ["https://creativecommons.org/licenses/by/4.0/", "/rsl.xml", "/terms.xml"],
    }
    assert signals.noindex and not signals.noarchive
    assert read_rights((("Link", "<" * 50_000),), {}).as_json() is None, "a malformed header is ignored"


def test_content_signals_usage_and_licence_in_robots_txt() -> None:
    text = (
        "License: https://x.example/licence.xml\nUser-agent: other\nContent-Signal: ai-train=yes\n\n"
        "User-agent: GPTBot\nUser-agent: *\nContent-Signal: search=yes, ai-train=no # why\nContent-Usage: train-ai=n\n"
        "Content-Usage: /open/ train-ai=y\nContent-Usage: /news/ search=n\nDisallow: /private/\n"
    )
    preferences = HostPreferences.parse(text)
    assert preferences.about("/news/1") == {
        "content_signal": {"ai-train": "no", "search": "yes"},
        "content_usage": {"train-ai": "n", "search": "n"},
        "license": ["https://x.example/licence.xml"],
    }
    assert preferences.about("/open/1")["content_usage"] == {"train-ai": "n"}, "n takes precedence over y"
    ours = HostPreferences.parse(text + "User-agent: Pressmark\nContent-Signal: ai-train=yes\n")
    assert ours.about("/")["content_signal"] == {"ai-train": "yes"}, (
        "the group for our user agent takes precedence over the group for *"
    )
    assert HostPreferences.parse("Content-Signal: ai-input=no").about("/") == {"content_signal": {"ai-input": "no"}}
    assert HostPreferences.parse("User-agent: other\nContent-Signal: ai-input=no").about("/") == {}
    assert HostPreferences.parse("\x00:::\nlicense\nContent-Usage: " + "==" * 90_000).about("/") == {}
