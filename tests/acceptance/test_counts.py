"""Exact numbers of articles, and attention over time. Every test of a crawl checks the numbers at its end."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import psycopg2
import pytest

from pressmark.newsstand.server import Newsstand
from pressmark.settings import SQL_ROOT
from tests.acceptance.test_newsstand import OUTLETS
from tests.conftest import Installation

ALL = {"since": date(2000, 1, 1), "until": date(2100, 1, 1)}
ATTENTION = "SELECT period, matches, articles, share FROM mart.attention(%(query)s, %(since)s, %(until)s"


def attention(installation: Installation, query: str, more: str = "", **values: Any) -> list[tuple[Any, ...]]:
    return installation.query(f"{ATTENTION}{more})", {"query": query, **ALL, **values}, role="analyst")


@pytest.fixture
def crawled(installation: Installation, newsstand: Newsstand) -> Installation:
    installation.crawl(*OUTLETS, "meridian-wire", "odd-lot")
    return installation


def test_counts_and_attention_agree_with_the_articles(crawled: Installation) -> None:
    by_hand = crawled.query(
        "SELECT outlet, (COALESCE(date_published, first_seen_at) AT TIME ZONE 'UTC')::date, date_published_day, "
        "in_language, count(*), sum(word_count) FROM mart.article GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        role="analyst",
    )
    assert len(by_hand) > 10
    assert by_hand == crawled.query(
        "SELECT outlet, published_on, date_published_day, in_language, articles, words FROM mart.article_count "
        "ORDER BY 1, 2, 3, 4",
        role="analyst",
    )
    total = sum(row[4] for row in by_hand)
    days = crawled.query("SELECT min(published_on), max(published_on) FROM mart.article_count")[0]
    span = {"since": days[0], "until": date.fromordinal(days[1].toordinal() + 1)}
    daily = attention(crawled, "harbour", **span)
    assert [row[0].toordinal() for row in daily] == list(range(days[0].toordinal(), days[1].toordinal() + 1))
    assert sum(row[2] for row in daily) == total
    hits = crawled.query("SELECT count(*) FROM mart.search('harbour', most => 1000)", role="analyst")[0][0]
    assert 0 < sum(row[1] for row in daily) == hits < total
    for _, matches, articles, share in daily:
        assert share == (matches / articles if articles else None)
    for by, first_day in (("week", lambda day: day.isoweekday() == 1), ("month", lambda day: day.day == 1)):
        rows = attention(crawled, "harbour", f", by => '{by}'", **span)
        assert all(first_day(row[0]) for row in rows) and len(rows) < len(daily)
        assert (sum(row[1] for row in rows), sum(row[2] for row in rows)) == (hits, total)
    one = attention(crawled, "harbour", ", outlets => ARRAY['harbour-dispatch']", **span)
    assert sum(row[2] for row in one) == sum(row[4] for row in by_hand if row[0] == "harbour-dispatch") > 0
    assert sum(row[2] for row in attention(crawled, "harbour", ", language => 'de'", **span)) == sum(
        row[4] for row in by_hand if (row[3] or "").split("-")[0] == "de"
    )


def test_copies_are_counted_once_if_wanted(crawled: Installation) -> None:
    total, originals = crawled.query(
        "SELECT (SELECT count(*) FROM mart.article), (SELECT count(*) FROM mart.article_deduplicated)", role="analyst"
    )[0]
    assert originals < total, "the newsstand has copies"
    rows = attention(crawled, "the or der or la", ", by => 'month', copies_once => true")
    assert sum(row[2] for row in rows) == originals
    everything = attention(crawled, "the or der or la", ", by => 'month'")
    assert sum(row[1] for row in rows) < sum(row[1] for row in everything)
    assert all(once[1] <= once[2] and once[1] <= all_[1] for once, all_ in zip(rows, everything, strict=True))


@pytest.mark.parametrize(
    ("query", "more", "values", "message"),
    [
        ("sea", ", by => 'year'", {}, "by is 'year': write day, week or month"),
        ("sea", "", {"since": date(2026, 1, 2), "until": date(2026, 1, 2)}, "since must be before until"),
        ("sea", "", {"since": None}, "since is NULL"),
        ("!?", "", {}, "contains no word"),
        ("", "", {}, "contains no word"),
    ],
)
def test_impossible_questions_are_answered_with_what_is_wrong(
    installation: Installation, query: str, more: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(psycopg2.Error, match=message):
        attention(installation, query, more, **values)


def test_maintenance_corrects_wrong_counts(crawled: Installation) -> None:
    right = crawled.query("SELECT * FROM mart.article_count ORDER BY 1, 2, 3, 4")
    crawled.query("UPDATE core.article_count SET articles = articles + 7 WHERE outlet = 'harbour-dispatch'")
    crawled.query("DELETE FROM core.article_count WHERE outlet = 'al-waha'")
    crawled.query("INSERT INTO core.article_count VALUES ('x', '2026-01-01', '2026-01-01', '', 1, 1)")
    wrong = crawled.query("SELECT count(*) FROM core.article_count WHERE outlet IN ('harbour-dispatch', 'x')")[0][0]
    wrong += sum(row[0] == "al-waha" for row in right)
    assert f'"counts of articles corrected": {wrong}' in crawled.run("maintain", "--json").stdout
    assert crawled.query("SELECT * FROM mart.article_count ORDER BY 1, 2, 3, 4") == right


def test_migration_fills_what_loads_derive(crawled: Installation) -> None:
    columns = "SELECT article_uid, date_published, date_published_day, in_language, word_count, copy_cluster FROM core.article"
    derived = crawled.query(f"{columns} ORDER BY 1")
    assert sum(row[5] is not None for row in derived) > 1
    text = (SQL_ROOT / "migrations" / "0007.growth.sql").read_text()
    updates = re.findall(r"^UPDATE core\.article SET\s.*?;$", text, re.MULTILINE | re.DOTALL)
    assert len(updates) == 2
    crawled.query(
        "UPDATE core.article SET date_published = NULL, date_published_day = NULL, in_language = NULL, "
        "word_count = NULL, copy_cluster = NULL"
    )
    for update in updates:
        crawled.query(update)
    assert crawled.query(f"{columns} ORDER BY 1") == derived
