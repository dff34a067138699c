"""Task functions of the crawl DAGs. Heavy imports are inside the functions, because DAG files import this module."""

from __future__ import annotations

import contextlib
import logging
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pressmark.text import plural

if TYPE_CHECKING:
    from pressmark.scheduling import PlannedCrawl
    from pressmark.warehouse.connection import Warehouse

logger = logging.getLogger(__name__)
_PLANNED_AT_ONCE = 500  # outlets
_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:]+Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) ([\w.]+): (.*)$")


def requester(run: Any) -> str:
    """Who asked for a DAG run: the person who triggered it, or else the DAG."""
    person = getattr(run, "triggering_user_name", None)
    return f"{person} (Airflow)" if person else f"Airflow {run.dag_id}"


def plan_tier(tier: str, context: dict[str, Any]) -> list[dict[str, Any]]:
    """Write a crawl request for each enabled outlet of a tier. Return the jobs: names and ids only.

    The param `outlets` replaces the outlets of the tier. A run of type backfill requests a window of publication dates.
    Every other run is incremental; it leaves out outlets that an earlier run is still crawling. A scheduled run of the
    hourly tier adds outlets of other tiers that could not be read and whose back-off has ended.

    Raises ConfigError if the param names an unknown outlet, or only outlets that are paused.
    """
    from pressmark.archive.store import ArchiveStore
    from pressmark.errors import ConfigError
    from pressmark.health.monitor import read_overrides
    from pressmark.registry import load_registry
    from pressmark.removal.erasure import apply_pending_removals
    from pressmark.scheduling import batch_jobs, job_name, outlets_for_tier, run_window
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, transaction
    from pressmark.warehouse.crawl_requests import add_requests
    from pressmark.warehouse.migrations import ensure_ready

    settings = Settings.from_env()
    registry = load_registry(settings)
    for problem in registry.problems:
        logger.warning("%s", problem)
    run = context["dag_run"]
    window = run_window(run.run_type, context.get("data_interval_start"), context.get("data_interval_end"))
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    named = (context.get("params") or {}).get("outlets")
    if named:
        outlets = {outlet.id: outlet for outlet in registry.select(named)}
    else:
        outlets = {outlet.id: outlet for outlet in outlets_for_tier(registry.outlets.values(), tier)}
        if tier == "hourly" and run.run_id.startswith("scheduled__"):
            for (name,) in _rows(warehouse, "retries_due", {}):
                outlet = registry.find(name)
                if outlet and outlet.enabled and outlet.id not in outlets:
                    logger.info("%s: added, because its last crawl got no listing", outlet.id)
                    outlets[outlet.id] = outlet
    for outlet_id, override in read_overrides(warehouse).items():
        if outlets.pop(outlet_id, None):
            logger.info("%s: skipped, %s by %s: %s", outlet_id, override.state, override.set_by, override.reason)
            if named and not outlets:
                raise ConfigError(
                    f"{outlet_id} is {override.state} by {override.set_by}: {override.reason}. "
                    f"`pressmark outlet resume {outlet_id}` resumes it."
                )
    if not outlets:
        logger.info("No outlet of the tier %s is enabled in %s. Nothing to do.", tier, settings.outlets)
        return []
    if window.mode == "incremental":
        for outlet_id, other in _still_crawled(warehouse, context).items():
            if outlets.pop(outlet_id, None):
                logger.info("%s: skipped, the run %s is still crawling it", outlet_id, other)
    if window.mode == "window":
        for outlet in [outlet for outlet in outlets.values() if not outlet.reaches_past]:
            logger.info("%s: skipped, no endpoint in its file reaches the past", outlet.id)
            del outlets[outlet.id]
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    ids: dict[str, UUID] = {}
    with contextlib.closing(warehouse.connect("loader", "pressmark plan")) as connection:
        planned = list(outlets.values())
        for begin in range(0, len(planned), _PLANNED_AT_ONCE):
            with transaction(connection) as cursor:
                requests = add_requests(
                    cursor,
                    planned[begin : begin + _PLANNED_AT_ONCE],
                    requested_by=requester(run),
                    mode=window.mode,
                    start=window.start,
                    end=window.end,
                    dag_id=run.dag_id,
                    run_id=run.run_id,
                )
            ids.update((request.outlet, request.request_id) for request in requests)
    jobs = [
        {"name": job_name(job), "requests": [str(ids[o]) for o in job], "outlets": job} for job in batch_jobs(list(ids))
    ]
    logger.info("Planned %s in %s", plural(len(ids), "outlet"), plural(len(jobs), "job"))
    return jobs


