"""`pressmark export`: file formats, optional full text, escaped formulas and resumed exports."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pressmark.newsstand.server import Newsstand
from tests.conftest import Installation
from tests.site import PROSE, WebSite, article, feed

H = "http://test.example"


@pytest.fixture
def two_outlets(installation: Installation, newsstand: Newsstand) -> Installation:
    """An installation that has crawled two outlets."""
    installation.crawl("harbour-dispatch", "shiomi-shimpo")
    return installation


def test_parquet_opens_in_duckdb_pandas_and_polars(two_outlets: Installation, tmp_path: Path) -> None:
    import duckdb
    import pandas as pd
    import polars as pl

    target = tmp_path / "articles.parquet"
    output = two_outlets.run("export", "mart.article", "--to", str(target)).stdout
    assert "26 rows" in output and "--with-text" in output
    rows = duckdb.sql(
        f"SELECT outlet, count(*), min(date_published), max(word_count) FROM '{target}' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [row[:2] for row in rows] == [("harbour-dispatch", 10), ("shiomi-shimpo", 16)]
    assert rows[0][2].tzinfo is not None and rows[0][3] > 50
    frame = pd.read_parquet(target)
    assert len(frame) == 26 and str(frame["date_published"].dtype).endswith("UTC]") and "article_body" not in frame
    assert isinstance(list(frame["authors"].iloc[0]), list)
    lazy = pl.read_parquet(target)
    assert lazy.height == 26 and lazy["authors"].dtype == pl.List(pl.String)
    manifest = json.loads((tmp_path / "articles.parquet.manifest.json").read_text())
    assert manifest["rows"] == 26 and manifest["with_text"] is False and manifest["files"][0]["sha256"]
    assert {row["outlet"] for row in manifest["coverage"]} == {"harbour-dispatch", "shiomi-shimpo"}
    assert manifest["rights"]
    ((exported_by, query, row_count, with_text, finished),) = two_outlets.query(
        "SELECT exported_by, query, row_count, with_text, finished_at IS NOT NULL FROM ops.export"
    )
    assert exported_by and query == "TABLE mart.article" and row_count == 26 and with_text is False and finished


def test_full_text_is_exported_only_with_the_option(two_outlets: Installation, tmp_path: Path) -> None:
    target = tmp_path / "texts.jsonl"
    two_outlets.run("export", "mart.article", "--to", str(target), "--with-text")
    rows = [json.loads(text) for text in target.read_text().splitlines()]
    assert len(rows) == 26 and all(row["article_body"] for row in rows)
    assert two_outlets.query("SELECT with_text FROM ops.export") == [(True,)]


def test_daily_export_resumes_and_writes_only_missing_files(two_outlets: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "days"
    arguments = ("export", "mart.article", "--to", str(folder), "--by-day", "date_published_day", "--json")
    first = json.loads(two_outlets.run(*arguments).stdout)
    assert first["rows"] == 26 and first["skipped"] == 0 and first["files"] > 3
    deleted = sorted(folder.rglob("part-*.parquet"))[0]
    deleted.unlink()
    again = json.loads(two_outlets.run(*arguments).stdout)
    assert again["files"] == 1 and again["skipped"] == first["files"] - 1 and deleted.exists()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["rows"] == 26 and len(manifest["files"]) == first["files"]
    import duckdb

    hive = duckdb.sql(f"SELECT count(*) FROM read_parquet('{folder}/*/*.parquet', hive_partitioning = true)").fetchall()
    assert hive == [(26,)]
    assert not list(folder.rglob("*.part"))


def test_export_of_a_snapshot_contains_its_articles_only(
    two_outlets: Installation, newsstand: Newsstand, tmp_path: Path
) -> None:
    two_outlets.run("snapshot", "then")
    two_outlets.crawl("meridian-wire")
    target = tmp_path / "then.csv"
    two_outlets.run("export", "mart.article", "--snapshot", "then", "--to", str(target))
    with target.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 26
    manifest = json.loads((tmp_path / "then.csv.manifest.json").read_text())
    assert manifest["state"]["snapshot"] == "then" and manifest["state"]["content_hash"].startswith("sha256:")


def test_spreadsheet_formulas_are_escaped_in_csv(
    installation: Installation, serve: Callable[..., WebSite], tmp_path: Path
) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/one", "t"))
    site.answers["test.example", "/one"] = article("=HYPERLINK(1) is a headline", *PROSE)
    installation.crawl("test")
    target = tmp_path / "a.csv"
    installation.run(
        "export", "SELECT headline, -1 AS n, '@x' AS at, E'a\\nb' AS two FROM mart.article", "--to", str(target)
    )
    with target.open(newline="") as file:
        (row,) = list(csv.DictReader(file))
    assert row == {"headline": "'=HYPERLINK(1) is a headline", "n": "-1", "at": "'@x", "two": "a\nb"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("mart.nothing", "does not exist"),
        ("core.article", "permission denied"),
        ("SELECT 1/0", "division by zero"),
        ("DELETE FROM mart.article", "neither a view"),
        ("SELECT 1; DROP TABLE x", "query failed"),
        ("", "neither a view"),
    ],
)
def test_invalid_sources_are_rejected_and_leave_no_file(
    installation: Installation, tmp_path: Path, source: str, message: str
) -> None:
    done = installation.run("export", source, "--to", str(tmp_path / "x.csv"), check=False)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert not (tmp_path / "x.csv").exists()


def test_export_by_day_needs_an_existing_column(installation: Installation, tmp_path: Path) -> None:
    done = installation.run("export", "mart.outlet", "--to", str(tmp_path / "x"), "--by-day", "day", check=False)
    assert done.returncode == 2 and "Its columns: outlet" in done.stderr
