"""How well copies are found: recall on invented edits, precision on texts that are none, and both on the newsstand.

    python benchmarks/near_duplicates.py [--json]

- invented edits: 60 texts of 200 to 800 words (and as many of unspaced signs), a share of the words changed, cut, or
  framed by boilerplate; recall is the share of which the pair shares a band and the texts say "copy";
- no copies: 40 articles in each of the newsstand's languages, every pair of a language, and texts that share a third;
- the newsstand is crawled whole, and what the warehouse calls copies is held against what its pages are made of.
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

from pressmark.extraction.fingerprints import (  # noqa: E402
    BODY_HASHES,
    CHARACTER_SHINGLE,
    LEAD_HASHES,
    MIN_WORDS,
    SIG_VERSION,
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

# One report of the agency, and who printed it: all that is copied on the newsstand.
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
    """Invented articles of 200 to 800 words (three times as many characters without spaces), frequent words often."""
    found = []
    for number in range(count):
        chance = random.Random(f"{space}{number}")  # noqa: S311
        words = LEXICON[space]
        length = chance.randint(200, 800) if space else chance.randint(600, 2400)
        found.append(space.join(words[int(len(words) * chance.random() ** 2)] for _ in range(length)))
    return found


def edited(share: float) -> Change:
    """A share of the words replaced."""

    def change(space: str, text: str, chance: random.Random) -> str:
        words = _units(space, text)
        for place in chance.sample(range(len(words)), round(share * len(words))):
            words[place] = chance.choice(LEXICON[space])
        return space.join(words)

    return change


def cut(share: float) -> Change:
    """The beginning."""

    def change(space: str, text: str, chance: random.Random) -> str:
        words = _units(space, text)
        return space.join(words[: round(share * len(words))])

    return change


def framed(space: str, text: str, chance: random.Random) -> str:
    """With a site's own words around it."""
    return f"{BOILERPLATE[0]}\n{text}\n{BOILERPLATE[1]}"


def _units(space: str, text: str) -> list[str]:
    return text.split(space) if space else list(text)


EDITS: dict[str, Change] = {
    **{f"{share:.0%} of words": edited(share) for share in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4)},
    **{f"cut to {share:.0%}": cut(share) for share in (0.8, 0.5, 0.3)},
    "boilerplate": framed,
}


def recall(space: str, change: Change) -> float:
    """Share of the invented texts of which the changed one is found."""
    found = total = 0
    for number, text in enumerate(texts(space)):
        other = change(space, text, random.Random(number))  # noqa: S311
        mine, theirs = signatures(text), signatures(other)
        one, two = shingles(text), shingles(other)
        assert mine and theirs and one is not None and two is not None
        total += 1
        found += bool(set(bands(mine)) & set(bands(theirs))) and measure_similarity(one, two).is_copy
    return found / total


def false_pairs() -> tuple[int, int]:
    """(pairs called copies, pairs looked at): of a newsroom's articles, and of texts that share a third."""
    called = looked = 0
    for language in LANGUAGES:
        written = ["\n".join(text_generator.write_paragraphs(language, f"quality {n}")) for n in range(40)]
        sets = [found for text in written if (found := shingles(text)) is not None]
        for pair in itertools.combinations(sets, 2):
            looked += 1
            called += measure_similarity(*pair).is_copy
    for space in LEXICON:
        third = cut(0.33)
        for one, other in itertools.pairwise(texts(space)):
            a, b = shingles(one), shingles(other + space + third(space, one, random.Random(0)))  # noqa: S311
            assert a is not None and b is not None
            looked += 1
            called += measure_similarity(a, b).is_copy
    return called, looked


def on_the_newsstand() -> dict[str, Any]:
    """Crawl all of it; the pairs of its warehouse beside those that it is made of."""
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
                    found = {frozenset(pair) for pair in cursor.fetchall()}
                connection.close()
            finally:
                assert warehouse.embedded is not None
                warehouse.embedded.remove()
    true = {frozenset(pair) for pair in itertools.combinations(COPIES, 2)}
    right = len(found & true)
    return {
        "articles": articles,
        "pairs": len(true),
        "found": len(found),
        "precision": right / len(found) if found else 0.0,
        "recall": right / len(true),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    called, looked = false_pairs()
    result: dict[str, Any] = {
        "parameters": {
            "shingles": f"{WORD_SHINGLE} words, {CHARACTER_SHINGLE} characters of unspaced scripts",
            "sig_version": SIG_VERSION,
            "hashes": {"body": BODY_HASHES, "lead": LEAD_HASHES},
            "bands": len(bands(signatures(texts(" ", 1)[0]))),  # type: ignore[arg-type]
            "copy": f"similarity >= {MIN_SIMILARITY}, or containment >= {MIN_CONTAINMENT} with {MIN_SHARED} shingles",
            "least_words": MIN_WORDS,
            "headlines_to_recur": BOILERPLATE_MIN_HEADLINES,
        },
        "recall": {
            name: {"spaced": recall(" ", change), "unspaced": recall("", change)} for name, change in EDITS.items()
        },
        "false_pairs": called,
        "pairs_that_are_none": looked,
        "newsstand": on_the_newsstand(),
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result["parameters"].items():
        print(f"{name:20} {value}")
    print(f"\n{'recall':20} {'spaced':>8} {'unspaced':>9}")
    for name, row in result["recall"].items():
        print(f"{name:20} {row['spaced']:8.2f} {row['unspaced']:9.2f}")
    print(f"\n{called} of {looked} pairs that are no copies are called so")
    stand = result["newsstand"]
    print(
        f"newsstand: {stand['articles']} articles, {stand['pairs']} pairs of copies, {stand['found']} found; "
        f"precision {stand['precision']:.2f}, recall {stand['recall']:.2f}"
    )


if __name__ == "__main__":
    main()
