"""DECIDE: whether a candidate is fetched now, and when a page is due again. Pure; the rows are read elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pressmark.archive.pointer import ArchivePointer
from pressmark.discovery.listing import Entry
from pressmark.extraction.fields import ContentHashes
from pressmark.outcomes import MISSING, RECHECKED_WHEN_LISTED, RETRIED, Outcome
from pressmark.outlet import Outlet
from pressmark.removal.rules import Removal
from pressmark.urls import on_domains, trap_reason

Mode = Literal["incremental", "window"]
REVISIT = "revisit"  # discovered_via of a candidate that is due and that nothing listed

_FIRST_RETRY = timedelta(hours=1)
_LAST_RETRY = timedelta(days=7)
FULL_REFETCH_INTERVAL = timedelta(days=3)
_CHANGING_FOR = timedelta(days=30)
_SOONEST, _LATEST = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A URL discovered or due, with what its listing says of it.

    url_uid: identity of the URL. via: discovery method, or `revisit`. erased: a removal has erased the address; url and
    url_uid are what stands in its place.
    """

    url: str
    url_uid: UUID
    via: str
    endpoint_id: UUID | None = None
    entry: Entry | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierEntry:
    """The state of a URL in ops.frontier. own: False for the state of the article that the URL leads to."""

    url_uid: UUID
    url: str
    article_uid: UUID | None = None
    next_due_at: datetime | None = None
    listed_modified: datetime | None = None
    last_fetch_at: datetime | None = None
    last_outcome: str | None = None
    failures: int = 0
    first_captured_at: datetime | None = None
    date_published: datetime | None = None
    content: ContentHashes | None = None
    wire_digest: bytes | None = None
    pointer: ArchivePointer | None = None
    etag: str | None = None
    last_modified: str | None = None
    last_read_at: datetime | None = None
    validators_unreliable: bool = False
    own: bool = True


