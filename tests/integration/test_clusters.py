"""Clusters: the same whatever the order, the batch, the number of writers; and what the views make of them."""

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
from pressmark.near_duplicates import BOILERPLATE_MIN_HEADLINES, components, labels, measure_similarity
from pressmark.newsstand import text_generator
from pressmark.warehouse.clusters import cluster, cluster_batch
from pressmark.warehouse.connection import transaction
from tests.conftest import Installation

FIRST = datetime(2026, 3, 2, 8, tzinfo=UTC)
FORGET = (
    "TRUNCATE core.cluster_member, core.copy, core.lsh_band, core.dedup_text, core.article_line, "
    "core.boilerplate_line, staging.cluster_queue"
)
FURNITURE = "\n".join(text_generator.write_paragraphs(text_generator.ENGLISH, "furniture", 4))


@dataclass(frozen=True)
class UrlHistory:
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
    """A word in fifteen changed."""
    words = "\n".join(paragraphs).split(" ")
    return " ".join("however" if place % 15 == 7 else word for place, word in enumerate(words)).split("\n")


def stories() -> list[UrlHistory]:
    """Three outlets: copies within and between them, cut, edited, framed; a rewrite; furniture that is no copy."""
    found = []

    def add(outlet: str, number: int, paragraphs: list[str], days: float = 0) -> None:
        framed = [*paragraphs, *FURNITURE.split("\n")] if outlet == "framed" else paragraphs
        found.append(UrlHistory(outlet, number, "\n".join(framed), f"{outlet} {number}", FIRST + timedelta(days=days)))

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
    # Copies whose dates lie far apart meet only where they are equal to the letter.
    add("plain", 30, write("old"), 0)
    add("agency", 30, [*write("old"), "One more sentence than it had in March."], 90)
    add("agency", 31, write("older"), 0)
    add("plain", 31, write("older"), 400)
    add("agency", 40, ["Too short to tell."], 0)
    add("plain", 40, ["Too short to tell."], 0)
    return found


def store(installation: Installation, given: list[UrlHistory]) -> None:
    """The rows that loads have written of them, without a page behind them."""
    connection = installation.warehouse.connect("maintainer")
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(
            "INSERT INTO core.extractor (name, version, config_hash, config) VALUES ('test', '1', '\\x00', '{}') "
            "RETURNING extractor_id"
        )
        (extractor,) = cursor.fetchone() or (0,)
        for outlet in sorted({story.outlet for story in given}):
            cursor.execute(
                "INSERT INTO core.outlet (outlet, name, home, timezone, tier, domains, enabled, gone_after) "
                "VALUES (%s, %s, 'http://x.example/', 'UTC', 'daily', '{x.example}', true, '1 day')",
                (outlet, outlet),
            )
        for story in given:
            payload = hashlib.sha256(f"{story.uid} {story.body}".encode()).digest()
            text_hash = fingerprints.text_hash(story.body)
            found = fingerprints.signatures(story.body)
            cursor.execute(
                "INSERT INTO core.text VALUES (%s, %s, 1, 1, 1) ON CONFLICT DO NOTHING", (text_hash, story.body)
            )
            if found:
                cursor.execute(
                    "INSERT INTO core.fingerprint VALUES (%s, %s, %s, %s, 1) ON CONFLICT DO NOTHING",
                    (text_hash, fingerprints.SIG_VERSION, found.body, found.lead),
                )
            cursor.execute(
                "INSERT INTO core.extraction (payload_hash, extractor_id, headline, date_published, text_hash, "
                "headline_hash, description_hash, authors_hash, body_hash, load_seq) "
                "VALUES (%s, %s, %s, %s, %s, %s, 0, 0, 0, 1)",
                (payload, extractor, story.headline, story.published, text_hash,
                 fingerprints.comparable_hash(story.headline)),
            )  # fmt: skip
            cursor.execute(
                "INSERT INTO core.article (article_uid, outlet, url, url_rule, first_seen_at, last_seen_at, capture_id, "
                "payload_hash, extractor_id, revision_count, load_seq, changed_seq, changed_at) "
                "VALUES (%s, %s, %s, 1, %s, %s, %s, %s, %s, 1, 1, 1, now())",
                (story.uid, story.outlet, f"http://x.example/{story.uid}", FIRST, FIRST, story.uid, payload, extractor),
            )
            cursor.execute(
                "INSERT INTO core.capture (capture_id, article_uid, url_uid, observed_at, payload_hash, extractor_id, "
                "requested_url, http_status, load_seq) VALUES (%s, %s, %s, %s, %s, %s, 'http://x.example/', 200, 1)",
                (story.uid, story.uid, story.uid, FIRST, payload, extractor),
            )
            cursor.execute(
                "INSERT INTO core.revision (article_uid, ordinal, capture_id, changed_parts, cause, extractor_id, "
                "seen_changed_at, load_seq) VALUES (%s, 1, %s, '{}', 'first', %s, %s, 1)",
                (story.uid, story.uid, extractor, FIRST),
            )