def _still_crawled(warehouse: Warehouse, context: dict[str, Any]) -> dict[str, str]:
    """Return the outlets that other runs of this DAG are still crawling, with the id of the run."""
    run = context["dag_run"]
    unfinished = _rows(warehouse, "unfinished_runs", {"dag_id": run.dag_id, "run_id": run.run_id})
    if not unfinished:
        return {}
    running = {
        run_id
        for run_id in {row[1] for row in unfinished}
        if context["ti"].get_dr_count(dag_id=run.dag_id, run_ids=[run_id], states=["queued", "running"])
    }
    return {outlet: run_id for outlet, run_id in unfinished if run_id in running}


def crawl_job(
    job: dict[str, Any],
    is_retry: bool = False,
    on_start: Callable[[subprocess.Popen[bytes]], None] | None = None,
    map_index: int | None = None,
) -> dict[str, Any]:
    """Run the crawls of a job in one process. Its log lines go to the task's log. Return counts by outcome.

    is_retry: run only crawls that failed because of this installation. on_start: called with the process, so that it
    can be stopped early. map_index: index of the mapped task, stored so that the log of a crawl can be found.

    Raises ConfigError for an error that a retry cannot fix, OutletsFailed if all failed crawls failed because of their
    outlets, and otherwise PressmarkError. The message names the outlets and the reasons.
    """
    from pressmark.crawl.process import run_crawls
    from pressmark.crawl_summary import outcome_summary
    from pressmark.errors import ConfigError, OutletsFailed, PressmarkError

    requests = [UUID(request) for request in job["requests"]]
    _remember_task(requests, map_index)
    to_run = requests
    if is_retry:
        to_run = [crawl.request_id for crawl in _planned(requests) if crawl.may_be_retried]
        if not to_run:
            logger.info("%s: nothing to retry", job["name"])
            return {"outlets": len(job["outlets"]), "failed": 0}
    run = run_crawls(to_run, log=None, on_line=log_line, on_start=on_start)
    if run.error and run.exit_code == ConfigError.exit_code:
        raise ConfigError(run.error)
    crawls = _planned(requests)
    failed = [crawl for crawl in crawls if crawl.problem is not None]
    outcomes: Counter[str] = Counter()
    for crawl in crawls:
        outcomes.update(crawl.outcomes)
        if crawl.is_waiting:
            logger.info("%s: %s", crawl.outlet, crawl.why_it_waits)
    summary = outcome_summary(outcomes) or "; ".join(sorted({crawl.summary for crawl in crawls}))
    succeeded = len(crawls) - len(failed)
    logger.info("%s: %d of %s succeeded: %s", job["name"], succeeded, plural(len(crawls), "crawl"), summary)
    if failed or run.error:
        # The file of an outlet that was not crawled is missing or wrong, if the process said so.
        bad_files = {
            c.outlet: run.closed[c.outlet]["error"] for c in failed if not c.crawl_id and c.outlet in run.closed
        }
        reasons = [run.error] if run.error else []
        reasons += [f"{crawl.outlet}: {bad_files.get(crawl.outlet, crawl.problem)}" for crawl in failed]
        message = "; ".join(reasons)
        if not run.error and not any(crawl.may_be_retried for crawl in failed if crawl.outlet not in bad_files):
            raise OutletsFailed(message)
        raise PressmarkError(message)
    return {"outlets": len(job["outlets"]), "failed": 0, **outcomes}


def load_job(job: dict[str, Any]) -> dict[str, int]:
    """Load the segments that the crawls of a job committed, including failed crawls. Return counts.

    Raises LoadError with the segments that could not be loaded.
    """
    from pressmark.archive.store import ArchiveStore
    from pressmark.errors import LoadError
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor
    from pressmark.warehouse.load import load_segments, segments_to_load

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    page_extractor = ArchivedPageExtractor(load_registry(settings), ArchiveStore(settings.archive))
    try:
        segments = segments_to_load(warehouse, job["outlets"])
        done = load_segments(warehouse, [(s, o) for s, o, _ in segments], page_extractor)
    finally:
        page_extractor.close()
    captures = sum(segment.captures or 0 for segment in done)
    logger.info("Loaded %s with %s", plural(len(done), "segment"), plural(captures, "capture"))
    errors = [f"{s.outlet}: segment {s.segment_id}: {s.error}" for s in done if s.error]
    if errors:
        raise LoadError("; ".join(errors))
    return {"segments": len(done), "captures": captures}


