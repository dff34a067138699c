"""The cases of tests/cases/finding that a parser decides: listings, robots.txt, URLs, content encodings."""

from __future__ import annotations

import gzip
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import fromstring

from pressmark.content_encoding import IncompleteBody, TooLarge, remove_content_encoding
from pressmark.dates import DateContext
from pressmark.discovery.feeds import parse_feed
from pressmark.discovery.listing import Listing
from pressmark.discovery.sitemaps import parse_sitemap
from pressmark.errors import ExtractionError
from pressmark.extraction.charset import decode
from pressmark.extraction.structured import read_structured
from pressmark.outlet import Outlet
from pressmark.robots import RobotsPolicy
from pressmark.urls import absolute, on_domains, url_key, url_uid
from pressmark.xml_input import xml_text
from spiders.resolver import refusal

CASES = Path(__file__).parents[1] / "cases" / "finding"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DATES = DateContext(NOW)
URL = "http://x.example/feed.xml"


def case(name: str) -> bytes:
    return next(CASES.glob(name)).read_bytes()


def urls(listing: Listing) -> list[str]:
    return [entry.url for entry in listing.entries]


@pytest.mark.parametrize("name", ["feed.xml", "feed2.xml", "sitemap.xml"])
def test_bad_date_costs_the_date_and_not_the_listing(name: str) -> None:
    document = case(f"01-*/{name}")
    parse = parse_sitemap if name == "sitemap.xml" else parse_feed
    listing = parse(document, URL, DATES)
    assert listing.entries and listing.problem is None
    assert all(entry.modified is None or entry.modified.year > 1990 for entry in listing.entries)


def test_white_space_before_the_root_costs_no_time() -> None:
    started = time.process_time()
    parse_feed(gzip.decompress(case("02-*/feed.xml.gz")), URL, DATES)
    listing = parse_feed(
        b"\n" * 5_000_000 + b"<rss><channel><item><link>http://x.example/a</link></item></channel></rss>", URL, DATES
    )
    assert urls(listing) == ["http://x.example/a"]
    assert time.process_time() - started < 10


def test_feed_of_a_hundred_thousand_items_takes_seconds() -> None:
    item = b"<item><title>A title</title><link>http://x.example/a%06d</link><pubDate>Thu, 19 Nov 2026 08:00:00 GMT</pubDate></item>"
    document = b"<rss><channel>" + b"".join(item % number for number in range(100_000)) + b"</channel></rss>"
    started = time.process_time()
    listing = parse_feed(document[: 10 * 2**20], URL, DATES, limit=100_000)
    assert len(listing.entries) > 70_000
    assert time.process_time() - started < 30


def test_cut_body_is_incomplete_and_all_members_are_read() -> None:
    for name in ("first.gz", "second.gz", "two-members.gz"):
        body = case(f"03-*/{name}")
        for label in ("gzip", None, "x-gzip", "utf-8"):
            try:
                text = remove_content_encoding(body, label, 10**6)
            except IncompleteBody:
                assert name == "first.gz"
            else:
                assert name != "first.gz" and text.rstrip().endswith(b"</html>")


@pytest.mark.parametrize("label", ["none", "UTF-8", "identity", "binary", "", "text/html", "gzip", "deflate"])
def test_label_that_the_body_does_not_have_is_ignored(label: str) -> None:
    assert remove_content_encoding(b"<html>a page</html>", label, 1000) == b"<html>a page</html>"


def compressed(body: bytes) -> bytes:
    """Compress without the time, so that the names of the tests are the same in all processes."""
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (compressed(b"<html>a page</html>"), None),
        (compressed(compressed(b"<html>a page</html>")), "gzip"),
        (compressed(compressed(b"<html>a page</html>")), "gzip, gzip"),
        (compressed(b"<html>a ") + compressed(b"page</html>"), "gzip"),
        (compressed(b"<html>a page</html>") + b"\0\0\0", "gzip"),
        (zlib.compress(b"<html>a page</html>"), "deflate"),
        (zlib.compress(b"<html>a page</html>")[2:-4], "deflate"),
        (compressed(b"<html>a page</html>"), "deflate"),
    ],
)
def test_compressed_body_is_read_whole(body: bytes, label: str | None) -> None:
    assert remove_content_encoding(body, label, 1000) == b"<html>a page</html>"


