"""`pressmark backfill`: dry run, execution, repetition and resumption."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pressmark.crawl.backfill_plan import months
from pressmark.newsstand.server import Newsstand
from tests.conftest import Installation
from tests.site import Answer, WebSite

RANGE = ("--since", "2026-03-01", "--until", "2026-04-01")


def count_page_requests(newsstand: Newsstand) -> int:
    """Return how many article pages of tagesblick were requested."""
    return len([r for r in newsstand.requests() if r["host"].startswith("tagesblick") and r["path"].endswith(".html")])


def test_backfill_fetches_the_planned_articles_and_no_page_twice(
    installation: Installation, newsstand: Newsstand
) -> None:
    dry = json.loads(installation.run("backfill", "tagesblick", *RANGE, "--dry-run", "--json").stdout)
    plan = dry["plan"]["tagesblick"]
    assert plan["known"] == 0 and plan["discoverable"] == plan["missing"] == 10 and plan["requests"] >= 10
    assert sum(day.get("missing", 0) for day in plan["days"].values()) == 10 and "?" not in plan["days"]
    assert installation.query("SELECT count(*) FROM mart.article") == [(0,)] and count_page_requests(newsstand) == 0
    assert installation.query("SELECT state, chunks FROM mart.backfill") == [("dry_run", 0)]
    done = json.loads(installation.run("backfill", "tagesblick", *RANGE, "--json").stdout)
    assert done["state"] == "done" and done["outlets"]["tagesblick"]["articles_after"] == 10
    assert done["outlets"]["tagesblick"]["outcomes"]["new"] == 10
    requested = count_page_requests(newsstand)
    again = json.loads(installation.run("backfill", "tagesblick", *RANGE, "--json").stdout)
    assert again["backfill_id"] != done["backfill_id"] and [c["state"] for c in again["chunks"]] == ["covered"]
    assert count_page_requests(newsstand) == requested, "no page is fetched twice"
    assert "tagesblick" in installation.run("backfill", "--list").stdout
    assert installation.query("SELECT kind FROM mart.data_discontinuity WHERE outlet = 'tagesblick'") == [("backfill",)]


def test_backfill_stopped_by_its_budget_is_resumed(installation: Installation, newsstand: Newsstand) -> None:
    first = installation.run("backfill", "tagesblick", *RANGE, "--max-pages", "4", "--json", check=False)
    report = json.loads(first.stdout)
    assert first.returncode == 1 and report["state"] == "unfinished" and "Run the same command again" in first.stderr
    assert report["outlets"]["tagesblick"]["articles_after"] == 4
    assert "6 pages left" in report["outlets"]["tagesblick"]["problems"][0]
    second = json.loads(
        installation.run("backfill", "tagesblick", *RANGE, "--max-pages", "100", "--json", check=False).stdout
    )
    assert second["backfill_id"] == report["backfill_id"] and second["resumed"]
    assert second["outlets"]["tagesblick"]["articles_after"] >= 8, (
        "the resumed backfill keeps its original budget of four pages"
    )
    ((attempts,),) = installation.query("SELECT attempts FROM ops.backfill_chunk")
    assert attempts == 2
    assert installation.query("SELECT count(*) FROM mart.crawl WHERE NOT ledger_ok") == [(0,)]


def test_dry_run_reports_sitemaps_it_did_not_read(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve("budgets: {sitemaps: 2}", endpoints=(("sitemap", "/index.xml"),))
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    maps = "".join(f"<sitemap><loc>http://test.example/{n}.xml</loc></sitemap>" for n in range(4))
    site.answers["test.example", "/index.xml"] = Answer(
        f"<sitemapindex {space}>{maps}</sitemapindex>".encode(), content_type="application/xml"
    )
    for n in range(4):
        listed = f"<url><loc>http://test.example/story-{n}</loc><lastmod>2026-03-1{n}T10:00:00Z</lastmod></url>"
        site.answers["test.example", f"/{n}.xml"] = Answer(
            f"<urlset {space}>{listed}</urlset>".encode(), content_type="application/xml"
        )
    plan = json.loads(installation.run("backfill", "test", *RANGE, "--dry-run", "--json").stdout)["plan"]["test"]
    assert plan["listing_requests"] == 3 and plan["discoverable"] == 1, "robots.txt, the index and one of four sitemaps"
    assert plan["note"].startswith("3 of its sitemaps were not read (budgets.sitemaps is 2)")
    assert "3 of its sitemaps" in installation.run("backfill", "test", *RANGE, "--dry-run").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tagesblick", "--since", "2026-04-01", "--until", "2026-03-01"], "is not before the end"),
        (["tagesblick", "--since", "1990-01-01", "--until", "2026-01-01"], "too many"),
        (["tagesblick", "--since", "2090-01-01", "--until", "2091-01-01"], "in the future"),
        (["tagesblick", *RANGE, "--methods", "feed"], "cannot list past articles"),
        (["la-sentinelle", *RANGE], "no endpoint of the file reaches the past"),
        (["nowhere", *RANGE], "No outlet 'nowhere'"),
        (["tagesblick"], "--since is missing"),
        ([*RANGE], "at least one outlet"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_request(
    installation: Installation, newsstand: Newsstand, arguments: list[str], message: str
) -> None:
    done = installation.run("backfill", *arguments, check=False)
    assert done.returncode == 2 and message in done.stderr
    assert newsstand.requests() == []


def test_months_split_the_backfill_window() -> None:
    since, until = datetime(2025, 12, 15, tzinfo=UTC), datetime(2026, 2, 3, 6, tzinfo=UTC)
    assert [(s.isoformat()[:10], u.isoformat()[:10]) for s, u in months(since, until)] == [
        ("2025-12-15", "2026-01-01"), ("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-02-03"),
    ]  # fmt: skip
    assert months(since, until)[-1][1] == until
