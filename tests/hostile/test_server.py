"""A hostile server: each threat gets the expected outcome, and the crawl continues."""

from __future__ import annotations

import gzip
import resource
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Installation
from tests.site import Answer, WebSite, article

pytestmark = pytest.mark.hostile

HOST = "hostile.example"
H = f"http://{HOST}"
WORDS = [
    f"The council met on Tuesday evening to talk about the bridge, the ferry and money, part {n}." for n in range(5)
]
TITLE = '<script>alert(1)</script>\'; DROP TABLE core.article; -- =HYPERLINK("http://x")'
CANARY = "a-canary-in-a-local-file"


def bomb(layers: int) -> bytes:
    """Return a page of 60 MB, compressed to some tens of kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(b"<p>word</p>" * 10_000) for _ in range(550)) + packer.flush()
    for _ in range(layers - 1):
        body = gzip.compress(body, 9)
    return body


def head(text: str) -> Answer:
    return article("A story with a head", *WORDS, head=text)


@pytest.fixture(scope="module")
def threats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Answer, str]]:
    canary = tmp_path_factory.mktemp("local") / "canary"
    canary.write_text(CANARY)
    moved = {
        "loop": f"{H}/moved-loop", "file": f"file://{canary}", "metadata": "http://169.254.169.254/latest/", "data":
        "data:text/html,<p>x</p>", "decimal": "http://2130706433/", "six": "http://[::1]/", "away": "http://other.example/",
    }  # fmt: skip
    refused = {"loop": "http_error", "metadata": "out_of_scope", "decimal": "out_of_scope", "six": "out_of_scope",
               "away": "out_of_scope", "file": "http_error", "data": "http_error"}  # fmt: skip
    bodies = {
        "bomb": (Answer(bomb(1), headers={"Content-Encoding": "gzip"}), "too_large"),
        "bomb-in-a-bomb": (Answer(bomb(2), headers={"Content-Encoding": "gzip, gzip"}), "too_large"),
        "torn-gzip": (
            Answer(gzip.compress(b"<html>" * 500)[:-20], headers={"Content-Encoding": "gzip"}),
            "network_error",
        ),
        "drip": (Answer(article("Slow", *WORDS).body, drip=0.3), "timeout"),
        "large": (Answer(b"<html>" + b"<p>word</p>" * 200_000), "too_large"),
        "spans": (Answer(b"<html><body><p>" + b"<span>word </span>" * 3000), "new"),
        "deep": (Answer(b"<html><body>" + b"<div>" * 30_000 + b"words " * 50), None),
        "nul": (head("<meta name='author' content='A\x00B'>"), "new"),
        "surrogate": (Answer(article("A pair", *WORDS).body.replace(b"A pair", b"A \xed\xa0\x80 pair")), "new"),
        "charset": (Answer(article("Größe", *WORDS).body, content_type="text/html; charset=utf-16"), "new"),
        "no-charset": (Answer(article("Größe", *WORDS).body, content_type="text/html; charset=klingon"), "new"),
        "canonical": (head('<link rel="canonical" href="http://other.example/theirs">'), "new"),
        "front": (head(f'<link rel="canonical" href="{H}/">'), "new"),
        "future": (head('<meta property="article:published_time" content="2199-01-01T00:00:00Z">'), "new"),
        "absurd": (head('<meta property="article:published_time" content="0000-99-99T99:99:99Z">'), "new"),
        "title": (article(TITLE.replace("<", "&lt;"), *WORDS), "new"),
        "header": (Answer(article("Head", *WORDS).body, headers={"X-Robots-Tag": "a," * 8000}), "new"),
        "binary": (Answer(bytes(range(256)) * 100), "not_html"),
        "json": (Answer(b'{"a":' * 5000, content_type="application/json"), "not_html"),
        "status": (Answer(b"", 204), None),
        "teapot": (Answer(b"no", 418), "http_error"),
        "../../../etc/passwd": (Answer(b"no", 404), "crawler_trap"),
    }
    redirects = {name: (Answer(status=302, headers={"Location": to}), refused[name]) for name, to in moved.items()}
    return {**{f"/moved-{name}": value for name, value in redirects.items()}, **{f"/{n}": v for n, v in bodies.items()}}  # type: ignore[return-value]


@pytest.fixture
def site(threats: dict[str, tuple[Answer, str]]) -> Iterator[WebSite]:
    site = WebSite()
    for path, (answer, _) in threats.items():
        site.answers[HOST, path.replace("/../../../", "/")] = answer
    for n in range(3):
        site.answers[HOST, f"/good-{n}"] = article(f"A good story {n}", *WORDS, f"The end of story {n}.")
    yield site
    site.close()


def test_every_threat_has_its_outcome_and_the_crawl_continues(
    installation: Installation, site: WebSite, threats: dict[str, tuple[Answer, str]], tmp_path: Path
) -> None:
    traps = [f"{H}/a/b/a/b/a/b", f"{H}/" + "x" * 2100, f"{H}/" + "/".join("abcdefghijklmnopqr")]
    listed = [f"{H}/good-0", *(H + path for path in threats), f"{H}/good-1", *traps, f"{H}/good-2"]
    urls = "".join(f"<url><loc>{url}</loc></url>" for url in listed)
    xml = (
        f'<!DOCTYPE urlset [<!ENTITY x SYSTEM "file://{tmp_path}/canary"><!ENTITY a "{"a" * 1000}">'
        f'<!ENTITY b "{"&a;" * 1000}"><!ENTITY c "{"&b;" * 1000}">]>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}<url><loc>{H}/&x;&c;</loc></url></urlset>'
    )
    (tmp_path / "canary").write_text(CANARY)
    site.answers[HOST, "/sitemap.xml"] = Answer(xml.encode(), content_type="application/xml")
    site.answers[HOST, "/flood.xml"] = Answer(
        gzip.compress("".join(f"{H}/flood-{n}\n" for n in range(200_000)).encode()), content_type="application/gzip"
    )
    site.answers[HOST, "/children.xml"] = Answer(
        (
            '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
            + "".join(f"<sitemap><loc>{H}/child-{n}.xml</loc></sitemap>" for n in range(5000))
            + f"<sitemap><loc>{H}/children.xml</loc></sitemap></sitemapindex>"
        ).encode(),
        content_type="application/xml",
    )
    (tmp_path / "outlets").mkdir()
    (tmp_path / "outlets" / "hostile.yaml").write_text(
        f"id: hostile\nname: Hostile\nhome: {H}/\ndomains: [{HOST}]\nlanguages: [en]\ntimezone: UTC\nenabled: true\n"
        "politeness: {delay: 0, timeout: 4, max_consecutive_refusals: 100}\n"
        "budgets: {page_size: 1000000, entries: 60, sitemaps: 5, pages: 200}\nurls: {exclude: ['/flood-']}\nendpoints:\n"
        + "".join(
            f"- {{method: sitemap, url: '{H}/{name}.xml', source: a test}}\n"
            for name in ("sitemap", "flood", "children")
        )
    )
    installation.env |= {"PRESSMARK_OUTLETS": str(tmp_path / "outlets"), "PRESSMARK_RESOLVE": site.resolve(HOST)}
    begin = time.monotonic()
    report = installation.crawl("hostile")["crawls"][0]
    assert time.monotonic() - begin < 100, "the crawl took too long"
    assert report["finish_reason"] == "finished" and report["ledger_ok"]

    outcomes = dict(installation.query("SELECT url, outcome FROM ops.candidate"))
    assert all(outcomes.get(H + path) for path in threats), "a threat has no outcome"
    wrong = {
        path: outcomes[H + path]
        for path, (_, expected) in threats.items()
        if expected not in (None, outcomes[H + path])
    }
    assert wrong == {}
    assert [outcomes[url] for url in traps] == ["crawler_trap"] * 3
    assert [outcomes[f"{H}/good-{n}"] for n in range(3)] == ["new"] * 3, "the good articles are kept"
    assert installation.query("SELECT count(*) FROM ops.candidate WHERE outcome IS NULL") == [(0,)]
    assert installation.query("SELECT count(*) FROM ops.candidate WHERE url LIKE '%%flood%%'") == [(60,)], (
        "the entries of a sitemap are limited"
    )
    children = sum("/child-" in request["path"] for request in site.requests)
    assert children <= 5, "the children of a sitemap index are limited"
    unread = installation.query("SELECT stats -> 'sitemaps_unread' FROM ops.crawl")
    assert unread == [(60 - children,)], "the skipped sitemaps are counted"

    rows = {
        url.removeprefix(H): rest
        for url, *rest in installation.query(
            "SELECT url, headline, canonical_url, date_published, date_published_flag FROM mart.article"
        )
    }
    assert rows["/canonical"][1] is None and rows["/front"][1] is None, (
        "canonical links to other domains and to the homepage are ignored"
    )
    assert rows["/future"][2] is None and rows["/future"][3] == "future" and rows["/absurd"][2] is None
    assert rows["/title"][0] == TITLE, "a headline is stored unchanged; escaping is left to the output"
    assert rows["/charset"][0] == rows["/no-charset"][0] == "Größe"
    assert not any(CANARY in str(row) for row in installation.query("SELECT c.*::text FROM ops.candidate c"))
    assert not any(CANARY in str(row) for row in installation.query("SELECT a.*::text FROM mart.article a"))
    hosts = {request["host"] for request in site.requests}
    assert hosts == {HOST}, "another host was requested"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert peak < 1500, f"peak memory: {peak:.0f} MB"
