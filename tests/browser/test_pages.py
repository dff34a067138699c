"""Operator pages inside Airflow, in a real Chromium with a running Airflow (`make test-browser`)."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest

from pressmark.airflow.client import AirflowClient
from tests.airflow.conftest import RunningAirflow
from tests.browser.conftest import CHROMIUM, accessibility_problems, frame_of, open_view, set_theme, take_screenshot

pytest.importorskip(
    "playwright.sync_api", reason="the dependency group `browser` is not installed; run `make test-browser`"
)
if CHROMIUM is None:
    pytest.skip("Chromium is not installed; `make test-browser` installs it", allow_module_level=True)
pytestmark = pytest.mark.timeout(600)
XSS = "<img src=x onerror=\"document.title='owned'\">'\"</script><script>document.title='owned'</script>"
ANY = "00000000-0000-0000-0000-000000000000"


def views(crawled: RunningAirflow) -> dict[str, str]:
    """Return the address of each page by its name."""
    ((uid,),) = crawled.installation.query(
        "SELECT article_uid FROM mart.article WHERE outlet = 'tagesblick' ORDER BY url LIMIT 1"
    )
    with AirflowClient(crawled.service) as airflow:
        run = airflow.runs("crawl_hourly")[0].run_id.replace("+", "%2B")
    return {
        "overview": "overview", "outlets": "outlets", "outlet": "outlet?id=tagesblick", "article": f"article?id={uid}",
        "backfills": "backfills", "reextractions": "reextractions",
        "crawls": f"crawls?dag_id=crawl_hourly&run_id={run}",
    }  # fmt: skip


def test_every_route_requires_a_login(crawled: RunningAirflow) -> None:
    state = crawled.service.state()
    assert state is not None
    from pressmark.airflow.plugin import app

    routes = [(method, route.path.replace("{name}", "operator.js")) for route in app.routes for method in route.methods]
    assert len(routes) >= 16
    for method, route in routes:
        answer = httpx.request(
            method, f"{state.url}/pressmark{route}", params={"id": ANY, "dag_id": "a", "run_id": "b"},
            json={"outlet": "tagesblick", "reason": "x", "reference": "x"} if method == "POST" else None,
        )  # fmt: skip
        assert answer.status_code == 401, (method, route)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 800])
def test_each_page_is_readable_and_accessible(tab: Any, crawled: RunningAirflow, theme: str, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    set_theme(tab, theme)
    try:
        for name, view in views(crawled).items():
            frame = open_view(tab, view)
            assert frame.evaluate("document.documentElement.dataset.theme") == theme, name
            back = frame.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (back == "rgb(255, 255, 255)") is (theme == "light"), (name, back)
            inner, outer = frame.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert inner <= outer, f"{name} is {inner} pixels wide at {outer}: only its tables may scroll"
            take_screenshot(tab, f"{name}-{theme}-{width}")
            assert accessibility_problems(frame) == [], name
            assert "�" not in frame.content() and "None" not in frame.inner_text("main"), name
    finally:
        tab.set_viewport_size({"width": 1440, "height": 900})
        set_theme(tab, "light")


def test_pages_follow_a_change_of_the_theme(tab: Any) -> None:
    frame = open_view(tab, "overview")
    assert frame.evaluate("document.documentElement.dataset.theme") == "light"
    tab.evaluate("document.documentElement.classList.add('dark')")
    frame.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    tab.evaluate("document.documentElement.classList.remove('dark')")


def test_pages_request_nothing_from_other_servers(tab: Any, crawled: RunningAirflow) -> None:
    state = crawled.service.state()
    assert state is not None
    requested: list[str] = []
    tab.on("request", lambda request: requested.append(request.url))
    for view in views(crawled).values():
        open_view(tab, view)
        tab.wait_for_timeout(300)
    others = [url for url in requested if not url.startswith((state.url, "data:", "about:", "blob:"))]
    assert requested and others == []


def test_every_link_leads_somewhere(tab: Any, crawled: RunningAirflow) -> None:
    """Click every link of every page inside Airflow's frame: links into Airflow change its address, others the frame."""
    tried = set()
    for name, view in views(crawled).items():
        frame = open_view(tab, view)
        links = frame.evaluate(
            "[...document.querySelectorAll('a')].filter(a => a.offsetParent).map(a => [a.getAttribute('href'), "
            "a.dataset.airflow !== undefined])"
        )
        assert links, name
        for href, is_airflow in links:
            # One link of each kind is enough: those to other outlets differ only in their ids.
            kind = re.sub(r"[0-9a-f-]{36}|=[^&]*|scheduled__[^/]*|/\d+$", "", href)
            if (name, kind) in tried or "archived?" in href or href.startswith("#"):
                continue
            tried.add((name, kind))
            frame = open_view(tab, view)
            frame.locator(f"a[href={href!r}]:visible").first.click()
            if is_airflow:
                tab.wait_for_function("!location.pathname.startsWith('/plugin')")
                tab.wait_for_timeout(300)
                assert "/dags/" in tab.url and "404" not in tab.title(), (name, href)
            else:
                target = href.partition("?")[0] or view.partition("?")[0]
                deadline = time.monotonic() + 30
                while frame_of(tab, target) is None:
                    assert time.monotonic() < deadline, (name, href, [f.url for f in tab.frames])
                    tab.wait_for_timeout(100)
    assert {kind for _, kind in tried if "/dags/" in kind}, "there are links to runs and logs"


