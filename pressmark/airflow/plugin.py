"""Operator pages inside Airflow. Airflow's API server loads this module (entry point `airflow.plugins`).

Every route requires Airflow's login, including static files. Pages query `mart` as the analyst, with a short time
limit. All content from outlets is escaped. Links are relative, so that the pages work behind a path prefix.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg2
from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pressmark.errors import PressmarkError
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import duration
from pressmark.warehouse.connection import Connection, Warehouse, dict_rows, transaction
from pressmark.warehouse.queries import queries

_QUERY_TIMEOUT = 8  # seconds
_SPARKLINE_HOURS = 48
_FILES = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}

app = FastAPI(title="Pressmark", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)


def _time(value: datetime | None) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if value else ""


def _run_link(row: dict[str, Any]) -> str:
    return f"../dags/{quote(row['dag_id'])}/runs/{quote(row['run_id'], safe='')}"


def _log_link(row: dict[str, Any]) -> str:
    task = "crawl_and_load" if row["dag_id"] == "backfill" else "job.crawl"
    mapped = f"/mapped/{row['map_index']}" if row["map_index"] is not None else "/mapped"
    return f"{_run_link(row)}/tasks/{task}{mapped}"


_templates.filters.update(time=_time, duration=duration, plural=plural)
_templates.globals.update(run_link=_run_link, log_link=_log_link)


@app.get("/", response_class=RedirectResponse)
def home() -> str:
    """Redirect to the Outlets page."""
    return "outlets"


@app.get("/static/{name}")
def static(name: str) -> FileResponse:
    """Serve a style sheet or script. The pages load nothing from other servers."""
    path = _FILES / name
    if path.parent != _FILES or path.suffix not in _TYPES or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "private, max-age=3600"})


@app.get("/outlets", response_class=HTMLResponse)
def outlets() -> str:
    """Outlets page: state and reason, recent articles and last crawl of every outlet."""
    with _open_reader() as reader:
        rows, alerts = reader("outlets"), reader("alerts")
        hourly = {(row["outlet"], row["hour"]): row["articles"] for row in reader("hourly")}
    last = int(datetime.now(UTC).timestamp()) // 3600 * 3600
    for row in rows:
        row["hours"] = [
            hourly.get((row["outlet"], last - 3600 * back), 0) for back in reversed(range(_SPARKLINE_HOURS))
        ]
    counts = Counter(row["state"] for row in rows)
    return _page("outlets.html", "outlets", rows=rows, alerts=alerts, counts=counts)


@app.get("/outlet", response_class=HTMLResponse)
def outlet(id: str) -> str:
    """Outlet page: coverage, outcomes, endpoints, crawls, articles, confidence of texts, rejected URLs, rights."""
    values = {"outlet": id}
    with _open_reader() as reader:
        rows = reader("outlet", **values)
        if not rows:
            raise HTTPException(404, f"There is no outlet {id} in the warehouse.")
        days = reader("coverage", **values)
        sections = {
            "outcomes": _series(reader("outcomes", **values)), "endpoints": reader("endpoints", **values),
            "crawls": reader("crawls_of_outlet", **values), "articles": reader("latest_articles", **values),
            "texts": reader("texts", **values), "failures": reader("latest_failures", **values),
            "rights": (reader("rights", **values) or [{}])[0],
        }  # fmt: skip
    for day in days:
        day["kind"] = _kind(day)
    return _page(
        "outlet.html", "outlet", outlet=rows[0], days=days, padding=days[0]["day"].weekday() if days else 0,
        known_days=sum(day["loaded"] > 0 for day in days), gap_days=sum(not day["observed"] for day in days),
        gap=_last_gap(days), **sections,
    )  # fmt: skip


@app.get("/article", response_class=HTMLResponse)
def article(id: UUID) -> str:
    """Article page: text, changes, copies and provenance."""
    values: dict[str, Any] = {"article": id}
    with _open_reader() as reader:
        rows = reader("article", **values)
        if not rows:
            raise HTTPException(404, f"There is no article {id} in the warehouse. It may have been removed.")
        diff, variants = reader("diff", **values), reader("variants", **values)
        copies = reader("copies", **values, cluster=rows[0]["copy_cluster"])
    return _page("article.html", "article", article=rows[0], diff=diff, variants=variants, copies=copies)


@app.get("/backfills", response_class=HTMLResponse)
def backfills() -> str:
    """Backfills page: plans, progress and results of backfills, and a form to start one."""
    with _open_reader() as reader:
        rows, names = reader("backfills"), [row["outlet"] for row in reader("outlet_names")]
    return _page("backfills.html", "backfills", rows=rows, names=names)


@app.get("/crawls", response_class=HTMLResponse)
def crawls(dag_id: str, run_id: str) -> str:
    """Crawls page: the crawls of one DAG run."""
    with _open_reader() as reader:
        rows = reader("crawls_of_run", dag_id=dag_id, run_id=run_id)
    return _templates.get_template("crawls.html").render(dag_id=dag_id, run_id=run_id, rows=rows)


def _page(template: str, here: str, **values: Any) -> str:
    return _templates.get_template(template).render(here=here, **values)


class _Reader:
    """Run named statements of `page.sql` in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(queries("page")[statement], values)
            return dict_rows(cursor)


@contextlib.contextmanager
def _open_reader() -> Any:
    try:
        connection = Warehouse(Settings.from_env()).connect("analyst", "pressmark page")
        with contextlib.closing(connection), transaction(connection) as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", (f"{_QUERY_TIMEOUT}s",))
            yield _Reader(connection)
    except psycopg2.errors.QueryCanceled as error:
        raise HTTPException(503, f"A query took longer than {_QUERY_TIMEOUT} seconds. Try again.") from error
    except PressmarkError as error:
        raise HTTPException(503, str(error)) from error


def _kind(day: dict[str, Any]) -> str:
    if day["loaded"]:
        return "many" if day["loaded"] >= 5 else "some"
    return "seen" if day["observed"] else "gap"


def _last_gap(days: list[dict[str, Any]]) -> tuple[date, date]:
    """Return the latest gap, at most 31 days, as `[begin, end)` for the form. Yesterday if there is no gap."""
    today = datetime.now(UTC).date()
    end = next((day["day"] for day in reversed(days) if not day["observed"]), None)
    if end is None:
        return today - timedelta(days=1), today
    begin = end
    missing = {day["day"] for day in days if not day["observed"]}
    while begin - timedelta(days=1) in missing and (end - begin).days < 30:
        begin -= timedelta(days=1)
    return begin, end + timedelta(days=1)


def _series(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the ten most frequent outcomes by day, as the chart needs them."""
    if not rows:
        return None
    days = sorted({row["day"] for row in rows})
    totals = Counter[str]()
    for row in rows:
        totals[row["outcome"]] += row["candidates"]
    by_key = {(row["day"], row["outcome"]): row["candidates"] for row in rows}
    series = [
        {"name": name, "values": [by_key.get((day, name), 0) for day in days]} for name, _ in totals.most_common(10)
    ]
    return {"days": [str(day) for day in days], "series": series}


class PressmarkPlugin(AirflowPlugin):
    """Register the pages, and a link to them in Airflow's navigation bar."""

    name = "pressmark"
    fastapi_apps = [{"app": app, "url_prefix": "/pressmark", "name": "Pressmark"}]  # noqa: RUF012 - Airflow's API
    external_views = [  # noqa: RUF012
        {
            "name": "Pressmark",
            "href": "/pressmark/outlets",
            "destination": "nav",
            "url_route": "pressmark",
        }
    ]
