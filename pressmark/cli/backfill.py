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
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pressmark.archive.store import ArchiveStore
from pressmark.cli.articles import plain
from pressmark.cli.crawl import cluster_with_progress, load_quietly
from pressmark.cli.output import err, fail, friendly, out, print_json, table
from pressmark.crawl.backfill import report_backfill, report_lines, run_chunk
from pressmark.crawl.backfill_plan import BackfillRequest, Plan, check, plan_backfill, plan_json
from pressmark.errors import ConfigError, HostRefuses
from pressmark.registry import Registry, load_registry
from pressmark.removal.erasure import apply_pending_removals
from pressmark.settings import Settings
from pressmark.times import duration, parse_time, short_time
from pressmark.warehouse.backfills import list_backfills
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.migrations import ensure_ready

_CONCURRENT_OUTLETS = 4
_MAX_DAYS_SHOWN = 40


@friendly
def backfill(
    outlets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID", help="Ids of outlets with a sitemap, daily archive or WordPress.", show_default=False
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help="First day of publication (UTC).")] = None,
    until: Annotated[
        str | None, typer.Option(help="Day after the last day of publication (UTC).", show_default="tomorrow")
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Use only these methods, separated by commas: sitemap, robots, archive, wordpress."),
    ] = None,
    max_pages: Annotated[
        int | None, typer.Option(min=1, help="Fetch at most this many articles per chunk (one outlet, one month).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch known pages again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and its estimated cost without fetching articles.")
    ] = False,
    as_list: Annotated[bool, typer.Option("--list", help="List the latest backfills and their progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")] = False,
) -> None:
    """Fetch articles published in a date range.

    Prints a plan first, then fetches it in chunks of one outlet and one month.
    To resume an interrupted backfill, run the same command again: finished
    chunks are skipped. A tier (hourly, six_hourly, daily) or `all` stands for
    its enabled outlets that reach the past.

    Examples:

      pressmark backfill tagesschau --since 2026-10-01 --until 2026-11-01 --dry-run

      pressmark backfill tagesschau srf --since 2026-01-01

      pressmark backfill daily --since 2026-11-01 --dry-run --json

      pressmark backfill --list
    """
    settings = Settings.from_env()
    warehouse = Warehouse(settings)
    if as_list:
        ensure_ready(warehouse)
        _list(list_backfills(warehouse), as_json)
        return
    registry = load_registry(settings)
    begin, end = parse_time(since, "--since"), parse_time(until, "--until") or _end_of_today()
    if begin is None:
        raise ConfigError("--since is missing. Give the first day of publication, such as --since 2026-11-01.")
    chosen_methods = tuple(part.strip() for part in methods.split(",")) if methods else None
    chosen = tuple(registry.select_groups(outlets or (), reaching_past=True))
    request = BackfillRequest(chosen, begin, end, chosen_methods, max_pages, force)
    check(request)
    ensure_ready(warehouse)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    plan = _plan(settings, warehouse, request, dry_run)
    if not as_json:
        _print_plan(plan, request)
    failed = {p.outlet: p.error for p in plan.outlets if p.error}
    if dry_run:
        if as_json:
            print_json(_plan_json(plan))
        if failed:
            raise typer.Exit(1)
        return
    report = _run(settings, warehouse, registry, request, plan)
    cluster_with_progress(warehouse)
    if as_json:
        print_json({**_plan_json(plan), **report})
    else:
        for line in report_lines(report):
            out.print(line)
    if report["state"] != "done":
        fail("The backfill is unfinished. Run the same command again to resume it.")


