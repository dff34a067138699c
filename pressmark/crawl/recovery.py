"""What becomes of crawls whose process died: their archived pages are staged, their ledger is closed.

A crawl is dead when it has no end and nobody holds its `alive` lock. A WARC that was put in place but
not committed is read back and staged from its own metadata records; nothing that was archived is
fetched again or thrown away.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pressmark.archive.records import StoredCapture, read_captures
from pressmark.archive.spool import SpoolPointer
from pressmark.archive.store import segment_of
from pressmark.crawl.services import Services
from pressmark.extraction.extract import ExtractionConfig
from pressmark.extraction.worker import PageRead
from pressmark.frontier import Asked
from pressmark.outlet import Outlet
from pressmark.settlement import Settled, capture_of, settle_page
from pressmark.urls import url_uid
from pressmark.warehouse.crawls import close_crawl, ensure_extractor, read_known, segment_place, settle_open
from pressmark.warehouse.locks import alive_lock
from pressmark.warehouse.queries import queries
from pressmark.warehouse.requests import get_request
from pressmark.warehouse.staging import ArchivePointer, SealedFile, Segment, commit_segment

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
    asked = services.database.run(lambda cursor: get_request(cursor, request_id)).asked
    names = services.store.files_of_crawl(outlet.id, crawl_id)
    ids = [segment_of(name) for name in names]
    committed = services.database.run(lambda cursor: _committed(cursor, ids))
    for name, segment_id in zip(names, ids, strict=True):
        if segment_id not in committed:
            pages = _stage(services, outlet, crawl_id, segment_id, name, asked)
            logger.warning("%s: staged %d pages that a killed crawl had archived in %s", outlet.id, pages, name)

    def end(cursor: Cursor) -> None:
        settle_open(cursor, crawl_id, "interrupted", "the crawl's process died before its turn")
        close_crawl(cursor, crawl_id, "killed", "the crawl's process died")

    services.database.run(end)
    shutil.rmtree(services.settings.spool / str(crawl_id), ignore_errors=True)


def _committed(cursor: Cursor, segment_ids: list[UUID]) -> set[UUID]:
    cursor.execute(queries("crawl")["archived_segments"], {"segment_ids": segment_ids})
    return {row[0] for row in cursor.fetchall()}


def _stage(services: Services, outlet: Outlet, crawl_id: UUID, segment_id: UUID, name: str, asked: Asked) -> int:
    document = services.store.read_file(name)
    config = ExtractionConfig.of(outlet)
    captures = list(read_captures(document))
    uids = {UUID(c.fields["url_uid"]) for c in captures}
    uids |= {url_uid(outlet.id, c.response.url, outlet.urls.parameters) for c in captures}

    def look_up(cursor: Cursor) -> tuple[dict[UUID, Any], int]:
        return read_known(cursor, uids), ensure_extractor(cursor, config)

    known, extractor_id = services.database.run(look_up)
    settled: list[tuple[Settled, ArchivePointer | None]] = []
    for stored in captures:
        capture = capture_of(stored.response, stored.fields)
        pointer = _pointer(stored, segment_id)
        read = _read(services, stored, pointer, document, config, outlet)
        result = settle_page(capture, read, asked, outlet, known.get, services.settings.tdm_basis)
        settled.append((result, pointer))
    segment = Segment(
        segment_id,
        crawl_id,
        outlet,
        extractor_id,
        settled,
        SealedFile(name, len(document), len(captures)),
        known.get,
        observed_at=max((s.capture.response.observed_at for s, _ in settled if s.capture), default=datetime.now(UTC)),
    )
    try:
        services.database.run(lambda cursor: commit_segment(cursor, segment))
    except psycopg2.errors.UniqueViolation:
        logger.info("%s had been committed after all", name)
    return len(captures)


def _pointer(stored: StoredCapture, segment_id: UUID) -> ArchivePointer:
    original = stored.fields.get("original")
    if stored.is_revisit and original:
        return ArchivePointer(UUID(original["segment_id"]), original["offset"], original["length"])
    return ArchivePointer(segment_id, stored.offset, stored.length)


def _read(
    services: Services,
    stored: StoredCapture,
    pointer: ArchivePointer,
    document: bytes,
    config: ExtractionConfig,
    outlet: Outlet,
) -> PageRead:
    """Read a page in a worker, from a copy of its record."""
    member = document[stored.offset : stored.offset + stored.length]
    if stored.is_revisit:
        place = services.database.run(lambda cursor: segment_place(cursor, pointer.segment_id))
        if place is None:
            return PageRead(None, "quarantined", "decode", "the record that holds its bytes is not archived any more")
        member = services.store.read(place[0], place[1] + pointer.offset, pointer.length)
    with tempfile.TemporaryDirectory(prefix="pressmark-") as folder:
        path = Path(folder) / "page.warc.gz"
        path.write_bytes(member)
        return services.extraction.read_now(SpoolPointer(str(path), 0, len(member)), config, outlet.budgets.page_size)
