"""Prepare Airflow before its processes start: `python -m pressmark.airflow.bootstrap`.

Migrates Airflow's metadata, creates the pools of the DAGs, and deletes old metadata and task logs. All steps run in one
interpreter, since importing Airflow is slow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from pressmark.airflow.cleaning import clean
from pressmark.airflow.pools import POOLS
from pressmark.airflow.service import USER


def main() -> None:
    """Prepare the installation that the AIRFLOW_* variables describe."""
    from airflow.cli.cli_parser import get_parser

    arguments = get_parser().parse_args(["db", "migrate"])
    arguments.func(arguments)
    clean()
    create_missing_pools()
    write_password(os.environ)


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


if __name__ == "__main__":
    main()
