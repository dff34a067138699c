"""When a scheduled crawl polls an outlet next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pressmark.airflow.pages.base import next_due

NOW = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)


def at(hour: int, minute: int, day: int = 27) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tier", "changes", "due"),
    [
        ("hourly", {}, at(13, 7)),
        ("six_hourly", {}, at(18, 17)),
        ("daily", {}, at(3, 27, 28)),
        ("hourly", {"waiting_until": at(15, 10)}, at(16, 7)),
        ("hourly", {"waiting_until": at(11, 0)}, at(13, 7)),  # over
        ("daily", {"waiting_until": at(15, 10)}, at(16, 7)),  # the hourly DAG retries it
        ("daily", {"override": "paused"}, None),
        ("daily", {"enabled": False}, None),
    ],
)
def test_next_due_follows_the_tier_and_the_back_off(tier: str, changes: dict[str, Any], due: datetime | None) -> None:
    row = {"tier": tier, "override": None, "enabled": True, "waiting_until": None, **changes}
    assert next_due(row, NOW) == due
