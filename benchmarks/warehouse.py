"""Speed of loading, clustering, search and analysts' queries as the warehouse grows.

    python benchmarks/warehouse.py [--sizes 10000,100000,1000000] [--keep FOLDER] [--check] [--json]

benchmarks/generated_articles.py fills a warehouse with generated articles to each size: 40 outlets, a median of 400
words, dates over 24 months, and 3 % copies with a few words changed. Filling is not measured. At each size, the
benchmark measures:

- load: 2,000 articles of the last month, staged as by a crawl and loaded by the real loader. Reports articles per
  second, and the ratio to a plain COPY of the same rows (texts, extractions, captures, articles, search tokens) into
  empty tables with the same indexes. Medians of three rounds.
- cluster: the seconds for 1,000 of these articles. They have the real signatures of their texts.
- search: p50 and p95 of `mart.search` over 60 queries with rare, medium and common words, phrases and filters.
- queries: p50 and p95 of analysts' queries, with five runs each.
- size: bytes per article, including indexes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg2 import sql

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.generated_articles import CRAWL, TABLES, WORDS, GeneratedArticle, begin, fill, make_rows, write_article  # noqa: E402
from pressmark.archive.store import ArchiveStore  # noqa: E402
from pressmark.extraction.fields import SIG_VERSION  # noqa: E402
from pressmark.extraction.fingerprints import comparable_hash  # noqa: E402
from pressmark.registry import Registry  # noqa: E402
from pressmark.settings import Settings  # noqa: E402
from pressmark.warehouse.clusters import cluster_batch  # noqa: E402
from pressmark.warehouse.connection import Connection, Warehouse, transaction  # noqa: E402
from pressmark.warehouse.copy_format import Json, copy_rows, field  # noqa: E402
from pressmark.warehouse.extraction_diff import ArchivedPageExtractor  # noqa: E402
from pressmark.warehouse.load import load_segments  # noqa: E402
from pressmark.warehouse.migrations import migrate  # noqa: E402
from pressmark.warehouse.staging import CAPTURE_COLUMNS  # noqa: E402

# What --check allows at the largest size. Ratios compare with the smallest size. They leave room for a busy machine.
LIMITS = {
    "load, cost / cost at the smallest size": 1.6,
    "COPY / load, in rows per second": 2.2,
    "cluster, cost / cost at the smallest size": 1.8,
    "search, p95 in ms": 200.0,
    "search within a month, p95 in ms": 80.0,
    "one article by its URL, ms": 10.0,
    "one day of an outlet, ms": 20.0,
    "articles by outlet and month, ms": 200.0,
    "attention to a common word by week, ms": 2000.0,
    "KB per article": 21.0,
}

LOADED = 2_000
ROUNDS = 3
CLUSTERED = 1_000


def main() -> None:
    """Fill the warehouse, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="measure at these numbers of articles")
    parser.add_argument(
        "--keep",
        type=Path,
        help="create the warehouse in this home and keep it, for `pressmark psql`; if it exists, measure it again",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    parser.add_argument(
        "--check", action="store_true", help="exit with code 1 if a figure at the largest size is over its limit"
    )
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    if options.keep and options.keep.exists():
        results = [measure_again(Warehouse(Settings.from_env({"PRESSMARK_HOME": str(options.keep.absolute())})))]
    else:
        with home(options.keep) as warehouse:
            results = run(warehouse, sizes)
    if options.json:
        print(json.dumps(results))
    else:
        report(results)
    if options.check:
        sys.exit(bool(over_limit(results)))


@contextlib.contextmanager
def home(keep: Path | None) -> Iterator[Warehouse]:
    """Yield a new warehouse. It is removed at the end unless keep names a folder for it."""
    if keep:
        keep.mkdir(mode=0o755)
        yield Warehouse(Settings.from_env({"PRESSMARK_HOME": str(keep.absolute())}))
        return
    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        warehouse = Warehouse(Settings.from_env({"PRESSMARK_HOME": folder}))
        try:
            yield warehouse
        finally:
            assert warehouse.embedded is not None
            warehouse.embedded.remove()


def run(warehouse: Warehouse, sizes: list[int]) -> list[dict[str, Any]]:
    """Measure at all sizes in one growing warehouse."""
    migrate(warehouse)
    with contextlib.closing(warehouse.connect_admin()) as connection:
        begin(connection)
        next_number = 0
        results = []
        for size in sizes:
            started = time.perf_counter()
            fill(warehouse, next_number, size)
            print(f"Filled to {size:,} articles in {time.perf_counter() - started:.0f} s", file=sys.stderr)
            results.append({"articles": size, **measure(warehouse, connection, size)})
            print(json.dumps(results[-1]), file=sys.stderr)
            next_number = size + ROUNDS * LOADED
        return results


def measure_again(warehouse: Warehouse) -> dict[str, Any]:
    """Measure a warehouse that this benchmark filled earlier."""
    assert warehouse.embedded is not None
    warehouse.embedded.ensure_running()
    with contextlib.closing(warehouse.connect_admin()) as connection:
        with transaction(connection) as cursor:
            cursor.execute("SELECT max(substring(url FROM 'story-(.*)')::integer) + 1 FROM core.article")
            (size,) = cursor.fetchone() or (0,)
            cursor.execute("CHECKPOINT")
        return {"articles": size, **measure(warehouse, connection, size)}


def measure(warehouse: Warehouse, connection: Connection, size: int) -> dict[str, Any]:
    """Return all measurements at one size."""
    with transaction(connection) as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('core', 'ops') AND c.relkind = 'r'"
        )
        (total_bytes,) = cursor.fetchone() or (0,)
    search = time_search(warehouse)
    query_times = time_questions(warehouse)
    copy_seconds, load_seconds, cluster_seconds = [], [], []
    for start in range(size, size + ROUNDS * LOADED, LOADED):
        articles = [write_article(number, new=True) for number in range(start, start + LOADED)]
        copy_seconds.append(time_copy(connection, articles))
        load_seconds.append(time_load(warehouse, connection, articles))
        cluster_seconds.append(time_cluster(warehouse))
    copy_median, load_median, cluster_median = map(statistics.median, (copy_seconds, load_seconds, cluster_seconds))
    return {
        "bytes_per_article": float(total_bytes) / size,
        "copy_rows_per_second": LOADED / copy_median,
        "load_rows_per_second": LOADED / load_median,
        "load_to_copy": copy_median / load_median,
        "load_to_copy_turns": [copy / load for copy, load in zip(copy_seconds, load_seconds, strict=True)],
        "cluster_seconds": cluster_median,
        "search_ms": search,
        "questions_ms": query_times,
    }


