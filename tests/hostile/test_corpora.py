"""Third-party corpora: parsers return a result or a problem, within bounds, and never raise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pressmark.content_encoding import remove_content_encoding
from pressmark.dates import DateContext
from pressmark.discovery.feeds import parse_feed
from pressmark.discovery.sitemaps import parse_sitemap
from pressmark.errors import ExtractionError
from pressmark.robots import RobotsPolicy
from tests.hostile.corpora import corpora

NOW = datetime(2026, 11, 23, tzinfo=UTC)
pytestmark = pytest.mark.hostile


def test_feed_parser_handles_the_feed_corpus() -> None:
    files = [p for p in (corpora() / "feeds").rglob("*") if p.is_file()]
    assert len(files) > 50
    listed = 0
    for path in files:
        listing = parse_feed(path.read_bytes(), "http://example.org/feed", DateContext(NOW))
        listed += len(listing.entries)
        for entry in listing.entries:
            assert entry.url.startswith(("http://", "https://"))
            (entry.headline or "").encode()  # storable: no lone surrogate
            assert "\0" not in (entry.headline or "")
    assert listed > 0


def test_robots_parser_handles_the_robots_corpus() -> None:
    files = [p for p in (corpora() / "robots").rglob("*") if p.is_file()]
    assert len(files) > 200
    for path in files:
        policy = RobotsPolicy.from_response(200, path.read_bytes())
        assert policy.verdict("https://example.org/2026/story", "Pressmark").outcome in ("allowed", "robots_denied")
        delay = policy.crawl_delay("Pressmark")
        assert delay is None or delay >= 0


def test_sitemap_parser_handles_the_sitemap_corpus() -> None:
    files = [p for p in (corpora() / "sitemaps").rglob("*") if p.is_file()]
    assert files
    for path in files:
        listing = parse_sitemap(path.read_bytes(), "http://example.org/sitemap.xml", DateContext(NOW), limit=1000)
        assert len(listing.entries) + len(listing.children) <= 1000
        assert listing.entries or listing.children or listing.problem is not None or listing.truncated is False


def test_decompressed_bodies_are_limited_in_size() -> None:
    encodings = {
        "gzip-deflate-gzip": "gzip, deflate, gzip",
        "gzip-deflate": "gzip, deflate",
        "gzip": "gzip",
        "deflate": "deflate",
        "br": "br",
        "zstd": "zstd",
    }
    for path in (corpora() / "compressed").iterdir():
        encoding = next((value for name, value in encodings.items() if name in path.name), "gzip")
        try:
            body = remove_content_encoding(path.read_bytes(), encoding, 2**20)
        except ExtractionError:
            continue
        assert len(body) <= 2**20
