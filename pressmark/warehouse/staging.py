"""SEAL's transaction: the staged rows, the frontier and the ledger of one segment, together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark.archive.pointer import ArchivePointer
from pressmark.archive.spool import SpoolPointer
from pressmark.crawl_types import FetchRecord
from pressmark.dates import ParsedDate
from pressmark.extraction.fields import SIG_VERSION, Extraction
from pressmark.frontier import FrontierEntry
from pressmark.frontier_updates import FrontierUpdate, doubtful_update, frontier_update, is_doubtful, with_pointer
from pressmark.outcome_rules import CandidateResult, variants
from pressmark.outcomes import Outcome
from pressmark.outlet import Outlet
from pressmark.text import clean_text
from pressmark.urls import URL_RULE, literal_key, loose_uid, url_uid, without_trackers
from pressmark.warehouse.copy_format import Json, copy_rows
from pressmark.warehouse.crawls import add_fetches, resolve_candidates, update_frontier
from pressmark.warehouse.queries import queries

TEXT_COLUMNS = (
    "standfirst", "line_kinds", "images", "is_live_blog", "live_posts", "extraction_confidence", "confidence_basis",
)  # fmt: skip
CAPTURE_COLUMNS = (
    "segment_id", "capture_id", "article_uid", "url_uid", "outlet", "crawl_id", "url", "url_rule", "observed_at",
    "captured_by", "payload_hash", "extractor_id", "archive_segment_id", "archive_offset", "archive_length",
    "requested_url", "final_url", "http_status", "content_type", "etag", "last_modified", "discovered_via",
    "endpoint_id", "listed_headline", "listed_published", "listed_published_raw", "listed_published_source",
    "listed_published_precision", "listed_published_offset", "rights", "headline", "description", "authors",
    "date_published", "date_published_raw", "date_published_source", "date_published_precision",
    "date_published_offset", "date_published_flag", "date_modified", "date_modified_raw", "date_modified_source",
    "in_language", "in_language_source", "article_section", "keywords", "main_image", "is_accessible_for_free",
    "canonical_url", "encoding", "encoding_source", "text_hash", "article_body", "word_count", "char_count",
    "headline_hash", "description_hash", "authors_hash", "body_hash", "sig_version", "body_sig", "lead_sig",
    "urls", "comments", "links", "loose_uid", "author_organisations", *TEXT_COLUMNS,
)  # fmt: skip
EVENT_COLUMNS = ("segment_id", "article_uid", "outlet", "kind", "observed_at", "crawl_id", "detail")
_EVENTS = {
    Outcome.GONE: "missing",
    Outcome.REDIRECT_HOME: "redirected_home",
    Outcome.NOT_MODIFIED: "confirmed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentItem:
    """A resolved candidate of a segment.

    update: the frontier's new state, without the pointer. entry: its state before the crawl. spooled: where its bytes
    are while the segment is open. pointer: where they are archived; None until then, and if they may not be archived.
    """

    result: CandidateResult
    update: FrontierUpdate
    entry: FrontierEntry | None = None
    spooled: SpoolPointer | None = None
    pointer: ArchivePointer | None = None


@dataclass(frozen=True, slots=True)
class SealedFile:
    """The WARC file of a segment. records: responses and revisits in it."""

    name: str
    length: int
    records: int
    base_offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Everything that one transaction commits.

    file: None if nothing of the segment may be archived. events: as `event_rows` returns them. healthy: False if most
    pages of the crawl are missing; missing pages then do not count as gone.
    """

    segment_id: UUID
    crawl_id: UUID
    outlet: Outlet
    extractor_id: int
    items: Sequence[SegmentItem]
    file: SealedFile | None = None
    fetches: Sequence[FetchRecord] = ()
    observed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    healthy: bool = True
    events: Sequence[tuple[Any, ...]] = ()


