"""Copy clusters: independent of order, batch size and number of writers. Also the views over them."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pressmark.extraction import fingerprints
from pressmark.extraction.fields import SIG_VERSION
from pressmark.near_duplicates import BOILERPLATE_MIN_HEADLINES, components, labels, measure_similarity
from pressmark.newsstand import text_generator
from pressmark.warehouse.clusters import cluster, cluster_batch
from pressmark.warehouse.connection import transaction
from tests.conftest import Installation

FIRST = datetime(2026, 3, 2, 8, tzinfo=UTC)
TRUNCATE_CLUSTERS = (
    "TRUNCATE core.cluster_member, core.copy, core.lsh_band, core.dedup_text, core.article_line, "
    "core.boilerplate_line, staging.cluster_queue"
)
BOILERPLATE = "\n".join(text_generator.write_paragraphs(text_generator.ENGLISH, "boilerplate", 4))


@dataclass(frozen=True)
class SampleArticle:
    outlet: str
    number: int
    body: str
    headline: str
    published: datetime = FIRST

    @property
    def uid(self) -> UUID:
        return UUID(bytes=hashlib.sha256(f"{self.outlet} {self.number}".encode()).digest()[:16])


def write(seed: str, language: text_generator.Language = text_generator.ENGLISH) -> list[str]:
    return text_generator.write_paragraphs(language, seed)


def edit(paragraphs: list[str]) -> list[str]:
    """Replace every fifteenth word."""
    words = "\n".join(paragraphs).split(" ")
    return " ".join("however" if position % 15 == 7 else word for position, word in enumerate(words)).split("\n")


def sample_articles() -> list[SampleArticle]:
    """Return articles of three outlets.

    Some are copies within and between outlets: cut, edited, or with boilerplate lines added. Others share only
    boilerplate lines, which does not make them copies.
    """
    articles = []

    def add(outlet: str, number: int, paragraphs: list[str], days: float = 0) -> None:
        lines = [*paragraphs, *BOILERPLATE.split("\n")] if outlet == "framed" else paragraphs
        articles.append(
            SampleArticle(outlet, number, "\n".join(lines), f"{outlet} {number}", FIRST + timedelta(days=days))
        )

    for number in range(6):
        agency = write(f"agency {number}")
        add("agency", number, agency, number)
        add("framed", number, edit(agency) if number % 2 else agency[:3], number + 0.1)
        add(
            "plain", number, [*agency, f"Additional reporting by our own desk in Harwick, number {number}."], number + 1
        )
    for outlet in ("agency", "framed", "plain"):
        for number in range(10, 16):
            add(outlet, number, write(f"{outlet} own {number}"), number)
    tokyo = write("tokyo", text_generator.JAPANESE)
    add("plain", 20, tokyo, 3)
    add("agency", 20, tokyo[:4], 3)
    # A copy that was edited and published on the other side of a month's border.
    add("agency", 50, write("border"), 29)
    add("plain", 50, edit(write("border")), 30)
    # Copies with distant dates are matched only if their texts are identical.
    add("plain", 30, write("old"), 0)
    add("agency", 30, [*write("old"), "One more sentence than it had in March."], 90)
    add("agency", 31, write("older"), 0)
    add("plain", 31, write("older"), 400)
    add("agency", 40, ["Too short to compare."], 0)
    add("plain", 40, ["Too short to compare."], 0)
    return articles


def store(installation: Installation, given: list[SampleArticle]) -> None:
    """Insert the rows that loads would have written, without archived pages."""
    connection = installation.warehouse.connect("maintainer")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(
            "INSERT INTO core.extractor (name, version, config_hash, config) VALUES ('test', '1', '\\x00', '{}') "
            "RETURNING extractor_id"
        )
        (extractor,) = cursor.fetchone() or (0,)
        for outlet in sorted({sample.outlet for sample in given}):
            cursor.execute(
                "INSERT INTO core.outlet (outlet, name, home, timezone, tier, domains, enabled, gone_after) "
                "VALUES (%s, %s, 'http://x.example/', 'UTC', 'daily', '{x.example}', true, '1 day')",
                (outlet, outlet),
            )
        for sample in given:
            payload = hashlib.sha256(f"{sample.uid} {sample.body}".encode()).digest()
            text_hash = fingerprints.text_hash(sample.body)
            signature = fingerprints.signatures(sample.body)
            cursor.execute(
                "INSERT INTO core.text VALUES (%s, %s, 1, 1, 1) ON CONFLICT DO NOTHING", (text_hash, sample.body)
            )
            if signature:
                cursor.execute(
                    "INSERT INTO core.fingerprint VALUES (%s, %s, %s, %s, 1) ON CONFLICT DO NOTHING",
                    (text_hash, SIG_VERSION, signature.body, signature.lead),
                )
            cursor.execute(
                "INSERT INTO core.extraction (payload_hash, extractor_id, headline, date_published, text_hash, "
                "headline_hash, description_hash, authors_hash, body_hash, load_seq) "
                "VALUES (%s, %s, %s, %s, %s, %s, 0, 0, 0, 1)",
                (payload, extractor, sample.headline, sample.published, text_hash,
                 fingerprints.comparable_hash(sample.headline)),
            )  # fmt: skip
            cursor.execute(
                "INSERT INTO core.article (article_uid, loose_uid, outlet, url, url_rule, first_seen_at, last_seen_at, capture_id, "
                "payload_hash, extractor_id, revision_count, load_seq, changed_seq, changed_at, date_published) "
                "VALUES (%s, %s, %s, %s, 1, %s, %s, %s, %s, %s, 1, 1, 1, now(), %s)",
                (
                    sample.uid,
                    sample.uid,
                    sample.outlet,
                    f"http://x.example/{sample.uid}",
                    FIRST,
                    FIRST,
                    sample.uid,
                    payload,
                    extractor,
                    sample.published,
                ),
            )
            cursor.execute(
                "INSERT INTO core.capture (capture_id, article_uid, url_uid, observed_at, payload_hash, extractor_id, "
                "requested_url, http_status, load_seq) VALUES (%s, %s, %s, %s, %s, %s, 'http://x.example/', 200, 1)",
                (sample.uid, sample.uid, sample.uid, FIRST, payload, extractor),
            )
            cursor.execute(
                "INSERT INTO core.revision (article_uid, ordinal, capture_id, changed_parts, cause, extractor_id, "
                "seen_changed_at, load_seq) VALUES (%s, 1, %s, '{}', 'first', %s, %s, 1)",
                (sample.uid, sample.uid, extractor, FIRST),
            )


def queue(installation: Installation, order: list[SampleArticle]) -> None:
    connection = installation.warehouse.connect("maintainer")
    with contextlib.closing(connection), transaction(connection) as cursor:
        for sample in order:
            cursor.execute("INSERT INTO staging.cluster_queue (article_uid) VALUES (%s)", (sample.uid,))


def delete_clusters(installation: Installation) -> None:
    connection = installation.warehouse.connect_admin()
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(TRUNCATE_CLUSTERS)


def members(installation: Installation) -> dict[UUID, UUID]:
    return dict(
        installation.query("SELECT article_uid, copy_cluster FROM core.cluster_member WHERE superseded_seq IS NULL")
    )


def by_brute_force(given: list[SampleArticle]) -> dict[UUID, UUID]:
    """Compare all pairs, without bands, batches or tables."""
    headlines: dict[tuple[str, str], set[str]] = {}
    for sample in given:
        for row in sample.body.splitlines():
            headlines.setdefault((sample.outlet, row), set()).add(sample.headline)
    sets = {}
    for sample in given:
        kept = [r for r in sample.body.splitlines() if len(headlines[sample.outlet, r]) < BOILERPLATE_MIN_HEADLINES]
        shingles = fingerprints.shingles("\n".join(kept))
        if shingles is not None:
            sets[sample.uid] = shingles
    near = [
        (one.uid, other.uid)
        for one, other in itertools.combinations(given, 2)
        if one.uid in sets and other.uid in sets
        and (abs(one.published - other.published) <= timedelta(days=30) or one.body == other.body)
        and measure_similarity(sets[one.uid], sets[other.uid]).is_copy
    ]  # fmt: skip
    return labels(components(sorted(sets), near))


@pytest.fixture
def given(installation: Installation) -> list[SampleArticle]:
    articles = sample_articles()
    store(installation, articles)
    return articles


def test_clusters_in_any_order_and_batch_size_match_brute_force(
    installation: Installation, given: list[SampleArticle]
) -> None:
    expected = by_brute_force(given)
    assert len(set(expected.values())) == 9, "six from the agency, Tokyo, the border, one old and identical"
    warehouse_fingerprints = set()
    for seed in range(4):
        delete_clusters(installation)
        order = random.Random(seed).sample(given, len(given))
        queue(installation, order)
        with contextlib.closing(installation.warehouse.connect("loader")) as connection:
            while cluster_batch(connection, limit=(1, 2, 7, 500)[seed]) is not None:
                pass
        assert members(installation) == expected, f"order {seed}"
        warehouse_fingerprints.add(installation.fingerprint())
        boilerplate = {
            row for (row,) in installation.query("SELECT line FROM mart.boilerplate_line WHERE outlet = 'framed'")
        }
        assert boilerplate == set(BOILERPLATE.split("\n"))
    assert len(warehouse_fingerprints) == 1


def test_clustering_again_changes_nothing(installation: Installation, given: list[SampleArticle]) -> None:
    queue(installation, given)
    assert cluster(installation.warehouse).articles == len(given)
    before = (
        installation.query("TABLE core.cluster_member ORDER BY 1"),
        installation.query("SELECT count(*) FROM core.dedup_text"),
    )
    queue(installation, given)
    again = cluster(installation.warehouse)
    assert (again.copies, again.changed) == (0, 0)
    assert before == (
        installation.query("TABLE core.cluster_member ORDER BY 1"), installation.query("SELECT count(*) FROM core.dedup_text")
    )  # fmt: skip
    assert cluster(installation.warehouse).articles == 0


def test_concurrent_clustering_gives_the_same_clusters(installation: Installation, given: list[SampleArticle]) -> None:
    def cluster_in_batches(share: list[SampleArticle]) -> None:
        for start in range(0, len(share), 3):
            queue(installation, share[start : start + 3])
            cluster(installation.warehouse)

    shuffled = random.Random(5).sample(given, len(given))
    threads = [threading.Thread(target=cluster_in_batches, args=(shuffled[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert members(installation) == by_brute_force(given)
    assert installation.query("SELECT count(*) FROM staging.cluster_queue") == [(0,)]


def test_new_boilerplate_line_splits_a_cluster_that_only_it_connected(installation: Installation) -> None:
    imprint = "\n".join(text_generator.write_paragraphs(text_generator.GERMAN, "imprint", 12))
    own = [SampleArticle("framed", n, "\n".join([*write(f"own {n}"), imprint]), f"h{n}", FIRST) for n in range(3)]
    store(installation, own)
    queue(installation, own[:2])
    cluster(installation.warehouse)
    assert len(members(installation)) == 2, "the two texts share most of their words"
    queue(installation, own[2:])
    assert cluster(installation.warehouse).changed == 2
    assert members(installation) == {}
    history = installation.query("SELECT count(*) FROM core.cluster_member WHERE superseded_seq IS NOT NULL")
    assert history == [(2,)], "past states stay available"


def test_article_revised_under_new_headlines_is_not_boilerplate(installation: Installation) -> None:
    body = write("live")
    revisions = [
        SampleArticle("plain", n, "\n".join([*body, f"Update {n}."]), f"Headline {n}", FIRST) for n in range(3)
    ]
    other = SampleArticle("agency", 1, "\n".join(body), "Another", FIRST)
    store(installation, [*revisions, other])
    # Make all three revisions of the first article.
    uid = revisions[0].uid
    for ordinal, revision in enumerate(revisions[1:], 2):
        installation.query("DELETE FROM core.revision WHERE article_uid = %s", (revision.uid,))
        installation.query(
            "INSERT INTO core.revision (article_uid, ordinal, capture_id, changed_parts, cause, extractor_id, "
            "seen_changed_at, load_seq) SELECT %s, %s, capture_id, '{headline,body}', 'publisher', extractor_id, "
            "observed_at, 1 FROM core.capture WHERE capture_id = %s", (uid, ordinal, revision.uid),
        )  # fmt: skip
    queue(installation, [revisions[0], other])
    assert cluster(installation.warehouse).copies == 3, "each revision is compared"
    assert set(members(installation)) == {uid, other.uid}
    assert installation.query("SELECT count(*) FROM core.boilerplate_line") == [(0,)]


def test_views_show_clusters_and_syndication(installation: Installation, given: list[SampleArticle]) -> None:
    queue(installation, given)
    cluster(installation.warehouse)
    first = next(sample for sample in given if (sample.outlet, sample.number) == ("agency", 0))
    rows = installation.query(
        "SELECT articles, outlets, outlet_list, first_article, first_outlet, headline FROM mart.copy_cluster "
        "WHERE first_article = %s", (first.uid,), role="analyst",
    )  # fmt: skip
    assert rows == [(3, 3, ["agency", "framed", "plain"], first.uid, "agency", "agency 0")]
    ((articles, unique, boilerplate_lines),) = installation.query(
        "SELECT (SELECT count(*) FROM mart.article), count(*), sum(copies)::int FROM mart.article_deduplicated",
        role="analyst",
    )
    assert articles == len(given) and unique == articles - boilerplate_lines and boilerplate_lines == 6 * 2 + 3
    edges = installation.query(
        "SELECT later_outlet, extract(epoch FROM delay)::int / 3600, containment > 0.99, equal_text "
        "FROM mart.syndication_edge WHERE earlier_article = %s ORDER BY 1", (first.uid,), role="analyst",
    )  # fmt: skip
    assert edges == [("framed", 2, True, False), ("plain", 24, True, False)]
    assert installation.query(
        "SELECT equal_text FROM mart.syndication_edge WHERE delay > '1 year'", role="analyst"
    ) == [(True,)]
    # The label of a merged cluster is an article whose own row names the current cluster.
    assert installation.query(
        "SELECT count(*) FROM mart.article a JOIN mart.article b ON b.article_uid = a.copy_cluster "
        "WHERE b.copy_cluster <> a.copy_cluster"
    ) == [(0,)]
