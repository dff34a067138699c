"""Take the screenshots of the documentation (`make screenshots`): run the demo, then open its Airflow in Chromium.

Requires the packages of the group `browser` and a Chromium: the system's, or `playwright install chromium`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from playwright.sync_api import Page, sync_playwright

from pressmark.airflow.alerts import PAGES
from pressmark.airflow.client import AirflowClient
from pressmark.airflow.service import USER, AirflowService, free_port
from pressmark.cli.service import end_all, wait_until_ready
from pressmark.newsstand.server import running
from pressmark.settings import PROJECT_ROOT, Settings
from pressmark.warehouse.connection import Warehouse, transaction

IMAGES = PROJECT_ROOT / "docs" / "images"
SIZE = (1440, 900)
DAG_ID = "crawl_hourly"


def main() -> None:
    """Take all screenshots."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="pressmark-screenshots-", dir="/var/tmp") as folder,
        running_airflow(Path(folder)) as service,
    ):
        service_url = service.state().url  # type: ignore[union-attr]
        with AirflowClient(service) as airflow, browser_page() as page:
            (run, *_) = [run for run in airflow.runs(DAG_ID) if run.run_type == "manual"]
            (crawl,) = [
                t for t in airflow.tasks(run) if t["task_id"] == "job.crawl" and t["rendered_map_index"] == "tagesblick"
            ]
            link = airflow.links(run, "job.crawl", crawl["map_index"])["Crawls"]
            page.goto(f"{service_url}/auth/login/")
            page.get_by_label("Username").fill(USER)
            page.get_by_label("Password").fill(service.password())
            page.get_by_role("button", name="Sign in").click()
            page.get_by_text("Dags").first.wait_for()  # wait until the redirects of the login have ended
            page.wait_for_timeout(2000)
            for name, path in {
                "grid": f"/dags/{DAG_ID}",
                "outlets": f"/dags/{DAG_ID}/runs/{run.run_id}/tasks/job.crawl/mapped",
                "task": f"/dags/{DAG_ID}/runs/{run.run_id}/tasks/job.crawl/mapped/{crawl['map_index']}",
                "crawls": link,
            }.items():
                page.goto(service_url + path)
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(2000)  # animations
                page.screenshot(path=IMAGES / f"{name}.png")
                print(f"docs/images/{name}.png")
            article = revised_article(service.settings)
            for name, path in {
                "operator-overview": "overview",
                "operator-outlets": "outlets",
                "operator-outlet": "outlet?id=tagesblick",
                "operator-article": f"article?id={article}",
                "operator-backfills": "backfills",
            }.items():
                page.goto(f"{service_url}{PAGES}/{path}")
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(1500)
                page.screenshot(path=IMAGES / f"{name}.png")
                print(f"docs/images/{name}.png")


def revised_article(settings: Settings) -> UUID:
    """Return the article with the most revisions."""
    with contextlib.closing(Warehouse(settings).connect("analyst", "pressmark screenshots")) as connection:
        with transaction(connection) as cursor:
            cursor.execute("SELECT article_uid FROM mart.article ORDER BY revision_count DESC, article_uid LIMIT 1")
            return UUID(str((cursor.fetchone() or (None,))[0]))


@contextlib.contextmanager
def running_airflow(home: Path) -> Iterator[AirflowService]:
    """Run the demo in this folder, then its Airflow."""
    home.chmod(0o755)
    subprocess.run([sys.executable, "-m", "pressmark.cli", "demo", "--home", str(home / "demo")], check=True)
    os.environ["PRESSMARK_HOME"] = str(home / "demo")
    os.environ["PRESSMARK_OUTLETS"] = str(PROJECT_ROOT / "pressmark" / "newsstand" / "outlets")
    settings = Settings.from_env()
    service = AirflowService(settings)
    # The sites stay up: the hour's scheduled run may begin at any time.
    with running(home / "access.log") as newsstand:
        os.environ["PRESSMARK_RESOLVE"] = newsstand.resolve
        command = [sys.executable, "-m", "pressmark.cli", "backfill", "tagesblick", "--since"]
        subprocess.run([*command, "2026-03-01", "--until", "2026-04-01"], check=True)  # one finished backfill
        subprocess.run(
            [*command, "2026-02-01", "--until", "2026-04-01", "--force", "--dry-run"], check=True
        )  # one plan
        try:
            wait_until_ready(service, service.launch(free_port(), die_with_us=True))
            yield service
        finally:
            end_all(settings)


@contextlib.contextmanager
def browser_page() -> Iterator[Page]:
    """Open a page in a headless Chromium, with light colours and 1.5 device pixels per CSS pixel."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser") or None, args=["--no-sandbox"]
        )
        try:
            width, height = SIZE
            yield browser.new_page(
                viewport={"width": width, "height": height}, device_scale_factor=1.5, color_scheme="light"
            )
        finally:
            browser.close()


if __name__ == "__main__":
    main()
