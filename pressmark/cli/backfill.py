"""`pressmark backfill`."""

from __future__ import annotations

import getpass
import subprocess
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pressmark.archive.store import ArchiveStore
from pressmark.cli.crawl import cluster_with_progress, load_quietly
from pressmark.cli.output import err, fail, friendly, out, print_json, table
from pressmark.crawl.backfill import (
    BackfillRequest,
    Plan,
    check,
    list_backfills,
    plan_backfill,
    report_backfill,
    report_lines,
    run_chunk,
)
from pressmark.errors import ConfigError, HostRefuses
from pressmark.registry import Registry, load_registry
from pressmark.removal.erasure import apply_pending_removals
from pressmark.settings import Settings
from pressmark.times import duration, parse_time, short_time
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.migrations import ensure_ready

_AT_ONCE = 4  # outlets side by side
_DAYS_SHOWN = 40


@friendly
def backfill(
    outlets: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID...", help="Outlets with listings of the past.", show_default=False),
    ] = None,
    since: Annotated[str | None, typer.Option(help="First day of publication (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="The day after the last one; default: tomorrow.")] = None,
    methods: Annotated[
        str | None, typer.Option(help="Only these: sitemap, robots, archive, wordpress, separated by commas.")
    ] = None,
    max_pages: Annotated[
        int | None, typer.Option(min=1, help="Fetch at most this many articles per chunk (one outlet, one month).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch known pages too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take; fetch no article.")] = False,
    as_list: Annotated[bool, typer.Option("--list", help="The latest backfills and how far they came.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Fetch what outlets published on certain dates: a plan first, then parts that are not done twice.

    A backfill that was cut off goes on where it was when the same is asked for again.

    Examples:

      pressmark backfill tagesschau --since 2026-10-01 --until 2026-11-01 --dry-run

      pressmark backfill tagesschau srf --since 2026-01-01

      pressmark backfill --list
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    if as_list:
        ensure_ready(warehouse)
        _list(list_backfills(warehouse), as_json)
        return
    registry = load_registry(settings.outlets)
    begin, end = parse_time(since, "--since"), parse_time(until, "--until") or _end_of_today()
    if begin is None:
        raise ConfigError("--since is missing: the first day of publication that is wanted.")
    chosen_methods = tuple(part.strip() for part in methods.split(",")) if methods else None
    wanted = BackfillRequest(tuple(registry.select(outlets or ())), begin, end, chosen_methods, max_pages, force)
    check(wanted)
    ensure_ready(warehouse)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    plan = _plan(settings, warehouse, wanted, dry_run)
    if not as_json:
        _print_plan(plan, wanted)
    failed = {p.outlet: p.error for p in plan.outlets if p.error}
    if dry_run:
        if as_json:
            print_json(_plan_json(plan))
        if failed:
            raise typer.Exit(1)
        return
    report = _run(settings, warehouse, registry, wanted, plan)
    cluster_with_progress(warehouse)
    if as_json:
        print_json({**_plan_json(plan), **report})
    else:
        for line in report_lines(report):
            out.print(line)
    if report["state"] != "done":
        fail("the backfill is not done; the same command goes on with what is left")


def _end_of_today() -> datetime:
    """So that the same command of the same day asks for the same."""
    return (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _plan(settings: Settings, warehouse: Warehouse, wanted: BackfillRequest, dry_run: bool) -> Plan:
    with Progress(
        TextColumn("reading listings"), TimeElapsedColumn(), console=err, disable=not err.is_terminal, transient=True
    ) as progress:
        progress.add_task("")
        return plan_backfill(
            settings, warehouse, wanted, requested_by=f"{getpass.getuser()} (command line)", dry_run=dry_run
        )


def _run(
    settings: Settings, warehouse: Warehouse, registry: Registry, wanted: BackfillRequest, plan: Plan
) -> dict[str, Any]:
    """The chunks of each outlet one after the other, outlets side by side."""
    waiting: dict[str, list[datetime]] = defaultdict(list)
    for outlet, since, _, state in plan.chunks:
        if state not in ("done", "covered"):
            waiting[outlet].append(since)
    by_id = {outlet.id: outlet for outlet in wanted.outlets}
    with (
        Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=err, disable=not err.is_terminal, transient=True,
        ) as progress,
        ThreadPoolExecutor(_AT_ONCE) as side_by_side,
    ):  # fmt: skip
        bars = {outlet: progress.add_task(outlet, total=len(chunks)) for outlet, chunks in waiting.items()}

        stopped = threading.Event()
        crawls: list[subprocess.Popen[bytes]] = []

        def started(process: subprocess.Popen[bytes]) -> None:
            crawls.append(process)
            if stopped.is_set():
                process.terminate()

        def work(outlet: str) -> None:
            for since in waiting[outlet]:
                if stopped.is_set():
                    return
                try:
                    run_chunk(
                        settings, warehouse, plan.backfill_id, by_id[outlet], since, load=partial(load, outlet),
                        on_start=started,
                    )  # fmt: skip
                except HostRefuses:  # the report tells it; the other outlets go on
                    return
                progress.advance(bars[outlet])

        def load(outlet: str) -> None:
            load_quietly(settings, registry, [outlet])

        try:
            for done in [side_by_side.submit(work, outlet) for outlet in waiting]:
                done.result()
        except BaseException:  # Ctrl-C too: crawls have a session of their own, and end gently
            stopped.set()
            for process in crawls:
                process.terminate()
            raise
    return report_backfill(warehouse, plan.backfill_id)


def _print_plan(plan: Plan, wanted: BackfillRequest) -> None:
    made = table("outlet", "#known", "#discoverable", "#missing", "#requests", "about", "")
    for p in plan.outlets:
        note = p.error or p.note or (f"{p.undated} without a date in the listing" if p.undated else "")
        numbers = (p.known, p.discoverable, p.missing, p.requests)
        made.add_row(p.outlet, *map(str, numbers), duration(p.seconds), note)
    out.print(made)
    if (wanted.until - wanted.since) <= timedelta(days=_DAYS_SHOWN):
        days = table("outlet", "day", "#known", "#discoverable", "#missing")
        for p in plan.outlets:
            for day, counts in sorted(p.days.items()):
                counted = [str(counts.get(name, 0)) for name in ("known", "discoverable", "missing")]
                days.add_row(p.outlet, "no date" if day == "?" else day, *counted)
        out.print()
        out.print(days)
    again = "goes on" if plan.resumed else "has"
    out.print(f"\nBackfill {plan.backfill_id} {again}: {plan.lines[-1]}")


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "backfill_id": str(plan.backfill_id),
        "resumed": plan.resumed,
        "missing": plan.missing,
        "requests": plan.requests,
        "seconds": round(plan.seconds),
        "plan": {p.outlet: {name: getattr(p, name) for name in type(p).__slots__} for p in plan.outlets},
        "chunks": [
            {"outlet": outlet, "since": since.isoformat(), "until": until.isoformat(), "state": state}
            for outlet, since, until, state in plan.chunks
        ],
    }


def _list(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"backfills": [{k: str(v) if isinstance(v, UUID) else v for k, v in row.items()} for row in rows]})
        return
    made = table("backfill", "asked", "by", "since", "until", "state", "#parts", "#done", "outlets")
    for row in rows:
        made.add_row(
            str(row["backfill_id"]), short_time(row["created_at"]), row["requested_by"], f"{row['since']:%Y-%m-%d}",
            f"{row['until']:%Y-%m-%d}", row["state"], str(row["chunks"]), str(row["done"]), ", ".join(row["outlets"]),
        )  # fmt: skip
    out.print(made)
