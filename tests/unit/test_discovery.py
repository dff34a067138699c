"""Parsers of JSON Feed and the WordPress REST API, and the URLs of WordPress and daily archive endpoints."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from pressmark.dates import DateContext
from pressmark.discovery.feeds import parse_feed
from pressmark.discovery.wordpress import parse_posts, posts_url
from spiders.discovery.archive import day_url

NOW = datetime(2026, 11, 23, tzinfo=UTC)
URL = "http://x.example/feed.json"


def test_json_feed_entries_have_url_and_dates() -> None:
    items = [
        {"id": "1", "url": "/a", "title": "A &amp; B", "date_published": "2026-03-05T10:00:00+01:00"},
        {"id": "http://x.example/b", "date_modified": "2026-03-06T10:00:00Z", "title": None},
        {"id": "2", "external_url": "http://x.example/c", "date_published": "soon"}, {"id": "3"}, "text", {"url": 5},
    ]  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": items}
    listing = parse_feed(json.dumps(feed).encode(), URL, DateContext(NOW), content_type="application/feed+json")
    assert [e.url for e in listing.entries][:3] == ["http://x.example/a", "http://x.example/b", "http://x.example/c"]
    first, second, third = listing.entries[:3]
    assert first.published and first.published.value == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert second.published is None and second.modified == datetime(2026, 3, 6, 10, tzinfo=UTC)
    assert third.published is None and third.modified is None
    assert parse_feed(json.dumps(feed).encode(), URL, DateContext(NOW), limit=1).truncated


@pytest.mark.parametrize(
    "document", [b"{", b"{}", b'{"items": 3}', b'{"version": "1", "items": []}', b'{"a":' * 90_000]
)
def test_json_that_is_not_a_feed_is_reported_as_a_problem(document: bytes) -> None:
    assert parse_feed(document, URL, DateContext(NOW)).problem


def test_wordpress_posts_have_url_headline_and_dates() -> None:
    rows = [
        {"link": "http://x.example/a", "date": "2026-03-05T10:00:00", "date_gmt": "2026-03-05T09:00:00",
         "modified_gmt": "2026-03-07T09:00:00", "title": {"rendered": "<b>Bridge</b> &#8220;closed&#8221;"}},
        {"link": "http://x.example/b", "date": "2026-03-05T10:00:00", "date_gmt": "0000-00-00T00:00:00", "title": "B"},
        {"link": "http://x.example/c", "date": "2999-01-01T10:00:00"}, {"link": 5}, "text", {"title": {}},
    ]  # fmt: skip
    entries = parse_posts(json.dumps(rows).encode(), URL, DateContext(NOW, "Europe/Berlin")).entries
    assert [e.url[-1] for e in entries] == ["a", "b", "c"]
    assert entries[0].headline == "Bridge “closed”" and entries[0].modified == datetime(2026, 3, 7, 9, tzinfo=UTC)
    assert [e.published.value if e.published else None for e in entries] == [
        datetime(2026, 3, 5, 9, tzinfo=UTC), datetime(2026, 3, 5, 9, tzinfo=UTC), None,
    ]  # fmt: skip
    error = {"code": "rest_no_route", "message": "No route was found"}
    assert "No route was found" in (parse_posts(json.dumps(error).encode(), URL, DateContext(NOW)).problem or "")
    for broken in (b"", b"<html>", b"[" * 100_000):
        assert parse_posts(broken, URL, DateContext(NOW)).problem


def test_wordpress_and_daily_archive_urls() -> None:
    url = posts_url("http://x.example/wp-json/wp/v2/posts", 2, NOW, NOW)
    assert "page=2" in url and "after=2026-11-22T00%3A00%3A00" in url and "orderby=date" in url
    assert posts_url("http://x.example/?rest_route=/wp/v2/posts", 1).startswith(
        "http://x.example/?rest_route=/wp/v2/posts&"
    )
    assert day_url("http://x.example/{yyyy}/{mm}/{dd}/", date(2026, 3, 5)) == "http://x.example/2026/03/05/"
    assert day_url("http://x.example/{d}-{m}-{yyyy}", date(2026, 3, 5)) == "http://x.example/5-3-2026"
