"""Task functions of the backfill DAG. Heavy imports are inside the functions: DAG files import this module."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

logger = logging.getLogger(__name__)


def plan_backfill(params: dict[str, Any], dag_id: str, run_id: str, requested_by: str) -> list[dict[str, Any]]:
    """Plan what the form asks for; returns a job an outlet with its chunks, none for a dry run.

    Raises ConfigError for what cannot be asked, saying why.
    """
    from pressmark.airflow.crawl_tasks import log_line
    from pressmark.archive.store import ArchiveStore
    from pressmark.crawl.backfill import BackfillRequest
    from pressmark.crawl.backfill import plan_backfill as plan
    from pressmark.errors import ConfigError
    from pressmark.registry import load_registry
    from pressmark.removal.erasure import apply_pending_removals
    from pressmark.settings import Settings
    from pressmark.times import parse_time
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.migrations import ensure_ready

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    since, until = parse_time(params["since"], "from"), parse_time(params["until"], "to")
    if since is None or until is None:
        raise ConfigError("Both days are needed: from (included) and to (excluded), by date of publication.")
    methods = tuple(params.get("methods") or ()) or None
    outlets = tuple(load_registry(settings.outlets).select(params["outlets"]))
    wanted = BackfillRequest(
        outlets, since, until, methods, params.get("page_budget"), bool(params.get("force_refetch"))
    )
    dry_run = bool(params.get("dry_run"))
    made = plan(
        settings, warehouse, wanted, requested_by=requested_by, dry_run=dry_run, dag_id=dag_id, run_id=run_id,
        on_line=log_line,
    )  # fmt: skip
    for line in made.lines:
        logger.info("PLAN %s", line)
    for outlet in made.outlets:
        for day, counts in sorted(outlet.days.items()):
            logger.info(
                "PLAN %s %s: %d known, %d discoverable, %d missing", outlet.outlet, "no date" if day == "?" else day,
                *(counts.get(name, 0) for name in ("known", "discoverable", "missing")),
            )  # fmt: skip
    if dry_run:
        logger.info("A dry run: nothing is fetched. The same form without it starts the backfill %s.", made.backfill_id)
        return []
    jobs: dict[str, list[str]] = {}
    for name, begin, _, state in made.chunks:
        if state not in ("done", "covered"):
            jobs.setdefault(name, []).append(begin.isoformat())
    return [
        {
            "name": f"{name} ({len(chunks)} {'part' if len(chunks) == 1 else 'parts'})",
            "outlets": [name],
            "backfill_id": str(made.backfill_id),
            "chunks": chunks,
        }
        for name, chunks in jobs.items()
    ]


def crawl_chunks(
    job: dict[str, Any],
    on_start: Callable[[subprocess.Popen[bytes]], None] | None = None,
    run: dict[str, Any] | None = None,
    is_killed: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """The chunks of one outlet, one after the other, each crawled and loaded; counts by state.

    run: dag_id, run_id and map_index of the task. is_killed: whether to stop before the next chunk. Raises
    PressmarkError where one failed; what is done stays done, and a retry goes on with the rest.
    """
    from pressmark.airflow.crawl_tasks import load_job, log_line
    from pressmark.crawl.backfill import run_chunk
    from pressmark.errors import PressmarkError
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse

    settings = Settings.from_env()
    (name,) = job["outlets"]
    outlet = load_registry(settings.outlets).get(name)
    counts: dict[str, int] = {}

    def load() -> None:
        load_job(job)

    for begin in job["chunks"]:
        if is_killed():
            raise PressmarkError(f"{name}: the task was ended; {sum(counts.values())} of its parts were run.")
        state = run_chunk(
            settings, Warehouse(settings), UUID(job["backfill_id"]), outlet, datetime.fromisoformat(begin),
            load=load, on_line=log_line, on_start=on_start, task=run,
        )  # fmt: skip
        counts[state] = counts.get(state, 0) + 1
    if counts.get("failed"):
        raise PressmarkError(f"{name}: {counts['failed']} of {len(job['chunks'])} parts failed; see the log above.")
    return counts


def report_backfill(dag_id: str, run_id: str) -> dict[str, Any]:
    """What came of the backfill of this run: coverage before and after.

    Raises PressmarkError where parts are not done.
    """
    import contextlib

    from pressmark.crawl.backfill import report_backfill as report
    from pressmark.crawl.backfill import report_lines
    from pressmark.errors import PressmarkError
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, transaction
    from pressmark.warehouse.queries import queries

    warehouse = Warehouse(Settings.from_env())
    with contextlib.closing(warehouse.connect("loader", "pressmark report")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(queries("backfill")["for_run"], {"dag_id": dag_id, "run_id": run_id})
            row = cursor.fetchone()
    if row is None:
        raise PressmarkError("Nothing was planned: the log of plan_backfill says why.")
    backfill_id, state = row
    if state == "dry_run":
        logger.info("A dry run: the plan stands in the log of plan_backfill and on the page Backfills.")
        return {"state": state}
    told = report(warehouse, backfill_id)
    for line in report_lines(told):
        logger.info("%s", line)
    if told["state"] != "done":
        raise PressmarkError("Some parts are not done. Trigger the same again, or clear this run, to go on with them.")
    return {"state": told["state"], "outlets": len(told["outlets"])}
