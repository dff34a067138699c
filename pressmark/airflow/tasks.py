"""The functions behind the DAGs' tasks. Heavy imports happen inside, since DAG files import this module."""

from __future__ import annotations

import contextlib
import logging
import re
import subprocess
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

logger = logging.getLogger(__name__)
_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:]+Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) ([\w.]+): (.*)$")


def plan_tier(tier: str, context: dict[str, Any]) -> list[dict[str, Any]]:
    """Write a crawl request for each enabled outlet of a tier; returns the jobs, names and ids alone.

    A run of the type backfill asks for a window of publication, every other one is incremental.
    """
    from pressmark.archive.store import ArchiveStore
    from pressmark.planning import asked_by, job_name, jobs_of, outlets_of_tier
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, transaction
    from pressmark.warehouse.health import switched_off
    from pressmark.warehouse.migrations import ensure_ready
    from pressmark.warehouse.removals import catch_up
    from pressmark.warehouse.requests import add_request

    settings = Settings.from_env()
    registry = load_registry(settings.outlets)
    for problem in registry.problems:
        logger.warning("%s", problem)
    outlets = {outlet.id: outlet for outlet in outlets_of_tier(registry.outlets.values(), tier)}
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    for outlet_id, row in switched_off(warehouse).items():
        if outlets.pop(outlet_id, None):
            by, why = row["switched_by"], row["reason"]
            logger.info("%s: left out, %s by %s: %s", outlet_id, row["state"], by, why)
    if not outlets:
        logger.info("No outlet of the tier %s is enabled in %s: nothing to do.", tier, settings.outlets)
        return []
    run = context["dag_run"]
    asked = asked_by(run.run_type, context.get("data_interval_start"), context.get("data_interval_end"))
    if asked.mode == "window":
        for outlet in [outlet for outlet in outlets.values() if not outlet.reaches_past]:
            logger.info("%s: left out, no endpoint of its file reaches the past", outlet.id)
            del outlets[outlet.id]
    catch_up(warehouse, ArchiveStore(settings.archive))
    ids: dict[str, UUID] = {}
    with contextlib.closing(warehouse.connect("loader", "pressmark plan")) as connection:
        for outlet in outlets.values():
            with transaction(connection) as cursor:
                request = add_request(
                    cursor,
                    outlet,
                    requested_by=f"Airflow {run.dag_id}",
                    mode=asked.mode,
                    start=asked.start,
                    end=asked.end,
                    dag_id=run.dag_id,
                    run_id=run.run_id,
                )
                ids[outlet.id] = request.request_id
    jobs = [
        {"name": job_name(job), "requests": [str(ids[o]) for o in job], "outlets": job} for job in jobs_of(list(ids))
    ]
    logger.info("%d outlets in %d jobs", len(ids), len(jobs))
    return jobs


def crawl_job(
    job: dict[str, Any],
    is_retry: bool = False,
    on_start: Callable[[subprocess.Popen[bytes]], None] | None = None,
    map_index: int | None = None,
) -> dict[str, Any]:
    """Run the crawls of a job in one process, its log lines into ours.

    is_retry: leave out the crawls that have ended well already. on_start: given the process, to end it early.
    map_index: of the task, so that the log of a crawl is found.
    Raises ConfigError for what a retry cannot mend, PressmarkError naming the outlets whose crawls did not end well.
    """
    from pressmark.crawl.process import run_crawls
    from pressmark.errors import ConfigError, HostRefuses, PressmarkError
    from pressmark.planning import judge_crawl

    requests = [UUID(request) for request in job["requests"]]
    _remember_task(requests, map_index)
    if is_retry:
        rows = _planned(requests)
        refused = {r["request_id"] for r in rows if (judge_crawl(r) or "").startswith(HostRefuses.BEGINNING)}
        ended_well = {row["request_id"] for row in rows if not judge_crawl(row)}
        requests = [request for request in requests if request not in ended_well | refused]
        if not requests:
            logger.info("%s: all crawls have ended well already", job["name"])
            return {"outlets": len(job["outlets"]), "failed": 0}
    run = run_crawls(requests, log=None, on_line=log_line, on_start=on_start)
    if run.error and run.exit_code == ConfigError.exit_code:
        raise ConfigError(run.error)
    rows = _planned(requests)
    failed = {row["outlet"]: why for row in rows if (why := judge_crawl(row))}
    outcomes: dict[str, int] = {}
    for row in rows:
        for outcome, count in row["outcomes"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "no candidates"
    logger.info("%s: %d of %d crawls ended well: %s", job["name"], len(rows) - len(failed), len(rows), told)
    if failed or run.error:
        told = "; ".join([*([run.error] if run.error else []), *(f"{o}: {e}" for o, e in failed.items())])
        if not run.error and all(why.startswith(HostRefuses.BEGINNING) for why in failed.values()):
            raise HostRefuses(told)  # who is refused does not knock again two minutes later
        raise PressmarkError(told)
    return {"outlets": len(job["outlets"]), "failed": 0, **outcomes}


def _remember_task(requests: Sequence[UUID], map_index: int | None) -> None:
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, transaction
    from pressmark.warehouse.queries import queries

    if map_index is None or map_index < 0:
        return
    connection = Warehouse(Settings.from_env()).connect("loader", "pressmark crawl")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("plan")["remember_task"], {"requests": list(requests), "map_index": map_index})


