"""Monthly partitions: created by need, and an existing warehouse is moved into them while it is used."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from psycopg2 import sql

from pressmark.errors import ServerError
from pressmark.settings import SQL_ROOT
from pressmark.warehouse import migrations, partitions
from pressmark.warehouse.connection import transaction
from tests.conftest import Installation
from tests.integration.test_migrations import apply_alone
from tests.site import PROSE, WebSite, article, feed

H = "http://test.example"
UNPARTITIONED = [f"{number:04}" for number in range(1, 8)]
ROWS = """
INSERT INTO core.search_document
SELECT md5(n::text)::uuid, 1, 'test', 'en', date '2026-08-20' - n * 4, '\\x00'::bytea, to_tsvector('simple', 'word' || n)
FROM generate_series(1, 60) n UNION ALL SELECT md5('old')::uuid, 1, 'test', 'en', '1996-02-03', '\\x00', 'old';
INSERT INTO core.lsh_band
SELECT date_trunc('month', date '2026-08-20' - n * 4)::date, n * band, n
FROM generate_series(1, 60) n, generate_series(1, 3) band;
"""


def partition_names(installation: Installation, parent: str) -> set[str]:
    rows = installation.query("SELECT partition FROM core.month_partition WHERE parent = %s", (parent,))
    return {name for (name,) in rows}


def drop_partition(installation: Installation, name: str) -> None:
    with contextlib.closing(installation.warehouse.connect_admin()) as admin, transaction(admin) as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("core", name)))


def dated(title: str, day: str, *paragraphs: str) -> object:
    return article(title, *paragraphs, *PROSE, head=f'<meta property="article:published_time" content="{day}">')


def test_load_creates_the_partitions_it_needs(installation: Installation, serve: Callable[..., WebSite]) -> None:
    for parent in ("search_document", "lsh_band"):
        for month in ("2009_05", "2010_06", "before_2000"):
            drop_partition(installation, f"{parent}_{month}")
    site = serve()
    site.answers["test.example", "/feed"] = feed(*((f"{H}/{name}", "t") for name in ("may", "nineties", "undated")))
    long = [
        f"In year {number} nothing of note was built in the harbour, as far as the archive shows."
        for number in range(9)
    ]
    site.answers["test.example", "/may"] = dated("Heron seen in May", "2009-05-31T23:30:00Z", *long)
    site.answers["test.example", "/nineties"] = dated("Heron seen long ago", "1996-02-03T10:00:00Z", *reversed(long))
    site.answers["test.example", "/undated"] = article("Heron seen some day", *PROSE)
    installation.crawl("test")
    assert {"search_document_2009_05", "search_document_before_2000"} <= partition_names(
        installation, "search_document"
    )
    assert {"lsh_band_2009_05", "lsh_band_before_2000"} <= partition_names(installation, "lsh_band")

    def search(since: str | None, until: str | None) -> set[str]:
        rows = installation.query(
            "SELECT headline FROM mart.search('heron', from_day => %s, to_day => %s)", (since, until), role="analyst"
        )
        return {headline for (headline,) in rows}

    today = date.today().isoformat()
    assert search(None, None) == {"Heron seen in May", "Heron seen long ago", "Heron seen some day"}
    assert search("2009-05-31", "2009-05-31") == {"Heron seen in May"}
    assert search(None, "1999-12-31") == {"Heron seen long ago"}
    assert search("2010-01-01", None) == {"Heron seen some day"}, f"the day of its first capture counts: {today}"
    # A corrected date moves the document to another partition.
    site.answers["test.example", "/may"] = dated("Heron seen in May", "2010-06-01T08:00:00Z", *long, "Corrected.")
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    installation.crawl("test")
    assert search("2009-05-01", "2010-05-31") == set() and search("2010-06-01", "2010-06-01") == {"Heron seen in May"}
    ((documents, articles),) = installation.query(
        "SELECT count(*), count(DISTINCT article_uid) FROM core.search_document"
    )
    assert (documents, articles) == (3, 3)


def test_two_transactions_that_need_a_month_create_one_partition(installation: Installation) -> None:
    drop_partition(installation, "lsh_band_2011_03")
    both = threading.Barrier(2)
    created = []

    def ensure() -> None:
        connection = installation.warehouse.connect("loader")
        with contextlib.closing(connection), transaction(connection) as cursor:
            both.wait(10)
            cursor.execute("SELECT core.ensure_month_partitions('lsh_band', '{2011-03-09,2011-03-30}')")
            created.append(cursor.fetchone()[0])  # type: ignore[index]

    threads = [threading.Thread(target=ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(created) == [0, 1]


def test_partitions_are_created_ahead(installation: Installation) -> None:
    with contextlib.closing(installation.warehouse.connect("maintainer")) as connection:
        partitions.create_ahead(connection)
        assert partitions.create_ahead(connection) == 0
    ((ahead,),) = installation.query(
        "SELECT count(*) FROM core.month_partition WHERE since > now() AND since < now() + interval '100 days'"
    )
    assert ahead >= 4


@pytest.fixture
def unpartitioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A warehouse as the version before partitions left it, upgraded to this one."""
    home = tmp_path_factory.mktemp("unpartitioned")
    installation = Installation(home)
    folder = home / "migrations"
    folder.mkdir()
    for file in (SQL_ROOT / "migrations").glob("*.sql"):
        if file.name[:4] in UNPARTITIONED:
            shutil.copy(file, folder)
    warehouse = installation.warehouse
    apply_alone(warehouse, folder)
    with contextlib.closing(warehouse.connect_admin()) as admin, transaction(admin) as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(ROWS)
    migrations.migrate(warehouse)
    yield installation
    assert warehouse.embedded is not None
    warehouse.embedded.remove()


