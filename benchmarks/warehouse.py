"""How the warehouse fares as it grows: loading, clustering, search and analysts' questions.

    python benchmarks/warehouse.py [--sizes 10000,100000,1000000] [--json]

A warehouse of invented articles (median 400 words, dates over 24 months, 3 % copies of others with a few words
changed, 40 outlets) is filled to each size. At each size it is measured, on this very state:

- load: 2,000 new articles staged as a crawl stages them and loaded by the real loader; rows a second, and the ratio
  to a bare COPY of the same rows (texts, extractions, visits, articles, search tokens) into empty tables with the
  same indexes;
- cluster: seconds for 1,000 of them;
- search: p50 and p95 of `mart.search` over 60 queries of rare, middling and common words, phrases and filters;
- five questions an analyst asks, p50 and p95 of 5 runs each;
- bytes per article, tables and indexes.

The filling itself goes by COPY without the loader and is not measured; its MinHash signatures are random numbers, alike
for a copy and its source, as those of unrelated texts are. What is measured has the signatures of its text. Texts are
made of a vocabulary of 60,000 words with a Zipf distribution, so that common words stand in nearly every article, as
in real text.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.archive.store import ArchiveStore  # noqa: E402
from pressmark.copies import bands, lines_of  # noqa: E402
from pressmark.extraction.fingerprints import (  # noqa: E402
    BODY_HASHES,
    LEAD_HASHES,
    SIG_VERSION,
    Signatures,
    comparable_hash,
    count_words,
    signatures,
    text_hash,
)
from pressmark.registry import Registry  # noqa: E402
from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.clusters import cluster_batch  # noqa: E402
from pressmark.warehouse.comparison import Rereader  # noqa: E402
from pressmark.warehouse.connection import Connection, Warehouse, transaction  # noqa: E402
from pressmark.warehouse.copying import Json, copy_rows, field  # noqa: E402
from pressmark.warehouse.load import load_segments  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402
from pressmark.warehouse.staging import VISIT_COLUMNS  # noqa: E402

OUTLETS = 40
VOCABULARY = 60_000
LOADED = 2_000
CLUSTERED = 1_000
CHUNK = 5_000
FIRST_DAY = datetime(2024, 11, 1, tzinfo=UTC)
DAYS = 730
_CRAWL = UUID(int=1)


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


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        warehouse = Warehouse(Settings.from_env({"PRESSMARK_HOME": folder}))
        try:
            results = run(warehouse, sizes)
        finally:
            assert warehouse.embedded is not None
            warehouse.embedded.remove()
    if options.json:
        print(json.dumps(results))
        return
    report(results)


def run(warehouse: Warehouse, sizes: list[int]) -> list[dict[str, Any]]:
    """All sizes, in one warehouse that grows."""
    migrate(warehouse)
    with contextlib.closing(warehouse.connect_admin()) as connection:
        begin(connection)
        there = 0
        results = []
        for size in sizes:
            started = time.perf_counter()
            fill(connection, there, size)
            print(f"filled to {size} in {time.perf_counter() - started:.0f} s", file=sys.stderr)
            there = size
            results.append({"articles": size, **measure(warehouse, connection, size)})
            there += LOADED
        return results


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
            (_CRAWL,),
        )
        cursor.execute(
            "INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_end, finished_at, finish_reason, "
            "code_version, host, pid) "
            "VALUES (%s, %s, 'bench-00', 'incremental', now(), now(), 'finished', '1', 'b', 1)",
            (_CRAWL, _CRAWL),
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
            story.visit, story.uid, story.uid, seen, "pressmark", _CRAWL, story.payload, 1, story.url, 200, 1,
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


# -- measuring -------------------------------------------------------------------------------------


def measure(warehouse: Warehouse, connection: Connection, size: int) -> dict[str, Any]:
    """Everything at one size."""
    stories = [write_story(number) for number in range(size, size + LOADED)]
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('core', 'ops') AND c.relkind = 'r'"
        )
        (bytes_in_all,) = cursor.fetchone() or (0,)
    search = time_search(warehouse)
    questions = time_questions(warehouse)
    copied = time_copy(connection, stories)
    loaded = time_load(warehouse, connection, stories)
    clustered = time_cluster(warehouse)
    return {
        "bytes_per_article": float(bytes_in_all) / size,
        "copy_rows_per_second": LOADED / copied,
        "load_rows_per_second": LOADED / loaded,
        "load_to_copy": copied / loaded,
        "cluster_seconds": clustered,
        "search_ms": search,
        "questions_ms": questions,
    }


def time_copy(connection: Connection, stories: list[Story]) -> float:
    """Seconds to COPY the rows that loading makes into empty tables with the same indexes, in one transaction."""
    with transaction(connection) as cursor:
        cursor.execute("CREATE SCHEMA bare")
        for table in [*TABLES, "core.search_document", "staging.visit"]:
            cursor.execute(f"CREATE TABLE bare.{table.replace('.', '_')} (LIKE {table} INCLUDING ALL)")
    lines: dict[str, list[str]] = {table: [] for table in TABLES}
    for story in stories:
        for table, row in rows_of(story).items():
            lines[table].append("\t".join(map(field, row)))
    texts = {table: "\n".join(rows) + "\n" for table, rows in lines.items()}
    searched = "\n".join(
        "\t".join(map(field, (s.uid, 1, s.outlet, "en", s.published.date().isoformat(), s.payload)))
        + "\t" + field(f"{s.headline}\n{s.description}\n{s.body}")
        for s in stories
    )  # fmt: skip
    started = time.perf_counter()
    with transaction(connection) as cursor:
        for table, text in texts.items():
            cursor.copy_expert(f"COPY bare.{table.replace('.', '_')} ({TABLES[table]}) FROM STDIN", io.StringIO(text))
        # The search document is what the text says, so its tokens are made by the same function.
        cursor.execute(
            "CREATE TEMP TABLE words (uid uuid, v smallint, o text, l text, d date, s bytea, t text) ON COMMIT DROP"
        )
        cursor.copy_expert("COPY words FROM STDIN", io.StringIO(searched + "\n"))
        cursor.execute(
            "INSERT INTO bare.core_search_document SELECT uid, v, o, l, d, s, core.search_tokens(t) FROM words"
        )
    taken = time.perf_counter() - started
    with transaction(connection) as cursor:
        cursor.execute("DROP SCHEMA bare CASCADE")
    return taken


def time_load(warehouse: Warehouse, connection: Connection, stories: list[Story]) -> float:
    """Seconds of the real loader for staged visits, in segments of 500 as crawls commit them."""
    segments = []
    with transaction(connection) as cursor:
        for start in range(0, len(stories), 500):
            segment_id = UUID(int=hash((stories[start].uid, 1)) & (2**128 - 1))
            part = stories[start : start + 500]
            segments.append((segment_id, "bench-00"))
            cursor.execute(
                "INSERT INTO ops.segment (segment_id, crawl_id, outlet, state, visits) "
                "VALUES (%s, %s, 'bench-00', 'committed', %s)",
                (segment_id, _CRAWL, len(part)),
            )
            copy_rows(cursor, ("staging", "visit"), VISIT_COLUMNS, [_staged(segment_id, story) for story in part])
            frontier = "\n".join("\t".join(map(field, rows_of(s)["ops.frontier"])) for s in part) + "\n"
            cursor.copy_expert(f"COPY ops.frontier ({TABLES['ops.frontier']}) FROM STDIN", io.StringIO(frontier))
    rereader = Rereader(Registry(Path("outlets")), ArchiveStore(warehouse.settings.archive))
    started = time.perf_counter()
    done = load_segments(warehouse, segments, rereader)
    taken = time.perf_counter() - started
    assert sum(segment.visits or 0 for segment in done) == len(stories), done
    return taken


def _staged(segment_id: UUID, story: Story) -> tuple[Any, ...]:
    values: dict[str, Any] = dict.fromkeys(VISIT_COLUMNS)
    seen = story.published + timedelta(hours=1)
    url = {"kind": "requested", "url": story.url, "url_key": str(story.uid), "url_uid": str(story.uid)}
    values |= {
        "segment_id": segment_id, "visit_id": story.visit, "article_uid": story.uid, "url_uid": story.uid,
        "outlet": story.outlet, "crawl_id": _CRAWL, "url": story.url, "url_rule": 1, "observed_at": seen,
        "captured_by": "pressmark", "payload_hash": story.payload, "extractor_id": 1, "requested_url": story.url,
        "http_status": 200, "headline": story.headline, "description": story.description, "authors": ["A. Writer"],
        "date_published": story.published, "date_published_source": "meta", "date_published_precision": "second",
        "in_language": "en", "keywords": ["news"], "text_hash": story.text_hash, "article_body": story.body,
        "word_count": story.words, "char_count": len(story.body), "headline_hash": comparable_hash(story.headline),
        "description_hash": comparable_hash(story.description), "authors_hash": 1,
        "body_hash": comparable_hash(story.body), "sig_version": SIG_VERSION, "body_sig": story.signature.body,
        "lead_sig": story.signature.lead, "urls": Json([url]), "comments": Json([]), "links": [],
    }  # fmt: skip
    return tuple(values[name] for name in VISIT_COLUMNS)


def time_cluster(warehouse: Warehouse) -> float:
    """Seconds to look for the copies of 1,000 new articles, in batches as they come; the others afterwards."""
    with contextlib.closing(warehouse.connect("loader", "bench")) as connection:
        started = time.perf_counter()
        done = 0
        while done < CLUSTERED and (batch := cluster_batch(connection)) is not None:
            done += batch.articles
        taken = time.perf_counter() - started
        while cluster_batch(connection) is not None:
            pass
        return taken * CLUSTERED / max(done, 1)


def queries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Searches: common, middling and rare words, two words, phrases, with filters."""
    for rank in (0, 3, 10, 30, 80, 200, 600, 2000, 6000, 20000):
        yield str(WORDS[rank]), {}
        yield f"{WORDS[rank]} {WORDS[rank + 7]}", {}
        yield f'"{WORDS[rank]} {WORDS[0]}"', {}
        yield f"{WORDS[rank]} -{WORDS[1]}", {}
        yield str(WORDS[rank]), {"from_day": "2025-03-01", "to_day": "2025-03-31"}
        yield f"{WORDS[rank]} or {WORDS[rank + 11]}", {"of_outlet": "bench-07", "language": "en"}


