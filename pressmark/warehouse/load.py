"""LOAD: committed segments into core, each in one transaction, applied once.

Loaders run one after the other under one lock; a segment that was loaded is passed over, so that
loading may be repeated, doubled or killed. What core refuses for a reason that lies in one visit ends
as `load_failed` with that reason; the other visits of the segment are loaded.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import cursor as Cursor

from pressmark import failpoints
from pressmark.errors import LoadError, PressmarkError, ServerError
from pressmark.removal.erasure import apply_pending_removals, drop_staged
from pressmark.settings import Settings
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.queries import queries

if TYPE_CHECKING:
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor

MAX_ATTEMPTS = 5  # of one segment within one call; killing faster than a transaction would go on for ever
_ROW_STATEMENTS = (
    "add_texts",
    "add_fingerprints",
    "add_extractions",
    "add_articles",
    "add_variants",
    "add_captures",
    "add_comments",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedSegment:
    """A segment and what came of loading it. `visits` is None where another loader had done it."""

    segment_id: UUID
    outlet: str
    captures: int | None
    error: str | None = None


def segments_to_load(
    warehouse: Warehouse, outlets: Sequence[str] | None = None, failed: bool = False
) -> list[tuple[UUID, str, int]]:
    """(segment, outlet, visits) of what is committed and not loaded, oldest first."""
    connection = warehouse.connect("loader", "pressmark load")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(
            queries("load")["to_load"], {"outlets": list(outlets) if outlets is not None else None, "failed": failed}
        )
        return list(cursor.fetchall())


def load_segments(
    warehouse: Warehouse,
    segments: Iterable[tuple[UUID, str]],
    page_extractor: ArchivedPageExtractor,
    on_loaded: Callable[[LoadedSegment], None] | None = None,
) -> list[LoadedSegment]:
    """Load segments one by one; one that cannot be loaded does not stop the others.

    Raises ServerError where the server stays away.
    """
    done = []
    for segment_id, outlet in segments:
        result = _load_persistently(warehouse, segment_id, outlet, page_extractor)
        done.append(result)
        if on_loaded:
            on_loaded(result)
    if done:
        _flush_search_index(warehouse)
        apply_pending_removals(warehouse, page_extractor.store)  # a crawl may have fetched what was erased while it ran
    return done


def _flush_search_index(warehouse: Warehouse) -> None:
    """Leave nothing for searches to do. Where the server goes away now, the next load or the daily care does it."""
    try:
        with contextlib.closing(warehouse.connect("loader", "pressmark load")) as connection:
            with transaction(connection) as cursor:
                cursor.execute(queries("load")["room_to_work"])
                cursor.execute(queries("load")["flush_search_index"])
    except (psycopg2.Error, ServerError) as error:
        logger.warning("the index of the search was not settled: %s", _words(error))


def _load_persistently(
    warehouse: Warehouse, segment_id: UUID, outlet: str, page_extractor: ArchivedPageExtractor
) -> LoadedSegment:
    problem: Exception | None = None
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            time.sleep(min(0.2 * 2**attempt, 5))
        try:
            with contextlib.closing(warehouse.connect("loader", "pressmark load")) as connection:
                return LoadedSegment(
                    segment_id, outlet, load_segment(connection, segment_id, page_extractor, warehouse.settings)
                )
        except psycopg2.errors.ProgramLimitExceeded as error:  # an OperationalError that trying again does not mend
            _note_failure(warehouse, segment_id, error)
            return LoadedSegment(segment_id, outlet, None, _words(error))
        except (psycopg2.OperationalError, psycopg2.InterfaceError, ServerError) as error:
            # The backend or the server was killed: the transaction left no trace.
            logger.warning("%s: loading segment %s was cut off, trying again: %s", outlet, segment_id, _words(error))
            problem = error
        except (psycopg2.Error, PressmarkError) as error:
            _note_failure(warehouse, segment_id, error)
            return LoadedSegment(segment_id, outlet, None, _words(error))
    raise ServerError(
        f"{outlet}: segment {segment_id} could not be loaded, {MAX_ATTEMPTS} attempts were cut off: {problem}"
    )


def load_segment(
    connection: Connection, segment_id: UUID, page_extractor: ArchivedPageExtractor, settings: Settings
) -> int | None:
    """Load one segment; None where it is loaded already.

    Returns the number of visits loaded.
    """
    with transaction(connection) as cursor:
        cursor.execute(queries("load")["one_at_a_time"])
        cursor.execute(queries("load")["room_to_work"])
        cursor.execute(queries("load")["claim"], {"segment_id": segment_id})
        claimed = cursor.fetchone()
        if claimed is None:
            return None
        load_seq = _one(cursor, "next_load_seq", {})
        values: dict[str, Any] = {"segment_id": segment_id, "load_seq": load_seq}
        for crawl_id, uid in drop_staged(cursor, segment_id, claimed[0], settings):
            cursor.execute(queries("load")["resolve_removed"], {"crawl_id": crawl_id, "url_uid": uid})
        cursor.execute(queries("load")["staged_captures"], values)
        loaded = _add_rows(cursor, values, [row[0] for row in cursor.fetchall()])
        cursor.execute(queries("load")["add_events"], values)
        values["captures"] = loaded
        failpoints.reach("within_load")
        _derive(cursor, values, page_extractor)
        for statement in ("clear_staged_captures", "clear_staged_events", "mark_loaded"):
            cursor.execute(queries("load")[statement], values)
        return len(loaded)


def _add_rows(cursor: Cursor, values: dict[str, Any], captures: list[UUID]) -> list[UUID]:
    """Add the rows of these visits; returns those that core took. A refusal is narrowed down by halves."""
    if not captures:
        return []
    cursor.execute("SAVEPOINT rows")
    try:
        for statement in _ROW_STATEMENTS:
            cursor.execute(queries("load")[statement], {**values, "captures": captures})
    except (psycopg2.DataError, psycopg2.IntegrityError, psycopg2.errors.ProgramLimitExceeded) as error:
        cursor.execute("ROLLBACK TO SAVEPOINT rows")
        if len(captures) > 1:
            half = len(captures) // 2
            return _add_rows(cursor, values, captures[:half]) + _add_rows(cursor, values, captures[half:])
        refused = {**values, "capture_id": captures[0], "reason": _words(error)}
        cursor.execute(queries("load")["reject_capture"], refused)
        cursor.execute(queries("load")["resolve_rejected"], refused)
        return []
    cursor.execute("RELEASE SAVEPOINT rows")
    return captures


def _derive(cursor: Cursor, values: dict[str, Any], page_extractor: ArchivedPageExtractor) -> None:
    """Make revisions, articles and the ledger's outcomes anew from all visits of what was touched."""
    cursor.execute(queries("load")["touched"], values)
    articles = sorted(row[0] for row in cursor.fetchall())
    if articles:
        derive(cursor, values, articles, page_extractor)


