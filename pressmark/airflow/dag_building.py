"""Helpers shared by DAG files: outlet names for forms, and the final task of a run. Light to import."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from airflow.sdk import task

_FOLDER = Path(os.environ.get("PRESSMARK_OUTLETS") or Path(__file__).resolve().parents[2] / "outlets")


def outlet_file_names() -> list[str]:
    """Return the ids of the outlets, taken from the names of their files. Only tasks open the files."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


@task(execution_timeout=timedelta(minutes=5))
def complete() -> None:
    """Succeed only if all tasks before this one succeeded.

    Airflow takes the state of a run from its last tasks, and the tasks before this one run even after a failure.
    """
