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
from pressmark.cli.articles import plain
from pressmark.cli.output import err, fail, friendly, out, print_json, table
from pressmark.crawl.process import CrawlRun, Event, run_crawls
from pressmark.crawl_summary import no_candidates, outcome_summary
from pressmark.crawl_types import ENDED_BY_ERROR, CrawlRequest
from pressmark.errors import ConfigError
from pressmark.outlet import Outlet
from pressmark.registry import Registry, load_registry
from pressmark.removal.erasure import apply_pending_removals
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import parse_time
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.crawl_requests import add_requests
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.queries import queries

if TYPE_CHECKING:  # imported late: numpy and Trafilatura are needed only to load segments
    from pressmark.warehouse.cluster_queue import ClusterResult
    from pressmark.warehouse.load import LoadedSegment

_SHOWN_URLS = 50  # of each outlet, by a dry run

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]


@friendly
def crawl(
    outlets: Annotated[
        list[str],
        typer.Argument(
            metavar="ID", help="Ids of the outlets to crawl; see `pressmark outlet list`.", show_default=False
        ),
    ],
    since: Annotated[
        str | None, typer.Option(help="Fetch only articles published at or after this day or time (UTC).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Fetch only articles published before this day or time (UTC).")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be fetched without fetching articles.")
    ] = False,
    max_pages: Annotated[int | None, typer.Option(min=1, help="Fetch at most this many articles per outlet.")] = None,
    as_json: _Json = False,
) -> None:
    """Crawl outlets now and load the results.

    Without --since, fetches everything the outlets list that is new or due.
    With --since, fetches what was published in that window; this needs an
    endpoint that reaches the past, such as a sitemap.

    Examples:

      pressmark crawl southfront

      pressmark crawl southfront --since 2026-11-01 --until 2026-11-08 --dry-run

      pressmark crawl harbour-dispatch tagesblick --json
    """
    settings = Settings.from_env()
    registry = load_registry(settings)
    chosen = registry.select(outlets)
    start, end = parse_time(since, "--since"), parse_time(until, "--until")
    if end is not None and start is None:
        raise ConfigError("--until needs --since. Give the first day of the window too.")
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    apply_pending_removals(warehouse, ArchiveStore(settings.archive))
    requests = plan_requests(warehouse, chosen, start, end, dry_run, max_pages)
    succeeded = True
    if dry_run:
        urls: dict[str, list[str]] = {}

        def collect(event: Event) -> None:
            if event["event"] == "would_fetch":
                urls.setdefault(event["outlet"], []).append(event["url"])

        run = run_with_progress(settings, requests, collect)
        if not run.error:
            _print_plan(chosen, run, urls, as_json)
    else:
        # Load and cluster the segments of finished crawls while the other crawls run.
        with ThreadPoolExecutor(1) as clustering, ThreadPoolExecutor(1) as loading:
            loader = _BackgroundLoader(loading, clustering, settings, registry)
            run = run_with_progress(settings, requests, loader)
        # Load the rest too, including segments committed by a crawl that failed or was killed.
        rest = load_outlets(settings, registry, [outlet.id for outlet in chosen])
        loaded = {segment.segment_id: segment for segment in [*loader.done(), *rest]}  # the last attempt counts
        succeeded = _report_failed_segments(list(loaded.values()))
        cluster_with_progress(warehouse)
        report = crawl_report(warehouse, [request.request_id for request in requests])
        if as_json:
            print_json(report)
        elif report["crawls"]:
            print_report(report)
        if report["crawls"] and not report["ledger_ok"]:
            print(
                f"pressmark: a ledger does not add up; see `pressmark status` and {settings.logs / 'crawl.log'}",
                file=sys.stderr,
            )
            succeeded = False
    if run.error:
        fail(run.error, run.exit_code if 0 < run.exit_code < 126 else 1)
    failed = {outlet: event["error"] for outlet, event in run.closed.items() if event.get("reason") in ENDED_BY_ERROR}
    for outlet, error in failed.items():
        print(f"pressmark: {outlet}: {error}", file=sys.stderr)
    if failed or run.exit_code or not succeeded:
        raise typer.Exit(1)


