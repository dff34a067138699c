"""Each migration is applied to a database with rows in every table of the migration before it."""

from __future__ import annotations

import contextlib
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg2 import sql

from pressmark.errors import ServerError
from pressmark.settings import SQL_ROOT, Settings
from pressmark.warehouse import migrations
from pressmark.warehouse.connection import Warehouse, transaction
from tests.conftest import Installation

FILES = sorted((SQL_ROOT / "migrations").glob("*.sql"))


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = Warehouse(Settings.from_env({"PRESSMARK_HOME": str(tmp_path_factory.mktemp("fresh"))}))
    yield warehouse
    assert warehouse.embedded is not None
    warehouse.embedded.remove()


def fill(warehouse: Warehouse, mark: int) -> None:
    """Insert a row into every table, with invented values by type that satisfy the checks and keys."""
    with contextlib.closing(warehouse.connect_admin()) as connection, transaction(connection) as cursor:
        cursor.execute("SET session_replication_role = replica")  # foreign keys are not tested here
        cursor.execute(
            """
            SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('core', 'ops', 'staging') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND c.relname NOT IN ('outcome', 'migration_checksum', 'mart_version') ORDER BY 2
            """
        )
        for oid, table in cursor.fetchall():
            cursor.execute(
                """
                SELECT a.attname, format_type(a.atttypid, NULL),
                       (SELECT substring(pg_get_constraintdef(k.oid) FROM '''([a-z_]+)''')
                        FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c'
                          AND a.attnum = ANY (k.conkey) AND cardinality(k.conkey) = 1 LIMIT 1)
                FROM pg_attribute a
                WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
                """,
                (oid,),
            )
            columns, values = [], []
            for name, kind, allowed in cursor.fetchall():
                value_by_type = {
                    "uuid": str(uuid.uuid4()), "text": allowed or f"x{mark}", "bytea": f"\\x{mark:04x}", "bigint": mark,
                    "integer": mark, "smallint": 1, "boolean": True, "date": f"2026-01-{mark + 1:02}",
                    "timestamp with time zone": f"2026-01-{mark + 1:02}T00:00Z", "interval": "1 day", "jsonb": "{}",
                    "text[]": "{a}", "bigint[]": "{1}", "integer[]": "{1}", "real": 1.0, "inet": "127.0.0.1", "tsvector": "",
                }  # fmt: skip
                columns.append(name)
                values.append("2026-02-28T00:00Z" if name == "until" and "timestamp" in kind else value_by_type[kind])
            values = [
                mark + 1 if table == "core.copy" and c == "dedup_b" else v for c, v in zip(columns, values, strict=True)
            ]
            if table == "ops.crawl_request":
                values = ["incremental" if c == "mode" else v for c, v in zip(columns, values, strict=True)]
            if table == "core.outcome":
                continue
            column_list = sql.SQL(", ").join(map(sql.Identifier, columns))
            placeholders = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
            try:
                cursor.execute("SAVEPOINT row")
                cursor.execute(
                    sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(_named(table), column_list, placeholders), values
                )
            except Exception as error:
                raise AssertionError(f"{table}: {error}") from error


def _named(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def test_migrations_keep_the_rows_of_every_table(fresh: Warehouse, tmp_path: Path) -> None:
    """Apply the migrations one by one. A migration that loses or rejects existing rows fails."""
    original = migrations.rebuild_mart
    counts: dict[str, int] = {}
    folder = tmp_path / "migrations"
    folder.mkdir()
    try:
        for number, file in enumerate(FILES):
            shutil.copy(file, folder)
            last = number == len(FILES) - 1
            migrations.rebuild_mart = original if last else (lambda cursor: None)  # type: ignore[assignment]
            if last:
                migrations.migrate(fresh, folder)
            else:
                apply_alone(fresh, folder)
            with contextlib.closing(fresh.connect_admin()) as connection, transaction(connection) as cursor:
                for table, count in counts.items():
                    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(_named(table)))
                    (now,) = cursor.fetchone() or (0,)
                    assert now >= count, f"{file.name} lost rows of {table}"
            fill(fresh, number)
            with contextlib.closing(fresh.connect_admin()) as connection, transaction(connection) as cursor:
                cursor.execute(
                    "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('core', 'ops')"
                )
                for (table,) in cursor.fetchall():
                    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(_named(table)))
                    counts[table] = (cursor.fetchone() or (0,))[0]
    finally:
        migrations.rebuild_mart = original  # type: ignore[assignment]
    assert migrations.state(fresh, folder).up_to_date
    backups = fresh.settings.home / "backups"
    assert [file.name for file in backups.iterdir()] == [f"before-{FILES[-1].stem}.dump"]
    assert (backups / f"before-{FILES[-1].stem}.dump").read_bytes().startswith(b"PGDMP")


def apply_alone(warehouse: Warehouse, folder: Path) -> None:
    """Apply the migrations of a folder as an earlier release would have, without the current grants and views."""
    migrations.create_embedded_database(warehouse)
    with migrations._locked(warehouse) as admin:
        migrations.ensure_roles(admin, warehouse)
        with transaction(admin) as cursor:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS migration AUTHORIZATION pressmark_owner")
        pending = migrations._state(admin, folder).pending
        migrations._apply(warehouse, folder)
        with transaction(admin) as cursor:
            cursor.execute("SELECT to_regclass('ops.migration_checksum') IS NOT NULL")
            if (cursor.fetchone() or (False,))[0]:
                names = [path.stem for path in sorted(folder.glob("*.sql"))]
                migrations._record(cursor, folder, sorted({*pending, *names}))


@pytest.mark.long
def test_failure_midway_says_what_is_applied_and_is_continued(fresh: Warehouse, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SQL_ROOT / "migrations", tmp_path / "migrations"))
    last = FILES[-1]
    (folder / last.name).write_text(last.read_text() + "\nSELECT 1 / 0;\n")
    with pytest.raises(ServerError) as failure:
        migrations.migrate(fresh, folder)
    message = str(failure.value)
    assert f"Migration {last.stem} in {folder} failed and was rolled back" in message and "division by zero" in message
    assert f"{FILES[0].stem}, " in message and f"{FILES[-2].stem} was applied before it and stays" in message
    status = migrations.state(fresh, folder)
    assert (status.applied, status.pending) == ([file.stem for file in FILES[:-1]], [last.stem])
    before = migrations.migrate(fresh)
    assert before.pending == [last.stem] and migrations.state(fresh).up_to_date


def test_upgrade_says_that_it_waits_for_another_one(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    with migrations._locked(installation.warehouse):
        waiting = threading.Thread(target=migrations.migrate, args=(installation.warehouse,))
        waiting.start()
        waiting.join(2)
        assert waiting.is_alive() and "Another process is upgrading the database" in caplog.text
    waiting.join(30)
    assert not waiting.is_alive()
