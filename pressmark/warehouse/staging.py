"""SEAL's transaction: the staged rows, the frontier and the ledger of one segment, together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark.extraction.fingerprints import SIG_VERSION
from pressmark.frontier import FrontierEntry
from pressmark.outcome_rules import MISSING, NOT_MODIFIED, CandidateResult, FrontierUpdate, frontier_update, variants
from pressmark.outlet import Outlet
from pressmark.text import clean_text
from pressmark.urls import URL_RULE, literal_key, url_uid, without_trackers
from pressmark.warehouse.copy_format import Json, copy_rows
from pressmark.warehouse.crawls import FetchRecord, add_fetches, resolve_candidates, update_frontier
from pressmark.warehouse.queries import queries

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
    "urls", "comments", "links",
)  # fmt: skip
EVENT_COLUMNS = ("segment_id", "article_uid", "outlet", "kind", "observed_at", "crawl_id", "detail")
_DOUBTS = 3
_EVENTS = {"gone": "missing", "redirect_home": "redirected_home", NOT_MODIFIED: "confirmed"}


@dataclass(frozen=True, slots=True)
class ArchivePointer:
    """Where a body lies: in this segment's file, or in an earlier one's for a page that came again."""

    segment_id: UUID
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class SealedFile:
    """The WARC that was put in place for a segment."""

    name: str
    length: int
    records: int
    base_offset: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """All that one transaction commits.

    settled: candidates with the pointer of their archived body, where there is one.
    file: None where nothing of the segment may be archived. events: as `event_rows` gives them. healthy: False where
    so many pages are missing that the outlet, not its articles, must be amiss: they then do not count as gone.
    """

    segment_id: UUID
    crawl_id: UUID
    outlet: Outlet
    extractor_id: int
    resolved: Sequence[tuple[CandidateResult, ArchivePointer | None]]
    file: SealedFile | None
    known: Callable[[UUID], FrontierEntry | None]
    fetches: Sequence[FetchRecord] = ()
    observed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    healthy: bool = True
    events: Sequence[tuple[Any, ...]] = ()


def commit_segment(cursor: Cursor, segment: Segment) -> int:
    """Write everything of a segment; the caller commits. Returns the number of visits staged."""
    captures = [
        _visit_row(segment, resolved, pointer)
        for resolved, pointer in segment.resolved
        if resolved.extraction is not None
    ]
    events = segment.events
    has_content = bool(captures or events or segment.file)
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
    if events:
        copy_rows(cursor, ("staging", "event"), EVENT_COLUMNS, events)
    _add_quarantine(cursor, segment)
    resolve_candidates(
        cursor,
        [
            (
                segment.crawl_id,
                resolved.candidate.url_uid,
                resolved.outcome,
                resolved.reason,
                segment.segment_id if has_content and resolved.capture else None,
                resolved.article_uid if resolved.extraction or resolved.outcome == NOT_MODIFIED else None,
            )
            for resolved, _ in segment.resolved
        ],
    )
    update_frontier(
        cursor,
        segment.outlet.id,
        [_frontier_row(segment, resolved, pointer) for resolved, pointer in segment.resolved],
        segment.observed_at,
    )
    add_fetches(cursor, segment.crawl_id, segment.fetches)
    return len(captures)


def _frontier_row(segment: Segment, resolved: CandidateResult, pointer: ArchivePointer | None) -> FrontierUpdate:
    known = segment.known(resolved.candidate.url_uid)
    now = resolved.capture.response.observed_at if resolved.capture else segment.observed_at
    place = (pointer.segment_id, pointer.offset, pointer.length) if pointer else None
    update = frontier_update(resolved, known, segment.outlet, now, place)
    if known is None or not _is_doubted(segment, resolved, known):
        return update
    again = now + segment.outlet.revisits.gone_after
    return replace(update, outcome=known.last_outcome or update.outcome, failures=known.failures + 1, next_due_at=again)


def _visit_row(segment: Segment, resolved: CandidateResult, pointer: ArchivePointer | None) -> tuple[Any, ...]:
    capture, x = resolved.capture, resolved.extraction
    assert capture is not None and x is not None
    response, candidate, listed = capture.response, resolved.candidate, resolved.listed
    address = without_trackers(resolved.article_url or response.url, segment.outlet.urls.parameters)
    published, modified, entry, rights = x.published, x.modified, candidate.entry, capture.rights(x.rights)
    urls = [
        {
            "kind": kind,
            "url": clean_text(url),
            "url_key": str(literal_key(url)),
            "url_uid": str(url_uid(segment.outlet.id, url, segment.outlet.urls.parameters)),
        }
        for kind, url in variants(capture, x, segment.outlet)
    ]
    return (
        segment.segment_id, response.capture_id, resolved.article_uid, candidate.url_uid, segment.outlet.id,
        segment.crawl_id, address, URL_RULE, response.observed_at,
        "pressmark", x.payload_hash, segment.extractor_id,
        *((pointer.segment_id, pointer.offset, pointer.length) if pointer else (None, None, None)),
        capture.requested_url, response.url if response.url != capture.requested_url else None, response.status,
        response.header("Content-Type"), response.header("ETag"), response.header("Last-Modified"),
        candidate.via, candidate.endpoint_id, entry.headline if entry else None,
        listed.value if listed else None, listed.raw if listed else None, listed.source if listed else None,
        listed.precision if listed else None, listed.offset if listed else None,
        Json(rights) if rights else None, x.headline, x.description, x.authors,
        published.value if published else None, published.raw if published else None,
        published.source if published else None, published.precision if published else None,
        published.offset if published else None, published.flag if published else None,
        modified.value if modified else None, modified.raw if modified else None,
        modified.source if modified else None,
        x.in_language, x.in_language_source, x.article_section, x.keywords, x.main_image, x.is_accessible_for_free,
        x.canonical_url, x.encoding, x.encoding_source, x.text_hash, x.article_body, x.word_count, x.char_count,
        x.headline_hash, x.description_hash, x.authors_hash, x.body_hash,
        SIG_VERSION if x.signatures else None, x.signatures.body if x.signatures else None,
        x.signatures.lead if x.signatures else None,
        Json(urls), Json(_comments(resolved)), x.links,
    )  # fmt: skip


def _comments(resolved: CandidateResult) -> list[dict[str, Any]]:
    """Comments with their identity: equal ones of an article are told apart by how many stood before."""
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str | None, str], int] = {}
    for position, comment in enumerate(resolved.extraction.comments if resolved.extraction else (), start=1):
        equal = seen.get((comment.author, comment.text), 0)
        seen[comment.author, comment.text] = equal + 1
        material = f"{resolved.article_uid}\0{comment.author}\0{comment.text}\0{equal}"
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


def event_rows(segment: Segment) -> list[tuple[Any, ...]]:
    """Rows of staging.event: pages of known articles that are missing now, or that their server called unchanged."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}  # one an article, kind and time: it may have several addresses
    for resolved, _ in segment.resolved:
        known = segment.known(resolved.candidate.url_uid)
        kind = _EVENTS.get(resolved.outcome)
        if kind and known and known.article_uid and not _is_doubted(segment, resolved, known):
            when = resolved.capture.response.observed_at if resolved.capture else segment.observed_at
            rows[known.article_uid, kind, when] = (
                segment.segment_id, known.article_uid, segment.outlet.id, kind, when, segment.crawl_id, resolved.reason,
            )  # fmt: skip
    return list(rows.values())


def _is_doubted(segment: Segment, resolved: CandidateResult, known: FrontierEntry | None) -> bool:
    """Whether a missing page is taken for the site's trouble: not more than a few times in a row."""
    if segment.healthy or known is None or known.article_uid is None or resolved.outcome not in MISSING:
        return False
    return known.failures < _DOUBTS


def _add_quarantine(cursor: Cursor, segment: Segment) -> None:
    rows = [
        (
            resolved.capture.response.capture_id,
            segment.crawl_id,
            resolved.candidate.url_uid,
            clean_text(resolved.candidate.url),
            segment.outlet.id,
            resolved.outcome,
            resolved.quarantine_stage,
            clean_text(resolved.reason) or resolved.outcome,
            *((pointer.segment_id, pointer.offset, pointer.length) if pointer else (None, None, None)),
        )
        for resolved, pointer in segment.resolved
        if resolved.quarantine_stage and resolved.capture
    ]
    if rows:
        execute_values(cursor, queries("crawl")["add_quarantine"], rows, page_size=500)
