"""How an outlet fares: a state with its reason, from its last crawls beside its own past. Pure.

Rows are read and written by `warehouse.health`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from pressmark.errors import HostRefuses
from pressmark.times import age

State = Literal["fresh", "late", "silent", "blocked", "extraction_broken", "failing", "paused", "new"]
ALERTING: tuple[State, ...] = ("silent", "blocked", "extraction_broken", "failing")
"""States of which somebody is told."""

REFUSALS = ("challenge_page", "consent_wall", "rate_limited", "geo_blocked", "legal_block", "paywall_stub")
DENIALS = ("robots_denied", "robots_unreachable", "rights_reserved")
BROKEN = ("extraction_empty", "extraction_timeout", "javascript_required", "quarantined")
NO_ANSWER = ("network_error", "timeout", "robots_unreachable")
KEPT = ("new", "revised", "unchanged", "not_modified", "duplicate_url")
ANSWERS = REFUSALS + DENIALS + BROKEN + KEPT

# With a rhythm of its own: so many articles that should have come and did not. A Poisson process has none for three
# expected in one of twenty cases, for eight in one of three thousand.
LATE_EXPECTED, SILENT_EXPECTED = 3.0, 8.0
# Without: by cadence.
_LATE = {"hourly": timedelta(hours=24), "six_hourly": timedelta(hours=48), "daily": timedelta(days=4)}
_SILENT = {"hourly": timedelta(days=3), "six_hourly": timedelta(days=5), "daily": timedelta(days=10)}
_MIN_ARTICLES = 30
_SHARE, _MIN_PAGES = 0.5, 3
_FIELD_WAS, _FIELD_IS, _FIELD_ARTICLES = 0.8, 0.3, 10
INTERNAL_FAILURE_SHARE, INTERNAL_FAILURE_MIN_OUTLETS = 0.2, 3


@dataclass(frozen=True, slots=True)
class Crawl:
    """One of an outlet's last crawls. entries: what its listings named; listings: how many answered.

    mode: `window` for one of a backfill, which says whether pages are given to us, and nothing else.
    """

    started_at: datetime
    finish_reason: str | None
    error: str | None
    requests: int
    outcomes: Mapping[str, int]
    entries: int
    listings: int
    mode: str = "incremental"

    @property
    def failed(self) -> bool:
        """Whether it did not end well."""
        return self.finish_reason not in ("finished", "budget", "stopped")

    def count(self, outcomes: Sequence[str]) -> int:
        """Candidates that ended so."""
        return _count(self.outcomes, outcomes)


@dataclass(frozen=True, slots=True)
class OutletStats:
    """What is known of an outlet.

    crawls: newest first. rhythm: articles expected by hour of the week (UTC, from Monday 0 h), empty where too little
    is known. fields: share of recent and of earlier articles with a field. was_blocked: why it was, where its last
    state was that.
    """

    outlet: str
    tier: str
    enabled: bool
    override: str = "running"
    override_reason: str | None = None
    last_new_at: datetime | None = None
    articles: int = 0
    crawls: Sequence[Crawl] = ()
    publishing_pattern: Mapping[int, float] = field(default_factory=dict)
    fields: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    was_blocked: str | None = None

    @property
    def scheduled(self) -> list[Crawl]:
        """The crawls that were no backfill."""
        return [crawl for crawl in self.crawls if crawl.mode == "incremental"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outlet's state and what shows it."""

    state: State
    reason: str


def evaluate(stats: OutletStats, now: datetime) -> Verdict:
    """The state of an outlet now. The worst that is shown counts; what a person decided comes first."""
    if stats.override != "running":
        return Verdict("paused", f"{stats.override}: {stats.override_reason}")
    if not stats.enabled:
        state: State = "paused" if stats.scheduled else "new"
        return Verdict(state, "its file does not let it be crawled on schedule (enabled: false)")
    if not stats.scheduled:
        return Verdict("new", "it was not crawled yet")
    return _failing(stats) or _blocked(stats) or _broken(stats) or _check_inactivity(stats, now)


def expected_since(publishing_pattern: Mapping[int, float], since: datetime, now: datetime) -> float:
    """Articles that an outlet of this rhythm publishes between two times; parts of hours count as such."""
    total = 0.0
    begin = since.astimezone(UTC)
    if now - begin > timedelta(days=28):
        return sum(publishing_pattern.values()) * ((now - begin) / timedelta(days=7))
    while begin < now:
        following = begin.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        part = (min(following, now) - begin) / timedelta(hours=1)
        total += publishing_pattern.get(begin.weekday() * 24 + begin.hour, 0.0) * part
        begin = following
    return total


