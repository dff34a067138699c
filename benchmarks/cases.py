"""Run a folder of page cases: extract each page and compare the fields with the expected ones.

    python benchmarks/cases.py tests/cases/pages
    python benchmarks/cases.py tests/cases/pages --json

Each subfolder of DIR is a case: `page.html`, an optional `headers.txt` (one `Name: value` per line) and
`expected.json`. tests/cases/README.md describes the keys of `expected.json`.

Prints a line for each wrong value, and `N of M right` at the end. The exit code is 1 if any case is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pressmark.extraction.fields import ExtractionConfig, PageExtraction
from pressmark.extraction.worker import extract_document

URL = "http://quay.example/port/2026/breakwater"
OBSERVED_AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
_SIZE_LIMIT = 10 * 2**20
CONFIG: dict[str, Any] = {
    "outlet": "quay-courier",
    "name": "The Quay Courier",
    "home": "http://quay.example/",
    "domains": ("quay.example",),
    "languages": ("en",),
    "timezone": "Europe/London",
}


def read_case(case: Path) -> PageExtraction:
    """Extract the page of a case as a crawl does, with the outlet that `_config` of `expected.json` describes."""
    overrides = json.loads((case / "expected.json").read_text(encoding="utf-8")).get("_config", {})
    settings = {**CONFIG, **{key: tuple(v) if isinstance(v, list) else v for key, v in overrides.items()}}
    settings["outlet"] = settings.pop("id", settings["outlet"])
    headers = [("Content-Type", "text/html")]
    if (case / "headers.txt").exists():
        lines = (case / "headers.txt").read_text(encoding="utf-8").splitlines()
        headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines) if name]
    body = (case / "page.html").read_bytes()
    return extract_document(body, URL, tuple(headers), OBSERVED_AT, ExtractionConfig(**settings), _SIZE_LIMIT)


def wrong_values(case: Path) -> list[dict[str, Any]]:
    """Return key, value and expected value of everything that is wrong in a case."""
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    page = read_case(case)
    values = page_values(page)
    body = page.extraction.article_body if page.extraction else ""
    wrong: list[dict[str, Any]] = []

    def compare(key: str, value: Any, wanted: Any, right: bool) -> None:
        if not right:
            wrong.append({"key": key, "value": value, "expected": wanted})

    for key, wanted in {"outcome": "article", **expected}.items():
        if key == "outcome" and "outcome_any" in expected and "outcome" not in expected:
            continue
        if key == "body_contains":
            for text in wanted:
                compare(key, body, text, text in body)
        elif key == "body_excludes":
            for text in wanted:
                compare(key, body, text, text not in body)
        elif key == "body_once":
            for text in wanted:
                compare(key, f"{body.count(text)} times: {body}", text, body.count(text) == 1)
        elif key.endswith("_any") and key.removesuffix("_any") in values:
            value = values[key.removesuffix("_any")]
            compare(key.removesuffix("_any"), value, wanted, any(_equal(key, value, w) for w in wanted))
        elif key in values:
            compare(key, values[key], wanted, _equal(key, values[key], wanted))
        elif key != "_config":
            compare(key, None, wanted, False)  # an unknown key must fail the case
    return wrong


def page_values(page: PageExtraction) -> dict[str, Any]:
    """Return the values of a page by their key in expected.json."""
    fields = page.extraction
    published = fields.published.value if fields and fields.published else None
    modified = fields.modified.value if fields and fields.modified else None
    return {
        "outcome": page.outcome or "article",
        "headline": fields.headline if fields else None,
        "authors": fields.authors if fields else [],
        "published": published.isoformat() if published else None,
        "modified": modified.isoformat() if modified else None,
        "language": fields.in_language if fields else None,
        "encoding": fields.encoding if fields else None,
        "description": fields.description if fields else None,
        "section": fields.article_section if fields else None,
    }


def _equal(key: str, value: Any, wanted: Any) -> bool:
    if key.startswith(("published", "modified")) and value and wanted:
        return datetime.fromisoformat(value) == datetime.fromisoformat(wanted)
    return bool(value == wanted)


def main() -> None:
    """Run the cases and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with one subfolder per case")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = parser.parse_args()
    cases = sorted(path.parent for path in arguments.folder.glob("*/expected.json"))
    if not cases:
        parser.error(f"{arguments.folder} has no subfolder with expected.json and page.html")
    wrong: dict[str, list[dict[str, Any]]] = {}
    with ProcessPoolExecutor() as pool:
        for case, values in zip(cases, pool.map(wrong_values, cases), strict=True):
            if values:
                wrong[case.name] = values
            if not arguments.json:
                for value in values:
                    got, wanted = (json.dumps(value[k], ensure_ascii=False)[:300] for k in ("value", "expected"))
                    print(f"{case.name}: {value['key']}: {got}, expected {wanted}")
    right = len(cases) - len(wrong)
    if arguments.json:
        print(json.dumps({"right": right, "cases": len(cases), "wrong": wrong}, ensure_ascii=False))
    else:
        print(f"{right} of {len(cases)} right")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
