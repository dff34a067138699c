"""Backfills: what outlets published on certain dates, planned before anything is fetched, in parts that are kept.

A part (chunk) is an outlet and a calendar month. What is done is not done again: neither by the same backfill after a
kill, nor by another one for the same dates. Pages that are in the warehouse are not fetched again in any case.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from pressmark.crawl.process import CrawlRun, Event, run_crawls
from pressmark.crawl_types import ENDED_WELL
from pressmark.errors import ConfigError, HostRefuses
from pressmark.outcomes import NO_ANSWER
from pressmark.outlet import PAST_REACHING_METHODS, Outlet
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.times import duration
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.crawl_requests import add_request
from pressmark.warehouse.locks import session_lock
from pressmark.warehouse.queries import queries

MAX_RANGE = timedelta(days=3660)
_ATTEMPTS = 3  # of a part in which listings or pages give no answer
_FINISHED = ("done", "covered")
_SQL = queries("backfill")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What a backfill asks for: outlets and `[since, until)` by date of publication, UTC."""

    outlets: tuple[Outlet, ...]
    since: datetime
    until: datetime
    methods: tuple[str, ...] | None = None
    page_budget: int | None = None
    force_refetch: bool = False

    @property
    def ids(self) -> list[str]:
        """The outlets' ids, sorted."""
        return sorted(outlet.id for outlet in self.outlets)