def queue(installation: Installation, order: list[UrlHistory]) -> None:
    connection = installation.warehouse.connect("maintainer")
    with contextlib.closing(connection), transaction(connection) as cursor:
        for story in order:
            cursor.execute("INSERT INTO staging.cluster_queue (article_uid) VALUES (%s)", (story.uid,))


def forget(installation: Installation) -> None:
    connection = installation.warehouse.connect_admin()
    with contextlib.closing(connection), transaction(connection) as cursor:
        cursor.execute(FORGET)


def members(installation: Installation) -> dict[UUID, UUID]:
    return dict(
        installation.query("SELECT article_uid, copy_cluster FROM core.cluster_member WHERE superseded_seq IS NULL")
    )


def by_brute_force(given: list[UrlHistory]) -> dict[UUID, UUID]:
    """All pairs compared, without bands, batches or tables."""
    carried: dict[tuple[str, str], set[str]] = {}
    for story in given:
        for row in story.body.splitlines():
            carried.setdefault((story.outlet, row), set()).add(story.headline)
    sets = {}
    for story in given:
        kept = [r for r in story.body.splitlines() if len(carried[story.outlet, r]) < BOILERPLATE_MIN_HEADLINES]
        found = fingerprints.shingles("\n".join(kept))
        if found is not None:
            sets[story.uid] = found
    near = [
        (one.uid, other.uid)
        for one, other in itertools.combinations(given, 2)
        if one.uid in sets and other.uid in sets
        and (abs(one.published - other.published) <= timedelta(days=30) or one.body == other.body)
        and measure_similarity(sets[one.uid], sets[other.uid]).is_copy
    ]  # fmt: skip
    return labels(components(sorted(sets), near))


@pytest.fixture
def given(installation: Installation) -> list[UrlHistory]:
    found = stories()
    store(installation, found)
    return found


def test_any_order_any_batch_gives_what_brute_force_gives(installation: Installation, given: list[UrlHistory]) -> None:
    expected = by_brute_force(given)
    assert len(set(expected.values())) == 8, "six of the agency, one of Tokyo, one old and equal"
    prints = set()
    for seed in range(4):
        forget(installation)
        order = random.Random(seed).sample(given, len(given))
        queue(installation, order)
        with contextlib.closing(installation.warehouse.connect("loader")) as connection:
            while cluster_batch(connection, limit=(1, 2, 7, 500)[seed]) is not None:
                pass
        assert members(installation) == expected, f"order {seed}"
        prints.add(installation.fingerprint())
        furniture = {
            row for (row,) in installation.query("SELECT line FROM mart.boilerplate_line WHERE outlet = 'framed'")
        }
        assert furniture == set(FURNITURE.split("\n"))
    assert len(prints) == 1


def test_once_more_changes_nothing(installation: Installation, given: list[UrlHistory]) -> None:
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


