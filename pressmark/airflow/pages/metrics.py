"""Metrics in Prometheus's text format. A scraper sends PRESSMARK_METRICS_TOKEN; without it, Airflow's login decides."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse

from pressmark.airflow.pages.base import open_reader
from pressmark.airflow.pages.overview import storage
from pressmark.settings import Settings

router = APIRouter()
Sample = tuple[dict[str, Any], float]


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Freshness, articles, outcomes, failures by cause, the queue of loads and disk space."""
    token = Settings.from_env().metrics_token
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not (token and secrets.compare_digest(sent.encode(), token.encode())):
        await get_user(request, None, None)  # raises 401
    return PlainTextResponse(await run_in_threadpool(text), media_type="text/plain; version=0.0.4; charset=utf-8")


def text() -> str:
    """Return the metrics, one line per sample."""
    with open_reader() as reader:
        outlets, outcomes = reader("metrics_outlets"), reader("metrics_outcomes")
        alerts, queue, sizes = reader("metrics_alerts"), reader("load_queue"), reader("storage")
        states, running = reader("states"), reader("running")
    disk = storage(sizes)
    lines = [
        *_metric("pressmark_outlets", "Outlets by state.", (({"state": r["state"]}, r["outlets"]) for r in states)),
        *_metric(
            "pressmark_outlet_last_new_article_timestamp_seconds", "When a scheduled crawl last found a new article.",
            (({"outlet": r["outlet"]}, r["last_new_article"]) for r in outlets if r["last_new_article"] is not None),
        ),
        *_metric(
            "pressmark_outlet_failed_crawls", "Scheduled crawls that failed since the last successful one.",
            (({"outlet": r["outlet"], "state": r["state"]}, r["failed_crawls"]) for r in outlets),
        ),
        *_metric(
            "pressmark_articles", "Articles in the warehouse.",
            (({"outlet": r["outlet"]}, r["articles"]) for r in outlets),
        ),
        *_metric(
            "pressmark_candidates_today", "Candidates of today's crawls (UTC) by outcome.",
            (({"outcome": r["outcome"]}, r["candidates"]) for r in outcomes),
        ),
        *_metric(
            "pressmark_alerts", "Open alerts by cause.",
            (({"cause": r["cause"], "muted": str(r["muted"]).lower()}, r["alerts"]) for r in alerts),
        ),
        *_metric("pressmark_crawls_running", "Crawls that have not ended.", [({}, len(running))]),
        *_metric(
            "pressmark_load_queue_segments", "Segments that are not loaded, by state.",
            (({"state": r["state"]}, r["segments"]) for r in queue),
        ),
    ]  # fmt: skip
    if disk:
        lines += _metric(
            "pressmark_storage_bytes", "Storage used, as of the last measurement.",
            (({"of": name}, getattr(disk, name)) for name in ("database", "archive", "logs")),
        )  # fmt: skip
        lines += _metric("pressmark_disk_free_bytes", "Free disk space now.", [({}, disk.free)])
        if disk.days_left is not None:
            lines += _metric("pressmark_disk_days_left", "Days until the disk is full.", [({}, disk.days_left)])
    return "\n".join(lines) + "\n"


def _metric(name: str, description: str, samples: Iterable[Sample]) -> list[str]:
    lines = [f"# HELP {name} {description}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        pairs = ",".join(f'{key}="{_escaped(str(label))}"' for key, label in labels.items())
        lines.append(f"{name}{{{pairs}}} {value:g}" if isinstance(value, float) else f"{name}{{{pairs}}} {value}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
