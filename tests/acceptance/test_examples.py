"""The analysts' questions of sql/examples, asked of a warehouse that has something to answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pressmark.newsstand.server import Newsstand
from pressmark.settings import SQL_ROOT
from tests.conftest import Line

EXAMPLES = sorted((SQL_ROOT / "examples").glob("*.sql"))
OUTLETS = (
    "harbour-dispatch",
    "la-plaza",
    "tagesblick",
    "meridian-wire",
    "odd-lot",
    "la-sentinelle",
    "shiomi-shimpo",
    "severny-mayak",
    "al-waha",
)


def ask(line: Line, path: Path) -> list[tuple[object, ...]]:
    return line.query(path.read_text(encoding="utf-8"), role="analyst")


def test_every_question_has_its_answer(line: Line, newsstand: Newsstand) -> None:
    assert sum(row["outcomes"].get("new", 0) for row in line.crawl(*OUTLETS)["crawls"]) >= 120
    newsstand.advance()
    time.sleep(1.1)
    line.crawl("harbour-dispatch", "la-plaza", "tagesblick")
    # The second look that confirms a removal is due a day later.
    line.query("UPDATE core.article_event SET observed_at = observed_at - interval '2 days'")
    line.query("UPDATE core.visit SET observed_at = observed_at - interval '3 days'")
    line.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE last_outcome = 'gone'")
    line.crawl("la-plaza")
    answers = {path.stem: ask(line, path) for path in EXAMPLES}
    assert len(answers) >= 10 and all(answers.values()), {name for name, rows in answers.items() if not rows}
    assert {row[0] for row in answers["01-freshness"]} == set(OUTLETS)
    weeks = [(row[1], row[2]) for row in answers["02-volume-by-week"] if row[0] == "meridian-wire"]
    assert sum(published for _, published in weeks) == 20  # type: ignore[misc]
    assert len(answers["03-full-text-of-a-day"]) == 1
    assert [row[3] for row in answers["04-changed-after-publication"]] == [["body"]]
    assert [row[2] for row in answers["05-taken-down"]] == ["http://laplaza.newsstand.example/nota.php?id=307"]
    assert [row[2] for row in answers["06-copied-stories"]] == [["harbour-dispatch", "meridian-wire", "odd-lot"]]
    assert ("meridian-wire", "harbour-dispatch") in [row[:2] for row in answers["07-who-prints-whom"]]
    assert dict((row[0], (row[1], row[2])) for row in answers["08-original-output"])["harbour-dispatch"] == (10, 9)
    refused = {(row[0], row[1]): row[3] for row in answers["09-why-not-an-article"]}
    assert refused["odd-lot", "challenge_page"] == 4 and refused["la-plaza", "gone"] == 1
    assert ("severny-mayak", "description") in [row[:2] for row in answers["10-what-is-missing"]]
    assert all(row[5] for row in answers["11-provenance"] if row[0] != "odd-lot")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_begins_with_its_question(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("-- ") and first.endswith("?")