def test_many_writers_at_once(installation: Installation, given: list[UrlHistory]) -> None:
    def work(part: list[UrlHistory]) -> None:
        for start in range(0, len(part), 3):
            queue(installation, part[start : start + 3])
            cluster(installation.warehouse)

    mixed = random.Random(5).sample(given, len(given))
    threads = [threading.Thread(target=work, args=(mixed[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert members(installation) == by_brute_force(given)
    assert installation.query("SELECT count(*) FROM staging.cluster_queue") == [(0,)]


def test_a_line_that_proves_to_recur_splits_what_only_it_had_tied(installation: Installation) -> None:
    long = "\n".join(text_generator.write_paragraphs(text_generator.GERMAN, "imprint", 12))
    own = [UrlHistory("framed", n, "\n".join([*write(f"own {n}"), long]), f"h{n}", FIRST) for n in range(3)]
    store(installation, own)
    queue(installation, own[:2])
    cluster(installation.warehouse)
    assert len(members(installation)) == 2, "two texts that share most of their words"
    queue(installation, own[2:])
    assert cluster(installation.warehouse).changed == 2
    assert members(installation) == {}
    history = installation.query("SELECT count(*) FROM core.cluster_member WHERE superseded_seq IS NOT NULL")
    assert history == [(2,)], "a past state can be asked for"


def test_an_article_that_is_revised_under_new_headlines_is_no_furniture(installation: Installation) -> None:
    body = write("live")
    versions = [UrlHistory("plain", n, "\n".join([*body, f"Update {n}."]), f"Headline {n}", FIRST) for n in range(3)]
    other = UrlHistory("agency", 1, "\n".join(body), "Another", FIRST)
    store(installation, [*versions, other])
    # All three are versions of the first.
    uid = versions[0].uid
    for ordinal, version in enumerate(versions[1:], 2):
        installation.query("DELETE FROM core.revision WHERE article_uid = %s", (version.uid,))
        installation.query(
            "INSERT INTO core.revision (article_uid, ordinal, capture_id, changed_parts, cause, extractor_id, "
            "seen_changed_at, load_seq) SELECT %s, %s, capture_id, '{headline,body}', 'publisher', extractor_id, "
            "observed_at, 1 FROM core.capture WHERE capture_id = %s", (uid, ordinal, version.uid),
        )  # fmt: skip
    queue(installation, [versions[0], other])
    assert cluster(installation.warehouse).copies == 3, "each of its versions"
    assert set(members(installation)) == {uid, other.uid}
    assert installation.query("SELECT count(*) FROM core.boilerplate_line") == [(0,)]


def test_the_views(installation: Installation, given: list[UrlHistory]) -> None:
    queue(installation, given)
    cluster(installation.warehouse)
    first = next(story for story in given if (story.outlet, story.number) == ("agency", 0))
    rows = installation.query(
        "SELECT articles, outlets, outlet_list, first_article, first_outlet, headline FROM mart.copy_cluster "
        "WHERE first_article = %s", (first.uid,), role="analyst",
    )  # fmt: skip
    assert rows == [(3, 3, ["agency", "framed", "plain"], first.uid, "agency", "agency 0")]
    ((articles, unique, boilerplate_lines),) = installation.query(
        "SELECT (SELECT count(*) FROM mart.article), count(*), sum(copies)::int FROM mart.article_deduplicated",
        role="analyst",
    )
    assert articles == len(given) and unique == articles - boilerplate_lines and boilerplate_lines == 6 * 2 + 1 + 1
    edges = installation.query(
        "SELECT later_outlet, extract(epoch FROM delay)::int / 3600, containment > 0.99, equal_text "
        "FROM mart.syndication_edge WHERE earlier_article = %s ORDER BY 1", (first.uid,), role="analyst",
    )  # fmt: skip
    assert edges == [("framed", 2, True, False), ("plain", 24, True, False)]
    assert installation.query(
        "SELECT equal_text FROM mart.syndication_edge WHERE delay > '1 year'", role="analyst"
    ) == [(True,)]
    # A label of old is an article; the article says where it is now.
    assert installation.query(
        "SELECT count(*) FROM mart.article a JOIN mart.article b ON b.article_uid = a.copy_cluster "
        "WHERE b.copy_cluster <> a.copy_cluster"
    ) == [(0,)]
