"""Invented articles, and a warehouse filled with them: what benchmarks/warehouse.py measures.

Median 400 words, dates over 24 months, 3 % copies of others with a few words changed, 40 outlets. Texts are made of a
vocabulary of 60,000 words with a Zipf distribution: common words stand in nearly every article, as in real texts.
The filling goes by COPY without the loader; its MinHash signatures are random numbers, alike for a copy and its source,
as those of unrelated texts are.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import numpy as np

from pressmark.copies import bands, lines_of
from pressmark.extraction.fingerprints import (
    BODY_HASHES,
    LEAD_HASHES,
    SIG_VERSION,
    Signatures,
    comparable_hash,
    count_words,
    signatures,
    text_hash,
)
from pressmark.warehouse.connection import Connection, transaction
from pressmark.warehouse.copying import field

OUTLETS = 40
VOCABULARY = 60_000
CHUNK = 5_000
FIRST_DAY = datetime(2024, 11, 1, tzinfo=UTC)
DAYS = 730
CRAWL = UUID(int=1)


@dataclass(frozen=True, slots=True)
class Story:
    """An invented article."""

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
    visit: UUID
    signature: Signatures


def _vocabulary() -> list[str]:
    rng = random.Random(7)  # noqa: S311 - invented words
    syllables = [c + v for c in "bcdfghklmnprstvwz" for v in ("a", "e", "i", "o", "u", "ai", "en", "or")]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3, 3, 4))))] = None
    return list(words)


WORDS = np.array(_vocabulary())
_WEIGHTS = 1 / np.arange(3, VOCABULARY + 3)
_CUMULATED = np.cumsum(_WEIGHTS / _WEIGHTS.sum())


def write_story(number: int, quick: bool = False) -> Story:
    """The article of a number: always the same. Every 33rd is a copy of an earlier one with a few words changed.

    quick: with a signature of random numbers.
    """
    source = number
    if number % 33 == 32:
        source = number - 1 - number % 17
    rng = np.random.default_rng(source)
    count = int(np.clip(rng.lognormal(6.0, 0.55), 60, 3000))
    words = WORDS[np.searchsorted(_CUMULATED, rng.random(count))].tolist()
    if source != number:
        for place in range(5, count, 60):
            words[place] = f"changed{number % 97}"
    body = "\n".join(" ".join(words[start : start + 55]) + "." for start in range(0, count, 55))
    outlet = f"bench-{number % OUTLETS:02}"
    url = f"https://{outlet}.example/story-{number}"
    digest = hashlib.sha256(url.encode()).digest()
    if quick:
        signature = Signatures(rng.bytes(4 * BODY_HASHES), rng.bytes(4 * LEAD_HASHES))
    else:
        signature = signatures(body) or Signatures(b"", b"")
    published = FIRST_DAY + timedelta(days=int(np.random.default_rng(source).integers(DAYS)), minutes=number % 1440)
    return Story(
        number, outlet, url, UUID(bytes=digest[:16]), digest, published, " ".join(words[:9]), " ".join(words[:25]),
        body, text_hash(body), count_words(body), UUID(bytes=digest[16:]), signature,
    )  # fmt: skip


def begin(connection: Connection) -> None:
    """Outlets, an extractor, a crawl: what all rows refer to."""
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
        # Kept from merging bench rows into what the server does by itself in the background.
        cursor.execute("ALTER TABLE core.search_document SET (autovacuum_enabled = false)")


TABLES = {
    "core.text": "text_hash, article_body, word_count, char_count, load_seq",
    "core.fingerprint": "text_hash, sig_version, body_sig, lead_sig, load_seq",
    "core.extraction": "payload_hash, extractor_id, headline, description, authors, date_published, "
    "date_published_source, date_published_precision, in_language, keywords, text_hash, headline_hash, "
    "description_hash, authors_hash, body_hash, load_seq",
    "core.article": "article_uid, outlet, url, url_rule, first_seen_at, last_seen_at, visit_id, payload_hash, "
    "extractor_id, revision_count, load_seq, changed_seq, changed_at",
    "core.visit": "visit_id, article_uid, url_uid, observed_at, captured_by, crawl_id, payload_hash, extractor_id, "
    "requested_url, http_status, load_seq",
    "core.article_url": "article_uid, kind, url_key, url_uid, url, first_seen_at, load_seq",
    "core.revision": "article_uid, ordinal, visit_id, changed_parts, cause, extractor_id, seen_changed_at, load_seq",
    "ops.frontier": "url_uid, outlet, url, article_uid, first_listed_at, last_fetch_at, last_outcome",
}


def rows_of(story: Story) -> dict[str, tuple[Any, ...]]:
    """The rows that loading an article makes, without the search document and what clustering makes."""
    seen = story.published + timedelta(hours=1)
    hashes = (comparable_hash(story.headline), comparable_hash(story.description), 1, comparable_hash(story.body))
    return {
        "core.text": (story.text_hash, story.body, story.words, len(story.body), 1),
        "core.fingerprint": (story.text_hash, SIG_VERSION, story.signature.body, story.signature.lead, 1),
        "core.extraction": (
            story.payload, 1, story.headline, story.description, ["A. Writer"], story.published, "meta", "second", "en",
            ["news"], story.text_hash, *hashes, 1,
        ),
        "core.article": (
            story.uid, story.outlet, story.url, 1, seen, seen, story.visit, story.payload, 1, 1, 1, 1, seen,
        ),
        "core.visit": (
            story.visit, story.uid, story.uid, seen, "pressmark", CRAWL, story.payload, 1, story.url, 200, 1,
        ),
        "core.article_url": (story.uid, "requested", story.uid, story.uid, story.url, seen, 1),
        "core.revision": (story.uid, 1, story.visit, [], "first", 1, seen, 1),
        "ops.frontier": (story.uid, story.outlet, story.url, story.uid, seen, seen, "new"),
    }  # fmt: skip


def fill(connection: Connection, start: int, size: int) -> None:
    """Articles start to size, by COPY; search documents by the loader's function; bands as clustering has them."""
    with transaction(connection) as cursor:
        cursor.execute(
            "ALTER DATABASE pressmark SET synchronous_commit = off; SET session_replication_role = replica; "
            "SET maintenance_work_mem = '1GB'; DROP INDEX core.search_document_tokens, core.copy_band_key; "
            "ALTER TABLE core.article_line DROP CONSTRAINT article_line_pkey"
        )
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        chunks = range(start, size, CHUNK)
        for number, prepared in enumerate(pool.imap(_prepare, [(n, min(n + CHUNK, size)) for n in chunks])):
            with transaction(connection) as cursor:
                for table, text in prepared["tables"].items():
                    cursor.copy_expert(f"COPY {table} ({TABLES[table]}) FROM STDIN", io.StringIO(text))
                cursor.copy_expert(
                    "COPY core.compared_text (compared_id, article_uid, text_hash, published_on, sig_version, "
                    "long_enough) FROM STDIN",
                    io.StringIO(prepared["compared"]),
                )
                cursor.copy_expert("COPY core.copy_band FROM STDIN", io.StringIO(prepared["bands"]))
                cursor.copy_expert("COPY core.article_line FROM STDIN", io.StringIO(prepared["lines"]))
                cursor.execute(SEARCH, {"from": chunks[number], "to": min(chunks[number] + CHUNK, size)})
    with transaction(connection) as cursor:
        cursor.execute("SET session_replication_role = origin")
        cursor.execute(
            "CREATE INDEX search_document_tokens ON core.search_document USING gin (tokens) WITH (fastupdate = on); "
            "CREATE INDEX copy_band_key ON core.copy_band (month, band_hash, compared_id); "
            "ALTER TABLE core.article_line ADD PRIMARY KEY (outlet_line, headline_hash, article_uid)"
        )
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('core.compared_text', 'compared_id'), "
            "(SELECT max(compared_id) FROM core.compared_text))"
        )
    connection.autocommit = True
    connection.cursor().execute("VACUUM ANALYZE")
    connection.autocommit = False


