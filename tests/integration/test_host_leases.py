"""Host leases: one holder at a time, the delay after it, dead holders, and a row that a crash of the server lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from pressmark.warehouse.lease import HostLeases, Wait
from pressmark.warehouse.locks import LeaseHolder
from pressmark.warehouse.pool import ConnectionPool
from tests.conftest import Installation

HOST = "news.example"


@pytest.fixture
def processes(installation: Installation) -> Iterator[list[tuple[HostLeases, LeaseHolder]]]:
    """The leases of two crawl processes."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(2):
            pool = ConnectionPool(installation.warehouse, 1, autocommit=True)
            locks = LeaseHolder(installation.warehouse)
            stack.callback(pool.close)
            stack.callback(locks.close)
            made.append((HostLeases(pool, locks), locks))
        yield made


def test_host_has_one_holder_and_rests_after_it(processes: list[tuple[HostLeases, LeaseHolder]]) -> None:
    (first, _), (second, _) = processes
    assert first.take(HOST, 60, 1) is None
    assert first.take(HOST, 60, 1) is None, "a retry after a lost connection keeps the lease"
    assert isinstance(second.take(HOST, 60, 1), Wait)
    assert second.take("other.example", 60, 1) is None
    first.give_back(HOST, 30)
    rest = second.take(HOST, 60, 1)
    assert isinstance(rest, Wait) and 25 < rest.seconds <= 30
    assert isinstance(first.take(HOST, 60, 1), Wait), "the delay holds for the last holder too"


def test_lease_of_a_dead_process_is_free_after_the_delay(processes: list[tuple[HostLeases, LeaseHolder]]) -> None:
    (first, locks), (second, _) = processes
    assert first.take(HOST, 60, 1) is None
    locks.close()
    wait = second.take(HOST, 60, 0)
    assert isinstance(wait, Wait) and wait.seconds <= 0.1
    assert second.take(HOST, 60, 0) is None


def test_lease_is_taken_again_if_a_crash_of_the_server_lost_its_row(
    installation: Installation, processes: list[tuple[HostLeases, LeaseHolder]]
) -> None:
    (first, _), _ = processes
    assert first.take(HOST, 60, 0) is None
    first.give_back(HOST, 0)
    with contextlib.closing(installation.warehouse.connect_admin()) as admin, admin:
        admin.cursor().execute("DELETE FROM ops.host_lease")
    assert first.take(HOST, 60, 0) is None
