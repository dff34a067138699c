"""The example queries of sql/examples return the expected rows on a crawled newsstand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pressmark.newsstand import OUTLETS as OUTLETS_FOLDER
from pressmark.newsstand.server import running as newsstand_running
from pressmark.settings import SQL_ROOT
from tests.conftest import Installation

EXAMPLES = sorted((SQL_ROOT / "examples").glob("*.sql"))
OUTLETS = (
    "harbour-dispatch",
    "la-plaza",
    "tagesblick",
    "meridian-wire",
    "odd-lot",
    "la-sentinelle",
    "shiomi-shimpo",
    "severny-mayak",
    "al-waha",
)
Rows = list[tuple[Any, ...]]
RunExample = Callable[[str], Rows]


@pytest.fixture(scope="module")
def run_example(session_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunExample]:
    """Crawl the newsstand once for all tests of this module. Return a function that runs an example by its file name.

    No test of this module may use the `installation` fixture, because it empties the warehouse.
    """
    installation = session_installation
    installation.empty()
    with newsstand_running(tmp_path_factory.mktemp("examples") / "access.log") as newsstand:
        installation.env = {"PRESSMARK_OUTLETS": str(OUTLETS_FOLDER), "PRESSMARK_RESOLVE": newsstand.resolve}
        assert sum(row["outcomes"].get("new", 0) for row in installation.crawl(*OUTLETS)["crawls"]) >= 120
        newsstand.advance()
        time.sleep(1.1)
        installation.crawl("harbour-dispatch", "la-plaza", "tagesblick")
        # The recheck that confirms a removed page is due one day later.
        installation.query("UPDATE core.article_event SET observed_at = observed_at - interval '2 days'")
        installation.query("UPDATE core.capture SET observed_at = observed_at - interval '3 days'")
        installation.query(
            "UPDATE ops.frontier SET next_due_at = now() - interval '1 second' WHERE last_outcome = 'gone'"
        )
        installation.crawl("la-plaza")
        installation.run("crawl", "tagesblick", "--since", "2026-03-03", "--until", "2026-03-06")

    def run(name: str) -> Rows:
        text = (SQL_ROOT / "examples" / f"{name}.sql").read_text(encoding="utf-8")
        return installation.query(text, role="analyst")

    yield run


def test_there_are_at_least_25_examples() -> None:
    assert len(EXAMPLES) >= 25


@pytest.mark.parametrize("name", [path.stem for path in EXAMPLES])
def test_example_returns_rows(run_example: RunExample, name: str) -> None:
    assert run_example(name)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_begins_with_its_question(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("-- ") and first.endswith("?")


def test_freshness_lists_every_outlet(run_example: RunExample) -> None:
    assert {row[0] for row in run_example("01-freshness")} == set(OUTLETS)


def test_volume_by_week_adds_up(run_example: RunExample) -> None:
    weeks = [(row[1], row[2]) for row in run_example("02-volume-by-week") if row[0] == "meridian-wire"]
    assert sum(published or 0 for _, published in weeks) == 20


def test_full_text_of_a_day(run_example: RunExample) -> None:
    assert len(run_example("03-full-text-of-a-day")) == 1


def test_changed_after_publication_names_the_changed_parts(run_example: RunExample) -> None:
    assert [row[3] for row in run_example("04-changed-after-publication")] == [["body"]]


def test_taken_down_lists_the_removed_page(run_example: RunExample) -> None:
    urls = [row[2] for row in run_example("05-taken-down")]
    assert urls == ["http://laplaza.newsstand.example/nota.php?id=307"]


def test_copied_articles_list_the_outlets_of_a_copy_cluster(run_example: RunExample) -> None:
    outlets = [row[2] for row in run_example("06-copied-articles")]
    assert outlets == [["harbour-dispatch", "meridian-wire", "odd-lot"]]


def test_syndication_names_source_and_copying_outlet(run_example: RunExample) -> None:
    assert ("meridian-wire", "harbour-dispatch") in [row[:2] for row in run_example("07-syndication")]


def test_original_output_excludes_copies(run_example: RunExample) -> None:
    counts = {row[0]: (row[1], row[2]) for row in run_example("08-original-output")}
    assert counts["harbour-dispatch"] == (10, 9)


def test_why_not_an_article_counts_rejected_pages(run_example: RunExample) -> None:
    rejected = {(row[0], row[1]): row[3] for row in run_example("09-why-not-an-article")}
    assert rejected["odd-lot", "challenge_page"] == 4 and rejected["la-plaza", "gone"] == 1


def test_what_is_missing_names_the_field(run_example: RunExample) -> None:
    assert ("severny-mayak", "description") in [row[:2] for row in run_example("10-what-is-missing")]


def test_provenance_has_an_archive_pointer(run_example: RunExample) -> None:
    assert all(row[5] for row in run_example("11-provenance") if row[0] != "odd-lot")


def test_what_exactly_changed_shows_added_paragraphs(run_example: RunExample) -> None:
    changes = run_example("12-what-exactly-changed")
    assert {row[3] for row in changes} == {"body"} and any(row[5] for row in changes)


def test_search_returns_only_matching_articles(run_example: RunExample) -> None:
    hits = run_example("13-search")
    assert all("night trains" in f"{row[1]} {row[4]}".replace("«", "").replace("»", "").lower() for row in hits)
    assert not [row for row in hits if "lighthouse" in row[4].lower()]


def test_search_works_in_a_language_without_spaces(run_example: RunExample) -> None:
    hits = run_example("14-search-without-spaces")
    assert {row[:1] + row[2:3] for row in hits} == {("shiomi-shimpo", "ja")}
    assert all("«魚市場»" in row[3] for row in hits)


def test_days_without_a_crawl_counts_crawled_days(run_example: RunExample) -> None:
    days = {row[0]: row[1:3] for row in run_example("15-days-without-a-crawl")}
    assert set(days) == set(OUTLETS)
    assert days["tagesblick"][0] >= 4, "the three days of the window, and today"


def test_expected_and_loaded_agree(run_example: RunExample) -> None:
    rows = run_example("16-expected-and-loaded")
    assert {row[0] for row in rows} >= {"tagesblick"}
    assert all(row[4] == 0 for row in rows if row[0] == "tagesblick")


def test_data_discontinuities_list_the_backfill(run_example: RunExample) -> None:
    assert ("tagesblick", "backfill") in [row[:2] for row in run_example("17-data-discontinuities")]


def test_outbound_links_exclude_social_networks(run_example: RunExample) -> None:
    links = {row[:2]: row[2] for row in run_example("18-outbound-links")}
    assert links["odd-lot", "meridian-wire"] == 1 and links["odd-lot", "example.org"] == 1
    assert not [target for _, target in links if "social" in target]


def test_outlets_of_a_country_lists_their_domains(run_example: RunExample) -> None:
    british = {row[0]: row[1] for row in run_example("19-outlets-of-a-country")}
    assert british["harbour-dispatch"] == ["dispatch.newsstand.example"] and "tagesblick" not in british


def test_what_is_new_since_counts_new_and_merged_articles(run_example: RunExample) -> None:
    kinds = {row[0]: row[1] for row in run_example("20-what-is-new-since")}
    assert kinds["new"] >= 125 and kinds["merged"] == 2


def test_rights_counts_signals(run_example: RunExample) -> None:
    rights = {row[0]: row[1:] for row in run_example("21-rights")}
    assert rights["odd-lot"][2] == 2 and rights["odd-lot"][5] == 1 and rights["odd-lot"][6] == 3


def test_authors_begin_with_the_most_productive(run_example: RunExample) -> None:
    assert run_example("22-authors")[0][2] >= 2


def test_languages_are_counted(run_example: RunExample) -> None:
    languages = {row[0]: row[1] for row in run_example("23-languages")}
    assert languages["ja"] == 16 and len(languages) >= 7


def test_date_certainty_lists_future_dates(run_example: RunExample) -> None:
    rows = run_example("24-date-certainty")
    assert [row[4] for row in rows if row[0] == "odd-lot" and row[3] == "future"] == [1]


def test_how_articles_were_found_lists_the_method(run_example: RunExample) -> None:
    assert ("harbour-dispatch", "feed") in [row[:2] for row in run_example("25-how-articles-were-found")]


def test_an_article_costs_about_one_request_or_more(run_example: RunExample) -> None:
    assert all(row[4] is None or row[4] > 0.9 for row in run_example("26-what-crawls-cost"))


def test_what_happened_to_articles_lists_events(run_example: RunExample) -> None:
    events = {(row[0], row[1]) for row in run_example("27-what-happened-to-articles")}
    assert {("gone", "la-plaza"), ("missing", "la-plaza"), ("merged", "odd-lot")} <= events


def test_long_reads_have_many_words(run_example: RunExample) -> None:
    assert run_example("28-long-reads-without-copies")[0][2] > 200


def test_texts_have_a_confidence_and_kinds_of_lines(run_example: RunExample) -> None:
    assert all(row[2] > 0 and (row[3] is None or 0 < row[3] <= 1) for row in run_example("29-text-quality"))
    assert {row[1] for row in run_example("30-kinds-of-lines")} >= {"paragraph"}


def test_attention_is_a_share_of_all_articles_of_a_week(run_example: RunExample) -> None:
    rows = run_example("31-attention")
    assert sum(row[1] for row in rows) > 0
    assert all(0 <= row[1] <= row[2] and abs(row[3] - 100 * row[1] / row[2]) <= 0.1 for row in rows)
