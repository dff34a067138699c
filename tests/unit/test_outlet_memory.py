"""Lines that an outlet repeats around its texts: what is learned, and what is not."""

from __future__ import annotations

from pressmark.outlet_memory import MAX_LINES, learn, memory_key, repeated_at_borders

NOTICE = "The Dispatch is read in 40 countries. Tell us what you think of it."


def text(number: int, *, head: tuple[str, ...] = (), tail: tuple[str, ...] = ()) -> str:
    """A text with its own paragraphs between repeated lines."""
    own = "".join(chr(97 + int(digit)) for digit in str(number))
    return "\n".join((*head, *(f"Paragraph {letter} of story {own}." for letter in "abcdefghijk"), *tail))


def articles(count: int, **lines: tuple[str, ...]) -> list[tuple[str | None, str]]:
    return [(f"Story number {number} of them", text(number, **lines)) for number in range(count)]


def test_notice_at_the_end_is_learned_from_five_articles() -> None:
    assert learn(articles(4, tail=(NOTICE,))) == []
    (line,) = learn(articles(5, tail=(NOTICE,)))
    assert (line.line, line.articles) == (NOTICE, 5)
    assert {line.line for line in learn(articles(8, head=("Exclusive report",), tail=(NOTICE,)))} == {
        "Exclusive report", NOTICE,
    }  # fmt: skip


def test_numbers_in_a_notice_do_not_matter() -> None:
    years = (2020, 2020, 2020, 2021, 2022)
    rows = [(f"Story {n} x", text(n, tail=(f"Read by many people since {year}",))) for n, year in enumerate(years)]
    assert len(learn(rows)) == 1


def test_results_that_differ_in_numbers_only_are_not_learned_and_not_removed() -> None:
    rows = [
        (f"Lottery {chr(97 + n)}", f"Numbers: {n}, 1{n}, 2{n}, 3{n}\nJackpot: {n + 3} million\nDraw {n} of the year")
        for n in range(9)
    ]
    assert learn(rows) == []
    memory = frozenset(memory_key(line) for line in rows[0][1].splitlines())
    assert repeated_at_borders(rows[5][1].splitlines(), memory) == set()


def test_very_long_line_is_not_learned() -> None:
    assert learn(articles(6, tail=("word " * 1000,))) == []


def test_articles_with_one_headline_teach_nothing() -> None:
    assert learn([("The same story", text(0, tail=(NOTICE,)))] * 9) == []


def test_line_in_the_middle_of_the_texts_is_not_learned() -> None:
    rows = [(f"Story {chr(97 + n)}", text(n) + f"\n{NOTICE}\n" + text(n + 50)) for n in range(9)]
    assert learn(rows) == []


def test_phrase_of_a_few_reporters_is_not_learned() -> None:
    phrase = "Police are appealing for witnesses."
    rows = articles(54) + [(f"Robbery {chr(97 + n)}", text(n + 60, tail=(phrase,))) for n in range(6)]
    assert learn(rows) == []


def test_phrase_that_changes_is_not_learned() -> None:
    places = ("Harwick", "Port Ellery", "Marlow", "Southfront", "Lindholm", "Ferrier")
    rows = [
        (f"Story {place}", text(n, tail=(f"The council of {place} meets again next week.",)))
        for n, place in enumerate(places)
    ]
    assert learn(rows) == []


def test_memory_is_bounded() -> None:
    rows = [
        (f"Story {number}", "\n".join(f"Notice {chr(97 + number)}{letter * 8}" for letter in "abcdefgh") + f"\n{group}")
        for group in range(6)
        for number in range(26)
    ]
    assert len(learn(rows)) <= MAX_LINES


def test_repeated_lines_are_found_at_the_borders_only() -> None:
    memory = frozenset((memory_key(NOTICE), memory_key("Exclusive report")))
    lines = ["Exclusive report", *(f"Paragraph {n}" for n in range(9)), NOTICE, *(f"Paragraph {n}" for n in range(9)),
             "A last line.", NOTICE, NOTICE]  # fmt: skip
    assert repeated_at_borders(lines, memory) == {0, len(lines) - 1, len(lines) - 2}
    assert repeated_at_borders([], memory) == set()
    assert repeated_at_borders([NOTICE], memory) == set()  # it would leave nothing
