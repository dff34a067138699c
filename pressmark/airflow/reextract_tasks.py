"""Task functions of the reextract DAG. Heavy imports are inside the functions, because DAG files import this module."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from pressmark.text import plural

logger = logging.getLogger(__name__)


def plan_reextract(params: dict[str, Any], requested_by: str) -> list[dict[str, Any]]:
    """Return the jobs: one per outlet, unless there are too many. Raises ConfigError if an outlet does not exist."""
    from pressmark.registry import load_registry
    from pressmark.scheduling import job_name, outlet_jobs
    from pressmark.settings import Settings

    outlets = load_registry(Settings.from_env()).select_groups(params["outlets"])
    return [
        {
            "name": job_name(job),
            "outlets": job,
            "since": params.get("since"),
            "until": params.get("until"),
            "requested_by": requested_by,
        }
        for job in outlet_jobs([outlet.id for outlet in outlets])
    ]


def reextract(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Re-extract the archived pages of a job's outlets and compare the fields.

    Returns the id of the re-extraction and counts for each outlet. Changes nothing for analysts. Rejected pages are
    extracted too.
    """
    from pressmark.archive.store import ArchiveStore
    from pressmark.crawl.reextract_rejected import reextract_rejected
    from pressmark.crawl.services import Services
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.times import parse_time
    from pressmark.warehouse import reextraction
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor

    settings = Settings.from_env()
    registry = load_registry(settings)
    since, until = parse_time(job.get("since"), "From"), parse_time(job.get("until"), "To")
    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    rows = []
    try:
        for outlet in registry.select(job["outlets"]):
            result = reextraction.reextract(
                Warehouse(settings), [outlet], page_extractor, since, until, job["requested_by"], _log_progress
            )
            rejected = reextract_rejected(services, outlet, since, until)
            for line in result.lines:
                logger.info("COMPARED %s", line)
            articles, pages = rejected.articles, plural(rejected.pages, "rejected page")
            logger.info("COMPARED %s: %d of %s are articles now", outlet.id, articles, pages)
            differs = {name: counts["differs"] for name, counts in result.comparison.items()}
            row = {"reextraction_id": str(result.reextraction_id), "outlet": outlet.id, "pages": result.payloads}
            rows.append({**row, **differs})
    finally:
        services.close()
        page_extractor.close()
    return rows


def log_comparison(rows: list[dict[str, Any]]) -> None:
    """Log one line per outlet: pages, and in how many of them each field differs."""
    for row in rows:
        differs = {name: count for name, count in row.items() if name not in ("reextraction_id", "outlet", "pages")}
        fields = ", ".join(f"{name} in {count}" for name, count in differs.items() if count) or "no field differs"
        logger.info("COMPARED %s: %s; %s", row["outlet"], plural(row["pages"], "page"), fields)


def promote_all(rows: list[dict[str, Any]], wanted: bool) -> dict[str, Any]:
    """Promote these re-extractions if the form asks for it. Otherwise log the command that promotes them."""
    from pressmark.airflow.crawl_tasks import cluster_loaded, load_job
    from pressmark.archive.store import ArchiveStore
    from pressmark.crawl.reextract_rejected import reextract_rejected
    from pressmark.crawl.services import Services
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse import reextraction
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor

    ids = [row["reextraction_id"] for row in rows]
    if not wanted:
        for row in rows:
            if row["pages"]:
                logger.info(
                    "%s: nothing has changed yet. To promote: pressmark reextract --promote %s",
                    row["outlet"], row["reextraction_id"],
                )  # fmt: skip
            else:
                logger.info("%s: no page to extract; all have the fields of the current extractor", row["outlet"])
        return {"promoted": 0, "ids": ids}
    settings = Settings.from_env()
    registry = load_registry(settings)
    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    recovered = 0
    try:
        for row in rows:
            reextraction.promote(Warehouse(settings), UUID(row["reextraction_id"]), page_extractor)
            recovered += reextract_rejected(services, registry.get(row["outlet"]), stage=True).articles
    finally:
        services.close()
        page_extractor.close()
    load_job({"outlets": [row["outlet"] for row in rows]})
    cluster_loaded()
    logger.info("Promoted. To undo: pressmark reextract --rollback ID, for each of %s", ", ".join(ids))
    return {"promoted": len(ids), "articles_recovered": recovered, "ids": ids}


def _log_progress(done: int, total: int) -> None:
    if done % 500 == 0:
        logger.info("%d of %s", done, plural(total, "page"))
