"""Outlet health: a state with its reason, from an outlet's last crawls compared with its own past. Pure.

Rows are read and written by `health.monitor`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import comb
from types import MappingProxyType
from typing import Literal

from pressmark.crawl_types import ENDED_WELL
from pressmark.outcomes import ACCESS_DENIED, EXTRACTION_FAILURES, KEPT, PAGE_ERRORS, POLICY_DENIED, Outcome
from pressmark.text import plural
from pressmark.times import age

State = Literal["fresh", "late", "silent", "blocked", "extraction_broken", "failing", "paused", "new"]
ALERTING: tuple[State, ...] = ("silent", "blocked", "extraction_broken", "failing")
"""States that open an alert."""

INTERNAL_FAILURE_SHARE, INTERNAL_FAILURE_MIN_OUTLETS = 0.2, 3

_PAGE_RESULTS = ACCESS_DENIED | POLICY_DENIED | EXTRACTION_FAILURES | PAGE_ERRORS | KEPT
"""Outcomes that say whether the outlet gives us its pages."""

# With a publishing pattern: articles that were expected and did not appear. A Poisson process has none in one of twenty
# cases if three are expected, and in one of three thousand if eight are.
_LATE_EXPECTED, _SILENT_EXPECTED = 3.0, 8.0
# Without one: by tier.
_LATE = {"hourly": timedelta(hours=24), "six_hourly": timedelta(hours=48), "daily": timedelta(days=4)}
_SILENT = {"hourly": timedelta(days=3), "six_hourly": timedelta(days=5), "daily": timedelta(days=10)}
_MIN_ARTICLES = 30  # for a publishing pattern
_SHARE, _MIN_PAGES = 0.5, 3
_FIELD_WAS, _FIELD_IS = 0.8, 0.3  # shares of articles with a field
FIELD_WINDOWS = (5, 10, 20)
"""Numbers of latest articles that are compared with the ones before."""
_MIN_ARTICLES_BEFORE = 8
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Outcome.RATE_LIMITED: "too many requests (429)",
        Outcome.LEGAL_BLOCK: "blocked for legal reasons (451)",
        Outcome.GEO_BLOCKED: "not available in our country",
        Outcome.PAYWALL_STUB: "paywall or login wall",
        Outcome.HTTP_ERROR: "HTTP error",
        Outcome.TIMEOUT: "no response in time",
        Outcome.ROBOTS_DENIED: "robots.txt forbids it",
        Outcome.ROBOTS_UNREACHABLE: "robots.txt cannot be read",
        Outcome.RIGHTS_RESERVED: "its TDM policy reserves the rights",
        Outcome.JAVASCRIPT_REQUIRED: "needs JavaScript",
        Outcome.EXTRACTION_EMPTY: "no text found",
        Outcome.EXTRACTION_TIMEOUT: "extraction took too long",
    }
)
"""Outcomes that read better in other words than their names."""
_FIELD_CHANCE = 1e-4  # of so many articles without a field, if nothing has changed
_ALWAYS = 0.98  # an outlet whose articles all had a field may still publish one without it


@dataclass(frozen=True, slots=True)
class Crawl:
    """One of an outlet's last crawls. entries: URLs that its listings named; listings: how many responded.

    truncated_listings: how many were longer than the budget, so that a part of them was not used.

    mode: a `window` crawl of a backfill shows whether the outlet gives us its pages, and nothing else. examples: URLs
    of pages that arrived and gave no text. polled: endpoints. forbidden_listings: how many of them robots.txt or a
    reservation forbids.
    """

    started_at: datetime
    finish_reason: str | None
    error: str | None
    requests: int
    outcomes: Mapping[str, int]
    entries: int
    listings: int
    mode: str = "incremental"
    truncated_listings: int = 0
    examples: Sequence[str] = ()
    forbidden_listings: int = 0
    polled: int = 0

    @property
    def failed(self) -> bool:
        """Whether it did not end well."""
        return self.finish_reason not in (*ENDED_WELL, "stopped")

    @property
    def is_refused(self) -> bool:
        """Whether the host answered with nothing but refusals."""
        return self.finish_reason == "refused"

    def count(self, outcomes: Collection[str]) -> int:
        """Candidates with one of these outcomes."""
        return _count(self.outcomes, outcomes)


@dataclass(frozen=True, slots=True)
class FieldShare:
    """How many of an outlet's latest articles have a field, compared with the articles before them.

    before: share of those, from 0 to 1. examples: URLs of latest articles without the field.
    """

    latest: int
    present: int
    articles_before: int
    before: float
    examples: Sequence[str] = ()

    @property
    def has_dropped(self) -> bool:
        """Whether the field is missing too often to be chance."""
        if (
            self.articles_before < _MIN_ARTICLES_BEFORE
            or self.before < _FIELD_WAS
            or self.present > _FIELD_IS * self.latest
        ):
            return False
        share = min(self.before, _ALWAYS)
        chance = sum(
            comb(self.latest, n) * share**n * (1 - share) ** (self.latest - n) for n in range(self.present + 1)
        )
        return chance < _FIELD_CHANCE


@dataclass(frozen=True, slots=True)
class OutletStats:
    """The figures that an outlet is evaluated by.

    crawls: newest first, without those that only waited. publishing_pattern: expected articles by hour of the week
    (UTC, from Monday 0:00); empty if there are too few articles. fields: shares of the latest 5, 10 and 20 articles.
    was_blocked: the reason of its last state, if that was `blocked`. failed_crawls: since the last successful one; the
    times are those of the first and the last of them.
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
    fields: Mapping[str, Sequence[FieldShare]] = field(default_factory=dict)
    was_blocked: str | None = None
    failed_crawls: int = 0
    first_failed_at: datetime | None = None
    last_failed_at: datetime | None = None

    @property
    def scheduled(self) -> list[Crawl]:
        """The crawls that were not part of a backfill."""
        return [crawl for crawl in self.crawls if crawl.mode == "incremental"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outlet's state and the evidence for it. The evidence contains no ages, because it is shown later."""

    state: State
    reason: str


def evaluate(stats: OutletStats, now: datetime) -> Verdict:
    """The state of an outlet now. An override comes first, then the most serious finding."""
    if stats.override != "running":
        return Verdict("paused", f"{stats.override}: {stats.override_reason}")
    if not stats.enabled:
        state: State = "paused" if stats.scheduled else "new"
        return Verdict(state, "its file excludes it from scheduled crawls (enabled: false)")
    if not stats.scheduled:
        return Verdict("new", "not crawled yet")
    verdict = (
        _check_failures(stats) or _check_refusals(stats) or _check_extraction(stats) or _check_inactivity(stats, now)
    )
    cut = stats.scheduled[0].truncated_listings
    if cut:
        listings = f"{plural(cut, 'listing')} {'is' if cut == 1 else 'are'} longer than budgets.entries"
        verdict = Verdict(verdict.state, f"{verdict.reason}; {listings}, and a part was not used")
    return verdict


def expected_since(pattern: Mapping[int, float], since: datetime, now: datetime) -> float:
    """Articles that a publishing pattern expects between two times. Parts of hours count in proportion."""
    total = 0.0
    begin = since.astimezone(UTC)
    if now - begin > timedelta(days=28):
        return sum(pattern.values()) * ((now - begin) / timedelta(days=7))
    while begin < now:
        following = begin.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        part = (min(following, now) - begin) / timedelta(hours=1)
        total += pattern.get(begin.weekday() * 24 + begin.hour, 0.0) * part
        begin = following
    return total


def publishing_pattern(counts: Mapping[int, int], weeks: float) -> dict[int, float]:
    """Articles per hour of the week, smoothed over neighbouring hours; empty if there are too few articles."""
    if sum(counts.values()) < _MIN_ARTICLES or weeks < 1:
        return {}
    smoothed = {}
    for hour in range(168):
        near = [counts.get((hour + step) % 168, 0) for step in (-1, 0, 1)]
        smoothed[hour] = sum(near) / 3 / weeks
    return smoothed


def is_internal_failure(failed: int, outlets: int) -> bool:
    """Whether so many outlets failed in one run that the cause must be ours: network, DNS or disk."""
    return failed >= INTERNAL_FAILURE_MIN_OUTLETS and failed > INTERNAL_FAILURE_SHARE * outlets


def may_become_internal(failed: int, ended: int, outlets: int) -> bool:
    """Whether a run may still turn out to be an internal failure, so that no failed outlet should be evaluated yet.

    failed: outlets that failed so far. ended: outlets whose crawls have ended. outlets: those of the run.
    """
    possible = is_internal_failure(failed + outlets - ended, outlets)
    return possible and failed > INTERNAL_FAILURE_SHARE * ended


def _check_failures(stats: OutletStats) -> Verdict | None:
    last = stats.scheduled[0]
    if not last.failed or last.is_refused:
        return None
    if last.polled and last.forbidden_listings == last.polled:
        return Verdict("blocked", last.error or "none of its listings may be requested")
    if last.finish_reason == "killed":
        return Verdict("failing", last.error or "the process of its crawl was killed")
    return Verdict("failing", last.error or f"its crawl ended with the reason {last.finish_reason}")


def _check_refusals(stats: OutletStats) -> Verdict | None:
    last = stats.crawls[0]
    if last.is_refused:
        return Verdict("blocked", last.error or "its host refuses us")
    # A crawl of one or two pages is weak evidence, so earlier crawls are added until one of them got pages.
    outcomes: Counter[str] = Counter()
    with_results = 0
    for crawl in stats.crawls:
        outcomes.update(crawl.outcomes)
        with_results += bool(crawl.count(_PAGE_RESULTS))
        verdict = _refusal(outcomes, "the last crawl" if with_results == 1 else f"the last {with_results} crawls")
        got_pages = crawl.count(_PAGE_RESULTS) and not crawl.count(ACCESS_DENIED | POLICY_DENIED | PAGE_ERRORS)
        if verdict or got_pages or _count(outcomes, _PAGE_RESULTS) >= _MIN_PAGES:
            return verdict
    return Verdict("blocked", stats.was_blocked) if stats.was_blocked and not with_results else None


def _refusal(outcomes: Mapping[str, int], crawls: str) -> Verdict | None:
    refused, denied = _count(outcomes, ACCESS_DENIED), _count(outcomes, POLICY_DENIED)
    requested = refused + _count(outcomes, KEPT) + _count(outcomes, EXTRACTION_FAILURES)
    if refused >= _MIN_PAGES and refused >= _SHARE * requested:
        summary = _summary(outcomes, ACCESS_DENIED)
        return Verdict("blocked", f"{_share(refused, requested)} of {crawls} were refused: {summary}")
    errors = _count(outcomes, PAGE_ERRORS)
    if errors >= _MIN_PAGES and errors >= _SHARE * (requested + errors):
        summary = _summary(outcomes, PAGE_ERRORS)
        return Verdict("failing", f"{_share(errors, requested + errors)} of {crawls} could not be fetched: {summary}")
    if denied >= _MIN_PAGES and denied == sum(outcomes.values()) - outcomes.get(Outcome.KNOWN_NOT_DUE, 0):
        return Verdict("blocked", f"no page of {crawls} may be requested: {_summary(outcomes, POLICY_DENIED)}")
    return None


def _check_extraction(stats: OutletStats) -> Verdict | None:
    fetched = KEPT | EXTRACTION_FAILURES
    outcomes: Counter[str] = Counter()
    examples: list[str] = []
    with_pages = 0
    # Crawls of one or two pages are added up.
    for crawl in stats.scheduled:
        if not crawl.count(fetched):
            continue
        outcomes.update(crawl.outcomes)
        examples += crawl.examples
        with_pages += 1
        if _count(outcomes, fetched) >= _MIN_PAGES:
            break
    broken, pages = _count(outcomes, EXTRACTION_FAILURES), _count(outcomes, fetched)
    if broken >= _MIN_PAGES and broken >= _SHARE * pages:
        summary = _summary(outcomes, EXTRACTION_FAILURES)
        crawls = "the last crawl" if with_pages == 1 else f"the last {with_pages} crawls"
        return Verdict(
            "extraction_broken",
            f"text: {_share(broken, pages)} of {crawls} gave no article ({summary}){_examples(examples)}. "
            "Its layout may have changed: `pressmark why URL` shows a page, and extraction.keep in the outlet's file "
            "may fix it",
        )
    for name, shares in stats.fields.items():
        for share in shares:
            if share.has_dropped:
                return Verdict(
                    "extraction_broken",
                    f"{name}: {share.present} of the latest {share.latest} articles have it, {share.before:.0%} before"
                    f"{_examples(share.examples)}",
                )
    return None


def _examples(urls: Sequence[str]) -> str:
    return f", such as {' and '.join(urls[:2])}" if urls else ""


def _check_inactivity(stats: OutletStats, now: datetime) -> Verdict:
    last = stats.last_new_at
    crawled = stats.scheduled[0]
    if last is None:
        return Verdict("new", "no article yet")
    # No article can appear while nothing is crawled.
    seen = min(now, crawled.started_at + timedelta(hours=1))
    if stats.publishing_pattern:
        expected = expected_since(stats.publishing_pattern, last, seen)
        if expected >= _LATE_EXPECTED:
            state: State = "silent" if expected >= _SILENT_EXPECTED else "late"
            listings = "its listings respond" if crawled.listings else "its listings do not respond or were not polled"
            return Verdict(
                state,
                f"no new article, although its publishing pattern expects {expected:.0f} by now; {listings}",
            )
    else:
        gap = seen - last
        for state, limit in (("silent", _SILENT[stats.tier]), ("late", _LATE[stats.tier])):
            if gap >= limit:
                return Verdict(state, f"no new article for more than {age(limit)}")
    return Verdict("fresh", "new articles appear as expected")


def _count(outcomes: Mapping[str, int], names: Collection[str]) -> int:
    return sum(outcomes.get(name, 0) for name in names)


def _share(part: int, total: int) -> str:
    return f"all {total} pages" if part == total else f"{part} of {plural(total, 'page')}"


def _summary(outcomes: Mapping[str, int], names: Collection[str]) -> str:
    """Return the outcomes in words, most frequent first, with their numbers if there are several."""
    found = Counter({name: outcomes[name] for name in names if outcomes.get(name)}).most_common()
    words = [
        (_WORDS.get(name, name.replace("_", " ")), count) for name, count in sorted(found, key=lambda f: (-f[1], f[0]))
    ]
    return words[0][0] if len(words) == 1 else ", ".join(f"{word} ({count})" for word, count in words)
