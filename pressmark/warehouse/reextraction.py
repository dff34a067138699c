"""Reading archived pages again by the extractor of today, comparing field by field, and making the result count or not.

No request goes to any outlet. Nothing changes for analysts until a re-extraction is promoted. Promoting and rolling
back are one transaction each, of rows in core.extraction_override. Revisions are derived again under the extractor in
force, so a change of our extractor does not look like an edit by the newsroom.
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
from pressmark.extraction.extract import ExtractionConfig
from pressmark.outlet import Outlet
from pressmark.warehouse.connection import Connection, Warehouse, dict_rows, transaction
from pressmark.warehouse.crawls import ensure_extractor
from pressmark.warehouse.extraction_diff import ArchivedPageExtractor, add_extraction
from pressmark.warehouse.load import derive
from pressmark.warehouse.queries import queries

_SQL = queries("reextract")
_SAMPLES = 5
_BATCH = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reextraction:
    """A re-extraction as its row says; comparison by field: had, has, differs, samples."""

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
        """For people: a line a field, with samples of what would change."""
        lines = [f"{self.payloads} pages of {', '.join(self.outlets)} were read, {self.failed} could not be"]
        for name, told in self.comparison.items():
            lines.append(f"{name}: {told['differs']} differ; {told['had']} pages had it, {told['has']} have it now")
            for sample in told["samples"]:
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
    """Read every archived page of these outlets (observed within the time) that today's extractor has not read yet.

    on_page: told (done, in all). May be cut off and asked for again: what was read is not read twice.
    """
    reextraction_id = uuid4()
    failed = 0
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        wanted = []
        with transaction(connection) as cursor:
            values = {
                "reextraction_id": reextraction_id, "outlets": [o.id for o in outlets], "since": since, "until": until,
                "requested_by": requested_by or getpass.getuser(),
            }  # fmt: skip
            cursor.execute(_SQL["add"], values)
            for outlet in outlets:
                extractor_id = ensure_extractor(cursor, ExtractionConfig.for_outlet(outlet))
                cursor.execute(_SQL["pages"], {**values, "outlet": outlet.id, "extractor_id": extractor_id})
                wanted += [(outlet, extractor_id, *row) for row in cursor.fetchall()]
        for start in range(0, len(wanted), _BATCH):
            with transaction(connection) as cursor:
                cursor.execute(queries("load")["one_at_a_time"])
                cursor.execute(queries("load")["next_load_seq"])
                (load_seq,) = cursor.fetchone() or (0,)
                for place, page in enumerate(wanted[start : start + _BATCH], start + 1):
                    failed += not _read_page(cursor, page_extractor, load_seq, reextraction_id, *page)
                    on_page(place, len(wanted))
        with transaction(connection) as cursor:
            comparison = _compare(cursor, reextraction_id)
            counts = {"reextraction_id": reextraction_id, "failed": failed, "comparison": Json(comparison)}
            cursor.execute(_SQL["compared"], counts)
            return _read(cursor, reextraction_id)


def promote(warehouse: Warehouse, reextraction_id: UUID, page_extractor: ArchivedPageExtractor) -> Reextraction:
    """Make the new fields count, for analysts and for revisions. May be repeated."""
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        found = read_reextraction(connection, reextraction_id)
        if found.state == "promoted":
            return found
        return _decide(connection, reextraction_id, "promoted", ("make_room", "promote"), page_extractor)


def rollback(warehouse: Warehouse, reextraction_id: UUID, page_extractor: ArchivedPageExtractor) -> Reextraction:
    """Undo a promotion: the fields from before it are used again. May be repeated.

    Raises ConfigError for a re-extraction that was never promoted.
    """
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        found = read_reextraction(connection, reextraction_id)
        if found.state == "promoted":
            return _decide(connection, reextraction_id, "rolled_back", ("roll_back",), page_extractor)
        if found.state != "rolled_back":
            raise ConfigError(
                f"Re-extraction {reextraction_id} is {found.state}; only a promoted one can be rolled back."
            )
        return found


def discard(warehouse: Warehouse, reextraction_id: UUID, page_extractor: ArchivedPageExtractor) -> Reextraction:
    """Close a re-extraction without using it; the old fields stay. May be repeated.

    Raises ConfigError for one that was promoted: roll it back instead.
    """
    with contextlib.closing(warehouse.connect("loader", "pressmark reextract")) as connection:
        found = read_reextraction(connection, reextraction_id)
        if found.state == "promoted":
            raise ConfigError(
                f"Re-extraction {reextraction_id} is promoted. Undo it with `pressmark reextract --rollback "
                f"{reextraction_id}`."
            )
        with transaction(connection) as cursor:
            if found.state == "extracted":
                values = {"reextraction_id": reextraction_id, "state": "discarded", "load_seq": None}
                cursor.execute(_SQL["decided"], values)
            return _read(cursor, reextraction_id)


def read_reextraction(connection: Connection, reextraction_id: UUID) -> Reextraction:
    """One re-extraction. Raises ConfigError where there is none of that id."""
    with transaction(connection) as cursor:
        return _read(cursor, reextraction_id)


def list_reextractions(warehouse: Warehouse) -> list[Reextraction]:
    """The latest, newest first."""
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
        cursor.execute(queries("load")["one_at_a_time"])
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


def _read_page(
    cursor: Cursor,
    page_extractor: ArchivedPageExtractor,
    load_seq: int,
    reextraction_id: UUID,
    outlet: Outlet,
    extractor_id: int,
    payload_hash: bytes,
    before: int,
    is_there: bool,
    file: str,
    offset: int,
    length: int,
    url: str,
) -> bool:
    """One page; True where its fields are there now."""
    cursor.execute(_SQL["is_held"], {"payload_hash": payload_hash})
    if cursor.fetchone() is None:
        return True  # erased since: it is not brought back
    if not is_there:
        found = page_extractor.read(file, offset, length, ExtractionConfig.for_outlet(outlet), outlet.budgets.page_size)
        if found is None or found.payload_hash != bytes(payload_hash):
            logger.warning("%s: %s could not be read again", outlet.id, url)
            return False
        add_extraction(cursor, replace(found, comments=[]), extractor_id, load_seq)
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
    told = {row["field"]: {**row, "samples": []} for row in dict_rows(cursor)}
    for name in told:
        cursor.execute(_SQL["samples"], {**values, "field": name})
        told[name]["samples"] = dict_rows(cursor)
        del told[name]["field"]
    return told


def _read(cursor: Cursor, reextraction_id: UUID) -> Reextraction:
    cursor.execute(_SQL["read"], {"reextraction_id": reextraction_id})
    rows = dict_rows(cursor)
    if not rows:
        raise ConfigError(f"There is no re-extraction {reextraction_id}. See `pressmark reextract --list`.")
    return Reextraction(**rows[0])
