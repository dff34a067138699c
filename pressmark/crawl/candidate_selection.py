"""Choosing candidates: what an endpoint lists and what is due, decided and recorded before anything is fetched."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.crawl.crawl_state import CrawlState
from pressmark.crawl.page_results import PageResults
from pressmark.crawl.services import Services
from pressmark.crawl_types import CrawlRequest, Poll
from pressmark.discovery.endpoints import LISTED, NOT_MODIFIED, RESTING, EndpointState
from pressmark.frontier import Candidate, Decision, decide, is_early, validators
from pressmark.outcomes import Outcome
from pressmark.outlet import TIER_INTERVALS, Outlet
from pressmark.removal.rules import Removal, masked
from pressmark.warehouse.crawls import count_unreliable, read_due, read_endpoints, read_frontier, record_poll

logger = logging.getLogger(__name__)
_MAX_UNRELIABLE = 3  # pages that changed under the same validators, before the whole outlet's are ignored


class CandidateSelection:
    """Decides which candidates of a crawl are fetched. Its coroutines run in one event loop."""

    def __init__(
        self,
        services: Services,
        outlet: Outlet,
        request: CrawlRequest,
        crawl_id: UUID,
        state: CrawlState,
        pages: PageResults,
        removals: Sequence[Removal],
        pages_today: int,
    ) -> None:
        """pages_today: article requests that other crawls have made for the outlet within a day."""
        self.endpoint_problems: list[str] = []
        self.endpoints_listed = 0
        self.endpoints_unchanged = 0  # of these
        self.endpoints_resting = 0  # not polled now because they list little that is new
        self.endpoints_backed_off = 0  # not polled now because they failed; each is also in endpoint_problems
        self.plan: Counter[str] = Counter()  # of a dry run: outcomes, `fetch` and `from_archive`
        self.plan_days: dict[str, Counter[str]] = {}  # the same by day of publication (UTC), `?` if it is unknown
        self._services = services
        self._outlet = outlet
        self._request = request
        self._crawl_id = crawl_id
        self._state = state
        self._pages = pages
        self._removals = removals
        self._budget = min(request.page_budget or outlet.budgets.pages, outlet.budgets.pages_per_day - pages_today)
        self._day_is_full = pages_today >= outlet.budgets.pages_per_day
        self._deciding = asyncio.Lock()
        self._closed = False
        self._started = time.monotonic()
        self._endpoints: dict[UUID, EndpointState] = {}
        self._validators_unreliable = False

    async def read_endpoints(self) -> dict[UUID, EndpointState]:
        """The states of the outlet's endpoints before this crawl."""

        def read(cursor: Cursor) -> tuple[dict[UUID, EndpointState], int]:
            return read_endpoints(cursor, self._outlet.id), count_unreliable(cursor, self._outlet.id)

        self._endpoints, unreliable = await self._services.query(read)
        self._validators_unreliable = unreliable >= _MAX_UNRELIABLE
        return self._endpoints

    def validators(self, candidate: Candidate) -> dict[str, str]:
        """Headers for a conditional request of a page; empty if the whole page is wanted."""
        entry = self._state.entries.get(candidate.url_uid)
        modified = candidate.entry.modified if candidate.entry else None
        newer = entry and modified and (entry.listed_modified is None or modified > entry.listed_modified)
        if self._validators_unreliable or newer:
            return {}  # the listing says that the page has changed, so a 304 would not be trusted
        return validators(entry, self._request.scope, datetime.now(UTC))

    async def record_poll(self, poll: Poll, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Record a poll and decide on its candidates; returns those to fetch."""
        if poll.outcome in (LISTED, NOT_MODIFIED):
            self.endpoints_listed += 1
            self.endpoints_unchanged += poll.outcome == NOT_MODIFIED
        elif poll.outcome == RESTING and not self._endpoint_state(poll).failures:
            self.endpoints_resting += 1
        elif poll.detail:
            self.endpoint_problems.append(f"{poll.endpoint.url}: {poll.detail}")
            self.endpoints_backed_off += poll.outcome == RESTING
        detail = f" ({poll.detail})" if poll.detail else ""
        logger.info(
            "%s: %s %s: %d entries%s", self._outlet.id, poll.outcome, poll.endpoint.url, len(poll.entries), detail
        )
        poll, candidates = self._without_erased(poll, candidates)
        return await _uninterrupted(self._decide(poll, candidates))

    async def record_due(self) -> list[Candidate]:
        """Decide on the pages whose next visit is due; returns those to fetch."""
        limit = max(self._budget, 0) + len(self._state.seen)
        due = await self._services.query(lambda cursor: read_due(cursor, self._outlet, datetime.now(UTC), limit))
        return await _uninterrupted(self._decide(None, due))

    async def close(self) -> None:
        """Decide on nothing from now on."""
        async with self._deciding:
            self._closed = True

    async def _decide(self, poll: Poll | None, candidates: list[Candidate]) -> list[Candidate]:
        async with self._deciding:
            if self._closed:
                return []
            now = datetime.now(UTC)
            decided = self._decide_each(await self._new_candidates(poll, candidates, now), poll is None, now)
            if self._request.dry_run:
                for candidate, decision in decided:
                    self._add_to_plan(candidate, decision)
                return []
            await self._record(poll, decided, now)
            return await self._to_fetch(decided)

    async def _new_candidates(self, poll: Poll | None, candidates: list[Candidate], now: datetime) -> list[Candidate]:
        """The candidates that this crawl has not decided on yet, each once, with their frontier entries read."""
        state = self._state
        # The first mention decides the order, and which entry is used.
        new = {c.url_uid: c for c in reversed(candidates) if c.url_uid not in state.seen}
        ordered = [uid for uid in dict.fromkeys(c.url_uid for c in candidates) if uid in new]
        state.seen.update(new)
        state.entries.update(await self._services.query(lambda cursor: read_frontier(cursor, ordered)))
        if poll is None:
            ordered = self._with_room(ordered, now)
        return [new[uid] for uid in ordered]

    def _decide_each(
        self, candidates: list[Candidate], from_frontier: bool, now: datetime
    ) -> list[tuple[Candidate, Decision]]:
        decided: list[tuple[Candidate, Decision]] = []
        for candidate in candidates:
            entry = self._state.entries.get(candidate.url_uid)
            decision = decide(candidate, entry, self._request.scope, self._outlet, self._removals, now)
            if decision.fetch:
                if self._budget <= 0:
                    whose = "outlet's daily page budget" if self._day_is_full else "crawl's page budget"
                    decision = Decision(Outcome.BUDGET_EXHAUSTED, f"the {whose} is used up")
                else:
                    self._budget -= 1
            if from_frontier and decision.outcome == Outcome.KNOWN_NOT_DUE:
                self._state.seen.discard(candidate.url_uid)  # another crawl has fetched it since it was read as due
                continue
            decided.append((candidate, decision))
        return decided

    async def _record(self, poll: Poll | None, decided: list[tuple[Candidate, Decision]], now: datetime) -> None:
        state = self._state
        if decided or poll:
            any_new = any(candidate.url_uid not in state.entries for candidate, _ in decided)
            endpoint_state = self._state_after(poll, any_new) if poll else None
            await self._services.query(
                lambda cursor: record_poll(
                    cursor, self._crawl_id, self._outlet.id, poll, decided, state.entries, now, len(state.seen),
                    endpoint_state,
                )
            )  # fmt: skip
        # Open from the commit on: the end of the crawl resolves what is not fetched until then.
        state.open.update(candidate.url_uid for candidate, decision in decided if decision.fetch)
        for _, decision in decided:
            if decision.outcome:
                state.emit("resolved", outcome=decision.outcome, skipped=True)

    async def _to_fetch(self, decided: list[tuple[Candidate, Decision]]) -> list[Candidate]:
        to_fetch = [candidate for candidate, decision in decided if decision.fetch]
        for candidate, decision in decided:
            if decision.from_archive and not await self._pages.take_from_archive(candidate):
                to_fetch.append(candidate)
        self._state.open.update(candidate.url_uid for candidate in to_fetch)
        if to_fetch:
            self._services.extraction.warm_up()
            self._state.emit("fetching", pages=len(to_fetch))
        return to_fetch

    def _add_to_plan(self, candidate: Candidate, decision: Decision) -> None:
        what = decision.outcome or ("fetch" if decision.fetch else "from_archive")
        entry = self._state.entries.get(candidate.url_uid)
        listed = candidate.entry.published.value if candidate.entry and candidate.entry.published else None
        published = (entry.date_published if entry else None) or listed
        day = f"{published.astimezone(UTC):%Y-%m-%d}" if published else "?"
        self.plan[what] += 1
        if what in ("fetch", "from_archive"):
            self._state.emit("would_fetch", url=candidate.url, day=None if day == "?" else day)
        self.plan_days.setdefault(day, Counter())[what] += 1

    def _without_erased(self, poll: Poll, candidates: Iterable[Candidate]) -> tuple[Poll, list[Candidate]]:
        """The same with erased URLs masked, so that they are not stored again."""
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

    def _endpoint_state(self, poll: Poll) -> EndpointState:
        return self._endpoints.get(poll.endpoint.endpoint_id, EndpointState())

    def _state_after(self, poll: Poll, any_new: bool) -> EndpointState | None:
        """The state of an endpoint after a poll; None if it stays. A window says nothing about an endpoint's health."""
        state = self._endpoint_state(poll)
        if poll.outcome == RESTING or self._request.mode == "window":
            return None
        if poll.outcome == LISTED:
            # An index or a robots.txt lists no article itself, and must not rest because of that.
            listed_new = any_new or not poll.entries
            return state.listed(
                poll.polled_at, poll.etag, poll.last_modified, poll.body_hash, listed_new, poll.index_modified
            )
        if poll.outcome == NOT_MODIFIED:
            return state.not_modified(poll.polled_at)
        return state.failed(poll.polled_at, poll.detail or poll.outcome, TIER_INTERVALS[self._outlet.tier])

    def _with_room(self, uids: list[UUID], now: datetime) -> list[UUID]:
        """The due pages that the crawl has time for. Early revisits wait for a later crawl, the others do not."""
        state = self._state
        early = {uid for uid in uids if (entry := state.entries.get(uid)) and is_early(entry, self._outlet, now)}
        left = self._outlet.budgets.duration.total_seconds() - (time.monotonic() - self._started)
        room = int(left / self._outlet.politeness.seconds_per_page) - len(state.open)
        kept = [uid for uid in uids if uid not in early]
        waiting = [uid for uid in uids if uid in early]
        taken = waiting[: max(0, min(room, self._budget) - len(kept))]
        state.seen.difference_update(waiting[len(taken) :])
        return kept + taken


async def _uninterrupted(deciding: Coroutine[Any, Any, list[Candidate]]) -> list[Candidate]:
    """Decide to the end even if Scrapy cancels the calling task: half-recorded candidates would never be resolved."""
    return await asyncio.shield(asyncio.ensure_future(deciding))
