"""Migrations, roles, comments and columns of the warehouse schema, and the named SQL statements."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

import psycopg2
import pytest

from pressmark.errors import ServerError
from pressmark.settings import SQL_ROOT
from pressmark.warehouse.connection import transaction
from pressmark.warehouse.migrations import migrate, state
from pressmark.warehouse.queries import queries
from tests.conftest import Installation


def test_every_schema_table_column_and_function_has_a_comment(installation: Installation) -> None:
    without_comment = installation.query(
        """
        SELECT c.oid::regclass::text, a.attname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT c.relispartition
        WHERE n.nspname IN ('core', 'ops', 'staging', 'mart') AND c.relkind IN ('r', 'v', 'm', 'p')
          AND (obj_description(c.oid, 'pg_class') IS NULL
               OR (a.attnum IS NOT NULL AND col_description(c.oid, a.attnum) IS NULL))
        UNION ALL
        SELECT p.oid::regprocedure::text, NULL FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('core', 'ops', 'staging', 'mart') AND obj_description(p.oid, 'pg_proc') IS NULL
        UNION ALL
        SELECT nspname, NULL FROM pg_namespace
        WHERE nspname IN ('core', 'ops', 'staging', 'mart') AND obj_description(oid, 'pg_namespace') IS NULL
        """
    )
    assert without_comment == []


def test_article_view_has_its_documented_columns(installation: Installation) -> None:
    columns = {
        name
        for (name,) in installation.query(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'mart' AND table_name = 'article'"
        )
    }
    documented = """article_uid outlet url canonical_url headline description authors date_published date_published_raw
        date_published_source date_published_precision date_published_offset date_modified in_language article_section
        keywords article_body word_count char_count main_image is_accessible_for_free copy_cluster first_seen_at
        last_seen_at gone_at revision_count discovered_via captured_by observed_at recorded_at http_status archive_file
        archive_offset archive_length extractor text_hash changed_at"""
    assert set(documented.split()) <= columns


def test_migrating_again_changes_nothing_and_edited_migrations_are_refused(
    installation: Installation, tmp_path: Path
) -> None:
    assert migrate(installation.warehouse).up_to_date
    edited = tmp_path / "migrations"
    shutil.copytree(SQL_ROOT / "migrations", edited)
    file = edited / "0003.ops.sql"
    file.write_text(file.read_text() + "\n-- an afterthought\n")
    assert state(installation.warehouse, edited).edited == ["0003.ops"]
    with pytest.raises(ServerError, match=r"0003\.ops"):
        migrate(installation.warehouse, edited)


def test_database_of_another_version_is_refused_with_the_way_out(installation: Installation, tmp_path: Path) -> None:
    older = tmp_path / "migrations"
    shutil.copytree(SQL_ROOT / "migrations", older)
    (older / "0004.staging.sql").unlink()
    with pytest.raises(ServerError, match=r"0004\.staging is not in .*rebuild --from-archive"):
        migrate(installation.warehouse, older)


def test_views_of_a_newer_version_are_left_alone(installation: Installation) -> None:
    with contextlib.closing(installation.warehouse.connect_admin()) as admin, transaction(admin) as cursor:
        cursor.execute("UPDATE ops.mart_version SET sha256 = '\\x00', code_version = '99.1.0'")
    try:
        with pytest.raises(ServerError, match=r"created by Pressmark 99\.1\.0, and this is version"):
            migrate(installation.warehouse)
    finally:
        with contextlib.closing(installation.warehouse.connect_admin()) as admin, transaction(admin) as cursor:
            cursor.execute("UPDATE ops.mart_version SET code_version = '0.0.9'")
    assert not migrate(installation.warehouse).mart_current, "views of an older version are replaced"
    assert state(installation.warehouse).up_to_date


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("analyst", "SELECT 1 FROM core.article"),
        ("analyst", "SELECT 1 FROM mart.comment"),
        ("analyst", "SET default_transaction_read_only = off; COMMIT; CREATE TABLE mart.mine (i int)"),
        ("comments", "SELECT 1 FROM core.comment"),
        ("loader", "DELETE FROM core.capture"),
        ("loader", "TRUNCATE staging.capture"),
        ("loader", "DELETE FROM ops.candidate"),
    ],
)
def test_role_is_denied_what_it_does_not_need(installation: Installation, role: str, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        installation.query(statement, role=role)


def test_analyst_queries_have_a_timeout(installation: Installation) -> None:
    assert installation.query("SHOW statement_timeout", role="analyst") == [("5min",)]


def test_no_table_is_unlogged(installation: Installation) -> None:
    assert installation.query("SELECT relname FROM pg_class WHERE relpersistence = 'u'") == []


@pytest.mark.parametrize("area", sorted(path.stem for path in (SQL_ROOT / "queries").glob("*.sql")))
def test_every_named_statement_is_valid_sql(installation: Installation, area: str) -> None:
    """Prepare each named statement on a real server. Other tests run the statements with VALUES lists."""
    connection = installation.warehouse.connect_admin()
    problems: dict[str, str] = {}
    with contextlib.closing(connection):
        for name, statement in queries(area).items():
            if "VALUES %s" in statement or statement.lstrip("- \n").startswith(("GRANT", "REVOKE")) or area == "roles":
                continue
            parameters = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
            text = re.sub(
                r"%\((\w+)\)s", lambda match, names=parameters: f"${names.index(match[1]) + 1}", statement
            ).replace("%%", "%")
            with connection.cursor() as cursor:
                try:
                    cursor.execute(f"PREPARE checked AS {text.rstrip().rstrip(';')}")
                    cursor.execute("DEALLOCATE checked")
                except psycopg2.Error as error:
                    problems[name] = str(error)
                finally:
                    connection.rollback()
    assert problems == {}
