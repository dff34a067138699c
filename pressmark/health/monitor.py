"""Health of the outlets, alerts, silences, pauses, sizes: reading the facts, writing the verdicts."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.health.rules import ALERTING, NO_ANSWER, Crawl, OutletStats, Verdict, evaluate, publishing_pattern
from pressmark.settings import Settings
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.queries import queries

_SQL = queries("health")
_DAYS_LEFT = 7  # of disk, before an alert

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that an operator should know."""

    cause: str
    outlet: str | None
    message: str


@dataclass(slots=True)
class HealthCheck:
    """What came of a look: verdicts by outlet, and alerts that are over. Who tells the open ones: `hand_out`."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    over: list[Alert] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StorageStats:
    """Bytes of everything, growth a day, and days until the disk is full; None where too little is known."""

    database: int
    archive: int
    logs: int
    free: int
    growth: float | None
    days_left: float | None


def check_health(
    warehouse: Warehouse, outlets: Sequence[str] | None = None, now: datetime | None = None
) -> HealthCheck:
    """Judge outlets (None: all) and write it down; alerts are opened and closed."""
    now = now or datetime.now(UTC)
    with contextlib.closing(warehouse.connect("loader", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            stats = _read_stats(cursor, outlets, now)
            done = HealthCheck({name: evaluate(fact, now) for name, fact in stats.items()})
            for outlet, verdict in done.verdicts.items():
                values = {"outlet": outlet, "state": verdict.state, "reason": verdict.reason, "now": now}
                cursor.execute(_SQL["set_health"], values)
            alerts = [Alert(v.state, o, f"{o} is {v.state}: {v.reason}") for o, v in done.verdicts.items()]
            alerts = [alert for alert in alerts if alert.cause in ALERTING]
            _update_alerts(cursor, alerts, list(done.verdicts), now, done)
    return done


def mark_internal_failure(
    warehouse: Warehouse, message: str, crawls: Sequence[UUID], now: datetime | None = None
) -> None:
    """It is us, not the outlets: one alert, and what failed in these crawls is held against nobody, now or later."""
    now = now or datetime.now(UTC)
    with contextlib.closing(warehouse.connect("loader", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            values = {"crawls": list(crawls), "no_answer": list(NO_ANSWER)}
            for statement in ("reset_backoff_pages", "reset_backoff_endpoints", "reset_backoff_crawls"):
                cursor.execute(_SQL[statement], values)
            _update_alerts(cursor, [Alert("internal_failure", None, message)], [], now, HealthCheck())


def long_unreachable(warehouse: Warehouse, outlets: Sequence[str]) -> set[str]:
    """Those of these outlets whose last crawls all failed, while others' did not: it is not us alone."""
    return {row["outlet"] for row in _run(warehouse, "long_unreachable", {"outlets": list(outlets)})}


def clear_internal_failure(warehouse: Warehouse) -> None:
    """Close the alert about our side."""
    _run(warehouse, "close_cause", {"cause": "internal_failure", "now": datetime.now(UTC)})


def deliver_alerts(warehouse: Warehouse, send_alerts: Callable[[list[Alert]], bool]) -> None:
    """Have what is open, not muted and new told, by one teller at a time; it counts as told where that succeeded."""
    now = datetime.now(UTC)
    with contextlib.closing(warehouse.connect("loader", "pressmark alerts")) as connection:
        with session_lock(connection, "pressmark alerts"):
            with transaction(connection) as cursor:
                cursor.execute(_SQL["alerts"], {"now": now})
                rows = [row for row in dict_rows(cursor) if row["notified_at"] is None and not row["muted"]]
            if rows and send_alerts([Alert(row["cause"], row["outlet"], row["message"]) for row in rows]):
                with transaction(connection) as cursor:
                    cursor.execute(_SQL["notified"], {"now": now, "alerts": [row["alert_id"] for row in rows]})


