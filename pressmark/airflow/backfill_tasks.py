"""Task functions of the backfill DAG. Heavy imports are inside the functions, because DAG files import this module."""

from __future__ import annotations

import logging
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from pressmark.text import plural

logger = logging.getLogger(__name__)


def plan_backfill(params: dict[str, Any], dag_id: str, run_id: str, requested_by: str) -> list[dict[str, Any]]:
    """Plan the backfill that the form describes. Return the jobs with the chunks of their outlets; none for a dry run.

    A job has one outlet, unless there are too many.

    Raises ConfigError if the form is incomplete or the backfill is not possible.
    """
    from pressmark.airflow.crawl_tasks import log_line
    from pressmark.archive.store import ArchiveStore
    from pressmark.crawl.backfill_plan import BackfillRequest
    from pressmark.crawl.backfill_plan import plan_backfill as plan
    from pressmark.errors import ConfigError
    from pressmark.registry import load_registry
    from pressmark.removal.erasure import apply_pending_removals
    from pressmark.scheduling import job_name, outlet_jobs
    from pressmark.settings import Settings
    from pressmark.times import parse_time
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.migrations import ensure_ready

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    since, until = parse_time(params["since"], "From"), parse_time(params["until"], "To")
    if since is None or until is None:
        raise ConfigError("Set both From (first day of publication) and To (the day after the last one).")
    methods = tuple(params.get("methods") or ()) or None
    outlets = tuple(load_registry(settings).select_groups(params["outlets"], reaching_past=True))
    request = BackfillRequest(
        outlets, since, until, methods, params.get("page_budget"), bool(params.get("force_refetch"))
    )
    dry_run = bool(params.get("dry_run"))
    backfill = plan(
        settings, warehouse, request, requested_by=requested_by, dry_run=dry_run, dag_id=dag_id, run_id=run_id,
        on_line=log_line,
    )  # fmt: skip
    for line in backfill.lines:
        logger.info("PLAN %s", line)
    for outlet in backfill.outlets:
        for day, counts in sorted(outlet.days.items()):
            logger.info(
                "PLAN %s %s: %d known, %d discoverable, %d %s", outlet.outlet, "no date" if day == "?" else day,
                *(counts.get(name, 0) for name in ("known", "discoverable", "missing")), backfill.missing_word,
            )  # fmt: skip
    if dry_run:
        logger.info("Dry run: no article was fetched. To start the backfill, trigger the DAG without Dry run.")
        return []
    chunks: dict[str, list[str]] = {}
    for name, begin, _, state in backfill.chunks:
        if state not in ("done", "covered"):
            chunks.setdefault(name, []).append(begin.isoformat())
    return [
        {
            "name": f"{job_name(job)} ({plural(sum(len(chunks[name]) for name in job), 'chunk')})",
            "outlets": job,
            "backfill_id": str(backfill.backfill_id),
            "chunks": {name: chunks[name] for name in job},
        }
        for job in outlet_jobs(list(chunks))
    ]


def crawl_chunks(
    job: dict[str, Any],
    on_start: Callable[[subprocess.Popen[bytes]], None] | None = None,
    run: dict[str, Any] | None = None,
    is_killed: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Crawl and load the chunks of a job's outlets, one after the other. Return counts by state.

    run: dag_id, run_id and map_index of the task. is_killed: called before each chunk; True stops the task.

    Raises PressmarkError if a chunk failed or the task was stopped, and HostRefuses if the hosts of all outlets refuse
    us. Finished chunks are kept, and a retry runs the rest.
    """
    from pressmark.airflow.crawl_tasks import load_job, log_line
    from pressmark.crawl.backfill import run_chunk
    from pressmark.errors import HostRefuses, PressmarkError
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse

    settings = Settings.from_env()
    counts: Counter[str] = Counter()

    def load() -> None:
        load_job(job)

    refusals = []
    for outlet in load_registry(settings).select(job["outlets"]):
        try:
            for begin in job["chunks"][outlet.id]:
                if is_killed():
                    finished = plural(counts.total(), "chunk")
                    raise PressmarkError(
                        f"{job['name']}: the task was stopped after {finished}. Clear it to run the rest."
                    )
                state = run_chunk(
                    settings, Warehouse(settings), UUID(job["backfill_id"]), outlet, datetime.fromisoformat(begin),
                    load=load, on_line=log_line, on_start=on_start, task=run,
                )  # fmt: skip
                counts[state] += 1
        except HostRefuses as refusal:  # the outlet's other chunks would be refused too
            refusals.append(str(refusal))
    if refusals and len(refusals) == len(job["outlets"]):
        raise HostRefuses("; ".join(refusals))
    if counts["failed"] or refusals:
        total = plural(sum(len(chunks) for chunks in job["chunks"].values()), "chunk")
        refused = "".join(f" {refusal}" for refusal in refusals)
        raise PressmarkError(
            f"{job['name']}: {counts['failed']} of {total} failed. See the log above, then clear this task.{refused}"
        )
    return dict(counts)


def report_backfill(dag_id: str, run_id: str) -> dict[str, Any]:
    """Report the backfill of this run: coverage before and after.

    Raises PressmarkError if no backfill was planned or some chunks are not done.
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
        raise PressmarkError("No backfill was planned. See the log of plan_backfill.")
    backfill_id, state = row
    if state == "dry_run":
        logger.info("Dry run: the plan is in the log of plan_backfill and on the Backfills page.")
        return {"state": state}
    result = report(warehouse, backfill_id)
    for line in report_lines(result):
        logger.info("%s", line)
    if result["state"] != "done":
        raise PressmarkError(
            "Some chunks are not done. To resume, clear this run or trigger the DAG again with the same form."
        )
    return {"state": result["state"], "outlets": len(result["outlets"])}
