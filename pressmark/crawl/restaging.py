"""Staging a segment again from its WARC alone: after a kill, and for a warehouse that is rebuilt.

Pages are extracted by the workers and resolved by the same functions as in a crawl.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pressmark.archive.pointer import ArchivePointer
from pressmark.archive.records import (
    Response,
    StoredCapture,
    StoredSegment,
    read_captures,
    read_response,
    read_segments,
)
from pressmark.archive.spool import SpoolPointer
from pressmark.archive.store import segment_id_from_name
from pressmark.capture import capture_from_record
from pressmark.crawl.services import Services
from pressmark.errors import ArchiveError
from pressmark.extraction.fields import Extraction, ExtractionConfig, PageExtraction
from pressmark.frontier import CrawlScope, FrontierEntry
from pressmark.outcome_rules import resolve_page
from pressmark.outcomes import Outcome
from pressmark.outlet import Outlet
from pressmark.plausibility import Comparison
from pressmark.urls import url_uid
from pressmark.warehouse.crawls import ensure_extractor, read_frontier, segment_place
from pressmark.warehouse.staging import (
    EVENT_COLUMNS,
    SealedFile,
    Segment,
    SegmentItem,
    archived_item,
    commit_segment,
)

logger = logging.getLogger(__name__)

Place = Callable[[UUID], tuple[str, int] | None]
"""Returns where a segment is stored: (file, offset of its first byte), or None."""


def file_segments(name: str, document: bytes) -> list[StoredSegment]:
    """The segments of an archive file; for files without segment records, the one that the file name identifies."""
    segments = list(read_segments(document))
    if segments:
        return segments
    crawl = name.rpartition("/")[2].partition("_")[0]
    captures = list(read_captures(document))
    outlet = name.partition("/")[0]
    return [StoredSegment(segment_id_from_name(name), UUID(crawl), outlet, 0, len(document), captures, [])]


def stage_segment(
    services: Services,
    outlet: Outlet,
    stored: StoredSegment,
    name: str,
    scope: CrawlScope,
    place: Place | None = None,
) -> int:
    """Stage a segment of the archive file `name`; returns the number of pages. May be repeated.

    place: where other segments are stored, for pages whose bytes are in one of them; the database by default.
    """
    config = ExtractionConfig.for_outlet(outlet, stored.repeated_lines)
    place = place or (lambda segment_id: services.database.run(lambda cursor: segment_place(cursor, segment_id)))
    uids = {UUID(c.fields["url_uid"]) for c in stored.captures}
    uids |= {url_uid(outlet.id, c.response.url, outlet.urls.parameters) for c in stored.captures}

    def read_known(cursor: Cursor) -> tuple[dict[UUID, FrontierEntry], int]:
        return read_frontier(cursor, uids), ensure_extractor(cursor, config)

    entries, extractor_id = services.database.run(read_known)
    items: list[SegmentItem] = []
    for response, fields, pointer in _pages(services, stored, place):
        own = pointer.segment_id == stored.segment_id
        at = (name, stored.offset) if own else place(pointer.segment_id)
        page = extract_archived(services, at, pointer, config, outlet)
        capture = capture_from_record(response, fields)
        result = resolve_page(
            capture, page, scope, outlet, entries.get, services.settings.tdm_basis, recorded_comparison(fields)
        )
        items.append(archived_item(result, entries.get(result.candidate.url_uid), outlet, pointer))
    times = [item.result.capture.response.observed_at for item in items if item.result.capture]
    segment = Segment(
        segment_id=stored.segment_id,
        crawl_id=stored.crawl_id,
        outlet=outlet,
        extractor_id=extractor_id,
        items=items,
        file=SealedFile(name, stored.length, len(stored.captures), stored.offset),
        observed_at=max(times, default=datetime.now(UTC)),
        events=[_event_row(event) for event in stored.events if "from_archive" not in event],
    )
    try:
        services.database.run(lambda cursor: commit_segment(cursor, segment))
    except psycopg2.errors.UniqueViolation:
        logger.info("segment %s of %s was committed already", stored.segment_id, name)
    return len(stored.captures)


def recorded_comparison(fields: dict[str, Any]) -> Callable[[UUID, Extraction], Comparison | None]:
    """Return the comparison with the outlet's other texts that a metadata record keeps, as `resolve_page` takes it."""

    def compare(_: UUID, extraction: Extraction) -> Comparison | None:
        recorded = fields.get("comparison")
        return Comparison.from_json(recorded, extraction) if recorded else None

    return compare


def _pages(
    services: Services, stored: StoredSegment, place: Place
) -> Iterator[tuple[Response, dict[str, Any], ArchivePointer]]:
    """(response, metadata, pointer) of every page of a segment, those that it took from earlier segments included."""
    for capture in stored.captures:
        yield capture.response, capture.fields, _pointer(stored, capture)
    for event in stored.events:
        if "from_archive" not in event:
            continue
        fields = event["from_archive"]
        pointer = ArchivePointer.from_json(fields["original"])
        at = place(pointer.segment_id)
        if at is None:
            continue
        try:
            response = read_response(services.store.read(at[0], at[1] + pointer.offset, pointer.length))
        except ArchiveError:  # it was erased, or has expired
            continue
        yield response.without_body(), fields, pointer


def _pointer(stored: StoredSegment, capture: StoredCapture) -> ArchivePointer:
    """Where the bytes of a capture are: a revisit record points to an earlier one."""
    original = capture.fields.get("original")
    if capture.is_revisit and original:
        return ArchivePointer.from_json(original)
    return ArchivePointer(stored.segment_id, capture.offset, capture.length)


def _event_row(event: dict[str, Any]) -> tuple[Any, ...]:
    ids = {name: UUID(event[name]) for name in ("segment_id", "article_uid", "crawl_id")}
    typed = {**event, **ids, "observed_at": datetime.fromisoformat(event["observed_at"])}
    return tuple(typed[name] for name in EVENT_COLUMNS)


def extract_archived(
    services: Services, at: tuple[str, int] | None, pointer: ArchivePointer, config: ExtractionConfig, outlet: Outlet
) -> PageExtraction:
    """Extract an archived page in a worker, from a copy of its record. at: where its segment is stored."""
    if at is None:
        reason = "the record that holds its bytes is not archived any more"
        return PageExtraction(None, Outcome.QUARANTINED, "decode", reason)
    try:
        record = services.store.read(at[0], at[1] + pointer.offset, pointer.length)
    except ArchiveError as error:
        return PageExtraction(None, Outcome.QUARANTINED, "decode", str(error))
    with tempfile.TemporaryDirectory(prefix="pressmark-") as folder:
        path = Path(folder) / "page.warc.gz"
        path.write_bytes(record)
        spooled = SpoolPointer(str(path), 0, len(record))
        return services.extraction.extract_now(spooled, config, outlet.budgets.page_size)
