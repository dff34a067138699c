"""Re-extract archived pages with the current extractor, compare fields, and promote or discard the result.

No requests are sent to outlets. Analysts see no change until a re-extraction is promoted. Promotion and rollback are
one transaction each and change rows of core.extraction_override. Revisions are derived again under the extractor in
force, so an extractor change doesn't look like an edit by the newsroom.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from pressmark.errors import ConfigError
from pressmark.extraction.fields import ExtractionConfig
from pressmark.outlet import Outlet
from pressmark.text import plural
from pressmark.warehouse.connection import Connection, Warehouse, dict_rows, transaction
from pressmark.warehouse.crawls import ensure_extractor
from pressmark.warehouse.extraction_diff import ArchivedPageExtractor, add_extraction
from pressmark.warehouse.load import derive
from pressmark.warehouse.locks import take_turn
from pressmark.warehouse.outlet_memory import read_memory
from pressmark.warehouse.queries import queries

_SQL = queries("reextract")
_SAMPLES = 5
_BATCH = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reextraction:
    """A row of ops.reextraction. comparison: had, has, differs and samples by field."""

    reextraction_id: UUID
    outlets: list[str]
    state: str
    payloads: int
    failed: int
    comparison: dict[str, dict[str, Any]]
    created_at: datetime
    requested_by: str

    @property
    def lines(self) -> list[str]:
        """Text report: one line per field, with samples of the changes."""
        lines = [f"{plural(self.payloads, 'page')} of {', '.join(self.outlets)} re-extracted, {self.failed:,} failed"]
        for name, counts in self.comparison.items():
            lines.append(
                f"{name}: {counts['differs']:,} differ; set on {plural(counts['had'], 'page')} before, "
                f"{counts['has']:,} now"
            )
            for sample in counts["samples"]:
                lines.append(f"    {sample['url']}")
                lines.append(f"      before: {sample['before']}")
                lines.append(f"      now:    {sample['now']}")
        return lines


def reextract(
    warehouse: Warehouse,
    outlets: Sequence[Outlet],
    page_extractor: ArchivedPageExtractor,
    since: datetime | None = None,
    until: datetime | None = None,
    requested_by: str | None = None,
    on_page: Callable[[int, int], None] = lambda done, total: None,
) -> Reextraction:
    """Re-extract the archived pages of these outlets that have no extraction by the current extractor.

    since, until: only pages observed in this interval. on_page: called with (done, total) after each page.
    An interrupted run can be repeated. It skips pages that were already re-extracted.
    """
    reextraction_id = uuid4()
    failed = 0
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        pages = []
        with transaction(connection) as cursor:
            values = {
                "reextraction_id": reextraction_id, "outlets": [o.id for o in outlets], "since": since, "until": until,
                "requested_by": requested_by or getpass.getuser(),
            }  # fmt: skip
            cursor.execute(_SQL["add"], values)
            for outlet in outlets:
                config = ExtractionConfig.for_outlet(outlet, read_memory(cursor, outlet.id))
                extractor_id = ensure_extractor(cursor, config)
                cursor.execute(_SQL["pages"], {**values, "outlet": outlet.id, "extractor_id": extractor_id})
                pages += [(outlet, config, extractor_id, *row) for row in cursor.fetchall()]
        for start in range(0, len(pages), _BATCH):
            with transaction(connection) as cursor:
                take_turn(cursor, "load")
                cursor.execute(queries("load")["next_load_seq"])
                (load_seq,) = cursor.fetchone() or (0,)
                for number, page in enumerate(pages[start : start + _BATCH], start + 1):
                    failed += not _reextract_page(cursor, page_extractor, load_seq, reextraction_id, *page)
                    on_page(number, len(pages))
        with transaction(connection) as cursor:
            comparison = _compare(cursor, reextraction_id)
            counts = {"reextraction_id": reextraction_id, "failed": failed, "comparison": Json(comparison)}
            cursor.execute(_SQL["compared"], counts)
            return _read(cursor, reextraction_id)


def promote(warehouse: Warehouse, reextraction_id: UUID, page_extractor: ArchivedPageExtractor) -> Reextraction:
    """Use the new fields, for analysts and for revisions. Idempotent."""
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        known = read_reextraction(connection, reextraction_id)
        if known.state == "promoted":
            return known
        return _decide(connection, reextraction_id, "promoted", ("make_room", "promote"), page_extractor)


def rollback(warehouse: Warehouse, reextraction_id: UUID, page_extractor: ArchivedPageExtractor) -> Reextraction:
    """Undo a promotion, so that the earlier fields are used again. Idempotent.

    Raises ConfigError if the re-extraction was never promoted.
    """
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        known = read_reextraction(connection, reextraction_id)
        if known.state == "promoted":
            return _decide(connection, reextraction_id, "rolled_back", ("roll_back",), page_extractor)
        if known.state != "rolled_back":
            raise ConfigError(
                f"Re-extraction {reextraction_id} is {known.state}. Only a promoted one can be rolled back."
            )
        return known


def discard(warehouse: Warehouse, reextraction_id: UUID, page_extractor: ArchivedPageExtractor) -> Reextraction:
    """Close a re-extraction without using it. The old fields stay in use. Idempotent.

    Raises ConfigError if it is promoted. Roll it back instead.
    """
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        known = read_reextraction(connection, reextraction_id)
        if known.state == "promoted":
            raise ConfigError(
                f"Re-extraction {reextraction_id} is promoted. Undo it with `pressmark reextract --rollback "
                f"{reextraction_id}`."
            )
        with transaction(connection) as cursor:
            if known.state == "extracted":
                values = {"reextraction_id": reextraction_id, "state": "discarded", "load_seq": None}
                cursor.execute(_SQL["decided"], values)
            return _read(cursor, reextraction_id)


def read_reextraction(connection: Connection, reextraction_id: UUID) -> Reextraction:
    """Return one re-extraction. Raises ConfigError if the id is unknown."""
    with transaction(connection) as cursor:
        return _read(cursor, reextraction_id)


def list_reextractions(warehouse: Warehouse) -> list[Reextraction]:
    """Return the latest re-extractions, newest first."""
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["list"])
            return [Reextraction(**row) for row in dict_rows(cursor)]


def _decide(
    connection: Connection,
    reextraction_id: UUID,
    state: str,
    statements: tuple[str, ...],
    page_extractor: ArchivedPageExtractor,
) -> Reextraction:
    with transaction(connection) as cursor:
        take_turn(cursor, "load")
        cursor.execute(queries("load")["next_load_seq"])
        (load_seq,) = cursor.fetchone() or (0,)
        values: dict[str, Any] = {"reextraction_id": reextraction_id, "load_seq": load_seq}
        for statement in statements:
            cursor.execute(_SQL[statement], values)
        cursor.execute(_SQL["articles"], values)
        articles = [row[0] for row in cursor.fetchall()]
        for start in range(0, len(articles), _BATCH):
            derive(cursor, {"load_seq": load_seq}, articles[start : start + _BATCH], page_extractor)
        cursor.execute(_SQL["decided"], {**values, "state": state})
        return _read(cursor, reextraction_id)


def _reextract_page(
    cursor: Cursor,
    page_extractor: ArchivedPageExtractor,
    load_seq: int,
    reextraction_id: UUID,
    outlet: Outlet,
    config: ExtractionConfig,
    extractor_id: int,
    payload_hash: bytes,
    before: int,
    is_extracted: bool,
    file: str,
    offset: int,
    length: int,
    url: str,
) -> bool:
    """Re-extract one page. Returns True if its fields are now available."""
    cursor.execute(_SQL["is_held"], {"payload_hash": payload_hash})
    if cursor.fetchone() is None:
        return True  # erased meanwhile: do not restore it
    if not is_extracted:
        extraction = page_extractor.read(file, offset, length, config, outlet.budgets.page_size)
        if extraction is None or extraction.payload_hash != bytes(payload_hash):
            logger.warning("%s: %s could not be re-extracted", outlet.id, url)
            return False
        add_extraction(cursor, replace(extraction, comments=[]), extractor_id, load_seq)
    cursor.execute(
        _SQL["add_page"],
        {
            "reextraction_id": reextraction_id,
            "payload_hash": payload_hash,
            "extractor_id": extractor_id,
            "before": before,
        },
    )
    return True


def _compare(cursor: Cursor, reextraction_id: UUID) -> dict[str, dict[str, Any]]:
    values = {"reextraction_id": reextraction_id, "samples": _SAMPLES}
    cursor.execute(_SQL["compare"], values)
    comparison = {row["field"]: {**row, "samples": []} for row in dict_rows(cursor)}
    for name in comparison:
        cursor.execute(_SQL["samples"], {**values, "field": name})
        comparison[name]["samples"] = dict_rows(cursor)
        del comparison[name]["field"]
    return comparison


def _read(cursor: Cursor, reextraction_id: UUID) -> Reextraction:
    cursor.execute(_SQL["read"], {"reextraction_id": reextraction_id})
    rows = dict_rows(cursor)
    if not rows:
        raise ConfigError(f"There is no re-extraction {reextraction_id}. See `pressmark reextract --list`.")
    return Reextraction(**rows[0])
