"""What stands next to an article and must not become its text, and what ends it and must stay."""

from __future__ import annotations

import json

import pytest

from pressmark.plausibility import implausible_text
from tests.unit.test_main_text import numbered, paragraphs
from tests.unit.test_plausibility import extracted

TEXT = numbered(6)


def test_reader_comments_next_to_plain_paragraphs_are_no_text() -> None:
    comments = "".join(f"<div><p>{line} I do not believe a word of it.</p></div>" for line in numbered(4, 50))
    body = extracted(f"<div>{paragraphs(TEXT)}</div><div id='comments'>{comments}</div>").article_body
    assert "I do not believe" not in body and TEXT[-1] in body


def test_other_articles_in_the_state_of_the_page_are_no_text() -> None:
    posts = ["".join(f"<p>{line}</p>" for line in numbered(6, start)) for start in (0, 40, 80)]
    state = json.dumps({"posts": [{"content": post} for post in posts]})
    script = f'<script id="__NEXT_DATA__" type="application/json">{state}</script>'
    body = extracted(paragraphs(TEXT) + script).article_body
    assert "for 41 years" not in body and TEXT[-1] in body


def test_ticker_beside_the_article_is_no_live_blog() -> None:
    items = "".join(
        f'<li class="ticker-item"><time datetime="2026-11-20T1{n}:00:00Z">1{n}:00</time><p>{line}</p></li>'
        for n, line in enumerate(numbered(4, 60))
    )
    found = extracted(f"{paragraphs(TEXT)}<aside><ul>{items}</ul></aside>")
    assert not found.is_live_blog and "for 61 years" not in found.article_body


@pytest.mark.parametrize(
    "items", [("Best film: The Bridge", "Best actor: Tobias Lund"), ("Mix all.", "Bake it.", "Let it cool.")]
)
def test_list_that_ends_the_text_stays(items: tuple[str, ...]) -> None:
    listed = "".join(f"<li>{item}</li>" for item in items)
    body = extracted(f"{paragraphs(TEXT)}<h2>The winners</h2><ul>{listed}</ul>").article_body
    assert all(item in body for item in items)


def test_headings_of_a_text_with_sections_stay_even_if_they_are_links() -> None:
    sections = "".join(
        f'<h2><a href="/bar-{n}">{n}. Bar number {n}</a></h2><p>{line}</p>' for n, line in enumerate(TEXT)
    )
    body = extracted(sections).article_body
    assert all(f"{n}. Bar number {n}" in body for n in range(len(TEXT)))


@pytest.mark.parametrize("end", [".“", ".«", "۔", "։", "።", ".»", "。」"])
def test_short_report_with_any_end_of_a_sentence_is_a_text(end: str) -> None:
    assert (
        implausible_text(
            extracted(f"<p>Die Brücke bleibt nach Angaben der Stadt bis zum Sommer gesperrt{end}</p>", "Anderes")
        )
        is None
    )


def test_results_about_their_headline_are_a_text() -> None:
    content = "<p>Harbour Town - Port Ellery 88:79</p><p>Harwick - Marlow 70:71</p><p>Lindholm - Southfront 64:80</p>"
    assert implausible_text(extracted(content, "Harbour Town wins against Port Ellery")) is None


@pytest.mark.parametrize(("markup", "standfirst"), [
    ('<p class="standfirst">{}</p>', True), ("<p>{}</p>", False),
])  # fmt: skip
def test_first_paragraph_is_a_standfirst_only_if_it_is_marked(markup: str, standfirst: bool) -> None:
    found = extracted(
        markup.format(TEXT[0]) + paragraphs(TEXT[1:]), head=f'<meta name="description" content="{TEXT[0]}">'
    )
    assert found.standfirst == (TEXT[0] if standfirst else None)
