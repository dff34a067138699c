"""What the outlet's memory is worth: texts of outlets with many pages, without it and with what other pages taught.

    python benchmarks/outlet_memory.py [--pages N] [--json]

Twelve outlets in four languages are generated, each with its own layout and its own notices above and below the texts,
in plain markup. Half of the notices change a number from page to page. The memory learns from each outlet's first
five pages, as a crawl does, and the other pages are measured: F1 of word 4-grams, and lines of the articles that were
lost. A tenth of the stories end with a sentence that several reporters use.
"""

from __future__ import annotations

import argparse
import json
import random
from datetime import UTC, datetime
from typing import Any

from scoring import average_f1

from pressmark.extraction.extract import extract
from pressmark.extraction.fields import ExtractionConfig
from pressmark.newsstand.text_generator import (
    ENGLISH,
    FRENCH,
    GERMAN,
    SPANISH,
    Language,
    write_headline,
    write_paragraphs,
)
from pressmark.outlet_memory import learn

LEARNED_FROM = 5
_LAYOUTS = (
    "<article><h1>{h}</h1>{head}<div class='text'>{text}{tail}</div></article>",
    "<main><header><h1>{h}</h1></header><div>{head}{text}</div><div class='more'>{tail}</div></main>",
    "<div id='page'><h1>{h}</h1>{head}{text}<div>{tail}</div></div>",
)
_WORDS = "harbour morning reader letter island bridge winter market window garden river paper tower station".split()


def main() -> None:
    """Generate, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=20, help="pages per outlet (default: 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    without: list[tuple[str, str]] = []
    with_memory: list[tuple[str, str]] = []
    lost = learned = 0
    for number in range(12):
        pages = [_page(number, page) for page in range(options.pages)]
        config = _config(number)
        first = [_extracted(page, config) for page in pages[:LEARNED_FROM]]
        lines = learn((headline, text) for headline, text in first)
        learned += len(lines)
        remembered = _config(number, tuple(sorted(line.key for line in lines)))
        for page in pages[LEARNED_FROM:]:
            before, after = _extracted(page, config)[1], _extracted(page, remembered)[1]
            without.append((page["gold"], before))
            with_memory.append((page["gold"], after))
            lost += len(set(page["gold"].splitlines()) & set(before.splitlines()) - set(after.splitlines()))
    result = {
        "outlets": 12, "pages": len(without), "lines_learned": learned, "f1_without": round(average_f1(without), 4),
        "f1_with": round(average_f1(with_memory), 4), "article_lines_lost": lost,
    }  # fmt: skip
    print(json.dumps(result) if options.json else "\n".join(f"{name}: {value}" for name, value in result.items()))


def _page(outlet: int, number: int) -> dict[str, Any]:
    language = (ENGLISH, GERMAN, FRENCH, SPANISH)[outlet % 4]
    headline = write_headline(language, f"{outlet} {number}") + f" {number}"
    paragraphs = write_paragraphs(language, f"{outlet} {number}", 6)
    if number % 10 == 9:
        paragraphs.append(write_paragraphs(language, f"phrase {outlet}", 1)[0])
    head, tail = _notices(outlet, language, number)
    markup = _LAYOUTS[outlet % 3].format(h=headline, head=_p(head), text=_p(paragraphs), tail=_p(tail))
    html = f"<html><head><title>{headline}</title></head><body>{markup}</body></html>"
    return {"headline": headline, "gold": "\n".join(paragraphs), "html": html.encode()}


def _notices(outlet: int, language: Language, page: int) -> tuple[list[str], list[str]]:
    """Return the lines that an outlet repeats above and below its texts."""
    rng = random.Random(f"notices {outlet}")  # noqa: S311 - sample text
    notices = [" ".join(rng.sample(_WORDS, 7)).capitalize() + "." for _ in range(3)]
    notices += write_paragraphs(language, f"notice {outlet}", 1)
    if outlet % 2:
        notices[1] = f"{notices[1]} {1000 + 37 * page}"
    return notices[:1], notices[1:]


def _p(lines: list[str]) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


def _config(outlet: int, repeated_lines: tuple[str, ...] = ()) -> ExtractionConfig:
    host = f"outlet{outlet}.example"
    return ExtractionConfig(
        "bench", host, f"https://{host}/", (host,), (), "UTC", repeated_lines=repeated_lines
    )  # fmt: skip


def _extracted(page: dict[str, Any], config: ExtractionConfig) -> tuple[str | None, str]:
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    found = extract(page["html"], f"{config.home}story", headers, datetime.now(UTC), config)
    return found.headline, found.article_body


if __name__ == "__main__":
    main()