def load_job(job: dict[str, Any]) -> dict[str, int]:
    """Load what the crawls of a job have committed, also where they failed."""
    from pressmark.archive.store import ArchiveStore
    from pressmark.errors import LoadError
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse.comparison import Rereader
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.load import load_segments, segments_to_load

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    rereader = Rereader(load_registry(settings.outlets), ArchiveStore(settings.archive))
    try:
        segments = segments_to_load(warehouse, job["outlets"])
        done = load_segments(warehouse, [(s, o) for s, o, _ in segments], rereader)
    finally:
        rereader.close()
    visits = sum(segment.visits or 0 for segment in done)
    logger.info("%d segments, %d visits loaded", len(done), visits)
    errors = [f"{s.outlet}: segment {s.segment_id}: {s.error}" for s in done if s.error]
    if errors:
        raise LoadError("; ".join(errors))
    return {"segments": len(done), "visits": visits}


def cluster_loaded() -> dict[str, int]:
    """Look for the copies of everything that was loaded since the last time, by whichever run."""
    from pressmark.settings import Settings
    from pressmark.warehouse.clusters import cluster
    from pressmark.warehouse.connection import Warehouse

    done = cluster(Warehouse(Settings.from_env()), lambda done, waiting: logger.info("%d done, %d wait", done, waiting))
    logger.info("%d articles, %d copies, %d articles changed their cluster", done.articles, done.copies, done.changed)
    return {"articles": done.articles, "copies": done.copies, "changed": done.changed}


def audit_run(dag_id: str, run_id: str, planned: bool = True, clustered: bool = True) -> dict[str, Any]:
    """Judge a run by the database.

    planned, clustered: whether these tasks succeeded. Raises AirflowFailException where one did not, or where the
    run is over its budget: to judge again would change nothing.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from pressmark.planning import audit
    from pressmark.registry import load_registry
    from pressmark.settings import Settings

    if not planned:
        raise AirflowFailException("Nothing was planned: the log of the task plan says why.")
    rows = _planned(dag_id=dag_id, run_id=run_id)
    result = audit(rows)
    for line in result.lines:
        logger.info("%s", line)
    for problem in load_registry(Settings.from_env().outlets).problems:
        logger.warning("left out  %s", problem)
    if not clustered:
        result.problems.append(
            "Copies were not looked for: the log of the task cluster says why; the next run goes on."
        )
    _look_at_health(dag_id, rows, result.failed)
    if result.problems:
        raise AirflowFailException(" ".join(result.problems))
    return {
        "outlets": result.outlets,
        "failed": len(result.failed),
        "silent": len(result.silent),
        "outcomes": result.counts,
    }


def _look_at_health(dag_id: str, rows: list[dict[str, Any]], failed: dict[str, str]) -> None:
    """The health of the run's outlets, with alerts; or one alert where it must be us. Then the heartbeat."""
    from pressmark.airflow.alerts import tell_open
    from pressmark.airflow.desk import look_at_health
    from pressmark.errors import HostRefuses
    from pressmark.health import is_our_side
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.health import blame_ourselves, long_dead, our_side_is_well

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    unanswered = [o for o, why in failed.items() if not why.startswith(HostRefuses.BEGINNING)]
    dead = long_dead(warehouse, unanswered) if 2 * len(unanswered) <= len(rows) else set()
    control = _control_problem(settings.control_url)
    if control or is_our_side(len(unanswered) - len(dead), len(rows) - len(dead)):
        told = control or f"{len(unanswered)} of {len(rows)} outlets gave no answer at once"
        message = f"{told}: it must be our side (network, address, disk). No outlet is held to account for this run."
        blame_ourselves(warehouse, message, [row["crawl_id"] for row in rows if row["crawl_id"]])
        logger.warning("%s", message)
        tell_open(warehouse)
    elif rows:
        our_side_is_well(warehouse)
        look_at_health([row["outlet"] for row in rows])
    _beat(settings.heartbeat_url, dag_id.removeprefix("crawl_"))


def _control_problem(url: str | None) -> str | None:
    """What is wrong with the control host, which answers unless our own network is down; None where it is well."""
    if url is None:
        return None
    import httpx

    try:
        httpx.get(url, timeout=10, follow_redirects=True).raise_for_status()
    except httpx.HTTPError as error:
        return f"The control host does not answer ({url}: {error})"
    return None


def _beat(url: str | None, tier: str) -> None:
    """Tell a watchdog elsewhere that this tier's run has come to its end: it notices when none does."""
    if url is None:
        return
    import httpx

    try:
        httpx.get(url.replace("{tier}", tier), timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        logger.warning("the heartbeat %s was not taken: %s", url, error)


def log_line(line: str) -> None:
    """A log line of the crawl process, at its own level and under its own name."""
    known = _LOG_LINE.match(line)
    if known:
        level, name, message = known.groups()
        logging.getLogger(name).log(logging.getLevelNamesMapping()[level], "%s", message)
    else:
        logger.info("%s", line)


def _planned(
    requests: Sequence[UUID] = (), dag_id: str | None = None, run_id: str | None = None
) -> list[dict[str, Any]]:
    """These requests, or those of a run, each with its last crawl."""
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
    from pressmark.warehouse.queries import queries

    connection = Warehouse(Settings.from_env()).connect("loader", "pressmark audit")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("plan")["planned"], {"requests": list(requests), "dag_id": dag_id, "run_id": run_id})
        return dict_rows(cursor)