def _end_of_today() -> datetime:
    """Return the next midnight (UTC). The same command thus requests the same range all day, and can resume."""
    return (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _plan(settings: Settings, warehouse: Warehouse, request: BackfillRequest, dry_run: bool) -> Plan:
    with Progress(
        TextColumn("Reading listings"), TimeElapsedColumn(), console=err, disable=not err.is_terminal, transient=True
    ) as progress:
        progress.add_task("")
        return plan_backfill(
            settings, warehouse, request, requested_by=f"{getpass.getuser()} (command line)", dry_run=dry_run
        )


def _run(
    settings: Settings, warehouse: Warehouse, registry: Registry, request: BackfillRequest, plan: Plan
) -> dict[str, Any]:
    """Run the chunks of each outlet in order, several outlets concurrently. Return the report."""
    waiting: dict[str, list[datetime]] = defaultdict(list)
    for outlet, since, _, state in plan.chunks:
        if state not in ("done", "covered"):
            waiting[outlet].append(since)
    by_id = {outlet.id: outlet for outlet in request.outlets}
    with (
        Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(), console=err, disable=not err.is_terminal, transient=True,
        ) as progress,
        ThreadPoolExecutor(_CONCURRENT_OUTLETS) as executor,
    ):  # fmt: skip
        bars = {outlet: progress.add_task(outlet, total=len(chunks)) for outlet, chunks in waiting.items()}

        stopped = threading.Event()
        crawls: list[subprocess.Popen[bytes]] = []

        def on_start(process: subprocess.Popen[bytes]) -> None:
            crawls.append(process)
            if stopped.is_set():
                process.terminate()

        def run_outlet(outlet: str) -> None:
            for since in waiting[outlet]:
                if stopped.is_set():
                    return
                try:
                    run_chunk(
                        settings, warehouse, plan.backfill_id, by_id[outlet], since, load=partial(load, outlet),
                        on_start=on_start,
                    )  # fmt: skip
                except HostRefuses:  # the report shows it; other outlets continue
                    return
                progress.advance(bars[outlet])

        def load(outlet: str) -> None:
            load_quietly(settings, registry, [outlet])

        try:
            for future in [executor.submit(run_outlet, outlet) for outlet in waiting]:
                future.result()
        except BaseException:  # including Ctrl-C, which does not reach the crawls: they run in their own sessions
            stopped.set()
            for process in crawls:
                process.terminate()
            raise
    return report_backfill(warehouse, plan.backfill_id)


def _print_plan(plan: Plan, request: BackfillRequest) -> None:
    totals = table("outlet", "#known", "#discoverable", f"#{plan.missing_word}", "#requests", "time (estimate)", "note")
    for p in plan.outlets:
        if p.error:
            totals.add_row(p.outlet, "", "", "", "", "", f"could not be planned: {plain(p.error)}")
            continue
        note = p.note or (f"{p.undated} without a date in the listing" if p.undated else "")
        numbers = (p.known, p.discoverable, p.missing, p.requests)
        totals.add_row(p.outlet, *map(str, numbers), duration(p.seconds), note)
    out.print(totals)
    if (request.until - request.since) <= timedelta(days=_MAX_DAYS_SHOWN):
        days = table("outlet", "day", "#known", "#discoverable", f"#{plan.missing_word}")
        for p in plan.outlets:
            for day, counts in sorted(p.days.items()):
                numbers_of_day = [str(counts.get(name, 0)) for name in ("known", "discoverable", "missing")]
                days.add_row(p.outlet, "no date" if day == "?" else day, *numbers_of_day)
        out.print()
        out.print(days)
    resumed = " (resumed)" if plan.resumed else ""
    out.print(f"\nBackfill {plan.backfill_id}{resumed}: {plan.lines[-1]}")


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "backfill_id": str(plan.backfill_id),
        "resumed": plan.resumed,
        "missing": plan.missing,
        "requests": plan.requests,
        "seconds": round(plan.seconds),
        "plan": {p.outlet: plan_json(p) for p in plan.outlets},
        "chunks": [
            {"outlet": outlet, "since": since.isoformat(), "until": until.isoformat(), "state": state}
            for outlet, since, until, state in plan.chunks
        ],
    }


def _list(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"backfills": [{k: str(v) if isinstance(v, UUID) else v for k, v in row.items()} for row in rows]})
        return
    backfills = table("backfill", "created", "by", "since", "until", "state", "#chunks", "#done", "outlets")
    for row in rows:
        backfills.add_row(
            str(row["backfill_id"]), short_time(row["created_at"]), row["requested_by"], f"{row['since']:%Y-%m-%d}",
            f"{row['until']:%Y-%m-%d}", row["state"].replace("_", " "), str(row["chunks"]), str(row["done"]),
            ", ".join(row["outlets"]),
        )  # fmt: skip
    out.print(backfills)
