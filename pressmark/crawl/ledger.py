"""The book of one running crawl: every candidate is written down when it is decided on and ends exactly once.

Scrapy drops requests at close without a callback, so the book does not rely on it: what is open at the
end is settled here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark import failpoints
from pressmark.archive.records import Response, read_response
from pressmark.archive.spool import SpoolPointer
from pressmark.crawl.segments import OpenSegment, Segments
from pressmark.crawl.services import Services
from pressmark.discovery.endpoints import LISTED, NOT_MODIFIED, RESTING, EndpointState
from pressmark.errors import ArchiveError, HostRefuses
from pressmark.extraction.extract import ExtractionConfig
from pressmark.extraction.worker import PageExtraction
from pressmark.frontier import Candidate, Decision, FrontierEntry, decide, is_early, validators
from pressmark.outcome_rules import (
    KEPT,
    MISSING,
    REFUSALS,
    CandidateResult,
    Capture,
    frontier_update,
    resolve_page,
    resolve_without_page,
)
from pressmark.outlet import Outlet
from pressmark.removal.erasure import read_removals
from pressmark.removal.rules import Removal, masked
from pressmark.urls import url_host, url_uid
from pressmark.warehouse.crawl_requests import CrawlRequest
from pressmark.warehouse.crawls import (
    FetchRecord,
    Poll,
    close_crawl,
    count_unreliable,
    ensure_extractor,
    pages_today,
    read_due,
    read_endpoints,
    read_frontier,
    record_poll,
    resolve_open,
    segment_place,
)
from pressmark.warehouse.site_policies import Kind, SitePolicy, read_site_policy, write_site_policy

Result = TypeVar("Result")
logger = logging.getLogger(__name__)
_MANY_MISSING = 5
_MAX_UNRELIABLE = 3  # so many pages that changed under the same validators, and an outlet's are trusted no more
_PAGE_SECONDS = 2.0  # that a page takes beside the delay
_OPEN_ENDS = {
    "budget": ("budget_exhausted", "the crawl's time was up before its turn"),
    "stopped": ("interrupted", "the crawl was stopped before its turn"),
    "failed": ("interrupted", "the crawl failed before its turn"),
    "finished": ("interrupted", "the crawl ended before its turn"),
}


@dataclass(frozen=True, slots=True)
class SpooledPage:
    """A page that was fetched and lies in the spool, to be settled."""

    capture: Capture
    pointer: SpoolPointer
    segment: OpenSegment


class CrawlLedger:
    """Book-keeping of one crawl. Make it with `open`; its coroutines run in one event loop."""

    def __init__(
        self,
        services: Services,
        outlet: Outlet,
        request: CrawlRequest,
        crawl_id: UUID,
        removals: Sequence[Removal],
        extractor_id: int,
        pages_today: int = 0,
    ) -> None:
        """pages_today: what other crawls have asked of the outlet within a day."""
        self.services = services
        self.outlet = outlet
        self.request = request
        self.crawl_id = crawl_id
        self.requests = 0
        self.endpoint_problems: list[str] = []
        self.endpoints_listed = 0
        self.endpoints_resting = 0  # not asked because they bring little
        self.plan: Counter[str] = Counter()  # of a dry run: outcomes, and `fetch`
        self.plan_days: dict[str, Counter[str]] = {}  # the same by day of publication (UTC), `?` where it is not known
        self._ended: Counter[str] = Counter()
        self._removals = removals
        self._config = ExtractionConfig.for_outlet(outlet)
        self._known: dict[UUID, FrontierEntry] = {}  # as the warehouse had it before this crawl
        self._since: dict[UUID, FrontierEntry] = {}  # as this crawl has changed it
        self._seen: set[UUID] = set()
        self._open: set[UUID] = set()
        self._budget = request.page_budget or outlet.budgets.pages
        self._budget = min(self._budget, outlet.budgets.pages_per_day - pages_today)
        self._day_is_full = pages_today >= outlet.budgets.pages_per_day
        self._deciding = asyncio.Lock()
        self._closed = False
        self._begun = time.monotonic()
        self._endpoints: dict[UUID, EndpointState] = {}
        self._validators_unreliable = False  # of the whole outlet
        self._refusals = 0  # in a row
        self._segments = Segments(
            services, outlet, crawl_id, extractor_id, self._known.get, self._is_healthy, request.scope
        )

    @classmethod
    def open(cls, services: Services, outlet: Outlet, request: CrawlRequest, crawl_id: UUID) -> CrawlLedger:
        """Read what the crawl needs to know."""

        def read(cursor: Cursor) -> tuple[list[Removal], int, int]:
            extractor_id = ensure_extractor(cursor, ExtractionConfig.for_outlet(outlet))
            return (
                read_removals(cursor, services.settings, outlet.id),
                extractor_id,
                pages_today(cursor, outlet.id, datetime.now(UTC)),
            )

        removals, extractor_id, scope = services.database.run(read)
        logger.info("%s: crawl %s begins, %s", outlet.id, crawl_id, request.mode)
        return cls(services, outlet, request, crawl_id, removals, extractor_id, scope)

    # -- deciding ------------------------------------------------------------------------------

    async def read_endpoints(self) -> dict[UUID, EndpointState]:
        """What is known of the outlet's endpoints, as it stood before this crawl."""

        def read(cursor: Cursor) -> tuple[dict[UUID, EndpointState], int]:
            return read_endpoints(cursor, self.outlet.id), count_unreliable(cursor, self.outlet.id)

        self._endpoints, unreliable = await self._database(read)
        self._validators_unreliable = unreliable >= _MAX_UNRELIABLE
        return self._endpoints

    def validators(self, candidate: Candidate) -> dict[str, str]:
        """Headers for a conditional request of a page; empty where all of it is wanted."""
        known = self._known.get(candidate.url_uid)
        modified = candidate.entry.modified if candidate.entry else None
        newer = known and modified and (known.listed_modified is None or modified > known.listed_modified)
        if self._validators_unreliable or newer:
            return {}  # where the listing says that it changed, a 304 would not be believed
        return validators(known, self.request.scope, datetime.now(UTC))

    async def record_poll(self, poll: Poll, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Write down what an endpoint brought; returns the candidates to fetch."""
        if poll.outcome in (LISTED, NOT_MODIFIED):
            self.endpoints_listed += 1
        elif poll.outcome == RESTING and not self._state(poll).failures:
            self.endpoints_resting += 1
        elif poll.detail:
            self.endpoint_problems.append(f"{poll.endpoint.url}: {poll.detail}")
        detail = f" ({poll.detail})" if poll.detail else ""
        logger.info(
            "%s: %s %s: %d entries%s", self.outlet.id, poll.outcome, poll.endpoint.url, len(poll.entries), detail
        )
        poll, candidates = self._without_erased(poll, candidates)
        return await self._uninterrupted(self._decide(poll, candidates))

    def _without_erased(self, poll: Poll, candidates: Iterable[Candidate]) -> tuple[Poll, list[Candidate]]:
        """The same with what removals have erased masked: an erased address is not written down again."""
        if not any(removal.action == "erase" for removal in self._removals):
            return poll, list(candidates)
        shown = []
        for candidate in candidates:
            mask = masked(self._removals, candidate.url, candidate.url_uid)
            if mask is not None:
                candidate = Candidate(*mask, candidate.via, candidate.endpoint_id, erased=True)
            shown.append(candidate)
        entries = tuple((uid, e) for uid, e in poll.entries if masked(self._removals, e.url, uid) is None)
        return replace(poll, entries=entries), shown

    async def record_due(self) -> list[Candidate]:
        """Write down the pages whose next visit is due; returns those to fetch."""
        limit = max(self._budget, 0) + len(self._seen)
        due = await self._database(lambda cursor: read_due(cursor, self.outlet, datetime.now(UTC), limit))
        return await self._uninterrupted(self._decide(None, due))

    async def _uninterrupted(self, deciding: Coroutine[Any, Any, list[Candidate]]) -> list[Candidate]:
        """Decide to the end, also where Scrapy cancels the task that asked: half-written candidates end nowhere."""
        return await asyncio.shield(asyncio.ensure_future(deciding))

    async def _decide(self, poll: Poll | None, candidates: list[Candidate]) -> list[Candidate]:
        async with self._deciding:
            return [] if self._closed else await self._decide_alone(poll, candidates)

    async def _decide_alone(self, poll: Poll | None, candidates: list[Candidate]) -> list[Candidate]:
        now = datetime.now(UTC)
        fresh = {c.url_uid: c for c in reversed(candidates) if c.url_uid not in self._seen}
        self._seen.update(fresh)
        ordered = [c for c in dict.fromkeys(c.url_uid for c in candidates) if c in fresh]
        self._known.update(await self._database(lambda cursor: read_frontier(cursor, ordered)))
        if poll is None:
            ordered = self._with_room(ordered, now)
        decided: list[tuple[Candidate, Decision]] = []
        for uid in ordered:
            candidate = fresh[uid]
            decision = decide(candidate, self._known.get(uid), self.request.scope, self.outlet, self._removals, now)
            if decision.fetch:
                if self._budget <= 0:
                    whose = "outlet's budget of pages a day" if self._day_is_full else "crawl's budget of pages"
                    decision = Decision("budget_exhausted", f"the {whose} was used up")
                else:
                    self._budget -= 1
            if poll is None and decision.outcome == "known_not_due":
                self._seen.discard(uid)  # another crawl has visited it since it was read as due
                continue
            decided.append((candidate, decision))
        to_fetch = [candidate for candidate, decision in decided if decision.fetch]
        state = self._state_after(poll, any(c.url_uid not in self._known for c, _ in decided)) if poll else None
        if self.request.dry_run:
            for candidate, decision in decided:
                self._plan(candidate, decision)
            return []
        if decided or poll:
            await self._database(
                lambda cursor: record_poll(
                    cursor, self.crawl_id, self.outlet.id, poll, decided, self._known, now, len(self._seen), state
                )
            )
        self._open.update(candidate.url_uid for candidate in to_fetch)
        for _, decision in decided:
            if decision.outcome:
                self.emit("resolved", outcome=decision.outcome, left_out=True)
        for candidate, decision in decided:
            if decision.from_archive and not await self._take_from_archive(candidate):
                to_fetch.append(candidate)
        self._open.update(candidate.url_uid for candidate in to_fetch)
        if to_fetch:
            self.emit("fetching", pages=len(to_fetch))
        return to_fetch

    def _plan(self, candidate: Candidate, decision: Decision) -> None:
        what = decision.outcome or ("fetch" if decision.fetch else "from_archive")
        known = self._known.get(candidate.url_uid)
        entry = candidate.entry.published.value if candidate.entry and candidate.entry.published else None
        published = (known.date_published if known else None) or entry
        day = f"{published.astimezone(UTC):%Y-%m-%d}" if published else "?"
        self.plan[what] += 1
        self.plan_days.setdefault(day, Counter())[what] += 1

    async def _take_from_archive(self, candidate: Candidate) -> bool:
        """Settle a page that another window had read and left out; False where its bytes are there no more."""
        known = self._known[candidate.url_uid]
        assert known.segment_id is not None and known.archive_offset is not None and known.archive_length is not None
        place = await self._database(lambda cursor: segment_place(cursor, known.segment_id))  # type: ignore[arg-type]
        if place is None:
            return False
        file, start = place
        store = self.services.store
        try:
            member = await asyncio.to_thread(store.read, file, start + known.archive_offset, known.archive_length)
            response = read_response(member)
        except ArchiveError as error:
            logger.warning("%s: %s is fetched again: %s", self.outlet.id, candidate.url, error)
            return False
        folder = self.services.settings.spool / str(self.crawl_id)
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / f"{response.capture_id}.archived"
        try:
            copy.write_bytes(member)
            pointer = SpoolPointer(str(copy), 0, len(member))
            read = await self.services.extraction.read(pointer, self._config, self.outlet.budgets.page_size)
        finally:
            copy.unlink(missing_ok=True)
        capture = Capture(candidate, response.without_body(), known.url)
        where = (known.segment_id, known.archive_offset, known.archive_length)
        self._note(
            replace(self._resolve_capture(capture, read), archived=where, archive=False), None, self._segments.open
        )
        return True

    # -- fetching ------------------------------------------------------------------------------

    def record_fetch(self, record: FetchRecord) -> None:
        """Take note of a request that was made."""
        self.requests += 1
        if not self.request.dry_run:
            self._segments.open.fetches.append(record)

    async def read_site_policy(self, site: str, kind: Kind) -> SitePolicy | None:
        """A host's file as it was last looked at, where that still holds.

        An error holds for runs of the schedule alone: who asks by hand may just have mended it.
        """
        if self.request.force_refetch:
            return None
        file = await self._database(lambda cursor: read_site_policy(cursor, site, kind, datetime.now(UTC)))
        return None if file and file.failed and not self.request.scheduled else file

    async def write_site_policy(self, file: SitePolicy) -> None:
        """Keep a look at a host's file."""
        if not self.request.dry_run:
            await self._database(lambda cursor: write_site_policy(cursor, file))

    def spool(
        self,
        candidate: Candidate,
        response: Response,
        requested_url: str,
        site_rights: dict[str, Any] | None = None,
    ) -> SpooledPage:
        """Write a page to the open segment. Raises NoSpace or ArchiveError: the crawl cannot go on.

        site_rights: what the files of its host state about it.
        """
        failpoints.reach("after_fetch")
        segment = self._segments.open
        pointer = segment.append(response)
        return SpooledPage(Capture(candidate, response.without_body(), requested_url, site_rights), pointer, segment)

    async def resolve_page(self, page: SpooledPage, answered: tuple[str, str] | None = None) -> None:
        """Read a spooled page and settle its candidate.

        answered: (outcome, reason) of a status that is no success, for a page that proves to be no wall.
        Raises HostRefuses where it was one wall too many.
        """
        capture = page.capture
        try:
            read = await self.services.extraction.read(page.pointer, self._config, self.outlet.budgets.page_size)
            if answered and read.outcome not in REFUSALS:
                resolved, pointer = resolve_without_page(capture.candidate, *answered), None
            else:
                if capture.response.url != capture.requested_url:
                    await self._look_up_target(capture.response.url)
                resolved, pointer = self._resolve_capture(capture, read), page.pointer
            self._note(resolved, pointer, page.segment)
        finally:
            page.segment.pending -= 1
        self._check_refusal_limit(page.capture.response.url)
        await self._segments.seal_full()

    async def resolve(self, candidate: Candidate, outcome: str, reason: str | None) -> None:
        """Settle a candidate for which no page came. Raises HostRefuses where it was one refusal too many."""
        known = self._known.get(candidate.url_uid)
        article_uid = known.article_uid if known and outcome == NOT_MODIFIED else None
        self._note(resolve_without_page(candidate, outcome, reason, article_uid), None, self._segments.open)
        self._check_refusal_limit(candidate.url)
        await self._segments.seal_full()

    async def keep(self) -> None:
        """Seal what has become full; to be called now and then, also when no page comes."""
        await self._segments.seal_full()

    def is_open(self, candidate: Candidate) -> bool:
        """Whether a candidate has not ended yet."""
        return candidate.url_uid in self._open

    async def close(
        self, finish_reason: str, error: str | None = None, stats: dict[str, Any] | None = None
    ) -> tuple[str, str | None]:
        """Seal everything, settle what is open and end the crawl; (finish reason, error) as they were written.

        Raises ServerError where a segment could not be committed: the crawl then keeps no end, and the next
        one recovers it with what it has archived.
        """
        if self.request.dry_run:
            return finish_reason, error
        async with self._deciding:
            self._closed = True
        try:
            await self._segments.seal_full(everything=True)
        except ArchiveError as problem:
            # What could not be sealed stays open in the ledger and is fetched again by the next crawl.
            finish_reason, error = "failed", error or str(problem)
        # Before the crawl has its end: of crawls that ended nobody looks at the spool again.
        with contextlib.suppress(OSError):
            (self.services.settings.spool / str(self.crawl_id)).rmdir()
        outcome, reason = _OPEN_ENDS[finish_reason]
        left_open = await self._database(lambda cursor: self._end(cursor, finish_reason, outcome, reason, error, stats))
        for _ in range(left_open):
            self.emit("resolved", outcome=outcome)
        ended = ", ".join(f"{count} {name}" for name, count in sorted(self._ended.items())) or "no candidates"
        logger.info(
            "%s: crawl %s %s: %s%s", self.outlet.id, self.crawl_id, finish_reason, ended, f" ({error})" if error else ""
        )
        return finish_reason, error

    def emit(self, event: str, **fields: Any) -> None:
        """Tell the progress channel."""
        if event == "resolved":
            self._ended[fields["outcome"]] += 1
        self.services.emit({"event": event, "outlet": self.outlet.id, **fields})

    # ------------------------------------------------------------------------------------------

    def _state(self, poll: Poll) -> EndpointState:
        return self._endpoints.get(poll.endpoint.endpoint_id, EndpointState())

    def _state_after(self, poll: Poll, new: bool) -> EndpointState | None:
        """The state of an endpoint after a look; None where it stays. A window says nothing of how it fares."""
        state = self._state(poll)
        if poll.outcome == RESTING or self.request.scope.mode == "window":
            return None
        if poll.outcome == LISTED:
            # An index or a robots.txt lists no article itself: it does not rest for that.
            new = new or not poll.entries
            return state.listed(poll.polled_at, poll.etag, poll.last_modified, poll.body_hash, new, poll.index_modified)
        if poll.outcome == NOT_MODIFIED:
            return state.not_modified(poll.polled_at)
        return state.failed(poll.polled_at)

    def _with_room(self, uids: list[UUID], now: datetime) -> list[UUID]:
        """Of the pages that are due those that the crawl has room for: early looks wait, the others do not."""
        early = {uid for uid in uids if (known := self._known.get(uid)) and is_early(known, self.outlet, now)}
        left = self.outlet.budgets.duration.total_seconds() - (time.monotonic() - self._begun)
        room = int(left / (self.outlet.politeness.delay + _PAGE_SECONDS)) - len(self._open)
        kept = [uid for uid in uids if uid not in early]
        waiting = [uid for uid in uids if uid in early]
        taken = waiting[: max(0, min(room, self._budget) - len(kept))]
        self._seen.difference_update(waiting[len(taken) :])
        return kept + taken

    def _end(
        self,
        cursor: Cursor,
        finish_reason: str,
        outcome: str,
        reason: str,
        error: str | None,
        stats: dict[str, Any] | None,
    ) -> int:
        left_open = resolve_open(cursor, self.crawl_id, outcome, reason)
        close_crawl(cursor, self.crawl_id, finish_reason, error, stats, self.requests)
        return left_open

    def _note(self, resolved: CandidateResult, pointer: SpoolPointer | None, segment: OpenSegment) -> None:
        segment.items.append((resolved, pointer))
        uid = resolved.candidate.url_uid
        self._open.discard(uid)
        if resolved.outcome in REFUSALS:
            self._refusals += 1
        elif resolved.outcome == NOT_MODIFIED or (resolved.capture is not None and not resolved.archived):
            self._refusals = 0
        if resolved.extraction and resolved.capture and resolved.article_uid:
            update = frontier_update(resolved, self._known.get(uid), self.outlet, resolved.capture.response.observed_at)
            self._since[resolved.article_uid] = FrontierEntry(
                resolved.article_uid, resolved.article_url or update.url, resolved.article_uid, update.next_due_at,
                update.listed_modified, update.fetched_at, update.outcome, 0, resolved.capture.response.observed_at,
                update.date_published, update.content, None, None, None, None,
            )  # fmt: skip
        if resolved.outcome not in KEPT:
            logger.info("%s: %s %s: %s", self.outlet.id, resolved.outcome, resolved.candidate.url, resolved.reason)
        self.emit("resolved", outcome=resolved.outcome)

    def _resolve_capture(self, capture: Capture, read: PageExtraction) -> CandidateResult:
        basis = self.services.settings.tdm_basis
        return resolve_page(capture, read, self.request.scope, self.outlet, self._current_entry, basis)

    def _check_refusal_limit(self, url: str) -> None:
        """Raises HostRefuses once a host has shown us nothing but refusals for so many pages in a row."""
        most = self.outlet.politeness.max_consecutive_refusals
        if self._refusals >= most:
            raise HostRefuses(
                f"{self._refusals} pages in a row were refused, the last: {url}. The crawl stopped: {url_host(url)} "
                f"does not want to be crawled like this. `pressmark why {url}` shows the evidence; ask the outlet, or "
                "disable it."
            )

    def _is_healthy(self) -> bool:
        """False where most pages are missing: a broken site answers 404 for everything."""
        missing = sum(self._ended[outcome] for outcome in MISSING)
        came = sum(self._ended[outcome] for outcome in (*KEPT, NOT_MODIFIED))
        return missing < _MANY_MISSING or missing <= came

    def _current_entry(self, uid: UUID) -> FrontierEntry | None:
        return self._since.get(uid) or self._known.get(uid)

    async def _look_up_target(self, url: str) -> None:
        """Have the state of a redirect's target at hand."""
        uid = url_uid(self.outlet.id, url, self.outlet.urls.parameters)
        if uid not in self._known and uid not in self._since:
            self._known.update(await self._database(lambda cursor: read_frontier(cursor, [uid])))

    async def _database(self, work: Callable[[Cursor], Result]) -> Result:
        return await asyncio.to_thread(self.services.database.run, work)
