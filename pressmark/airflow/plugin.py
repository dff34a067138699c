"""Pressmark's pages inside Airflow. Loaded by Airflow's API server (entry point `airflow.plugins`).

Every route, the files of style and script too, asks for Airflow's own login. Pages read `mart` as the analyst, with a
short time limit; whatever comes from a page of an outlet is escaped. Links are relative, so that it works behind a
prefix.
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
from pressmark.times import duration
from pressmark.warehouse.connection import Connection, Warehouse, dict_rows, transaction
from pressmark.warehouse.queries import queries

_SECONDS = 8
_HOURS = 48
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


_templates.filters.update(time=_time, duration=duration)
_templates.globals.update(run_link=_run_link, log_link=_log_link)


@app.get("/", response_class=RedirectResponse)
def home() -> str:
    """The list of outlets."""
    return "outlets"


@app.get("/static/{name}")
def static(name: str) -> FileResponse:
    """Styles and scripts that the pages need; nothing comes from another server."""
    path = _FILES / name
    if path.parent != _FILES or path.suffix not in _TYPES or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "private, max-age=3600"})


@app.get("/outlets", response_class=HTMLResponse)
def outlets() -> str:
    """Every outlet: its state and why, what came lately, its last crawl."""
    with _reading() as reader:
        rows, alerts = reader("outlets"), reader("alerts")
        hourly = {(row["outlet"], row["hour"]): row["articles"] for row in reader("hourly")}
    last = int(datetime.now(UTC).timestamp()) // 3600 * 3600
    for row in rows:
        row["hours"] = [hourly.get((row["outlet"], last - 3600 * back), 0) for back in reversed(range(_HOURS))]
    counts = Counter(row["state"] for row in rows)
    return _page("outlets.html", "outlets", rows=rows, alerts=alerts, counts=counts)


@app.get("/outlet", response_class=HTMLResponse)
def outlet(id: str) -> str:
    """One outlet: its days, outcomes, endpoints, latest articles and failures, rights."""
    values = {"outlet": id}
    with _reading() as reader:
        found = reader("outlet", **values)
        if not found:
            raise HTTPException(404, f"There is no outlet {id} in the warehouse.")
        days = reader("coverage", **values)
        told = {
            "outcomes": _series(reader("outcomes", **values)), "endpoints": reader("endpoints", **values),
            "crawls": reader("crawls_of_outlet", **values), "articles": reader("latest_articles", **values),
            "failures": reader("latest_failures", **values), "rights": (reader("rights", **values) or [{}])[0],
        }  # fmt: skip
    for day in days:
        day["kind"] = _kind(day)
    return _page(
        "outlet.html", "outlet", outlet=found[0], days=days, padding=days[0]["day"].weekday() if days else 0,
        known_days=sum(day["loaded"] > 0 for day in days), gap_days=sum(not day["observed"] for day in days),
        gap=_last_gap(days), **told,
    )  # fmt: skip


@app.get("/article", response_class=HTMLResponse)
def article(id: UUID) -> str:
    """One article: its text, what was changed, copies of it, where it comes from."""
    values: dict[str, Any] = {"article": id}
    with _reading() as reader:
        found = reader("article", **values)
        if not found:
            raise HTTPException(404, "There is no such article in the warehouse, or it was removed.")
        diff, variants = reader("diff", **values), reader("variants", **values)
        copies = reader("copies", **values, cluster=found[0]["copy_cluster"])
    return _page("article.html", "article", article=found[0], diff=diff, variants=variants, copies=copies)


@app.get("/backfills", response_class=HTMLResponse)
def backfills() -> str:
    """What was asked for, planned and done; a form for the next one."""
    with _reading() as reader:
        rows, names = reader("backfills"), [row["outlet"] for row in reader("outlet_names")]
    return _page("backfills.html", "backfills", rows=rows, names=names)


@app.get("/crawls", response_class=HTMLResponse)
def crawls(dag_id: str, run_id: str) -> str:
    """The crawls of one run of a DAG."""
    with _reading() as reader:
        rows = reader("crawls_of_run", dag_id=dag_id, run_id=run_id)
    return _templates.get_template("crawls.html").render(dag_id=dag_id, run_id=run_id, rows=rows)


def _page(template: str, here: str, **values: Any) -> str:
    return _templates.get_template(template).render(here=here, **values)


class _Reader:
    """Runs named statements in one read-only transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(queries("page")[statement], values)
            return dict_rows(cursor)


@contextlib.contextmanager
def _reading() -> Any:
    try:
        connection = Warehouse(Settings.from_env()).connect("analyst", "pressmark page")
        with contextlib.closing(connection), transaction(connection) as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", (f"{_SECONDS}s",))
            yield _Reader(connection)
    except psycopg2.errors.QueryCanceled as error:
        raise HTTPException(503, f"The warehouse took longer than {_SECONDS} seconds; try again.") from error
    except PressmarkError as error:
        raise HTTPException(503, str(error)) from error


def _kind(day: dict[str, Any]) -> str:
    if day["loaded"]:
        return "many" if day["loaded"] >= 5 else "some"
    return "seen" if day["observed"] else "gap"


def _last_gap(days: list[dict[str, Any]]) -> tuple[date, date]:
    """The last run of days that nobody looked at, for the form; yesterday where there is none."""
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
    """Outcomes by day as the chart wants them; the ten most frequent."""
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
    """Registers the pages, and a link of their own in Airflow's bar."""

    name = "pressmark"
    fastapi_apps = [{"app": app, "url_prefix": "/pressmark", "name": "Pressmark"}]  # noqa: RUF012 - Airflow's way
    external_views = [  # noqa: RUF012
        {
            "name": "Pressmark",
            "href": "/pressmark/outlets",
            "destination": "nav",
            "url_route": "pressmark",
        }
    ]
