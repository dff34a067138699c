"""Search: tokens of texts and queries, snippets, and mart.search on loaded articles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Installation
from tests.site import PROSE, WebSite, article, feed

H = "http://test.example"


@pytest.mark.parametrize(
    ("text", "query", "matches"),
    [
        ("東京駅前のカフェ", "東京", True),
        ("東京駅前のカフェ", '"東京駅"', True),
        ("東京駅前のカフェ", "駅", True),
        ("東京駅前のカフェ", "カフェ", True),
        ("東京駅前のカフェ", "京都", False),
        ("北京市长会见记者", "市长", True),
        ("北京市长会见记者", "长市", False),
        ("ที่กรุงเทพมหานคร", "กรุงเทพ", True),
        ("ព្រះរាជាណាចក្រកម្ពុជា", "កម្ពុជា", True),
        ("မြန်မာနိုင်ငံ", "နိုင်ငံ", True),
        ("ສາທາລະນະລັດ", "ທາລະນະ", True),
        ("مُحَمَّدٌ كَتَبَ", "محمد", True),
        ("إسلام آباد", "اسلام", True),
        ("کتاب‌های تازه", "كتاب", True),
        ("سال ۱۴۰۵", "1405", True),
        ("שָׁלוֹם לכם", "שלום", True),
        ('צה"ל הודיע', "צה״ל", True),
        ("Café à Zürich", "cafe zurich", True),
        ("Ёлка в Москве", "елка", True),
        ("Ёлка в Москве", "мой", False),
        ("Ὁ πόλεμος τελείωσε", "πολεμος", True),
        ("हिन्दी समाचार में", "समाचार", True),
        ("서울특별시에서 열린", "서울특별시에서", True),
        ("a well-known bridge", "known", True),
        ("a well-known bridge", '"well known"', True),
        ("the bridge and the harbour", "bridge -harbour", False),
        ("the bridge and the harbour", "tunnel or bridge", True),
        ("see https://example.com/harbour-news", "harbour", True),
        ("prices rose 3.5 per cent", "3.5", True),
        ("AI時代の到来", "ai 時代", True),
    ],
)
def test_query_matches_text(session_installation: Installation, text: str, query: str, matches: bool) -> None:
    rows = session_installation.query("SELECT core.search_tokens(%s) @@ core.search_query(%s)", (text, query))
    assert rows == [(matches,)]


@pytest.mark.parametrize(("first", "characters"), [(0x4E00, 20_000), (0x20000, 40_000)])
def test_tokens_of_a_very_long_text_fit_a_tsvector(
    session_installation: Installation, first: int, characters: int
) -> None:
    """A tsvector holds at most one megabyte. A page with more tokens must not block the load of the others."""
    ((tokens,),) = session_installation.query(
        "SELECT length(setweight(core.search_tokens(t), 'A') || setweight(core.search_tokens(left(t, 5000)), 'B')) "
        "FROM (SELECT string_agg(chr((%s + n::bigint * 7919 %% %s)::integer), '') AS t FROM generate_series(1, 300000) n) x",
        (first, characters),
    )
    assert tokens > 10_000


@pytest.mark.parametrize("query", ["", "   ", '"', "-", "or", "\\", "':*", "a & ! b |", "\u200b", "(((", "😀"])
def test_malformed_query_is_not_an_error(session_installation: Installation, query: str) -> None:
    rows = session_installation.query("SELECT * FROM mart.search(%s)", (query,), role="analyst")
    assert query == "or" or rows == []  # a lone "or" is a word


@pytest.mark.parametrize(
    ("body", "query", "expected"),
    [
        ("one\nThe café at 東京駅前 was well known.\nlast", "東京 cafe", "The «café» at «東京»駅前 was well known."),
        ("It's a bridge's end.", "bridge", "It's a «bridge»'s end."),
        ("nothing here", "absent", "nothing here"),
        ("a % b _ c «d»", "b", "a % «b» _ c «d»"),
    ],
)
def test_snippet_marks_the_matches(session_installation: Installation, body: str, query: str, expected: str) -> None:
    assert session_installation.query("SELECT mart.search_snippet(%s, %s)", (body, query), role="analyst") == [
        (expected,)
    ]


def test_snippet_of_a_long_paragraph_is_cut_around_the_match(session_installation: Installation) -> None:
    body = "word " * 200 + "bridge " + "more " * 200
    ((snippet,),) = session_installation.query("SELECT mart.search_snippet(%s, 'bridge')", (body,))
    assert "«bridge»" in snippet and snippet.startswith("…") and snippet.endswith("…") and len(snippet) < 340


def test_search_index_follows_article_revisions(installation: Installation, serve: Callable[..., WebSite]) -> None:
    site = serve()
    site.answers["test.example", "/feed"] = feed((f"{H}/one", "t"), (f"{H}/two", "t"))
    site.answers["test.example", "/one"] = article("Zebra crossing opens", *PROSE)
    site.answers["test.example", "/two"] = article("Nothing but rain", *PROSE, "A zebra was seen in the park at noon.")
    installation.crawl("test")

    def search(*arguments: object) -> list[str]:
        placeholders = ", ".join(["%s"] * len(arguments))
        return [
            r[0]
            for r in installation.query(f"SELECT headline FROM mart.search({placeholders})", arguments, role="analyst")
        ]

    assert search("zebra") == ["Zebra crossing opens", "Nothing but rain"], "a match in the headline ranks higher"
    assert search("zebra", "en") == search("zebra") and search("zebra", "de") == []
    assert search("zebra", None, None, None, "test") == search("zebra")
    assert search("zebra", None, None, None, "other") == []
    assert search("zebra", None, None, None, None, 1) == ["Zebra crossing opens"]
    site.answers["test.example", "/one"] = article("Okapi crossing opens", *PROSE)
    installation.query("UPDATE ops.frontier SET next_due_at = now() - interval '1 second'")
    installation.crawl("test")
    assert search("zebra") == ["Nothing but rain"] and search("okapi") == ["Okapi crossing opens"]
    documents = installation.query("SELECT count(*) FROM core.search_document")
    assert documents == [(2,)]