@dataclass(slots=True)
class OutletPlan:
    """What one outlet's part would be. days: by day of publication (`?` where listings do not say).

    error: why it cannot be planned; it then has no chunks. note: what else should be known beforehand.
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
    error: str | None = None
    note: str | None = None


@dataclass(slots=True)
class Plan:
    """A backfill before it runs. chunks: (outlet, since, until, state)."""

    backfill_id: UUID
    outlets: list[OutletPlan]
    chunks: list[tuple[str, datetime, datetime, str]]
    resumed: bool = False

    @property
    def missing(self) -> int:
        """Pages that are to be fetched."""
        return sum(plan.missing for plan in self.outlets)

    @property
    def requests(self) -> int:
        """Requests that it will make, about."""
        return sum(plan.requests for plan in self.outlets)

    @property
    def seconds(self) -> float:
        """How long it will take, about: outlets are crawled side by side."""
        return max((plan.seconds for plan in self.outlets), default=0.0)

    @property
    def lines(self) -> list[str]:
        """For a log: a line an outlet, then the sum."""
        lines = []
        for p in self.outlets:
            if p.error:
                lines.append(f"{p.outlet}: cannot be planned: {p.error}")
                continue
            lines.append(
                f"{p.outlet}: {p.known} known, {p.discoverable} discoverable, {p.missing} missing"
                + (f" ({p.undated} of them without a date in the listing)" if p.undated else "")
                + f"; about {p.requests} requests, {duration(p.seconds)}"
                + (f"; {p.note}" if p.note else "")
            )
        waiting = sum(state not in _FINISHED for *_, state in self.chunks)
        lines.append(
            f"{len(self.chunks)} parts, {waiting} to do; {self.missing} pages, about {self.requests} requests, "
            f"{duration(self.seconds)} with the outlets side by side"
        )
        return lines


def check(wanted: BackfillRequest) -> None:
    """Raises ConfigError for a range that makes no sense, saying why."""
    now = datetime.now(UTC)
    if not wanted.outlets:
        raise ConfigError("A backfill needs at least one outlet.")
    if wanted.since >= wanted.until:
        raise ConfigError(
            f"The begin {wanted.since:%Y-%m-%d} is not before the end {wanted.until:%Y-%m-%d} (excluded)."
        )
    if wanted.since > now:
        raise ConfigError(f"{wanted.since:%Y-%m-%d} is in the future: nothing was published then.")
    if wanted.until - wanted.since > MAX_RANGE:
        raise ConfigError(
            f"{(wanted.until - wanted.since).days} days are too many for one backfill; the limit is {MAX_RANGE.days}. "
            "Start with a year and check the result."
        )
    unknown = set(wanted.methods or ()) - PAST_REACHING_METHODS
    if unknown:
        raise ConfigError(
            f"{', '.join(sorted(unknown))} cannot list past articles. These methods can: "
            f"{', '.join(sorted(PAST_REACHING_METHODS))}."
        )
    without = [outlet.id for outlet in wanted.outlets if not _methods_for(outlet, wanted)]
    if without:
        raise ConfigError(
            f"{', '.join(without)}: no endpoint of the file reaches the past"
            + (" by these methods" if wanted.methods else "")
            + ". A window needs a sitemap, an archive by day or WordPress."
        )


def plan_backfill(
    settings: Settings,
    warehouse: Warehouse,
    wanted: BackfillRequest,
    *,
    requested_by: str,
    dry_run: bool,
    dag_id: str | None = None,
    run_id: str | None = None,
    on_event: Callable[[Event], None] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Plan:
    """Say what it would take, and write it down; without `dry_run` its chunks wait to be run.

    Reads the outlets' listings, fetches no article. A backfill of the same that was not finished is taken up again.
    Raises ConfigError as `check` does.
    """
    check(wanted)
    with contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection:
        with transaction(connection) as cursor:
            requests = [
                add_request(
                    cursor, outlet, requested_by=requested_by, mode="window", start=wanted.since, end=wanted.until,
                    methods=wanted.methods, page_budget=10**6, force_refetch=wanted.force_refetch, dry_run=True,
                )
                for outlet in wanted.outlets
            ]  # fmt: skip
        log = None if on_line else settings.logs / "crawl.log"
        run = run_crawls([r.request_id for r in requests], log, on_event, on_line=on_line)
        with transaction(connection) as cursor:
            plans = [_plan_outlet(cursor, outlet, wanted, run) for outlet in wanted.outlets]
            values: dict[str, Any] = {
                "outlets": wanted.ids, "since": wanted.since, "until": wanted.until,
                "methods": list(wanted.methods) if wanted.methods else None, "page_budget": wanted.page_budget,
                "force_refetch": wanted.force_refetch, "requested_by": requested_by, "dag_id": dag_id, "run_id": run_id,
                "plan": Json({p.outlet: _as_json(p) for p in plans}),
            }  # fmt: skip
            cursor.execute(_SQL["unfinished"], values)
            row = None if dry_run else cursor.fetchone()
            backfill_id = row[0] if row else uuid4()
            values["backfill_id"] = backfill_id
            if row:
                cursor.execute(_SQL["taken_up"], values)
                cursor.execute(_SQL["reopen"], values)
            else:
                cursor.execute(_SQL["add"], {**values, "state": "dry_run" if dry_run else "running"})
            sound = {plan.outlet for plan in plans if plan.error is None}
            chunks = _chunks(cursor, backfill_id, wanted, sound, dry_run)
    return Plan(backfill_id, plans, chunks, resumed=row is not None)


def run_chunk(
    settings: Settings,
    warehouse: Warehouse,
    backfill_id: UUID,
    outlet: Outlet,
    since: datetime,
    *,
    load: Callable[[], None],
    task: Mapping[str, Any] | None = None,
    on_event: Callable[[Event], None] | None = None,
    on_line: Callable[[str], None] | None = None,
    on_start: Callable[[Any], None] | None = None,
) -> str:
    """Crawl one chunk and load what came; returns its state. One that is done already is left alone, one that is being
    done is waited for.

    task: dag_id, run_id and map_index of the task that does it. Raises HostRefuses where the next chunks would be
    refused like this one.
    """
    with (
        contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection,
        session_lock(connection, f"pressmark backfill {backfill_id} {outlet.id} {since:%Y-%m-%d}"),
    ):
        with transaction(connection) as cursor:
            wanted = _read(cursor, backfill_id)
            chunk = next(
                c for c in _read_chunks(cursor, backfill_id) if (c["outlet"], c["since"]) == (outlet.id, since)
            )
            if chunk["state"] in _FINISHED:
                return str(chunk["state"])
            request = add_request(
                cursor, outlet, requested_by=wanted["requested_by"], mode="window", start=since, end=chunk["until"],
                methods=tuple(wanted["methods"]) if wanted["methods"] else None, page_budget=wanted["page_budget"],
                force_refetch=wanted["force_refetch"],
            )  # fmt: skip
            _update(cursor, backfill_id, outlet.id, since, "running", request.request_id, None)
            if task:
                cursor.execute(
                    _SQL["remember_task"], {**task, "request_id": request.request_id, "chunk": f"{since:%Y-%m-%d}"}
                )
        log = None if on_line else settings.logs / "crawl.log"
        run = run_crawls([request.request_id], log, on_event, on_line=on_line, on_start=on_start)
        load()
        with transaction(connection) as cursor:
            state, detail, is_refused = _chunk_result(cursor, request.request_id, run, chunk["attempts"] + 1)
            _update(cursor, backfill_id, outlet.id, since, state, request.request_id, detail)
    logger.info("%s %s: %s%s", outlet.id, f"{since:%Y-%m}", state, f" ({detail})" if detail else "")
    if is_refused:
        raise HostRefuses(f"{outlet.id}: {detail}")
    return state


def report_backfill(warehouse: Warehouse, backfill_id: UUID) -> dict[str, Any]:
    """What came of it, by outlet; written down, with the backfill's state."""
    with contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection:
        with transaction(connection) as cursor:
            wanted = _read(cursor, backfill_id)
            chunks = _read_chunks(cursor, backfill_id)
            cursor.execute(_SQL["outcomes"], {"backfill_id": backfill_id})
            outcomes: dict[str, dict[str, int]] = {}
            for outlet, outcome, count in cursor.fetchall():
                outcomes.setdefault(outlet, {})[outcome] = count
            cursor.execute(_SQL["requests"], {"backfill_id": backfill_id})
            requests = dict(cursor.fetchall())
            told: dict[str, Any] = {}
            for outlet in wanted["outlets"]:
                before = wanted["plan"].get(outlet, {})
                after = _coverage(cursor, outlet, wanted["since"], wanted["until"])
                own = [chunk for chunk in chunks if chunk["outlet"] == outlet]
                undone = [chunk for chunk in own if chunk["state"] in ("failed", "partial")]
                told[outlet] = {
                    "articles_before": before.get("known", 0),
                    "articles_after": sum(after.values()),
                    "days_before": len([d for d, n in before.get("days", {}).items() if n.get("known")]),
                    "days_after": len(after),
                    "requests": requests.get(outlet, 0),
                    "outcomes": outcomes.get(outlet, {}),
                    "chunks": {s: sum(c["state"] == s for c in own) for s in sorted({c["state"] for c in own})},
                    "problems": [f"{chunk['since']:%Y-%m}: {chunk['detail']}" for chunk in undone],
                    "error": before.get("error"),
                }
            done = all(chunk["state"] in _FINISHED for chunk in chunks) and not any(t["error"] for t in told.values())
            state = "done" if done else "unfinished"
            values = {"backfill_id": backfill_id, "state": state, "report": Json(told)}
            cursor.execute(_SQL["finish"], values)
    return {"backfill_id": str(backfill_id), "state": state, "outlets": told}


