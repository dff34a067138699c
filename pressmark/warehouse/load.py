"""LOAD: load committed segments into the core schema, each once and in one transaction.

A lock makes loaders run one after the other, and a loaded segment is skipped. Loading can therefore be repeated, run
twice at the same time, or killed. If core rejects a capture, the capture gets the outcome `load_failed` with the
reason, and the other captures of the segment are loaded.
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
from pressmark.errors import LoadError, LockTimeout, PressmarkError, ServerError
from pressmark.removal.erasure import apply_pending_removals, drop_staged
from pressmark.settings import Settings
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.locks import take_turn
from pressmark.warehouse.queries import queries

if TYPE_CHECKING:
    from pressmark.warehouse.extraction_diff import ArchivedPageExtractor

MAX_ATTEMPTS = 5  # per segment and call; if every attempt is killed, retrying would never end
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
    """The result of loading a segment. captures: None if another loader had loaded it, or after an error."""

    segment_id: UUID
    outlet: str
    captures: int | None
    error: str | None = None


def segments_to_load(
    warehouse: Warehouse, outlets: Sequence[str] | None = None, failed: bool = False
) -> list[tuple[UUID, str, int]]:
    """List (segment, outlet, number of captures) of committed segments that are not loaded, oldest first.

    failed: include segments that failed permanently.
    """
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
    """Load segments one after the other. A segment that cannot be loaded does not stop the others.

    Raises ServerError if the server remains unavailable.
    """
    results = []
    for segment_id, outlet in segments:
        result = _load_persistently(warehouse, segment_id, outlet, page_extractor)
        results.append(result)
        if on_loaded:
            on_loaded(result)
    if results:
        _flush_search_index(warehouse)
        # A running crawl may have fetched pages that were erased meanwhile.
        apply_pending_removals(warehouse, page_extractor.store)
    return results


def _flush_search_index(warehouse: Warehouse) -> None:
    """Flush the search index, so that searches need not. After a failure, the next load or the maintenance does it."""
    try:
        with contextlib.closing(warehouse.connect("loader", "pressmark load")) as connection:
            with transaction(connection) as cursor:
                cursor.execute(queries("load")["room_to_work"])
                cursor.execute(queries("load")["flush_search_index"])
    except (psycopg2.Error, ServerError) as error:
        logger.warning("The search index was not flushed. The next load flushes it. Error: %s", _short_message(error))


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
        except psycopg2.errors.ProgramLimitExceeded as error:  # an OperationalError that a retry does not fix
            _note_failure(warehouse, segment_id, error)
            return LoadedSegment(segment_id, outlet, None, _short_message(error))
        except LockTimeout:
            raise
        except (psycopg2.OperationalError, psycopg2.InterfaceError, ServerError) as error:
            # The backend or the server was killed, and the transaction was rolled back.
            logger.warning(
                "%s: loading segment %s was interrupted. Retrying: %s", outlet, segment_id, _short_message(error)
            )
            problem = error
        except (psycopg2.Error, PressmarkError) as error:
            _note_failure(warehouse, segment_id, error)
            return LoadedSegment(segment_id, outlet, None, _short_message(error))
    raise ServerError(
        f"{outlet}: segment {segment_id} was not loaded: {MAX_ATTEMPTS} attempts were interrupted. Check the server's "
        f"log, then run `pressmark load`. Last error: {problem}"
    )


def load_segment(
    connection: Connection, segment_id: UUID, page_extractor: ArchivedPageExtractor, settings: Settings
) -> int | None:
    """Load one segment. Return the number of captures loaded, or None if the segment was loaded before."""
    with transaction(connection) as cursor:
        take_turn(cursor, "load")
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
    """Add the rows of these captures. Return the captures that core accepted; bisect to find those it rejects."""
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
        rejected = {**values, "capture_id": captures[0], "reason": _short_message(error)}
        cursor.execute(queries("load")["reject_capture"], rejected)
        cursor.execute(queries("load")["resolve_rejected"], rejected)
        return []
    cursor.execute("RELEASE SAVEPOINT rows")
    return captures


def _derive(cursor: Cursor, values: dict[str, Any], page_extractor: ArchivedPageExtractor) -> None:
    """Rebuild revisions, articles and outcomes of the articles that the segment concerns, from all their captures."""
    cursor.execute(queries("load")["touched"], values)
    articles = sorted(row[0] for row in cursor.fetchall())
    if articles:
        derive(cursor, values, articles, page_extractor)


def derive(cursor: Cursor, values: dict[str, Any], articles: list[UUID], page_extractor: ArchivedPageExtractor) -> None:
    """Rebuild everything that is derived from the captures of these articles.

    Runs in a transaction that holds the load lock. values: load_seq; in a load also segment_id and captures.
    """
    values = {"segment_id": None, "captures": [], **values, "articles": articles}
    page_extractor.fill_in(cursor, values)
    cursor.execute(queries("load")["derive_revisions"], values)
    cursor.execute(queries("load")["derive_articles"], values)
    cursor.execute(queries("load")["derive_fields"], values)
    cursor.execute(queries("load")["derive_merges"], values)
    values["merged"] = sorted(row[0] for row in cursor.fetchall())
    values["articles"] = sorted({*articles, *values["merged"]})
    _derive_search(cursor, values)
    queued = values["merged"] if values["segment_id"] else values["articles"]
    cursor.execute(queries("load")["enqueue_cluster"], {**values, "merged": queued})
    cursor.execute(queries("load")["resolve_captures"], values)


def _derive_search(cursor: Cursor, values: dict[str, Any]) -> None:
    """Update the search documents of the articles, in the partitions of their days."""
    cursor.execute(queries("load")["ensure_search_partitions"], values)
    cursor.execute(queries("load")["plain_joins"])
    cursor.execute(queries("load")["moved_documents"], values)
    if moved := [row[0] for row in cursor.fetchall()]:
        cursor.execute(queries("load")["move_documents"], {"moved": moved})
    cursor.execute(queries("load")["derive_search"], values)
    cursor.execute(queries("load")["all_joins"])


def _note_failure(warehouse: Warehouse, segment_id: UUID, error: Exception) -> None:
    connection = warehouse.connect("loader", "pressmark load")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(
            queries("load")["mark_failed"],
            {"segment_id": segment_id, "error": _short_message(error), "most": MAX_ATTEMPTS},
        )


def _one(cursor: Cursor, statement: str, values: dict[str, Any]) -> Any:
    cursor.execute(queries("load")[statement], values)
    row = cursor.fetchone()
    if row is None:
        raise LoadError(f"the statement {statement} of load.sql returned no row")
    return row[0]


def _short_message(error: BaseException) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