def publishing_pattern(counts: Mapping[int, int], weeks: float) -> dict[int, float]:
    """Articles an hour of the week, smoothed over the neighbouring hours; empty where there are too few to tell."""
    if sum(counts.values()) < _MIN_ARTICLES or weeks < 1:
        return {}
    smoothed = {}
    for hour in range(168):
        near = [counts.get((hour + step) % 168, 0) for step in (-1, 0, 1)]
        smoothed[hour] = sum(near) / 3 / weeks
    return smoothed


def is_internal_failure(failed: int, outlets: int) -> bool:
    """Whether so many outlets got no answer in one run that it must be us: our network, our address, our disk."""
    return failed >= INTERNAL_FAILURE_MIN_OUTLETS and failed > INTERNAL_FAILURE_SHARE * outlets


def _failing(stats: OutletStats) -> Verdict | None:
    last = stats.scheduled[0]
    if not last.failed or (last.error or "").startswith(HostRefuses.BEGINNING):
        return None
    row = 0
    for crawl in stats.scheduled:
        if not crawl.failed:
            break
        row += 1
    told = last.error or f"ended as {last.finish_reason}"
    return Verdict("failing", f"{'its last crawl' if row == 1 else f'the last {row} crawls'} failed: {told}")


def _blocked(stats: OutletStats) -> Verdict | None:
    if (stats.crawls[0].error or "").startswith(HostRefuses.BEGINNING):
        return Verdict("blocked", stats.crawls[0].error or "")
    # A crawl that asked for a page or two says little: what the crawls before it met counts too, unless it got them.
    outcomes: Counter[str] = Counter()
    row = 0
    for crawl in stats.crawls:
        outcomes.update(crawl.outcomes)
        row += bool(crawl.count(ANSWERS))
        found = _refusal(outcomes, "the last crawl" if row == 1 else f"the last {row} crawls")
        got_them = crawl.count(ANSWERS) and not crawl.count(REFUSALS + DENIALS)
        if found or got_them or _count(outcomes, ANSWERS) >= _MIN_PAGES:
            return found
    return Verdict("blocked", stats.was_blocked) if stats.was_blocked and not row else None


def _refusal(outcomes: Mapping[str, int], crawls: str) -> Verdict | None:
    refused, denied = _count(outcomes, REFUSALS), _count(outcomes, DENIALS)
    asked = refused + _count(outcomes, KEPT) + _count(outcomes, BROKEN)
    if refused >= _MIN_PAGES and refused >= _SHARE * asked:
        return Verdict("blocked", f"{refused} of {asked} pages of {crawls} were {_told(outcomes, REFUSALS)}")
    if denied >= _MIN_PAGES and denied == sum(outcomes.values()) - outcomes.get("known_not_due", 0):
        return Verdict("blocked", f"all of {crawls}: {_told(outcomes, DENIALS)}")
    return None


def _broken(stats: OutletStats) -> Verdict | None:
    last = next((c for c in stats.scheduled if c.count(KEPT) + c.count(BROKEN) >= _MIN_PAGES), None)
    if last is not None:
        broken, came = last.count(BROKEN), last.count(KEPT) + last.count(BROKEN)
        if broken >= _MIN_PAGES and broken >= _SHARE * came:
            return Verdict(
                "extraction_broken",
                f"{broken} of {came} pages gave no text ({_told(last.outcomes, BROKEN)}): has its layout changed? "
                "`pressmark why URL` shows one; extraction.keep in its file may mend it",
            )
    for name, (now, before) in stats.fields.items():
        if before >= _FIELD_WAS and now <= _FIELD_IS:
            return Verdict(
                "extraction_broken", f"{name}: {now:.0%} of the last articles have it, {before:.0%} of those before"
            )
    return None


def _check_inactivity(stats: OutletStats, now: datetime) -> Verdict:
    last = stats.last_new_at
    crawled = stats.scheduled[0]
    if last is None:
        return Verdict("new", "no article came of it yet")
    ago = age(now - last)
    # While nobody looked, nothing could come.
    seen = min(now, crawled.started_at + timedelta(hours=1))
    if stats.publishing_pattern:
        expected = expected_since(stats.publishing_pattern, last, seen)
        if expected >= LATE_EXPECTED:
            state: State = "silent" if expected >= SILENT_EXPECTED else "late"
            shown = "its listings answer" if crawled.listings else "its listings are not asked or do not answer"
            return Verdict(
                state, f"nothing new for {ago}; by its rhythm {expected:.0f} articles should have come; {shown}"
            )
    else:
        gap = seen - last
        if gap >= _LATE[stats.tier]:
            state = "silent" if gap >= _SILENT[stats.tier] else "late"
            return Verdict(state, f"nothing new for {ago}")
    return Verdict("fresh", f"last new article {ago} ago")


def _count(outcomes: Mapping[str, int], names: Sequence[str]) -> int:
    return sum(outcomes.get(name, 0) for name in names)


def _told(outcomes: Mapping[str, int], names: Sequence[str]) -> str:
    return ", ".join(f"{outcomes[name]} {name}" for name in names if outcomes.get(name))
