"""Task functions of the reextract DAG. Heavy imports are inside the functions, because DAG files import this module."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from pressmark.text import plural

logger = logging.getLogger(__name__)


def plan_reextract(params: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one job per outlet in the form. Raises ConfigError if an outlet does not exist."""
    from pressmark.registry import load_registry
    from pressmark.settings import Settings

    outlets = load_registry(Settings.from_env()).select(params["outlets"])
    return [{"name": outlet.id, "since": params.get("since"), "until": params.get("until")} for outlet in outlets]


def reextract(job: dict[str, Any]) -> dict[str, Any]:
    """Re-extract an outlet's archived pages and compare the fields. Return the id of the re-extraction and counts.

    Changes nothing for analysts. Rejected pages are extracted too.
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
    outlet = registry.get(job["name"])
    since, until = parse_time(job.get("since"), "From"), parse_time(job.get("until"), "To")
    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    try:
        result = reextraction.reextract(
            Warehouse(settings), [outlet], page_extractor, since, until, "Airflow reextract", _log_progress
        )
        rejected = reextract_rejected(services, outlet, since, until)
    finally:
        services.close()
        page_extractor.close()
    for line in result.lines:
        logger.info("COMPARED %s", line)
    logger.info("COMPARED %d of %s are articles now", rejected.articles, plural(rejected.pages, "rejected page"))
    differs = {name: counts["differs"] for name, counts in result.comparison.items()}
    return {"reextraction_id": str(result.reextraction_id), "outlet": outlet.id, "pages": result.payloads, **differs}


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
        for reextraction_id in ids:
            logger.info("Nothing has changed yet. To promote: pressmark reextract --promote %s", reextraction_id)
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