def read_health(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The states as they were last judged."""
    return _run(warehouse, "read_health", {})


def read_alerts(warehouse: Warehouse) -> list[dict[str, Any]]:
    """What is open, with whether it is muted."""
    return _run(warehouse, "alerts", {"now": datetime.now(UTC)})


def add_mute(
    warehouse: Warehouse, by: str, outlet: str | None, cause: str | None, until: datetime | None, reference: str | None
) -> None:
    """Nobody is told of these alerts until then, or for as long as the reference says."""
    values = {"outlet": outlet, "cause": cause, "until": until, "reference": reference, "by": by}
    _run(warehouse, "add_mute", values)


def remove_mutes(warehouse: Warehouse, outlet: str | None, cause: str | None) -> int:
    """End silences now; returns how many."""
    with contextlib.closing(warehouse.connect("maintainer", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["remove_mutes"], {"outlet": outlet, "cause": cause})
            return cursor.rowcount


def override_outlet(
    warehouse: Warehouse, outlet: str, state: str, reason: str, by: str, until: datetime | None = None
) -> None:
    """Pause, resume or retire an outlet; its file stays as it is."""
    values = {"outlet": outlet, "state": state, "reason": reason, "by": by, "until": until}
    _run(warehouse, "set_override", values)


def read_overrides(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """Outlets that are paused or retired now, with who said so and why."""
    return {row["outlet"]: row for row in _run(warehouse, "current_overrides", {"now": datetime.now(UTC)})}


def measure_storage(warehouse: Warehouse) -> StorageStats:
    """Measure everything, write it down for today, and look ahead; an alert is opened where the disk fills up."""
    settings = warehouse.settings
    now = datetime.now(UTC)
    logs = sum(_folder_bytes(folder) for folder in (settings.logs, settings.home / "airflow" / "logs"))
    with contextlib.closing(warehouse.connect("loader", "pressmark doctor")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["measure"], {"now": now, "log_bytes": logs})
            cursor.execute(_SQL["storage_history"])
            rows = cursor.fetchall()
            # What grows elsewhere does not fill this disk.
            here = (warehouse.embedded is not None, "://" not in settings.archive, True)
            sizes = _storage_stats(rows, _free(settings), here)
            full = sizes.days_left is not None and sizes.days_left < _DAYS_LEFT
            if full or sizes.free < settings.min_free_bytes:
                left = f"{sizes.days_left:.0f} days" if sizes.days_left is not None else "unknown time"
                message = f"The disk has {sizes.free // 2**20} MB left, which lasts for {left}."
                _update_alerts(cursor, [Alert("disk", None, message)], [], now, HealthCheck())
            else:
                cursor.execute(_SQL["close_cause"], {"cause": "disk", "now": now})
    return sizes


def _storage_stats(rows: Sequence[tuple[Any, ...]], free: int, here: tuple[bool, bool, bool]) -> StorageStats:
    day, database, archive, logs, _ = rows[0]
    growth = days_left = None
    if len(rows) > 1:
        first = rows[-1]
        days = (day - first[0]).days
        growths = [now - then for now, then in zip((database, archive, logs), first[1:4], strict=True)]
        growth = sum(growths) / days if days else None
        local = sum(grown for grown, is_here in zip(growths, here, strict=True) if is_here) / days if days else 0
        if local > 0:
            days_left = free / local
    return StorageStats(database, archive, logs, free, growth, days_left)


def _update_alerts(
    cursor: Cursor, alerts: Sequence[Alert], outlets: Sequence[str], now: datetime, done: HealthCheck
) -> None:
    for alert in alerts:
        values = {"cause": alert.cause, "outlet": alert.outlet, "message": alert.message, "now": now}
        cursor.execute(_SQL["open_alert"], values)
    causes = {"causes": [a.cause for a in alerts], "of": [a.outlet for a in alerts], "outlets": list(outlets)}
    cursor.execute(_SQL["close_alerts"], {**causes, "now": now})
    done.over = [Alert(cause, outlet, f"{outlet} is no longer {cause}") for _, cause, outlet in cursor.fetchall()]


def _read_stats(cursor: Cursor, outlets: Sequence[str] | None, now: datetime) -> dict[str, OutletStats]:
    values = {"outlets": list(outlets) if outlets is not None else None, "now": now}
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
    shares: dict[str, dict[bool, dict[str, Any]]] = {}
    cursor.execute(_SQL["fields"], values)
    for row in dict_rows(cursor):
        shares.setdefault(row.pop("outlet"), {})[row.pop("recent")] = row
    cursor.execute(_SQL["outlet_stats"], values)
    return {
        row["outlet"]: OutletStats(
            row["outlet"], row["tier"], row["enabled"], row["override_state"], row["override_reason"],
            row["last_new_at"],
            row["articles"], crawls.get(row["outlet"], ()),
            publishing_pattern(counts[row["outlet"]], (now - first[row["outlet"]]).days / 7)
            if row["outlet"] in counts else {},
            _fields(shares.get(row["outlet"], {})),
            row["was_blocked"],
        )
        for row in dict_rows(cursor)
    }  # fmt: skip


def _fields(shares: dict[bool, dict[str, Any]]) -> dict[str, tuple[float, float]]:
    recent, before = shares.get(True), shares.get(False)
    if recent is None or before is None or recent["articles"] < 10 or before["articles"] < 20:
        return {}
    names = ("headline", "authors", "date_published", "article_body")
    return {name: (recent[name] or 0.0, before[name] or 0.0) for name in names}


def _run(warehouse: Warehouse, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with contextlib.closing(warehouse.connect("maintainer", "pressmark health")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL[statement], values)
            return dict_rows(cursor) if cursor.description else []


def _free(settings: Settings) -> int:
    places = [settings.home]
    if "://" not in settings.archive:
        places.append(Path(settings.archive))
    return min(shutil.disk_usage(place).free for place in places if place.exists())


def _folder_bytes(folder: Path) -> int:
    return sum(
        path.stat().st_size
        for parent, _, files in os.walk(folder)
        for name in files
        if (path := Path(parent, name)).exists()
    )