SEARCH = """
INSERT INTO core.search_document (article_uid, search_version, outlet, in_language, published_on, source, tokens)
SELECT a.article_uid, 1, a.outlet, x.in_language, x.date_published::date,
       sha256(convert_to(concat_ws(E'\\x1f', x.headline, x.description, encode(x.text_hash, 'hex')), 'UTF8')),
       setweight(core.search_tokens(x.headline), 'A') || setweight(core.search_tokens(x.description), 'B')
       || core.search_tokens(t.article_body)
FROM generate_series(%(from)s::integer, %(to)s::integer - 1) AS n (number)
JOIN core.article a ON a.article_uid = encode(substring(sha256(convert_to(
    'https://bench-' || lpad((n.number %% 40)::text, 2, '0') || '.example/story-' || n.number, 'UTF8')), 1, 16),
    'hex')::uuid
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
JOIN core.text t ON t.text_hash = x.text_hash
"""


def _prepare(span: tuple[int, int]) -> dict[str, Any]:
    stories = [write_story(number, quick=True) for number in range(*span)]
    lines: dict[str, list[str]] = {table: [] for table in TABLES}
    compared, banded, held = [], [], []
    for story in stories:
        for table, row in rows_of(story).items():
            lines[table].append("\t".join(map(field, row)))
        month = story.published.replace(day=1).date()
        compared.append(f"{story.number + 1}\t{story.uid}\t\\\\x{story.text_hash.hex()}\t{story.published.date()}\t"
                        f"{SIG_VERSION}\tt")  # fmt: skip
        head = comparable_hash(story.headline)
        held += [f"{line}\t{head}\t{story.uid}" for line in lines_of(story.outlet, story.body)]
        banded += [f"{month}\t{band}\t{story.number + 1}" for band in bands(story.signature)]
    return {
        "tables": {table: "\n".join(rows) + "\n" for table, rows in lines.items()},
        "compared": "\n".join(compared) + "\n",
        "bands": "\n".join(banded) + "\n",
        "lines": "\n".join(held) + "\n",
    }
