"""Recover crawls whose process died: stage their archived pages and close their ledger.

A crawl is dead if it has no end and no process holds its `alive` lock. A WARC file that is in the archive but was not
committed is staged from its own metadata records. Archived pages are neither fetched again nor discarded.

A sealed file that is still in the spool is moved to the archive first. Another machine may have closed the crawl
meanwhile, so each crawl process begins by sweeping the spool of its machine.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from pressmark.archive.records import archive_name, is_complete
from pressmark.archive.spool import is_in_use
from pressmark.archive.store import segment_id_from_name
from pressmark.crawl.rebuild import stage_found
from pressmark.crawl.restaging import file_segments, stage_segment
from pressmark.crawl.services import Services
from pressmark.errors import ArchiveError
from pressmark.outlet import Outlet
from pressmark.text import plural
from pressmark.warehouse.crawl_requests import get_request
from pressmark.warehouse.crawls import close_crawl, resolve_open
from pressmark.warehouse.locks import alive_lock
from pressmark.warehouse.queries import queries

_ALIVE_SECONDS = 8.0  # a lock is free five seconds after the last heartbeat of a process that has died

logger = logging.getLogger(__name__)


def recover(
    services: Services,
    outlets: Mapping[str, Outlet],
    only: Sequence[str] | None = None,
    locked: Collection[tuple[str, str]] = (),
) -> int:
    """Close the crawls whose process died, of the outlets in `only` or of all outlets. Return how many were closed.

    locked: (outlet, mode) of the crawl locks that this process holds. Another crawl with such a lock is dead or ending,
    so its `alive` lock, which was taken later, is waited for.
    A crawl whose outlet has no file stays open: its pages can only be extracted once the file is back.
    """
    closed = 0
    for crawl_id, outlet_id, request_id, mode in services.database.run(lambda cursor: _unfinished(cursor, only)):
        patience = _ALIVE_SECONDS if (outlet_id, mode) in locked else 0
        if not services.locks.take(alive_lock(crawl_id), patience):
            continue
        try:
            outlet = outlets.get(outlet_id)
            if outlet is None:
                logger.warning(
                    "%s: crawl %s died, but its outlet has no file. Restore the file to recover the crawl.",
                    outlet_id, crawl_id,
                )  # fmt: skip
                continue
            _recover_crawl(services, outlet, crawl_id, request_id)
            closed += 1
        finally:
            services.locks.give_back(alive_lock(crawl_id))
    return closed


def _unfinished(cursor: Cursor, only: Sequence[str] | None) -> list[tuple[UUID, str, UUID, str]]:
    cursor.execute(queries("crawl")["unfinished_crawls"], {"outlets": list(only) if only is not None else None})
    return list(cursor.fetchall())


def _recover_crawl(services: Services, outlet: Outlet, crawl_id: UUID, request_id: UUID) -> None:
    scope = services.database.run(lambda cursor: get_request(cursor, request_id)).scope
    _archive_spooled(services, crawl_id)
    names = services.store.files_of_crawl(outlet.id, crawl_id)
    ids = [segment_id_from_name(name) for name in names]
    committed = services.database.run(lambda cursor: _committed(cursor, ids))
    for name, segment_id in zip(names, ids, strict=True):
        if segment_id not in committed:
            for stored in file_segments(name, services.store.read_file(name)):
                pages = stage_segment(services, outlet, stored, name, scope)
                logger.warning("%s: staged %s of a killed crawl from %s", outlet.id, plural(pages, "page"), name)

    def end(cursor: Cursor) -> None:
        resolve_open(cursor, crawl_id, "interrupted", "the crawl process died before it was fetched")
        close_crawl(cursor, crawl_id, "killed", "the crawl process died")

    services.database.run(end)
    _remove_spool(services, crawl_id)


def sweep_spool(services: Services, outlets: Mapping[str, Outlet]) -> int:
    """Archive and stage what ended crawls have left in the spool of this machine, and remove the rest.

    Returns the number of segments staged. A folder that cannot be handled now is kept and logged.
    """
    folders = [path.name for path in services.settings.spool.glob("*") if path.is_dir()]
    crawl_ids = [crawl_id for crawl_id in map(_parse_uuid, folders) if crawl_id is not None]
    if not crawl_ids:
        return 0
    states = services.database.run(lambda cursor: _crawl_states(cursor, crawl_ids))
    open_outlets = {outlet for outlet, has_ended in states.values() if not has_ended}
    if open_outlets:
        recover(services, outlets, sorted(open_outlets))
    staged = 0
    for crawl_id in crawl_ids:
        folder = services.settings.spool / str(crawl_id)
        if crawl_id not in states:
            logger.warning(
                "%s is kept: this warehouse does not know its crawl. Does another installation use this home?", folder
            )
            continue
        if not states[crawl_id][1] or is_in_use(folder):
            continue  # recovered just now, or running
        if not services.locks.try_take(alive_lock(crawl_id)):
            continue
        try:
            staged += _stage_spooled(services, outlets, crawl_id)
        except ArchiveError as error:
            logger.error("%s is kept for the next crawl: %s", folder, error)
        finally:
            services.locks.give_back(alive_lock(crawl_id))
    return staged


def _stage_spooled(services: Services, outlets: Mapping[str, Outlet], crawl_id: UUID) -> int:
    """Stage the sealed files of an ended crawl and remove its spool. Returns the number of segments staged."""
    staged = 0
    for name in _archive_spooled(services, crawl_id):
        for stored in file_segments(name, services.store.read_file(name)):
            outlet = outlets.get(stored.outlet)
            if outlet is None:
                logger.warning("%s: not staged, since the outlet %s has no file", name, stored.outlet)
                continue  # it is in the archive now, and `maintain` stages it once the file is back
            pages = stage_found(services, outlet, stored, name, {stored.segment_id: (name, stored.offset)})
            logger.warning("%s: staged %s from the spool of crawl %s", outlet.id, plural(pages, "page"), crawl_id)
            staged += 1
    _remove_spool(services, crawl_id)
    return staged


def _archive_spooled(services: Services, crawl_id: UUID) -> list[str]:
    """Move the sealed files of a crawl from the spool to the archive. Returns the names of those that are not staged.

    A file whose segment is committed is deleted: its copy in the archive may have been changed by an erasure. One that
    cannot be read is set aside.
    """
    sealed = _spooled(services, crawl_id, "*.warc.gz")
    found = {_parse_uuid(path.name.removesuffix(".warc.gz")): path for path in sealed}
    paths = {segment_id: path for segment_id, path in found.items() if segment_id is not None}
    committed = services.database.run(lambda cursor: _committed(cursor, list(paths)))
    names = []
    for segment_id, path in sorted(paths.items()):
        if segment_id in committed:
            path.unlink()
            continue
        try:
            document = path.read_bytes()
            name = archive_name(document)
            if not is_complete(document) or segment_id_from_name(name) != segment_id:
                raise ArchiveError("it is not complete")
        except ArchiveError as error:
            aside = path.with_suffix(".damaged")
            path.rename(aside)
            logger.error(
                "%s: %s. It is kept as %s and not staged; its pages are fetched again.", path, error, aside.name
            )
            continue
        if services.store.size(name) is None:
            services.store.put(path, name)
        else:
            path.unlink()
        names.append(name)
    return names


def _spooled(services: Services, crawl_id: UUID, pattern: str) -> list[Path]:
    return sorted((services.settings.spool / str(crawl_id)).glob(pattern))


def _remove_spool(services: Services, crawl_id: UUID) -> None:
    """Remove the spool of a crawl, but for damaged files."""
    for path in _spooled(services, crawl_id, "*"):
        if path.suffix != ".damaged":
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty, or never made
        (services.settings.spool / str(crawl_id)).rmdir()


def _parse_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:  # not Pressmark's folder
        return None


def _crawl_states(cursor: Cursor, crawl_ids: list[UUID]) -> dict[UUID, tuple[str, bool]]:
    """Return (outlet, whether it has ended) of the crawls that this warehouse knows."""
    cursor.execute(queries("crawl")["crawl_states"], {"crawl_ids": crawl_ids})
    return {crawl_id: (outlet, has_ended) for crawl_id, outlet, has_ended in cursor.fetchall()}


def _committed(cursor: Cursor, segment_ids: list[UUID]) -> set[UUID]:
    cursor.execute(queries("crawl")["archived_segments"], {"segment_ids": segment_ids})
    return {row[0] for row in cursor.fetchall()}
