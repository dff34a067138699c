"""Recover crawls whose process died: stage their archived pages and close their ledger.

A crawl is dead if it has no end and no process holds its `alive` lock. A WARC file that is in the archive but was not
committed is staged from its own metadata records. Archived pages are neither fetched again nor discarded.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.archive.store import segment_id_from_name
from pressmark.crawl.restaging import file_segments, stage_segment
from pressmark.crawl.services import Services
from pressmark.outlet import Outlet
from pressmark.text import plural
from pressmark.warehouse.crawl_requests import get_request
from pressmark.warehouse.crawls import close_crawl, resolve_open
from pressmark.warehouse.locks import alive_lock
from pressmark.warehouse.queries import queries

logger = logging.getLogger(__name__)


def recover(services: Services, outlets: Mapping[str, Outlet], only: Sequence[str] | None = None) -> int:
    """Close the crawls whose process died, of the outlets in `only` or of all outlets. Return how many were closed.

    A crawl whose outlet has no file stays open: its pages can only be extracted once the file is back.
    """
    closed = 0
    for crawl_id, outlet_id, request_id in services.database.run(lambda cursor: _unfinished(cursor, only)):
        if not services.locks.try_take(alive_lock(crawl_id)):
            continue
        try:
            outlet = outlets.get(outlet_id)
            if outlet is None:
                logger.warning(
                    "%s: crawl %s died, but its outlet has no file. Restore the file to recover the crawl.",
                    outlet_id, crawl_id,
                )  # fmt: skip
                continue
            _recover_crawl(services, outlet, crawl_id, request_id)
            closed += 1
        finally:
            services.locks.give_back(alive_lock(crawl_id))
    return closed


def _unfinished(cursor: Cursor, only: Sequence[str] | None) -> list[tuple[UUID, str, UUID]]:
    cursor.execute(queries("crawl")["unfinished_crawls"], {"outlets": list(only) if only is not None else None})
    return list(cursor.fetchall())


def _recover_crawl(services: Services, outlet: Outlet, crawl_id: UUID, request_id: UUID) -> None:
    scope = services.database.run(lambda cursor: get_request(cursor, request_id)).scope
    names = services.store.files_of_crawl(outlet.id, crawl_id)
    ids = [segment_id_from_name(name) for name in names]
    committed = services.database.run(lambda cursor: _committed(cursor, ids))
    for name, segment_id in zip(names, ids, strict=True):
        if segment_id not in committed:
            for stored in file_segments(name, services.store.read_file(name)):
                pages = stage_segment(services, outlet, stored, name, scope)
                logger.warning("%s: staged %s of a killed crawl from %s", outlet.id, plural(pages, "page"), name)

    def end(cursor: Cursor) -> None:
        resolve_open(cursor, crawl_id, "interrupted", "the crawl process died before it was fetched")
        close_crawl(cursor, crawl_id, "killed", "the crawl process died")

    services.database.run(end)
    shutil.rmtree(services.settings.spool / str(crawl_id), ignore_errors=True)


def _committed(cursor: Cursor, segment_ids: list[UUID]) -> set[UUID]:
    cursor.execute(queries("crawl")["archived_segments"], {"segment_ids": segment_ids})
    return {row[0] for row in cursor.fetchall()}
