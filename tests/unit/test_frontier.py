"""Decisions about candidates: fetch now or skip, when to revisit, which validators to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from pressmark.dates import ParsedDate
from pressmark.discovery.listing import Entry
from pressmark.frontier import Candidate, CrawlScope, FrontierEntry, decide, is_early, next_due, validators
from pressmark.outlet import Outlet
from pressmark.removal.rules import Removal
from pressmark.urls import url_uid

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OUTLET = Outlet.model_validate(
    {
        "id": "one", "name": "One", "home": "http://one.example/", "domains": ["one.example"], "languages": ["en"],
        "timezone": "UTC", "enabled": True, "max_age": "30d", "urls": {"exclude": ["/video/"]},
        "endpoints": [{"method": "feed", "url": "http://one.example/feed", "source": "a test"}],
    }
)  # fmt: skip
INCREMENTAL = CrawlScope("incremental", None, NOW)
WINDOW = CrawlScope("window", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 8, tzinfo=UTC))


def candidate(path: str = "/story", published: datetime | None = None, modified: datetime | None = None) -> Candidate:
    url = f"http://one.example{path}"
    date = ParsedDate("raw", "feed", published, "second", 0) if published else None
    return Candidate(url, url_uid("one", url), "feed", None, Entry(url, None, date, modified))


def known(**changes: Any) -> FrontierEntry:
    c = candidate()
    values: dict[str, Any] = dict(
        url_uid=c.url_uid, url=c.url, article_uid=c.url_uid, next_due_at=NOW + HOUR, listed_modified=NOW - 5 * HOUR,
        last_fetch_at=NOW - 5 * HOUR, last_outcome="new", failures=0, first_captured_at=NOW - 5 * HOUR,
        date_published=NOW - 6 * HOUR, content=(1, 2, 3, 4),
    )  # fmt: skip
    return FrontierEntry(**{**values, **changes})


@pytest.mark.parametrize(
    ("c", "k", "scope", "outcome"),
    [
        (candidate(), None, INCREMENTAL, None),
        (candidate(), known(), INCREMENTAL, "known_not_due"),
        (candidate(), known(next_due_at=NOW - HOUR), INCREMENTAL, None),
        (candidate(modified=NOW - HOUR), known(), INCREMENTAL, None),
        (candidate(modified=NOW - 6 * HOUR), known(), INCREMENTAL, "known_not_due"),
        (candidate(modified=NOW - HOUR), known(last_outcome="timeout"), INCREMENTAL, "known_not_due"),
        (candidate(), known(last_fetch_at=None, last_outcome=None), INCREMENTAL, None),
        (candidate("/video/x"), None, INCREMENTAL, "out_of_scope"),
        (candidate("/a/a/a/a"), None, INCREMENTAL, "crawler_trap"),
        (candidate(published=NOW - timedelta(days=40)), None, INCREMENTAL, "too_old"),
        (candidate(published=datetime(2026, 11, 8, tzinfo=UTC)), None, WINDOW, "out_of_window"),
        (candidate(published=datetime(2026, 11, 1, tzinfo=UTC)), None, WINDOW, None),
        (candidate(), None, WINDOW, None),
        (candidate(), known(date_published=datetime(2026, 11, 2, tzinfo=UTC)), WINDOW, "known_not_due"),
    ],
)
def test_candidate_is_fetched_or_skipped_with_an_outcome(
    c: Candidate, k: FrontierEntry | None, scope: CrawlScope, outcome: str | None
) -> None:
    assert decide(c, k, scope, OUTLET, (), NOW).outcome == outcome


def test_urls_on_other_hosts_and_removed_urls_are_not_fetched() -> None:
    elsewhere = Candidate("http://two.example/a", url_uid("one", "http://two.example/a"), "feed")
    assert decide(elsewhere, None, INCREMENTAL, OUTLET, (), NOW).outcome == "out_of_scope"
    c = candidate()
    url = "https://www.one.example/story?utm_source=x"
    by_url = Removal(uuid4(), "url", "hide", url, "one", url_uid("one", url))
    assert decide(c, None, INCREMENTAL, OUTLET, (by_url,), NOW).outcome == "suppressed"
    by_prefix = Removal(uuid4(), "prefix", "hide", "http://one.example/st")
    assert decide(c, None, INCREMENTAL, OUTLET, (by_prefix,), NOW).outcome == "suppressed"


def test_candidate_skipped_again_for_the_same_reason_is_counted_as_known_not_due() -> None:
    skipped = known(last_outcome="out_of_scope", last_fetch_at=None)
    assert decide(candidate("/video/x"), skipped, INCREMENTAL, OUTLET, (), NOW).outcome == "known_not_due"


def test_url_skipped_by_a_backfill_window_is_fetched_by_a_later_crawl() -> None:
    skipped = known(last_outcome="out_of_window", last_fetch_at=None, first_captured_at=None, next_due_at=None)
    assert decide(candidate(published=NOW - HOUR), skipped, INCREMENTAL, OUTLET, (), NOW).fetch


@pytest.mark.parametrize(
    ("outcome", "failures", "first_captured_at", "due_at"),
    [
        ("new", 0, NOW, NOW + HOUR),
        ("unchanged", 0, NOW - 2 * HOUR, NOW + 4 * HOUR),
        ("not_modified", 0, NOW - 7 * HOUR, NOW + 17 * HOUR),
        # A changing article is revisited sooner than after a week.
        ("revised", 0, NOW - 26 * HOUR, NOW + 13 * HOUR),
        ("revised", 0, NOW - timedelta(days=20), NOW + timedelta(days=1)),
        # Revisits end.
        ("revised", 0, NOW - timedelta(days=40), None),
        ("unchanged", 0, NOW - timedelta(days=8), None),
        # The wait after failures grows, but the URL is never abandoned.
        ("timeout", 1, None, NOW + HOUR),
        ("timeout", 2, None, NOW + 2 * HOUR),
        ("timeout", 3, None, NOW + 4 * HOUR),
        ("timeout", 30, None, NOW + timedelta(days=7)),
        # A recheck confirms that an article is gone.
        ("gone", 1, NOW - 2 * HOUR, NOW + timedelta(hours=24)),
        ("gone", 2, NOW - 2 * HOUR, None),
    ],
)
def test_revisit_schedule(
    outcome: str, failures: int, first_captured_at: datetime | None, due_at: datetime | None
) -> None:
    assert next_due(OUTLET, outcome, failures, first_captured_at, NOW) == due_at


def test_early_revisits_are_distinguished_from_regular_ones() -> None:
    first = NOW - timedelta(hours=2)
    assert is_early(known(first_captured_at=first, next_due_at=first + HOUR), OUTLET, NOW)
    assert not is_early(known(first_captured_at=first, next_due_at=first + HOUR, failures=1), OUTLET, NOW)
    old = NOW - timedelta(hours=25)
    assert not is_early(known(first_captured_at=old, next_due_at=old + HOUR), OUTLET, NOW), (
        "the revisit after a day is due by now"
    )
    assert not is_early(known(first_captured_at=first, next_due_at=first + timedelta(hours=24)), OUTLET, NOW)


def test_validators_are_sent_only_if_a_304_is_sufficient() -> None:
    incremental, window = CrawlScope("incremental", None, NOW), CrawlScope("window", NOW - HOUR, NOW)
    captured = {"first_captured_at": NOW - HOUR, "last_read_at": NOW - HOUR, "etag": '"a"', "last_modified": "Mon"}
    assert validators(known(**captured), incremental, NOW) == {"If-None-Match": '"a"', "If-Modified-Since": "Mon"}
    assert validators(known(**{**captured, "etag": None}), incremental, NOW) == {"If-Modified-Since": "Mon"}
    assert validators(None, incremental, NOW) == {}
    for change in (
        {"validators_unreliable": True},
        {"last_read_at": NOW - timedelta(days=3)},
        {"last_read_at": None},
        {"etag": None, "last_modified": None},
    ):
        assert validators(known(**{**captured, **change}), incremental, NOW) == {}, change
    assert validators(known(**captured), window, NOW) == {}
    assert validators(known(**captured), CrawlScope("incremental", None, NOW, True), NOW) == {}
