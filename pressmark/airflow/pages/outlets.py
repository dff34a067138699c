"""Outlets: one row per outlet, with its state, its counters and its last crawl; and the crawls of one run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse

from pressmark.airflow.pages import charts
from pressmark.airflow.pages.base import open_reader, render
from pressmark.health.monitor import states_summary

_PAGE_SIZE = 50
_SHOWN_DAYS = 14
_DAYS = 35

router = APIRouter()


@router.get("/outlets", response_class=HTMLResponse)
def outlets(q: str = "", state: str = "", tier: str = "", country: str = "", sort: str = "state", page: int = 1) -> str:
    """Outlets page. The filters and the order are in the URL, so that a view can be shared."""
    filters = {"q": q.strip(), "state": state, "tier": tier, "country": country, "sort": sort}
    page = max(page, 1)
    with open_reader() as reader:
        rows = reader("outlets", **filters, limit=_PAGE_SIZE, offset=(page - 1) * _PAGE_SIZE)
        states, tiers = reader("states"), reader("tiers")
        since = datetime.now(UTC).date() - timedelta(days=_DAYS - 1)
        days = reader("days", outlets=[row["outlet"] for row in rows], since=since)
    counts: dict[str, dict[Any, int]] = {}
    for day in days:
        counts.setdefault(day["outlet"], {})[day["day"]] = day["new_articles"]
    for row in rows:
        row["spark"] = _sparkline(counts.get(row["outlet"], {}), row["name"])
    matches = rows[0]["matches"] if rows else 0
    return render(
        "outlets.html", "outlets", rows=rows, filters=filters, page=page, matches=matches,
        pages=max(-(-matches // _PAGE_SIZE), 1), states={row["state"]: row["outlets"] for row in states},
        summary=states_summary({row["state"]: row["outlets"] for row in states}),
        checked_at=max((row["checked_at"] for row in states if row["checked_at"]), default=None),
        tiers=sorted({row["tier"] for row in tiers}), countries=sorted({r["country"] for r in tiers if r["country"]}),
    )  # fmt: skip


@router.get("/outlet-names")
def outlet_names(q: str = "", country: str = "") -> JSONResponse:
    """Ids of enabled outlets for the picker of the backfill form: 20 that match, or all of a country."""
    with open_reader() as reader:
        rows = reader("outlet_names", q=q.strip(), country=country, limit=10_000 if country else 20)
    return JSONResponse(rows)


@router.get("/crawls", response_class=HTMLResponse)
def crawls(dag_id: str, run_id: str) -> str:
    """Crawls page: the crawls of one DAG run."""
    with open_reader() as reader:
        rows = reader("crawls_of_run", dag_id=dag_id, run_id=run_id)
    return render("crawls.html", "crawls", dag_id=dag_id, run_id=run_id, rows=rows)


def _sparkline(counts: dict[Any, int], name: str) -> Any:
    """Return the line of the last 14 days over the band of the three weeks before."""
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(_DAYS))]
    earlier = [counts[day] for day in days[:-_SHOWN_DAYS] if day in counts]
    # Days before the first article say nothing about what is usual.
    while earlier and earlier[0] == 0:
        earlier.pop(0)
    shown = [counts.get(day, 0) for day in days[-_SHOWN_DAYS:]]
    return charts.sparkline(shown, charts.expected_band(earlier), f"New articles of {name} by day: {shown}")
