"""Values that the crawl, the spiders and the warehouse share: requests, polls, fetches. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pressmark.discovery.endpoints import Endpoint
from pressmark.discovery.listing import Entry
from pressmark.frontier import CrawlScope, Mode

FinishReason = Literal["finished", "budget", "stopped", "waiting", "refused", "no_listing", "failed", "killed"]
"""How a crawl ended; the comment of ops.crawl.finish_reason describes the values."""

ENDED_WELL: tuple[FinishReason, ...] = ("finished", "budget")
OUTLET_FAILED: tuple[FinishReason, ...] = ("refused", "no_listing")
"""The outlet did not give us anything. Trying again within minutes does not help."""
ENDED_BY_ERROR: tuple[FinishReason, ...] = ("failed", *OUTLET_FAILED)
"""The crawl has an error to show."""


@dataclass(frozen=True, slots=True)
class CrawlRequest:
    """A row of ops.crawl_request. scheduled: requested by a scheduled run, not by a person."""

    request_id: UUID
    outlet: str
    mode: Mode
    interval_start: datetime | None
    interval_end: datetime
    methods: tuple[str, ...] | None = None
    page_budget: int | None = None
    force_refetch: bool = False
    dry_run: bool = False
    scheduled: bool = False

    @property
    def scope(self) -> CrawlScope:
        """The part that decisions about candidates depend on."""
        return CrawlScope(self.mode, self.interval_start, self.interval_end, self.force_refetch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One poll of an endpoint.

    outcome: listed, unreadable, not_modified, resting (not polled now), or an outcome of core.outcome.
    entries: (identity of the URL, entry) of everything listed. is_truncated: the listing was longer than the budget.
    """

    endpoint: Endpoint
    polled_at: datetime
    http_status: int | None
    outcome: str
    detail: str | None = None
    body_hash: bytes | None = None
    entries: tuple[tuple[UUID, Entry], ...] = ()
    etag: str | None = None
    last_modified: str | None = None
    index_modified: datetime | None = None
    is_truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRecord:
    """One HTTP request and its response; see ops.fetch. seconds: from sending to the end of the response."""

    fetched_at: datetime
    url: str
    kind: str
    http_status: int | None
    bytes: int | None
    seconds: float
    ip: str | None
    error: str | None
