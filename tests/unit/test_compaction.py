"""Which small files of an outlet and month are joined."""

from __future__ import annotations

from itertools import count

import pytest

from pressmark.warehouse.compaction import JOINED_BYTES, LARGE_BYTES, MANY_FILES, _choose

MB = 2**20


def files(number: int, size: int, prefix: str = "") -> list[tuple[str, int]]:
    return [(f"{prefix}{n}.warc.gz", size) for n in range(number)]


@pytest.mark.parametrize(
    ("small", "is_over", "groups"),
    [
        (files(MANY_FILES - 1, 1000), False, []),
        (files(MANY_FILES, 1000), False, [MANY_FILES]),
        (files(3, 1000), True, [3]),
        (files(1, 1000), True, []),
        ([], True, []),
        (files(7, 10 * MB), False, [7]),
        # What was joined before is left alone until there is enough for a large file, or the month is over.
        ([*files(1, MB, "joined_"), *files(MANY_FILES, 1000)], False, [MANY_FILES]),
        ([*files(9, MB, "joined_"), *files(3, 1000)], False, []),
        ([*files(9, MB, "joined_"), *files(3, 1000)], True, [12]),
        ([*files(9, MB, "joined_"), *files(1, 60 * MB)], False, [10]),
        (files(40, 60 * MB), False, [17, 17, 6]),
    ],
)
def test_files_are_joined(small: list[tuple[str, int]], is_over: bool, groups: list[int]) -> None:
    chosen = _choose(small, is_over)
    assert [len(group) for group in chosen] == groups
    sizes = dict(small)
    assert all(sum(sizes[name] for name in group) <= JOINED_BYTES for group in chosen)


def test_a_byte_is_copied_at_most_twice_before_the_month_is_over() -> None:
    """An outlet with 24 crawls a day. Joining every day copied each byte of the month's file again."""
    numbers, copied, month = count(), 0, []
    for _ in range(30):
        month += [(f"{next(numbers)}.warc.gz", 100_000) for _ in range(24)]
        small = [(name, size) for name, size in month if size < LARGE_BYTES]
        for group in _choose(small, is_over=False):
            size = sum(size for name, size in month if name in group)
            copied += size
            month = [*((n, s) for n, s in month if n not in group), (f"joined_{next(numbers)}.warc.gz", size)]
    total = 30 * 24 * 100_000
    assert sum(size for _, size in month) == total
    assert copied <= 2 * total and len(month) < 200
