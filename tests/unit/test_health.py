"""Outlet health from invented crawl histories, publishing patterns, and detection of internal failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pressmark.health.monitor import OutletHealth
from pressmark.health.rules import (
    Crawl,
    FieldShare,
    OutletStats,
    evaluate,
    expected_since,
    is_internal_failure,
    may_become_internal,
    publishing_pattern,
)

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)  # a Wednesday
HOURLY = dict.fromkeys(range(168), 1.0)  # one article per hour


def crawl(hours_ago: float = 0.2, finish: str = "finished", error: str | None = None, **outcomes: int) -> Crawl:
    return Crawl(NOW - timedelta(hours=hours_ago), finish, error, 5, outcomes or {"known_not_due": 10}, 10, 1)


def backfill(**outcomes: int) -> Crawl:
    return replace(crawl(**outcomes), mode="window")


def with_examples() -> Crawl:
    return replace(crawl(extraction_empty=5), examples=("https://one.example/a", "https://one.example/b"))


def stats(**changes: Any) -> OutletStats:
    values: dict[str, Any] = {
        "outlet": "one", "tier": "hourly", "enabled": True, "articles": 500, "last_new_at": NOW - timedelta(minutes=40),
        "crawls": [crawl(new=2), crawl(1.2, new=1)], "publishing_pattern": HOURLY,
    }  # fmt: skip
    return OutletStats(**{**values, **changes})


@pytest.mark.parametrize(
    ("given", "state", "words"),
    [
        (stats(), "fresh", "new articles appear as expected"),
        (stats(last_new_at=NOW - timedelta(hours=4)), "late", "expects 4"),
        (stats(last_new_at=NOW - timedelta(hours=12)), "silent", "no new article, although its publishing pattern expects 12"),
        (stats(last_new_at=NOW - timedelta(hours=12), publishing_pattern={}), "fresh", ""),
        (stats(last_new_at=NOW - timedelta(hours=30), publishing_pattern={}), "late", ""),
        (stats(last_new_at=NOW - timedelta(days=4), publishing_pattern={}), "silent", "no new article for more than 3 days"),
        (stats(last_new_at=NOW - timedelta(days=3), publishing_pattern={}, tier="daily", crawls=[crawl(1)]), "fresh", ""),
        (stats(crawls=[crawl(finish="failed", error="no route")]), "failing", "no route"),
        (stats(crawls=[crawl(finish="killed")] * 3), "failing", "the process of its crawl was killed"),
        (stats(crawls=[crawl(finish="no_listing", error="refused the connection")]), "failing", "refused the connection"),
        (stats(crawls=[crawl(finish="refused", error="5 pages")]), "blocked", "5 pages"),
        (stats(crawls=[crawl(challenge_page=4, new=1)]), "blocked", "4 of 5 pages of the last crawl were refused: challenge page"),
        (stats(crawls=[crawl(challenge_page=2, new=1)]), "fresh", ""),
        (stats(crawls=[crawl(http_error=4)]), "failing", "all 4 pages of the last crawl could not be fetched: HTTP error"),
        (stats(crawls=[crawl(http_error=2, timeout=1, new=2)]), "failing", "3 of 5 pages"),
        (stats(crawls=[crawl(http_error=2, new=9)]), "fresh", ""),  # a few broken links are normal
        (stats(crawls=[crawl(http_error=1), crawl(1, new=3)]), "fresh", ""),
        (stats(crawls=[replace(crawl(finish="no_listing", error="robots.txt disallows it"), polled=2, forbidden_listings=2)]),
         "blocked", "robots.txt disallows it"),
        (stats(crawls=[crawl(robots_denied=9, known_not_due=3)]), "blocked", "no page of the last crawl may be requested: robots.txt forbids it"),
        # A crawl with only one or two refused pages, or none, doesn't change the verdict. One kept page does.
        (stats(crawls=[crawl(challenge_page=1), crawl(1, challenge_page=4)]), "blocked", "all 5 pages of the last 2 crawls"),
        (stats(crawls=[crawl(), crawl(1), crawl(2, challenge_page=4)]), "blocked", "all 4 pages of the last crawl"),
        (stats(crawls=[crawl(challenge_page=1), crawl(1), crawl(2, challenge_page=4)]), "blocked", "all 5 pages"),
        (stats(crawls=[backfill(new=8), crawl(1), crawl(2, challenge_page=4)]), "fresh", ""),
        (stats(crawls=[backfill(challenge_page=8), crawl(1, new=2)]), "blocked", "all 8 pages"),
        (stats(crawls=[backfill(extraction_empty=8), crawl(1, new=2)]), "fresh", ""),
        (stats(crawls=[backfill(new=8)]), "new", "not crawled yet"),
        (stats(crawls=[crawl(), crawl(1)], was_blocked="4 of 4 pages"), "blocked", "4 of 4 pages"),
        (stats(crawls=[crawl(new=1), crawl(1)], was_blocked="4 of 4 pages"), "fresh", ""),
        (stats(crawls=[crawl(new=1), crawl(1, challenge_page=4)]), "fresh", ""),
        (stats(crawls=[crawl(challenge_page=1, new=2), crawl(1, challenge_page=4)]), "fresh", ""),
        (stats(enabled=False, crawls=[crawl(challenge_page=4)]), "paused", "enabled: false"),
        (stats(enabled=False, crawls=[]), "new", "enabled: false"),
        (stats(crawls=[crawl(extraction_empty=5, new=1)]), "extraction_broken", "text: 5 of 6 pages of the last crawl gave no article"),
        (stats(crawls=[crawl(implausible_text=2), crawl(1, implausible_text=2)]), "extraction_broken", "all 4 pages of the last 2 crawls"),
        (stats(crawls=[crawl(implausible_text=2), crawl(1, new=4)]), "fresh", ""),
        (stats(crawls=[with_examples()]), "extraction_broken", "such as https://one.example/a and https://one.example/b"),
        (stats(crawls=[crawl(), crawl(2, extraction_empty=5)]), "extraction_broken", "Its layout may have changed"),
        (stats(fields={"authors": [FieldShare(10, 1, 80, 0.95, ("https://one.example/a",))]}), "extraction_broken",
         "authors: 1 of the latest 10 articles have it, 95% before, such as https://one.example/a"),
        (stats(fields={"authors": [FieldShare(5, 0, 20, 1.0)]}), "extraction_broken", "0 of the latest 5"),
        (stats(fields={"authors": [FieldShare(10, 6, 80, 0.95)]}), "fresh", ""),
        (stats(fields={"authors": [FieldShare(5, 0, 80, 0.8)]}), "fresh", ""),  # one in three thousand: chance
        (stats(fields={"authors": [FieldShare(5, 0, 80, 0.8), FieldShare(10, 0, 75, 0.8)]}), "extraction_broken", "latest 10"),
        (stats(fields={"authors": [FieldShare(20, 0, 80, 0.5)]}), "fresh", ""),  # it often has none
        (stats(fields={"authors": [FieldShare(5, 0, 4, 1.0)]}), "fresh", ""),  # too few to compare with
        (stats(override="paused", override_reason="quiet", crawls=[crawl(finish="failed")]), "paused", "quiet"),
        (stats(crawls=[]), "new", "not crawled yet"),
        (stats(last_new_at=None), "new", "no article"),
        # Nothing arrives while no crawls run, so an outage of ours doesn't count as an inactive outlet.
        (stats(last_new_at=NOW - timedelta(hours=20), crawls=[crawl(19.5)]), "fresh", ""),
    ],
)  # fmt: skip
def test_outlet_state_and_its_reason(given: OutletStats, state: str, words: str) -> None:
    verdict = evaluate(given, NOW)
    assert verdict.state == state and words in verdict.reason


def test_night_without_articles_does_not_count_as_inactivity() -> None:
    day = {hour: (2.0 if 6 <= hour % 24 < 20 else 0.0) for hour in range(168)}
    evening, morning = datetime(2026, 11, 24, 20, tzinfo=UTC), datetime(2026, 11, 25, 6, tzinfo=UTC)
    assert expected_since(day, evening, morning) == 0
    assert expected_since(day, evening, morning + timedelta(hours=1, minutes=30)) == pytest.approx(3.0)
    assert expected_since(day, evening - timedelta(days=70), evening) == pytest.approx(14 * 2 * 70)
    given = stats(publishing_pattern=day, last_new_at=evening, crawls=[Crawl(morning, "finished", None, 1, {}, 5, 1)])
    assert evaluate(given, morning + timedelta(minutes=10)).state == "fresh"


def test_publishing_pattern_needs_enough_articles_and_weeks() -> None:
    assert publishing_pattern({5: 20}, 8) == {} and publishing_pattern(dict.fromkeys(range(168), 1), 0.5) == {}
    pattern = publishing_pattern({10: 80}, 8)
    assert sum(pattern.values()) == pytest.approx(10) and pattern[9] > 0 and pattern[12] == 0


@pytest.mark.parametrize(
    ("failed", "outlets", "internal"),
    [(0, 10, False), (2, 10, False), (2, 3, False), (3, 10, True), (3, 15, False), (4, 4, True)],
)
def test_failure_of_many_outlets_is_internal(failed: int, outlets: int, internal: bool) -> None:
    assert is_internal_failure(failed, outlets) is internal


@pytest.mark.parametrize(
    ("failed", "ended", "outlets", "held"),
    [
        (1, 1, 4, True),  # all four may fail
        (1, 3, 4, False),  # at most two of four fail
        (1, 1, 100, True),
        (1, 5, 100, False),  # the others responded
        (2, 5, 100, True),
        (3, 4, 4, True),
        (1, 1, 2, False),  # two outlets are too few for an internal failure
    ],
)
def test_failed_outlet_is_held_while_the_failure_may_be_internal(
    failed: int, ended: int, outlets: int, held: bool
) -> None:
    assert may_become_internal(failed, ended, outlets) is held


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "new articles appear as expected; last new article 40 minutes ago"),
        ({"now": NOW + timedelta(hours=5)}, "new articles appear as expected; last new article 6 hours ago"),
        ({"state": "failing", "reason": "a.example refused the connection", "failed_crawls": 3,
          "first_failed_at": NOW - timedelta(hours=4), "last_failed_at": NOW - timedelta(hours=1),
          "waiting_until": NOW + timedelta(hours=2)},
         "a.example refused the connection; 3 failed crawls, first 4 hours ago, last 1 hour ago; "
         "next try at 2026-11-25 14:30:00Z"),
        ({"state": "paused", "reason": "paused: on holiday"}, "paused: on holiday"),
    ],
)  # fmt: skip
def test_ages_are_those_of_the_moment_of_reading(changes: dict[str, Any], words: str) -> None:
    now = changes.pop("now", NOW)
    values = {
        "state": "fresh",
        "reason": "new articles appear as expected",
        "last_new_article_at": NOW - timedelta(minutes=40),
    }
    health = OutletHealth(outlet="a", since=NOW, checked_at=NOW, **{**values, **changes})
    assert health.explanation(now) == words
