"""PLAN and AUDIT of a scheduled run: which outlets, in which jobs, and whether the run was good enough.

Pure but for what is handed in; the DAGs and the command line call it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pressmark.frontier import Mode
from pressmark.outlet import Outlet

MAX_JOBS = 300  # mapped instances of one run; more slow the scheduler down
PREFERRED_JOBS = 12  # small tiers: enough to fill the slots of one machine, few enough starts of an interpreter
# We were told not to, and did not.
POLICY = ("robots_denied", "robots_unreachable", "rights_reserved", "noindex", "suppressed")
_MAX_NAME_LENGTH = 200
FAILURE_BUDGET = 0.25  # share of outlets that may fail before the run does


@dataclass(frozen=True, slots=True)
class RunWindow:
    """What a run of a DAG asks for: mode, and interval `[start, end)`; None: last success, now."""

    mode: Mode
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Audit:
    """What a run came to. `problems`: why it fails, in words; empty for a run that passes."""

    outlets: int
    failed: dict[str, str] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """For the log: the sum, then each outlet that an operator should look at."""
        counted = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items())) or "no candidates"
        lines = [
            f"{self.outlets} outlets: {len(self.failed)} failed, {len(self.silent)} silent, "
            f"{len(self.refused)} refused us; {counted}"
        ]
        lines += [f"failed   {outlet}: {why}" for outlet, why in self.failed.items()]
        lines += [f"silent   {outlet}: its endpoints answer but list nothing" for outlet in self.silent]
        lines += [f"refused  {outlet}: {why}" for outlet, why in self.refused.items()]
        return lines


def run_window(run_type: object, start: datetime | None, end: datetime | None) -> RunWindow:
    """Mode and interval of a DAG run.

    Airflow's own backfill asks for what was published in its interval; every other run, a cleared one
    too, for everything listed now that is new or due, and its interval is recorded. A run without a
    logical date has no interval: [last success, now) then.
    """
    kind = str(getattr(run_type, "value", run_type))
    if kind.startswith("backfill") and start is not None and end is not None and start < end:
        return RunWindow("window", start, end)
    return RunWindow("incremental", start, end)


def outlets_for_tier(outlets: Iterable[Outlet], tier: str) -> list[Outlet]:
    """The outlets that a tier crawls, in the order of their ids."""
    return sorted((o for o in outlets if o.enabled and o.tier == tier), key=lambda outlet: outlet.id)


def batch_jobs(ids: Sequence[str]) -> list[list[str]]:
    """Outlets by job: one each while there are few, evenly shared out where there are many."""
    if not ids:
        return []
    count = min(len(ids), max(PREFERRED_JOBS, min(MAX_JOBS, math.ceil(len(ids) / 25))))
    return [list(ids[start::count]) for start in range(count)]


def job_name(outlets: Sequence[str]) -> str:
    """Name of a job in the grid, after its outlets; Airflow keeps 250 characters."""
    name = ", ".join(outlets)
    if len(name) <= _MAX_NAME_LENGTH:
        return name
    kept = name[:_MAX_NAME_LENGTH].rsplit(", ", 1)[0]
    return f"{kept} and {len(outlets) - kept.count(', ') - 1} more"


def crawl_problem(row: Mapping[str, Any]) -> str | None:
    """Why a crawl did not end well, in words; None where it did."""
    if row["crawl_id"] is None:
        return "was not crawled"
    if row["finish_reason"] is None:
        return "its crawl was killed"
    if row["finish_reason"] not in ("finished", "budget"):
        return str(row["error"] or f"ended as {row['finish_reason']}")
    return None


def audit(rows: Sequence[Mapping[str, Any]], budget: float = FAILURE_BUDGET) -> Audit:
    """Judge a run by the rows of `planned`: by the ledger, not by what tasks said of themselves."""
    failed: dict[str, str] = {}
    silent: list[str] = []
    refused: dict[str, str] = {}
    counts: dict[str, int] = {}
    problems: list[str] = []
    for row in rows:
        outlet = row["outlet"]
        for name, count in (row["outcomes"] or {}).items():
            counts[name] = counts.get(name, 0) + count
        why = crawl_problem(row)
        if why is not None:
            failed[outlet] = why
        elif row["not_loaded"]:
            failed[outlet] = f"{row['not_loaded']} segments are not loaded"
        elif not row["ledger_ok"]:
            problems.append(f"The ledger of {outlet} does not add up (crawl {row['crawl_id']}).")
        elif not row["candidates"]:
            if row["listed_nothing"]:
                silent.append(outlet)
        else:
            policy = {name: row["outcomes"][name] for name in POLICY if row["outcomes"].get(name)}
            if sum(policy.values()) == row["candidates"]:
                refused[outlet] = ", ".join(f"{count} {name}" for name, count in policy.items())
    if rows and len(failed) > budget * len(rows):
        told = "; ".join(f"{outlet}: {why}" for outlet, why in list(failed.items())[:5])
        problems.append(f"{len(failed)} of {len(rows)} outlets failed; the budget is {budget:.0%}. {told}")
    return Audit(len(rows), failed, silent, refused, counts, problems)
