"""What one running crawl knows: frontier entries, open candidates, outcomes so far."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pressmark.crawl.services import Emit
from pressmark.frontier import FrontierEntry
from pressmark.frontier_updates import FrontierUpdate, article_entry
from pressmark.outcome_rules import CandidateResult
from pressmark.outcomes import KEPT, KEPT_PAGES, MISSING, REFUSALS, Outcome

logger = logging.getLogger(__name__)
_MANY_MISSING = 5


@dataclass(slots=True)
class CrawlState:
    """Shared by the parts of a crawl's ledger. All of it is used in one event loop."""

    outlet: str
    emit_event: Emit
    entries: dict[UUID, FrontierEntry] = field(default_factory=dict)  # as the warehouse had them before this crawl
    changed: dict[UUID, FrontierEntry] = field(default_factory=dict)  # articles that this crawl has captured
    seen: set[UUID] = field(default_factory=set)
    open: set[UUID] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: int = 0  # consecutive

    def current_entry(self, uid: UUID) -> FrontierEntry | None:
        """The frontier's entry of an identity, with what this crawl has changed."""
        return self.changed.get(uid) or self.entries.get(uid)

    def add_result(self, result: CandidateResult, update: FrontierUpdate) -> None:
        """Count the result of a candidate and report its progress."""
        self.open.discard(result.candidate.url_uid)
        if result.outcome in REFUSALS:
            self.refusals += 1
        elif result.outcome == Outcome.NOT_MODIFIED or (result.capture is not None and not result.archived):
            self.refusals = 0
        if result.extraction and result.capture and result.article_uid:
            self.changed[result.article_uid] = article_entry(result, update)
        if result.outcome not in KEPT_PAGES:
            logger.info("%s: %s %s: %s", self.outlet, result.outcome, result.candidate.url, result.reason)
        self.emit("resolved", outcome=result.outcome)

    def is_healthy(self) -> bool:
        """False if most pages are missing: a broken site answers 404 for everything."""
        missing = sum(self.outcomes[outcome] for outcome in MISSING)
        return missing < _MANY_MISSING or missing <= sum(self.outcomes[outcome] for outcome in KEPT)

    def emit(self, event: str, **fields: Any) -> None:
        """Write an event to the progress channel."""
        if event == "resolved":
            self.outcomes[fields["outcome"]] += 1
        self.emit_event({"event": event, "outlet": self.outlet, **fields})
