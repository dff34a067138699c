"""Overview: is every outlet fresh, what failed and why, what runs, how long does the disk last."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from pressmark.airflow.pages import charts
from pressmark.airflow.pages.base import Row, open_reader, render
from pressmark.health.monitor import STATE_GROUPS, StorageStats, current_storage, states_summary
from pressmark.settings import Settings

router = APIRouter()


@router.get("/overview", response_class=HTMLResponse)
def overview() -> str:
    """Overview page."""
    with open_reader() as reader:
        states, alerts, running = reader("states"), reader("open_alerts"), reader("running")
        hours, queue, sizes = reader("hours"), reader("load_queue"), reader("storage")
    return render(
        "overview.html", "overview",
        summary=states_summary({row["state"]: row["outlets"] for row in states}),
        checked_at=max((row["checked_at"] for row in states if row["checked_at"]), default=None),
        groups=_by_cause(alerts), running=running, queue=queue, chart=_hours_chart(hours), storage=storage(sizes),
        healthy=not any(STATE_GROUPS[row["state"]] == "need attention" for row in states),
    )  # fmt: skip


def storage(sizes: list[Row]) -> StorageStats | None:
    """Return the measured sizes with the free space now; None if nothing was measured yet."""
    if not sizes:
        return None
    return current_storage(Settings.from_env(), [tuple(row.values()) for row in sizes])


def _by_cause(alerts: list[Row]) -> list[dict[str, Any]]:
    """Group alerts by cause, the most outlets first. Muted alerts come last in their group."""
    groups: dict[str, list[Row]] = {}
    for alert in alerts:
        groups.setdefault(alert["cause"], []).append(alert)
    counts = Counter({cause: len(rows) for cause, rows in groups.items()})
    return [
        {"cause": cause, "alerts": sorted(groups[cause], key=lambda alert: alert["muted_by"] is not None)}
        for cause, _ in counts.most_common()
    ]


def _hours_chart(rows: list[Row]) -> Any:
    """Return the new articles of the last 24 hours and of the same hours a week before."""
    known = {(row["day"], row["hour"]): row["articles"] for row in rows}
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    times = [this_hour - timedelta(hours=back) for back in reversed(range(24))]
    latest = [known.get((time.date(), time.hour), 0) for time in times]
    week = timedelta(days=7)
    before = [known.get(((time - week).date(), time.hour), 0) for time in times]
    labels = [f"{time:%Y-%m-%d %H:00}" for time in times]
    label = f"New articles by hour: {sum(latest)} in 24 hours, {sum(before)} in the same hours of last week"
    return charts.hours(latest, before, labels, label), sum(latest), sum(before)
