"""Lines within the text that the line model removes, and lines that it must never remove."""

from __future__ import annotations

import pytest

from pressmark.extraction.line_model import FEATURES, _weights
from tests.site import PROSE
from tests.unit.test_body import ARTICLE_TEXT
from tests.unit.test_main_text import body_of, numbered, paragraphs

LINKS = (
    ("en", "Related: ", "Ten bridges that were never built"),
    ("en", "Read more: ", "Why the ferry was sold"),
    ("de", "Lesen Sie auch: ", "Warum die Fähre verkauft wurde"),
    ("fr", "Lire aussi : ", "Pourquoi le ferry a été vendu"),
    ("es", "Lea también: ", "Por qué se vendió el transbordador"),
    ("pl", "Czytaj więcej: ", "Dlaczego prom został sprzedany"),
)


def page(content: str) -> str:
    """A page with menu and footer around an article."""
    return f"""<html><head><title>Harbour bridge opens</title></head><body>
        <nav><a href="/">Home</a> <a href="/world">World</a></nav>
        <main><article><h1>Harbour bridge opens</h1><div class="text">{content}</div></article></main>
        <footer><p><a href="/imprint">About us</a></p></footer></body></html>"""


@pytest.mark.parametrize(("language", "label", "title"), LINKS)
def test_link_to_another_article_within_the_text_is_removed(language: str, label: str, title: str) -> None:
    text = numbered(10)
    link = f'<p><strong>{label}</strong><a href="/story">{title}</a></p>'
    assert body_of(page(paragraphs(text[:5]) + link + paragraphs(text[5:]))) == text


def test_list_of_links_to_other_articles_is_removed() -> None:
    text = numbered(10)
    titles = ("Why the ferry was sold", "The last pilot of the harbour", "Ten bridges that were never built")
    links = "".join(f'<li><a href="/story-{n}">{title}</a></li>' for n, title in enumerate(titles))
    assert body_of(page(paragraphs(text[:6]) + f"<ul>{links}</ul>" + paragraphs(text[6:]))) == text
    assert body_of(page(paragraphs(text) + f"<ul>{links}</ul>")) == text


def test_list_of_the_article_stays_even_if_some_items_are_links() -> None:
    text = numbered(6)
    items = "<li>Stone wall: nine hundred metres</li><li><a href='/fees'>Berth fees</a></li><li>Ferry quay</li>"
    lines = body_of(page(paragraphs(text[:3]) + f"<ul>{items}</ul>" + paragraphs(text[3:])))
    assert [line.removeprefix("- ") for line in lines[3:6]] == [
        "Stone wall: nine hundred metres", "Berth fees", "Ferry quay",
    ]  # fmt: skip


@pytest.mark.parametrize("line", ARTICLE_TEXT)
@pytest.mark.parametrize("position", [0, 2, 4])
def test_plain_paragraph_stays_wherever_it_stands(line: str, position: int) -> None:
    text = numbered(4)
    text.insert(position, line)
    assert body_of(page(paragraphs(text))) == text


@pytest.mark.parametrize("markup", ["<p>{}</p>", "<p>{}</p><p><a href='/x'>{}</a></p>", "<div>{}</div>"])
def test_only_paragraph_of_a_short_report_stays(markup: str) -> None:
    text = f"{PROSE[0]} {PROSE[1]}"
    assert text in body_of(page(markup.format(text, "More from the harbour")))


def test_every_feature_has_a_weight() -> None:
    assert len(_weights()) == len(FEATURES) == len(set(FEATURES))
