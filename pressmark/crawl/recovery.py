"""What becomes of crawls whose process died: their archived pages are staged, their ledger is closed.

A crawl is dead when it has no end and nobody holds its `alive` lock. A WARC that was put in place but
not committed is read back and staged from its own metadata records; nothing that was archived is
fetched again or thrown away.
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
from pressmark.warehouse.crawl_requests import get_request
from pressmark.warehouse.crawls import close_crawl, resolve_open
from pressmark.warehouse.locks import alive_lock
from pressmark.warehouse.queries import queries

logger = logging.getLogger(__name__)


def recover(services: Services, outlets: Mapping[str, Outlet], only: Sequence[str] | None = None) -> int:
    """Close the crawls whose process died (of the outlets `only`, or of all); returns how many.

    A crawl of an outlet whose file is gone is left for when it is back, so that its pages can be read.
    """
    closed = 0
    for crawl_id, outlet_id, request_id in services.database.run(lambda cursor: _unfinished(cursor, only)):
        if not services.locks.try_take(alive_lock(crawl_id)):
            continue
        try:
            outlet = outlets.get(outlet_id)
            if outlet is None:
                logger.warning("%s: crawl %s died; its outlet has no file, so it is left as it is", outlet_id, crawl_id)
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
                logger.warning("%s: staged %d pages that a killed crawl had archived in %s", outlet.id, pages, name)

    def end(cursor: Cursor) -> None:
        resolve_open(cursor, crawl_id, "interrupted", "the crawl's process died before its turn")
        close_crawl(cursor, crawl_id, "killed", "the crawl's process died")

    services.database.run(end)
    shutil.rmtree(services.settings.spool / str(crawl_id), ignore_errors=True)


def _committed(cursor: Cursor, segment_ids: list[UUID]) -> set[UUID]:
    cursor.execute(queries("crawl")["archived_segments"], {"segment_ids": segment_ids})
    return {row[0] for row in cursor.fetchall()}
