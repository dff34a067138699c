"""Runs backfills, which fetch what outlets published between two dates.

A backfill is planned before any article is fetched (`pressmark.crawl.backfill_plan`). It runs in chunks of one outlet
and one calendar month. A chunk that is done is not repeated, neither when the backfill is resumed nor by another
backfill of the same dates. Pages in the warehouse are not fetched again unless `force_refetch` is set.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from pressmark.crawl.process import CrawlRun, Event, run_crawls
from pressmark.crawl_types import ENDED_WELL
from pressmark.errors import HostRefuses
from pressmark.outcomes import NO_ANSWER
from pressmark.outlet import Outlet
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.warehouse.backfills import FINISHED, coverage, read_backfill, read_chunks, update_chunk
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.crawl_requests import add_request
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.queries import queries

_MAX_ATTEMPTS = 3  # for a chunk in which listings or pages do not respond
_SQL = queries("backfill")

logger = logging.getLogger(__name__)


class _ChunkResult(NamedTuple):
    """The state of a chunk after its crawl. is_refused: the host refuses us, so other chunks would fail too."""

    state: str
    detail: str | None = None
    is_refused: bool = False


def run_chunk(
    settings: Settings,
    warehouse: Warehouse,
    backfill_id: UUID,
    outlet: Outlet,
    since: datetime,
    *,
    load: Callable[[], None],
    task: Mapping[str, Any] | None = None,
    on_event: Callable[[Event], None] | None = None,
    on_line: Callable[[str], None] | None = None,
    on_start: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> str:
    """Crawl one chunk and load its articles. Return the chunk's state.

    Skips a chunk that is finished and waits for one that another process is running. task: dag_id, run_id and
    map_index of the Airflow task. Raises HostRefuses if the host refuses us, because the next chunks would fail too.
    """
    with (
        contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection,
        session_lock(connection, f"pressmark backfill {backfill_id} {outlet.id} {since:%Y-%m-%d}"),
    ):
        with transaction(connection) as cursor:
            backfill = read_backfill(cursor, backfill_id)
            chunk = next(c for c in read_chunks(cursor, backfill_id) if (c.outlet, c.since) == (outlet.id, since))
            if chunk.state in FINISHED:
                return chunk.state
            crawl_request = add_request(
                cursor, outlet, requested_by=backfill.requested_by, mode="window", start=since, end=chunk.until,
                methods=tuple(backfill.methods) if backfill.methods else None, page_budget=backfill.page_budget,
                force_refetch=backfill.force_refetch,
            )  # fmt: skip
            request_id = crawl_request.request_id
            update_chunk(cursor, backfill_id, outlet.id, since, "running", request_id, None)
            if task:
                cursor.execute(_SQL["remember_task"], {**task, "request_id": request_id, "chunk": f"{since:%Y-%m-%d}"})
        log = None if on_line else settings.logs / "crawl.log"
        run = run_crawls([request_id], log, on_event, on_line=on_line, on_start=on_start)
        load()
        with transaction(connection) as cursor:
            state, detail, is_refused = _chunk_result(cursor, request_id, run, chunk.attempts + 1)
            update_chunk(cursor, backfill_id, outlet.id, since, state, request_id, detail)
    logger.info("%s %s: %s%s", outlet.id, f"{since:%Y-%m}", state, f" ({detail})" if detail else "")
    if is_refused:
        raise HostRefuses(f"{outlet.id}: {detail}")
    return state


def report_backfill(warehouse: Warehouse, backfill_id: UUID) -> dict[str, Any]:
    """Report the result of a backfill by outlet. Store the report and the backfill's state."""
    with contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection:
        with transaction(connection) as cursor:
            backfill = read_backfill(cursor, backfill_id)
            chunks = read_chunks(cursor, backfill_id)
            cursor.execute(_SQL["outcomes"], {"backfill_id": backfill_id})
            outcomes: dict[str, dict[str, int]] = {}
            for outlet, outcome, count in cursor.fetchall():
                outcomes.setdefault(outlet, {})[outcome] = count
            cursor.execute(_SQL["requests"], {"backfill_id": backfill_id})
            requests = dict(cursor.fetchall())
            report: dict[str, Any] = {}
            for outlet in backfill.outlets:
                before = backfill.plan.get(outlet, {})
                after = coverage(cursor, outlet, backfill.since, backfill.until)
                own_chunks = [chunk for chunk in chunks if chunk.outlet == outlet]
                report[outlet] = {
                    "articles_before": before.get("known", 0),
                    "articles_after": sum(after.values()),
                    "days_before": len([d for d, n in before.get("days", {}).items() if n.get("known")]),
                    "days_after": len(after),
                    "requests": requests.get(outlet, 0),
                    "outcomes": outcomes.get(outlet, {}),
                    "chunks": dict(sorted(Counter(chunk.state for chunk in own_chunks).items())),
                    "problems": [
                        f"{chunk.since:%Y-%m}: {chunk.detail}"
                        for chunk in own_chunks
                        if chunk.state in ("failed", "partial")
                    ],
                    "error": before.get("error"),
                }
            is_done = all(chunk.state in FINISHED for chunk in chunks) and not any(
                outlet_report["error"] for outlet_report in report.values()
            )
            state = "done" if is_done else "unfinished"
            values = {"backfill_id": backfill_id, "state": state, "report": Json(report)}
            cursor.execute(_SQL["finish"], values)
    return {"backfill_id": str(backfill_id), "state": state, "outlets": report}


def report_lines(report: dict[str, Any]) -> list[str]:
    """Format a report as text: one line per outlet, its problems, then the state of the backfill."""
    lines = []
    for outlet, result in report["outlets"].items():
        outcomes = ", ".join(f"{count} {name}" for name, count in sorted(result["outcomes"].items())) or "nothing to do"
        lines.append(
            f"{outlet}: {plural(result['articles_before'], 'article')} on {plural(result['days_before'], 'day')} "
            f"before, {result['articles_after']} on {plural(result['days_after'], 'day')} after; "
            f"{plural(result['requests'], 'request')}; {outcomes}"
        )
        lines += [f"{outlet}: {problem}" for problem in result["problems"]]
        if result["error"]:
            lines.append(f"{outlet}: {result['error']}")
    lines.append(
        "All chunks are done."
        if report["state"] == "done"
        else "Some chunks are not done. To resume, start the same backfill again."
    )
    return lines


def _chunk_result(cursor: Cursor, request_id: UUID, run: CrawlRun, attempts: int) -> _ChunkResult:
    cursor.execute(_SQL["left_open"], {"request_id": request_id, "no_answer": sorted(NO_ANSWER)})
    row = cursor.fetchone()
    if row is None or row[0] is None:
        return _ChunkResult("failed", run.error or "the crawl was killed")
    finish_reason, error, pages_left, unanswered_pages, unanswered_listings = row
    if finish_reason not in ENDED_WELL:
        detail = error or f"its crawl ended with the finish reason {finish_reason}"
        return _ChunkResult("failed", detail, is_refused=finish_reason == "refused")
    if pages_left:
        return _ChunkResult("partial", f"{plural(pages_left, 'page')} left because a budget was used up")
    if finish_reason == "budget":
        return _ChunkResult("partial", "the time budget was used up before all listings were read")
    if unanswered_listings or unanswered_pages:
        detail = f"{plural(unanswered_listings, 'listing')} and {plural(unanswered_pages, 'page')} did not respond"
        if attempts < _MAX_ATTEMPTS:
            return _ChunkResult("partial", detail)
        return _ChunkResult("done", f"{detail} in {attempts} attempts")
    return _ChunkResult("done")