@friendly
def load(
    outlets: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of the outlets to load. Default: all.", show_default=False),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Retry segments that failed permanently too.")
    ] = False,
) -> None:
    """Load segments that are not loaded yet.

    `crawl` and the DAGs load their own segments. Use this after a crash, or
    after a crawl by Scrapy alone.

    Examples:

      pressmark load

      pressmark load southfront --retry-failed
    """
    settings = Settings.from_env()
    registry = load_registry(settings)
    registry.select(outlets or ())
    ensure_ready(Warehouse(settings))
    segments = load_outlets(settings, registry, outlets or None, retry_failed)
    loaded = [segment for segment in segments if not segment.error]
    captures = sum(segment.captures or 0 for segment in loaded)
    out.print(f"Loaded {plural(len(loaded), 'segment')} with {plural(captures, 'capture')}.")
    cluster_with_progress(Warehouse(settings))
    if not _report_failed_segments(segments):
        raise typer.Exit(1)


@friendly
def cluster(as_json: _Json = False) -> None:
    """Find copies among newly loaded articles.

    `crawl`, `load` and the DAGs do this automatically. Use it to finish a run
    that was interrupted.

    Examples:

      pressmark cluster

      pressmark cluster --json
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    result = cluster_with_progress(warehouse)
    if as_json:
        print_json({"articles": result.articles, "copies": result.copies, "changed": result.changed})
    else:
        out.print(
            f"Compared {plural(result.articles, 'article')}: {plural(result.copies, 'copy', 'copies')} found, "
            f"{plural(result.changed, 'cluster')} changed."
        )


def cluster_with_progress(warehouse: Warehouse) -> ClusterResult:
    """Find copies, with a progress bar on a terminal."""
    from pressmark.warehouse.cluster_queue import cluster_queued

    with Progress(console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task("copies", total=None)
        return cluster_queued(
            warehouse, lambda done, waiting: progress.update(bar, completed=done, total=done + waiting)
        )


def _report_failed_segments(segments: list[LoadedSegment]) -> bool:
    """Print the segments that could not be loaded. Return True if there are none."""
    failed = [segment for segment in segments if segment.error]
    for segment in failed:
        message = f"{segment.outlet}: segment {segment.segment_id} was not loaded: {segment.error}"
        print(f"pressmark: {message}\nIt stays staged; `pressmark load --retry-failed` retries it.", file=sys.stderr)
    return not failed


def plan_requests(
    warehouse: Warehouse,
    outlets: list[Outlet],
    start: datetime | None,
    end: datetime | None,
    dry_run: bool,
    max_pages: int | None,
) -> list[CrawlRequest]:
    """Store one crawl request per outlet."""
    connection = warehouse.connect("loader", "pressmark plan")
    with contextlib.closing(connection), transaction(connection) as cursor:
        return add_requests(
            cursor,
            outlets,
            requested_by=f"{getpass.getuser()} (command line)",
            mode="window" if start else "incremental",
            start=start,
            end=end or datetime.now(UTC),
            dry_run=dry_run,
            page_budget=max_pages,
        )


class _BackgroundLoader:
    """Load and cluster an outlet's segments as soon as its crawl is closed.

    Each step has its own thread, so the progress display is not blocked. Failures here are ignored: the caller loads
    and clusters again after the crawls, and reports what fails then.
    """

    def __init__(
        self, loading: ThreadPoolExecutor, clustering: ThreadPoolExecutor, settings: Settings, registry: Registry
    ) -> None:
        self._loading = loading
        self._clustering = clustering
        self._settings = settings
        self._registry = registry
        self._loads: list[Future[list[LoadedSegment]]] = []

    def __call__(self, event: Event) -> None:
        if event["event"] == "closed":
            self._loads.append(self._loading.submit(self._load, [event["outlet"]]))

    def _load(self, outlets: list[str]) -> list[LoadedSegment]:
        from pressmark.warehouse.cluster_queue import cluster_queued

        segments = load_quietly(self._settings, self._registry, outlets)
        self._clustering.submit(cluster_queued, Warehouse(self._settings))
        return segments

    def done(self) -> list[LoadedSegment]:
        """Return the segments that were loaded. Loads that raised, such as for a lost server, are left out."""
        return [segment for load in self._loads if load.exception() is None for segment in load.result()]


def run_with_progress(
    settings: Settings, requests: list[CrawlRequest], on_event: Callable[[Event], None] | None = None
) -> CrawlRun:
    """Run the crawl process with a progress bar on a terminal. Its log goes to a file."""
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
            elif event["event"] == "resolved" and not event.get("skipped"):
                progress.advance(bar)
            elif event["event"] == "waiting":
                err.print(f"{event['outlet']}: another crawl of this outlet is running; waiting for it to end")

        return run_crawls([request.request_id for request in requests], log, show)


def load_outlets(
    settings: Settings, registry: Registry, outlets: list[str] | None, retry_failed: bool = False
) -> list[LoadedSegment]:
    """Load the committed segments of these outlets (None: of all), with a progress bar on a terminal."""
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
    """Load the committed segments of these outlets (None: of all) without a progress bar.

    on_loaded: called after each segment with the number of segments to load.
    """
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor
    from pressmark.warehouse.load import load_segments, segments_to_load

    warehouse = Warehouse(settings)
    segments = [(segment, outlet) for segment, outlet, _ in segments_to_load(warehouse, outlets, retry_failed)]
    if not segments:
        return []
    with contextlib.closing(ArchivedPageExtractor(registry, ArchiveStore(settings.archive))) as page_extractor:
        return load_segments(warehouse, segments, page_extractor, lambda _: on_loaded(len(segments)))


def crawl_report(warehouse: Warehouse, request_ids: list[UUID]) -> dict[str, Any]:
    """Return the ledger's figures for the crawls of these requests, as `crawl --json` prints them."""
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
            "endpoints_listed": row["listed"],
            "endpoints_unchanged": row["unchanged"],
            "seconds": round(row["seconds"], 2),
            "finish_reason": row["finish_reason"],
            "error": row["error"],
            "ledger_ok": row["ledger_ok"],
        }
        for row in rows
    ]
    return {"crawls": crawls, "ledger_ok": bool(crawls) and all(c["ledger_ok"] for c in crawls)}