def time_search(warehouse: Warehouse) -> dict[str, float]:
    """p50, p95 and the worst of all searches, each asked twice, the second time counted."""
    times = []
    with contextlib.closing(warehouse.connect("analyst", "bench")) as connection:
        for turn in range(2):
            for query, filters in queries():
                named = "".join(f", {name} => %({name})s" for name in filters)
                started = time.perf_counter()
                with transaction(connection) as cursor:
                    values = {"query": query, **filters}
                    cursor.execute(f"SELECT * FROM mart.search(%(query)s{named})", values)  # noqa: S608
                    cursor.fetchall()
                if turn:
                    times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return {"p50": statistics.median(times), "p95": times[int(len(times) * 0.95)], "worst": times[-1]}


QUESTIONS = {
    "one article by its URL": "SELECT * FROM mart.article WHERE url = 'https://bench-07.example/story-4007'",
    "an outlet's day": "SELECT headline, word_count FROM mart.article WHERE outlet = 'bench-07' "
    "AND date_published >= '2025-06-01' AND date_published < '2025-06-02'",
    "articles by outlet and month": "SELECT outlet, date_trunc('month', date_published) AS month, count(*) "
    "FROM mart.article GROUP BY 1, 2",
    "what is new since a load": "SELECT count(*) FROM mart.article_changes("
    "(SELECT max(load_seq) FROM mart.article_revision WHERE outlet = 'bench-07'))",
    "copies of a month": "SELECT count(*) FROM mart.story_cluster WHERE first_published >= '2025-06-01' "
    "AND first_published < '2025-07-01'",
}


