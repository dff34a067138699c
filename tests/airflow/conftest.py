"""An Airflow home of the session, migrated once, before Airflow is imported by any test."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pressmark.settings import PROJECT_ROOT

_HOME = Path(tempfile.mkdtemp(prefix="pressmark-airflow-"))
os.environ.update(
    AIRFLOW_HOME=str(_HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(PROJECT_ROOT / "dags"),
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
)


@pytest.fixture(scope="session")
def airflow_database() -> None:

    subprocess.run([sys.executable, "-m", "pressmark.airflow.prepare"], check=True, capture_output=True)
