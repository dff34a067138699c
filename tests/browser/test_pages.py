"""Operator pages inside Airflow, in a real Chromium with a running Airflow (`make test-browser`)."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

playwright = pytest.importorskip(
    "playwright.sync_api", reason="the dependency group `browser` is not installed; run `make test-browser`"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("Chromium is not installed; `make test-browser` installs it", allow_module_level=True)

from pressmark.airflow.client import AirflowClient  # noqa: E402
from pressmark.airflow.service import USER  # noqa: E402
from tests.airflow.conftest import RunningAirflow, running_airflow  # noqa: E402, F401

pytestmark = pytest.mark.timeout(600)
PICTURES = os.environ.get("PRESSMARK_PICTURES")
XSS = "<img src=x onerror=\"document.title='owned'\">'\"</script><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def crawled(running_airflow: RunningAirflow) -> RunningAirflow:  # noqa: F811
    """An Airflow whose first scheduled crawl run has ended."""
    with AirflowClient(running_airflow.service) as airflow:
        deadline = time.monotonic() + 300
        while not [run for run in airflow.runs("crawl_hourly") if run.state == "success"]:
            assert time.monotonic() < deadline, "the first run did not end"
            time.sleep(0.5)
    return running_airflow


@pytest.fixture(scope="module")
def page(crawled: RunningAirflow) -> Iterator[Any]:
    """A browser page that is logged in."""
    state = crawled.service.state()
    assert state is not None
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        tab = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light", base_url=state.url)
        tab.set_default_timeout(60_000)
        tab.goto("/auth/login/")
        tab.get_by_label("Username").fill(USER)
        tab.get_by_label("Password").fill(crawled.service.password())
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_function("!location.pathname.startsWith('/auth')")
        tab.get_by_text("Dags").first.wait_for()  # wait until the redirects of the login have ended
        tab.wait_for_timeout(2000)
        yield tab
        browser.close()


def take_screenshot(page: Any, name: str) -> None:
    """Save a screenshot for the documentation if PRESSMARK_PICTURES names a folder."""
    if PICTURES:
        page.wait_for_timeout(1500)
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_every_route_requires_a_login(crawled: RunningAirflow) -> None:
    state = crawled.service.state()
    assert state is not None
    from pressmark.airflow.plugin import app

    routes = [route.path.replace("{name}", "operator.js") for route in app.routes]
    assert len(routes) >= 7
    for route in routes:
        answer = httpx.get(
            f"{state.url}/pressmark{route}",
            params={"id": "00000000-0000-0000-0000-000000000000", "dag_id": "a", "run_id": "b"},
        )
        assert answer.status_code == 401, route


def test_outlets_page_filters_outlets_and_links_to_crawl_logs(page: Any) -> None:
    page.goto("/pressmark/outlets")
    assert page.locator("tbody tr").count() == 4 and "4 outlets" in page.inner_text("h1")
    page.locator("[data-spark] canvas").first.wait_for()
    take_screenshot(page, "operator-outlets")
    page.locator("#filter").fill("tagesblick")
    assert page.locator("tbody tr:visible").count() == 1
    page.locator("tbody tr:visible a", has_text="log").click()
    page.get_by_text("crawl succeeded").first.wait_for()


def test_outlets_page_opens_inside_airflow(page: Any) -> None:
    page.goto("/plugin/pressmark")
    frame = page.frame_locator("iframe")
    frame.get_by_text("4 outlets").wait_for()
    take_screenshot(page, "operator-in-airflow")


def test_outlet_page_and_article_page_show_their_content(page: Any, crawled: RunningAirflow) -> None:
    page.goto("/pressmark/outlets")
    page.get_by_role("link", name="Tagesblick").click()
    assert page.locator(".days i").count() > 10 and "Endpoints" in page.content()
    page.locator("[data-chart] canvas").first.wait_for()
    take_screenshot(page, "operator-outlet")
    page.locator("table a[href^=article]").first.click()
    assert page.locator(".body p").count() > 2 and "archive_file" in page.inner_text("dl")
    take_screenshot(page, "operator-article")


def test_dry_run_backfill_can_be_started_with_the_form(page: Any, crawled: RunningAirflow) -> None:
    page.goto("/pressmark/backfills")
    page.locator("input[name=outlets]").fill("tagesblick")
    page.locator("input[name=since]").fill("2026-03-01")
    page.locator("input[name=until]").fill("2026-04-01")
    assert page.locator("input[name=dry_run]").is_checked()
    page.get_by_role("button", name="Trigger the backfill DAG").click()
    page.locator("#told a").wait_for()
    with AirflowClient(crawled.service) as airflow:
        deadline = time.monotonic() + 240
        while not (runs := [run for run in airflow.runs("backfill") if run.has_ended]):
            assert time.monotonic() < deadline, "the backfill did not end"
            time.sleep(0.5)
    assert runs[0].state == "success"
    page.reload()
    assert "dry run" in page.content()
    cells = page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells[0] == "tagesblick" and cells[1] == cells[2] and int(cells[1]) > 5 and cells[3] == "0", cells
    assert cells[5].endswith(" s"), "the estimated time is in a unit that fits"
    take_screenshot(page, "operator-backfills")
    note = "3 of its sitemaps were not read"
    crawled.installation.query(
        "UPDATE ops.backfill SET plan = jsonb_set(plan, '{tagesblick,note}', to_jsonb(%s::text))", (note,)
    )
    page.reload()
    assert page.locator("tbody tr").first.locator("td").last.inner_text() == note
    page.goto("/pressmark/outlet?id=tagesblick")
    texts = page.locator("h2:text-is('Texts by week') + div tbody tr").first.inner_text().split()
    assert int(texts[1]) > 0 and 0.5 < float(texts[2]) <= 1
    rights = page.locator("dl").last.inner_text()
    assert "robots checked at" in rights and "+00:00" not in rights


def test_html_in_outlet_content_is_escaped(page: Any, crawled: RunningAirflow) -> None:
    crawled.installation.query(
        "UPDATE core.extraction SET headline = %s, authors = ARRAY[%s], description = %s", (XSS, XSS, XSS)
    )
    crawled.installation.query("UPDATE core.article SET url = url || %s WHERE outlet = 'tagesblick'", ("#" + XSS,))
    ((uid,),) = crawled.installation.query("SELECT article_uid FROM core.article WHERE outlet = 'tagesblick' LIMIT 1")
    for path in ("outlets", "outlet?id=tagesblick", f"article?id={uid}", "backfills"):
        page.goto(f"/pressmark/{path}")
        page.wait_for_timeout(500)
        assert page.title() != "owned" and page.locator("img").count() == 0, path
    page.goto(f"/pressmark/article?id={uid}")
    assert XSS in page.inner_text("h1")


@pytest.mark.parametrize("path", ["outlet?id=nowhere", "article?id=00000000-0000-0000-0000-000000000000"])
def test_unknown_outlet_or_article_returns_404(page: Any, path: str) -> None:
    assert page.goto(f"/pressmark/{path}").status == 404
