"""Extracting rejected pages again: a hint in the outlet's file may have fixed what was broken.

No request is made. A page that is an article now is staged as a capture of the time when it was fetched, under a crawl
of its own, whose ledger says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark import __version__
from pressmark.archive.pointer import ArchivePointer
from pressmark.archive.records import StoredCapture
from pressmark.capture import capture_from_record
from pressmark.crawl.restaging import extract_archived, file_segments, recorded_comparison
from pressmark.crawl.services import Services
from pressmark.errors import ArchiveError
from pressmark.extraction.fields import Extraction, ExtractionConfig
from pressmark.frontier import CrawlScope
from pressmark.outcome_rules import CandidateResult, resolve_page
from pressmark.outlet import Outlet
from pressmark.plausibility import LAST_ARTICLES, Comparison, OutletTexts
from pressmark.text import clean_text, plural
from pressmark.warehouse.crawls import close_crawl, ensure_extractor, latest_texts, read_frontier
from pressmark.warehouse.outlet_memory import read_memory
from pressmark.warehouse.queries import queries
from pressmark.warehouse.staging import Segment, archived_item, commit_segment

_SQL = queries("rebuild")
Compare = Callable[[UUID, Extraction], Comparison | None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RejectedReextraction:
    """Rejected pages that were extracted again, and how many of them are articles now."""

    pages: int
    articles: int


class _RejectedPage(NamedTuple):
    """A page of ops.quarantine that is archived. base, size: of its segment in the file; offset, length: in that."""

    capture_id: UUID
    url_uid: UUID
    segment_id: UUID
    file: str
    base: int
    size: int
    offset: int
    length: int

    @property
    def pointer(self) -> ArchivePointer:
        return ArchivePointer(self.segment_id, self.offset, self.length)


def reextract_rejected(
    services: Services,
    outlet: Outlet,
    since: datetime | None = None,
    until: datetime | None = None,
    stage: bool = False,
    on_page: Callable[[int, int], None] = lambda done, total: None,
) -> RejectedReextraction:
    """Extract an outlet's rejected pages; with `stage`, stage those that are articles now. The caller loads them.

    since, until: when the pages were fetched. May be repeated: what is staged is not extracted again.
    """
    pages = services.database.run(lambda cursor: _rejected_pages(cursor, outlet.id, since, until))
    articles: list[tuple[CandidateResult, ArchivePointer]] = []
    scope = CrawlScope("incremental", None, datetime.now().astimezone())
    config = ExtractionConfig.for_outlet(outlet, services.database.run(lambda cursor: read_memory(cursor, outlet.id)))
    texts = OutletTexts(services.database.run(lambda cursor: latest_texts(cursor, outlet.id, LAST_ARTICLES)))
    segment_id: UUID | None = None
    captures: dict[UUID, StoredCapture] = {}  # of one segment only: a file may have a gigabyte
    for number, page in enumerate(pages, 1):
        if page.segment_id != segment_id:
            segment_id, captures = page.segment_id, _captures(services, page)
        capture = captures.get(page.capture_id)
        on_page(number, len(pages))
        if capture is None:
            continue
        extraction = extract_archived(services, (page.file, page.base), page.pointer, config, outlet)
        entries = services.database.run(lambda cursor, uid=page.url_uid: read_frontier(cursor, [uid]))  # type: ignore[misc]
        result = resolve_page(
            capture_from_record(capture.response.without_body(), capture.fields),
            extraction,
            scope,
            outlet,
            entries.get,
            services.settings.tdm_basis,
            _comparing(texts, recorded_comparison(capture.fields)),
        )
        if result.extraction is not None:
            articles.append((result, page.pointer))
    if stage and articles:
        services.database.run(lambda cursor: _stage(cursor, outlet, config, articles))
        logger.info("%s: %d of %s are articles now", outlet.id, len(articles), plural(len(pages), "rejected page"))
    return RejectedReextraction(len(pages), len(articles))


def _comparing(texts: OutletTexts, recorded: Compare) -> Compare:
    """Compare as the crawl did, or with the outlet's texts of today if the crawl did not get that far."""
    return lambda article_uid, extraction: recorded(article_uid, extraction) or texts.compare(article_uid, extraction)


def _captures(services: Services, page: _RejectedPage) -> dict[UUID, StoredCapture]:
    """The captures of a page's segment."""
    try:
        segments = file_segments(page.file, services.store.read(page.file, page.base, page.size))
    except ArchiveError as error:
        logger.warning("%s", error)
        return {}
    return {c.response.capture_id: c for s in segments if s.segment_id == page.segment_id for c in s.captures}


def _rejected_pages(cursor: Cursor, outlet: str, since: datetime | None, until: datetime | None) -> list[_RejectedPage]:
    cursor.execute(queries("reextract")["refused"], {"outlet": outlet, "since": since, "until": until})
    return [_RejectedPage(*row) for row in cursor.fetchall()]


def _stage(
    cursor: Cursor, outlet: Outlet, config: ExtractionConfig, articles: list[tuple[CandidateResult, ArchivePointer]]
) -> None:
    crawl_id = uuid4()
    results = [result for result, _ in articles]
    times = [result.capture.response.observed_at for result in results if result.capture]
    values = {
        "crawl_id": crawl_id, "outlet": outlet.id, "mode": "incremental", "start": min(times), "end": max(times),
        "config_hash": outlet.config_hash, "code_version": __version__, "started_at": min(times),
    }  # fmt: skip
    cursor.execute(_SQL["rebuilt_request"], values)
    cursor.execute(_SQL["rebuilt_crawl"], values)
    rows = [(crawl_id, r.candidate.url_uid, clean_text(r.candidate.url), r.candidate.via) for r in results]
    execute_values(cursor, _SQL["rebuilt_candidates"], rows, page_size=500)
    cursor.execute(_SQL["count_rebuilt"], values)
    entries = read_frontier(cursor, [result.candidate.url_uid for result in results])
    segment = Segment(
        segment_id=uuid4(),
        crawl_id=crawl_id,
        outlet=outlet,
        extractor_id=ensure_extractor(cursor, config),
        items=[
            archived_item(result, entries.get(result.candidate.url_uid), outlet, pointer)
            for result, pointer in articles
        ],
        observed_at=max(times),
    )
    commit_segment(cursor, segment)
    close_crawl(cursor, crawl_id, "finished")