def time_copy(connection: Connection, articles: list[GeneratedArticle]) -> float:
    """Return the seconds to COPY the rows of a load into empty tables with the same indexes, in one transaction."""
    with transaction(connection) as cursor:
        cursor.execute("CREATE SCHEMA plain")
        for table in [*TABLES, "core.search_document", "staging.capture"]:
            target, source = sql.Identifier("plain", table.replace(".", "_")), sql.Identifier(*table.split("."))
            # A new table also has the indexes of a partitioned one.
            cursor.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(target, source))
    lines: dict[str, list[str]] = {table: [] for table in TABLES}
    for article in articles:
        for table, row in make_rows(article).items():
            lines[table].append("\t".join(map(field, row)))
    texts = {table: "\n".join(rows) + "\n" for table, rows in lines.items()}
    search_texts = "\n".join(
        "\t".join(map(field, (s.uid, 1, s.outlet, "en", s.published.date().isoformat(), s.payload)))
        + "\t" + field(f"{s.headline}\n{s.description}\n{s.body}")
        for s in articles
    )  # fmt: skip
    started = time.perf_counter()
    with transaction(connection) as cursor:
        for table, text in texts.items():
            cursor.copy_expert(f"COPY plain.{table.replace('.', '_')} ({TABLES[table]}) FROM STDIN", io.StringIO(text))
        # The tokens of the search document come from the same function as in a load.
        cursor.execute(
            "CREATE TEMP TABLE words (uid uuid, v smallint, o text, l text, d date, s bytea, t text) ON COMMIT DROP"
        )
        cursor.copy_expert("COPY words FROM STDIN", io.StringIO(search_texts + "\n"))
        cursor.execute(
            "INSERT INTO plain.core_search_document SELECT uid, v, o, l, d, s, core.search_tokens(t) FROM words"
        )
    seconds = time.perf_counter() - started
    with transaction(connection) as cursor:
        cursor.execute("DROP SCHEMA plain CASCADE")
    return seconds


