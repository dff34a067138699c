"""Staging a segment again from its WARC alone: after a kill, and for a warehouse that is built anew.

Pages are read by the extraction workers and settled by the same function as in a crawl.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pressmark.archive.records import Response, StoredSegment, read_captures, read_response, read_segments
from pressmark.archive.spool import SpoolPointer
from pressmark.archive.store import segment_id_from_name
from pressmark.crawl.services import Services
from pressmark.errors import ArchiveError
from pressmark.extraction.extract import ExtractionConfig
from pressmark.extraction.worker import PageExtraction
from pressmark.frontier import CrawlScope
from pressmark.outcome_rules import CandidateResult, capture_from_record, resolve_page
from pressmark.outlet import Outlet
from pressmark.urls import url_uid
from pressmark.warehouse.crawls import ensure_extractor, read_frontier, segment_place
from pressmark.warehouse.staging import EVENT_COLUMNS, ArchivePointer, SealedFile, Segment, commit_segment

logger = logging.getLogger(__name__)

Place = Callable[[UUID], tuple[str, int] | None]
"""Says where a segment lies: (file, first byte)."""


def file_segments(name: str, document: bytes) -> list[StoredSegment]:
    """The segments of a file of the archive; of files of earlier versions the one that their name tells."""
    found = list(read_segments(document))
    if found:
        return found
    crawl = name.rpartition("/")[2].partition("_")[0]
    captures = list(read_captures(document))
    return [
        StoredSegment(segment_id_from_name(name), UUID(crawl), name.partition("/")[0], 0, len(document), captures, [])
    ]


def stage_segment(
    services: Services,
    outlet: Outlet,
    stored: StoredSegment,
    name: str,
    scope: CrawlScope,
    place: Place | None = None,
) -> int:
    """Stage a segment that lies in the file `name`; returns the number of pages. May be repeated.

    place: where other segments lie, for pages whose bytes are in one of them (default: by the database).
    """
    config = ExtractionConfig.for_outlet(outlet)
    where = place or (lambda segment_id: services.database.run(lambda cursor: segment_place(cursor, segment_id)))
    uids = {UUID(c.fields["url_uid"]) for c in stored.captures}
    uids |= {url_uid(outlet.id, c.response.url, outlet.urls.parameters) for c in stored.captures}

    def read_url_history(cursor: Cursor) -> tuple[dict[UUID, Any], int]:
        return read_frontier(cursor, uids), ensure_extractor(cursor, config)

    known, extractor_id = services.database.run(read_url_history)
    resolved: list[tuple[CandidateResult, ArchivePointer | None]] = []

    def resolve(response: Response, fields: dict[str, Any], pointer: ArchivePointer, own: tuple[str, int]) -> None:
        at = own if pointer.segment_id == stored.segment_id else where(pointer.segment_id)
        read = extract_archived(services, at, pointer, config, outlet)
        capture = capture_from_record(response, fields)
        result = resolve_page(capture, read, scope, outlet, known.get, services.settings.tdm_basis)
        resolved.append((result, pointer))

    own = (name, stored.offset)
    for capture in stored.captures:
        resolve(capture.response, capture.fields, _pointer(capture.fields, capture.is_revisit, stored, capture), own)
    for taken in stored.events:
        if "taken" in taken:  # a page that a window took from an earlier segment
            fields = taken["taken"]
            pointer = _pointer(fields, True, stored, None)
            at = where(pointer.segment_id)
            if at is None:
                continue
            try:
                response = read_response(services.store.read(at[0], at[1] + pointer.offset, pointer.length))
            except ArchiveError:  # it was erased, or has expired
                continue
            resolve(response.without_body(), fields, pointer, own)
    events = [tuple(_typed(event)[name] for name in EVENT_COLUMNS) for event in stored.events if "taken" not in event]
    times = [s.capture.response.observed_at for s, _ in resolved if s.capture]
    segment = Segment(
        stored.segment_id,
        stored.crawl_id,
        outlet,
        extractor_id,
        resolved,
        SealedFile(name, stored.length, len(stored.captures), stored.offset),
        known.get,
        observed_at=max(times, default=datetime.now(UTC)),
        events=events,
    )
    try:
        services.database.run(lambda cursor: commit_segment(cursor, segment))
    except psycopg2.errors.UniqueViolation:
        logger.info("segment %s of %s had been committed after all", stored.segment_id, name)
    return len(stored.captures)


def _typed(event: dict[str, Any]) -> dict[str, Any]:
    ids = {name: UUID(event[name]) for name in ("segment_id", "article_uid", "crawl_id")}
    return {**event, **ids, "observed_at": datetime.fromisoformat(event["observed_at"])}


def _pointer(fields: dict[str, Any], elsewhere: bool, stored: StoredSegment, capture: Any) -> ArchivePointer:
    original = fields.get("original")
    if elsewhere and original:
        return ArchivePointer(UUID(original["segment_id"]), original["offset"], original["length"])
    return ArchivePointer(stored.segment_id, capture.offset, capture.length)


def extract_archived(
    services: Services, at: tuple[str, int] | None, pointer: ArchivePointer, config: ExtractionConfig, outlet: Outlet
) -> PageExtraction:
    """Read a page in a worker, from a copy of its record."""
    if at is None:
        return PageExtraction(None, "quarantined", "decode", "the record that holds its bytes is not archived any more")
    try:
        member = services.store.read(at[0], at[1] + pointer.offset, pointer.length)
    except ArchiveError as error:
        return PageExtraction(None, "quarantined", "decode", str(error))
    with tempfile.TemporaryDirectory(prefix="pressmark-") as folder:
        path = Path(folder) / "page.warc.gz"
        path.write_bytes(member)
        return services.extraction.read_now(SpoolPointer(str(path), 0, len(member)), config, outlet.budgets.page_size)
