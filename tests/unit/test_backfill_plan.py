"""How a backfill is split into chunks, and how its plan is put into words."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from uuid import UUID

import pytest

from pressmark.crawl.backfill_plan import OutletPlan, Plan, chunk_ranges

JANUARY, MARCH_10 = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 10, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)


def chunks(*missing: str, since: datetime = JANUARY, requests: int = 2) -> list[tuple[str, str]]:
    found = chunk_ranges(since, END, missing, requests)
    assert found[0][0] == since and found[-1][1] == END
    assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(found)), "no day is left out"
    return [(f"{begin:%y-%m-%d}", f"{end:%y-%m-%d}") for begin, end in found]


def test_years_without_missing_articles_are_one_chunk() -> None:
    assert chunks() == [("24-01-01", "27-01-01")]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (("2024-01-31",), [("24-01-01", "24-02-01"), ("24-02-01", "27-01-01")]),
        (("2024-05-01", "2024-06-30"),
         [("24-01-01", "24-05-01"), ("24-05-01", "24-06-01"), ("24-06-01", "24-07-01"), ("24-07-01", "27-01-01")]),
        (("2026-12-31",), [("24-01-01", "26-12-01"), ("26-12-01", "27-01-01")]),
    ],
)  # fmt: skip
def test_months_with_missing_articles_are_chunks(missing: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert chunks(*missing) == expected


def test_chunk_begins_with_the_first_day_even_within_a_month() -> None:
    assert chunks("2024-03-11", since=MARCH_10)[0] == ("24-03-10", "24-04-01")


def test_months_are_not_joined_if_listings_need_many_requests() -> None:
    assert len(chunks(requests=1000)) == 36


def test_plan_names_what_cannot_be_planned_and_what_is_fetched_again() -> None:
    unreachable = OutletPlan("a", error="a.example refused the connection")
    again = OutletPlan("b", known=10, discoverable=12, missing=12, requests=14, seconds=40)
    plan = Plan(UUID(int=1), [unreachable, again], [("b", JANUARY, END, "waiting")], refetch=True)
    assert plan.lines == [
        "a: could not be planned: a.example refused the connection",
        "b: 10 known, 12 discoverable, 12 to fetch; about 14 requests, 40 s",
        "1 chunk, 1 to do; 12 pages, about 14 requests, 40 s with all outlets crawled concurrently",
    ]
