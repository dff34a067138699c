"""The analysts' questions of sql/examples, asked of a warehouse that has something to answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from pressmark.newsstand.server import Newsstand
from pressmark.settings import SQL_ROOT
from tests.conftest import Installation

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


def ask(installation: Installation, path: Path) -> list[tuple[Any, ...]]:
    return installation.query(path.read_text(encoding="utf-8"), role="analyst")


def test_every_question_has_its_answer(installation: Installation, newsstand: Newsstand) -> None:
    assert sum(row["outcomes"].get("new", 0) for row in installation.crawl(*OUTLETS)["crawls"]) >= 120
    newsstand.advance()
    time.sleep(1.1)
    installation.crawl("harbour-dispatch", "la-plaza", "tagesblick")
    # The second look that confirms a removal is due a day later.
    installation.query("UPDATE core.article_event SET observed_at = observed_at - interval '2 days'")
    installation.query("UPDATE core.capture SET observed_at = observed_at - interval '3 days'")
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE last_outcome = 'gone'")
    installation.crawl("la-plaza")
    installation.run("crawl", "tagesblick", "--since", "2026-03-03", "--until", "2026-03-06")
    answers: dict[str, list[tuple[Any, ...]]] = {path.stem: ask(installation, path) for path in EXAMPLES}
    assert len(answers) >= 25 and all(answers.values()), {name for name, rows in answers.items() if not rows}
    assert {row[0] for row in answers["01-freshness"]} == set(OUTLETS)
    weeks = [(row[1], row[2]) for row in answers["02-volume-by-week"] if row[0] == "meridian-wire"]
    assert sum(published or 0 for _, published in weeks) == 20
    assert len(answers["03-full-text-of-a-day"]) == 1
    assert [row[3] for row in answers["04-changed-after-publication"]] == [["body"]]
    assert [row[2] for row in answers["05-taken-down"]] == ["http://laplaza.newsstand.example/nota.php?id=307"]
    assert [row[2] for row in answers["06-copied-articles"]] == [["harbour-dispatch", "meridian-wire", "odd-lot"]]
    assert ("meridian-wire", "harbour-dispatch") in [row[:2] for row in answers["07-syndication"]]
    assert dict((row[0], (row[1], row[2])) for row in answers["08-original-output"])["harbour-dispatch"] == (10, 9)
    refused = {(row[0], row[1]): row[3] for row in answers["09-why-not-an-article"]}
    assert refused["odd-lot", "challenge_page"] == 4 and refused["la-plaza", "gone"] == 1
    assert ("severny-mayak", "description") in [row[:2] for row in answers["10-what-is-missing"]]
    assert all(row[5] for row in answers["11-provenance"] if row[0] != "odd-lot")
    changed = answers["12-what-exactly-changed"]
    assert {row[3] for row in changed} == {"body"} and any(row[5] for row in changed)
    searched = answers["13-search"]
    assert all("night trains" in f"{row[1]} {row[4]}".replace("«", "").replace("»", "").lower() for row in searched)
    assert not [row for row in searched if "lighthouse" in row[4].lower()]
    assert {row[:1] + row[2:3] for row in answers["14-search-without-spaces"]} == {("shiomi-shimpo", "ja")}
    assert all("«魚市場»" in row[3] for row in answers["14-search-without-spaces"])
    looked = {row[0]: row[1:3] for row in answers["15-days-without-a-crawl"]}
    assert set(looked) == set(OUTLETS) and looked["tagesblick"][0] >= 4, "three days of a window, and today"
    assert {row[0] for row in answers["16-expected-and-loaded"]} >= {"tagesblick"}
    assert all(row[4] == 0 for row in answers["16-expected-and-loaded"] if row[0] == "tagesblick")
    assert ("tagesblick", "backfill") in [row[:2] for row in answers["17-data-discontinuities"]]
    links = {row[:2]: row[2] for row in answers["18-outbound-links"]}
    assert links["odd-lot", "meridian-wire"] == 1 and links["odd-lot", "example.org"] == 1
    assert not [cited for _, cited in links if "social" in cited]
    british = {row[0]: row[1] for row in answers["19-outlets-of-a-country"]}
    assert british["harbour-dispatch"] == ["dispatch.newsstand.example"] and "tagesblick" not in british
    kinds = {row[0]: row[1] for row in answers["20-what-is-new-since"]}
    assert kinds["new"] >= 125 and kinds["merged"] == 1
    rights = {row[0]: row[1:] for row in answers["21-rights"]}
    assert rights["odd-lot"][2] == 2 and rights["odd-lot"][5] == 1 and rights["odd-lot"][6] == 3
    assert answers["22-authors"][0][2] >= 2
    languages = {row[0]: row[1] for row in answers["23-languages"]}
    assert languages["ja"] == 16 and len(languages) >= 7
    assert [row[4] for row in answers["24-date-certainty"] if row[0] == "odd-lot" and row[3] == "future"] == [1]
    assert ("harbour-dispatch", "feed") in [row[:2] for row in answers["25-how-articles-were-found"]]
    assert all(row[4] is None or row[4] > 0.9 for row in answers["26-what-crawls-cost"])
    happened = {(row[0], row[1]) for row in answers["27-what-happened-to-articles"]}
    assert {("gone", "la-plaza"), ("missing", "la-plaza"), ("merged", "odd-lot")} <= happened
    assert answers["28-long-reads-without-copies"][0][2] > 200


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_begins_with_its_question(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("-- ") and first.endswith("?")
