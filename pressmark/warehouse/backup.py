"""Backup and restore with PostgreSQL's client programs, bundled or from PATH."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from pressmark.errors import ConfigError, ServerError
from pressmark.warehouse.connection import DATABASE, Warehouse, transaction
from pressmark.warehouse.embedded import SUPERUSER, wheel_binaries
from pressmark.warehouse.migrations import create_embedded_database
from pressmark.warehouse.roles import ensure_roles

DEBIAN_CLIENTS = Path("/usr/lib/postgresql")  # one folder per major version


def run_client(warehouse: Warehouse, program: str, *arguments: str, database_option: bool = False) -> None:
    """Run pg_dump or pg_restore against the warehouse as administrator.

    database_option: pass the connection as --dbname. Raises ServerError with the program's error output.
    """
    with contextlib.closing(warehouse.connect_admin()) as admin:
        path = find_client(program, admin.server_version // 10000)
    server = warehouse.embedded
    parameters = parse_dsn(server.dsn(SUPERUSER, DATABASE)) if server else warehouse.parameters
    password = parameters.pop("password", None)  # command line arguments are visible to all users of the machine
    target = make_dsn(**parameters)
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [path, *arguments, f"--dbname={target}" if database_option else target],
        env=os.environ | ({"PGPASSWORD": password} if password else {}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise ServerError(f"{program} failed: {done.stderr.strip()[-1000:]}")


def find_client(program: str, server: int) -> str:
    """Return the path of a client program for a server of this major version.

    The client of the server's version is preferred, then the newest one that is not older, because pg_dump refuses
    newer servers. Searches the wheel, PATH and Debian's /usr/lib/postgresql. Raises ConfigError if all of them are
    older.
    """
    versions: dict[int, str] = {}
    folders = [*os.get_exec_path(), *map(str, DEBIAN_CLIENTS.glob("*/bin")), str(wheel_binaries())]
    for path in filter(os.path.exists, (os.path.join(folder, program) for folder in folders)):
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        if version := re.search(r"\b(\d+)", done.stdout):
            versions[int(version[1])] = path
    suitable = [version for version in versions if version >= server]
    if not suitable:
        found = ", ".join(map(str, sorted(versions))) or "none"
        raise ConfigError(
            f"{program} of PostgreSQL {server} or newer is needed (found: {found}). Install the package "
            f"postgresql-client-{server}."
        )
    return versions[server if server in versions else max(suitable)]


def write_backup(warehouse: Warehouse, file: Path) -> None:
    """Write a backup of the database. The file appears when it is complete."""
    part = file.with_name(file.name + ".part")
    try:
        run_client(warehouse, "pg_dump", "--format=custom", f"--file={part}")
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


def create_database(warehouse: Warehouse) -> None:
    """Create the database and the roles that a backup refers to. Idempotent."""
    if warehouse.embedded:
        create_embedded_database(warehouse)
    with contextlib.closing(warehouse.connect_admin()) as admin:
        ensure_roles(admin, warehouse)


def is_empty(warehouse: Warehouse) -> bool:
    """Return whether the database contains no warehouse."""
    with contextlib.closing(warehouse.connect_admin()) as admin, transaction(admin) as cursor:
        cursor.execute("SELECT to_regnamespace('core') IS NULL AND to_regnamespace('ops') IS NULL")
        return bool((cursor.fetchone() or (False,))[0])