@dataclass(frozen=True, slots=True)
class CrawlScope:
    """What a crawl request asks, as far as deciding needs it. Interval `[start, end)` in UTC."""

    mode: Mode
    start: datetime | None
    end: datetime
    force_refetch: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Fetch (outcome None), take it from the archive, or how the candidate ends without a request."""

    outcome: Outcome | None = None
    reason: str | None = None
    from_archive: bool = False

    @property
    def fetch(self) -> bool:
        """Whether to ask for the page."""
        return self.outcome is None and not self.from_archive


FETCH = Decision()
FROM_ARCHIVE = Decision(from_archive=True)


def decide(
    candidate: Candidate,
    known: FrontierEntry | None,
    scope: CrawlScope,
    outlet: Outlet,
    removals: Sequence[Removal],
    now: datetime,
) -> Decision:
    """Fetch this candidate now? robots.txt and budgets are asked later, at the fetch."""
    left_out = _skip_reason(candidate, known, scope, outlet, removals, now)
    if left_out is not None:
        # Left out before for the same reason: nothing new, so it is counted and not stored again.
        if known is not None and known.last_outcome == left_out.outcome:
            return Decision(Outcome.KNOWN_NOT_DUE, left_out.reason)
        return left_out
    if known is None or scope.force_refetch:
        return FETCH
    if scope.mode == "window":
        if known.first_captured_at:
            return Decision(Outcome.KNOWN_NOT_DUE, "in the warehouse already")
        # An earlier window read it, and it was published in this one.
        return FROM_ARCHIVE if known.last_outcome == Outcome.OUT_OF_WINDOW and known.pointer else FETCH
    return FETCH if _is_due(candidate, known, now) else Decision(Outcome.KNOWN_NOT_DUE)


def _skip_reason(
    candidate: Candidate,
    known: FrontierEntry | None,
    scope: CrawlScope,
    outlet: Outlet,
    removals: Sequence[Removal],
    now: datetime,
) -> Decision | None:
    if candidate.erased:
        return Decision(Outcome.SUPPRESSED, "a removal has erased this address")
    if not on_domains(candidate.url, outlet.domains):
        return Decision(Outcome.OUT_OF_SCOPE, f"not on {', '.join(outlet.domains)}")
    trap = trap_reason(candidate.url)
    if trap:
        return Decision(Outcome.CRAWLER_TRAP, trap)
    for removal in removals:
        if removal.covers(candidate.url, candidate.url_uid):
            return Decision(Outcome.SUPPRESSED, f"a removal covers this {removal.target}")
    if outlet.urls.include and not any(re.search(pattern, candidate.url) for pattern in outlet.urls.include):
        return Decision(Outcome.OUT_OF_SCOPE, "matches no pattern of urls.include")
    for pattern in outlet.urls.exclude:
        if re.search(pattern, candidate.url):
            return Decision(Outcome.OUT_OF_SCOPE, f"matches urls.exclude {pattern!r}")
    published = _published(candidate, known)
    if scope.mode == "window" and published is not None and not in_window(published, scope):
        return Decision(Outcome.OUT_OF_WINDOW, f"published {published:%Y-%m-%d}")
    if outlet.max_age and scope.mode == "incremental":
        # What has not changed since then was not published since then either.
        modified = candidate.entry.modified if candidate.entry else None
        latest = published or modified
        if latest is not None and latest < now - outlet.max_age:
            return Decision(Outcome.TOO_OLD, f"{'published' if published else 'last changed'} {latest:%Y-%m-%d}")
    return None


def in_window(published: datetime, scope: CrawlScope) -> bool:
    """Whether a date of publication lies in `[start, end)`."""
    return (scope.start is None or published >= scope.start) and published < scope.end


def _published(candidate: Candidate, known: FrontierEntry | None) -> datetime | None:
    if known is not None and known.date_published is not None:
        return known.date_published
    entry = candidate.entry
    return entry.published.value if entry and entry.published else None


def _is_due(candidate: Candidate, known: FrontierEntry, now: datetime) -> bool:
    if known.last_fetch_at is None or known.last_outcome in RECHECKED_WHEN_LISTED:
        return True
    if known.next_due_at is not None and known.next_due_at <= now:
        return True
    modified = candidate.entry.modified if candidate.entry else None
    # After a failure the back-off alone decides; a listing does not make a broken page come sooner.
    return (
        known.last_outcome not in RETRIED
        and modified is not None
        and known.listed_modified is not None
        and modified > known.listed_modified
    )


def validators(known: FrontierEntry | None, scope: CrawlScope, now: datetime) -> dict[str, str]:
    """Headers by which a server may answer 304; none where the whole page is wanted.

    A validator is a hint: some servers keep it while the page changes, so a body is asked for now and then, and
    always once a validator was caught lying.
    """
    if known is None or known.validators_unreliable or known.first_captured_at is None or known.last_read_at is None:
        return {}
    if not known.own:
        return {}  # another address's
    if scope.mode == "window" or scope.force_refetch or now - known.last_read_at >= FULL_REFETCH_INTERVAL:
        return {}
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def next_due(
    outlet: Outlet, outcome: str, failures: int, first_captured: datetime | None, now: datetime
) -> datetime | None:
    """When to ask for a page again even if nothing lists it; None for never.

    failures: in a row, this one included. first_captured: when a page first came.
    """
    if outcome in RETRIED or outcome == Outcome.ROBOTS_UNREACHABLE:
        doubled: int = 2 ** min(failures - 1, 10)
        return now + min(_FIRST_RETRY * doubled, _LAST_RETRY)
    if outcome in (Outcome.BUDGET_EXHAUSTED, Outcome.INTERRUPTED):
        return now
    if outcome in MISSING:
        # A second look confirms it; then the page rests.
        return now + outlet.revisits.gone_after if failures <= 1 else None
    if outcome in (Outcome.RIGHTS_RESERVED, Outcome.NOINDEX):
        return now + _LAST_RETRY
    if first_captured is None:
        return None
    later = [first_captured + after for after in (*outlet.revisits.early, *outlet.revisits.after)]
    if outcome == Outcome.REVISED and now - first_captured < _CHANGING_FOR:
        # A page that has just changed is likely to change again, the sooner the younger it is.
        later.append(now + min(max((now - first_captured) / 2, _SOONEST), _LATEST))
    return min((when for when in later if when > now), default=None)


def is_early(known: FrontierEntry, outlet: Outlet, now: datetime) -> bool:
    """Whether a page that is due has only an early look coming to it, which a crawl takes where it has room."""
    due, first = known.next_due_at, known.first_captured_at
    if due is None or first is None or known.last_outcome in RETRIED or known.failures:
        return False
    return any(due == first + after for after in outlet.revisits.early) and all(
        first + after > now for after in outlet.revisits.after
    )
