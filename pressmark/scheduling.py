"""PLAN and AUDIT of a scheduled run: which outlets, in which jobs, and whether the run was good enough. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pressmark.crawl_summary import no_candidates, outcome_summary
from pressmark.crawl_types import ENDED_WELL, OUTLET_FAILED, FinishReason
from pressmark.frontier import Mode
from pressmark.outcomes import POLICY
from pressmark.outlet import Outlet
from pressmark.text import plural
from pressmark.times import short_time

TIER_SCHEDULES = {"hourly": "7 * * * *", "six_hourly": "17 */6 * * *", "daily": "27 3 * * *"}
"""When the DAG of each tier runs (cron, UTC)."""

MAX_JOBS = 300  # mapped instances of one run; the scheduler slows down with more
PREFERRED_JOBS = 12  # for small tiers: fills the slots of one machine with few starts of the interpreter
FAILURE_BUDGET = 0.25  # share of outlets that may fail before the run fails
_MAX_NAME_LENGTH = 200
_SHOWN_FAILURES = 5


@dataclass(frozen=True, slots=True)
class RunWindow:
    """Mode and interval `[start, end)` of a DAG run. None: the last success, now."""

    mode: Mode
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCrawl:
    """A crawl request of a run with its last crawl: a row of the query `planned`.

    not_loaded: segments that wait to be loaded. listed_nothing: a listing was fetched, and none had entries.
    listed: endpoints that gave a listing. unchanged: those that answered 304. waiting_until: end of the back-off of a
    crawl that only waited.
    """

    outlet: str
    tier: str
    request_id: UUID
    crawl_id: UUID | None
    finish_reason: FinishReason | None
    error: str | None
    candidates: int | None
    requests: int | None
    ledger_ok: bool | None
    outcomes: Mapping[str, int]
    not_loaded: int
    listed_nothing: bool
    listed: int
    unchanged: int
    waiting_until: datetime | None

    @property
    def problem(self) -> str | None:
        """Why the crawl did not end well; None if it did, or if it only waited."""
        if self.crawl_id is None:
            return "was not crawled"
        if self.finish_reason is None:
            return "its crawl was killed"
        if self.finish_reason in ENDED_WELL or self.is_waiting:
            return None
        return self.error or f"its crawl ended with the reason {self.finish_reason}"

    @property
    def is_refused(self) -> bool:
        """Whether its host refuses us."""
        return self.finish_reason == "refused"

    @property
    def is_waiting(self) -> bool:
        """Whether nothing was requested, because all its endpoints failed before and are not due yet."""
        return self.finish_reason == "waiting"

    @property
    def may_be_retried(self) -> bool:
        """Whether the crawl failed because of this installation. Otherwise the endpoints' back-off decides."""
        return self.problem is not None and self.finish_reason not in OUTLET_FAILED

    @property
    def why_it_waits(self) -> str:
        """Until when and why the outlet waits."""
        return f"waiting until {short_time(self.waiting_until)}, because {self.error or 'its endpoints failed'}"

    @property
    def summary(self) -> str:
        """What the crawl brought, in words."""
        return outcome_summary(self.outcomes) or no_candidates(self.finish_reason, self.listed, self.unchanged)