def archived_item(
    result: CandidateResult, entry: FrontierEntry | None, outlet: Outlet, pointer: ArchivePointer
) -> SegmentItem:
    """The item of a page that was extracted from the archive."""
    assert result.capture is not None
    update = frontier_update(result, entry, outlet, result.capture.response.observed_at)
    return SegmentItem(result=result, update=update, entry=entry, pointer=pointer)


def commit_segment(cursor: Cursor, segment: Segment) -> int:
    """Write everything of a segment; the caller commits. Returns the number of captures staged."""
    captures = [_capture_row(segment, item) for item in segment.items if item.result.extraction is not None]
    has_content = bool(captures or segment.events or segment.file)
    if has_content:
        identity = {"segment_id": segment.segment_id, "crawl_id": segment.crawl_id, "outlet": segment.outlet.id}
        cursor.execute(queries("crawl")["add_segment"], {**identity, "captures": len(captures)})
    if segment.file:
        cursor.execute(
            queries("crawl")["add_archive_segment"],
            {
                "segment_id": segment.segment_id,
                "outlet": segment.outlet.id,
                "file": segment.file.name,
                "length": segment.file.length,
                "records": segment.file.records,
                "base_offset": segment.file.base_offset,
            },
        )
    if captures:
        copy_rows(cursor, ("staging", "capture"), CAPTURE_COLUMNS, captures)
    if segment.events:
        copy_rows(cursor, ("staging", "event"), EVENT_COLUMNS, segment.events)
    _add_quarantine(cursor, segment)
    resolve_candidates(cursor, [_candidate_row(segment, item, has_content) for item in segment.items])
    updates = [_final_update(segment, item) for item in segment.items]
    update_frontier(cursor, segment.outlet.id, updates, segment.observed_at)
    add_fetches(cursor, segment.crawl_id, segment.fetches)
    return len(captures)


def event_rows(segment: Segment) -> list[tuple[Any, ...]]:
    """Rows of staging.event: pages of known articles that are missing, or that their server confirmed as unchanged."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}  # one per article, kind and time: it may have several URLs
    for item in segment.items:
        result, entry = item.result, item.entry
        kind = _EVENTS.get(result.outcome)
        if kind and entry and entry.article_uid and not is_doubtful(result, entry, segment.healthy):
            when = result.capture.response.observed_at if result.capture else segment.observed_at
            rows[entry.article_uid, kind, when] = (
                segment.segment_id, entry.article_uid, segment.outlet.id, kind, when, segment.crawl_id, result.reason,
            )  # fmt: skip
    return list(rows.values())


def _final_update(segment: Segment, item: SegmentItem) -> FrontierUpdate:
    update = with_pointer(item.update, item.result, item.pointer)
    if item.entry is not None and is_doubtful(item.result, item.entry, segment.healthy):
        return doubtful_update(update, item.entry, segment.outlet, update.fetched_at or segment.observed_at)
    return update


def _candidate_row(
    segment: Segment, item: SegmentItem, has_content: bool
) -> tuple[UUID, UUID, str, str | None, UUID | None, UUID | None]:
    result = item.result
    return (
        segment.crawl_id,
        result.candidate.url_uid,
        result.outcome,
        result.reason,
        segment.segment_id if has_content and result.capture else None,
        result.article_uid if result.extraction or result.outcome == Outcome.NOT_MODIFIED else None,
    )


def _capture_row(segment: Segment, item: SegmentItem) -> tuple[Any, ...]:
    result, capture, x = item.result, item.result.capture, item.result.extraction
    assert capture is not None and x is not None
    response, candidate, listed = capture.response, result.candidate, result.listed
    url = without_trackers(result.article_url or response.url, segment.outlet.urls.parameters)
    entry, rights = candidate.entry, capture.rights(x.rights)
    return (
        segment.segment_id, response.capture_id, result.article_uid, candidate.url_uid, segment.outlet.id,
        segment.crawl_id, url, URL_RULE, response.observed_at,
        "pressmark", x.payload_hash, segment.extractor_id, *_pointer_columns(item.pointer),
        capture.requested_url, response.url if response.url != capture.requested_url else None, response.status,
        response.header("Content-Type"), response.header("ETag"), response.header("Last-Modified"),
        candidate.via, candidate.endpoint_id, entry.headline if entry else None,
        *_date_columns(listed), Json(rights) if rights else None, x.headline, x.description, x.authors,
        *_date_columns(x.published), x.published.flag if x.published else None, *_date_columns(x.modified)[:3],
        x.in_language, x.in_language_source, x.article_section, x.keywords, x.main_image, x.is_accessible_for_free,
        x.canonical_url, x.encoding, x.encoding_source, x.text_hash, x.article_body, x.word_count, x.char_count,
        *x.content_hashes,
        SIG_VERSION if x.signatures else None, x.signatures.body if x.signatures else None,
        x.signatures.lead if x.signatures else None,
        Json(_urls(segment.outlet, result)), Json(_comments(result)), x.links,
        loose_uid(segment.outlet.id, result.article_url or response.url, segment.outlet.urls.parameters),
        x.author_organisations, *text_columns(x, Json),
    )  # fmt: skip


def text_columns(x: Extraction, as_json: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return the values of TEXT_COLUMNS. as_json: wraps a value of a jsonb column."""
    images = [{name: value for name, value in asdict(image).items() if value} for image in x.images]
    posts = [
        {
            "line": post.line,
            "posted_at": post.posted.value.isoformat() if post.posted and post.posted.value else None,
            "posted_raw": clean_text(post.posted.raw) if post.posted else None,
        }
        for post in x.live_posts
    ]
    return (
        x.standfirst, x.line_kinds, as_json(images) if images else None, x.is_live_blog,
        as_json(posts) if posts else None, x.confidence, as_json(x.confidence_basis) if x.confidence_basis else None,
    )  # fmt: skip


