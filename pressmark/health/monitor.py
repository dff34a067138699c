"""Outlet health, alerts, mutes, outlet overrides and storage statistics in the warehouse.

The rules themselves are in `pressmark.health.rules`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.health.rules import (
    ALERTING,
    FIELD_WINDOWS,
    Crawl,
    FieldShare,
    OutletStats,
    Verdict,
    evaluate,
    publishing_pattern,
)
from pressmark.outcomes import EXTRACTION_FAILURES, NO_ANSWER, POLICY_DENIED
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import age, short_time
from pressmark.warehouse.connection import Row, Warehouse, dict_rows, transaction, typed_rows
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.queries import queries

STATE_GROUPS = {
    "fresh": "healthy", "late": "late", "new": "new", "paused": "paused", "silent": "need attention",
    "blocked": "need attention", "extraction_broken": "need attention", "failing": "need attention",
}  # fmt: skip
"""How the states are counted in one line."""

_SQL = queries("health")
_MIN_DAYS_LEFT = 7  # open an alert if the disk will be full sooner

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition that an operator should know about."""

    cause: str
    outlet: str | None
    message: str


@dataclass(frozen=True, slots=True)
class OutletHealth:
    """The last evaluated state of an outlet; a row of ops.health. waiting_until: end of its endpoints' back-off."""

    outlet: str
    state: str
    reason: str
    since: datetime
    checked_at: datetime
    last_new_article_at: datetime | None = None
    failed_crawls: int = 0
    first_failed_at: datetime | None = None
    last_failed_at: datetime | None = None
    waiting_until: datetime | None = None

    def explanation(self, now: datetime) -> str:
        """The reason with the times behind it, as ages."""
        parts = [self.reason]
        if self.state == "failing" and self.first_failed_at and self.last_failed_at:
            first, last = age(now - self.first_failed_at), age(now - self.last_failed_at)
            crawls = plural(self.failed_crawls, "failed crawl")
            parts.append(
                f"{crawls}, {first} ago" if self.failed_crawls == 1 else f"{crawls}, first {first} ago, last {last} ago"
            )
        elif self.last_new_article_at and self.state != "paused":
            parts.append(f"last new article {age(now - self.last_new_article_at)} ago")
        if self.waiting_until and self.waiting_until > now:
            parts.append(f"next try at {short_time(self.waiting_until)}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An alert that is open, with the mute that covers it, if any."""

    alert_id: UUID
    cause: str
    outlet: str | None
    message: str
    opened_at: datetime
    last_seen_at: datetime
    notified_at: datetime | None
    muted: bool
    muted_until: datetime | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Override:
    """An outlet that was paused or retired: by whom, why, and until when (None: until somebody resumes it)."""

    outlet: str
    state: str
    reason: str
    set_by: str
    set_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class StorageStats:
    """Sizes in bytes, growth in bytes per day, and days until the disk is full. None if there is too little history."""

    database: int
    archive: int
    logs: int
    free: int
    growth: float | None
    days_left: float | None


def check_health(
    warehouse: Warehouse, outlets: Sequence[str] | None = None, now: datetime | None = None, days: int = 2
) -> dict[str, Verdict]:
    """Evaluate the health of outlets (None: all), store it, and open and close alerts. Return the verdicts.

    Also counts the last days of these outlets for the operator pages (ops.outlet_day), the current day included.
    """
    now = now or datetime.now(UTC)
    with contextlib.closing(warehouse.connect("loader", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            stats = _read_stats(cursor, outlets, now)
            verdicts = {name: evaluate(fact, now) for name, fact in stats.items()}
            for outlet, verdict in verdicts.items():
                known = stats[outlet]
                values = {
                    "outlet": outlet, "state": verdict.state, "reason": verdict.reason, "now": now,
                    "last_new_at": known.last_new_at, "failed_crawls": known.failed_crawls,
                    "first_failed_at": known.first_failed_at, "last_failed_at": known.last_failed_at,
                }  # fmt: skip
                cursor.execute(_SQL["set_health"], values)
            alerts = [Alert(v.state, o, f"{o} is {v.state.replace('_', ' ')}: {v.reason}") for o, v in verdicts.items()]
            alerts = [alert for alert in alerts if alert.cause in ALERTING]
            _update_alerts(cursor, alerts, list(verdicts), now)
        values = {"outlets": list(outlets) if outlets is not None else None, "now": now}
        with transaction(connection) as cursor:
            cursor.execute(
                _SQL["count_days"], {**values, "since": now.astimezone(UTC).date() - timedelta(days=days - 1)}
            )
    return verdicts


def mark_internal_failure(
    warehouse: Warehouse, message: str, crawls: Sequence[UUID], now: datetime | None = None
) -> None:
    """Record that these crawls failed because of us, not the outlets.

    Opens one alert, and resets the backoff that the failures caused, so that no outlet is penalised for them.
    """
    now = now or datetime.now(UTC)
    with contextlib.closing(warehouse.connect("loader", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            values = {"crawls": list(crawls), "no_answer": sorted(NO_ANSWER)}
            for statement in ("reset_backoff_pages", "reset_backoff_endpoints", "reset_backoff_crawls"):
                cursor.execute(_SQL[statement], values)
            _update_alerts(cursor, [Alert("internal_failure", None, message)], [], now)


def long_unreachable(warehouse: Warehouse, outlets: Sequence[str]) -> set[str]:
    """Return those of these outlets whose last five incremental crawls all failed."""
    return {row["outlet"] for row in _run(warehouse, "long_unreachable", {"outlets": list(outlets)})}


def clear_internal_failure(warehouse: Warehouse) -> None:
    """Close the internal failure alert."""
    _run(warehouse, "close_cause", {"cause": "internal_failure", "now": datetime.now(UTC)})


def deliver_alerts(warehouse: Warehouse, send_alerts: Callable[[str, list[Alert], bool], bool]) -> None:
    """Send all open alerts that are new and not muted, then those that were sent and are over.

    send_alerts: called with a cause, its alerts and whether they are over. True marks them as notified. A lock ensures
    that only one process sends at a time.
    """
    now = datetime.now(UTC)
    with contextlib.closing(warehouse.connect("loader", "pressmark alerts")) as connection:
        with session_lock(connection, "pressmark alerts"):
            with transaction(connection) as cursor:
                cursor.execute(_SQL["alerts"])
                rows = [row for row in typed_rows(cursor, OpenAlert) if row.notified_at is None and not row.muted]
                cursor.execute(_SQL["alerts_over"])
                over = cursor.fetchall()
            messages: dict[tuple[str, bool], list[tuple[UUID, Alert]]] = {}
            for row in rows:
                alert = Alert(row.cause, row.outlet, row.message)
                messages.setdefault((row.cause, False), []).append((row.alert_id, alert))
            for alert_id, cause, outlet in over:
                alert = Alert(cause, outlet, _over_message(cause, outlet))
                messages.setdefault((cause, True), []).append((alert_id, alert))
            for (cause, is_over), found in messages.items():
                if send_alerts(cause, [alert for _, alert in found], is_over):
                    with transaction(connection) as cursor:
                        statement = _SQL["over_notified" if is_over else "notified"]
                        cursor.execute(statement, {"now": now, "alerts": [alert_id for alert_id, _ in found]})


def _over_message(cause: str, outlet: str | None) -> str:
    words = cause.replace("_", " ")
    return f"{outlet} is no longer {words}" if outlet else f"{words} is over"


def read_health(warehouse: Warehouse) -> list[OutletHealth]:
    """Return the last evaluated states of all outlets."""
    return _rows(warehouse, "read_health", {}, OutletHealth)


def states_summary(states: Mapping[str, int]) -> str:
    """Return one line for numbers of outlets by state, such as `31 outlets: 28 healthy, 1 paused, 2 need attention`."""
    if not states:
        return "No outlet has been crawled yet."
    groups: Counter[str] = Counter()
    for state, outlets in states.items():
        groups[STATE_GROUPS[state]] += outlets
    words = {group: f"{groups[group]} {group}" for group in STATE_GROUPS.values() if groups[group]}
    if groups["need attention"] == 1:
        words["need attention"] = "1 needs attention"
    return f"{plural(groups.total(), 'outlet')}: {', '.join(words.values())}"


def health_summary(health: Sequence[OutletHealth]) -> str:
    """Return the line of `states_summary` for these outlets."""
    return states_summary(Counter(row.state for row in health))


def read_alerts(warehouse: Warehouse) -> list[OpenAlert]:
    """Return the open alerts."""
    return _rows(warehouse, "alerts", {}, OpenAlert)


def add_mute(
    warehouse: Warehouse, by: str, outlet: str | None, cause: str | None, until: datetime | None, reference: str | None
) -> None:
    """Mute alerts of an outlet and cause (None: all) until a time or while a ticket is open.

    reference: URL or name of the ticket.
    """
    values = {"outlet": outlet, "cause": cause, "until": until, "reference": reference, "by": by}
    _run(warehouse, "add_mute", values)


def remove_mutes(warehouse: Warehouse, outlet: str | None, cause: str | None) -> int:
    """End mutes now. Returns their number.

    outlet: None for mutes that apply to all outlets. cause: None for any cause.
    """
    with contextlib.closing(warehouse.connect("maintainer", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["remove_mutes"], {"outlet": outlet, "cause": cause})
            return cursor.rowcount


def override_outlet(
    warehouse: Warehouse, outlet: str, state: str, reason: str, by: str, until: datetime | None = None
) -> None:
    """Pause, resume or retire an outlet without changing its file."""
    values = {"outlet": outlet, "state": state, "reason": reason, "by": by, "until": until}
    _run(warehouse, "set_override", values)


def read_overrides(warehouse: Warehouse) -> dict[str, Override]:
    """Return the outlets that are paused or retired now, by id."""
    rows = _rows(warehouse, "current_overrides", {"now": datetime.now(UTC)}, Override)
    return {row.outlet: row for row in rows}


def measure_storage(warehouse: Warehouse) -> StorageStats:
    """Measure storage, store the result for today, and estimate when the disk is full.

    Opens an alert if that is soon, and closes it otherwise.
    """
    settings = warehouse.settings
    now = datetime.now(UTC)
    logs = sum(_folder_bytes(folder) for folder in (settings.logs, settings.home / "airflow" / "logs"))
    with contextlib.closing(warehouse.connect("loader", "pressmark doctor")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["measure"], {"now": now, "log_bytes": logs})
            cursor.execute(_SQL["storage_history"])
            sizes = current_storage(settings, cursor.fetchall())
            full = sizes.days_left is not None and sizes.days_left < _MIN_DAYS_LEFT
            if full or sizes.free < settings.min_free_bytes:
                left = plural(round(sizes.days_left), "day") if sizes.days_left is not None else "an unknown time"
                message = (
                    f"The disk has {sizes.free // 2**20:,} MB left and will be full in {left}. "
                    "Free some space, or move the archive (PRESSMARK_ARCHIVE)."
                )
                _update_alerts(cursor, [Alert("disk", None, message)], [], now)
            else:
                cursor.execute(_SQL["close_cause"], {"cause": "disk", "now": now})
    return sizes


def current_storage(settings: Settings, rows: Sequence[tuple[Any, ...]]) -> StorageStats:
    """Estimate from the query `storage_history` and the space that is free now when the disk is full."""
    # Only local growth fills this disk: an external server or a remote archive does not.
    is_local = (settings.database_url is None, "://" not in settings.archive, True)
    return _storage_stats(rows, _free(settings), is_local)


def _storage_stats(rows: Sequence[tuple[Any, ...]], free: int, is_local: tuple[bool, bool, bool]) -> StorageStats:
    day, database, archive, logs, _ = rows[0]
    growth = days_left = None
    if len(rows) > 1:
        first = rows[-1]
        days = (day - first[0]).days
        growths = [now - then for now, then in zip((database, archive, logs), first[1:4], strict=True)]
        growth = sum(growths) / days if days else None
        local_growth = sum(g for g, local in zip(growths, is_local, strict=True) if local) / days if days else 0
        if local_growth > 0:
            days_left = free / local_growth
    return StorageStats(database, archive, logs, free, growth, days_left)


def _update_alerts(cursor: Cursor, alerts: Sequence[Alert], outlets: Sequence[str], now: datetime) -> None:
    for alert in alerts:
        values = {"cause": alert.cause, "outlet": alert.outlet, "message": alert.message, "now": now}
        cursor.execute(_SQL["open_alert"], values)
    causes = {"causes": [a.cause for a in alerts], "of": [a.outlet for a in alerts], "outlets": list(outlets)}
    cursor.execute(_SQL["close_alerts"], {**causes, "now": now})


def _read_stats(cursor: Cursor, outlets: Sequence[str] | None, now: datetime) -> dict[str, OutletStats]:
    values = {
        "outlets": list(outlets) if outlets is not None else None, "now": now,
        "extraction_failures": sorted(EXTRACTION_FAILURES),
        "forbidden": sorted(POLICY_DENIED - NO_ANSWER),
    }  # fmt: skip
    crawls: dict[str, list[Crawl]] = {}
    cursor.execute(_SQL["last_crawls"], values)
    for outlet, *rest in cursor.fetchall():
        crawls.setdefault(outlet, []).append(Crawl(*rest))
    counts: dict[str, dict[int, int]] = {}
    first: dict[str, datetime] = {}
    cursor.execute(_SQL["publishing_pattern"], values)
    for outlet, hour, articles, first_at in cursor.fetchall():
        counts.setdefault(outlet, {})[hour] = articles
        first[outlet] = min(first.get(outlet, first_at), first_at)
    fields = _field_shares(cursor, values)
    cursor.execute(_SQL["outlet_stats"], values)
    return {
        row["outlet"]: OutletStats(
            row["outlet"], row["tier"], row["enabled"], row["override_state"], row["override_reason"],
            row["last_new_at"],
            row["articles"], crawls.get(row["outlet"], ()),
            publishing_pattern(counts[row["outlet"]], (now - first[row["outlet"]]).days / 7)
            if row["outlet"] in counts else {},
            fields.get(row["outlet"], {}),
            row["was_blocked"], row["failed_crawls"], row["first_failed_at"], row["last_failed_at"],
        )
        for row in dict_rows(cursor)
    }  # fmt: skip


def _field_shares(cursor: Cursor, values: dict[str, Any]) -> dict[str, dict[str, list[FieldShare]]]:
    """Return the shares of each outlet and field, of few articles first."""
    cursor.execute(_SQL["fields"], {**values, "windows": list(FIELD_WINDOWS)})
    shares: dict[str, dict[str, list[FieldShare]]] = {}
    for outlet, name, latest, found, present, articles_before, before, examples in cursor.fetchall():
        if found == latest:
            share = FieldShare(latest, present, articles_before, before or 0.0, examples or ())
            shares.setdefault(outlet, {}).setdefault(name, []).append(share)
    return shares


def _rows(warehouse: Warehouse, statement: str, values: dict[str, Any], row_type: type[Row]) -> list[Row]:
    with contextlib.closing(warehouse.connect("maintainer", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL[statement], values)
            return typed_rows(cursor, row_type)


def _run(warehouse: Warehouse, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with contextlib.closing(warehouse.connect("maintainer", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL[statement], values)
            return dict_rows(cursor) if cursor.description else []


def _free(settings: Settings) -> int:
    places = [settings.home]
    if "://" not in settings.archive:
        places.append(Path(settings.archive))
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    return min(shutil.disk_usage(place).free for place in places)


def _folder_bytes(folder: Path) -> int:
    return sum(
        path.stat().st_size
        for parent, _, files in os.walk(folder)
        for name in files
        if (path := Path(parent, name)).exists()
    )
