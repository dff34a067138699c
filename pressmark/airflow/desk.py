"""The functions behind the on-demand and daily DAGs: backfill, reextract, maintain. Heavy imports happen inside."""

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
    from pressmark.airflow.tasks import log_line
    from pressmark.archive.store import ArchiveStore
    from pressmark.cli.output import read_time
    from pressmark.crawl.backfill import Asked
    from pressmark.crawl.backfill import plan_backfill as plan
    from pressmark.errors import ConfigError
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.migrations import ensure_ready
    from pressmark.warehouse.removals import catch_up

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    catch_up(warehouse, ArchiveStore(settings.archive))
    since, until = read_time(params["since"], "from"), read_time(params["until"], "to")
    if since is None or until is None:
        raise ConfigError("Both days are needed: from (included) and to (excluded), by date of publication.")
    methods = tuple(params.get("methods") or ()) or None
    outlets = tuple(load_registry(settings.outlets).select(params["outlets"]))
    asked = Asked(outlets, since, until, methods, params.get("page_budget"), bool(params.get("force_refetch")))
    dry_run = bool(params.get("dry_run"))
    made = plan(
        settings, warehouse, asked, requested_by=requested_by, dry_run=dry_run, dag_id=dag_id, run_id=run_id,
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
    from pressmark.airflow.tasks import load_job, log_line
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
            cursor.execute(queries("backfill")["of_run"], {"dag_id": dag_id, "run_id": run_id})
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


def maintain() -> dict[str, int]:
    """Partitions, retention, joining, orphans; then sizes and the health of all outlets, with alerts."""
    from pressmark.airflow.alerts import tell_open
    from pressmark.crawl.care import take_care
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.health import measure_sizes
    from pressmark.warehouse.migrations import ensure_ready

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    done = take_care(settings)
    for kind, count in done.counts.items():
        logger.info("%8d  %s", count, kind)
    sizes = measure_sizes(warehouse)
    left = f"{sizes.days_left:.0f} days until full" if sizes.days_left is not None else "growth not known yet"
    logger.info(
        "database %d MB, archive %d MB, logs %d MB; %d MB free, %s",
        *(value // 2**20 for value in (sizes.database, sizes.archive, sizes.logs, sizes.free)), left,
    )  # fmt: skip
    tell_open(warehouse)
    return done.counts


def look_at_health(outlets: list[str] | None = None) -> dict[str, int]:
    """Judge outlets (None: all), tell what is new, and count the states."""
    from collections import Counter

    from pressmark.airflow.alerts import tell_open
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.health import check_health

    warehouse = Warehouse(Settings.from_env())
    done = check_health(warehouse, outlets)
    for outlet, verdict in done.verdicts.items():
        if verdict.state not in ("fresh", "new"):
            logger.info("%-18s %s: %s", verdict.state, outlet, verdict.reason)
    for alert in done.over:
        logger.info("over: %s", alert.message)
    tell_open(warehouse)
    return dict(Counter(verdict.state for verdict in done.verdicts.values()))


def load_after_maintain() -> dict[str, int]:
    """Load what was staged again."""
    from pressmark.airflow.tasks import load_job

    return load_job({"outlets": None})


def plan_reextract(params: dict[str, Any]) -> list[dict[str, Any]]:
    """A job an outlet of the form. Raises ConfigError for an outlet that does not exist."""
    from pressmark.registry import load_registry
    from pressmark.settings import Settings

    outlets = load_registry(Settings.from_env().outlets).select(params["outlets"])
    return [{"name": outlet.id, "since": params.get("since"), "until": params.get("until")} for outlet in outlets]


def extract_again(job: dict[str, Any]) -> dict[str, Any]:
    """Read an outlet's archived pages by the extractor of today; nothing counts yet. Gives its id."""
    from pressmark.archive.store import ArchiveStore
    from pressmark.cli.output import read_time
    from pressmark.crawl.second_reading import read_refused
    from pressmark.crawl.services import Services
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse import reextraction
    from pressmark.warehouse.comparison import Rereader
    from pressmark.warehouse.connection import Warehouse

    settings = Settings.from_env()
    registry = load_registry(settings.outlets)
    outlet = registry.get(job["name"])
    since, until = read_time(job.get("since"), "from"), read_time(job.get("until"), "to")
    rereader = Rereader(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    try:
        done = reextraction.extract_again(
            Warehouse(settings), [outlet], rereader, since, until, "Airflow reextract", _tell_progress
        )
        refused = read_refused(services, outlet, since, until)
    finally:
        services.close()
        rereader.close()
    for line in done.lines:
        logger.info("COMPARED %s", line)
    logger.info("COMPARED %d of %d pages that gave no article give one now", refused.articles, refused.pages)
    differs = {name: told["differs"] for name, told in done.comparison.items()}
    return {"reextraction_id": str(done.reextraction_id), "outlet": outlet.id, "pages": done.payloads, **differs}


def _tell_progress(place: int, total: int) -> None:
    if place % 500 == 0:
        logger.info("%d of %d pages", place, total)


def promote_all(read: list[dict[str, Any]], wanted: bool) -> dict[str, Any]:
    """Make what was read count where the form says so; else tell how to."""
    from pressmark.airflow.tasks import cluster_loaded, load_job
    from pressmark.archive.store import ArchiveStore
    from pressmark.crawl.second_reading import read_refused
    from pressmark.crawl.services import Services
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse import reextraction
    from pressmark.warehouse.comparison import Rereader
    from pressmark.warehouse.connection import Warehouse

    ids = [row["reextraction_id"] for row in read]
    if not wanted:
        for one in ids:
            logger.info("Nothing has changed. To make it count: pressmark reextract --promote %s", one)
        return {"promoted": 0, "ids": ids}
    settings = Settings.from_env()
    registry = load_registry(settings.outlets)
    rereader = Rereader(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    recovered = 0
    try:
        for row in read:
            reextraction.promote(Warehouse(settings), UUID(row["reextraction_id"]), rereader)
            recovered += read_refused(services, registry.get(row["outlet"]), stage=True).articles
    finally:
        services.close()
        rereader.close()
    load_job({"outlets": [row["outlet"] for row in read]})
    cluster_loaded()
    logger.info("Promoted. To take it back: pressmark reextract --keep ID, for each of %s", ", ".join(ids))
    return {"promoted": len(ids), "articles_recovered": recovered, "ids": ids}