def time_load(warehouse: Warehouse, connection: Connection, articles: list[GeneratedArticle]) -> float:
    """Return the seconds of the real loader for staged captures, in segments of 500."""
    segments = []
    with transaction(connection) as cursor:
        for start in range(0, len(articles), 500):
            segment_id = UUID(int=hash((articles[start].uid, 1)) & (2**128 - 1))
            segment_articles = articles[start : start + 500]
            segments.append((segment_id, "bench-00"))
            cursor.execute(
                "INSERT INTO ops.segment (segment_id, crawl_id, outlet, state, captures) "
                "VALUES (%s, %s, 'bench-00', 'committed', %s)",
                (segment_id, CRAWL, len(segment_articles)),
            )
            copy_rows(
                cursor,
                ("staging", "capture"),
                CAPTURE_COLUMNS,
                [_staged(segment_id, article) for article in segment_articles],
            )
            frontier = "\n".join("\t".join(map(field, make_rows(s)["ops.frontier"])) for s in segment_articles) + "\n"
            cursor.copy_expert(f"COPY ops.frontier ({TABLES['ops.frontier']}) FROM STDIN", io.StringIO(frontier))
    page_extractor = ArchivedPageExtractor(Registry(Path("outlets")), ArchiveStore(warehouse.settings.archive))
    started = time.perf_counter()
    loaded = load_segments(warehouse, segments, page_extractor)
    seconds = time.perf_counter() - started
    assert sum(segment.captures or 0 for segment in loaded) == len(articles), loaded
    return seconds


def _staged(segment_id: UUID, article: GeneratedArticle) -> tuple[Any, ...]:
    values: dict[str, Any] = dict.fromkeys(CAPTURE_COLUMNS)
    observed_at = article.published + timedelta(hours=1)
    url = {"kind": "requested", "url": article.url, "url_key": str(article.uid), "url_uid": str(article.uid)}
    values |= {
        "segment_id": segment_id, "capture_id": article.capture_id, "article_uid": article.uid, "url_uid": article.uid,
        "outlet": article.outlet, "crawl_id": CRAWL, "url": article.url, "url_rule": 1, "observed_at": observed_at,
        "captured_by": "pressmark", "payload_hash": article.payload, "extractor_id": 1, "requested_url": article.url,
        "http_status": 200, "headline": article.headline, "description": article.description, "authors": ["A. Writer"],
        "date_published": article.published, "date_published_source": "meta", "date_published_precision": "second",
        "in_language": "en", "keywords": ["news"], "text_hash": article.text_hash, "article_body": article.body,
        "word_count": article.words, "char_count": len(article.body),
        "headline_hash": comparable_hash(article.headline),
        "description_hash": comparable_hash(article.description), "authors_hash": 1,
        "body_hash": comparable_hash(article.body), "sig_version": SIG_VERSION, "body_sig": article.signature.body,
        "lead_sig": article.signature.lead, "urls": Json([url]), "comments": Json([]), "links": [],
        "is_live_blog": False, "author_organisations": [],
    }  # fmt: skip
    return tuple(values[name] for name in CAPTURE_COLUMNS)


def time_cluster(warehouse: Warehouse) -> float:
    """Return the seconds to cluster 1,000 new articles. The rest of the queue is clustered without timing."""
    with contextlib.closing(warehouse.connect("loader", "bench")) as connection:
        started = time.perf_counter()
        clustered = 0
        while clustered < CLUSTERED and (batch := cluster_batch(connection)) is not None:
            clustered += batch.articles
        seconds = time.perf_counter() - started
        while cluster_batch(connection) is not None:
            pass
        return seconds * CLUSTERED / max(clustered, 1)


