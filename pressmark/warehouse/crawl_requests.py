"""PLAN stage: crawl requests as rows. A crawl process receives only their ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4, uuid5

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from pressmark.crawl_types import CrawlRequest
from pressmark.errors import ConfigError
from pressmark.frontier import Mode
from pressmark.outlet import Outlet
from pressmark.warehouse.queries import queries

_NAMESPACE = UUID("6f0f6f0e-6d61-5b0c-9d4e-707265737321")


def add_request(cursor: Cursor, outlet: Outlet, **options: Any) -> CrawlRequest:
    """Insert a crawl request for one outlet. See `add_requests`."""
    return add_requests(cursor, [outlet], **options)[0]


def add_requests(
    cursor: Cursor,
    outlets: Sequence[Outlet],
    *,
    requested_by: str,
    mode: Mode = "incremental",
    start: datetime | None = None,
    end: datetime | None = None,
    methods: tuple[str, ...] | None = None,
    page_budget: int | None = None,
    force_refetch: bool = False,
    dry_run: bool = False,
    dag_id: str | None = None,
    run_id: str | None = None,
    chunk: str = "",
) -> list[CrawlRequest]:
    """Insert a crawl request for each outlet, together with the outlets and their current configurations.

    Returns them in the order of the outlets. An incremental request without an interval covers [last success, now).
    Raises ConfigError for a window without a start, or with a start after its end.
    """
    end = end or datetime.now(UTC)
    if mode == "window" and (start is None or start >= end):
        names = ", ".join(outlet.id for outlet in outlets[:5])
        raise ConfigError(f"{names}: a window needs --since before --until (got {start} to {end}).")
    remember_outlets(cursor, outlets)
    request_ids = [
        uuid5(_NAMESPACE, f"{dag_id}\0{run_id}\0{outlet.id}\0{chunk}") if dag_id and run_id else uuid4()
        for outlet in outlets
    ]
    cursor.execute(
        queries("crawl")["add_requests"],
        {
            "request_ids": request_ids,
            "outlets": [outlet.id for outlet in outlets],
            "config_hashes": [outlet.config_hash for outlet in outlets],
            "mode": mode,
            "interval_start": start,
            "interval_end": end,
            "methods": list(methods) if methods is not None else None,
            "page_budget": page_budget,
            "force_refetch": force_refetch,
            "dry_run": dry_run,
            "requested_by": requested_by,
            "dag_id": dag_id,
            "run_id": run_id,
            "chunk": chunk,
        },
    )
    return get_requests(cursor, request_ids)


def remember_outlets(cursor: Cursor, outlets: Sequence[Outlet]) -> None:
    """Insert or update the outlets whose files have changed since they were last read."""
    cursor.execute(queries("crawl")["remembered_configs"], {"outlets": [outlet.id for outlet in outlets]})
    known = {name: bytes(config_hash) for name, config_hash in cursor.fetchall() if config_hash is not None}
    for outlet in outlets:
        # Attributes of other periods can begin or end today, although the file is the same.
        if outlet.history or known.get(outlet.id) != outlet.config_hash:
            remember_outlet(cursor, outlet)


def remember_outlet(cursor: Cursor, outlet: Outlet) -> None:
    """Insert or update the outlet from its file."""
    cursor.execute(
        queries("crawl")["upsert_outlet"],
        {
            "outlet": outlet.id,
            "name": outlet.name,
            "home": outlet.home,
            "country": outlet.country,
            "languages": list(outlet.languages),
            "timezone": outlet.timezone,
            "tier": outlet.tier,
            "domains": list(outlet.domains),
            "enabled": outlet.enabled,
            "gone_after": outlet.revisits.gone_after,
            "config_hash": outlet.config_hash,
        },
    )
    config = {"outlet": outlet.id, "config_hash": outlet.config_hash, "config": Json(outlet.model_dump(mode="json"))}
    cursor.execute(queries("crawl")["remember_config"], config)
    _remember_attributes(cursor, outlet)


def _remember_attributes(cursor: Cursor, outlet: Outlet) -> None:
    """Store the current attributes of the outlet, and those that its file lists for other periods."""
    single = {"country": outlet.country, "owner": outlet.owner, "type": outlet.type, "parent": outlet.parent}
    current = [(name, value) for name, value in single.items() if value]
    current += [("domain", domain) for domain in outlet.domains]
    current += [("collection", collection) for collection in outlet.collections]
    dated = [
        {"attribute": a.attribute, "value": a.value, "valid_from": a.since, "valid_until": a.until}
        for a in outlet.history
    ]
    values = {
        "outlet": outlet.id,
        "attributes": Json(dated, dumps=partial(json.dumps, default=str)),
        "current": Json([{"attribute": name, "value": value} for name, value in current]),
    }
    for statement in ("dated_attributes", "ended_attributes", "current_attributes"):
        cursor.execute(queries("crawl")[statement], values)


def get_request(cursor: Cursor, request_id: UUID) -> CrawlRequest:
    """Return a crawl request. Raises ConfigError if the id is unknown."""
    return get_requests(cursor, [request_id])[0]


def get_requests(cursor: Cursor, request_ids: Sequence[UUID]) -> list[CrawlRequest]:
    """Return these crawl requests, in this order. Raises ConfigError if an id is unknown."""
    cursor.execute(queries("crawl")["get_requests"], {"request_ids": list(request_ids)})
    found = {}
    for row in cursor.fetchall():
        methods = tuple(row[5]) if row[5] is not None else None
        found[row[0]] = CrawlRequest(row[0], row[1], row[2], row[3], row[4], methods, *row[6:])
    unknown = next((request_id for request_id in request_ids if request_id not in found), None)
    if unknown:
        raise ConfigError(f"There is no crawl request {unknown} in this warehouse.")
    return [found[request_id] for request_id in request_ids]
