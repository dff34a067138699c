"""Archived pages that became no article, read once more: a hint in the outlet's file may have mended what was broken.

No request is made. A page that is an article now is staged as a visit of the time when it was fetched, under a crawl of
its own, whose ledger says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark import __version__
from pressmark.archive.records import StoredCapture
from pressmark.crawl.restaging import extract_archived, file_segments
from pressmark.crawl.services import Services
from pressmark.errors import ArchiveError
from pressmark.extraction.extract import ExtractionConfig
from pressmark.frontier import CrawlScope
from pressmark.outcome_rules import CandidateResult, capture_from_record, resolve_page
from pressmark.outlet import Outlet
from pressmark.text import clean_text
from pressmark.warehouse.crawls import close_crawl, ensure_extractor, read_frontier
from pressmark.warehouse.queries import queries
from pressmark.warehouse.staging import ArchivePointer, Segment, commit_segment

_SQL = queries("rebuild")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RejectedReextraction:
    """Pages that were read once more, and how many of them are articles now."""

    pages: int
    articles: int


def reextract_rejected(
    services: Services,
    outlet: Outlet,
    since: datetime | None = None,
    until: datetime | None = None,
    stage: bool = False,
    on_page: Callable[[int, int], None] = lambda done, total: None,
) -> RejectedReextraction:
    """Read what became no article; with `stage`, what is one now is staged, and the caller loads it.

    since, until: of the time when pages were fetched. May be repeated: what is staged is not read again.
    """
    rows = services.database.run(lambda cursor: _refused(cursor, outlet.id, since, until))
    mended: list[tuple[CandidateResult, ArchivePointer]] = []
    scope = CrawlScope("incremental", None, datetime.now().astimezone())
    config = ExtractionConfig.for_outlet(outlet)
    at: UUID | None = None
    captures: dict[UUID, StoredCapture] = {}  # of one segment: a file may have a gigabyte
    for place, (capture_id, url_uid, segment_id, file, base, size, offset, length) in enumerate(rows, 1):
        if segment_id != at:
            at, captures = segment_id, _captures(services, file, base, size, segment_id)
        capture = captures.get(capture_id)
        on_page(place, len(rows))
        if capture is None:
            continue
        pointer = ArchivePointer(segment_id, offset, length)
        read = extract_archived(services, (file, base), pointer, config, outlet)
        known = services.database.run(lambda cursor, uid=url_uid: read_frontier(cursor, [uid]))  # type: ignore[misc]
        resolved = resolve_page(
            capture_from_record(capture.response.without_body(), capture.fields),
            read,
            scope,
            outlet,
            known.get,
            services.settings.tdm_basis,
        )
        if resolved.extraction is not None:
            mended.append((resolved, pointer))
    if stage and mended:
        services.database.run(lambda cursor: _stage(cursor, outlet, config, mended))
        logger.info("%s: %d of %d refused pages are articles now", outlet.id, len(mended), len(rows))
    return RejectedReextraction(len(rows), len(mended))


def _captures(services: Services, file: str, base: int, size: int, segment_id: UUID) -> dict[UUID, StoredCapture]:
    try:
        stored = file_segments(file, services.store.read(file, base, size))
    except ArchiveError as error:
        logger.warning("%s", error)
        return {}
    return {c.response.capture_id: c for s in stored if s.segment_id == segment_id for c in s.captures}


def _refused(cursor: Cursor, outlet: str, since: datetime | None, until: datetime | None) -> list[tuple[Any, ...]]:
    cursor.execute(queries("reextract")["refused"], {"outlet": outlet, "since": since, "until": until})
    return list(cursor.fetchall())


def _stage(
    cursor: Cursor, outlet: Outlet, config: ExtractionConfig, mended: list[tuple[CandidateResult, ArchivePointer]]
) -> None:
    crawl_id = uuid4()
    first = min(s.capture.response.observed_at for s, _ in mended if s.capture)
    last = max(s.capture.response.observed_at for s, _ in mended if s.capture)
    values = {
        "crawl_id": crawl_id, "outlet": outlet.id, "mode": "incremental", "start": first, "end": last,
        "config_hash": outlet.config_hash, "code_version": __version__, "started_at": first,
    }  # fmt: skip
    cursor.execute(_SQL["rebuilt_request"], values)
    cursor.execute(_SQL["rebuilt_crawl"], values)
    rows = [(crawl_id, s.candidate.url_uid, clean_text(s.candidate.url), s.candidate.via) for s, _ in mended]
    execute_values(cursor, _SQL["rebuilt_candidates"], rows, page_size=500)
    cursor.execute(_SQL["count_rebuilt"], values)
    known = read_frontier(cursor, [s.candidate.url_uid for s, _ in mended])
    segment = Segment(
        uuid4(), crawl_id, outlet, ensure_extractor(cursor, config), mended, None, known.get, observed_at=last
    )
    commit_segment(cursor, segment)
    close_crawl(cursor, crawl_id, "finished")
