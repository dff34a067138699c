"""The state of an endpoint from look to look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pressmark.discovery.endpoints import EndpointState

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
READ = EndpointState('"a"', "Mon", b"1", NOW - HOUR, NOW - HOUR)


def test_validators_are_sent_for_a_day() -> None:
    assert READ.validators(NOW) == {"If-None-Match": '"a"', "If-Modified-Since": "Mon"}
    assert READ.validators(NOW + timedelta(days=1)) == {}, "then the listing is wanted in full"
    assert EndpointState().validators(NOW) == {}


def test_a_change_under_the_same_validators_is_a_lie() -> None:
    assert not READ.listed(NOW, '"b"', "Mon", b"2", True).validators_unreliable
    assert not READ.listed(NOW, '"a"', "Tue", b"1", True).validators_unreliable
    caught = READ.listed(NOW, '"a"', "Tue", b"2", True)
    assert caught.validators_unreliable and caught.validators(NOW) == {}
    assert caught.listed(NOW, '"c"', None, b"3", True).validators_unreliable, "it stays caught"
    without_tag = EndpointState(None, "Mon", b"1", NOW)
    assert without_tag.listed(NOW, None, "Mon", b"2", False).validators_unreliable
    assert not EndpointState(None, None, b"1", NOW).listed(NOW, None, None, b"2", False).validators_unreliable


def test_it_rests_the_longer_the_less_it_brings() -> None:
    fresh = EndpointState().listed(NOW, None, None, b"1", True)
    assert fresh.next_poll_at == NOW
    quiet = fresh.listed(NOW + 20 * HOUR, None, None, b"1", False)
    assert quiet.next_poll_at == NOW + 22 * HOUR
    assert quiet.not_modified(NOW + 40 * HOUR).next_poll_at == NOW + 44 * HOUR
    dead = quiet.not_modified(NOW + timedelta(days=300)).next_poll_at
    assert dead == NOW + timedelta(days=301), "a day at most"


def test_failures_are_looked_at_less_and_less_often_and_never_given_up() -> None:
    state, waits = READ, []
    for _ in range(12):
        state = state.failed(NOW)
        assert state.next_poll_at is not None
        waits.append((state.next_poll_at - NOW) / HOUR)
    assert waits[:4] == [0.9, 1.8, 3.6, 7.2] and waits[-1] == 0.9 * 7 * 24
    assert state.not_modified(NOW).failures == 0


def test_a_child_is_left_alone_while_its_index_says_the_same() -> None:
    said = NOW - 5 * HOUR
    read = EndpointState(last_read_at=NOW - HOUR, index_modified=said)
    assert read.is_unchanged(said, NOW)
    assert not read.is_unchanged(said + HOUR, NOW) and not read.is_unchanged(None, NOW)
    assert not EndpointState(last_read_at=said + HOUR / 2, index_modified=said).is_unchanged(said, NOW), "too close"
    assert not read.is_unchanged(said, NOW + timedelta(days=2)), "read now and then all the same"
    day = NOW.replace(hour=0, minute=0)
    assert not EndpointState(last_read_at=NOW, index_modified=day).is_unchanged(day, NOW), "a day is not over"
    assert EndpointState(last_read_at=NOW, index_modified=day - timedelta(days=2)).is_unchanged(
        day - timedelta(days=2), NOW
    )
