"""`pressmark crawl`, `pressmark load` and `pressmark cluster`."""

from __future__ import annotations

import contextlib
import getpass
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pressmark.archive.store import ArchiveStore
from pressmark.cli.output import err, fail, friendly, out, print_json, table
from pressmark.crawl.process import CrawlRun, Event, run_crawls
from pressmark.errors import ConfigError
from pressmark.outlet import Outlet
from pressmark.registry import Registry, load_registry
from pressmark.removal.erasure import apply_pending_removals
from pressmark.settings import Settings
from pressmark.times import parse_time
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.crawl_requests import CrawlRequest, add_request
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.queries import queries

if TYPE_CHECKING:  # numpy and Trafilatura come in when something is loaded
    from pressmark.warehouse.clusters import ClusterResult
    from pressmark.warehouse.load import LoadedSegment

_SECONDS_A_PAGE = 1.0  # beside the delay, for the estimate of a dry run


@friendly
def crawl(
    outlets: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Outlets, as in `pressmark outlet list`.", show_default=False)
    ],
    since: Annotated[
        str | None, typer.Option(help="Only what was published at or after this day or time (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only what was published before this day or time (UTC).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched; fetch no article.")] = False,
    max_pages: Annotated[int | None, typer.Option(min=1, help="Fetch at most this many articles per outlet.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Crawl outlets now and load what came.

    Examples:

      pressmark crawl southfront

      pressmark crawl southfront --since 2026-11-01 --until 2026-11-08 --dry-run

      pressmark crawl harbour-dispatch tagesblick --json
    """
    settings = Settings.from_env()
    registry = load_registry(settings.outlets)
    chosen = registry.select(outlets)
    start, end = parse_time(since, "--since"), parse_time(until, "--until")
    if end is not None and start is None:
        raise ConfigError("--until needs --since: a window has a begin.")
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    requests = plan_requests(warehouse, chosen, start, end, dry_run, max_pages)
    well = True
    if dry_run:
        run = run_with_progress(settings, requests)
        if not run.error:
            _print_plan(chosen, run, as_json)
    else:
        # What a crawl has committed is loaded, and compared, while others go on.
        with ThreadPoolExecutor(1) as comparing, ThreadPoolExecutor(1) as loading:
            early = _LoadsAsTheyEnd(loading, comparing, settings, registry)
            run = run_with_progress(settings, requests, early)
        # Also what a crawl that failed or was killed has committed.
        rest = load_outlets(settings, registry, [outlet.id for outlet in chosen])
        loaded = {segment.segment_id: segment for segment in [*early.done(), *rest]}  # the last attempt counts
        well = _failure_summary(list(loaded.values()))
        cluster_with_progress(warehouse)
        report = crawl_report(warehouse, [request.request_id for request in requests])
        if as_json:
            print_json(report)
        elif report["crawls"]:
            print_report(report)
        if report["crawls"] and not report["ledger_ok"]:
            print("pressmark: a ledger does not add up; `pressmark status` and the log tell more", file=sys.stderr)
            well = False
    if run.error:
        fail(run.error, run.exit_code if 0 < run.exit_code < 126 else 1)
    failed = {outlet: event["error"] for outlet, event in run.closed.items() if event.get("reason") == "failed"}
    for outlet, error in failed.items():
        print(f"pressmark: {outlet}: {error}", file=sys.stderr)
    if failed or run.exit_code or not well:
        raise typer.Exit(1)


@friendly
def load(
    outlets: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Only these outlets.", show_default=False)
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Also retry segments that failed permanently.")
    ] = False,
) -> None:
    """Load what crawls have committed and nobody has loaded yet.

    Examples:

      pressmark load

      pressmark load southfront --retry-failed
    """
    settings = Settings.from_env()
    registry = load_registry(settings.outlets)
    registry.select(outlets or ())
    ensure_ready(Warehouse(settings))
    done = load_outlets(settings, registry, outlets or None, retry_failed)
    captures = sum(segment.captures or 0 for segment in done)
    out.print(f"{len(done)} segments, {captures} visits loaded.")
    cluster_with_progress(Warehouse(settings))
    if not _failure_summary(done):
        raise typer.Exit(1)


@friendly
def cluster(as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Look for the copies of articles that were loaded since the last time.

    `crawl`, `load` and the DAGs do it by themselves; this finishes what was cut off.

    Examples:

      pressmark cluster

      pressmark cluster --json
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    done = cluster_with_progress(warehouse)
    if as_json:
        print_json({"articles": done.articles, "copies": done.copies, "changed": done.changed})
    else:
        out.print(f"{done.articles} articles looked at: {done.copies} copies found, {done.changed} changed clusters.")


def cluster_with_progress(warehouse: Warehouse) -> ClusterResult:
    """Look for copies; a progress bar on a terminal."""
    from pressmark.warehouse.clusters import cluster as find_copies

    with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task("copies", total=None)
        return find_copies(warehouse, lambda done, waiting: progress.update(bar, completed=done, total=done + waiting))


def _failure_summary(done: list[LoadedSegment]) -> bool:
    """Say which segments were not loaded; True where all were."""
    failed = [segment for segment in done if segment.error]
    for segment in failed:
        what = f"{segment.outlet}: segment {segment.segment_id} was not loaded: {segment.error}"
        print(f"pressmark: {what}\nIt stays staged; `pressmark load --retry-failed` retries it.", file=sys.stderr)
    return not failed


def plan_requests(
    warehouse: Warehouse,
    outlets: list[Outlet],
    start: datetime | None,
    end: datetime | None,
    dry_run: bool,
    max_pages: int | None,
) -> list[CrawlRequest]:
    """Write a crawl request for each outlet."""
    connection = warehouse.connect("loader", "pressmark plan")
    with contextlib.closing(connection), transaction(connection) as cursor:
        return [
            add_request(
                cursor,
                outlet,
                requested_by=f"{getpass.getuser()} (command line)",
                mode="window" if start else "incremental",
                start=start,
                end=end or datetime.now(UTC),
                dry_run=dry_run,
                page_budget=max_pages,
            )
            for outlet in outlets
        ]


class _LoadsAsTheyEnd:
    """Loads an outlet's segments when its crawl says that it is over, then looks for copies: each in a thread of
    its own beside the progress display. What fails here is done again, and told, after the crawls.
    """

    def __init__(
        self, loading: ThreadPoolExecutor, comparing: ThreadPoolExecutor, settings: Settings, registry: Registry
    ) -> None:
        self._loading = loading
        self._comparing = comparing
        self._settings = settings
        self._registry = registry
        self._loads: list[Future[list[LoadedSegment]]] = []

    def __call__(self, event: Event) -> None:
        if event["event"] == "closed":
            self._loads.append(self._loading.submit(self._load, [event["outlet"]]))

    def _load(self, outlets: list[str]) -> list[LoadedSegment]:
        from pressmark.warehouse.clusters import cluster as find_copies

        done = load_quietly(self._settings, self._registry, outlets)
        self._comparing.submit(find_copies, Warehouse(self._settings))
        return done

    def done(self) -> list[LoadedSegment]:
        """What was loaded. Where the server stayed away, it was left to the load after the crawls."""
        return [segment for load in self._loads if load.exception() is None for segment in load.result()]


def run_with_progress(
    settings: Settings, requests: list[CrawlRequest], on_event: Callable[[Event], None] | None = None
) -> CrawlRun:
    """Run the crawl process; a progress bar on a terminal, the log in a file."""
    log = settings.logs / "crawl.log"
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, disable=not err.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        bars = {r.outlet: progress.add_task(r.outlet, total=0) for r in requests}

        def show(event: Event) -> None:
            if on_event:
                on_event(event)
            bar = bars.get(event.get("outlet", ""))
            if bar is None:
                return
            if event["event"] == "fetching":
                progress.update(bar, total=(progress.tasks[bar].total or 0) + event["pages"])
            elif event["event"] == "resolved" and not event.get("left_out"):
                progress.advance(bar)
            elif event["event"] == "waiting":
                err.print(f"{event['outlet']}: another crawl of it is running; waiting for its end")

        return run_crawls([request.request_id for request in requests], log, show)


def load_outlets(
    settings: Settings, registry: Registry, outlets: list[str] | None, retry_failed: bool = False
) -> list[LoadedSegment]:
    """Load the committed segments of these outlets; a progress bar on a terminal."""
    with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task("load", total=None)
        return load_quietly(
            settings, registry, outlets, retry_failed, lambda total: progress.update(bar, total=total, advance=1)
        )


def load_quietly(
    settings: Settings,
    registry: Registry,
    outlets: list[str] | None,
    retry_failed: bool = False,
    on_loaded: Callable[[int], None] = lambda total: None,
) -> list[LoadedSegment]:
    """The same without a display of its own."""
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor
    from pressmark.warehouse.load import load_segments, segments_to_load

    warehouse = Warehouse(settings)
    segments = [(segment, outlet) for segment, outlet, _ in segments_to_load(warehouse, outlets, retry_failed)]
    if not segments:
        return []
    with contextlib.closing(ArchivedPageExtractor(registry, ArchiveStore(settings.archive))) as page_extractor:
        return load_segments(warehouse, segments, page_extractor, lambda _: on_loaded(len(segments)))


def crawl_report(warehouse: Warehouse, request_ids: list[UUID]) -> dict[str, Any]:
    """What the ledger says of the crawls of these requests."""
    connection = warehouse.connect("loader", "pressmark report")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(queries("crawl")["crawls_of_requests"], {"request_ids": request_ids})
        crawl_ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(queries("crawl")["crawl_report"], {"crawl_ids": crawl_ids})
        rows = dict_rows(cursor)
    crawls = [
        {
            "outlet": row["outlet"],
            "crawl_id": str(row["crawl_id"]),
            "mode": row["mode"],
            "interval": [_iso(row["interval_start"]), _iso(row["interval_end"])],
            "candidates": row["candidates"],
            "requests": row["requests"],
            "outcomes": row["outcomes"],
            "endpoints_looked_at": row["polls"],
            "endpoints_unchanged": row["unchanged"],
            "seconds": round(row["seconds"], 2),
            "finish_reason": row["finish_reason"],
            "error": row["error"],
            "ledger_ok": row["ledger_ok"],
        }
        for row in rows
    ]
    return {"crawls": crawls, "ledger_ok": bool(crawls) and all(c["ledger_ok"] for c in crawls)}


def _nothing(row: dict[str, Any]) -> str:
    """Why a crawl had no candidate."""
    if row["endpoints_unchanged"]:
        return "nothing has changed (304)"
    return "nothing listed" if row["endpoints_looked_at"] else "its endpoints rest"


def print_report(report: dict[str, Any]) -> None:
    """The report as a table."""
    made = table("outlet", "mode", "#candidates", "#requests", "#seconds", "end", "outcomes")
    for row in report["crawls"]:
        outcomes = ", ".join(f"{count} {name}" for name, count in row["outcomes"].items()) or _nothing(row)
        made.add_row(
            row["outlet"], row["mode"], str(row["candidates"]), str(row["requests"]), f"{row['seconds']:.1f}",
            row["finish_reason"] or "open", outcomes,
        )  # fmt: skip
    out.print(made)
    out.print(f"ledger_ok: {'true' if report['ledger_ok'] else 'FALSE'}")


def _print_plan(outlets: list[Outlet], run: CrawlRun, as_json: bool) -> None:
    """What a dry run found out: candidates, what would be fetched, how long it would take."""
    plans = []
    for outlet in outlets:
        event = run.closed.get(outlet.id)
        if event is None or event["reason"] == "failed":  # it is told by its error
            continue
        left_out = {name: n for name, n in event["plan"].items() if name not in ("fetch", "from_archive")}
        pages = event["plan"].get("fetch", 0)
        plans.append(
            {
                "outlet": outlet.id,
                "candidates": sum(event["plan"].values()),
                "fetch": pages,
                "from_archive": event["plan"].get("from_archive", 0),
                "left_out": left_out,
                "seconds_estimated": round(pages * (outlet.politeness.delay + _SECONDS_A_PAGE)),
                "requests_made": event["requests"],
            }
        )
    if as_json:
        print_json({"plan": plans})
        return
    made = table("outlet", "#candidates", "#to fetch", "#from archive", "#about seconds", "left out")
    for plan in plans:
        left = ", ".join(f"{count} {name}" for name, count in plan["left_out"].items()) or "-"
        numbers = (plan[name] for name in ("candidates", "fetch", "from_archive", "seconds_estimated"))
        made.add_row(plan["outlet"], *map(str, numbers), left)
    out.print(made)


def _iso(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None
