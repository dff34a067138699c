"""Copies: how many of invented edits are found, and that nothing else is."""

from __future__ import annotations

import pytest

from benchmarks.near_duplicates import EDITS, false_pairs, recall
from pressmark.extraction.fingerprints import MIN_WORDS, shingles, signatures
from pressmark.near_duplicates import bands, components, labels, outlet_line, split_lines, without_lines


# What facts were measured on real news holds for invented ones; what is beyond is told in docs/decisions/0008-near-duplicates.md.
@pytest.mark.parametrize(
    ("edit", "spaced", "unspaced"),
    [
        ("5% of words", 0.99, 0.95),
        ("10% of words", 0.95, 0.0),
        ("cut to 80%", 1.0, 1.0),
        ("cut to 50%", 0.99, 0.99),
        ("cut to 30%", 0.90, 0.90),
        ("boilerplate", 0.98, 0.98),
    ],
)
def test_recall(edit: str, spaced: float, unspaced: float) -> None:
    assert recall(" ", EDITS[edit]) >= spaced
    assert recall("", EDITS[edit]) >= unspaced


def test_precision() -> None:
    """Neither articles of one newsroom, which share phrases, nor such as share a third of their text are copies."""
    called, looked = false_pairs()
    assert called == 0 and looked > 5000


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
    assert list(split_lines("a", text).values()) == ["Support us", "The bridge is closed.", "It rains."]
    assert outlet_line("a", "x") != outlet_line("b", "x")
    assert without_lines("a", text, frozenset({outlet_line("a", "support US")})) == "The bridge is closed.\nIt rains."


def test_components() -> None:
    groups = components([5, 1, 2, 3, 4], [(5, 4), (4, 3), (2, 2)])
    assert sorted(groups) == [[1], [2], [3, 4, 5]] and labels(groups) == {3: 3, 4: 3, 5: 3}
