"""Recall and precision of near-duplicate detection, on generated edits and on the newsstand.

    python benchmarks/near_duplicates.py [--json]

- Recall: 60 texts of 200 to 800 words, and 60 texts in a script without spaces, are edited. An edit replaces a share of
  the words, cuts the text, or adds boilerplate lines. Recall is the share of texts whose edited form shares a band with
  the original and is a copy by the comparison of the texts.
- Bands: the share of pairs of texts that share a band, by their Jaccard index.
- False positives: all pairs of 40 articles in each language of the newsstand, and pairs that share a third of their
  text.
- Newsstand: all outlets are crawled, and the copies in the warehouse are compared with the known copies.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pressmark.extraction.fields import SIG_VERSION  # noqa: E402
from pressmark.extraction.fingerprints import (  # noqa: E402
    BODY_HASHES,
    CHARACTER_SHINGLE,
    LEAD_HASHES,
    MIN_WORDS,
    WORD_SHINGLE,
    shingles,
    signatures,
)
from pressmark.near_duplicates import (  # noqa: E402
    BOILERPLATE_MIN_HEADLINES,
    MIN_CONTAINMENT,
    MIN_SHARED,
    MIN_SIMILARITY,
    bands,
    measure_similarity,
)
from pressmark.newsstand import OUTLETS, text_generator  # noqa: E402
from pressmark.newsstand.model import DOMAIN  # noqa: E402
from pressmark.newsstand.server import running  # noqa: E402

# The only copies on the newsstand: an agency report and the outlets that published it.
COPIES = [
    f"http://{path}"
    for path in (f"wire.{DOMAIN}/report/4005", f"dispatch.{DOMAIN}/harbour-notes-9/", f"oddlot.{DOMAIN}/news/agency")
]
LANGUAGES = (
    text_generator.ENGLISH,
    text_generator.GERMAN,
    text_generator.SPANISH,
    text_generator.ARABIC,
    text_generator.FRENCH,
    text_generator.RUSSIAN,
    text_generator.JAPANESE,
)
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
Change = Callable[[str, str, random.Random], str]


def texts(space: str, count: int = 60) -> list[str]:
    """Generate texts of 200 to 800 words, or three times as many characters for scripts without spaces.

    The first words of the lexicon are the most frequent.
    """
    generated = []
    for number in range(count):
        chance = random.Random(f"{space}{number}")  # noqa: S311
        words = LEXICON[space]
        length = chance.randint(200, 800) if space else chance.randint(600, 2400)
        generated.append(space.join(words[int(len(words) * chance.random() ** 2)] for _ in range(length)))
    return generated


def edited(share: float) -> Change:
    """Return an edit that replaces a share of the words."""

    def change(space: str, text: str, chance: random.Random) -> str:
        words = _units(space, text)
        for position in chance.sample(range(len(words)), round(share * len(words))):
            words[position] = chance.choice(LEXICON[space])
        return space.join(words)

    return change


def cut(share: float) -> Change:
    """Return an edit that keeps the beginning of the text."""

    def change(space: str, text: str, chance: random.Random) -> str:
        words = _units(space, text)
        return space.join(words[: round(share * len(words))])

    return change


def framed(space: str, text: str, chance: random.Random) -> str:
    """Add boilerplate lines before and after the text."""
    return f"{BOILERPLATE[0]}\n{text}\n{BOILERPLATE[1]}"


def _units(space: str, text: str) -> list[str]:
    return text.split(space) if space else list(text)


EDITS: dict[str, Change] = {
    **{f"{share:.0%} of words": edited(share) for share in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4)},
    **{f"cut to {share:.0%}": cut(share) for share in (0.8, 0.5, 0.3)},
    "boilerplate": framed,
}


def recall(space: str, change: Change) -> float:
    """Return the share of generated texts whose edited form is detected as a copy."""
    detected = total = 0
    for number, text in enumerate(texts(space)):
        edited_text = change(space, text, random.Random(number))  # noqa: S311
        mine, theirs = signatures(text), signatures(edited_text)
        one, two = shingles(text), shingles(edited_text)
        assert mine and theirs and one is not None and two is not None
        total += 1
        detected += bool(set(bands(mine)) & set(bands(theirs))) and measure_similarity(one, two).is_copy
    return detected / total


def band_recall() -> dict[str, tuple[float, float]]:
    """Return, by the Jaccard index of pairs of texts, the share that shares a band, and the share in theory."""
    shared: dict[int, list[bool]] = {}
    indexes: dict[int, list[float]] = {}
    for number, text in enumerate(texts(" ", 200)):
        for share in (0.02, 0.04, 0.06, 0.08, 0.1, 0.11, 0.12, 0.13, 0.14, 0.16):
            other = edited(share)(" ", text, random.Random(number))  # noqa: S311
            mine, theirs = signatures(text), signatures(other)
            one, two = shingles(text), shingles(other)
            assert mine and theirs and one is not None and two is not None
            similarity = measure_similarity(one, two).similarity
            if similarity >= MIN_SIMILARITY:
                tenth = int(similarity * 10)
                shared.setdefault(tenth, []).append(bool(set(bands(mine)) & set(bands(theirs))))
                indexes.setdefault(tenth, []).append(1 - (1 - similarity**4) ** (BODY_HASHES // 4))
    return {
        f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}": (
            sum(shared[tenth]) / len(shared[tenth]), sum(indexes[tenth]) / len(indexes[tenth]),
        )
        for tenth in sorted(shared)
    }  # fmt: skip


def false_pairs() -> tuple[int, int]:
    """Return (false positives, pairs compared) for unrelated articles and for texts that share a third."""
    false_positives = compared = 0
    for language in LANGUAGES:
        articles = ["\n".join(text_generator.write_paragraphs(language, f"quality {n}")) for n in range(40)]
        sets = [hashes for text in articles if (hashes := shingles(text)) is not None]
        for pair in itertools.combinations(sets, 2):
            compared += 1
            false_positives += measure_similarity(*pair).is_copy
    for space in LEXICON:
        third = cut(0.33)
        for one, other in itertools.pairwise(texts(space)):
            a, b = shingles(one), shingles(other + space + third(space, one, random.Random(0)))  # noqa: S311
            assert a is not None and b is not None
            compared += 1
            false_positives += measure_similarity(a, b).is_copy
    return false_positives, compared


def on_the_newsstand() -> dict[str, Any]:
    """Crawl the newsstand and compare the pairs of copies in its warehouse with the known pairs."""
    from pressmark.settings import Settings
    from pressmark.warehouse.connection import Warehouse, transaction
    from pressmark.warehouse.migrations import migrate

    with tempfile.TemporaryDirectory(prefix="pressmark-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "access.log") as newsstand:
            env = {
                **os.environ,
                "PRESSMARK_HOME": f"{folder}/home",
                "PRESSMARK_OUTLETS": str(OUTLETS),
                "PRESSMARK_RESOLVE": newsstand.resolve,
            }
            warehouse = Warehouse(Settings.from_env(env))
            migrate(warehouse)
            try:
                outlets = sorted(path.stem for path in OUTLETS.glob("*.yaml"))
                command = [sys.executable, "-m", "pressmark.cli", "crawl", *outlets, "--json"]
                subprocess.run(command, env=env, check=True, capture_output=True, cwd=ROOT)
                connection = warehouse.connect("analyst", "bench")
                with transaction(connection) as cursor:
                    cursor.execute("SELECT count(*) FROM mart.article")
                    (articles,) = cursor.fetchone() or (0,)
                    cursor.execute(
                        "SELECT earlier.url, later.url FROM mart.syndication_edge e "
                        "JOIN mart.article earlier ON earlier.article_uid = e.earlier_article "
                        "JOIN mart.article later ON later.article_uid = e.later_article"
                    )
                    detected = {frozenset(pair) for pair in cursor.fetchall()}
                connection.close()
            finally:
                assert warehouse.embedded is not None
                warehouse.embedded.remove()
    expected = {frozenset(pair) for pair in itertools.combinations(COPIES, 2)}
    correct = len(detected & expected)
    return {
        "articles": articles,
        "pairs": len(expected),
        "found": len(detected),
        "precision": correct / len(detected) if detected else 0.0,
        "recall": correct / len(expected),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    false_positives, compared = false_pairs()
    result: dict[str, Any] = {
        "parameters": {
            "shingles": f"{WORD_SHINGLE} words, {CHARACTER_SHINGLE} characters of unspaced scripts",
            "sig_version": SIG_VERSION,
            "hashes": {"body": BODY_HASHES, "lead": LEAD_HASHES},
            "bands": len(bands(signatures(texts(" ", 1)[0]))),  # type: ignore[arg-type]
            "copy": f"similarity >= {MIN_SIMILARITY}, or containment >= {MIN_CONTAINMENT} with {MIN_SHARED} shingles",
            "min_words": MIN_WORDS,
            "boilerplate_min_headlines": BOILERPLATE_MIN_HEADLINES,
        },
        "recall": {
            name: {"spaced": recall(" ", change), "unspaced": recall("", change)} for name, change in EDITS.items()
        },
        "band_recall": band_recall(),
        "false_pairs": false_positives,
        "unrelated_pairs": compared,
        "newsstand": on_the_newsstand(),
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result["parameters"].items():
        print(f"{name:25} {value}")
    print(f"\n{'recall':20} {'spaced':>8} {'unspaced':>9}")
    for name, row in result["recall"].items():
        print(f"{name:20} {row['spaced']:8.2f} {row['unspaced']:9.2f}")
    print("\nJaccard index         share a band   of the whole text alone, in theory")
    for name, (found, expected) in result["band_recall"].items():
        print(f"{name:20} {found:13.3f} {expected:13.3f}")
    print(f"\n{false_positives} of {compared} pairs of unrelated texts are detected as copies")
    newsstand = result["newsstand"]
    print(
        f"newsstand: {newsstand['articles']} articles, {newsstand['pairs']} pairs of copies, "
        f"{newsstand['found']} detected; precision {newsstand['precision']:.2f}, recall {newsstand['recall']:.2f}"
    )


if __name__ == "__main__":
    main()
