"""Delete Airflow's metadata and task logs older than KEEP_DAYS: `python -m pressmark.airflow.cleaning [--daily]`.

Airflow never deletes them, and a task cannot, because it has no access to the metadata.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pressmark.text import plural

KEEP_DAYS = 30
_DAY = 86400.0  # seconds

logger = logging.getLogger(__name__)


def clean() -> None:
    """Delete what is older than KEEP_DAYS, in the installation that the AIRFLOW_* variables describe."""
    from airflow.cli.cli_parser import get_parser
    from airflow.configuration import conf

    before = datetime.now(UTC) - timedelta(days=KEEP_DAYS)
    command = ["db", "clean", "--clean-before-timestamp", before.isoformat(), "--skip-archive", "--yes"]
    arguments = get_parser().parse_args(command)
    arguments.func(arguments)
    logs, home = Path(conf.get("logging", "base_log_folder")).resolve(), Path(os.environ["AIRFLOW_HOME"]).resolve()
    if logs.is_relative_to(home):  # a folder elsewhere may be shared with other programs
        logger.info("Deleted %s from before %s", plural(clean_logs(logs, before), "log file"), before.date())


def clean_logs(folder: Path, before: datetime) -> int:
    """Delete files last written before a time, and folders that become empty. Return the number of files."""
    removed = 0
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            path = Path(parent, name)
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < before.timestamp():
                    path.unlink()
                    removed += 1
        if Path(parent) != folder:
            with contextlib.suppress(OSError):  # not empty
                Path(parent).rmdir()
    return removed


def main() -> None:
    """Clean once, or every day."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daily", action="store_true", help="Wait a day, clean, and repeat. For a container.")
    options = parser.parse_args()
    while options.daily:
        time.sleep(_DAY)
        try:
            clean()
        except Exception:
            logger.exception("Cleaning failed. It is tried again tomorrow.")
    clean()


if __name__ == "__main__":
    main()