def print_report(report: dict[str, Any]) -> None:
    """Print a report of `crawl_report` as a table."""
    crawls = table("outlet", "mode", "#candidates", "#requests", "#seconds", "finished", "outcomes")
    for row in report["crawls"]:
        brought = outcome_summary(row["outcomes"]) or no_candidates(
            row["finish_reason"], row["endpoints_listed"], row["endpoints_unchanged"]
        )
        crawls.add_row(
            row["outlet"], row["mode"], str(row["candidates"]), str(row["requests"]), f"{row['seconds']:.1f}",
            row["finish_reason"] or "open", brought,
        )  # fmt: skip
    out.print(crawls)
    out.print(f"ledger_ok: {'true' if report['ledger_ok'] else 'FALSE'}")


def _print_plan(outlets: list[Outlet], run: CrawlRun, urls: dict[str, list[str]], as_json: bool) -> None:
    """Print the result of a dry run: candidates, pages to fetch with their URLs, estimated time."""
    plans = []
    for outlet in outlets:
        event = run.closed.get(outlet.id)
        if event is None or event["reason"] in ENDED_BY_ERROR:  # the caller prints its error
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
                "seconds_estimated": round(pages * outlet.politeness.seconds_per_page),
                "requests_made": event["requests"],
                "urls": urls.get(outlet.id, []),
            }
        )
    if as_json:
        print_json({"plan": plans})
        return
    rows = table("outlet", "#candidates", "#to fetch", "#from archive", "#seconds (estimate)", "not fetched")
    for plan in plans:
        not_fetched = ", ".join(f"{count} {name}" for name, count in plan["left_out"].items()) or "-"
        numbers = (plan[name] for name in ("candidates", "fetch", "from_archive", "seconds_estimated"))
        rows.add_row(plan["outlet"], *map(str, numbers), not_fetched)
    out.print(rows)
    for plan in plans:
        shown = plan["urls"][:_SHOWN_URLS]
        if shown:
            out.print(f"\n[bold]{plan['outlet']}[/bold]")
        for url in shown:
            out.print(plain(url), soft_wrap=True)
        if len(plan["urls"]) > len(shown):
            out.print(f"and {len(plan['urls']) - len(shown):,} more; --json lists all of them")


def _iso(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None
