"""The frontier's new state of a URL after its candidate was resolved. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from pressmark.archive.pointer import ArchivePointer
from pressmark.archive.records import Response
from pressmark.extraction.fields import ContentHashes, Extraction
from pressmark.frontier import FULL_REFETCH_INTERVAL, FrontierEntry, next_due
from pressmark.outcome_rules import CandidateResult
from pressmark.outcomes import MISSING, NOT_FETCHED, Outcome
from pressmark.outlet import Outlet

_MAX_DOUBTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierUpdate:
    """New state of a URL in ops.frontier. None in `content`, validators and pointer keeps what is stored."""

    url_uid: UUID
    url: str
    outcome: str
    fetched_at: datetime | None
    next_due_at: datetime | None
    failures: int
    article_uid: UUID | None = None
    captured_at: datetime | None = None
    listed_modified: datetime | None = None
    date_published: datetime | None = None
    content: ContentHashes | None = None
    etag: str | None = None
    last_modified: str | None = None
    wire_digest: bytes | None = None
    pointer: ArchivePointer | None = None
    last_read_at: datetime | None = None
    validators_unreliable: bool = False


def frontier_update(
    result: CandidateResult, entry: FrontierEntry | None, outlet: Outlet, now: datetime
) -> FrontierUpdate:
    """The frontier's new state of the candidate's URL.

    entry: its state before this crawl. now: when the page was observed, or the candidate resolved.
    The pointer is added by `with_pointer` once the bytes are archived.
    """
    candidate, extraction = result.candidate, result.extraction
    response = result.capture.response if result.capture else None
    failures = _failures(result, entry)
    first_captured = entry.first_captured_at if entry else None
    if extraction and response and first_captured is None:
        first_captured = response.observed_at
    due = next_due(outlet, result.outcome, failures, first_captured, now)
    if result.outcome == Outcome.NOT_MODIFIED and entry is not None and entry.last_read_at is not None:
        # A 304 is trusted until the next full fetch is due.
        full_fetch_at = max(entry.last_read_at + FULL_REFETCH_INTERVAL, now)
        due = min(due, full_fetch_at) if due else full_fetch_at
    update = FrontierUpdate(
        url_uid=candidate.url_uid,
        url=candidate.url,
        outcome=result.outcome,
        fetched_at=None if result.outcome in NOT_FETCHED else now,
        next_due_at=due,
        failures=failures,
        article_uid=result.article_uid if extraction or result.outcome == Outcome.NOT_MODIFIED else None,
        listed_modified=candidate.entry.modified if candidate.entry else None,
        date_published=_publication_date(result),
    )
    if extraction is None or response is None:
        return update
    return replace(
        update,
        captured_at=response.observed_at,
        content=extraction.content_hashes,
        etag=response.header("ETag"),
        last_modified=response.header("Last-Modified"),
        last_read_at=response.observed_at,
        validators_unreliable=_validators_unreliable(entry, response, extraction),
    )


def with_pointer(update: FrontierUpdate, result: CandidateResult, pointer: ArchivePointer | None) -> FrontierUpdate:
    """The same update with the place of the archived bytes, so that equal bytes are not archived again."""
    if pointer is None:
        return update
    assert result.capture is not None
    return replace(update, pointer=pointer, wire_digest=result.capture.response.wire_digest)


def article_entry(result: CandidateResult, update: FrontierUpdate) -> FrontierEntry:
    """The entry of the article that a kept page belongs to, for further candidates of the same crawl."""
    assert result.article_uid is not None and result.capture is not None
    return FrontierEntry(
        url_uid=result.article_uid,
        url=result.article_url or update.url,
        article_uid=result.article_uid,
        next_due_at=update.next_due_at,
        listed_modified=update.listed_modified,
        last_fetch_at=update.fetched_at,
        last_outcome=update.outcome,
        failures=0,
        first_captured_at=result.capture.response.observed_at,
        date_published=update.date_published,
        content=update.content,
    )


def is_doubtful(result: CandidateResult, entry: FrontierEntry | None, healthy: bool) -> bool:
    """Whether a missing page is put down to a fault of the site. That is done a few consecutive times at most.

    healthy: False if most pages of the crawl are missing.
    """
    if healthy or entry is None or entry.article_uid is None or result.outcome not in MISSING:
        return False
    return entry.failures < _MAX_DOUBTS


def doubtful_update(update: FrontierUpdate, entry: FrontierEntry, outlet: Outlet, now: datetime) -> FrontierUpdate:
    """The update of a page whose absence is doubtful: its outcome stays, and it is checked again."""
    return replace(
        update,
        outcome=entry.last_outcome or update.outcome,
        failures=entry.failures + 1,
        next_due_at=now + outlet.revisits.gone_after,
    )


def _failures(result: CandidateResult, entry: FrontierEntry | None) -> int:
    """Consecutive failures, this one included. The first missing page after other failures starts a new count."""
    if result.extraction or result.outcome in (Outcome.NOT_MODIFIED, Outcome.OUT_OF_WINDOW):
        return 0
    if entry is None or (result.outcome in MISSING and entry.last_outcome not in MISSING):
        return 1
    return entry.failures + 1


def _publication_date(result: CandidateResult) -> datetime | None:
    extraction = result.extraction
    if extraction and extraction.published and extraction.published.value:
        return extraction.published.value
    return result.published or (result.listed.value if result.listed else None)


def _validators_unreliable(entry: FrontierEntry | None, response: Response, extraction: Extraction) -> bool:
    """Whether the content has changed although the server's validators have not."""
    if entry is None or entry.content is None or entry.content == extraction.content_hashes:
        return False
    if entry.wire_digest == response.wire_digest:
        return False  # the same bytes under another extractor
    etag, modified = response.header("ETag"), response.header("Last-Modified")
    # An ETag takes precedence (RFC 9110 13.1.3).
    return entry.etag == etag if entry.etag or etag else bool(modified) and entry.last_modified == modified
