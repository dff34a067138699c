"""A Chromium that is logged in to a running Airflow, and helpers to look at a page as an operator does: in its frame."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pressmark.airflow.client import AirflowClient
from pressmark.airflow.service import USER
from tests.airflow.conftest import RunningAirflow, running_airflow  # noqa: F401

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARTEFACTS = Path(os.environ.get("PRESSMARK_PICTURES") or Path(__file__).parent / "screenshots")
"""Folder of the screenshots that the tests take."""
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
# Rules about the page as a whole belong to Airflow's own page around the frame.
_AXE_OPTIONS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


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
def tab(crawled: RunningAirflow) -> Iterator[Any]:
    """A browser tab that is logged in to Airflow."""
    from playwright.sync_api import sync_playwright

    state = crawled.service.state()
    assert state is not None
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        # The operating system's scheme is the other one, so that a page which follows it is noticed.
        tab = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark", base_url=state.url)
        tab.set_default_timeout(60_000)
        tab.goto("/auth/login/")
        tab.get_by_label("Username").fill(USER)
        tab.get_by_label("Password").fill(crawled.service.password())
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_function("!location.pathname.startsWith('/auth')")
        tab.get_by_text("Dags").first.wait_for()  # wait until the redirects of the login have ended
        tab.wait_for_timeout(2000)
        set_theme(tab, "light")
        yield tab
        browser.close()


def set_theme(tab: Any, theme: str) -> None:
    """Choose Airflow's theme, as its menu does."""
    tab.evaluate(f"localStorage.setItem('theme', '{theme}')")


def open_view(tab: Any, view: str) -> Any:
    """Open a view of Pressmark inside Airflow. Return the frame."""
    tab.goto("about:blank")
    tab.goto(f"/plugin/pressmark/pressmark/{view}")
    path = view.partition("?")[0]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        frame = frame_of(tab, path)
        if frame is not None and frame.query_selector("main"):
            frame.wait_for_load_state("load")
            return frame
        tab.wait_for_timeout(100)
    raise AssertionError(f"{view} did not open; the frames are {[f.url for f in tab.frames]}")


def frame_of(tab: Any, page: str) -> Any:
    """Return the frame that shows a page of Pressmark, or None."""
    return next((frame for frame in tab.frames if urlsplit(frame.url).path == f"/pressmark/{page}"), None)


def accessibility_problems(frame: Any) -> list[str]:
    """Return what axe finds on a page, one line per element."""
    frame.evaluate(AXE)
    result = frame.evaluate(f"axe.run(document, {_AXE_OPTIONS!r})")
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def take_screenshot(tab: Any, name: str) -> None:
    """Save a screenshot among the artefacts."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=str(ARTEFACTS / f"{name}.png"))
