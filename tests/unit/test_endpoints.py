"""The state of an endpoint from poll to poll."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pressmark.discovery.endpoints import EndpointState

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLLED = EndpointState('"a"', "Mon", b"1", NOW - HOUR, NOW - HOUR)


def test_validators_are_sent_for_one_day() -> None:
    assert POLLED.validators(NOW) == {"If-None-Match": '"a"', "If-Modified-Since": "Mon"}
    assert POLLED.validators(NOW + timedelta(days=1)) == {}, "after a day the endpoint is fetched in full"
    assert EndpointState().validators(NOW) == {}


def test_changed_content_with_unchanged_validators_marks_them_unreliable() -> None:
    assert not POLLED.listed(NOW, '"b"', "Mon", b"2", True).validators_unreliable
    assert not POLLED.listed(NOW, '"a"', "Tue", b"1", True).validators_unreliable
    unreliable = POLLED.listed(NOW, '"a"', "Tue", b"2", True)
    assert unreliable.validators_unreliable and unreliable.validators(NOW) == {}
    assert unreliable.listed(NOW, '"c"', None, b"3", True).validators_unreliable, "the mark is permanent"
    without_etag = EndpointState(None, "Mon", b"1", NOW)
    assert without_etag.listed(NOW, None, "Mon", b"2", False).validators_unreliable
    assert not EndpointState(None, None, b"1", NOW).listed(NOW, None, None, b"2", False).validators_unreliable


def test_poll_interval_grows_while_an_endpoint_lists_nothing_new() -> None:
    fresh = EndpointState().listed(NOW, None, None, b"1", True)
    assert fresh.next_poll_at == NOW
    quiet = fresh.listed(NOW + 20 * HOUR, None, None, b"1", False)
    assert quiet.next_poll_at == NOW + 22 * HOUR
    assert quiet.not_modified(NOW + 40 * HOUR).next_poll_at == NOW + 44 * HOUR
    abandoned = quiet.not_modified(NOW + timedelta(days=300)).next_poll_at
    assert abandoned == NOW + timedelta(days=301), "the interval is at most a day"


def test_failing_endpoint_is_polled_less_often_but_in_every_crawl_of_its_tier() -> None:
    state, waits, now = POLLED, [], NOW
    for _ in range(6):
        state = state.failed(now, "it is down", 6 * HOUR)
        assert state.next_poll_at is not None
        waits.append((state.next_poll_at - now) / HOUR)
        now = state.next_poll_at
    assert waits == pytest.approx([0.9, 1.8, 3.6, 5.4, 5.4, 5.4]), "not longer than the interval of its crawls"
    assert (state.failures, state.failure, state.failing_since) == (6, "it is down", NOW)
    well = state.not_modified(now)
    assert (well.failures, well.failure, well.failing_since) == (0, None, None)
    listed = state.listed(now, None, None, b"1", True)
    assert (listed.failures, listed.failure, listed.failing_since) == (0, None, None)


def test_poll_during_the_back_off_does_not_count_as_another_failure() -> None:
    once = POLLED.failed(NOW, "it refused the connection", 6 * HOUR)
    again = once.failed(NOW + HOUR / 4, "it is down", 6 * HOUR)
    assert (again.failures, again.failure, again.failing_since) == (1, "it is down", NOW)
    assert once.why_it_rests == "it refused the connection (failed once since 2026-11-24 12:30:00Z)"
    assert POLLED.why_it_rests == "nothing new for a long time"


def test_child_sitemap_is_skipped_while_its_lastmod_in_the_index_is_unchanged() -> None:
    lastmod = NOW - 5 * HOUR
    child = EndpointState(last_read_at=NOW - HOUR, index_modified=lastmod)
    assert child.is_unchanged(lastmod, NOW)
    assert not child.is_unchanged(lastmod + HOUR, NOW) and not child.is_unchanged(None, NOW)
    polled_soon_after = EndpointState(last_read_at=lastmod + HOUR / 2, index_modified=lastmod)
    assert not polled_soon_after.is_unchanged(lastmod, NOW), "it was polled too soon after lastmod to be sure"
    assert not child.is_unchanged(lastmod, NOW + timedelta(days=2)), "it is still fetched from time to time"
    today = NOW.replace(hour=0, minute=0)
    with_day_precision = EndpointState(last_read_at=NOW, index_modified=today)
    assert not with_day_precision.is_unchanged(today, NOW), "the day of lastmod is not over"
    two_days_ago = today - timedelta(days=2)
    assert EndpointState(last_read_at=NOW, index_modified=two_days_ago).is_unchanged(two_days_ago, NOW)