def report_lines(report: dict[str, Any]) -> list[str]:
    """A report for people, a line an outlet."""
    lines = []
    for outlet, told in report["outlets"].items():
        ended = ", ".join(f"{count} {name}" for name, count in sorted(told["outcomes"].items())) or "nothing to do"
        lines.append(
            f"{outlet}: {told['articles_before']} articles on {told['days_before']} days before, "
            f"{told['articles_after']} on {told['days_after']} after; {told['requests']} requests; {ended}"
        )
        lines += [f"{outlet}: {problem}" for problem in told["problems"]]
        if told["error"]:
            lines.append(f"{outlet}: {told['error']}")
    lines.append(
        "Every part is done." if report["state"] == "done" else "Some parts are not done; ask for the same to go on."
    )
    return lines


def read_chunks(warehouse: Warehouse, backfill_id: UUID) -> list[dict[str, Any]]:
    """The chunks of a backfill, in order."""
    with contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection:
        with transaction(connection) as cursor:
            return _read_chunks(cursor, backfill_id)


def list_backfills(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The latest backfills, with how many of their chunks are done."""
    with contextlib.closing(warehouse.connect("loader", "pressmark backfill")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["list"])
            return dict_rows(cursor)


def months(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """A time cut at the begins of calendar months (UTC)."""
    parts = []
    begin = since
    while begin < until:
        following = (begin.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(
            day=1
        )
        parts.append((begin, min(following, until)))
        begin = following
    return parts


def _methods_for(outlet: Outlet, wanted: BackfillRequest) -> set[str]:
    own: set[str] = {endpoint.method for endpoint in outlet.endpoints if endpoint.method in PAST_REACHING_METHODS}
    return own & set(wanted.methods) if wanted.methods else own


def _plan_outlet(cursor: Cursor, outlet: Outlet, wanted: BackfillRequest, run: CrawlRun) -> OutletPlan:
    plan = OutletPlan(outlet.id)
    event = run.closed.get(outlet.id)
    if event is None or event["reason"] == "failed":
        plan.error = (event or {}).get("error") or run.error or "its listings could not be read"
    for day, articles in _coverage(cursor, outlet.id, wanted.since, wanted.until).items():
        plan.days.setdefault(day, {})["known"] = articles
        plan.known += articles
    if plan.error or event is None:
        return plan
    for day, counts in event["plan_days"].items():
        missing = sum(counts.get(name, 0) for name in ("fetch", "from_archive", "budget_exhausted"))
        # Known pages of other days are listed too.
        within = day == "?" or wanted.since.date() <= date.fromisoformat(day) <= _last_day(wanted.until)
        found = missing + (counts.get("known_not_due", 0) if within else 0)
        if not found:
            continue
        plan.days.setdefault(day, {}).update({"discoverable": found, "missing": missing})
        plan.discoverable += found
        plan.missing += missing
        plan.undated += missing if day == "?" else 0
    plan.listing_requests = event["requests"]
    fetch = event["plan"].get("fetch", 0) + event["plan"].get("budget_exhausted", 0)
    # Each part reads sitemaps anew; of an archive or of WordPress only its own days.
    parts = months(wanted.since, wanted.until)
    again = len(parts) if _methods_for(outlet, wanted) & {"sitemap", "robots"} else 1
    plan.requests = fetch + plan.listing_requests * again
    if event["reason"] != "finished":
        plan.note = f"its listings were not read to the end ({event['reason']}): there may be more"
    elif event["sitemaps_unread"]:
        plan.note = (
            f"{event['sitemaps_unread']} of its sitemaps were not read (budgets.sitemaps is "
            f"{outlet.budgets.sitemaps}): there may be more"
        )
    elif fetch > (budget := (wanted.page_budget or outlet.budgets.pages) * len(parts)):
        plan.note = f"a part takes {budget // len(parts)} pages at a time: ask again to go on"
    plan.seconds = plan.requests * outlet.politeness.seconds_per_page
    return plan


def _last_day(until: datetime) -> date:
    """The last day (UTC) that begins before an exclusive end."""
    return (until.astimezone(UTC) - timedelta(microseconds=1)).date()


def _as_json(plan: OutletPlan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in OutletPlan.__slots__}


def _coverage(cursor: Cursor, outlet: str, since: datetime, until: datetime) -> dict[str, int]:
    cursor.execute(_SQL["coverage"], {"outlet": outlet, "since": since, "until": until})
    return {str(day): articles for day, articles in cursor.fetchall()}


def _chunks(
    cursor: Cursor, backfill_id: UUID, wanted: BackfillRequest, sound: set[str], dry_run: bool
) -> list[tuple[str, datetime, datetime, str]]:
    for outlet in wanted.outlets:
        if outlet.id not in sound or dry_run:
            continue
        methods = sorted(_methods_for(outlet, wanted))
        for since, until in months(wanted.since, wanted.until):
            values: dict[str, Any] = {
                "backfill_id": backfill_id, "outlet": outlet.id, "since": since, "until": until, "methods": methods,
                "config_hash": outlet.config_hash,
            }  # fmt: skip
            cursor.execute(_SQL["covered"], values)
            row = None if wanted.force_refetch else cursor.fetchone()
            values |= {
                "state": "covered" if row else "waiting",
                "detail": f"done by backfill {row[0]}" if row else None,
            }
            cursor.execute(_SQL["add_chunk"], values)
    if dry_run:
        return [(o, s, u, "waiting") for o in sorted(sound) for s, u in months(wanted.since, wanted.until)]
    return [(c["outlet"], c["since"], c["until"], c["state"]) for c in _read_chunks(cursor, backfill_id)]


def _chunk_result(cursor: Cursor, request_id: UUID, run: CrawlRun, attempts: int) -> tuple[str, str | None, bool]:
    """(state, detail, whether the host refuses us) of a chunk after its crawl."""
    cursor.execute(_SQL["left_open"], {"request_id": request_id, "no_answer": sorted(NO_ANSWER)})
    row = cursor.fetchone()
    if row is None or row[0] is None:
        return "failed", run.error or "its crawl was killed", False
    finish_reason, error, pages_left, unanswered_pages, unanswered_listings = row
    if finish_reason not in ENDED_WELL:
        detail = error or f"its crawl ended with the reason {finish_reason}"
        return "failed", detail, finish_reason == "refused"
    if pages_left:
        return "partial", f"{plural(pages_left, 'page')} left: a budget was used up", False
    if finish_reason == "budget":
        return "partial", "its time budget was used up before all listings were read", False
    if unanswered_listings or unanswered_pages:
        detail = f"{plural(unanswered_listings, 'listing')} and {plural(unanswered_pages, 'page')} did not respond"
        if attempts < _ATTEMPTS:
            return "partial", detail, False
        return "done", f"{detail} in {attempts} attempts", False
    return "done", None, False


def _update(
    cursor: Cursor,
    backfill_id: UUID,
    outlet: str,
    since: datetime,
    state: str,
    request_id: UUID | None,
    detail: str | None,
) -> None:
    cursor.execute(
        _SQL["update_chunk"],
        {
            "backfill_id": backfill_id,
            "outlet": outlet,
            "since": since,
            "state": state,
            "request_id": request_id,
            "detail": detail,
        },
    )


def _read(cursor: Cursor, backfill_id: UUID) -> dict[str, Any]:
    cursor.execute(_SQL["read"], {"backfill_id": backfill_id})
    rows = dict_rows(cursor)
    if not rows:
        raise ConfigError(f"There is no backfill {backfill_id} in this warehouse.")
    return rows[0]


def _read_chunks(cursor: Cursor, backfill_id: UUID) -> list[dict[str, Any]]:
    cursor.execute(_SQL["chunks"], {"backfill_id": backfill_id})
    return dict_rows(cursor)
