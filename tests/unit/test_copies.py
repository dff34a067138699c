"""Copies: how many of invented edits are found, and that nothing else is."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

from pressmark.copies import bands, components, labels, likeness, lines_of, outlet_line, without_lines
from pressmark.extraction.fingerprints import MIN_WORDS, shingles, signatures
from pressmark.newsstand import prose

LANGUAGES = (prose.ENGLISH, prose.GERMAN, prose.SPANISH, prose.ARABIC, prose.FRENCH, prose.RUSSIAN, prose.JAPANESE)
BOILERPLATE = (
    "Get the most important news of the day in your inbox every morning, with stories from all over the region.",
    "All rights reserved. No part of this page may be reproduced without permission of the publisher in writing.",
)
LEXICON = {
    " ": [
        "".join(pair) for pair in itertools.product(("ba", "kro", "li", "ном", "ستا", "übe", "fen", "του"), repeat=4)
    ],
    "": [chr(0x4E00 + number) for number in range(900)],
}


def texts(space: str, count: int = 60) -> list[str]:
    """Invented articles of 200 to 800 words (three times as many characters where words are not spaced), frequent words often."""
    found = []
    for number in range(count):
        chance = random.Random(f"{space}{number}")
        words = LEXICON[space]
        length = chance.randint(200, 800) if space else chance.randint(600, 2400)
        found.append(space.join(words[int(len(words) * chance.random() ** 2)] for _ in range(length)))
    return found


def units(space: str, text: str) -> list[str]:
    return text.split(space) if space else list(text)


def edited(space: str, text: str, share: float, chance: random.Random) -> str:
    """A share of the words replaced."""
    words = units(space, text)
    for place in chance.sample(range(len(words)), round(share * len(words))):
        words[place] = chance.choice(LEXICON[space])
    return space.join(words)


def cut(space: str, text: str, share: float) -> str:
    words = units(space, text)
    return space.join(words[: round(share * len(words))])


def recall(space: str, change: Callable[[str, str, random.Random], str]) -> float:
    found = total = 0
    for number, text in enumerate(texts(space)):
        other = change(space, text, random.Random(number))
        mine, theirs = signatures(text), signatures(other)
        one, two = shingles(text), shingles(other)
        assert mine and theirs and one is not None and two is not None
        total += 1
        found += bool(set(bands(mine)) & set(bands(theirs))) and likeness(one, two).is_copy
    return found / total


# What facts were measured on real news holds for invented ones; what is beyond is told in docs/decisions/0008-copies.md.
@pytest.mark.parametrize(
    ("change", "spaced", "unspaced"),
    [
        pytest.param(lambda s, text, chance: edited(s, text, 0.05, chance), 0.99, 0.95, id="5 % of words"),
        pytest.param(lambda s, text, chance: edited(s, text, 0.10, chance), 0.95, 0.0, id="10 % of words"),
        pytest.param(lambda s, text, chance: cut(s, text, 0.8), 1.0, 1.0, id="cut to 80 %"),
        pytest.param(lambda s, text, chance: cut(s, text, 0.5), 0.99, 0.99, id="cut to 50 %"),
        pytest.param(lambda s, text, chance: cut(s, text, 0.3), 0.90, 0.90, id="cut to 30 %"),
        pytest.param(lambda s, text, _: f"{BOILERPLATE[0]}\n{text}\n{BOILERPLATE[1]}", 0.98, 0.98, id="boilerplate"),
    ],
)
def test_recall(change: Callable[[str, str, random.Random], str], spaced: float, unspaced: float) -> None:
    assert recall(" ", change) >= spaced
    assert recall("", change) >= unspaced


def test_precision() -> None:
    """Neither articles of one newsroom, which share phrases, nor such as share a third of their text are copies."""
    for language in LANGUAGES:
        written = ["\n".join(prose.write_paragraphs(language, f"quality {n}")) for n in range(40)]
        sets = [found for text in written if (found := shingles(text)) is not None]
        assert not [pair for pair in itertools.combinations(sets, 2) if likeness(*pair).is_copy]
    for space in LEXICON:
        for one, other in itertools.pairwise(texts(space)):
            background = cut(space, one, 0.33)
            a, b = shingles(one), shingles(other + space + background)
            assert a is not None and b is not None and not likeness(a, b).is_copy


def test_too_short_a_text_has_no_signature() -> None:
    words = [f"word{n}" for n in range(MIN_WORDS)]
    assert signatures(" ".join(words)) is not None and signatures(" ".join(words[1:])) is None
    assert shingles("") is None and shingles("字" * 3) is None


def test_bands_are_frozen() -> None:
    """Bands lie in warehouses: another value would cut old articles off from new ones."""
    found = signatures(" ".join(f"word{n}" for n in range(200)))
    assert found is not None and len(bands(found)) == 40
    assert bands(found)[0] == FIRST_BAND and bands(found)[39] == LAST_BAND


FIRST_BAND, LAST_BAND = -3124110554576340533, 5954413804750399292


def test_lines() -> None:
    text = "Support us\nThe bridge is closed.\n  SUPPORT   us \nIt rains."
    assert list(lines_of("a", text).values()) == ["Support us", "The bridge is closed.", "It rains."]
    assert outlet_line("a", "x") != outlet_line("b", "x")
    assert without_lines("a", text, frozenset({outlet_line("a", "support US")})) == "The bridge is closed.\nIt rains."


def test_components() -> None:
    groups = components([5, 1, 2, 3, 4], [(5, 4), (4, 3), (2, 2)])
    assert sorted(groups) == [[1], [2], [3, 4, 5]] and labels(groups) == {3: 3, 4: 3, 5: 3}
