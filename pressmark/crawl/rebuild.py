"""Rebuild the warehouse from the WARC files of the archive.

It fills an empty warehouse, or adds files that the warehouse does not know. Anything that is not in the archive cannot
be rebuilt: pages marked noarchive, erased and expired pages, listings, and the ledger of candidates that were not
fetched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark import __version__
from pressmark.archive.records import StoredSegment
from pressmark.crawl.restaging import file_segments, stage_segment
from pressmark.crawl.services import Services
from pressmark.errors import ArchiveError
from pressmark.frontier import CrawlScope
from pressmark.outlet import Outlet
from pressmark.text import clean_text
from pressmark.warehouse.crawl_requests import remember_outlet
from pressmark.warehouse.queries import queries

logger = logging.getLogger(__name__)
_SQL = queries("rebuild")


@dataclass(slots=True)
class RebuildReport:
    """Counts of a rebuild.

    left_out: segments of outlets without a file. spare: files whose segments are all stored in other files or expired.
    """

    files: int = 0
    segments: int = 0
    pages: int = 0
    left_out: int = 0
    spare: list[str] | None = None


def rebuild(
    services: Services, outlets: Mapping[str, Outlet], on_file: Callable[[int, int], None] = lambda done, total: None
) -> RebuildReport:
    """Stage every segment of the archive that the warehouse does not know. The caller loads them.

    on_file: called with (files done, files in total). Safe to interrupt and repeat.
    """
    known = services.database.run(_known)
    expired = services.database.run(_expired)
    running = services.database.run(_running)
    names = list(services.store.files())
    archived_files, known_files = set(names), set(known.values())
    unknown = [name for name in names if name not in known_files]
    # Locate every segment before the first one is staged: its bytes may be in a later file.
    places: dict[UUID, tuple[str, int]] = {}
    contents: dict[str, list[UUID]] = {}
    for name in unknown:
        for stored in file_segments(name, services.store.read_file(name)):
            places.setdefault(stored.segment_id, (name, stored.offset))
            contents.setdefault(name, []).append(stored.segment_id)
    # After a restore, rows may point to files that have since been joined.
    for segment_id, file in known.items():
        if file not in archived_files and segment_id in places:
            services.database.run(lambda cursor, i=segment_id: _repoint(cursor, i, *places[i]))  # type: ignore[misc]
            known[segment_id], _ = places[segment_id]
    in_use = set(known.values())
    report = RebuildReport(spare=[])
    for number, name in enumerate(unknown):
        on_file(number, len(unknown))
        if all(segment_id in known or segment_id in expired for segment_id in contents.get(name, [])):
            assert report.spare is not None
            if name not in in_use:
                report.spare.append(name)
            continue
        report.files += 1
        for stored in file_segments(name, services.store.read_file(name)):
            if stored.segment_id in known or stored.segment_id in expired or stored.crawl_id in running:
                continue
            outlet = outlets.get(stored.outlet)
            if outlet is None:
                logger.warning("%s: skipped a segment of %s: the outlet has no file", name, stored.outlet)
                report.left_out += 1
                continue
            report.pages += stage_found(services, outlet, stored, name, places)
            report.segments += 1
            known[stored.segment_id] = name
    on_file(len(unknown), len(unknown))
    return report


def stage_found(
    services: Services, outlet: Outlet, stored: StoredSegment, name: str, places: Mapping[UUID, tuple[str, int]]
) -> int:
    """Stage a segment whose crawl has ended or is not in this warehouse. Returns the number of pages.

    places: where segments are that the database does not know. A segment that cannot be read is logged and skipped.
    """
    scope = CrawlScope(stored.mode, stored.start, stored.end)

    def open_crawl(cursor: Cursor) -> None:
        remember_outlet(cursor, outlet)
        first = min((c.response.observed_at for c in stored.captures), default=stored.end)
        values = {
            "crawl_id": stored.crawl_id, "outlet": outlet.id, "mode": stored.mode, "start": stored.start,
            "end": stored.end, "config_hash": outlet.config_hash, "code_version": __version__, "started_at": first,
        }  # fmt: skip
        cursor.execute(_SQL["rebuilt_request"], values)
        cursor.execute(_SQL["rebuilt_crawl"], values)
        rows = {
            UUID(c.fields["url_uid"]): (
                stored.crawl_id, UUID(c.fields["url_uid"]), clean_text(c.fields["candidate_url"]),
                c.fields["discovered_via"],
            )
            for c in stored.captures
        }  # fmt: skip
        if rows:
            execute_values(cursor, _SQL["rebuilt_candidates"], list(rows.values()), page_size=500)
        cursor.execute(_SQL["count_rebuilt"], values)

    def place(segment_id: UUID) -> tuple[str, int] | None:
        return places.get(segment_id) or services.database.run(lambda cursor: _place(cursor, segment_id))

    services.database.run(open_crawl)
    try:
        return stage_segment(services, outlet, stored, name, scope, place)
    except ArchiveError as error:
        logger.warning("%s: skipped segment %s, which cannot be read: %s", name, stored.segment_id, error)
        return 0


def _place(cursor: Cursor, segment_id: UUID) -> tuple[str, int] | None:
    """Return (file, offset of the first byte) of a segment, or None."""
    cursor.execute(queries("crawl")["segment_place"], {"segment_id": segment_id})
    row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def _repoint(cursor: Cursor, segment_id: UUID, file: str, offset: int) -> None:
    cursor.execute(_SQL["repoint"], {"segment_id": segment_id, "file": file, "offset": offset})


def _expired(cursor: Cursor) -> set[UUID]:
    cursor.execute(_SQL["expired_segments"])
    return {row[0] for row in cursor.fetchall()}


def _known(cursor: Cursor) -> dict[UUID, str]:
    cursor.execute(_SQL["known_segments"])
    return dict(cursor.fetchall())


def _running(cursor: Cursor) -> set[UUID]:
    cursor.execute(_SQL["running_crawls"])
    return {row[0] for row in cursor.fetchall()}
