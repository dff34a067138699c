"""The page cases of tests/cases: every expected field of every page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases import wrong_values
from pressmark.extraction.charset import decode

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "cases" / "pages").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_page_case_is_right(case: Path) -> None:
    assert wrong_values(case) == []


def test_wrong_case_is_reported_with_key_value_and_expected_value(tmp_path: Path) -> None:
    case = tmp_path / "01-wrong"
    case.mkdir()
    (case / "page.html").write_bytes((CASES[0] / "page.html").read_bytes())
    expected: dict[str, Any] = {"headline": "Another headline", "no_such_key": 1}
    (case / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    command = [sys.executable, "benchmarks/cases.py", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert '01-wrong: headline: "Board votes to rebuild breakwater", expected "Another headline"' in done.stdout
    assert done.stdout.endswith("0 of 1 right\n")
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, cwd=ROOT)
    result = json.loads(done.stdout)
    assert (result["right"], result["cases"]) == (0, 1)
    assert [row["key"] for row in result["wrong"]["01-wrong"]] == ["headline", "no_such_key"]


def test_only_references_to_c1_characters_are_replaced() -> None:
    page = b"&#146; &#x97; &#1488;&#1500;&#x8BDD;&#x97E9;"
    assert decode(page, None)[0] == "\u2019 \u2014 &#1488;&#1500;&#x8BDD;&#x97E9;"
