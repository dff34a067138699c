"""CLUSTER stage: find copies of newly loaded articles and maintain the copy clusters.

Batches run one after the other under one lock, each in one transaction, so clustering can be repeated,
run twice at once or killed. The result depends on which articles are loaded, not on their order. When a
line turns out to be boilerplate, earlier texts of the outlet that contain it are compared again.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg2
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from pressmark import failpoints
from pressmark.errors import ServerError
from pressmark.extraction.fields import SIG_VERSION, Signatures
from pressmark.extraction.fingerprints import Numbers, shingles, signatures
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
from pressmark.warehouse.cluster_queue import ClusterResult, articles_waiting
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.locks import take_turn
from pressmark.warehouse.queries import queries

BATCH = 500  # articles of one transaction
LARGE_CLUSTER = 200  # articles; log a warning from this size on, since copies of copies can form chains
_ATTEMPTS = 5
_SQL = queries("cluster")

logger = logging.getLogger(__name__)


@dataclass
class _Text:
    """A text of an article that is to have a row in dedup_text."""

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
        """Identifies the row. If a live row has the same key, it is kept."""
        return self.article_uid, self.text_hash, self.published_on, SIG_VERSION, self.boilerplate_lines

    def signatures(self) -> Signatures | None:
        if not self.boilerplate_lines:
            return self.stored or signatures(self.body)  # stored by the load until the first comparison
        return signatures(without_lines(self.outlet, self.body, self.boilerplate_lines))


@dataclass(frozen=True, slots=True)
class _NewRow:
    """A new row of dedup_text whose text is long enough to have copies."""

    dedup_id: int
    month: date
    bands: list[int]


def cluster(warehouse: Warehouse, on_batch: Callable[[int, int], None] | None = None) -> ClusterResult:
    """Find the copies of all queued articles.

    on_batch: called with (articles done, articles waiting) after each batch.
    Raises ServerError if the server is still unavailable after several attempts.
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
                        on_batch(total.articles, articles_waiting(connection))
                break
        except (psycopg2.OperationalError, psycopg2.InterfaceError, ServerError) as error:
            attempts += 1
            if attempts == _ATTEMPTS:
                raise ServerError(f"Clustering failed {attempts} times: {error}") from error
            logger.warning("clustering was interrupted, retrying: %s", error)
    for label, size in total.large.items():
        logger.warning("copy cluster %s has %d articles; check for chains of copies or non-article pages", label, size)
    return total


def cluster_batch(connection: Connection, limit: int = BATCH) -> ClusterResult | None:
    """Process one batch in one transaction. Returns None if the queue is empty."""
    with transaction(connection) as cursor:
        take_turn(cursor, "cluster")
        cursor.execute(_SQL["plain_joins"])
        cursor.execute(_SQL["take"], {"limit": limit})
        taken = cursor.fetchall()
        if not taken:
            return None
        articles = sorted({article for _, article in taken})
        texts = _read_texts(cursor, articles)
        new_boilerplate = _record_lines(cursor, texts)
        if new_boilerplate:
            cursor.execute(_SQL["articles_with_lines"], {"lines": new_boilerplate})
            affected = sorted({row[0] for row in cursor.fetchall()} - set(articles))
            texts += _read_texts(cursor, affected)
            articles += affected
        _set_boilerplate_lines(cursor, texts)
        new_rows = _replace_rows(cursor, articles, texts)
        copies = _find_copies(cursor, new_rows)
        failpoints.reach("within_cluster")
        result = _regroup(cursor, articles, copies)
        cursor.execute(_SQL["drop_fingerprints"], {"texts": [text.text_hash for text in texts]})
        cursor.execute(_SQL["done"], {"queue": [queue_id for queue_id, _ in taken]})
        result.articles = len({article for _, article in taken})
        return result


def _read_texts(cursor: Cursor, articles: Sequence[UUID]) -> list[_Text]:
    if not articles:
        return []
    cursor.execute(_SQL["versions"], {"articles": list(articles), "sig_version": SIG_VERSION})
    return [
        _Text(uid, outlet, bytes(text_hash), headline, body, day,
              Signatures(bytes(body_sig), bytes(lead_sig)) if body_sig else None)
        for uid, outlet, text_hash, headline, body, day, body_sig, lead_sig in cursor.fetchall()
    ]  # fmt: skip


def _record_lines(cursor: Cursor, texts: Sequence[_Text]) -> list[int]:
    """Record the lines of these texts. Returns the lines that are now boilerplate and were not before."""
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
    boilerplate = sorted(row[0] for row in cursor.fetchall())
    if boilerplate:
        outlets, written = zip(*(words[line] for line in boilerplate), strict=True)
        cursor.execute(
            _SQL["add_boilerplate_lines"], {"lines": boilerplate, "outlets": list(outlets), "words": list(written)}
        )
    return boilerplate


def _set_boilerplate_lines(cursor: Cursor, texts: Sequence[_Text]) -> None:
    boilerplate = _known_lines(cursor, {line for text in texts for line in text.lines})
    for text in texts:
        text.boilerplate_lines = boilerplate.intersection(text.lines)


