"""Plans backfills: what an outlet published between two dates, what of it is missing, and what fetching it costs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from pressmark.crawl.process import CrawlRun, Event, run_crawls
from pressmark.crawl_types import ENDED_BY_ERROR
from pressmark.errors import ConfigError
from pressmark.outlet import PAST_REACHING_METHODS, Outlet
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import duration
from pressmark.warehouse.backfills import FINISHED, coverage, read_chunks
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.crawl_requests import add_requests
from pressmark.warehouse.queries import queries

MAX_RANGE = timedelta(days=3660)
_CHUNK_SECONDS = 6.0  # to start a crawl process and its extraction, and to load: 21 s for two chunks of 15 requests
_MAX_JOINED_REQUESTS = 50
_SQL = queries("backfill")


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """The outlets and the interval `[since, until)` (UTC) of publication dates to backfill."""

    outlets: tuple[Outlet, ...]
    since: datetime
    until: datetime
    methods: tuple[str, ...] | None = None
    page_budget: int | None = None
    force_refetch: bool = False

    @property
    def ids(self) -> list[str]:
        """Return the outlets' ids, sorted."""
        return sorted(outlet.id for outlet in self.outlets)


@dataclass(slots=True)
class OutletPlan:
    """The plan for one outlet.

    days: counts by day of publication, with `?` for articles whose listing has no date. earliest: the first day that
    the listings name. ranges: the chunks, as `[since, until)`. error: why the outlet cannot be planned; such an outlet
    gets no chunks. note: a limit of the plan, such as sitemaps that were not read.
    """

    outlet: str
    known: int = 0
    discoverable: int = 0
    missing: int = 0
    undated: int = 0
    listing_requests: int = 0
    requests: int = 0
    seconds: float = 0.0
    days: dict[str, dict[str, int]] = field(default_factory=dict)
    earliest: str | None = None
    error: str | None = None
    note: str | None = None
    ranges: list[tuple[datetime, datetime]] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """The plan of a backfill. chunks: (outlet, since, until, state). refetch: known pages are fetched again too."""

    backfill_id: UUID
    outlets: list[OutletPlan]
    chunks: list[tuple[str, datetime, datetime, str]]
    resumed: bool = False
    refetch: bool = False

    @property
    def missing(self) -> int:
        """Return the number of pages to fetch."""
        return sum(plan.missing for plan in self.outlets)

    @property
    def missing_word(self) -> str:
        """Return what the pages to fetch are called."""
        return "to fetch" if self.refetch else "missing"

    @property
    def requests(self) -> int:
        """Return the estimated number of requests."""
        return sum(plan.requests for plan in self.outlets)

    @property
    def seconds(self) -> float:
        """Return the estimated duration. Outlets are crawled concurrently, so it is that of the slowest outlet."""
        return max((plan.seconds for plan in self.outlets), default=0.0)

    @property
    def lines(self) -> list[str]:
        """Return log lines: one per outlet, then the total."""
        lines = []
        for p in self.outlets:
            if p.error:
                lines.append(f"{p.outlet}: could not be planned: {p.error}")
                continue
            lines.append(
                f"{p.outlet}: {p.known} known, {p.discoverable} discoverable, {p.missing} {self.missing_word}"
                + (f" ({p.undated} without a date in the listing)" if p.undated else "")
                + f"; about {plural(p.requests, 'request')}, {duration(p.seconds)}"
                + (f"; {p.note}" if p.note else "")
            )
        waiting = sum(state not in FINISHED for *_, state in self.chunks)
        lines.append(
            f"{plural(len(self.chunks), 'chunk')}, {waiting} to do; {plural(self.missing, 'page')}, "
            f"about {plural(self.requests, 'request')}, {duration(self.seconds)} with all outlets crawled concurrently"
        )
        return lines


def check(request: BackfillRequest) -> None:
    """Raise ConfigError if the backfill is not possible."""
    now = datetime.now(UTC)
    if not request.outlets:
        raise ConfigError("A backfill needs at least one outlet.")
    if request.since >= request.until:
        raise ConfigError(
            f"The begin {request.since:%Y-%m-%d} is not before the end {request.until:%Y-%m-%d} (exclusive)."
        )
    if request.since > now:
        raise ConfigError(f"{request.since:%Y-%m-%d} is in the future. Choose an earlier first day.")
    if request.until - request.since > MAX_RANGE:
        raise ConfigError(
            f"{(request.until - request.since).days} days are too many for one backfill; the limit is "
            f"{MAX_RANGE.days}. Start with one year and check the result."
        )
    unknown = set(request.methods or ()) - PAST_REACHING_METHODS
    if unknown:
        raise ConfigError(
            f"{', '.join(sorted(unknown))} cannot list past articles. These methods can: "
            f"{', '.join(sorted(PAST_REACHING_METHODS))}."
        )
    without = [outlet.id for outlet in request.outlets if not _methods_for(outlet, request)]
    if without:
        raise ConfigError(
            f"{', '.join(without)}: no endpoint of the file reaches the past"
            + (" with these methods" if request.methods else "")
            + ". A backfill needs a sitemap, a daily archive or WordPress."
        )


