"""Task functions of the reextract DAG. Heavy imports are inside the functions: DAG files import this module."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

logger = logging.getLogger(__name__)


def plan_reextract(params: dict[str, Any]) -> list[dict[str, Any]]:
    """A job an outlet of the form. Raises ConfigError for an outlet that does not exist."""
    from pressmark.registry import load_registry
    from pressmark.settings import Settings

    outlets = load_registry(Settings.from_env().outlets).select(params["outlets"])
    return [{"name": outlet.id, "since": params.get("since"), "until": params.get("until")} for outlet in outlets]


def reextract(job: dict[str, Any]) -> dict[str, Any]:
    """Read an outlet's archived pages by the extractor of today; nothing counts yet. Gives its id."""
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
    registry = load_registry(settings.outlets)
    outlet = registry.get(job["name"])
    since, until = parse_time(job.get("since"), "from"), parse_time(job.get("until"), "to")
    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    try:
        done = reextraction.reextract(
            Warehouse(settings), [outlet], page_extractor, since, until, "Airflow reextract", _log_progress
        )
        refused = reextract_rejected(services, outlet, since, until)
    finally:
        services.close()
        page_extractor.close()
    for line in done.lines:
        logger.info("COMPARED %s", line)
    logger.info("COMPARED %d of %d pages that gave no article give one now", refused.articles, refused.pages)
    differs = {name: told["differs"] for name, told in done.comparison.items()}
    return {"reextraction_id": str(done.reextraction_id), "outlet": outlet.id, "pages": done.payloads, **differs}


def promote_all(read: list[dict[str, Any]], wanted: bool) -> dict[str, Any]:
    """Make what was read count where the form says so; else tell how to."""
    from pressmark.airflow.crawl_tasks import cluster_loaded, load_job
    from pressmark.archive.store import ArchiveStore
    from pressmark.crawl.reextract_rejected import reextract_rejected
    from pressmark.crawl.services import Services
    from pressmark.registry import load_registry
    from pressmark.settings import Settings
    from pressmark.warehouse import reextraction
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor

    ids = [row["reextraction_id"] for row in read]
    if not wanted:
        for one in ids:
            logger.info("Nothing has changed. To make it count: pressmark reextract --promote %s", one)
        return {"promoted": 0, "ids": ids}
    settings = Settings.from_env()
    registry = load_registry(settings.outlets)
    page_extractor = ArchivedPageExtractor(registry, ArchiveStore(settings.archive))
    services = Services.open(settings, lambda event: None)
    recovered = 0
    try:
        for row in read:
            reextraction.promote(Warehouse(settings), UUID(row["reextraction_id"]), page_extractor)
            recovered += reextract_rejected(services, registry.get(row["outlet"]), stage=True).articles
    finally:
        services.close()
        page_extractor.close()
    load_job({"outlets": [row["outlet"] for row in read]})
    cluster_loaded()
    logger.info("Promoted. To take it back: pressmark reextract --rollback ID, for each of %s", ", ".join(ids))
    return {"promoted": len(ids), "articles_recovered": recovered, "ids": ids}


def _log_progress(place: int, total: int) -> None:
    if place % 500 == 0:
        logger.info("%d of %d pages", place, total)
