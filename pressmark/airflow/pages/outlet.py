"""Outlet: everything about one outlet, and what can be done about it."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse
from ruamel.yaml import YAML

from pressmark.airflow.pages import charts
from pressmark.airflow.pages.base import Row, open_reader, render
from pressmark.registry import load_registry
from pressmark.settings import Settings

_DAYS = 35

router = APIRouter()


@router.get("/outlet", response_class=HTMLResponse)
def outlet(id: str) -> str:
    """Outlet page."""
    values = {"outlet": id}
    with open_reader() as reader:
        rows = reader("outlet", **values)
        if not rows:
            raise HTTPException(404, f"There is no outlet {id} in the warehouse.")
        coverage = reader("coverage", **values)
        since = datetime.now(UTC).date() - timedelta(days=_DAYS - 1)
        days, outcomes = reader("days", outlets=[id], since=since), reader("outcome_classes")
        sections = {
            "endpoints": reader("endpoints", **values), "crawls": reader("crawls_of_outlet", **values),
            "articles": reader("latest_articles", **values), "rejected": reader("latest_rejected", **values),
            "lines": reader("repeated_lines", **values), "rights": (reader("rights", **values) or [{}])[0],
            "files": [_file(row) for row in reader("outlet_files", **values)],
        }  # fmt: skip
    for day in coverage:
        day["kind"] = _kind(day)
    classes = {row["outcome"]: row["class"] for row in outcomes}
    known = load_registry(Settings.from_env()).find(id)
    return render(
        "outlet.html", "outlets", outlet=rows[0], months=_months(coverage),
        known_days=sum(day["loaded"] > 0 for day in coverage), gap_days=sum(not day["observed"] for day in coverage),
        gap=_last_gap(coverage), reaches_past=known is not None and known.reaches_past,
        outcome_chart=charts.stacked_days(days, classes, f"Outcomes of {id} by day") if days else None,
        words_chart=charts.words_line(days, f"Median words per article of {id} by day")
        if any(day["median_words"] for day in days) else None,
        **sections,
    )  # fmt: skip


def _kind(day: Row) -> str:
    if day["loaded"]:
        return "many" if day["loaded"] >= 5 else "some"
    return "seen" if day["observed"] else "unseen"


def _months(days: list[Row]) -> list[dict[str, Any]]:
    """Group days by month. padding: weekdays (from Monday) before the first day."""
    months = []
    for _, group in groupby(days, key=lambda day: (day["day"].year, day["day"].month)):
        in_month = list(group)
        months.append({
            "name": f"{in_month[0]['day']:%b %Y}", "days": in_month, "padding": in_month[0]["day"].weekday(),
        })  # fmt: skip
    return months


def _last_gap(days: list[Row]) -> tuple[date, date]:
    """Return the latest gap, at most 31 days, as `[begin, end)` for the form. Yesterday if there is no gap."""
    today = datetime.now(UTC).date()
    missing = {day["day"] for day in days if not day["observed"]}
    if not missing:
        return today - timedelta(days=1), today
    end = begin = max(missing)
    while begin - timedelta(days=1) in missing and (end - begin).days < 30:
        begin -= timedelta(days=1)
    return begin, end + timedelta(days=1)


def _file(row: Row) -> Row:
    """Return a version of an outlet's file as YAML, without the keys that have no value."""
    stream = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump({key: value for key, value in row["config"].items() if value not in (None, [], {})}, stream)
    return {"first_used_at": row["first_used_at"], "text": stream.getvalue()}