def content(installation: Installation) -> list[list[tuple[object, ...]]]:
    return [
        installation.query("SELECT *, tokens::text FROM core.search_document ORDER BY article_uid"),
        installation.query("SELECT * FROM core.lsh_band ORDER BY dedup_id, band_hash"),
    ]


@pytest.mark.long
def test_existing_warehouse_is_split_into_months_in_steps(
    unpartitioned: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(unpartitioned)
    assert [len(rows) for rows in before] == [61, 180]
    assert "search_document_unsplit" in partition_names(unpartitioned, "search_document")
    ((created,),) = unpartitioned.query(
        "SELECT core.ensure_month_partitions('search_document', '{2026-03-01,1990-01-01,2026-08-31}')"
    )
    assert created == 0, "the partition for all months covers these"

    class Killed(Exception):
        pass

    def kill(table: str) -> None:
        raise Killed(table)

    connection = unpartitioned.warehouse.connect("maintainer")
    with contextlib.closing(connection):
        with pytest.raises(Killed, match="search_document"):
            partitions.split(connection, on_month=kill)
        assert "search_document_2026_08" in partition_names(unpartitioned, "search_document")
        assert content(unpartitioned) == before
        # A query that goes on for long keeps the step from ending, not other queries from running.
        monkeypatch.setattr(partitions, "_PATIENCE", "100ms")
        monkeypatch.setattr(partitions, "_ATTEMPTS", 2)
        reader = unpartitioned.warehouse.connect("maintainer")
        with contextlib.closing(reader):
            reader.cursor().execute("SELECT count(*) FROM core.search_document")
            with pytest.raises(ServerError, match=r"core\.search_document was not split into months: other queries"):
                partitions.split(connection)
        assert content(unpartitioned) == before
    done = unpartitioned.run("db", "migrate")
    assert "no migration was pending" in done.stdout
    assert content(unpartitioned) == before
    for parent in ("search_document", "lsh_band"):
        assert not any("unsplit" in name for name in partition_names(unpartitioned, parent))
    assert "search_document_before_2000" in partition_names(unpartitioned, "search_document")
    # Each partition has the indexes of a new one.
    indexes = dict(
        unpartitioned.query(
            "SELECT p.partition, array_agg(DISTINCT regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '') "
            "ORDER BY regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '')) "
            "FROM core.month_partition p JOIN pg_index i ON i.indrelid = ('core.' || p.partition)::regclass GROUP BY 1"
        )
    )
    assert indexes["search_document_2026_05"] == indexes["search_document_2026_12"]
    assert len(indexes["search_document_2026_05"]) == 4
    assert indexes["lsh_band_2026_05"] == indexes["lsh_band_2026_12"] == ["btree (band_hash, dedup_id)"]