@given(st.integers(min_value=12, max_value=400), st.sampled_from(["gzip", "deflate"]))
def test_body_that_is_cut_anywhere_is_never_taken_for_a_whole_one(length: int, label: str) -> None:
    page = b"<html>" + bytes(str(list(range(400))), "ascii") + b"</html>"
    body = (gzip.compress if label == "gzip" else zlib.compress)(page)
    if length < len(body):
        with pytest.raises(ExtractionError):
            remove_content_encoding(body[:length], label, 10**6)


def test_bomb_is_too_large() -> None:
    with pytest.raises(TooLarge):
        remove_content_encoding(gzip.compress(b"\0" * 10**7), "gzip", 10**6)


def test_bare_ampersand_keeps_the_parameter_name() -> None:
    assert urls(parse_sitemap(case("07-*/sitemap.xml"), URL, DATES)) == ["http://x.example/story.php?id=1&lang=en"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a?id=1&lang=en", "a?id=1&amp;lang=en"), ("a?x=1&amp;y=2", "a?x=1&amp;y=2"), ("caf&eacute;", "caf\u00e9"),
        ("a&nbsp;b", "a\u00a0b"), ("&#233;", "&#233;"), ("&lt;b&gt;", "&lt;b&gt;"), ("&copy=1", "&amp;copy=1"),
        ("<![CDATA[a & b]]>", "<![CDATA[a & b]]>"), ("<!-- a & b -->", "<!-- a & b -->"), ("&nosuch;", "&amp;nosuch;"),
    ],
)  # fmt: skip
def test_ampersands_and_html_entities_are_repaired(raw: str, text: str) -> None:
    assert xml_text(f"<r>{raw}</r>".encode()) == f"<r>{text}</r>"


def test_long_sitemap_keeps_the_latest_entries() -> None:
    def sitemap(order: list[int]) -> bytes:
        rows = "".join(
            f"<url><loc>http://x.example/{n}</loc><lastmod>2026-{n // 28 + 1:02}-{n % 28 + 1:02}</lastmod></url>"
            for n in order
        )
        return f"<urlset>{rows}</urlset>".encode()

    for order in (list(range(300)), list(range(299, -1, -1))):
        listing = parse_sitemap(sitemap(order), URL, DATES, limit=50)
        assert listing.truncated
        assert {entry.url for entry in listing.entries} == {f"http://x.example/{n}" for n in range(250, 300)}
    window = (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    published = "".join(
        f"<url><loc>http://x.example/{n}</loc><n:news xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'>"
        f"<n:publication_date>2026-{n // 28 + 1:02}-{n % 28 + 1:02}</n:publication_date></n:news></url>"
        for n in range(300)
    )
    listing = parse_sitemap(f"<urlset>{published}</urlset>".encode(), URL, DATES, limit=28, window=window)
    assert {entry.url for entry in listing.entries} == {f"http://x.example/{n}" for n in range(28, 56)}


def test_long_sitemap_without_dates_keeps_both_ends() -> None:
    rows = "".join(f"<url><loc>http://x.example/{n}</loc></url>" for n in range(100))
    kept = urls(parse_sitemap(f"<urlset>{rows}</urlset>".encode(), URL, DATES, limit=10))
    assert kept[0] == "http://x.example/0" and kept[-1] == "http://x.example/99" and len(kept) == 10


def test_lastmod_of_a_day_lasts_until_its_end_in_the_outlets_zone() -> None:
    document = case("09-*/index.xml")
    (child,) = parse_sitemap(document, URL, DATES).children
    assert child.changed_until == datetime(2026, 11, 21, tzinfo=UTC)
    (child,) = parse_sitemap(document, URL, DateContext(NOW, "America/New_York")).children
    assert child.changed_until == datetime(2026, 11, 21, 5, tzinfo=UTC)


def test_space_in_a_url_is_encoded() -> None:
    assert urls(parse_feed(case("10-*/feed.xml"), URL, DATES)) == ["http://x.example/my%20story.html"]
    assert absolute(" http://x.example/a\n b\t") == "http://x.example/a%20b"


def test_user_agent_is_compared_by_its_product_token() -> None:
    policy = RobotsPolicy.from_response(200, case("11-*/robots.txt"))
    assert policy.verdict("http://x.example/private/a", "Pressmark").outcome == "robots_denied"
    assert policy.verdict("http://x.example/a", "Pressmark").outcome == "allowed"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("User-agent: Pressmark crawler\nDisallow: /", "robots_denied"),
        ("User-agent: PRESSMARK\nDisallow: /", "robots_denied"),
        ("user-agent : pressmark # us\ndisallow : /", "robots_denied"),
        ("User-agent: press\nDisallow: /", "allowed"),
        ("User-agent: pressmarkbot\nDisallow: /", "allowed"),
        ("User-agent: other\nUser-agent: Pressmark\nDisallow: /", "robots_denied"),
        ("User-agent: Pressmark\nCrawl-delay: 5\nUser-agent: other\nDisallow: /", "robots_denied"),
        ("User-agent: Pressmark\nSitemap: http://x.example/s\nDisallow: /", "robots_denied"),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Pressmark\nDisallow:", "allowed"),
        ("User-agent: Pressmark\nAllow: /b\n\nUser-agent: Pressmark\nDisallow: /", "robots_denied"),
        ("User-\x00agent: Press\x00mark\nDis\x00allow: /", "robots_denied"),
        ("Disallow: /", "allowed"),
        ("User-agent: *bot\nDisallow: /", "allowed"),
        ("User-agent: *\rDisallow: /\r", "robots_denied"),
        ("\ufeffUser-agent: *\nDisallow: /", "robots_denied"),
    ],
)
def test_groups_of_robots_txt(text: str, outcome: str) -> None:
    policy = RobotsPolicy.from_response(200, text.encode())
    assert policy.verdict("http://x.example/a", "Pressmark").outcome == outcome