def test_log_of_a_crawl_opens_inside_airflow(tab: Any) -> None:
    frame = open_view(tab, "outlets?q=tagesblick")
    frame.get_by_role("link", name="log", exact=True).click()
    tab.get_by_text("crawl succeeded").first.wait_for()


def test_filters_and_order_of_outlets_are_in_the_address(tab: Any) -> None:
    frame = open_view(tab, "outlets")
    assert frame.locator("tbody tr").count() == 4 and "4 outlets: " in frame.inner_text("h1")
    frame.locator("input[name=q]").fill("tages")
    frame.get_by_role("button", name="Filter").click()
    tab.wait_for_function("location.search.includes('q=tages')")
    shared = tab.url
    assert "/plugin/pressmark/pressmark/outlets?" in shared
    tab.goto("about:blank")
    tab.goto(shared)
    tab.wait_for_timeout(1500)
    frame = frame_of(tab, "outlets")
    assert frame.locator("tbody tr").count() == 1 and "Tagesblick" in frame.inner_text("tbody")
    frame = open_view(tab, "outlets?sort=-week")
    weeks = [int(text) for text in frame.locator("tbody tr td:nth-child(6)").all_inner_texts()]
    assert weeks == sorted(weeks, reverse=True) and sum(weeks) == 40
    frame = open_view(tab, "outlets?state=failing")
    assert "No outlet matches" in frame.inner_text("tbody")


def test_times_follow_the_time_zone_of_airflow(tab: Any) -> None:
    frame = open_view(tab, "outlet?id=tagesblick")
    shown = frame.locator("time[data-style=full]").first
    assert shown.inner_text().endswith("UTC")
    tab.evaluate("localStorage.setItem('timezone', JSON.stringify('Asia/Kolkata'))")
    try:
        frame = open_view(tab, "outlet?id=tagesblick")
        assert "GMT+5:30" in frame.locator("time[data-style=full]").first.inner_text()
    finally:
        tab.evaluate("localStorage.setItem('timezone', JSON.stringify('UTC'))")


def test_article_is_shown_beside_its_archived_page(tab: Any, crawled: RunningAirflow) -> None:
    frame = open_view(tab, views(crawled)["article"])
    assert frame.locator(".body p").count() > 2 and "archive file" in frame.inner_text("main")
    tab.wait_for_timeout(1500)
    archived = frame_of(tab, "archived")
    headline = frame.inner_text("h1")
    assert headline in archived.inner_text("body")
    assert "new" in frame.locator("h2:text-is('Ledger') + div").inner_text()


def test_days_of_the_calendar_are_chosen_by_clicks_and_by_dragging(tab: Any) -> None:
    frame = open_view(tab, "outlet?id=tagesblick")

    def chosen() -> tuple[str, str]:
        return frame.locator("#gap input[name=since]").input_value(), frame.locator(
            "#gap input[name=until]"
        ).input_value()

    days = [frame.locator(f".days button[data-day='2026-03-{day:02}']") for day in (4, 9, 12)]
    days[1].click()
    assert chosen() == ("2026-03-09", "2026-03-10")
    days[0].click()
    assert chosen() == ("2026-03-04", "2026-03-10") and frame.locator(".days .chosen").count() == 6
    days[0].hover()
    tab.mouse.down()
    days[2].hover()
    tab.mouse.up()
    assert chosen() == ("2026-03-04", "2026-03-13")
    days[1].click()
    assert chosen() == ("2026-03-09", "2026-03-10"), "a drag ends the choice before it"


