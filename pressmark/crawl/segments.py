"""Segments of a running crawl: results collect in the open one; a full one is sealed and committed.

A segment is full at 64 MB, at 100 candidates or after 10 minutes. It is sealed once the last of its pages is resolved:
the WARC is put in place first, then ONE transaction commits rows, frontier and ledger.
"""

from __future__ import annotations

import asyncio
import json
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
from pressmark.archive.pointer import ArchivePointer
from pressmark.archive.records import Response, revisit_record
from pressmark.archive.spool import Spool, SpoolPointer, ToArchive, seal
from pressmark.archive.store import segment_name
from pressmark.crawl.services import Services
from pressmark.crawl_types import FetchRecord
from pressmark.frontier import CrawlScope, FrontierEntry
from pressmark.outlet import Outlet
from pressmark.warehouse.locks import alive_lock
from pressmark.warehouse.queries import queries
from pressmark.warehouse.staging import EVENT_COLUMNS, SealedFile, Segment, SegmentItem, commit_segment, event_rows

FULL_BYTES = 64 * 2**20
FULL_ITEMS = 100  # their texts are kept in memory until the segment is sealed
FULL_SECONDS = 600.0


@dataclass(slots=True)
class OpenSegment:
    """Results and fetches since the last segment was closed. pending: pages spooled and not resolved yet."""

    folder: Path
    segment_id: UUID = field(default_factory=uuid4)
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    opened: float = field(default_factory=time.monotonic)
    items: list[SegmentItem] = field(default_factory=list)
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
        return (
            size >= FULL_BYTES
            or len(self.items) >= FULL_ITEMS
            or (time.monotonic() - self.opened >= FULL_SECONDS and bool(self.items or self.fetches))
        )

    def discard(self) -> None:
        """Remove the spool."""
        if self._spool:
            self._spool.discard()


