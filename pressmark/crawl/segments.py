"""Segments of a running crawl: pages gather in the open one; a full one is sealed and committed.

A segment is full at 64 MB or after 10 minutes. It is sealed once the last of its pages has been read:
the WARC is put in place first, then ONE transaction commits rows, frontier and ledger.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pressmark import failpoints
from pressmark.archive.records import Response, revisit_record
from pressmark.archive.spool import Spool, SpoolPointer, ToArchive, seal
from pressmark.archive.store import segment_name
from pressmark.crawl.services import Services
from pressmark.frontier import CrawlScope, FrontierEntry
from pressmark.outcome_rules import CandidateResult
from pressmark.outlet import Outlet
from pressmark.warehouse.crawls import FetchRecord
from pressmark.warehouse.queries import queries
from pressmark.warehouse.staging import EVENT_COLUMNS, ArchivePointer, SealedFile, Segment, commit_segment, event_rows

FULL_BYTES = 64 * 2**20
FULL_SECONDS = 600.0


@dataclass(slots=True)
class OpenSegment:
    """Pages and outcomes gathered since the last segment was closed.

    pending: pages that are spooled and not yet settled.
    """

    folder: Path
    segment_id: UUID = field(default_factory=uuid4)
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    opened: float = field(default_factory=time.monotonic)
    items: list[tuple[CandidateResult, SpoolPointer | None]] = field(default_factory=list)
    fetches: list[FetchRecord] = field(default_factory=list)
    pending: int = 0
    _spool: Spool | None = None

    def append(self, response: Response) -> SpoolPointer:
        """Spool a response. Raises NoSpace or ArchiveError."""
        if self._spool is None:
            self._spool = Spool(self.folder / f"{self.segment_id}.spool")
        pointer = self._spool.append(response)
        self.pending += 1
        return pointer

    @property
    def is_full(self) -> bool:
        """Whether it is time to close it."""
        size = self._spool.size if self._spool else 0
        return size >= FULL_BYTES or (
            time.monotonic() - self.opened >= FULL_SECONDS and bool(self.items or self.fetches)
        )

    def discard(self) -> None:
        """Remove the spool."""
        if self._spool:
            self._spool.discard()


class Segments:
    """The open segment of a crawl and those being sealed."""

    def __init__(
        self,
        services: Services,
        outlet: Outlet,
        crawl_id: UUID,
        extractor_id: int,
        known: Callable[[UUID], FrontierEntry | None],
        is_healthy: Callable[[], bool],
        scope: CrawlScope,
    ) -> None:
        """is_healthy: whether missing pages are the articles' doing, by all that the crawl has seen so far."""
        self._is_healthy = is_healthy
        self._services = services
        self._outlet = outlet
        self._crawl_id = crawl_id
        self._scope = f"{scope.mode} {scope.start.isoformat() if scope.start else ''}/{scope.end.isoformat()}"
        self._extractor_id = extractor_id
        self._known = known
        self._folder = services.settings.spool / str(crawl_id)
        self._one_at_a_time = asyncio.Lock()
        self._closed: list[OpenSegment] = []
        self.open = OpenSegment(self._folder)

    async def seal_full(self, everything: bool = False) -> None:
        """Close the open segment if it is full, and seal the closed ones whose pages are all settled."""
        if everything or self.open.is_full:
            self._closed.append(self.open)
            self.open = OpenSegment(self._folder)
        async with self._one_at_a_time:
            ready = [segment for segment in self._closed if segment.pending == 0]
            for segment in ready:
                # Shielded: a seal whose waiter is cancelled goes on, and the lock is kept until it is done.
                await asyncio.shield(asyncio.ensure_future(asyncio.to_thread(self._seal, segment)))
                self._closed.remove(segment)

    def _seal(self, segment: OpenSegment) -> None:
        if not segment.items and not segment.fetches:
            segment.discard()
            return
        resolved: list[tuple[CandidateResult, ArchivePointer | None]] = [(item, None) for item, _ in segment.items]
        rows = Segment(
            segment.segment_id,
            self._crawl_id,
            self._outlet,
            self._extractor_id,
            resolved,
            None,
            self._known,
            segment.fetches,
            healthy=self._is_healthy(),
        )
        rows = replace(rows, events=event_rows(rows))
        pointers, file = self._archive(segment, rows.events)
        resolved = [(item, pointers.get(index)) for index, (item, _) in enumerate(segment.items)]
        rows = replace(rows, resolved=resolved, file=file)
        failpoints.reach("archived_not_committed")

        def commit(cursor: Cursor) -> None:
            cursor.execute("SAVEPOINT segment")
            try:
                commit_segment(cursor, rows)
            except psycopg2.errors.UniqueViolation as error:
                if error.diag.table_name != "segment":
                    raise
                # The first attempt had come through, only its answer had not.
                cursor.execute("ROLLBACK TO SAVEPOINT segment")

        self._services.database.run(commit)
        failpoints.reach("committed_not_loaded")
        segment.discard()

    def _archive(
        self, segment: OpenSegment, events: Sequence[tuple[Any, ...]]
    ) -> tuple[dict[int, ArchivePointer], SealedFile | None]:
        """Put the WARC in place; returns pointers by position in the segment, and the file."""
        pointers: dict[int, ArchivePointer] = {}
        items: list[ToArchive] = []
        own: list[int] = []
        taken: list[dict[str, Any]] = []
        for index, (resolved, pointer) in enumerate(segment.items):
            capture = resolved.capture
            if resolved.archived and capture:
                earlier = ArchivePointer(*resolved.archived)
                pointers[index] = earlier
                # Named in the file, so that the visit can be staged from the archive alone.
                fields = capture.metadata(self._crawl_id, self._outlet.id, segment.segment_id)
                taken.append({"taken": {**fields, "original": _pointer_fields(earlier)}})
            if capture is None or pointer is None or not resolved.archive:
                continue
            metadata = capture.metadata(self._crawl_id, self._outlet.id, segment.segment_id)
            known = self._known(resolved.candidate.url_uid)
            record = None
            same = _same_bytes(known, capture.response)
            if same:
                pointers[index] = same
                metadata["original"] = _pointer_fields(same)
                record = revisit_record(capture.response, *self._original(same))
            else:
                own.append(index)
            items.append(ToArchive(capture.response, pointer, metadata, record))
        if not items and not events and not taken:
            return pointers, None
        name = segment_name(self._outlet.id, self._crawl_id, segment.segment_id, segment.opened_at)
        target = self._folder / f"{segment.segment_id}.warc.gz"
        warcinfo = {
            "isPartOf": str(self._crawl_id),
            "publisher": self._outlet.name,
            "http-header-user-agent": self._services.settings.user_agent,
            "pressmark-outlet": self._outlet.id,
            "pressmark-segment": str(segment.segment_id),
            "pressmark-scope": self._scope,
        }
        told = [dict(zip(EVENT_COLUMNS, event, strict=True)) for event in events] + taken
        spans = seal(target, items, warcinfo, name, told)
        length = target.stat().st_size
        self._services.store.put(target, name)
        originals = iter(own)
        for item, (offset, size) in zip(items, spans, strict=True):
            if item.record is None:
                pointers[next(originals)] = ArchivePointer(segment.segment_id, offset, size)
        return pointers, SealedFile(name, length, len(items))

    def _original(self, pointer: ArchivePointer) -> tuple[str | None, datetime | None, UUID | None]:
        """(URL, time, visit) of the capture that holds the bytes; nothing where it is not loaded yet."""

        def read(cursor: Cursor) -> tuple[str | None, datetime | None, UUID | None]:
            values = {"segment_id": pointer.segment_id, "offset": pointer.offset}
            cursor.execute(queries("crawl")["capture_at"], values)
            return cursor.fetchone() or (None, None, None)

        return self._services.database.run(read)


def _pointer_fields(pointer: ArchivePointer) -> dict[str, Any]:
    return {"segment_id": str(pointer.segment_id), "offset": pointer.offset, "length": pointer.length}


def _same_bytes(known: FrontierEntry | None, response: Response) -> ArchivePointer | None:
    """Where the same body is archived already."""
    if known is None or known.wire_digest != response.wire_digest or known.segment_id is None:
        return None
    assert known.archive_offset is not None and known.archive_length is not None
    return ArchivePointer(known.segment_id, known.archive_offset, known.archive_length)
