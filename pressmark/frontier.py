"""DECIDE: whether a candidate is fetched now, and when a page is due again. Pure; the rows are read elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pressmark.discovery.listing import Entry
from pressmark.outlet import Outlet
from pressmark.removal.rules import Removal
from pressmark.urls import on_domains, trap_reason

Mode = Literal["incremental", "window"]
REVISIT = "revisit"  # discovered_via of a candidate that is due and that nothing listed

_FIRST_RETRY = timedelta(hours=1)
_LAST_RETRY = timedelta(days=7)
# Left out for a reason that may pass, so the check is made anew each time it is listed.
_SKIPPED = frozenset(
    "out_of_window too_old robots_denied robots_unreachable suppressed budget_exhausted interrupted".split()
)
_FAILED = frozenset(
    "refused_address network_error timeout rate_limited http_error challenge_page consent_wall legal_block "
    "geo_blocked".split()
)
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


@dataclass(frozen=True, slots=True)
class FrontierEntry:
    """What the frontier knows of a URL; see ops.frontier. own: False for the state of the article it leads to."""

    url_uid: UUID
    url: str
    article_uid: UUID | None
    next_due_at: datetime | None
    listed_modified: datetime | None
    last_fetch_at: datetime | None
    last_outcome: str | None
    failures: int
    first_captured_at: datetime | None
    date_published: datetime | None
    content: tuple[int, int, int, int] | None
    wire_digest: bytes | None
    segment_id: UUID | None
    archive_offset: int | None
    archive_length: int | None
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

    outcome: str | None = None
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
            return Decision("known_not_due", left_out.reason)
        return left_out
    if known is None or scope.force_refetch:
        return FETCH
    if scope.mode == "window":
        if known.first_captured_at:
            return Decision("known_not_due", "in the warehouse already")
        # An earlier window read it, and it was published in this one.
        return FROM_ARCHIVE if known.last_outcome == "out_of_window" and known.segment_id else FETCH
    return FETCH if _is_due(candidate, known, now) else Decision("known_not_due")


def _skip_reason(
    candidate: Candidate,
    known: FrontierEntry | None,
    scope: CrawlScope,
    outlet: Outlet,
    removals: Sequence[Removal],
    now: datetime,
) -> Decision | None:
    if candidate.erased:
        return Decision("suppressed", "a removal has erased this address")
    if not on_domains(candidate.url, outlet.domains):
        return Decision("out_of_scope", f"not on {', '.join(outlet.domains)}")
    trap = trap_reason(candidate.url)
    if trap:
        return Decision("crawler_trap", trap)
    for removal in removals:
        if removal.covers(candidate.url, candidate.url_uid):
            return Decision("suppressed", f"a removal covers this {removal.target}")
    if outlet.urls.include and not any(re.search(pattern, candidate.url) for pattern in outlet.urls.include):
        return Decision("out_of_scope", "matches no pattern of urls.include")
    for pattern in outlet.urls.exclude:
        if re.search(pattern, candidate.url):
            return Decision("out_of_scope", f"matches urls.exclude {pattern!r}")
    published = _published(candidate, known)
    if scope.mode == "window" and published is not None and not in_window(published, scope):
        return Decision("out_of_window", f"published {published:%Y-%m-%d}")
    if outlet.max_age and scope.mode == "incremental":
        # What has not changed since then was not published since then either.
        modified = candidate.entry.modified if candidate.entry else None
        latest = published or modified
        if latest is not None and latest < now - outlet.max_age:
            return Decision("too_old", f"{'published' if published else 'last changed'} {latest:%Y-%m-%d}")
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
    if known.last_fetch_at is None or known.last_outcome in _SKIPPED:
        return True
    if known.next_due_at is not None and known.next_due_at <= now:
        return True
    modified = candidate.entry.modified if candidate.entry else None
    # After a failure the back-off alone decides; a listing does not make a broken page come sooner.
    return (
        known.last_outcome not in _FAILED
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
    if outcome in _FAILED or outcome == "robots_unreachable":
        doubled: int = 2 ** min(failures - 1, 10)
        return now + min(_FIRST_RETRY * doubled, _LAST_RETRY)
    if outcome in ("budget_exhausted", "interrupted"):
        return now
    if outcome in ("gone", "redirect_home"):
        # A second look confirms it; then the page rests.
        return now + outlet.revisits.gone_after if failures <= 1 else None
    if outcome in ("rights_reserved", "noindex"):
        return now + _LAST_RETRY
    if first_captured is None:
        return None
    later = [first_captured + after for after in (*outlet.revisits.early, *outlet.revisits.after)]
    if outcome == "revised" and now - first_captured < _CHANGING_FOR:
        # A page that has just changed is likely to change again, the sooner the younger it is.
        later.append(now + min(max((now - first_captured) / 2, _SOONEST), _LATEST))
    return min((when for when in later if when > now), default=None)


def is_early(known: FrontierEntry, outlet: Outlet, now: datetime) -> bool:
    """Whether a page that is due has only an early look coming to it, which a crawl takes where it has room."""
    due, first = known.next_due_at, known.first_captured_at
    if due is None or first is None or known.last_outcome in _FAILED or known.failures:
        return False
    return any(due == first + after for after in outlet.revisits.early) and all(
        first + after > now for after in outlet.revisits.after
    )
