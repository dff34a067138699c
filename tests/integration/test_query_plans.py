"""The questions that analysts ask are answered with indexes, also in a large warehouse."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pressmark.warehouse.connection import transaction
from tests.conftest import Installation

ROWS = 100_000
FILL = """
SET session_replication_role = replica;
CREATE TEMP TABLE made AS
SELECT n, md5(n::text)::uuid AS uid, sha256(n::text::bytea) AS hash, 'outlet-' || n %% 200 AS outlet,
       timestamptz '2026-01-01Z' - n * interval '8 minutes' AS at
FROM generate_series(1, %(rows)s) n;
INSERT INTO core.outlet (outlet, name, home, timezone, tier, domains, enabled, gone_after)
SELECT DISTINCT outlet, outlet, 'http://x.example/', 'UTC', 'daily', '{x.example}'::text[], true, interval '1 day'
FROM made;
INSERT INTO core.extractor (extractor_id, name, version, config_hash, config) OVERRIDING SYSTEM VALUE
VALUES (1, 'x', '1', '\\x00', '{}');
INSERT INTO core.text SELECT hash, 'text', 1, 4, 1 FROM made;
INSERT INTO core.extraction (payload_hash, extractor_id, headline, authors, article_section, date_published, text_hash,
                             headline_hash, description_hash, authors_hash, body_hash, load_seq)
SELECT hash, 1, 'h', ARRAY['Author ' || n %% 5000], 'Section ' || n %% 2000, at, hash, 1, 1, 1, 1, 1 FROM made;
INSERT INTO core.article (article_uid, loose_uid, outlet, url, url_rule, first_seen_at, last_seen_at, capture_id,
                          payload_hash, extractor_id, revision_count, load_seq, changed_seq, changed_at,
                          date_published, date_published_day, in_language, word_count, copy_cluster)
SELECT uid, uid, outlet, 'http://x.example/' || n, 1, at, at, uid, hash, 1, 1, n, n, at, at, at::date, 'en', 1,
       CASE WHEN n %% 20 < 2 THEN md5((n - n %% 20)::text)::uuid END
FROM made;
INSERT INTO core.capture (capture_id, article_uid, url_uid, observed_at, payload_hash, extractor_id, requested_url,
                          http_status, load_seq)
SELECT uid, uid, uid, at, hash, 1, 'http://x.example/' || n, 200, n FROM made;
INSERT INTO core.article_count (outlet, published_on, date_published_day, in_language, articles, words)
SELECT outlet, published_on, date_published_day, in_language, count(*), sum(word_count)
FROM core.counted_article GROUP BY 1, 2, 3, 4;
SELECT core.ensure_month_partitions('search_document', array_agg(DISTINCT at::date)) FROM made;
INSERT INTO core.search_document
SELECT uid, 1, outlet, 'en', at::date, '\\x00', format('''common'':1 ''rare%%s'':2', n %% 1000)::tsvector FROM made;
SET session_replication_role = origin;
"""
SMALL = 5000  # rows; a table that is smaller may be read as a whole


@pytest.fixture(scope="module")
def large(session_installation: Installation) -> Iterator[Installation]:
    """A warehouse with many articles."""
    installation = session_installation
    installation.empty()
    with contextlib.closing(installation.warehouse.connect_admin()) as admin:
        with transaction(admin) as cursor:
            cursor.execute(FILL, {"rows": ROWS})
        admin.autocommit = True
        admin.cursor().execute(
            "VACUUM ANALYZE core.article, core.extraction, core.capture, core.text, core.article_count, "
            "core.search_document"
        )
    yield installation
    installation.empty()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("outlet = 'outlet-7' AND date_published >= '2025-06-01' AND date_published < '2025-06-08'", 6),
        ("date_published >= '2025-06-01' AND date_published < '2025-06-02'", 180),
        ("authors @> ARRAY['Author 77']", 20),
        ("article_section = 'Section 77'", 50),
        ("copy_cluster = md5('4000')::uuid", 2),
        ("url = 'http://x.example/4711'", 1),
        ("article_uid = md5('4711')::uuid", 1),
        ("date_published IS NOT NULL ORDER BY date_published DESC LIMIT 20", 20),
        ("outlet = 'outlet-7' ORDER BY date_published DESC LIMIT 20", 20),
        ("outlet = 'outlet-7' ORDER BY first_seen_at DESC LIMIT 20", 20),
    ],
)
def test_question_reads_no_large_table_as_a_whole(large: Installation, condition: str, expected: int) -> None:
    question = f"SELECT outlet, url, headline, article_body FROM mart.article WHERE {condition}"
    explained = large.query(f"EXPLAIN (ANALYZE, FORMAT JSON) {question}", role="analyst")[0][0]
    plan = (explained if isinstance(explained, list) else json.loads(explained))[0]["Plan"]
    scans = [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    read = {
        node["Relation Name"]: node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
        for node in scans
    }
    assert {name: rows for name, rows in read.items() if rows > SMALL} == {}
    assert abs(plan["Actual Rows"] - expected) <= 1
    widest = max(node["Actual Rows"] * node["Actual Loops"] for node in nodes(plan))
    assert widest <= 20 * expected + 1000, "no step reads many more rows than the answer has"


def rows_read(large: Installation) -> dict[str, int]:
    """Return how many rows of each partition of the search index have been read so far."""
    return dict(
        large.query(
            "SELECT relname, seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_all_tables "
            "WHERE relname LIKE 'search_document_2%%'"
        )
    )


@pytest.mark.parametrize(
    ("search", "expected", "partitions"),
    [
        ("'common', from_day => '2025-06-03', to_day => '2025-06-09'", 20, {"2025_06"}),
        ("'rare7', from_day => '2025-06-25', to_day => '2025-07-05'", 2, {"2025_06", "2025_07"}),
        ("'common'", 20, {"2025_12"}),
        ("'common', of_outlet => 'outlet-7', from_day => '2025-06-01', to_day => '2025-06-30'", 20, {"2025_06"}),
    ],
)
def test_search_reads_only_the_months_it_needs(
    large: Installation, search: str, expected: int, partitions: set[str]
) -> None:
    before = rows_read(large)
    connection = large.warehouse.connect("analyst")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(f"SELECT count(*) FROM mart.search({search})")
        (found,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT pg_stat_force_next_flush()")
    read = {name.removeprefix("search_document_"): rows - before[name] for name, rows in rows_read(large).items()}
    assert {name for name, rows in read.items() if rows} <= partitions
    assert 0 < sum(read.values()) <= 30_000
    assert found == expected
