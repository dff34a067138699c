"""Run an Airflow command that ends when its supervisor does.

Usage: `python -m pressmark.airflow.airflow_process SUPERVISOR_PID COMMAND...`.
"""

from __future__ import annotations

import os
import sys

from pressmark.extraction.parent_death import die_with_parent

if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execv(sys.executable, [sys.executable, "-m", "airflow", *sys.argv[2:]])  # noqa: S606 - no untrusted input