def _date_columns(date: ParsedDate | None) -> tuple[Any, ...]:
    """Value, raw text, source, precision and offset of a date."""
    return (date.value, date.raw, date.source, date.precision, date.offset) if date else (None,) * 5


def _pointer_columns(pointer: ArchivePointer | None) -> tuple[Any, ...]:
    return (pointer.segment_id, pointer.offset, pointer.length) if pointer else (None,) * 3


def _urls(outlet: Outlet, result: CandidateResult) -> list[dict[str, str | None]]:
    assert result.capture is not None and result.extraction is not None
    return [
        {
            "kind": kind,
            "url": clean_text(url),
            "url_key": str(literal_key(url)),
            "url_uid": str(url_uid(outlet.id, url, outlet.urls.parameters)),
        }
        for kind, url in variants(result.capture, result.extraction)
    ]


def _comments(result: CandidateResult) -> list[dict[str, Any]]:
    """Comments with their identity. Equal comments of an article are numbered."""
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str | None, str], int] = {}
    for position, comment in enumerate(result.extraction.comments if result.extraction else (), start=1):
        equal = seen.get((comment.author, comment.text), 0)
        seen[comment.author, comment.text] = equal + 1
        material = f"{result.article_uid}\0{comment.author}\0{comment.text}\0{equal}"
        rows.append(
            {
                "comment_uid": str(literal_key(material)),
                "position": position,
                "author": comment.author,
                "posted_raw": comment.posted,
                "edited_raw": comment.edited,
                "comment_body": comment.text,
            }
        )
    return rows


def _add_quarantine(cursor: Cursor, segment: Segment) -> None:
    rows = [
        (
            item.result.capture.response.capture_id,
            segment.crawl_id,
            item.result.candidate.url_uid,
            clean_text(item.result.candidate.url),
            segment.outlet.id,
            item.result.outcome,
            item.result.quarantine_stage,
            clean_text(item.result.reason) or item.result.outcome,
            *_pointer_columns(item.pointer),
        )
        for item in segment.items
        if item.result.quarantine_stage and item.result.capture
    ]
    if rows:
        execute_values(cursor, queries("crawl")["add_quarantine"], rows, page_size=500)
