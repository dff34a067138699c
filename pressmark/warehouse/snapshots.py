"""Past states of the warehouse under a name, and what is to be known of one before it is used: its datasheet.

A state is a `load_seq`: rows say since which load and until which they hold, so nothing is copied.
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
from pressmark.warehouse.connection import Warehouse, dict_rows, transaction
from pressmark.warehouse.fingerprint import fingerprint
from pressmark.warehouse.queries import queries

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
_SQL = queries("snapshot")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A named state; see ops.snapshot."""

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
    """Whether a named state can still be reproduced. What explains a difference: removals entered since; how many
    readers' comments are there no more, removed or past what their outlet lets us keep.
    """

    snapshot: Snapshot
    content_hash: str
    removals: list[dict[str, Any]]
    comments_gone: int

    @property
    def equal(self) -> bool:
        """Whether the content is the same to the letter."""
        return self.content_hash == self.snapshot.content_hash


def create_snapshot(warehouse: Warehouse, name: str) -> Snapshot:
    """Give the present state a name. Raises ConfigError for a name that is taken or not usable."""
    from pressmark.extraction.fingerprints import SIG_VERSION  # brings in numpy

    if not _NAME.match(name):
        raise ConfigError(f"{name!r} is no name for a snapshot: use letters, digits, '.', '_' and '-', 100 at most.")
    with contextlib.closing(warehouse.connect("loader", "pressmark snapshot")) as connection:
        with transaction(connection) as cursor:
            if _read(cursor, name) is not None:
                raise ConfigError(f"There is a snapshot {name!r} already; choose another name.")
            cursor.execute(_SQL["last_load"])
            (load_seq,) = cursor.fetchone() or (0,)
        # Loads that commit meanwhile have greater numbers and do not belong to it.
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
                raise ConfigError(f"There is a snapshot {name!r} already; choose another name.")
            made = _read(cursor, name)
    assert made is not None
    return made


def read_snapshot(warehouse: Warehouse, name: str) -> Snapshot:
    """The snapshot of that name. Raises ConfigError naming what there is."""
    with contextlib.closing(warehouse.connect("loader", "pressmark snapshot")) as connection:
        with transaction(connection) as cursor:
            found = _read(cursor, name)
            if found is None:
                cursor.execute(_SQL["names"])
                known = ", ".join(row[0] for row in cursor.fetchall()) or "none"
                raise ConfigError(f"There is no snapshot {name!r}. There are: {known}.")
    return found


def list_snapshots(warehouse: Warehouse) -> list[Snapshot]:
    """All snapshots, oldest first."""
    with contextlib.closing(warehouse.connect("loader", "pressmark snapshot")) as connection:
        with transaction(connection) as cursor:
            cursor.execute(_SQL["all"], {"name": None})
            return [Snapshot(**row) for row in dict_rows(cursor)]


def check_snapshot(warehouse: Warehouse, name: str) -> SnapshotCheck:
    """Make the content hash of a named state anew."""
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
    """What a user of a named state should know, as Markdown: coverage, gaps, breaks, rights, how to cite."""
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
        f"State of {snapshot.created_at:%Y-%m-%d %H:%M} UTC, load {snapshot.load_seq}, made by Pressmark "
        f"{snapshot.code_version}. `mart.article_as_of({snapshot.load_seq})` shows it.",
        "",
        f"{counts['articles']} articles of {len(snapshot.outlets)} outlets, {counts['texts']} different texts, "
        f"{counts['revisions']} versions, {counts['clusters']} groups of copies. {snapshot.removals} removals had "
        f"been applied; {snapshot.removals_since} came since, and what they took out is not shown any more.",
        "",
        f"Content hash: `{snapshot.content_hash}` (`pressmark snapshot {snapshot.name} --check` makes it anew).",
        "",
        "## How to cite",
        "",
        f"> Articles of {len(snapshot.outlets)} news outlets, snapshot {snapshot.name} ({day}), collected with "
        f"Pressmark {snapshot.code_version}. Content hash {snapshot.content_hash}.",
        "",
        "## Coverage",
        "",
        "Days are those of publication, in the outlet's time zone. A day counts as observed where a crawl that ended "
        "well looked for what was published on it; the number of other days is a lower bound.",
        "",
        *_table(rows["coverage"]),
        "## Gaps",
        "",
        "Days between an outlet's first and last day that nobody looked at, and listings whose entries may have "
        "scrolled off unseen between two looks.",
        "",
        *_table(rows["gaps"]),
        "## Breaks",
        "",
        "What may make numbers jump without the outlet having done anything.",
        "",
        *_table(rows["breaks"]),
        "## Fields",
        "",
        "Share of the articles that have a field.",
        "",
        *_table(rows["fields"]),
        "## What is not in it",
        "",
        "Addresses that were found and did not become articles, by outcome.",
        "",
        *_table(rows["outcomes"]),
        "## Rights",
        "",
        "What the outlets state of the use of their articles, as it was last seen. It is not a licence.",
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
