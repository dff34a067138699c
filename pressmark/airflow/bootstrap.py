"""Everything before Airflow's processes start, in one interpreter: `python -m pressmark.airflow.bootstrap`.

Migrates Airflow's metadata, makes the pools that the DAGs name, and takes out metadata and task logs older
than KEEP_DAYS. Airflow itself never removes either, and a task of it can't (it has no way to the metadata).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pressmark.airflow.pools import POOLS
from pressmark.airflow.service import USER

KEEP_DAYS = 30

logger = logging.getLogger(__name__)


def main() -> None:
    """Prepare what the environment's AIRFLOW_* variables point to."""
    from airflow.cli.cli_parser import get_parser
    from airflow.configuration import conf

    before = datetime.now(UTC) - timedelta(days=KEEP_DAYS)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as pools:
        json.dump({name: {**pool, "include_deferred": False} for name, pool in POOLS.items()}, pools)
        pools.flush()
        for command in (
            ["db", "migrate"],
            ["pools", "import", pools.name],
            ["db", "clean", "--clean-before-timestamp", before.isoformat(), "--skip-archive", "--yes"],
        ):
            arguments = get_parser().parse_args(command)
            arguments.func(arguments)
    write_password(os.environ)
    logs, home = Path(conf.get("logging", "base_log_folder")).resolve(), Path(os.environ["AIRFLOW_HOME"]).resolve()
    if logs.is_relative_to(home):  # elsewhere they may be somebody else's too
        logger.info("%d log files of before %s removed", clean_logs(logs, before), before.date())


def write_password(env: Mapping[str, str]) -> None:
    """Where PRESSMARK_ADMIN_PASSWORD is set (by docker-compose.yml), have it in the file of Airflow's logins."""
    password = env.get("PRESSMARK_ADMIN_PASSWORD")
    if password:
        path = Path(env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({USER: password}, file)
        fresh.replace(path)


def clean_logs(folder: Path, before: datetime) -> int:
    """Remove files that were last written before then, and folders that this empties; returns how many files."""
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


if __name__ == "__main__":
    main()
