"""`pressmark outlet add` creates an outlet from its homepage, and `outlet check --live` compares it with its file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pressmark.newsstand.server import Newsstand
from tests.conftest import Installation
from tests.site import Answer, WebSite, article, feed

WORDS = "The council met on Tuesday evening to talk about the bridge, the ferry and the money for both of them."


@pytest.fixture
def no_outlets(installation: Installation, newsstand: Newsstand, tmp_path: Path) -> Installation:
    """An installation without outlets, and a running newsstand."""
    installation.env["PRESSMARK_OUTLETS"] = str(tmp_path / "outlets")
    return installation


def add_outlet(installation: Installation, home: str, *options: str) -> tuple[dict[str, object], str]:
    """Add an outlet. Return the fields of its file and the output. Later crawls run without a delay."""
    output = installation.run("outlet", "add", home, "--yes", "--delay", "0", *options).stdout
    (file,) = Path(installation.env["PRESSMARK_OUTLETS"]).glob("*.yaml")
    fields = YAML(typ="safe").load(file.read_text())
    assert fields["politeness"] == {"delay": 5.0}, "the file has the default delay, whatever delay the probe used"
    file.write_text(file.read_text().replace("delay: 5.0", "delay: 0"))
    return fields, output


def list_endpoints(fields: dict[str, object]) -> list[tuple[str, str]]:
    return [(e["method"], e["url"]) for e in fields["endpoints"]]  # type: ignore[attr-defined]


def test_added_wordpress_site_can_be_crawled_immediately(no_outlets: Installation, newsstand: Newsstand) -> None:
    home = "http://dispatch.newsstand.example/"
    begin = time.monotonic()
    fields, output = add_outlet(no_outlets, home)
    assert time.monotonic() - begin < 60
    assert (fields["id"], fields["name"], fields["languages"]) == ("harbour-dispatch", "The Harbour Dispatch", ["en"])
    assert list_endpoints(fields) == [("feed", f"{home}feed/"), ("wordpress", f"{home}wp-json/wp/v2/posts")]
    assert fields["max_age"] == "30d"
    assert fields["enabled"] is False and "time zone is a guess" in fields["disabled_reason"]
    assert "It is not scheduled yet: its time zone is a guess" in output
    assert "a comment feed" in output and "headline 4/4" in output and "robots.txt: allowed" in output
    report = no_outlets.run(
        "crawl", "harbour-dispatch", "--since", "2026-03-03", "--until", "2026-03-05", "--dry-run", "--json"
    )
    assert '"fetch": 2' in report.stdout, "past articles can be fetched"


@pytest.mark.parametrize(
    ("host", "language", "endpoints"),
    [
        ("tagesblick", "de", [("sitemap", "/sitemap.xml")]),
        ("laplaza", "es", [("feed", "/rss.xml")]),
        ("lasentinelle", "fr", [("section", "/")]),
        ("mayak", "ru", [("feed", "/rss")]),  # a common path: the homepage links no feed
    ],
)
def test_endpoints_and_language_are_detected(
    no_outlets: Installation, host: str, language: str, endpoints: list[tuple[str, str]]
) -> None:
    home = f"http://{host}.newsstand.example"
    fields, _ = add_outlet(no_outlets, home, "--id", "found")
    assert list_endpoints(fields) == [(method, home + path) for method, path in endpoints]
    assert fields["languages"] == [language]
    checked = no_outlets.run("outlet", "check", str(Path(no_outlets.env["PRESSMARK_OUTLETS"]) / "found.yaml"))
    assert "1 valid file," in checked.stdout
    (plan,) = json.loads(no_outlets.run("crawl", "found", "--dry-run", "--json").stdout)["plan"]
    assert plan["fetch"] or plan["left_out"].get("too_old"), plan


@pytest.fixture
def site() -> Iterator[WebSite]:
    site = WebSite()
    yield site
    site.close()


def test_outlets_that_cannot_be_added_are_rejected_with_the_reason(no_outlets: Installation, site: WebSite) -> None:
    folder = Path(no_outlets.env["PRESSMARK_OUTLETS"])
    no_outlets.env["PRESSMARK_RESOLVE"] += "," + site.resolve(
        "empty.example", "closed.example", "down.example", "off.example"
    )
    site.answers["empty.example", "/"] = Answer(b"<html><body><p>Nothing here.</p></body></html>")
    site.answers["closed.example", "/robots.txt"] = Answer(b"User-agent: *\nDisallow: /\n", content_type="text/plain")
    site.answers["down.example", "/"] = Answer(b"down", 500)
    site.answers["off.example", "/"] = Answer(
        b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head><body>x</body></html>'
    )
    site.answers["off.example", "/feed"] = feed(*((f"http://elsewhere.example/{n}", "t") for n in range(5)))
    reasons = {
        "empty.example": "no feed, sitemap, WordPress or section page was found",
        "closed.example": "robots.txt disallows it for Pressmark",
        "down.example": "answered 500",
        "off.example": "no feed, sitemap",
        "10.0.0.1": "not a public IP address",
    }
    for host, reason in reasons.items():
        done = no_outlets.run("outlet", "add", f"http://{host}/", "--yes", "--delay", "0", check=False)
        assert done.returncode != 0 and reason in done.stderr, (host, done.stderr)
        assert "Traceback" not in done.stderr
    assert (
        "5 of 5 entries are outside the outlet's domains"
        in no_outlets.run("outlet", "add", "http://off.example/", "--delay", "0", "--json").stdout
    )
    assert not folder.exists() or not list(folder.glob("*.yaml"))
    assert no_outlets.run("outlet", "add", "not a page", check=False).returncode == 2
    done = no_outlets.run("outlet", "add", "http://under_score.example/", "--delay", "0", check=False)
    assert done.returncode != 0 and "cannot be probed" in done.stderr and "Traceback" not in done.stderr


def test_live_check_reports_changed_endpoints(no_outlets: Installation, site: WebSite) -> None:
    host = "changing.example"
    no_outlets.env["PRESSMARK_RESOLVE"] += "," + site.resolve(host)
    head = '<link rel="alternate" type="application/rss+xml" href="/feed">'
    site.answers[host, "/"] = Answer(f'<html lang="en"><head><title>Changing</title>{head}</head></html>'.encode())
    site.answers[host, "/feed"] = feed(*((f"http://{host}/news/story-{n}", f"Story {n}") for n in range(5)))
    for n in range(5):
        site.answers[host, f"/news/story-{n}"] = article(f"Story {n}", *(f"{WORDS} Part {p} of {n}." for p in range(4)))
    fields, _ = add_outlet(no_outlets, f"http://{host}/")
    assert fields["id"] == "changing"
    again = no_outlets.run("outlet", "add", f"http://{host}/", "--delay", "0", check=False)
    assert again.returncode == 2 and "belongs to the outlet changing" in again.stderr
    assert "everything matches its file" in no_outlets.run("outlet", "check", "changing", "--live").stdout
    site.answers[host, "/feed2"] = site.answers[host, "/feed"]
    site.answers[host, "/"] = Answer(site.answers[host, "/"].body.replace(b"/feed", b"/feed2"))  # type: ignore[union-attr]
    del site.answers[host, "/feed"]
    done = no_outlets.run("outlet", "check", "changing", "--live", check=False)
    assert done.returncode == 1
    assert f"feed http://{host}/feed: gone: answered 404" in done.stdout
    assert f"a new feed lists articles that no configured endpoint lists: http://{host}/feed2" in done.stdout
