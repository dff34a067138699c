"""From a response to the result of its candidate: spooled, extracted, resolved, added to the open segment."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pressmark import failpoints
from pressmark.archive.records import Response, read_response
from pressmark.archive.spool import SpoolPointer
from pressmark.capture import Capture
from pressmark.crawl.crawl_state import CrawlState
from pressmark.crawl.segments import OpenSegment, Segments
from pressmark.crawl.services import Services
from pressmark.crawl_types import CrawlRequest
from pressmark.errors import ArchiveError, HostRefuses
from pressmark.extraction.fields import ExtractionConfig, PageExtraction
from pressmark.frontier import Candidate
from pressmark.frontier_updates import frontier_update
from pressmark.outcome_rules import CandidateResult, resolve_page, resolve_without_page
from pressmark.outcomes import ACCESS_DENIED, Outcome
from pressmark.outlet import Outlet
from pressmark.plausibility import OutletTexts
from pressmark.urls import url_host, url_uid
from pressmark.warehouse.crawls import read_frontier, segment_place
from pressmark.warehouse.staging import SegmentItem

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpooledPage:
    """A page in the spool of the open segment, to be extracted and resolved."""

    capture: Capture
    pointer: SpoolPointer
    segment: OpenSegment


class PageResults:
    """Resolves the candidates of one crawl. Its coroutines run in one event loop."""

    def __init__(
        self,
        services: Services,
        outlet: Outlet,
        request: CrawlRequest,
        crawl_id: UUID,
        state: CrawlState,
        segments: Segments,
        config: ExtractionConfig,
        texts: OutletTexts,
    ) -> None:
        self._services = services
        self._outlet = outlet
        self._request = request
        self._state = state
        self._segments = segments
        self._folder = services.settings.spool / str(crawl_id)
        self._config = config
        self._texts = texts
        self.repeated_lines: set[str] = set()

    def spool(
        self,
        candidate: Candidate,
        response: Response,
        requested_url: str,
        site_rights: dict[str, Any] | None = None,
    ) -> SpooledPage:
        """Write a page to the open segment. Raises NoSpace or ArchiveError: the crawl cannot continue.

        site_rights: what the site policies of its host declare about it.
        """
        failpoints.reach("after_fetch")
        segment = self._segments.open
        pointer = segment.append(response)
        return SpooledPage(Capture(candidate, response.without_body(), requested_url, site_rights), pointer, segment)

    async def resolve_page(self, page: SpooledPage, status_result: tuple[Outcome, str] | None = None) -> None:
        """Extract a spooled page and resolve its candidate.

        status_result: (outcome, reason) of an error status, used unless the page itself says that access is denied.
        Raises HostRefuses after too many consecutive refusals.
        """
        capture = page.capture
        try:
            extraction = await self._extract(page.pointer)
            if status_result and extraction.outcome not in ACCESS_DENIED:
                self._add(resolve_without_page(capture.candidate, *status_result), None, page.segment)
            else:
                if capture.response.url != capture.requested_url:
                    await self._read_redirect_target(capture.response.url)
                result = self._resolve(capture, extraction)
                self._add(result, page.pointer if result.capture else None, page.segment)
        finally:
            page.segment.pending -= 1
        self._check_refusal_limit(capture.response.url)
        await self._segments.seal_full()

    async def resolve(self, candidate: Candidate, outcome: Outcome, reason: str | None) -> None:
        """Resolve a candidate for which no page arrived. Raises HostRefuses after too many consecutive refusals."""
        entry = self._state.entries.get(candidate.url_uid)
        article_uid = entry.article_uid if entry and outcome == Outcome.NOT_MODIFIED else None
        self._add(resolve_without_page(candidate, outcome, reason, article_uid), None, self._segments.open)
        self._check_refusal_limit(candidate.url)
        await self._segments.seal_full()

    async def take_from_archive(self, candidate: Candidate) -> bool:
        """Resolve a page that an earlier window fetched and left out; False if its bytes are not archived any more."""
        entry = self._state.entries[candidate.url_uid]
        pointer = entry.pointer
        assert pointer is not None
        place = await self._services.query(lambda cursor: segment_place(cursor, pointer.segment_id))
        if place is None:
            return False
        file, start = place
        try:
            record = await asyncio.to_thread(self._services.store.read, file, start + pointer.offset, pointer.length)
            response = read_response(record)
        except ArchiveError as error:
            logger.warning("%s: fetching %s again: %s", self._outlet.id, candidate.url, error)
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        copy = self._folder / f"{response.capture_id}.archived"
        try:
            copy.write_bytes(record)
            extraction = await self._extract(SpoolPointer(str(copy), 0, len(record)))
        finally:
            copy.unlink(missing_ok=True)
        result = self._resolve(Capture(candidate, response.without_body(), entry.url), extraction)
        self._add(replace(result, archived=pointer, archive=False), None, self._segments.open)
        return True

    async def _extract(self, pointer: SpoolPointer) -> PageExtraction:
        return await self._services.extraction.extract(pointer, self._config, self._outlet.budgets.page_size)

    def _resolve(self, capture: Capture, extraction: PageExtraction) -> CandidateResult:
        result = resolve_page(
            capture,
            extraction,
            self._request.scope,
            self._outlet,
            self._state.current_entry,
            self._services.settings.tdm_basis,
            self._texts.compare,
        )
        found = result.extraction
        if found and result.article_uid:
            self._texts.add(result.article_uid, found)
            self.repeated_lines.update(found.repeated_lines)
        return result

    def _add(self, result: CandidateResult, spooled: SpoolPointer | None, segment: OpenSegment) -> None:
        """Add a result to its segment, with the frontier update that follows from it."""
        entry = self._state.entries.get(result.candidate.url_uid)
        now = result.capture.response.observed_at if result.capture else datetime.now(UTC)
        update = frontier_update(result, entry, self._outlet, now)
        segment.items.append(SegmentItem(result=result, update=update, entry=entry, spooled=spooled))
        self._state.add_result(result, update)

    async def _read_redirect_target(self, url: str) -> None:
        """Read the frontier entry of a redirect's target, unless it is known."""
        uid = url_uid(self._outlet.id, url, self._outlet.urls.parameters)
        if self._state.current_entry(uid) is None:
            self._state.entries.update(await self._services.query(lambda cursor: read_frontier(cursor, [uid])))

    def _check_refusal_limit(self, url: str) -> None:
        if self._state.refusals >= self._outlet.politeness.max_consecutive_refusals:
            raise HostRefuses(
                f"{self._state.refusals} consecutive pages were refused, the last one {url}. The crawl stopped: "
                f"{url_host(url)} does not want to be crawled like this. `pressmark why {url}` shows the evidence. "
                "Ask the outlet for permission, or disable it."
            )
