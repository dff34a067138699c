"""Snapshots: named states of the warehouse, and the datasheet that describes one.

A state is a `load_seq`. Rows record the load that added them and the load that superseded them, so nothing is copied.
"""

from __future__ import annotations

import contextlib
import getpass
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import cursor as Cursor

from pressmark import __version__
from pressmark.errors import ConfigError
from pressmark.text import plural
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.fingerprint import fingerprint
from pressmark.warehouse.queries import queries

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
_SQL = queries("snapshot")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A named state. See ops.snapshot."""

    name: str
    load_seq: int
    created_at: datetime
    created_by: str
    code_version: str
    sig_version: int
    extractors: list[dict[str, Any]]
    outlets: list[dict[str, Any]]
    removals: int
    counts: dict[str, int]
    content_hash: str
    removals_since: int


@dataclass(frozen=True, slots=True)
class SnapshotCheck:
    """Result of checking a snapshot.

    removals: removals recorded since. comments_gone: reader comments that were removed or whose retention expired.
    Both explain a difference.
    """

    snapshot: Snapshot
    content_hash: str
    removals: list[dict[str, Any]]
    comments_gone: int

    @property
    def equal(self) -> bool:
        """Whether the content is identical."""
        return self.content_hash == self.snapshot.content_hash


def create_snapshot(warehouse: Warehouse, name: str) -> Snapshot:
    """Name the current state. Raises ConfigError if the name is taken or invalid."""
    from pressmark.extraction.fields import SIG_VERSION  # brings in numpy

    if not _NAME.match(name):
        raise ConfigError(f"Invalid snapshot name {name!r}. Use up to 100 letters, digits, '.', '_' and '-'.")
    with contextlib.closing(warehouse.connect("loader", "pressmark snapshot")) as connection:
        with transaction(connection) as cursor:
            if _read(cursor, name) is not None:
                raise ConfigError(f"Snapshot {name!r} already exists. Choose another name.")
            cursor.execute(_SQL["last_load"])
            (load_seq,) = cursor.fetchone() or (0,)
        # Loads that commit meanwhile have higher numbers and are not part of it.
        content = fingerprint(warehouse, load_seq)
        with transaction(connection) as cursor:
            cursor.execute(
                _SQL["add"],
                {
                    "name": name,
                    "load_seq": load_seq,
                    "created_by": getpass.getuser(),
                    "code_version": __version__,
                    "sig_version": SIG_VERSION,
                    "content_hash": content,
                },
            )
            if cursor.rowcount == 0:
                raise ConfigError(f"Snapshot {name!r} already exists. Choose another name.")
            snapshot = _read(cursor, name)
    assert snapshot is not None
    return snapshot


def read_snapshot(warehouse: Warehouse, name: str) -> Snapshot:
    """Return the snapshot of that name. Raises ConfigError that lists the known names if there is none."""
    with contextlib.closing(warehouse.connect("loader", "pressmark snapshot")) as connection:
        with transaction(connection) as cursor:
            snapshot = _read(cursor, name)
            if snapshot is None:
                cursor.execute(_SQL["names"])
                known = ", ".join(row[0] for row in cursor.fetchall()) or "none"
                raise ConfigError(f"There is no snapshot {name!r}. Known snapshots: {known}.")
    return snapshot


def list_snapshots(warehouse: Warehouse) -> list[Snapshot]:
    """Return all snapshots, oldest first."""
    with contextlib.closing(warehouse.connect("loader", "pressmark snapshot")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["all"], {"name": None})
            return [Snapshot(**row) for row in dict_rows(cursor)]


def check_snapshot(warehouse: Warehouse, name: str) -> SnapshotCheck:
    """Recompute the content hash of a snapshot."""
    snapshot = read_snapshot(warehouse, name)
    content = fingerprint(warehouse, snapshot.load_seq)
    with contextlib.closing(warehouse.connect("loader", "pressmark snapshot")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["article_comments"], {"load_seq": snapshot.load_seq})
            (comments,) = cursor.fetchone() or (0,)
            cursor.execute(_SQL["removals_since"], {"name": name})
            gone = snapshot.counts.get("comments", comments) - comments
            return SnapshotCheck(snapshot, content, dict_rows(cursor), gone)


def datasheet(warehouse: Warehouse, name: str) -> str:
    """Return the datasheet of a snapshot as Markdown: citation, coverage, gaps, discontinuities, fields and rights."""
    snapshot = read_snapshot(warehouse, name)
    rows: dict[str, list[dict[str, Any]]] = {}
    with contextlib.closing(warehouse.connect("loader", "pressmark datasheet")) as connection:
        with transaction(connection) as cursor:
            for part in ("coverage", "gaps", "breaks", "fields", "rights", "outcomes"):
                cursor.execute(_SQL[part], {"as_of": snapshot.load_seq, "until": snapshot.created_at})
                rows[part] = dict_rows(cursor)
    counts = snapshot.counts
    day = f"{snapshot.created_at:%Y-%m-%d}"
    lines = [
        f"# Datasheet: {snapshot.name}",
        "",
        f"State of {snapshot.created_at:%Y-%m-%d %H:%M} UTC, load {snapshot.load_seq}, created by Pressmark "
        f"{snapshot.code_version}. Query it with `mart.article_as_of({snapshot.load_seq})`.",
        "",
        f"{plural(counts['articles'], 'article')} of {plural(len(snapshot.outlets), 'outlet')}, "
        f"{plural(counts['texts'], 'distinct text')}, {plural(counts['revisions'], 'revision')}, "
        f"{plural(counts['clusters'], 'copy cluster')}. {plural(snapshot.removals, 'removal')} had been applied. "
        f"{plural(snapshot.removals_since, 'removal')} since then; the removed data is no longer shown.",
        "",
        f"Content hash: `{snapshot.content_hash}` (recompute it with `pressmark snapshot {snapshot.name} --check`).",
        "",
        "## How to cite",
        "",
        f"> Articles of {plural(len(snapshot.outlets), 'news outlet')}, snapshot {snapshot.name} ({day}), collected "
        f"with Pressmark {snapshot.code_version}. Content hash {snapshot.content_hash}.",
        "",
        "## Coverage",
        "",
        "Days are publication days in the outlet's time zone. A day counts as observed if a successful crawl covered "
        "it. The number of articles of any other day is a lower bound.",
        "",
        *_table(rows["coverage"]),
        "## Gaps",
        "",
        "Days between an outlet's first and last day that no crawl covered, and listings whose entries may have "
        "disappeared unseen between two polls.",
        "",
        *_table(rows["gaps"]),
        "## Discontinuities",
        "",
        "Events that may change the numbers although the outlet changed nothing.",
        "",
        *_table(rows["breaks"]),
        "## Fields",
        "",
        "Share of articles with a value, by field.",
        "",
        *_table(rows["fields"]),
        "## Not included",
        "",
        "URLs that were discovered but did not become articles, by outcome.",
        "",
        *_table(rows["outcomes"]),
        "## Rights",
        "",
        "Statements of the outlets about the use of their articles, as last seen. They are not a licence.",
        "",
        *_table(rows["rights"]),
        "## Extraction",
        "",
        *_table(snapshot.extractors),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _read(cursor: Cursor, name: str) -> Snapshot | None:
    cursor.execute(_SQL["all"], {"name": name})
    rows = dict_rows(cursor)
    return Snapshot(**rows[0]) if rows else None


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["None.", ""]
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for row in rows:
        cells = ("" if row[name] is None else str(row[name]).replace("|", "\\|").replace("\n", " ") for name in names)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]
