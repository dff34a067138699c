"""Prepare Airflow before its processes start: `python -m pressmark.airflow.bootstrap`.

Migrates Airflow's metadata, creates the pools of the DAGs, and deletes metadata and task logs older than KEEP_DAYS.
Airflow never deletes them, and a task cannot, because it has no access to the metadata. All steps run in one
interpreter, since importing Airflow is slow.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pressmark.airflow.pools import POOLS
from pressmark.airflow.service import USER
from pressmark.text import plural

KEEP_DAYS = 30

logger = logging.getLogger(__name__)


def main() -> None:
    """Prepare the installation that the AIRFLOW_* variables describe."""
    from airflow.cli.cli_parser import get_parser
    from airflow.configuration import conf

    before = datetime.now(UTC) - timedelta(days=KEEP_DAYS)
    for command in (
        ["db", "migrate"],
        ["db", "clean", "--clean-before-timestamp", before.isoformat(), "--skip-archive", "--yes"],
    ):
        arguments = get_parser().parse_args(command)
        arguments.func(arguments)
    create_missing_pools()
    write_password(os.environ)
    logs, home = Path(conf.get("logging", "base_log_folder")).resolve(), Path(os.environ["AIRFLOW_HOME"]).resolve()
    if logs.is_relative_to(home):  # a folder elsewhere may be shared with other programs
        logger.info("Deleted %s from before %s", plural(clean_logs(logs, before), "log file"), before.date())


def create_missing_pools() -> None:
    """Create the pools of the DAGs. Those that exist keep the number of slots that the operator has set."""
    from airflow.models.pool import Pool

    existing = {pool.pool for pool in Pool.get_pools()}
    for name, pool in POOLS.items():
        if name not in existing:
            Pool.create_or_update_pool(name, pool["slots"], pool["description"], include_deferred=False)


def write_password(env: Mapping[str, str]) -> None:
    """Write PRESSMARK_ADMIN_PASSWORD, if set, to Airflow's password file. docker-compose.yml sets it."""
    password = env.get("PRESSMARK_ADMIN_PASSWORD")
    if password:
        path = Path(env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({USER: password}, file)
        fresh.replace(path)


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


if __name__ == "__main__":
    main()