class Segments:
    """The open segment of a crawl, and the closed ones that wait to be sealed."""

    def __init__(
        self,
        services: Services,
        outlet: Outlet,
        crawl_id: UUID,
        extractor_id: int,
        is_healthy: Callable[[], bool],
        scope: CrawlScope,
        repeated_lines: tuple[str, ...] = (),
    ) -> None:
        """is_healthy: False if most pages of the crawl are missing, as seen so far.

        repeated_lines: that extraction removes; the files keep them, so that the texts can be extracted again.
        """
        self._is_healthy = is_healthy
        self._services = services
        self._outlet = outlet
        self._crawl_id = crawl_id
        self._scope = f"{scope.mode} {scope.start.isoformat() if scope.start else ''}/{scope.end.isoformat()}"
        self._extractor_id = extractor_id
        self._repeated_lines = repeated_lines
        self._folder = services.settings.spool / str(crawl_id)
        self._sealing = asyncio.Lock()
        self._closed: list[OpenSegment] = []
        self.open = OpenSegment(self._folder)

    async def seal_full(self, everything: bool = False) -> None:
        """Close the open segment if it is full, and seal the closed ones whose pages are all resolved."""
        if everything or self.open.is_full:
            self._closed.append(self.open)
            self.open = OpenSegment(self._folder)
        async with self._sealing:
            ready = [segment for segment in self._closed if segment.pending == 0]
            for segment in ready:
                # Shielded: if the waiting task is cancelled, sealing continues and the lock is held until it is done.
                await asyncio.shield(asyncio.ensure_future(asyncio.to_thread(self._seal, segment)))
                self._closed.remove(segment)

    def waiting(self) -> list[UUID]:
        """Return the URLs (url_uid) whose pages are in complete WARC files that are not in the archive."""
        return [
            item.result.candidate.url_uid
            for segment in self._closed
            if (self._folder / f"{segment.segment_id}.warc.gz").exists()
            for item in segment.items
            if item.result.capture and (item.result.archived or (item.spooled and item.result.archive))
        ]

    def _seal(self, opened: OpenSegment) -> None:
        if not opened.items and not opened.fetches:
            opened.discard()
            return
        segment = Segment(
            segment_id=opened.segment_id,
            crawl_id=self._crawl_id,
            outlet=self._outlet,
            extractor_id=self._extractor_id,
            items=opened.items,
            fetches=opened.fetches,
            healthy=self._is_healthy(),
        )
        segment = replace(segment, events=event_rows(segment))
        items, file = self._archive(opened, segment.events)
        segment = replace(segment, items=items, file=file)
        failpoints.reach("archived_not_committed")

        def commit(cursor: Cursor) -> None:
            cursor.execute("SAVEPOINT segment")
            try:
                # A process that was suspended for a minute may have been replaced: it must not commit any more.
                self._services.locks.confirm(cursor, alive_lock(self._crawl_id))
                commit_segment(cursor, segment)
            except psycopg2.errors.UniqueViolation as error:
                if error.diag.table_name != "segment":
                    raise
                # The first attempt was committed; only its confirmation was lost.
                cursor.execute("ROLLBACK TO SAVEPOINT segment")

        self._services.database.run(commit)
        failpoints.reach("committed_not_loaded")
        opened.discard()

    def _archive(
        self, opened: OpenSegment, events: Sequence[tuple[Any, ...]]
    ) -> tuple[list[SegmentItem], SealedFile | None]:
        """Put the WARC in place; returns the items with their archive pointers, and the file."""
        pointers: dict[int, ArchivePointer] = {}
        records: list[ToArchive] = []
        new_records: list[int] = []  # items whose bytes this file holds; the others point to an earlier one
        from_archive: list[dict[str, Any]] = []
        for index, item in enumerate(opened.items):
            capture = item.result.capture
            if capture is None:
                continue
            comparison = item.result.comparison
            metadata = capture.metadata(
                self._crawl_id, self._outlet.id, opened.segment_id, comparison.as_json() if comparison else None
            )
            if item.result.archived:
                pointers[index] = item.result.archived
                # Recorded in the file, so that the capture can be staged from the archive alone.
                from_archive.append({"from_archive": {**metadata, "original": item.result.archived.as_json()}})
            if item.spooled is None or not item.result.archive:
                continue
            revisit = None
            same = _same_bytes(item.entry, capture.response)
            if same:
                pointers[index] = same
                metadata["original"] = same.as_json()
                revisit = revisit_record(capture.response, *self._original(same))
            else:
                new_records.append(index)
            records.append(ToArchive(capture.response, item.spooled, metadata, revisit))
        file = None
        if records or events or from_archive:
            spans, file = self._write_file(opened, records, events, from_archive)
            indexes = iter(new_records)
            for record, (offset, size) in zip(records, spans, strict=True):
                if record.record is None:
                    pointers[next(indexes)] = ArchivePointer(opened.segment_id, offset, size)
        return [replace(item, pointer=pointers.get(index)) for index, item in enumerate(opened.items)], file

    def _write_file(
        self,
        opened: OpenSegment,
        records: list[ToArchive],
        events: Sequence[tuple[Any, ...]],
        from_archive: list[dict[str, Any]],
    ) -> tuple[list[tuple[int, int]], SealedFile]:
        """Write the WARC and move it into the archive; returns (offset, length) of each record, and the file."""
        name = segment_name(self._outlet.id, self._crawl_id, opened.segment_id, opened.opened_at)
        target = self._folder / f"{opened.segment_id}.warc.gz"
        warcinfo = {
            "isPartOf": str(self._crawl_id),
            "publisher": self._outlet.name,
            "http-header-user-agent": self._services.settings.user_agent,
            "pressmark-outlet": self._outlet.id,
            "pressmark-segment": str(opened.segment_id),
            "pressmark-scope": self._scope,
            **({"pressmark-repeated-lines": json.dumps(self._repeated_lines)} if self._repeated_lines else {}),
        }
        event_fields = [dict(zip(EVENT_COLUMNS, event, strict=True)) for event in events]
        spans = seal(target, records, warcinfo, name, event_fields + from_archive)
        failpoints.reach("sealed_not_archived")
        length = target.stat().st_size
        self._services.store.put(target, name)
        return spans, SealedFile(name, length, len(records))

    def _original(self, pointer: ArchivePointer) -> tuple[str | None, datetime | None, UUID | None]:
        """(URL, time, capture) that first had these bytes; all None if it is not loaded yet."""

        def read(cursor: Cursor) -> tuple[str | None, datetime | None, UUID | None]:
            values = {"segment_id": pointer.segment_id, "offset": pointer.offset}
            cursor.execute(queries("crawl")["capture_at"], values)
            return cursor.fetchone() or (None, None, None)

        return self._services.database.run(read)


def _same_bytes(entry: FrontierEntry | None, response: Response) -> ArchivePointer | None:
    """Where the same body is archived already."""
    return entry.pointer if entry is not None and entry.wire_digest == response.wire_digest else None
