"""DECIDE: whether to fetch a candidate now, and when a page is due again. Pure functions; callers read the rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID

from pressmark.archive.pointer import ArchivePointer
from pressmark.dates import date_span
from pressmark.discovery.listing import Entry
from pressmark.extraction.fields import ContentHashes
from pressmark.outcomes import MISSING, RECHECKED_WHEN_LISTED, RETRIED, Outcome
from pressmark.outlet import Outlet
from pressmark.removal.rules import Removal
from pressmark.urls import on_domains, trap_reason

Mode = Literal["incremental", "window"]
REVISIT = "revisit"  # discovered_via of a candidate that is due but not listed

_MIN_RETRY_DELAY = timedelta(hours=1)
_MAX_RETRY_DELAY = timedelta(days=7)
FULL_REFETCH_INTERVAL = timedelta(days=3)
_EXTRA_REVISITS_PERIOD = timedelta(days=30)  # after the first capture; a revision in it brings an extra revisit
_MIN_REVISIT_DELAY, _MAX_REVISIT_DELAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A URL that was discovered or is due, with its entry in the listing.

    url_uid: identity of the URL. via: discovery method, or `revisit`. erased: a removal has erased the URL; url and
    url_uid are then its replacements.
    """

    url: str
    url_uid: UUID
    via: str
    endpoint_id: UUID | None = None
    entry: Entry | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierEntry:
    """The state of a URL in ops.frontier. own: False if it is the state of the article that the URL leads to."""

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
    """The parts of a crawl request that decisions depend on. Interval `[start, end)` in UTC."""

    mode: Mode
    start: datetime | None
    end: datetime
    force_refetch: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Fetch the page (outcome None), extract it from the archive, or resolve the candidate without a request."""

    outcome: Outcome | None = None
    reason: str | None = None
    from_archive: bool = False

    @property
    def fetch(self) -> bool:
        """Return whether to request the page."""
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
    """Decide whether to fetch a candidate now. robots.txt and budgets are checked later, before the request."""
    skipped = _skip_reason(candidate, known, scope, outlet, removals, now)
    if skipped is not None:
        # Skipped before for the same reason: count it, but do not store it again.
        if known is not None and known.last_outcome == skipped.outcome:
            return Decision(Outcome.KNOWN_NOT_DUE, skipped.reason)
        return skipped
    if known is None or scope.force_refetch:
        return FETCH
    if scope.mode == "window":
        if known.first_captured_at:
            return Decision(Outcome.KNOWN_NOT_DUE, "already in the warehouse")
        # A crawl of another window archived the page, and it was published in this window.
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
        return Decision(Outcome.SUPPRESSED, "a removal has erased this URL")
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
    published, precision = _published(candidate, known)
    if scope.mode == "window" and published is not None and not in_window(published, precision, scope, outlet.timezone):
        return Decision(Outcome.OUT_OF_WINDOW, f"published {published:%Y-%m-%d}")
    if outlet.max_age and scope.mode == "incremental":
        # A page that has not changed since a date was not published after it.
        entry = candidate.entry
        latest = published or (entry.modified if entry else None)
        if published is None and entry:
            precision = entry.modified_precision
        if latest is not None and date_span(latest, precision, outlet.timezone)[1] < now - outlet.max_age:
            return Decision(Outcome.TOO_OLD, f"{'published' if published else 'last changed'} {latest:%Y-%m-%d}")
    return None


def in_window(published: datetime, precision: str | None, scope: CrawlScope, zone: str) -> bool:
    """Return whether a date of publication may be in `[start, end)`.

    precision: a day may be, if any part of it is. zone: of the outlet, whose day counts.
    """
    first, end = date_span(published, precision, zone)
    return (scope.start is None or end > scope.start) and first < scope.end


def _published(candidate: Candidate, known: FrontierEntry | None) -> tuple[datetime | None, str | None]:
    """Return the date of publication as far as it is known, with its precision."""
    if known is not None and known.date_published is not None:
        # The frontier doesn't keep the precision. A time of exactly midnight UTC is most often a day.
        return known.date_published, "day" if known.date_published.time() == time.min else None
    published = candidate.entry.published if candidate.entry else None
    return (published.value, published.precision) if published else (None, None)


def _is_due(candidate: Candidate, known: FrontierEntry, now: datetime) -> bool:
    if known.last_fetch_at is None or known.last_outcome in RECHECKED_WHEN_LISTED:
        return True
    if known.next_due_at is not None and known.next_due_at <= now:
        return True
    modified = candidate.entry.modified if candidate.entry else None
    # After a failure, only the back-off counts. A changed listing does not bring the retry forward.
    return (
        known.last_outcome not in RETRIED
        and modified is not None
        and known.listed_modified is not None
        and modified > known.listed_modified
    )


def validators(known: FrontierEntry | None, scope: CrawlScope, now: datetime) -> dict[str, str]:
    """Return the headers of a conditional request; none if the whole page is needed.

    Some servers keep a validator while the page changes. The whole page is therefore requested every
    FULL_REFETCH_INTERVAL, and always for a URL with an unreliable validator.
    """
    if known is None or known.validators_unreliable or known.first_captured_at is None or known.last_read_at is None:
        return {}
    if not known.own:
        return {}  # the validators belong to another URL
    if scope.mode == "window" or scope.force_refetch or now - known.last_read_at >= FULL_REFETCH_INTERVAL:
        return {}
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def next_due(
    outlet: Outlet, outcome: str, failures: int, first_captured: datetime | None, now: datetime
) -> datetime | None:
    """Return when to request a page again even if it is not listed; None for never.

    failures: number of consecutive failures, including this one. first_captured: time of the first capture.
    """
    if outcome in RETRIED or outcome == Outcome.ROBOTS_UNREACHABLE:
        factor: int = 2 ** min(failures - 1, 10)
        return now + min(_MIN_RETRY_DELAY * factor, _MAX_RETRY_DELAY)
    if outcome in (Outcome.BUDGET_EXHAUSTED, Outcome.INTERRUPTED):
        return now
    if outcome in MISSING:
        # A recheck confirms it. After that, the page is not requested again.
        return now + outlet.revisits.gone_after if failures <= 1 else None
    if outcome in (Outcome.RIGHTS_RESERVED, Outcome.NOINDEX):
        return now + _MAX_RETRY_DELAY
    if first_captured is None:
        return None
    times = [first_captured + after for after in (*outlet.revisits.early, *outlet.revisits.after)]
    if outcome == Outcome.REVISED and now - first_captured < _EXTRA_REVISITS_PERIOD:
        # A page that has just changed is likely to change again; the younger it is, the sooner.
        times.append(now + min(max((now - first_captured) / 2, _MIN_REVISIT_DELAY), _MAX_REVISIT_DELAY))
    return min((time for time in times if time > now), default=None)


def is_early(known: FrontierEntry, outlet: Outlet, now: datetime) -> bool:
    """Return whether a page is due only for an early revisit, which a crawl makes if its budget allows."""
    due, first = known.next_due_at, known.first_captured_at
    if due is None or first is None or known.last_outcome in RETRIED or known.failures:
        return False
    return any(due == first + after for after in outlet.revisits.early) and all(
        first + after > now for after in outlet.revisits.after
    )
