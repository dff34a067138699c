"""What all operator pages share: templates, queries, links into Airflow, times."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg2
from croniter import croniter
from fastapi import HTTPException
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pressmark.airflow.pages import charts
from pressmark.crawl_summary import no_candidates, outcome_summary
from pressmark.errors import PressmarkError
from pressmark.scheduling import TIER_SCHEDULES
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import age, duration
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.queries import queries

_QUERY_TIMEOUT = 8  # seconds
_SHOWN_URL = 70  # characters

Row = dict[str, Any]
Reader = Callable[..., list[Row]]
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)


def render(template: str, here: str, **values: Any) -> str:
    """Return a page. here: its name in the navigation."""
    return _templates.get_template(template).render(here=here, now=datetime.now(UTC), **values)


@contextlib.contextmanager
def open_reader() -> Iterator[Reader]:
    """Yield a function that runs named statements of `page.sql`, all in one transaction.

    Raises HTTPException 503 if the warehouse does not answer, or not in time.
    """
    try:
        connection = Warehouse(Settings.from_env()).connect("analyst", "pressmark page")
        with contextlib.closing(connection), transaction(connection) as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", (f"{_QUERY_TIMEOUT}s",))

            def read(statement: str, **values: Any) -> list[Row]:
                cursor.execute(queries("page")[statement], values)
                return dict_rows(cursor)

            yield read
    except psycopg2.errors.QueryCanceled as error:
        raise HTTPException(503, f"A query took longer than {_QUERY_TIMEOUT} seconds. Try again.") from error
    except PressmarkError as error:
        raise HTTPException(503, str(error)) from error


def run_link(row: Mapping[str, Any]) -> str:
    """Return the path of a DAG run in Airflow's UI."""
    return f"../dags/{quote(row['dag_id'])}/runs/{quote(row['run_id'], safe='')}"


def log_link(row: Mapping[str, Any]) -> str:
    """Return the path of the log of a crawl in Airflow's UI."""
    task = "crawl_and_load" if row["dag_id"] == "backfill" else "job.crawl"
    mapped = f"/mapped/{row['map_index']}" if row["map_index"] is not None else "/mapped"
    return f"{run_link(row)}/tasks/{task}{mapped}"


def next_due(row: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when a scheduled crawl polls an outlet next; None if it is not scheduled. row: of mart.outlet_health."""
    if row["override"] or not row["enabled"]:
        return None
    own = TIER_SCHEDULES[row["tier"]]
    waiting = row["waiting_until"]
    if waiting is None or waiting <= now:
        return _next(own, now)
    return min(_next(own, waiting), _next(TIER_SCHEDULES["hourly"], waiting))  # the hourly DAG retries slower tiers


def _next(cron: str, after: datetime) -> datetime:
    due: datetime = croniter(cron, after.astimezone(UTC)).get_next(datetime)
    return due


def query_string(values: Mapping[str, Any], **changes: Any) -> str:
    """Return a query string with some values changed, without empty ones."""
    merged = {name: value for name, value in {**values, **changes}.items() if value not in ("", None)}
    return "?" + urlencode(merged)


def _time(value: datetime | None, style: str = "full") -> Markup:
    """Return a time as an element that the script shows in Airflow's time zone. Without the script it is in UTC."""
    if value is None:
        return Markup("")
    utc = value.astimezone(UTC)
    text = _ago(value) if style == "ago" else f"{utc:%Y-%m-%d %H:%M} UTC"
    return Markup('<time datetime="{}" data-style="{}">{}</time>').format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", style, text)


def _ago(value: datetime) -> str:
    span = datetime.now(UTC) - value
    if abs(span.total_seconds()) < 30:
        return "just now"
    return f"in {age(-span)}" if span.total_seconds() < 0 else f"{age(span)} ago"


def _short_url(url: str) -> str:
    """Return a URL without its scheme, shortened in the middle."""
    shown = url.split("://", 1)[-1]
    return shown if len(shown) <= _SHOWN_URL else f"{shown[:40]}…{shown[-(_SHOWN_URL - 41) :]}"


def _crawl_result(row: Mapping[str, Any], most: int | None = None) -> str:
    """Return what a crawl brought, in words. most: name only so many outcomes, the most frequent ones."""
    outcomes = Counter(row["outcomes"] or {})
    summary = outcome_summary(dict(outcomes.most_common(most))).replace("_", " ")
    if most is not None and len(outcomes) > most:
        summary += f" and {plural(len(outcomes) - most, 'other outcome')}"
    return summary or no_candidates(row["finish_reason"], row["listed"] or 0, row["unchanged"] or 0)


def _percent(part: int | None, total: int | None) -> str:
    return f"{part / total:.0%}" if part is not None and total else ""


_templates.filters.update(
    time=_time, ago=lambda value: _time(value, "ago"), duration=duration, plural=plural, short_url=_short_url,
    words=lambda text: (text or "").replace("_", " "), crawl_result=_crawl_result,
)  # fmt: skip
_templates.globals.update(
    run_link=run_link, log_link=log_link, next_due=next_due, query_string=query_string, percent=_percent, charts=charts
)
