"""Near-duplicate detection: recall on edited copies and precision on unrelated texts."""

from __future__ import annotations

import pytest

from benchmarks.near_duplicates import EDITS, false_pairs, recall
from pressmark.extraction.fingerprints import MIN_WORDS, shingles, signatures
from pressmark.near_duplicates import bands, components, labels, outlet_line, split_lines, without_lines


# These bounds hold for real and for generated news. docs/decisions/0008-near-duplicates.md explains the limits.
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
def test_recall_on_edited_copies(edit: str, spaced: float, unspaced: float) -> None:
    assert recall(" ", EDITS[edit]) >= spaced
    assert recall("", EDITS[edit]) >= unspaced


def test_unrelated_texts_are_not_near_duplicates() -> None:
    """Articles of one newsroom share phrases, other pairs share a third of their text. Neither are copies."""
    false_positives, compared = false_pairs()
    assert false_positives == 0 and compared > 5000


def test_text_that_is_too_short_has_no_signature() -> None:
    words = [f"word{n}" for n in range(MIN_WORDS)]
    assert signatures(" ".join(words)) is not None and signatures(" ".join(words[1:])) is None
    assert shingles("") is None and shingles("字" * 3) is None


def test_band_hashes_never_change() -> None:
    """Warehouses store bands. With other hashes, new articles would no longer match old ones."""
    signature = signatures(" ".join(f"word{n}" for n in range(200)))
    assert signature is not None and len(bands(signature)) == 40
    assert bands(signature)[0] == FIRST_BAND and bands(signature)[39] == LAST_BAND


FIRST_BAND, LAST_BAND = -3124110554576340533, 5954413804750399292


def test_lines_are_compared_without_case_and_spacing_within_one_outlet() -> None:
    text = "Support us\nThe bridge is closed.\n  SUPPORT   us \nIt rains."
    assert list(split_lines("a", text).values()) == ["Support us", "The bridge is closed.", "It rains."]
    assert outlet_line("a", "x") != outlet_line("b", "x")
    assert without_lines("a", text, frozenset({outlet_line("a", "support US")})) == "The bridge is closed.\nIt rains."


def test_connected_pairs_form_labelled_components() -> None:
    groups = components([5, 1, 2, 3, 4], [(5, 4), (4, 3), (2, 2)])
    assert sorted(groups) == [[1], [2], [3, 4, 5]] and labels(groups) == {3: 3, 4: 3, 5: 3}
