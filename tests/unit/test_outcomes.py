"""The Outcome enum: it matches the core.outcome table, and each class has outcomes."""

from __future__ import annotations

import re

from pressmark.outcomes import Outcome, OutcomeClass
from pressmark.settings import SQL_ROOT

ROW = re.compile(r"^\s+\('(\w+)', '(\w+)', '", re.MULTILINE)


def test_outcome_enum_matches_the_core_outcome_table() -> None:
    rows: dict[str, str] = {}
    for path in sorted((SQL_ROOT / "migrations").glob("*.sql")):
        statement = path.read_text(encoding="utf-8").partition("INSERT INTO core.outcome ")[2].partition(";\n\n")[0]
        rows |= dict(ROW.findall(statement))
    assert rows == {outcome.value: outcome.outcome_class.value for outcome in Outcome}


def test_every_outcome_class_has_outcomes() -> None:
    assert {outcome.outcome_class for outcome in Outcome} == set(OutcomeClass)
