"""Upgrading the views of `mart` keeps what analysts have built on them."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg2.extensions import cursor as Cursor

from pressmark.errors import ServerError
from pressmark.settings import SQL_ROOT
from pressmark.warehouse.mart import rebuild_mart
from tests.conftest import Installation

OWN = """
CREATE SCHEMA team;
CREATE VIEW team.long_articles AS SELECT outlet, url, word_count FROM mart.article WHERE word_count > 1000;
CREATE VIEW team.names AS SELECT outlet FROM team.long_articles;
CREATE VIEW team.days AS SELECT * FROM mart.daily_volume;
GRANT USAGE ON SCHEMA team TO PUBLIC;
"""


@pytest.fixture
def owner(installation: Installation) -> Iterator[Cursor]:
    """A cursor of the owner. Everything is rolled back at the end."""
    with contextlib.closing(installation.warehouse.connect_admin()) as admin, admin.cursor() as cursor:
        cursor.execute("SET ROLE pressmark_owner")
        rebuild_mart(cursor)  # a database that was restored from a dump has the same views in other words
        cursor.execute("RESET ROLE")
        cursor.execute(OWN)
        cursor.execute("SET ROLE pressmark_owner")
        yield cursor
        admin.rollback()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SQL_ROOT / "mart", tmp_path / "mart"))


def change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def columns(cursor: Cursor, view: str) -> list[str]:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (view,)
    )
    return [name for (name,) in cursor.fetchall()]


def definitions(cursor: Cursor) -> list[tuple[str, ...]]:
    """Everything about the schema that an analyst can see."""
    cursor.execute(
        """
        SELECT c.oid::regclass::text, pg_get_viewdef(c.oid), c.relacl::text, obj_description(c.oid, 'pg_class'),
               (SELECT string_agg(col_description(c.oid, attnum), '|' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)
        FROM pg_class c WHERE c.relnamespace = 'mart'::regnamespace AND c.relkind = 'v'
        UNION ALL
        SELECT p.oid::regprocedure::text, p.prosrc, p.proacl::text, obj_description(p.oid, 'pg_proc'), p.probin
        FROM pg_proc p WHERE p.pronamespace = 'mart'::regnamespace ORDER BY 1
        """
    )
    return cursor.fetchall()


def test_upgrade_without_changes_leaves_all_as_it_was(owner: Cursor) -> None:
    before = definitions(owner)
    assert len(before) > 40
    rebuild_mart(owner)
    assert definitions(owner) == before
    assert columns(owner, "team.names") == ["outlet"]


def test_column_at_the_end_is_added_in_place(owner: Cursor, folder: Path) -> None:
    change(
        folder,
        "30_crawl.sql",
        "enabled, first_known_at, updated_at\n",
        "enabled, first_known_at, updated_at, 1 AS one\n",
    )
    owner.execute("SELECT 'mart.outlet'::regclass::oid")
    before = owner.fetchone()
    rebuild_mart(owner, folder)
    owner.execute("SELECT 'mart.outlet'::regclass::oid")
    assert owner.fetchone() == before and columns(owner, "mart.outlet")[-1] == "one"


def test_changed_columns_that_nobody_else_uses_are_replaced(owner: Cursor, folder: Path) -> None:
    before = {row[0]: row for row in definitions(owner)}
    change(
        folder, "90_health.sql", "CREATE VIEW mart.alert AS\nSELECT ", "CREATE VIEW mart.alert AS\nSELECT 1 AS one, "
    )
    (folder / "55_coverage.sql").write_text(
        (folder / "55_coverage.sql").read_text() + "CREATE VIEW mart.fresh AS SELECT 1 AS x;\n"
    )
    rebuild_mart(owner, folder)
    assert columns(owner, "mart.alert")[0] == "one" and columns(owner, "mart.fresh") == ["x"]
    rebuild_mart(owner)
    assert {row[0]: row for row in definitions(owner)} == before, (
        "dropped views are created again, new ones are removed"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            r"(CREATE VIEW mart\.article AS\nSELECT)\s",
            r"\1 1 AS one, ",
            "mart.article changes in this version, but others have built on it: view team.long_articles, view team.names",
        ),
        (
            r"mart\.daily_volume\b",
            "mart.renamed",
            "mart.daily_volume changes in this version, but others have built on it: view team.days",
        ),
    ],
)
def test_view_that_somebody_needs_is_not_dropped(owner: Cursor, folder: Path, old: str, new: str, message: str) -> None:
    before = definitions(owner)
    for path in folder.glob("*.sql"):
        path.write_text(re.sub(old, new, path.read_text()))
    owner.execute("SAVEPOINT upgrade")
    with pytest.raises(ServerError) as error:
        rebuild_mart(owner, folder)
    assert message in str(error.value) and "pressmark db migrate" in str(error.value)
    owner.execute("ROLLBACK TO SAVEPOINT upgrade")
    assert definitions(owner) == before and columns(owner, "team.names") == ["outlet"]
    owner.execute("RESET ROLE")
    owner.execute("DROP SCHEMA team CASCADE")
    owner.execute("SET ROLE pressmark_owner")
    rebuild_mart(owner, folder)
    assert definitions(owner) != before
