"""Boilerplate lines at the end of an article body, and article text that resembles them."""

from __future__ import annotations

import pytest

from pressmark.extraction.body_lines import Line
from pressmark.extraction.boilerplate import without_phrases, without_repetition
from tests.site import PROSE


def kept(lines: list[str], authors: tuple[str, ...] = ()) -> list[str]:
    """What is left of lines after the rules for phrases and repetitions."""
    phrases = without_phrases([Line(line.strip(), line) for line in lines], None, frozenset(), authors)
    return [line.text for line in without_repetition(phrases)]


BOILERPLATE = (
    "© 2026 The Harbour Dispatch Ltd. All rights reserved. Not to be copied or modified in any way.",
    "Copyright 2026 Meridian Wire. This material may not be published, broadcast or rewritten.",
    "Want more news of the coast? Sign up for the Dispatch's free newsletter.",
    "Great stories delivered right to your inbox.",
    "Follow The Dispatch on Facebook, Instagram and X.",
    "Related: Ten bridges that were never built",
    "Read the original article on Meridian Wire.",
    "This story originally appeared in the winter issue of Coast.",
    "Maud Ferrier is a senior reporter for the Dispatch and lives in Port Ellery.",
    "Tobias Lund, Harwick, is the editor of our Sunday pages.",
    "Ines Calloway writes about harbours and trains.",
    "—Staff writer Peter Oakes can be reached at peter@dispatch.example.",
    "CLICK HERE TO READ MORE FROM THE DISPATCH",
    "</script></body></html>",
)
AUTHORS = ("Maud Ferrier", "Tobias Lund", "Ines Calloway")
ARTICLE_TEXT = (
    "She is a reporter’s nightmare, the mayor said of the new bridge.",
    "The editor of the paper is a man of few words, and the council has covered its tracks.",
    "Residents were asked to sign up at the town hall before noon.",
    "The harbour office follows the tide tables on the wall.",
    "He was the author of his own misfortune, said the judge at the end of a long day.",
    "Published accounts of the dispute go back to the year 1911.",
    "It really is a big step forward, analyst Jane Doe said.",
    "The company is the largest contributor to the fund, according to its report.",
    "Paul Auster was an American author whose books were read all over the world. He died on Tuesday.",
    "The new law is a blow to press freedom, the editor of the Tribune said on Monday.",
    "The ministry reports on Friday showed a rise in prices.",
    "Follow the rules on masks, the mayor told residents.",
    "Copyright reform passed by parliament after a long debate.",
    "Photo exhibition opens in Lyon.",
    "The bank asked its customers to log in to their account and to change the password.",
)


@pytest.mark.parametrize("line", BOILERPLATE)
def test_boilerplate_line_is_removed_at_the_end_but_kept_in_the_middle(line: str) -> None:
    body = [f"{paragraph} {number}" for number, paragraph in enumerate(PROSE * 8)]
    assert len(body) > 9
    assert kept([*body, line], AUTHORS) == body
    line_in_the_middle = [*body[:5], line, *body[5:]]
    assert line in kept(line_in_the_middle, AUTHORS)


@pytest.mark.parametrize("line", ARTICLE_TEXT)
def test_article_text_is_kept(line: str) -> None:
    body = [f"{paragraph} {number}" for number, paragraph in enumerate(PROSE * 8)]
    assert kept([line, *body], AUTHORS) == [line, *body]
    assert kept([*body, line], AUTHORS) == [*body, line]


def test_biography_of_somebody_else_is_article_text() -> None:
    body = [f"{paragraph} {number}" for number, paragraph in enumerate(PROSE * 8)]
    line = "Edvin Marlow is a reporter for the Tribune who was jailed in March."
    assert kept([*body, line], AUTHORS) == [*body, line]


def test_text_that_stands_twice_is_stored_once_but_a_repeated_question_stays() -> None:
    body = [f"{paragraph} {number}" for number, paragraph in enumerate(PROSE * 2)]
    assert kept([*body, *body]) == body
    question = "Which of the two harbours would you rather see rebuilt, and who should pay for it?"
    interview = [question, body[0], question, body[1], question, body[2]]
    assert kept(interview) == interview


@pytest.mark.parametrize(
    "line",
    [
        "We use cookies to give you the best experience on this site. By going on you agree to our use of cookies.",
        "Wir verwenden auf dieser Seite Cookies, um unser Angebot zu verbessern.",
        "This website uses essential cookies and similar technologies.",
    ],
)
def test_cookie_notice_is_removed_wherever_it_stands(line: str) -> None:
    body = [f"{paragraph} {number}" for number, paragraph in enumerate(PROSE * 8)]
    assert kept([*body[:5], line, *body[5:]]) == body


def test_very_long_line_causes_no_regex_backtracking() -> None:
    long_line = "word " * 100_000
    assert kept([long_line, "a" * 500 + " is a " * 20])[0] == long_line.strip()
