"""The choice between Trafilatura's fast and full text, and lines of the body that it leaves out."""

from __future__ import annotations

import pytest
from lxml.html import document_fromstring

from pressmark.extraction.blocks import page_blocks
from pressmark.extraction.body import BodyContext, find_body
from pressmark.extraction.main_text import _is_better, agreement, find_main_text
from tests.site import PROSE

ARTICLE = "\n".join(PROSE * 3)
COOKIES = "We store small files in your browser to remember your language. " * 40
TITLES = ("Harbour bridge opens",)


def body_of(html: str, headline: str = "Harbour bridge opens") -> list[str]:
    """The lines of the main text of a page."""
    context = BodyContext(headline, (headline,), frozenset())
    return [line.text for line in find_body(document_fromstring(html), html, context).lines]


def paragraphs(texts: list[str], classes: str = "") -> str:
    return "".join(f"<p class='{classes}'>{text}</p>" if classes else f"<p>{text}</p>" for text in texts)


def numbered(count: int, start: int = 0) -> list[str]:
    return [f"{PROSE[n % len(PROSE)]} So it went on for {n} years." for n in range(start, start + count)]


@pytest.mark.parametrize(
    ("full", "fast", "other", "chosen"),
    [
        (ARTICLE, ARTICLE[:400], ARTICLE, "full"),  # the fast text is a part
        (ARTICLE + COOKIES, ARTICLE[:800], ARTICLE[:900], "fast"),  # the full text has more than the article
        (COOKIES, "The harbour bridge opens. " + ARTICLE[:800], COOKIES + ARTICLE, "fast"),  # another topic
        (ARTICLE, "Share this", "", "full"),
        ("", ARTICLE[:800], ARTICLE, "fast"),
        (ARTICLE, ARTICLE, ARTICLE, "fast"),
    ],
)
def test_full_text_is_chosen_only_if_it_is_better(full: str, fast: str, other: str, chosen: str) -> None:
    assert _is_better(full, fast, other, TITLES) is (chosen == "full")


def test_long_text_is_taken_in_fast_mode() -> None:
    html = f"<html><body><article><h1>Harbour bridge opens</h1>{paragraphs(numbered(12))}</article></body></html>"
    main = find_main_text(document_fromstring(html), html, TITLES)
    assert main.mode == "fast"
    assert agreement(main.text, main.other) > 0.9


def test_agreement() -> None:
    assert agreement(ARTICLE, ARTICLE) == 1.0
    assert agreement(ARTICLE, "") == 0.0
    assert agreement("", "") == 0.0
    assert 0.3 < agreement(ARTICLE, ARTICLE[: len(ARTICLE) // 3]) < 0.7


def test_body_that_is_split_into_several_elements_is_taken_whole() -> None:
    first, second = numbered(6), numbered(5, 6)
    html = f"""<html><body><main><h1>Harbour bridge opens</h1>
        <div class="story__part"><div class="story__text">{paragraphs(first)}</div></div>
        <div class="module"><h3>Most read</h3><ul><li><a href="/a">Ferry timetable changes again</a></li></ul></div>
        <div class="story__part"><div class="story__text">{paragraphs(second)}</div></div>
        </main></body></html>"""
    lines = body_of(html)
    assert [line for line in lines if line in first + second] == first + second
    assert not any("Ferry timetable" in line for line in lines)


def test_next_article_of_the_page_is_not_a_part_of_the_body() -> None:
    first, second = numbered(8), numbered(8, 8)
    html = f"""<html><body>
        <article><h1>Harbour bridge opens</h1><div class="text">{paragraphs(first)}</div></article>
        <article><h1>Ferries stop for the winter</h1><div class="text">{paragraphs(second)}</div></article>
        </body></html>"""
    lines = body_of(html)
    assert lines[: len(first)] == first
    assert not set(lines).intersection(second)


def test_blocks_end_at_block_elements_and_line_breaks() -> None:
    html = """<html><body><div>one <b>two</b> <a href="/x">three</a><br>four<p>five</p>six
        <script>var seven</script><ul><li>eight</li></ul></div></body></html>"""
    blocks = page_blocks(document_fromstring(html))
    assert [block.text for block in blocks] == ["one two three", "four", "five", "six", "eight"]
    assert [round(block.linked, 1) for block in blocks] == [0.4, 0.0, 0.0, 0.0, 0.0]
    assert [block.in_list for block in blocks] == [False, False, False, False, True]


def test_blocks_of_a_very_deep_page() -> None:
    html = "<html><body>" + "<div>" * 250 + "deep" + "</div>" * 250 + "</body></html>"
    assert [block.text for block in page_blocks(document_fromstring(html))] == ["deep"]
