"""Task functions of the maintain DAG. Heavy imports are inside the functions, because DAG files import this module."""

from __future__ import annotations

import logging

from pressmark.text import plural

logger = logging.getLogger(__name__)


def maintain() -> dict[str, int]:
    """Run the daily maintenance, measure storage and send open alerts. Return counts by kind."""
    from pressmark.airflow.alerts import send_open_alerts
    from pressmark.crawl.maintenance import run_maintenance
    from pressmark.health.monitor import measure_storage
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse
    from pressmark.warehouse.migrations import ensure_ready

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    report = run_maintenance(settings)
    for kind, count in report.counts.items():
        logger.info("%8d  %s", count, kind)
    sizes = measure_storage(warehouse)
    forecast = (
        f"{plural(round(sizes.days_left), 'day')} until full" if sizes.days_left is not None else "growth not known yet"
    )
    logger.info(
        "database %d MB, archive %d MB, logs %d MB; %d MB free, %s",
        *(value // 2**20 for value in (sizes.database, sizes.archive, sizes.logs, sizes.free)), forecast,
    )  # fmt: skip
    send_open_alerts(warehouse)
    return report.counts


def load_after_maintain() -> dict[str, int]:
    """Load the segments that maintenance staged again."""
    from pressmark.airflow.crawl_tasks import load_job

    return load_job({"outlets": None})
