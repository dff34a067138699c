"""CLUSTER: finds the copies of newly loaded articles and keeps the story clusters.

Batches are worked off one after the other under one lock, each in one transaction, so that clustering
may be repeated, doubled or killed. What comes out depends on which articles are loaded, not on their
order: a line that proves to recur over its outlet has the earlier texts that hold it compared anew.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark import failpoints
from pressmark.errors import ServerError
from pressmark.extraction.fingerprints import SIG_VERSION, Numbers, Signatures, shingles, signatures
from pressmark.near_duplicates import (
    BOILERPLATE_MIN_HEADLINES,
    EQUAL,
    Similarity,
    bands,
    components,
    labels,
    measure_similarity,
    split_lines,
    without_lines,
)
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.queries import queries

BATCH = 500  # articles of one transaction
LARGE_CLUSTER = 200  # chaining is inherent to copies of copies; so large a cluster wants a look
_ATTEMPTS = 5
_SQL = queries("cluster")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class ClusterResult:
    """What came of clustering: articles looked at, pairs found, articles whose cluster changed."""

    articles: int = 0
    copies: int = 0
    changed: int = 0
    large: dict[UUID, int] = field(default_factory=dict)

    def add(self, other: ClusterResult) -> None:
        """Sum up."""
        self.articles += other.articles
        self.copies += other.copies
        self.changed += other.changed
        self.large |= other.large


@dataclass
class _Text:
    """A text of an article, on its way to a row of dedup_text."""

    article_uid: UUID
    outlet: str
    text_hash: bytes
    headline_hash: int
    body: str
    published_on: date
    stored: Signatures | None
    boilerplate_lines: frozenset[int] = frozenset()

    @cached_property
    def lines(self) -> dict[int, str]:
        return split_lines(self.outlet, self.body)

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal to that of a live row: nothing has to be done."""
        return self.article_uid, self.text_hash, self.published_on, SIG_VERSION, self.boilerplate_lines

    def signatures(self) -> Signatures | None:
        if not self.boilerplate_lines:
            return self.stored or signatures(self.body)  # none is stored of a short text, or of another version
        return signatures(without_lines(self.outlet, self.body, self.boilerplate_lines))


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A new row of dedup_text that is long enough to have copies."""

    dedup_id: int
    month: date
    bands: list[int]


def cluster(warehouse: Warehouse, on_batch: Callable[[int, int], None] | None = None) -> ClusterResult:
    """Look for the copies of everything that waits in the queue.

    on_batch: told (articles done, articles waiting) after each batch. Raises ServerError where the server
    stays away.
    """
    total = ClusterResult()
    attempts = 0
    while True:
        try:
            with contextlib.closing(warehouse.connect("loader", "pressmark cluster")) as connection:
                while (done := cluster_batch(connection)) is not None:
                    attempts = 0
                    total.add(done)
                    if on_batch:
                        on_batch(total.articles, waiting(connection))
                break
        except (psycopg2.OperationalError, psycopg2.InterfaceError, ServerError) as error:
            attempts += 1
            if attempts == _ATTEMPTS:
                raise ServerError(f"Clustering was cut off {attempts} times: {error}") from error
            logger.warning("clustering was cut off, trying again: %s", error)
    for label, size in total.large.items():
        logger.warning("story cluster %s has %d articles: copies of copies, or a wall taken for a text?", label, size)
    return total


def waiting(connection: Connection) -> int:
    """About how many entries the queue has."""
    with transaction(connection) as cursor:
        cursor.execute(_SQL["waiting"])
        return int((cursor.fetchone() or (0,))[0])


def cluster_batch(connection: Connection, limit: int = BATCH) -> ClusterResult | None:
    """One batch in one transaction; None where nothing waits."""
    with transaction(connection) as cursor:
        cursor.execute(_SQL["one_at_a_time"])
        cursor.execute(_SQL["plain_joins"])
        cursor.execute(_SQL["take"], {"limit": limit})
        taken = cursor.fetchall()
        if not taken:
            return None
        articles = sorted({article for _, article in taken})
        texts = _versions(cursor, articles)
        grown = _note_lines(cursor, texts)
        if grown:
            cursor.execute(_SQL["articles_with_lines"], {"lines": grown})
            again = sorted({row[0] for row in cursor.fetchall()} - set(articles))
            texts += _versions(cursor, again)
            articles += again
        _leave_out(cursor, texts)
        fresh = _replace_rows(cursor, articles, texts)
        copies = _copies(cursor, fresh)
        failpoints.reach("within_cluster")
        done = _regroup(cursor, articles, copies)
        cursor.execute(_SQL["done"], {"queue": [queue_id for queue_id, _ in taken]})
        done.articles = len({article for _, article in taken})
        return done


def _versions(cursor: Cursor, articles: Sequence[UUID]) -> list[_Text]:
    if not articles:
        return []
    cursor.execute(_SQL["versions"], {"articles": list(articles), "sig_version": SIG_VERSION})
    return [
        _Text(uid, outlet, bytes(text_hash), headline, body, day,
              Signatures(bytes(body_sig), bytes(lead_sig)) if body_sig else None)
        for uid, outlet, text_hash, headline, body, day, body_sig, lead_sig in cursor.fetchall()
    ]  # fmt: skip


def _note_lines(cursor: Cursor, texts: Sequence[_Text]) -> list[int]:
    """Book the lines of these texts; those that have begun to recur by it."""
    words = {line: (text.outlet, written) for text in texts for line, written in text.lines.items()}
    known = _known_lines(cursor, words)
    rows = [(line, number) for number, text in enumerate(texts, 1) for line in text.lines if line not in known]
    if not rows:
        return []
    lines = [line for line, _ in rows]
    values = {
        "lines": lines,
        "texts": [number for _, number in rows],
        "headlines": [text.headline_hash for text in texts],
        "articles": [text.article_uid for text in texts],
    }
    cursor.execute(_SQL["add_lines"], values)
    cursor.execute(_SQL["new_boilerplate_lines"], {"lines": sorted(set(lines)), "headlines": BOILERPLATE_MIN_HEADLINES})
    grown = sorted(row[0] for row in cursor.fetchall())
    if grown:
        outlets, written = zip(*(words[line] for line in grown), strict=True)
        cursor.execute(
            _SQL["add_boilerplate_lines"], {"lines": grown, "outlets": list(outlets), "words": list(written)}
        )
    return grown


def _leave_out(cursor: Cursor, texts: Sequence[_Text]) -> None:
    recurring = _known_lines(cursor, {line for text in texts for line in text.lines})
    for text in texts:
        text.boilerplate_lines = recurring.intersection(text.lines)


def _known_lines(cursor: Cursor, lines: Iterable[int]) -> frozenset[int]:
    cursor.execute(_SQL["known_lines"], {"lines": list(lines)})
    return frozenset(row[0] for row in cursor.fetchall())


def _replace_rows(cursor: Cursor, articles: Sequence[UUID], texts: Sequence[_Text]) -> list[_Fresh]:
    """Have one live row for each text; returns the new ones."""
    cursor.execute(_SQL["live_texts"], {"articles": list(articles)})
    standing = {
        (uid, bytes(text_hash), day, version, frozenset(boilerplate_lines)): dedup_id
        for dedup_id, uid, text_hash, day, version, boilerplate_lines in cursor.fetchall()
    }
    wanted = {text.key: text for text in texts}
    cursor.execute(_SQL["retire"], {"compared": [row for key, row in standing.items() if key not in wanted]})
    missing = [(text, text.signatures()) for key, text in wanted.items() if key not in standing]
    if not missing:
        return []
    rows = [
        (
            text.article_uid,
            text.text_hash,
            text.published_on,
            SIG_VERSION,
            found is not None,
            sorted(text.boilerplate_lines),
        )
        for text, found in missing
    ]
    added = execute_values(
        cursor, _SQL["add_dedup_text"], rows, template="(%s, %s, %s, %s, %s, %s::bigint[])", page_size=1000, fetch=True
    )
    numbers = {(uid, bytes(text_hash)): dedup_id for dedup_id, uid, text_hash in added}
    fresh = [
        _Fresh(numbers[text.article_uid, text.text_hash], text.published_on.replace(day=1), bands(found))
        for text, found in missing
        if found is not None
    ]
    if fresh:
        cursor.execute(_SQL["add_bands"], _probes(fresh))
    return fresh


def _probes(fresh: Sequence[_Fresh]) -> dict[str, Any]:
    return {
        "months": [row.month for row in fresh],
        "compared": [row.dedup_id for row in fresh],
        "bands": [band for row in fresh for band in row.bands],
        "each": len(fresh[0].bands),
    }


def _copies(cursor: Cursor, fresh: Sequence[_Fresh]) -> dict[tuple[int, int], Similarity]:
    """Pairs with one of the new rows in them, verified on the texts."""
    if not fresh:
        return {}
    cursor.execute(_SQL["equal_texts"], {"compared": [row.dedup_id for row in fresh]})
    copies = dict.fromkeys(cursor.fetchall(), EQUAL)
    cursor.execute(_SQL["candidates"], _probes(fresh))
    pairs = sorted(pair for pair in cursor.fetchall() if pair not in copies)
    cursor.execute(_SQL["texts"], {"compared": sorted({row for pair in pairs for row in pair})})
    sets: dict[int, Numbers] = {}
    for dedup_id, outlet, body, boilerplate_lines in cursor.fetchall():
        found = shingles(without_lines(outlet, body, frozenset(boilerplate_lines)))
        if found is not None:
            sets[dedup_id] = found
    for one, other in pairs:
        if one in sets and other in sets:
            alike = measure_similarity(sets[one], sets[other])
            if alike.is_copy:
                copies[one, other] = alike
    return copies


def _regroup(cursor: Cursor, articles: Sequence[UUID], copies: dict[tuple[int, int], Similarity]) -> ClusterResult:
    """Write the pairs, and the clusters of all articles that they or lost pairs concern."""
    cursor.execute(_SQL["next_load_seq"])
    (load_seq,) = cursor.fetchone() or (0,)
    if copies:
        rows = [(a, b, c.similarity, c.containment, c.shared, load_seq) for (a, b), c in copies.items()]
        execute_values(cursor, _SQL["add_copies"], rows, page_size=1000)
    cursor.execute(_SQL["neighbours"], {"articles": list(articles)})
    concerned = {*articles, *(row[0] for row in cursor.fetchall())}
    cursor.execute(_SQL["clusters"], {"articles": sorted(concerned)})
    before: dict[UUID, UUID] = dict(cursor.fetchall())
    concerned |= before.keys()
    cursor.execute(_SQL["edges_among"], {"articles": sorted(concerned)})
    groups = components(sorted(concerned), cursor.fetchall())
    after = labels(groups)
    changed = sorted(uid for uid in concerned if before.get(uid) != after.get(uid))
    if changed:
        cursor.execute(_SQL["leave_clusters"], {"articles": changed, "load_seq": load_seq})
        joining = [uid for uid in changed if uid in after]
        values = {"articles": joining, "labels": [after[uid] for uid in joining], "load_seq": load_seq}
        cursor.execute(_SQL["join_clusters"], values)
        cursor.execute(_SQL["mark_changed"], {"articles": changed, "load_seq": load_seq})
    large = {group[0]: len(group) for group in groups if len(group) >= LARGE_CLUSTER}
    return ClusterResult(copies=len(copies), changed=len(changed), large=large)
