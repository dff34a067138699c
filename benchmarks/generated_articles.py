"""Generate articles and fill a warehouse with them, for benchmarks/warehouse.py.

The articles have a median of 400 words and belong to 40 outlets. Their dates span 24 months. Three per cent are copies
of others with a few words changed. The vocabulary has 60,000 words with a Zipf distribution, so that common words occur
in nearly every article, as in real texts. The warehouse is filled with COPY instead of the loader. The MinHash
signatures are random numbers, equal for a copy and its source; signatures of unrelated texts look random too.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import numpy as np
from psycopg2 import sql
from rich.console import Console
from rich.progress import track

from pressmark.extraction.fields import SIG_VERSION, Signatures
from pressmark.extraction.fingerprints import (
    BODY_HASHES,
    LEAD_HASHES,
    comparable_hash,
    count_words,
    signatures,
    text_hash,
)
from pressmark.near_duplicates import bands, split_lines
from pressmark.settings import Settings
from pressmark.warehouse.connection import Connection, Warehouse, transaction
from pressmark.warehouse.copy_format import field
from pressmark.warehouse.queries import queries

OUTLETS = 40
VOCABULARY = 60_000
CHUNK = 5_000
FIRST_DAY = datetime(2024, 11, 1, tzinfo=UTC)
DAYS = 730
CRAWL = UUID(int=1)


@dataclass(frozen=True, slots=True)
class GeneratedArticle:
    """A generated article."""

    number: int
    outlet: str
    url: str
    uid: UUID
    payload: bytes
    published: datetime
    headline: str
    description: str
    body: str
    text_hash: bytes
    words: int
    capture_id: UUID
    signature: Signatures


def _vocabulary() -> list[str]:
    rng = random.Random(7)  # noqa: S311 - generated words
    syllables = [c + v for c in "bcdfghklmnprstvwz" for v in ("a", "e", "i", "o", "u", "ai", "en", "or")]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3, 3, 4))))] = None
    return list(words)


WORDS = np.array(_vocabulary())
_WEIGHTS = 1 / np.arange(3, VOCABULARY + 3)
_CUMULATIVE = np.cumsum(_WEIGHTS / _WEIGHTS.sum())


def write_article(number: int, quick: bool = False, new: bool = False) -> GeneratedArticle:
    """Return the article with this number. The result is always the same.

    Every 33rd article is a copy of an earlier one with a few words changed.
    quick: use random numbers as the signature. new: use a date in the last month, like the articles of a crawl.
    """
    source = number
    if number % 33 == 32:
        source = number - 1 - number % 17
    rng = np.random.default_rng(source)
    count = int(np.clip(rng.lognormal(6.0, 0.55), 60, 3000))
    words = WORDS[np.searchsorted(_CUMULATIVE, rng.random(count))].tolist()
    if source != number:
        for position in range(5, count, 60):
            words[position] = f"changed{number % 97}"
    body = "\n".join(" ".join(words[start : start + 55]) + "." for start in range(0, count, 55))
    outlet = f"bench-{number % OUTLETS:02}"
    url = f"https://{outlet}.example/story-{number}"
    digest = hashlib.sha256(url.encode()).digest()
    if quick:
        signature = Signatures(rng.bytes(4 * BODY_HASHES), rng.bytes(4 * LEAD_HASHES))
    else:
        signature = signatures(body) or Signatures(b"", b"")
    day = int(np.random.default_rng(source).integers(DAYS - 30 if new else 0, DAYS))
    published = FIRST_DAY + timedelta(days=day, minutes=number % 1440)
    return GeneratedArticle(
        number, outlet, url, UUID(bytes=digest[:16]), digest, published, " ".join(words[:9]), " ".join(words[:25]),
        body, text_hash(body), count_words(body), UUID(bytes=digest[16:]), signature,
    )  # fmt: skip


def begin(connection: Connection) -> None:
    """Insert the outlets, the extractor and the crawl that all rows refer to."""
    with transaction(connection) as cursor:
        for number in range(OUTLETS):
            outlet = f"bench-{number:02}"
            cursor.execute(
                "INSERT INTO core.outlet (outlet, name, home, languages, timezone, tier, domains, enabled, gone_after) "
                "VALUES (%s, %s, %s, '{en}', 'UTC', 'hourly', %s, true, '1 day')",
                (outlet, outlet, f"https://{outlet}.example/", [f"{outlet}.example"]),
            )
        cursor.execute(
            "INSERT INTO core.extractor (name, version, config_hash, config) VALUES ('bench', '1', '\\x00', '{}')"
        )
        cursor.execute(
            "INSERT INTO ops.crawl_request (request_id, outlet, mode, interval_end, requested_by, config_hash) "
            "VALUES (%s, 'bench-00', 'incremental', now(), 'bench', '\\x00')",
            (CRAWL,),
        )
        cursor.execute(
            "INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_end, finished_at, finish_reason, "
            "code_version, host, pid) "
            "VALUES (%s, %s, 'bench-00', 'incremental', now(), now(), 'finished', '1', 'b', 1)",
            (CRAWL, CRAWL),
        )
        months = [(FIRST_DAY + timedelta(days=day)).date() for day in range(0, DAYS + 31, 28)]
        for parent in ("search_document", "lsh_band"):
            cursor.execute("SELECT core.ensure_month_partitions(%s, %s)", (parent, months))
        cursor.execute("SELECT partition FROM core.month_partition WHERE parent = 'search_document'")
        for (partition,) in cursor.fetchall():
            # Autovacuum would merge the pending entries of the search index in the background and distort the
            # measurements.
            cursor.execute(
                sql.SQL("ALTER TABLE core.{} SET (autovacuum_enabled = false)").format(sql.Identifier(partition))
            )


TABLES = {
    "core.text": "text_hash, article_body, word_count, char_count, load_seq",
    "core.fingerprint": "text_hash, sig_version, body_sig, lead_sig, load_seq",
    "core.extraction": "payload_hash, extractor_id, headline, description, authors, date_published, "
    "date_published_source, date_published_precision, in_language, keywords, text_hash, headline_hash, "
    "description_hash, authors_hash, body_hash, load_seq",
    "core.article": "article_uid, loose_uid, outlet, url, url_rule, first_seen_at, last_seen_at, capture_id, "
    "payload_hash, extractor_id, revision_count, load_seq, changed_seq, changed_at, date_published, "
    "date_published_day, in_language, word_count",
    "core.capture": "capture_id, article_uid, url_uid, observed_at, captured_by, crawl_id, payload_hash, extractor_id, "
    "requested_url, http_status, load_seq",
    "core.article_url": "article_uid, kind, url_key, url_uid, url, first_seen_at, load_seq",
    "core.revision": "article_uid, ordinal, capture_id, changed_parts, cause, extractor_id, seen_changed_at, load_seq",
    "ops.frontier": "url_uid, outlet, url, article_uid, first_listed_at, last_fetch_at, last_outcome",
}


def make_rows(article: GeneratedArticle) -> dict[str, tuple[Any, ...]]:
    """Return the rows that loading an article inserts, without the search document and the rows of clustering."""
    observed_at = article.published + timedelta(hours=1)
    hashes = (comparable_hash(article.headline), comparable_hash(article.description), 1, comparable_hash(article.body))
    return {
        "core.text": (article.text_hash, article.body, article.words, len(article.body), 1),
        "core.fingerprint": (article.text_hash, SIG_VERSION, article.signature.body, article.signature.lead, 1),
        "core.extraction": (
            article.payload, 1, article.headline, article.description, ["A. Writer"], article.published, "meta",
            "second", "en",
            ["news"], article.text_hash, *hashes, 1,
        ),
        "core.article": (
            article.uid, article.uid, article.outlet, article.url, 1, observed_at, observed_at, article.capture_id,
            article.payload, 1, 1, 1, 1, observed_at, article.published, article.published.date().isoformat(), "en",
            article.words,
        ),
        "core.capture": (
            article.capture_id, article.uid, article.uid, observed_at, "pressmark", CRAWL, article.payload, 1,
            article.url, 200, 1,
        ),
        "core.article_url": (article.uid, "requested", article.uid, article.uid, article.url, observed_at, 1),
        "core.revision": (article.uid, 1, article.capture_id, [], "first", 1, observed_at, 1),
        "ops.frontier": (article.uid, article.outlet, article.url, article.uid, observed_at, observed_at, "new"),
    }  # fmt: skip


def fill(warehouse: Warehouse, start: int, size: int) -> None:
    """Insert the articles from start to size with COPY, from one process per core.

    Search documents and bands are the same as from the loader. Raises AssertionError if a search document differs from
    the result of the warehouse's own function.
    """
    with contextlib.closing(warehouse.connect_admin()) as connection:
        with transaction(connection) as cursor:
            cursor.execute(
                "SELECT string_agg(replace(pg_get_indexdef(i), ' ON ONLY ', ' ON '), ';'), "
                "string_agg(i::regclass::text, ', ') "
                "FROM (SELECT 'core.search_document_tokens'::regclass AS i UNION ALL "
                "SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indrelid "
                "WHERE relispartition AND relname LIKE 'lsh_band_%%') bulky"
            )
            index_definitions, indexes = cursor.fetchone() or ("", "")
            cursor.execute(f"DROP INDEX {indexes}; ALTER TABLE core.article_line DROP CONSTRAINT article_line_pkey")
            cursor.execute("SELECT COALESCE(max(dedup_id), 0) + 1 FROM core.dedup_text")
            (next_dedup_id,) = cursor.fetchone() or (1,)
        chunks = [(n, min(n + CHUNK, size), next_dedup_id - start) for n in range(start, size, CHUNK)]
        with get_context("spawn").Pool(os.cpu_count(), _open, (warehouse.settings,)) as pool:
            filled_chunks = pool.imap_unordered(_fill_chunk, chunks)
            deque(
                track(filled_chunks, f"Filling to {size:,} articles", len(chunks), console=Console(stderr=True)),
                maxlen=0,
            )
        with transaction(connection) as cursor:
            cursor.execute("SET LOCAL maintenance_work_mem = '2GB'")
            cursor.execute(
                f"{index_definitions}; "
                "ALTER TABLE core.article_line ADD PRIMARY KEY (outlet_line, headline_hash, article_uid)"
            )
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('core.dedup_text', 'dedup_id'), "
                "(SELECT max(dedup_id) FROM core.dedup_text))"
            )
            cursor.execute(queries("counts")["correct"])
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")  # so that writes of this step are not part of the measurements


_connections: list[Connection] = []  # one in each worker process


def _open(settings: Settings) -> None:
    connection = Warehouse(settings).connect_admin()
    with transaction(connection) as cursor:
        cursor.execute("SET synchronous_commit = off; SET session_replication_role = replica")  # no foreign keys
    _connections.append(connection)


def _fill_chunk(span: tuple[int, int, int]) -> None:
    start, end, first_id = span
    articles = [write_article(number, quick=True) for number in range(start, end)]
    kept = {table: columns for table, columns in TABLES.items() if table != "core.fingerprint"}
    rows: dict[str, list[str]] = {f"{table} ({columns})": [] for table, columns in {**kept, **DERIVED}.items()}
    for article in articles:
        for table, row in make_rows(article).items():
            if table == "core.fingerprint":
                continue  # clustering deletes it
            rows[f"{table} ({TABLES[table]})"].append("\t".join(map(field, row)))
        for table, table_rows in derived_rows(article, first_id + article.number).items():
            rows[f"{table} ({DERIVED[table]})"] += table_rows
    with transaction(_connections[0]) as cursor:
        for target, lines in rows.items():
            cursor.copy_expert(f"COPY {target} FROM STDIN", io.StringIO("\n".join(lines) + "\n"))
        cursor.execute(HAS_EXPECTED_TOKENS, {"article": articles[0].uid})
        assert cursor.fetchone() == (True,), articles[0]


DERIVED = {
    "core.search_document": "article_uid, search_version, outlet, in_language, published_on, source, tokens",
    "core.dedup_text": "dedup_id, article_uid, text_hash, published_on, sig_version, long_enough",
    "core.lsh_band": "month, band_hash, dedup_id",
    "core.article_line": "outlet_line, headline_hash, article_uid",
}


def derived_rows(article: GeneratedArticle, dedup_id: int) -> dict[str, list[str]]:
    """Return the rows that the warehouse and clustering derive from a text, as lines for COPY."""
    day = article.published.date()
    source = hashlib.sha256(
        "\x1f".join((article.headline, article.description, article.text_hash.hex())).encode()
    ).digest()
    head, month = comparable_hash(article.headline), day.replace(day=1)
    return {
        "core.search_document": [
            "\t".join(map(field, (article.uid, 1, article.outlet, "en", day.isoformat(), source, _tokens(article))))
        ],
        "core.dedup_text": [
            "\t".join(map(field, (dedup_id, article.uid, article.text_hash, day.isoformat(), SIG_VERSION, True)))
        ],
        "core.lsh_band": [f"{month}\t{band}\t{dedup_id}" for band in bands(article.signature)],
        "core.article_line": [f"{line}\t{head}\t{article.uid}" for line in split_lines(article.outlet, article.body)],
    }


def _tokens(article: GeneratedArticle) -> str:
    # For words of ASCII letters, this equals core.search_tokens and takes a tenth of the time.
    positions: dict[str, list[str]] = {}
    position = 0
    for text, weight in ((article.headline, "A"), (article.description, "B"), (article.body, "")):
        for word in text.replace(".", " ").split():
            position += 1
            positions.setdefault(word, []).append(f"{position}{weight}")
    return " ".join(f"{word}:{','.join(word_positions[:255])}" for word, word_positions in positions.items())


HAS_EXPECTED_TOKENS = """
SELECT d.tokens = setweight(core.search_tokens(x.headline), 'A') || setweight(core.search_tokens(x.description), 'B')
                  || core.search_tokens(t.article_body)
FROM core.search_document d
JOIN core.article a ON a.article_uid = d.article_uid
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
JOIN core.text t ON t.text_hash = x.text_hash
WHERE d.article_uid = %(article)s
"""