def _known_lines(cursor: Cursor, lines: Iterable[int]) -> frozenset[int]:
    cursor.execute(_SQL["known_lines"], {"lines": list(lines)})
    return frozenset(row[0] for row in cursor.fetchall())


def _replace_rows(cursor: Cursor, articles: Sequence[UUID], texts: Sequence[_Text]) -> list[_NewRow]:
    """Ensure exactly one live row per text. Returns the new rows."""
    cursor.execute(_SQL["live_texts"], {"articles": list(articles)})
    live = {
        (uid, bytes(text_hash), day, version, frozenset(boilerplate_lines)): dedup_id
        for dedup_id, uid, text_hash, day, version, boilerplate_lines in cursor.fetchall()
    }
    wanted = {text.key: text for text in texts}
    cursor.execute(_SQL["retire"], {"compared": [row for key, row in live.items() if key not in wanted]})
    missing = [(text, text.signatures()) for key, text in wanted.items() if key not in live]
    if not missing:
        return []
    rows = [
        (
            text.article_uid,
            text.text_hash,
            text.published_on,
            SIG_VERSION,
            signature is not None,
            sorted(text.boilerplate_lines),
        )
        for text, signature in missing
    ]
    added = execute_values(
        cursor, _SQL["add_dedup_text"], rows, template="(%s, %s, %s, %s, %s, %s::bigint[])", page_size=1000, fetch=True
    )
    numbers = {(uid, bytes(text_hash)): dedup_id for dedup_id, uid, text_hash in added}
    new_rows = [
        _NewRow(numbers[text.article_uid, text.text_hash], text.published_on.replace(day=1), bands(signature))
        for text, signature in missing
        if signature is not None
    ]
    if new_rows:
        values = _band_values(new_rows)
        cursor.execute(_SQL["ensure_band_partitions"], values)
        cursor.execute(_SQL["add_bands"], values)
    return new_rows


def _band_values(new_rows: Sequence[_NewRow]) -> dict[str, Any]:
    return {
        "months": [row.month for row in new_rows],
        "compared": [row.dedup_id for row in new_rows],
        "bands": [band for row in new_rows for band in row.bands],
        "each": len(new_rows[0].bands),
    }


def _find_copies(cursor: Cursor, new_rows: Sequence[_NewRow]) -> dict[tuple[int, int], Similarity]:
    """Return the pairs of copies that include a new row, verified on the texts."""
    if not new_rows:
        return {}
    cursor.execute(_SQL["equal_texts"], {"compared": [row.dedup_id for row in new_rows]})
    copies = dict.fromkeys(cursor.fetchall(), EQUAL)
    cursor.execute(_SQL["candidates"], _band_values(new_rows))
    pairs = sorted(pair for pair in cursor.fetchall() if pair not in copies)
    cursor.execute(_SQL["texts"], {"compared": sorted({row for pair in pairs for row in pair})})
    sets: dict[int, Numbers] = {}
    for dedup_id, outlet, body, boilerplate_lines in cursor.fetchall():
        text_shingles = shingles(without_lines(outlet, body, frozenset(boilerplate_lines)))
        if text_shingles is not None:
            sets[dedup_id] = text_shingles
    for first, second in pairs:
        if first in sets and second in sets:
            similarity = measure_similarity(sets[first], sets[second])
            if similarity.is_copy:
                copies[first, second] = similarity
    return copies


def _regroup(cursor: Cursor, articles: Sequence[UUID], copies: dict[tuple[int, int], Similarity]) -> ClusterResult:
    """Store the pairs, and update the clusters of all articles affected by new or lost pairs."""
    take_turn(cursor, "load")
    cursor.execute(_SQL["next_load_seq"])
    (load_seq,) = cursor.fetchone() or (0,)
    if copies:
        rows = [(a, b, c.similarity, c.containment, c.shared, load_seq) for (a, b), c in copies.items()]
        execute_values(cursor, _SQL["add_copies"], rows, page_size=1000)
    cursor.execute(_SQL["neighbours"], {"articles": list(articles)})
    affected = {*articles, *(row[0] for row in cursor.fetchall())}
    cursor.execute(_SQL["clusters"], {"articles": sorted(affected)})
    before: dict[UUID, UUID] = dict(cursor.fetchall())
    affected |= before.keys()
    cursor.execute(_SQL["edges_among"], {"articles": sorted(affected)})
    groups = components(sorted(affected), cursor.fetchall())
    after = labels(groups)
    changed = sorted(uid for uid in affected if before.get(uid) != after.get(uid))
    if changed:
        cursor.execute(_SQL["leave_clusters"], {"articles": changed, "load_seq": load_seq})
        joining = [uid for uid in changed if uid in after]
        values = {"articles": joining, "labels": [after[uid] for uid in joining], "load_seq": load_seq}
        cursor.execute(_SQL["join_clusters"], values)
        cursor.execute(_SQL["mark_changed"], {"articles": changed, "load_seq": load_seq})
    large = {group[0]: len(group) for group in groups if len(group) >= LARGE_CLUSTER}
    return ClusterResult(copies=len(copies), changed=len(changed), large=large)
