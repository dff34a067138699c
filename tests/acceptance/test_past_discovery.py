"""Window crawls with each method that lists past articles: they fetch the articles of the window and no page twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pressmark.newsstand.international_sites import ABROAD
from pressmark.newsstand.model import Site
from pressmark.newsstand.server import Newsstand
from pressmark.newsstand.sites import FIRST_FOUR
from tests.acceptance.test_newsstand import check_archive
from tests.conftest import Installation

SITES = {site.host.split(".")[0]: site for site in (*FIRST_FOUR, *ABROAD)}
METHODS = {
    "sitemap": (SITES["tagesblick"], "/sitemap.xml", "Europe/Berlin", date(2026, 3, 5)),
    "wordpress": (SITES["dispatch"], "/wp-json/wp/v2/posts", "UTC", date(2026, 3, 6)),
    "archive": (SITES["lasentinelle"], "/archives/{yyyy}/{mm}/{dd}/", "Europe/Paris", date(2026, 3, 7)),
}


def write_outlet(folder: Path, method: str, site: Site, path: str, zone: str) -> str:
    """Write the file of an outlet with one endpoint. Return the folder."""
    folder.mkdir()
    text = (
        f"id: past\nname: Past\nhome: http://{site.host}/\ndomains: [{site.host}]\nlanguages: [en]\ntimezone: {zone}\n"
        f"enabled: true\npoliteness: {{delay: 0}}\n"
        f"endpoints: [{{method: {method}, url: 'http://{site.host}{path}', source: a test}}]\n"
    )
    if method == "archive":
        text += "urls: {include: ['\\.html$']}\n"
    (folder / "past.yaml").write_text(text)
    return str(folder)


@pytest.mark.parametrize("method", METHODS)
def test_window_of_one_past_day_fetches_exactly_its_articles(
    installation: Installation, newsstand: Newsstand, tmp_path: Path, method: str
) -> None:
    site, path, zone, day = METHODS[method]
    installation.env["PRESSMARK_OUTLETS"] = write_outlet(tmp_path / "outlets", method, site, path, zone)
    expected = {f"http://{site.host}{a.path}" for a in site.articles(1) if a.published.date() == day}
    assert len(expected) == 1
    window = ("--since", day.isoformat(), "--until", day.replace(day=day.day + 1).isoformat())
    planned = installation.run("crawl", "past", *window, "--dry-run", "--json").stdout
    # A UTC day overlaps two days in Paris. Both archive pages are polled, and the dates in the articles decide.
    assert f'"fetch": {2 if method == "archive" else 1},' in planned
    installation.run("crawl", "past", *window, "--json")
    assert {url for (url,) in installation.query("SELECT url FROM mart.article")} == expected
    assert installation.query("SELECT DISTINCT discovered_via FROM core.capture") == [(method,)]
    # A crawl of the whole week fetches the other articles and repeats no request.
    before = len(newsstand.requests())
    installation.run("crawl", "past", "--since", "2026-03-03", "--until", "2026-03-10", "--json")
    week = {
        f"http://{site.host}{a.path}"
        for a in site.articles(1)
        if date(2026, 3, 3) <= a.published.date() < date(2026, 3, 10)
    }
    assert {url for (url,) in installation.query("SELECT url FROM mart.article")} == week and len(week) == 7
    requested = [f"http://{r['host']}{r['path']}" for r in newsstand.requests()[before:]]
    assert not expected & set(requested) and len(requested) == len(set(requested)), "each URL is requested once"
    if method == "archive":
        # The page that the first window fetched and left out is taken from the archive.
        assert installation.query(
            "SELECT count(*) FROM core.capture WHERE observed_at < (SELECT max(started_at) FROM ops.crawl)"
        ) == [(2,)]
    pages = [
        f"{r['host']}{r['path']}" for r in newsstand.requests() if (r["path"] in {a.path for a in site.articles(1)})
    ]
    assert len(pages) == len(set(pages)), "no article page is requested twice"
    check_archive(installation)
    assert installation.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]


def test_incremental_crawl_through_the_wordpress_api(
    installation: Installation, newsstand: Newsstand, tmp_path: Path
) -> None:
    site, path, zone, _ = METHODS["wordpress"]
    installation.env["PRESSMARK_OUTLETS"] = write_outlet(tmp_path / "outlets", "wordpress", site, path, zone)
    assert installation.outcomes("past") == {"new": 10}
    newsstand.advance()
    assert installation.outcomes("past") == {"known_not_due": 9, "revised": 1}