def queries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield searches with common, medium and rare words, pairs of words, phrases and filters."""
    for rank in (0, 3, 10, 30, 80, 200, 600, 2000, 6000, 20000):
        yield str(WORDS[rank]), {}
        yield f"{WORDS[rank]} {WORDS[rank + 7]}", {}
        yield f'"{WORDS[rank]} {WORDS[0]}"', {}
        yield f"{WORDS[rank]} -{WORDS[1]}", {}
        yield str(WORDS[rank]), {"from_day": "2025-03-01", "to_day": "2025-03-31"}
        yield f"{WORDS[rank]} or {WORDS[rank + 11]}", {"of_outlet": "bench-07", "language": "en"}


def time_search(warehouse: Warehouse) -> dict[str, float]:
    """Return the p50, p95 and maximum of all searches, and the p95 of those of a month.

    Each runs twice, and the second run is timed.
    """
    times = []
    times_of_a_month = []
    with contextlib.closing(warehouse.connect("analyst", "bench")) as connection:
        for run_number in range(2):
            for query, filters in queries():
                started = time.perf_counter()
                with transaction(connection) as cursor:
                    cursor.callproc("mart.search", {"query": query, **filters})
                    cursor.fetchall()
                if run_number:
                    times.append((time.perf_counter() - started) * 1000)
                    if "from_day" in filters:
                        times_of_a_month.append(times[-1])
    times.sort()
    return {
        "p50": statistics.median(times),
        "p95": times[int(len(times) * 0.95)],
        "worst": times[-1],
        "month_p95": sorted(times_of_a_month)[int(len(times_of_a_month) * 0.95)],
    }


QUESTIONS = {
    "one article by its URL": "SELECT * FROM mart.article WHERE url = 'https://bench-07.example/story-4007'",
    "one day of an outlet": "SELECT headline, word_count FROM mart.article WHERE outlet = 'bench-07' "
    "AND date_published >= '2025-06-01' AND date_published < '2025-06-02'",
    "one day of all outlets": "SELECT outlet, headline FROM mart.article WHERE date_published >= '2025-06-01' "
    "AND date_published < '2025-06-02'",
    "latest twenty": "SELECT outlet, headline FROM mart.article WHERE date_published IS NOT NULL "
    "ORDER BY date_published DESC LIMIT 20",
    "articles by outlet and month": "SELECT outlet, date_trunc('month', published_on) AS month, sum(articles) "
    "FROM mart.article_count GROUP BY 1, 2",
    "the same, counted one by one": "SELECT outlet, date_trunc('month', date_published) AS month, count(*) "
    "FROM mart.article GROUP BY 1, 2",
    "attention to a common word by week": "SELECT * FROM mart.attention("
    "%(common)s, '2024-11-01', '2026-11-01', by => 'week')",
    "the same, copies once": "SELECT * FROM mart.attention("
    "%(common)s, '2024-11-01', '2026-11-01', by => 'week', copies_once => true)",
    "attention to a rarer word by day": "SELECT * FROM mart.attention(%(rarer)s, '2024-11-01', '2026-11-01')",
    "articles changed since a load": "SELECT count(*) FROM mart.article_changes("
    "(SELECT max(load_seq) FROM mart.article_revision WHERE outlet = 'bench-07'))",
    "copy clusters of a month": "SELECT count(*) FROM mart.copy_cluster WHERE first_published >= '2025-06-01' "
    "AND first_published < '2025-07-01'",
}


def time_questions(warehouse: Warehouse) -> dict[str, dict[str, float]]:
    """Return the p50 and p95 of each analysts' query, over five runs."""
    results = {}
    with contextlib.closing(warehouse.connect("analyst", "bench")) as connection:
        for name, statement in QUESTIONS.items():
            times = []
            for _ in range(5):
                started = time.perf_counter()
                with transaction(connection) as cursor:
                    cursor.execute(statement, {"common": str(WORDS[3]), "rarer": str(WORDS[600])})
                    cursor.fetchall()
                times.append((time.perf_counter() - started) * 1000)
            results[name] = {"p50": statistics.median(times), "p95": max(times)}
    return results


def over_limit(results: list[dict[str, Any]]) -> list[str]:
    """Return the figures of the largest size that are over their limits, after printing them to stderr."""
    first, last = results[0], results[-1]
    asked = last["questions_ms"]
    figures = {
        "load, cost / cost at the smallest size": first["load_rows_per_second"] / last["load_rows_per_second"],
        "COPY / load, in rows per second": 1 / last["load_to_copy"],
        "cluster, cost / cost at the smallest size": last["cluster_seconds"] / first["cluster_seconds"],
        "search, p95 in ms": last["search_ms"]["p95"],
        "search within a month, p95 in ms": last["search_ms"]["month_p95"],
        "KB per article": last["bytes_per_article"] / 1024,
        **{f"{question}, ms": asked[question]["p50"] for question in asked if f"{question}, ms" in LIMITS},
    }
    over = [name for name, limit in LIMITS.items() if figures[name] > limit]
    for name in over:
        print(f"{name}: {figures[name]:.2f}, the limit is {LIMITS[name]:g}", file=sys.stderr)
    return over


def report(results: list[dict[str, Any]]) -> None:
    """Print the results as text."""
    first = results[0]
    for result in results:
        rate, ratio = result["load_rows_per_second"], result["load_to_copy"]
        factor = first["load_rows_per_second"] / rate
        seconds, search = result["cluster_seconds"], result["search_ms"]
        print(f"{result['articles']:,} articles, {result['bytes_per_article'] / 1024:.1f} KB each")
        print(
            f"  load     {rate:8.0f} articles/s, {ratio:.2f} of a plain COPY ({result['copy_rows_per_second']:.0f}/s)"
        )
        print(f"           takes {factor:.2f} times as long as at {first['articles']:,} articles")
        print(f"  cluster  {seconds:8.2f} s for 1,000, {seconds / first['cluster_seconds']:.2f} times as long")
        print(f"  search   {search['p50']:8.1f} ms p50, {search['p95']:.1f} ms p95, {search['worst']:.1f} ms maximum")
        print(f"           {search['month_p95']:8.1f} ms p95 within a month")
        for name, times in result["questions_ms"].items():
            print(f"  {name:30} {times['p50']:10.1f} ms p50, {times['p95']:.1f} ms p95")


if __name__ == "__main__":
    main()