def cluster_loaded() -> dict[str, int]:
    """Find copies of all articles loaded since the last clustering, by any run. Return counts."""
    from pressmark.settings import Settings
    from pressmark.warehouse.cluster_queue import cluster_queued
    from pressmark.warehouse.connection import Warehouse

    result = cluster_queued(
        Warehouse(Settings.from_env()),
        lambda done, waiting: logger.info("%s checked, %d waiting", plural(done, "article"), waiting),
    )
    articles, copies = plural(result.articles, "article"), plural(result.copies, "copy", "copies")
    logger.info("Checked %s: %s found, %d changed their cluster", articles, copies, result.changed)
    return {"articles": result.articles, "copies": result.copies, "changed": result.changed}


def evaluate_job(job: dict[str, Any], dag_id: str, run_id: str) -> None:
    """Evaluate the health of a job's outlets, without waiting for the other jobs of the run."""
    from pressmark.airflow.health_tasks import check_ended_crawls
    from pressmark.scheduling import CrawlEnd
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse

    warehouse = Warehouse(Settings.from_env())
    ends = [CrawlEnd(*row) for row in _rows(warehouse, "ended", {"dag_id": dag_id, "run_id": run_id})]
    check_ended_crawls(ends, job["outlets"], _tier(dag_id, run_id))


def _tier(dag_id: str, run_id: str) -> str | None:
    """Return the tier of a scheduled run. None for a run that a person triggered: all its outlets count alike."""
    return dag_id.removeprefix("crawl_") if run_id.startswith("scheduled__") else None


def audit_run(dag_id: str, run_id: str, planned: bool = True, clustered: bool = True) -> dict[str, Any]:
    """Evaluate a run from the database. Return its counts.

    planned, clustered: whether these tasks succeeded. Raises RunFailed if one did not, if the run is over its failure
    budget or if a ledger does not add up.
    """
    from pressmark.airflow.health_tasks import check_run_health
    from pressmark.errors import RunFailed
    from pressmark.registry import load_registry
    from pressmark.scheduling import audit
    from pressmark.settings import Settings

    if not planned:
        raise RunFailed("Nothing was planned. See the log of the task plan.")
    rows = _planned(dag_id=dag_id, run_id=run_id)
    result = audit(rows, _tier(dag_id, run_id))
    for line in result.lines:
        logger.info("%s", line)
    for problem in load_registry(Settings.from_env()).problems:
        logger.warning("skipped  %s", problem)
    if not clustered:
        result.problems.append(
            "Finding copies failed. See the log of the task cluster. The next run finds the missing copies."
        )
    check_run_health(dag_id, rows, result.unanswered, _tier(dag_id, run_id))
    if result.problems:
        raise RunFailed(" ".join(result.problems))
    return {
        "outlets": result.outlets,
        "failed": len(result.failed),
        "empty": len(result.empty),
        "outcomes": result.counts,
    }


def log_line(line: str) -> None:
    """Log a line of the crawl process with its original level and logger name."""
    match = _LOG_LINE.match(line)
    if match:
        level, name, message = match.groups()
        logging.getLogger(name).log(logging.getLevelNamesMapping()[level], "%s", message)
    else:
        logger.info("%s", line)


def _remember_task(requests: Sequence[UUID], map_index: int | None) -> None:
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, transaction
    from pressmark.warehouse.queries import queries

    if map_index is None or map_index < 0:
        return
    connection = Warehouse(Settings.from_env()).connect("loader", "pressmark crawl")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("plan")["remember_task"], {"requests": list(requests), "map_index": map_index})


def _rows(warehouse: Warehouse, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    from pressmark.warehouse.connection import transaction
    from pressmark.warehouse.queries import queries

    connection = warehouse.connect("loader", "pressmark plan")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("plan")[statement], values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _planned(requests: Sequence[UUID] = (), dag_id: str | None = None, run_id: str | None = None) -> list[PlannedCrawl]:
    """Return these crawl requests, or those of a run, each with its last crawl."""
    from pressmark.scheduling import planned_crawls
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
    from pressmark.warehouse.queries import queries

    connection = Warehouse(Settings.from_env()).connect("loader", "pressmark audit")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("plan")["planned"], {"requests": list(requests), "dag_id": dag_id, "run_id": run_id})
        return planned_crawls(dict_rows(cursor))