def test_dry_run_and_backfill_are_started_on_the_page(tab: Any, crawled: RunningAirflow) -> None:
    frame = open_view(tab, "outlet?id=tagesblick")
    assert frame.locator(".days button").count() > 10
    frame.locator("#gap input[name=since]").fill("2026-03-01")
    frame.locator("#gap input[name=until]").fill("2026-04-01")
    frame.get_by_role("button", name="Plan the backfill").click()
    frame.locator(".token", has_text="tagesblick").wait_for()
    assert frame.locator("input[name=dry_run]").is_checked()
    frame.locator("input[name=search]").fill("plaz")
    frame.get_by_role("button", name=re.compile("la-plaza")).click()
    frame.get_by_role("button", name="Remove la-plaza").click()
    frame.get_by_role("button", name="Start", exact=True).click()
    frame.locator("#backfill-list section", has_text="dry run").wait_for(timeout=240_000)
    section = frame.locator("#backfill-list section").first
    cells = section.locator("tbody td").all_inner_texts()
    assert cells[0] == "tagesblick" and cells[1] == cells[2] and int(cells[1]) > 5 and cells[3] == "0", cells
    assert "by admin (Airflow)" in section.inner_text(), "the person who asked is shown"
    section.get_by_text("Days").click()
    assert section.locator("details tbody tr").count() == int(cells[1]), "the days of the plan"
    take_screenshot(tab, "backfill-dry-run")
    section.get_by_role("button", name="Start this backfill").click()
    frame.locator("#backfill-list section .state.good").first.wait_for(timeout=240_000)
    done = frame.locator("#backfill-list section").first.inner_text()
    assert "done" in done and "1 of 1 chunk" in done
    with AirflowClient(crawled.service) as airflow:
        deadline = time.monotonic() + 60
        while not all(run.has_ended for run in airflow.runs("backfill")):
            assert time.monotonic() < deadline, "a backfill did not end"
            time.sleep(0.5)
        assert {run.state for run in airflow.runs("backfill")} == {"success"}


def test_outlet_is_paused_resumed_and_crawled_with_buttons(tab: Any, crawled: RunningAirflow) -> None:
    frame = open_view(tab, "outlet?id=la-plaza")
    frame.get_by_role("button", name="Pause …").click()
    frame.locator("#ask-pause input[name=reason]").fill("the publisher asked")
    frame.locator("#ask-pause").get_by_role("button", name="Pause", exact=True).click()
    frame.get_by_text("paused by admin: the publisher asked").wait_for()
    assert frame.get_by_role("button", name="Crawl now").is_disabled()
    frame = open_view(tab, "outlets?q=plaza")
    assert "paused by admin: the publisher asked" in frame.inner_text("tbody").replace("\n", " ")
    frame = open_view(tab, "outlet?id=la-plaza")
    frame.get_by_role("button", name="Resume").click()
    frame.locator("button:not([disabled])", has_text="Crawl now").click()
    frame.locator(".message a").wait_for()
    with AirflowClient(crawled.service) as airflow:
        deadline = time.monotonic() + 240
        while not all(run.has_ended for run in airflow.runs("crawl_hourly")):
            assert time.monotonic() < deadline, "the crawl did not end"
            time.sleep(0.5)
    ((by, outlets),) = crawled.installation.query(
        "SELECT requested_by, array_agg(outlet) FROM ops.crawl_request WHERE requested_by LIKE 'admin%' "
        "AND dag_id = 'crawl_hourly' GROUP BY 1"
    )
    assert (by, outlets) == ("admin (Airflow)", ["la-plaza"])


def test_outlet_is_checked_live_on_its_page(tab: Any) -> None:
    frame = open_view(tab, "outlet?id=tagesblick")
    assert "Next scheduled crawl" in frame.inner_text("main")
    frame.get_by_role("button", name="Check live").click()
    frame.locator(".checked", has_text="robots.txt: allowed").wait_for(timeout=150_000)
    assert "Traceback" not in frame.locator(".checked").inner_text()


def test_metrics_are_readable_with_the_token_or_the_login(tab: Any, crawled: RunningAirflow) -> None:
    text = tab.request.get("/pressmark/metrics").text()
    assert 'pressmark_outlets{state="fresh"} 4' in text
    assert 'pressmark_articles{outlet="tagesblick"} 10' in text and "pressmark_disk_free_bytes{} " in text
    state = crawled.service.state()
    assert state is not None
    for token, status in (("wrong", 401), ("secret-of-the-scraper", 200)):
        answer = httpx.get(f"{state.url}/pressmark/metrics", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, token


def test_html_in_outlet_content_is_escaped(tab: Any, crawled: RunningAirflow) -> None:
    crawled.installation.query(
        "UPDATE core.extraction SET headline = %s, authors = ARRAY[%s], description = %s", (XSS, XSS, XSS)
    )
    crawled.installation.query("UPDATE core.article SET url = url || %s WHERE outlet = 'tagesblick'", ("#" + XSS,))
    crawled.installation.query("UPDATE ops.health SET reason = %s", (XSS,))
    for name, view in views(crawled).items():
        frame = open_view(tab, view)
        tab.wait_for_timeout(300)
        assert frame.evaluate("document.title") != "owned" and frame.locator("img").count() == 0, name
    frame = open_view(tab, views(crawled)["article"])
    assert XSS in frame.inner_text("h1")


@pytest.mark.parametrize("path", ["outlet?id=nowhere", f"article?id={ANY}", f"reextraction?id={ANY}"])
def test_unknown_outlet_or_article_returns_404(tab: Any, path: str) -> None:
    assert tab.request.get(f"/pressmark/{path}").status == 404