class CrawlEnd(NamedTuple):
    """How the last crawl of an outlet of a run ended. finish_reason: None while it runs, and if it was killed."""

    outlet: str
    tier: str
    finish_reason: FinishReason | None

    @property
    def is_unanswered(self) -> bool:
        """Whether it failed for another reason than a host that refuses us."""
        return self.finish_reason in ("no_listing", "failed", "killed")


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of a run. problems: why the run fails; empty if it passes.

    failed, refused, waiting: reason by outlet. empty: outlets whose listings had no entries. unanswered: failed outlets
    other than those whose host refuses us.
    """

    outlets: int
    failed: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """Log lines: the total, then each outlet that needs attention."""
        return [
            f"{plural(self.outlets, 'outlet')}: {len(self.failed)} failed, {len(self.empty)} listed nothing, "
            f"{len(self.refused)} forbid crawling, {len(self.waiting)} waiting; "
            + (outcome_summary(self.counts) or "nothing new"),
            *(f"failed   {outlet}: {reason}" for outlet, reason in self.failed.items()),
            *(f"empty    {outlet}: its endpoints respond but list nothing" for outlet in self.empty),
            *(f"refused  {outlet}: {reason}" for outlet, reason in self.refused.items()),
            *(f"waiting  {outlet}: {reason}" for outlet, reason in self.waiting.items()),
        ]


def run_window(run_type: object, start: datetime | None, end: datetime | None) -> RunWindow:
    """Mode and interval of a DAG run.

    A run of Airflow's own backfill requests what was published in its interval. Every other run, also one that was
    cleared, requests everything listed now that is new or due; its interval is only recorded. A run without a logical
    date has no interval: it gets [last success, now).
    """
    kind = str(getattr(run_type, "value", run_type))
    if kind.startswith("backfill") and start is not None and end is not None and start < end:
        return RunWindow("window", start, end)
    return RunWindow("incremental", start, end)


def outlets_for_tier(outlets: Iterable[Outlet], tier: str) -> list[Outlet]:
    """The enabled outlets of a tier, by id."""
    return sorted((o for o in outlets if o.enabled and o.tier == tier), key=lambda outlet: outlet.id)


def batch_jobs(ids: Sequence[str]) -> list[list[str]]:
    """Outlets by job: one each if there are few, evenly distributed if there are many."""
    if not ids:
        return []
    count = min(len(ids), max(PREFERRED_JOBS, min(MAX_JOBS, math.ceil(len(ids) / 25))))
    return [list(ids[start::count]) for start in range(count)]


def outlet_jobs(ids: Sequence[str]) -> list[list[str]]:
    """Outlets by job: one each, unless there are more than `MAX_JOBS`, which one run of a DAG cannot have."""
    count = min(len(ids), MAX_JOBS)
    return [list(ids[start::count]) for start in range(count)]


def job_name(outlets: Sequence[str]) -> str:
    """Name of a job in Airflow's grid, from its outlets. Airflow keeps 250 characters."""
    name = ", ".join(outlets)
    if len(name) <= _MAX_NAME_LENGTH:
        return name
    kept = name[:_MAX_NAME_LENGTH].rsplit(", ", 1)[0]
    return f"{kept} and {len(outlets) - kept.count(', ') - 1} more"


def audit(rows: Sequence[PlannedCrawl], tier: str | None = None, budget: float = FAILURE_BUDGET) -> Audit:
    """Evaluate a run by the ledger, not by what its tasks returned.

    tier: that of the run. Outlets of other tiers are in it because they failed before, so they do not count towards the
    failure budget.
    """
    result = Audit(len(rows), counts=_outcome_counts(rows))
    for row in rows:
        problem = row.problem
        if problem is not None:
            result.failed[row.outlet] = problem
            if not row.is_refused:
                result.unanswered.append(row.outlet)
        elif row.not_loaded:
            result.failed[row.outlet] = f"{plural(row.not_loaded, 'segment')} not loaded"
            result.unanswered.append(row.outlet)
        elif not row.ledger_ok:
            result.problems.append(f"The ledger of {row.outlet} does not add up (crawl {row.crawl_id}).")
        elif row.is_waiting:
            result.waiting[row.outlet] = row.why_it_waits
        elif not row.candidates:
            if row.listed_nothing:
                result.empty.append(row.outlet)
        else:
            policy = {name: count for name, count in sorted(row.outcomes.items()) if name in POLICY}
            if sum(policy.values()) == row.candidates:
                result.refused[row.outlet] = outcome_summary(policy)
    own = [row.outlet for row in rows if tier is None or row.tier == tier]
    failed = [outlet for outlet in own if outlet in result.failed]
    if len(failed) > budget * len(own):
        shown = "; ".join(f"{outlet}: {result.failed[outlet]}" for outlet in failed[:_SHOWN_FAILURES])
        result.problems.append(
            f"{len(failed)} of {plural(len(own), 'outlet')} failed; the failure budget is {budget:.0%}. {shown}"
        )
    return result


def _outcome_counts(rows: Sequence[PlannedCrawl]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.outcomes)
    return counts


def planned_crawls(rows: Iterable[Mapping[str, Any]]) -> list[PlannedCrawl]:
    """Rows of the query `planned` as values."""
    return [PlannedCrawl(**row) for row in rows]