def derive(cursor: Cursor, values: dict[str, Any], articles: list[UUID], page_extractor: ArchivedPageExtractor) -> None:
    """Make everything anew that follows from the visits of these articles, within a transaction under the loads' lock.

    values: load_seq; of a load its segment_id and visits too.
    """
    values = {"segment_id": None, "captures": [], **values, "articles": articles}
    page_extractor.fill_in(cursor, values)
    cursor.execute(queries("load")["derive_revisions"], values)
    cursor.execute(queries("load")["derive_articles"], values)
    cursor.execute(queries("load")["derive_merges"], values)
    values["merged"] = sorted(row[0] for row in cursor.fetchall())
    values["articles"] = sorted({*articles, *values["merged"]})
    cursor.execute(queries("load")["derive_search"], values)
    queued = values["merged"] if values["segment_id"] else values["articles"]
    cursor.execute(queries("load")["enqueue_cluster"], {**values, "merged": queued})
    cursor.execute(queries("load")["resolve_captures"], values)


def _note_failure(warehouse: Warehouse, segment_id: UUID, error: Exception) -> None:
    connection = warehouse.connect("loader", "pressmark load")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(
            queries("load")["mark_failed"], {"segment_id": segment_id, "error": _words(error), "most": MAX_ATTEMPTS}
        )


def _one(cursor: Cursor, statement: str, values: dict[str, Any]) -> Any:
    cursor.execute(queries("load")[statement], values)
    row = cursor.fetchone()
    if row is None:
        raise LoadError(f"{statement} gave no row")
    return row[0]


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
