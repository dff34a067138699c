"""Airflow fixtures: a home for the session, set before any test imports Airflow, and a running Airflow."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pressmark.airflow.client import AirflowClient
from pressmark.airflow.service import AirflowService, free_port
from pressmark.cli.service import end_all, wait_until_ready
from pressmark.newsstand import OUTLETS
from pressmark.newsstand.server import Newsstand, running
from pressmark.settings import PROJECT_ROOT
from tests.conftest import Installation

FIRST_FOUR = ("al-waha", "harbour-dispatch", "la-plaza", "tagesblick")
_HOME = Path(tempfile.mkdtemp(prefix="pressmark-airflow-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ.update(
    AIRFLOW_HOME=str(_HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(PROJECT_ROOT / "dags"),
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
)


@pytest.fixture(scope="session")
def airflow_database() -> None:
    subprocess.run([sys.executable, "-m", "pressmark.airflow.bootstrap"], check=True, capture_output=True)


class RunningAirflow:
    """A running Airflow in its own home, with the newsstand to crawl."""

    def __init__(self, installation: Installation, newsstand: Newsstand, service: AirflowService) -> None:
        self.installation = installation
        self.newsstand = newsstand
        self.service = service


@pytest.fixture(scope="module")
def running_airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAirflow]:
    """An Airflow, started as `pressmark up` starts it."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch, running(home / "access.log") as newsstand:
        outlets = home / "outlets"
        outlets.mkdir()
        for outlet in FIRST_FOUR:  # the hourly outlets; other tiers would start more runs
            shutil.copy(OUTLETS / f"{outlet}.yaml", outlets)
        installation = Installation(home, {"PRESSMARK_OUTLETS": str(outlets), "PRESSMARK_RESOLVE": newsstand.resolve})
        for name in [name for name in os.environ if name.startswith(("AIRFLOW", "PRESSMARK_"))]:
            patch.delenv(name)
        for name, value in installation.environment().items():
            if name.startswith("PRESSMARK_"):
                patch.setenv(name, value)
        # Retry soon, so that a test does not wait.
        patch.setenv("AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY", "2")
        patch.setenv("PRESSMARK_METRICS_TOKEN", "secret-of-the-scraper")
        service = AirflowService(installation.settings)
        try:
            wait_until_ready(service, service.launch(free_port(), die_with_us=True))
            yield RunningAirflow(installation, newsstand, service)
        finally:
            end_all(installation.settings)
            server = installation.warehouse.embedded
            assert server is not None
            server.remove()


@pytest.fixture
def airflow(running_airflow: RunningAirflow) -> Iterator[AirflowClient]:
    """A client logged in to the running Airflow."""
    with AirflowClient(running_airflow.service) as client:
        yield client
