"""Health checks at the end of a run: outlet states, alerts and the heartbeat.

Heavy imports are inside the functions, because DAG files import this module.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pressmark.text import plural

if TYPE_CHECKING:
    from pressmark.scheduling import CrawlEnd, PlannedCrawl

logger = logging.getLogger(__name__)


def check_run_health(dag_id: str, crawls: list[PlannedCrawl], unanswered: list[str], tier: str | None = None) -> None:
    """Evaluate the outlets of a run and send alerts. For an internal failure, send only one. Then ping the heartbeat.

    unanswered: outlets whose crawl failed, except those whose host refuses us. tier: as in `check_ended_crawls`.
    """
    from pressmark.airflow.alerts import send_open_alerts
    from pressmark.health.monitor import clear_internal_failure, long_unreachable, mark_internal_failure
    from pressmark.health.rules import is_internal_failure
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse

    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    own = {crawl.outlet for crawl in crawls if tier in (None, crawl.tier)}
    failed = [outlet for outlet in unanswered if outlet in own]
    dead = long_unreachable(warehouse, failed) if 2 * len(failed) <= len(own) else set()
    control = _control_problem(settings.control_url)
    if control or is_internal_failure(len(failed) - len(dead), len(own) - len(dead)):
        finding = control or f"{len(failed)} of {plural(len(own), 'outlet')} failed in the same run"
        message = (
            f"{finding}. The cause is probably internal: network, DNS or disk. "
            "This run does not count against any outlet."
        )
        mark_internal_failure(warehouse, message, [crawl.crawl_id for crawl in crawls if crawl.crawl_id])
        logger.warning("%s", message)
        send_open_alerts(warehouse)
    elif crawls:
        clear_internal_failure(warehouse)
        check_outlet_health([crawl.outlet for crawl in crawls])
    ping_heartbeat(settings.heartbeat_url, dag_id.removeprefix("crawl_"))


def check_ended_crawls(crawls: list[CrawlEnd], outlets: list[str], tier: str | None = None) -> None:
    """Evaluate these outlets of a run, and those that failed earlier in it, as far as their crawls have ended.

    Failed outlets are left to the end of the run as long as the failures may have an internal cause. tier: that of the
    run. Outlets of other tiers are in it because they failed before, so their failures say nothing about the cause.
    """
    from pressmark.health.rules import may_become_internal

    ended = [crawl for crawl in crawls if crawl.finish_reason is not None]
    unanswered = {crawl.outlet for crawl in ended if crawl.is_unanswered}
    to_check = {crawl.outlet for crawl in ended if crawl.outlet in outlets}
    own = [crawl for crawl in crawls if tier in (None, crawl.tier)]
    failed = [crawl for crawl in own if crawl.outlet in unanswered]
    if may_become_internal(len(failed), sum(crawl.finish_reason is not None for crawl in own), len(own)):
        left = sorted(to_check & unanswered)
        if left:
            logger.info(
                "%s: evaluated at the end of the run, because %d of %d outlets have failed so far and the cause may be "
                "internal", ", ".join(left), len(failed), len(own),
            )  # fmt: skip
        to_check -= unanswered
    else:
        to_check |= unanswered
    if to_check:
        check_outlet_health(sorted(to_check))


def check_outlet_health(outlets: list[str] | None = None) -> dict[str, int]:
    """Evaluate outlets and send new alerts. Return the number of outlets by state.

    None: all outlets, and their days are counted again from five weeks ago.
    """
    from collections import Counter

    from pressmark.airflow.alerts import send_open_alerts
    from pressmark.health.monitor import check_health
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse

    warehouse = Warehouse(Settings.from_env())
    verdicts = check_health(warehouse, outlets, days=2 if outlets is not None else 35)
    for outlet, verdict in verdicts.items():
        if verdict.state not in ("fresh", "new"):
            logger.info("%-18s %s: %s", verdict.state, outlet, verdict.reason)
    send_open_alerts(warehouse)
    return dict(Counter(verdict.state for verdict in verdicts.values()))


def _control_problem(url: str | None) -> str | None:
    """Return what is wrong with the control URL, or None. It responds unless our own network is down."""
    if url is None:
        return None
    import httpx

    try:
        response = httpx.get(url, timeout=10, follow_redirects=True)
    except httpx.HTTPError as error:
        return f"The control URL {url} does not respond ({type(error).__name__})"
    return f"The control URL {url} answers {response.status_code}" if response.is_error else None


def ping_heartbeat(url: str | None, tier: str) -> None:
    """Request the heartbeat URL after a run of this tier. An external watchdog notices when no request arrives."""
    if url is None:
        return
    import httpx

    try:
        httpx.get(url.replace("{tier}", tier), timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        logger.warning("Heartbeat %s failed: %s", url, error)
