"""The ledger of one running crawl: every candidate is recorded when it is decided on, and gets exactly one outcome.

Scrapy drops requests without a callback when it closes, so the ledger does not rely on callbacks: candidates that are
open at the end are resolved here. `selection` decides what to fetch, `pages` resolves what was fetched.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.crawl.candidate_selection import CandidateSelection
from pressmark.crawl.crawl_state import CrawlState
from pressmark.crawl.page_results import PageResults
from pressmark.crawl.segments import Segments
from pressmark.crawl.services import Services
from pressmark.crawl_summary import no_candidates, outcome_summary
from pressmark.crawl_types import CrawlRequest, FetchRecord, FinishReason
from pressmark.errors import ArchiveError
from pressmark.extraction.fields import ExtractionConfig
from pressmark.outcomes import Outcome
from pressmark.outlet import Outlet
from pressmark.plausibility import LAST_ARTICLES, OutletTexts
from pressmark.removal.erasure import read_removals
from pressmark.removal.rules import Removal
from pressmark.warehouse.crawls import (
    close_crawl,
    ensure_extractor,
    latest_texts,
    pages_today,
    resolve_open,
    resolve_waiting,
)
from pressmark.warehouse.locks import alive_lock, crawl_lock
from pressmark.warehouse.outlet_memory import mark_seen, read_memory, refresh_memory
from pressmark.warehouse.site_policies import Kind, SitePolicy, read_site_policy, write_site_policy

logger = logging.getLogger(__name__)
# Outcome and reason of candidates that are open when a crawl ends.
_OPEN_RESULTS: dict[FinishReason, tuple[Outcome, str]] = {
    "budget": (Outcome.BUDGET_EXHAUSTED, "the crawl's time budget was used up before it was fetched"),
    "stopped": (Outcome.INTERRUPTED, "the crawl was stopped before it was fetched"),
    "waiting": (Outcome.INTERRUPTED, "the crawl ended before it was fetched"),
    "refused": (Outcome.INTERRUPTED, "the crawl stopped because the host refuses it"),
    "no_listing": (Outcome.INTERRUPTED, "the crawl ended before it was fetched"),
    "failed": (Outcome.INTERRUPTED, "the crawl failed before it was fetched"),
    "finished": (Outcome.INTERRUPTED, "the crawl ended before it was fetched"),
}
_WAITING = (
    f"it was fetched, but the archive could not be written. It waits in the spool of {socket.gethostname()} and is "
    "loaded when a crawl runs there"
)


class CrawlLedger:
    """The ledger of one crawl. Make it with `open`; its coroutines run in one event loop."""

    def __init__(
        self,
        services: Services,
        outlet: Outlet,
        request: CrawlRequest,
        crawl_id: UUID,
        *,
        removals: Sequence[Removal],
        config: ExtractionConfig,
        extractor_id: int,
        texts: OutletTexts,
        pages_today: int = 0,
    ) -> None:
        """texts: the outlet's latest. pages_today: article requests that other crawls have made within a day."""
        self.services = services
        self.outlet = outlet
        self.request = request
        self.crawl_id = crawl_id
        self.requests = 0
        self._state = CrawlState(outlet.id, services.emit)
        self._segments = Segments(
            services, outlet, crawl_id, extractor_id, self._state.is_healthy, request.scope, config.repeated_lines
        )
        self.pages = PageResults(services, outlet, request, crawl_id, self._state, self._segments, config, texts)
        self.selection = CandidateSelection(
            services, outlet, request, crawl_id, self._state, self.pages, removals, pages_today
        )

    @classmethod
    def open(cls, services: Services, outlet: Outlet, request: CrawlRequest, crawl_id: UUID) -> CrawlLedger:
        """Read what the crawl needs to know."""

        def read(cursor: Cursor) -> dict[str, Any]:
            latest = latest_texts(cursor, outlet.id, LAST_ARTICLES)
            today = datetime.now(UTC).date()
            repeated = (
                read_memory(cursor, outlet.id, today)
                if request.dry_run
                else refresh_memory(cursor, outlet.id, latest, today)
            )
            config = ExtractionConfig.for_outlet(outlet, repeated)
            return {
                "removals": read_removals(cursor, services.settings, outlet.id),
                "config": config,
                "extractor_id": ensure_extractor(cursor, config),
                "texts": OutletTexts(latest),
                "pages_today": pages_today(cursor, outlet.id, datetime.now(UTC)),
            }

        known = services.database.run(read)
        logger.info("%s: crawl %s started, %s", outlet.id, crawl_id, request.mode)
        return cls(services, outlet, request, crawl_id, **known)

    def record_fetch(self, record: FetchRecord) -> None:
        """Record a request that was made."""
        self.requests += 1
        if not self.request.dry_run:
            self._segments.open.fetches.append(record)

    async def read_site_policy(self, site: str, kind: Kind) -> SitePolicy | None:
        """The stored site policy of a host, if it has not expired.

        A stored error counts for scheduled runs only: before a manual run somebody may have fixed it.
        """
        if self.request.force_refetch:
            return None
        policy = await self.services.query(lambda cursor: read_site_policy(cursor, site, kind, datetime.now(UTC)))
        return None if policy and policy.failed and not self.request.scheduled else policy

    async def write_site_policy(self, policy: SitePolicy) -> None:
        """Store a site policy that was just fetched."""
        if not self.request.dry_run:
            await self.services.query(lambda cursor: write_site_policy(cursor, policy))

    def check_leases(self) -> None:
        """Raise ServerError if another process has taken over this crawl. Call it regularly."""
        self.services.locks.check(crawl_lock(self.outlet.id, self.request.mode), alive_lock(self.crawl_id))

    async def seal_expired(self) -> None:
        """Seal segments whose time is up. Call it regularly, also when no page arrives."""
        await self._segments.seal_full()

    async def close(
        self, finish_reason: FinishReason, error: str | None = None, stats: dict[str, Any] | None = None
    ) -> tuple[FinishReason, str | None]:
        """Seal everything, resolve what is open and end the crawl; returns (finish reason, error) as stored.

        Raises ServerError if a segment could not be committed: the crawl then stays open, and the next crawl of the
        outlet recovers it with everything that it has archived.
        """
        if self.request.dry_run:
            return finish_reason, error
        await self.selection.close()
        try:
            await self._segments.seal_full(everything=True)
        except ArchiveError as problem:
            # Sealed segments wait in the spool. Other pages are open in the ledger, and the next crawl fetches them.
            finish_reason, error = "failed", error or str(problem)
        waiting = self._segments.waiting()
        # Before the crawl ends: nobody checks the spool of a crawl that has ended.
        with contextlib.suppress(OSError):
            (self.services.settings.spool / str(self.crawl_id)).rmdir()
        outcome, reason = _OPEN_RESULTS[finish_reason]

        def end(cursor: Cursor) -> int:
            mark_seen(cursor, self.outlet.id, self.pages.repeated_lines, datetime.now(UTC).date())
            open_candidates = resolve_waiting(cursor, self.crawl_id, waiting, Outcome.INTERRUPTED, _WAITING)
            open_candidates += resolve_open(cursor, self.crawl_id, outcome, reason)
            close_crawl(cursor, self.crawl_id, finish_reason, error, stats, self.requests)
            return open_candidates

        for _ in range(await self.services.query(end)):
            self.emit("resolved", outcome=outcome)
        summary = outcome_summary(self._state.outcomes) or no_candidates(
            finish_reason, self.selection.endpoints_listed, self.selection.endpoints_unchanged
        )
        logger.info(
            "%s: crawl %s %s: %s%s",
            self.outlet.id, self.crawl_id, finish_reason, summary, f" ({error})" if error else "",
        )  # fmt: skip
        return finish_reason, error

    def emit(self, event: str, **fields: Any) -> None:
        """Write an event to the progress channel."""
        self._state.emit(event, **fields)