def time_questions(warehouse: Warehouse) -> dict[str, dict[str, float]]:
    """p50 and p95 of each question, over five runs."""
    found = {}
    with contextlib.closing(warehouse.connect("analyst", "bench")) as connection:
        for name, statement in QUESTIONS.items():
            times = []
            for _ in range(5):
                started = time.perf_counter()
                with transaction(connection) as cursor:
                    cursor.execute(statement)
                    cursor.fetchall()
                times.append((time.perf_counter() - started) * 1000)
            found[name] = {"p50": statistics.median(times), "p95": max(times)}
    return found


def report(results: list[dict[str, Any]]) -> None:
    """For people."""
    first = results[0]
    for result in results:
        rate, ratio = result["load_rows_per_second"], result["load_to_copy"]
        slower = first["load_rows_per_second"] / rate
        seconds, search = result["cluster_seconds"], result["search_ms"]
        print(f"{result['articles']:,} articles, {result['bytes_per_article'] / 1024:.1f} KB each")
        print(f"  load     {rate:8.0f} articles/s, {ratio:.2f} of a bare COPY ({result['copy_rows_per_second']:.0f}/s)")
        print(f"           costs {slower:.2f} times what it costs at {first['articles']:,}")
        print(f"  cluster  {seconds:8.2f} s for 1,000, {seconds / first['cluster_seconds']:.2f} times")
        print(f"  search   {search['p50']:8.1f} ms p50, {search['p95']:.1f} ms p95, {search['worst']:.1f} ms at worst")
        for name, times in result["questions_ms"].items():
            print(f"  {name:30} {times['p50']:10.1f} ms p50, {times['p95']:.1f} ms p95")


if __name__ == "__main__":
    main()