def plan_backfill(
    settings: Settings,
    warehouse: Warehouse,
    request: BackfillRequest,
    *,
    requested_by: str,
    dry_run: bool,
    dag_id: str | None = None,
    run_id: str | None = None,
    on_event: Callable[[Event], None] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Plan:
    """Estimate a backfill and store the plan. Unless `dry_run` is set, its chunks then wait to be run.

    Polls the outlets' listings but fetches no article. Resumes an unfinished backfill of the same request.
    Raises ConfigError as `check` does.
    """
    check(request)
    with contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection:
        with transaction(connection) as cursor:
            crawl_requests = add_requests(
                cursor, request.outlets, requested_by=requested_by, mode="window", start=request.since,
                end=request.until, methods=request.methods, page_budget=10**6, force_refetch=request.force_refetch,
                dry_run=True,
            )  # fmt: skip
        log = None if on_line else settings.logs / "crawl.log"
        run = run_crawls([r.request_id for r in crawl_requests], log, on_event, on_line=on_line)
        with transaction(connection) as cursor:
            plans = [_plan_outlet(cursor, outlet, request, run) for outlet in request.outlets]
            values: dict[str, Any] = {
                "outlets": request.ids, "since": request.since, "until": request.until,
                "methods": list(request.methods) if request.methods else None, "page_budget": request.page_budget,
                "force_refetch": request.force_refetch, "requested_by": requested_by, "dag_id": dag_id,
                "run_id": run_id, "plan": Json({p.outlet: plan_json(p) for p in plans}),
            }  # fmt: skip
            cursor.execute(_SQL["unfinished"], values)
            unfinished = None if dry_run else cursor.fetchone()
            backfill_id = unfinished[0] if unfinished else uuid4()
            values["backfill_id"] = backfill_id
            if unfinished:
                cursor.execute(_SQL["taken_up"], values)
                cursor.execute(_SQL["reopen"], values)
            else:
                cursor.execute(_SQL["add"], {**values, "state": "dry_run" if dry_run else "running"})
            chunks = _add_chunks(cursor, backfill_id, request, plans, dry_run)
    return Plan(backfill_id, plans, chunks, resumed=unfinished is not None, refetch=request.force_refetch)


def months(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Split `[since, until)` at the begins of calendar months (UTC)."""
    intervals = []
    begin = since
    while begin < until:
        first_of_month = begin.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        next_month = (first_of_month + timedelta(days=32)).replace(day=1)
        intervals.append((begin, min(next_month, until)))
        begin = next_month
    return intervals


def chunk_ranges(
    since: datetime, until: datetime, missing: Collection[str], listing_requests: int
) -> list[tuple[datetime, datetime]]:
    """Split `[since, until)` into chunks: a calendar month each, but months with nothing to fetch are joined.

    missing: days (UTC) with pages to fetch. listing_requests: requests that reading the listings took. A chunk reads
    them again, so joining saves requests; with many of them, a joined chunk would take too long.
    """
    months_to_fetch = {day[:7] for day in missing}
    ranges: list[tuple[datetime, datetime]] = []
    previous_is_empty = False
    for begin, end in months(since, until):
        is_empty = f"{begin.astimezone(UTC):%Y-%m}" not in months_to_fetch and listing_requests <= _MAX_JOINED_REQUESTS
        if is_empty and previous_is_empty:
            ranges[-1] = ranges[-1][0], end
        else:
            ranges.append((begin, end))
        previous_is_empty = is_empty
    return ranges


def _methods_for(outlet: Outlet, request: BackfillRequest) -> set[str]:
    own: set[str] = {endpoint.method for endpoint in outlet.endpoints if endpoint.method in PAST_REACHING_METHODS}
    return own & set(request.methods) if request.methods else own


def _plan_outlet(cursor: Cursor, outlet: Outlet, request: BackfillRequest, run: CrawlRun) -> OutletPlan:
    plan = OutletPlan(outlet.id)
    methods = _methods_for(outlet, request)
    event = run.closed.get(outlet.id)
    if event is None or event["reason"] in ENDED_BY_ERROR:
        plan.error = (event or {}).get("error") or run.error or "none of its listings could be read"
    for day, articles in coverage(cursor, outlet.id, request.since, request.until).items():
        plan.days.setdefault(day, {})["known"] = articles
        plan.known += articles
    if plan.error or event is None:
        return plan
    for day, counts in event["plan_days"].items():
        missing = sum(counts.get(name, 0) for name in ("fetch", "from_archive", "budget_exhausted"))
        # Listings also contain known pages of other days.
        within = day != "?" and request.since.date() <= date.fromisoformat(day) <= _last_day(request.until)
        discoverable = missing + (counts.get("known_not_due", 0) if within else 0)
        if not discoverable:
            continue
        plan.days.setdefault(day, {}).update({"discoverable": discoverable, "missing": missing})
        plan.discoverable += discoverable
        plan.missing += missing
        plan.undated += missing if day == "?" else 0
    plan.listing_requests = event["requests"]
    fetches = event["plan"].get("fetch", 0) + event["plan"].get("budget_exhausted", 0)
    plan.earliest = min((day for day in event["plan_days"] if day != "?"), default=None)
    to_fetch = [day for day, counts in plan.days.items() if counts.get("missing") and day != "?"]
    plan.ranges = chunk_ranges(request.since, request.until, to_fetch, plan.listing_requests)
    # Every chunk reads the sitemaps again. From an archive or WordPress, it requests only its own days.
    chunk_count = len(plan.ranges)
    reads_sitemaps = bool(methods & {"sitemap", "robots"})
    plan.requests = fetches + plan.listing_requests * (chunk_count if reads_sitemaps else 1)
    chunk_budget = request.page_budget or outlet.budgets.pages
    if event["reason"] != "finished":
        plan.note = f"its listings were not read completely ({event['reason']}), so there may be more articles"
    elif event["sitemaps_unread"]:
        plan.note = (
            f"{event['sitemaps_unread']} of its sitemaps were not read (budgets.sitemaps is "
            f"{outlet.budgets.sitemaps}), so there may be more articles"
        )
    elif fetches > chunk_budget * chunk_count:
        limit = plural(chunk_budget, "page")
        plan.note = f"each chunk fetches at most {limit}; start the same backfill again to fetch the rest"
    elif methods <= {"sitemap", "robots"} and (plan.earliest is None or plan.earliest > f"{request.since:%Y-%m-%d}"):
        plan.note = f"its listings reach back to {plan.earliest}" if plan.earliest else "its listings name no dates"
    plan.seconds = plan.requests * outlet.politeness.seconds_per_page + chunk_count * _CHUNK_SECONDS
    return plan


def _last_day(until: datetime) -> date:
    """Return the last day (UTC) that begins before an exclusive end."""
    return (until.astimezone(UTC) - timedelta(microseconds=1)).date()


def plan_json(plan: OutletPlan) -> dict[str, Any]:
    """Return an outlet's plan as it is stored and printed."""
    values = {name: getattr(plan, name) for name in OutletPlan.__slots__}
    return {**values, "ranges": [[since.isoformat(), until.isoformat()] for since, until in plan.ranges]}


def _add_chunks(
    cursor: Cursor, backfill_id: UUID, request: BackfillRequest, plans: Sequence[OutletPlan], dry_run: bool
) -> list[tuple[str, datetime, datetime, str]]:
    """Add the chunks of the planned outlets. Return (outlet, since, until, state) of all chunks of the backfill."""
    if dry_run:
        return [(plan.outlet, s, u, "waiting") for plan in plans for s, u in plan.ranges]
    # A resumed backfill keeps its chunks.
    chunked = {chunk.outlet for chunk in read_chunks(cursor, backfill_id)}
    outlets = {outlet.id: outlet for outlet in request.outlets}
    for plan in plans:
        if plan.outlet in chunked:
            continue
        outlet = outlets[plan.outlet]
        methods = sorted(_methods_for(outlet, request))
        for since, until in plan.ranges:
            values: dict[str, Any] = {
                "backfill_id": backfill_id, "outlet": outlet.id, "since": since, "until": until, "methods": methods,
                "config_hash": outlet.config_hash,
            }  # fmt: skip
            cursor.execute(_SQL["covered"], values)
            covering = None if request.force_refetch else cursor.fetchone()
            values |= {
                "state": "covered" if covering else "waiting",
                "detail": f"done by backfill {covering[0]}" if covering else None,
            }
            cursor.execute(_SQL["add_chunk"], values)
    return [(c.outlet, c.since, c.until, c.state) for c in read_chunks(cursor, backfill_id)]