def test_robots_cases() -> None:
    grouped = RobotsPolicy.from_response(200, case("12-*/robots.txt"))
    prefix = RobotsPolicy.from_response(200, case("12-*/prefix.txt"))
    assert grouped.verdict("http://x.example/a", "Pressmark").outcome == "robots_denied"
    assert prefix.verdict("http://x.example/a", "Pressmark").outcome == "allowed"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (".5", 0.5),
        ("1 h", 3600.0),
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("10s", 10.0),
        ("2 m", 120.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_crawl_delay_is_read(value: str, seconds: float | None) -> None:
    policy = RobotsPolicy.from_response(200, f"User-agent: *\nCrawl-delay: {value}\n".encode())
    assert policy.crawl_delay("Pressmark") == seconds


@given(st.binary(max_size=300))
def test_robots_txt_of_any_bytes_has_a_verdict(body: bytes) -> None:
    policy = RobotsPolicy.from_response(200, body)
    assert policy.verdict("http://x.example/a?b=c", "Pressmark").outcome in (
        "allowed",
        "robots_denied",
        "robots_unreachable",
    )
    policy.crawl_delay("Pressmark")


def test_unicode_host_is_the_same_as_punycode() -> None:
    (url,) = urls(parse_feed(case("13-*/feed.xml"), URL, DATES))
    assert on_domains(url, ["xn--bcher-kva.example"])
    assert url_key(url) == url_key("https://xn--bcher-kva.example/a") == url_key("http://B\u00dcCHER.example/a/")


def test_urls_that_look_like_variants_are_different() -> None:
    for name, count in (("14-*/feed.xml", 3), ("15-*/feed.xml", 2)):
        listed = urls(parse_feed(case(name), URL, DATES))
        assert len({url_uid("x", url) for url in listed}) == count


def test_all_members_of_a_gzipped_sitemap_are_read() -> None:
    assert len(parse_sitemap(case("16-*/sitemap.xml.gz"), URL, DATES).entries) == 2


def test_enclosure_does_not_replace_the_link() -> None:
    assert urls(parse_feed(case("17-*/feed.xml"), URL, DATES)) == ["http://x.example/a"]


def test_undeclared_gzip_feed_is_read() -> None:
    assert urls(parse_feed(case("18-*/feed.xml.gz"), URL, DATES))


def test_json_feed_with_a_byte_order_mark_is_read() -> None:
    assert len(urls(parse_feed(case("19-*/feed.json"), URL, DATES))) == 1


def test_guid_that_is_no_permalink_is_no_link() -> None:
    assert urls(parse_feed(case("20-*/feed.xml"), URL, DATES)) == []


def test_image_location_is_not_the_page() -> None:
    assert urls(parse_sitemap(case("26-*/sitemap.xml"), URL, DATES)) == ["http://x.example/a"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "iso-8859-1"])
