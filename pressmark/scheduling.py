"""PLAN and AUDIT of a scheduled run: which outlets, in which jobs, and whether the run was good enough. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pressmark.crawl_types import ENDED_WELL, FinishReason
from pressmark.frontier import Mode
from pressmark.outcomes import POLICY
from pressmark.outlet import Outlet
from pressmark.text import plural

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
    """

    outlet: str
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

    @property
    def problem(self) -> str | None:
        """Why the crawl did not end well; None if it did."""
        if self.crawl_id is None:
            return "was not crawled"
        if self.finish_reason is None:
            return "its crawl was killed"
        if self.finish_reason in ENDED_WELL:
            return None
        return self.error or f"its crawl ended with the reason {self.finish_reason}"

    @property
    def is_refused(self) -> bool:
        """Whether its host refuses us: retrying soon makes that worse."""
        return self.finish_reason == "refused"


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of a run. problems: why the run fails; empty if it passes.

    failed, refused: reason by outlet. empty: outlets whose listings had no entries. unanswered: failed outlets other
    than those whose host refuses us.
    """

    outlets: int
    failed: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """Log lines: the total, then each outlet that needs attention."""
        summary = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items())) or "no candidates"
        return [
            f"{plural(self.outlets, 'outlet')}: {len(self.failed)} failed, {len(self.empty)} listed nothing, "
            f"{len(self.refused)} forbid crawling; {summary}",
            *(f"failed   {outlet}: {reason}" for outlet, reason in self.failed.items()),
            *(f"empty    {outlet}: its endpoints respond but list nothing" for outlet in self.empty),
            *(f"refused  {outlet}: {reason}" for outlet, reason in self.refused.items()),
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


def audit(rows: Sequence[PlannedCrawl], budget: float = FAILURE_BUDGET) -> Audit:
    """Evaluate a run by the ledger, not by what its tasks returned."""
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
        elif not row.candidates:
            if row.listed_nothing:
                result.empty.append(row.outlet)
        else:
            policy = {name: count for name, count in sorted(row.outcomes.items()) if name in POLICY}
            if sum(policy.values()) == row.candidates:
                result.refused[row.outlet] = ", ".join(f"{count} {name}" for name, count in policy.items())
    if rows and len(result.failed) > budget * len(rows):
        shown = "; ".join(f"{outlet}: {reason}" for outlet, reason in list(result.failed.items())[:_SHOWN_FAILURES])
        result.problems.append(
            f"{len(result.failed)} of {plural(len(rows), 'outlet')} failed; the failure budget is {budget:.0%}. {shown}"
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