def test_encodings_of_listings(encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?><!-- a comment --><urlset><url><loc>http://x.example/caf\u00e9</loc></url></urlset>"
    listing = parse_sitemap(text.encode(encoding), URL, DATES)
    assert urls(listing) == ["http://x.example/caf\u00e9"]


def test_parts_of_feeds_of_all_formats() -> None:
    rdf = b"""<?xml version="1.0"?><!-- x --><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
      xmlns:dc="http://purl.org/dc/elements/1.1/"><item rdf:about="http://x.example/a"><title>A</title><link>http://x.example/a</link>
      <dc:date>2026-11-19T08:00:00+01:00</dc:date></item></rdf:RDF>"""
    (entry,) = parse_feed(rdf, URL, DATES).entries
    assert entry.published and entry.published.value == datetime(2026, 11, 19, 7, tzinfo=UTC)
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://x.example/blog/" xmlns:media="http://search.yahoo.com/mrss/">
      <entry><media:title>No</media:title><title type="html">Tom &amp;amp; &lt;b&gt;Ann&lt;/b&gt;</title><link rel="enclosure" href="q.mp3"/>
      <link rel="alternate" type="application/json" href="a.json"/><link rel="alternate" type="text/html" href="a"/><id>urn:1</id>
      <published>2026-11-19T08:00:00Z</published><updated>2026-11-20T08:00:00Z</updated></entry></feed>"""
    (entry,) = parse_feed(atom, URL, DATES).entries
    assert (entry.url, entry.headline) == ("http://x.example/blog/a", "Tom & Ann")
    assert entry.modified == datetime(2026, 11, 20, 8, tzinfo=UTC)
    undeclared = b"<rss><channel><item><media:title>No</media:title><title>Yes</title><link>http://x.example/a</link></item></channel></rss>"
    assert parse_feed(undeclared, URL, DATES).entries[0].headline == "Yes"


def test_last_entry_of_a_cut_listing_is_left_out() -> None:
    document = b"<urlset><url><loc>http://x.example/first</loc></url><url><loc>http://x.example/second-st"
    listing = parse_sitemap(document, URL, DATES)
    assert urls(listing) == ["http://x.example/first"] and "cut short" in (listing.problem or "")
    document = b"<rss><channel><item><link>http://x.example/a</link></item><item><link>http://x.example/b"
    assert urls(parse_feed(document, URL, DATES)) == ["http://x.example/a"]


DAMAGES = {
    "bare <": "<title>a < b</title>",
    "deep": "<description>" + "<b>" * 1500 + "x" + "</b>" * 1500 + "</description>",
    "open CDATA": "<title><![CDATA[a</title>",
    "long text": f"<description>{'x' * 9_900_000}</description>",
    "HTML": "<description><p>x<br>y</description>",
    "open tag": "<title>a",
    "attribute": "<title lang=en>a</title>",
    "entity": "<title>&nosuch; & &</title>",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_in_one_entry_does_not_cost_the_others(damage: str) -> None:
    def item(number: int, more: str = "") -> str:
        return f"<item>{more}<link>http://x.example/{number}</link></item>"

    document = f"<rss><channel>{item(1)}{item(2, DAMAGES[damage])}{item(3)}</channel></rss>"
    listing = parse_feed(document.encode(), URL, DATES)
    found = urls(listing)
    assert found == [f"http://x.example/{number}" for number in (1, 2, 3)]


def test_document_with_text_after_the_root_or_a_namespace_of_its_own_is_read() -> None:
    item = "<item><title>T</title><link>http://x.example/a</link></item>"
    for document in (
        f"<rss><channel>{item}</channel></rss>{' ' * 5000}",
        f"<rss><channel>{item}</channel></rss><!-- {'x' * 5000} -->",
        f"<rss xmlns='http://cyber.law.harvard.edu/rss/rss.html'><channel>{item}</channel></rss>",
        "<rss><channel><item><link><![CDATA[http://x.example/a?x=1&amp;y=2]]></link></item></channel></rss>",
    ):
        listing = parse_feed(document.encode(), URL, DATES)
        assert len(listing.entries) == 1 and listing.problem is None
    assert urls(listing) == ["http://x.example/a?x=1&y=2"]
    sitemap = "<urlset xmlns='http://x.example/foo'><url><loc><!-- x -->http://x.example/a</loc></url></urlset>"
    assert urls(parse_sitemap(sitemap.encode(), URL, DATES)) == ["http://x.example/a"]
    feed = b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": {"a": 1}, "external_url": "/b", "title": "a\tb"}]}'
    assert urls(parse_feed(feed, URL, DATES)) == ["http://x.example/b"]


@pytest.mark.parametrize(
    "label", ["undefined", "base64", "hex", "rot13", "idna", "punycode", "unicode_escape", "nosuch"]
)
def test_declared_codec_that_is_no_encoding_is_ignored(label: str) -> None:
    page = f"<html><head><meta charset={label}></head><body><p>caf\u00e9 \\u0041</p></body></html>".encode("cp1252")
    text, encoding, _ = decode(page, f"text/html; charset={label}", ("fr",))
    assert "caf\u00e9 \\u0041" in text and encoding == "cp1252"
    document = f"<?xml version='1.0' encoding='{label}'?><urlset><url><loc>http://x.example/a</loc></url></urlset>"
    assert urls(
        parse_sitemap(document.encode() + b"<!-- \xe9 -->", URL, DATES, content_type=f"text/xml; charset={label}")
    )


def test_gzip_members_with_padding_and_in_great_numbers() -> None:
    padded = gzip.compress(b"aaa") + b"\0" * 10 + gzip.compress(b"bbb")
    assert remove_content_encoding(padded, "gzip", 100) == b"aaabbb"
    with pytest.raises(ExtractionError, match="members"):
        remove_content_encoding(gzip.compress(b"") * 200_000, "gzip", 100)


def test_hostile_documents_take_time_in_proportion_to_their_size() -> None:
    started = time.perf_counter()
    agents = b"User-agent: a\n" * 16_000 + b"Allow: /\n" * 16_000
    assert RobotsPolicy.from_response(200, agents).verdict("http://x.example/a", "Pressmark").outcome == "allowed"
    decode(b"<html>" + b"<!--" * 80_000, "text/html")
    decode(b"<html>" + b"<script>" * 40_000 + b"\xe9", "text/html")
    for block in ('{"a": "' + '\\"' * 20_000, "/* " * 40_000, "\n" * 100_000 + "]]>", '{"a": 1' + ", " * 40_000):
        page = fromstring(f'<html><script type="application/ld+json">{block}</script><p>x</p></html>')
        read_structured(page)
    assert time.perf_counter() - started < 20


def test_broken_object_behind_a_good_one_is_repaired() -> None:
    block = '{"@type": "Organization", "name": "x"}\n{"@type": "NewsArticle", "headline": "A headline",}'
    page = fromstring(f'<html><script type="application/ld+json">{block}</script><p>x</p></html>')
    assert [node["@type"] for node in read_structured(page).outer] == ["Organization", "NewsArticle"]


@given(st.binary(max_size=400))
def test_listing_of_any_bytes_is_read_or_has_a_problem(body: bytes) -> None:
    for document in (body, b"<rss><channel><item>" + body, b"<urlset><url><loc>" + body):
        assert isinstance(parse_feed(document, URL, DATES), Listing)
        assert isinstance(parse_sitemap(document, URL, DATES), Listing)


@pytest.mark.parametrize("zone", ["America", "Mars/Base", "", "../UTC", "posixrules/x"])
def test_zone_that_is_none_is_an_error_of_the_file(zone: str) -> None:
    with pytest.raises(ValueError, match="not an IANA time zone"):
        Outlet.model_validate(
            {
                "id": "tz1", "name": "tz1", "home": "http://x.example/", "domains": ["x.example"], "languages": ["en"],
                "timezone": zone, "enabled": True,
                "endpoints": [{"method": "feed", "url": "http://x.example/feed", "source": "a test"}],
            }
        )  # fmt: skip


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.5", "169.254.169.254", "192.0.0.192", "168.63.129.16", "::1", "fd00::1", "::ffff:10.0.0.5",
     "64:ff9b::a00:5", "64:ff9b::a83f:8110", "::ffff:192.0.0.192"],
)  # fmt: skip
def test_private_and_metadata_addresses_are_refused(address: str) -> None:
    assert refusal(address)
    assert refusal("93.184.215.14") is None and refusal("2606:2800:21f:cb07:6820:80da:af6b:8b2c") is None
