"""No retired name or phrase is left anywhere in the repository. The list is tests/retired_names.txt."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from pressmark.settings import PROJECT_ROOT

LIST = PROJECT_ROOT / "tests" / "retired_names.txt"
# Texts of the sample sites and of others are not ours to rewrite.
NOT_OURS = (
    "uv.lock",
    "pressmark/newsstand/seed_article.txt",
    "pressmark/airflow/static/uPlot",
    "LICENSE",
    "tests/cases/",
)
SUFFIXES = {".py", ".sql", ".md", ".yaml", ".yml", ".toml", ".html", ".js", ".css", ".txt", ".cfg", ".json", ""}


def read_list() -> tuple[list[str], list[str], set[tuple[str, str]]]:
    """(names, phrases, allowed (file, name))."""
    sections: dict[str, list[str]] = {"names": [], "phrases": []}
    allowed = set()
    section = ""
    for raw in LIST.read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith("allow: "):
            file, _, name = line.removeprefix("allow: ").partition(": ")
            allowed.add((file, name))
        else:
            sections[section].append(line)
    return sections["names"], sections["phrases"], allowed


@cache
def texts() -> dict[str, str]:
    """Content of every text file of the repository, by path."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        paths = [PROJECT_ROOT / name for name in listed.stdout.splitlines()]
    else:  # an unpacked archive of the project
        paths = [path for path in PROJECT_ROOT.rglob("*") if ".venv" not in path.parts and ".git" not in path.parts]
    found = {}
    for path in paths:
        name = str(path.relative_to(PROJECT_ROOT))
        if path == LIST or not path.is_file() or path.suffix not in SUFFIXES or name.startswith(NOT_OURS):
            continue
        found[name] = name + "\n" + path.read_text(encoding="utf-8")
    return found


NAMES, PHRASES, ALLOWED = read_list()


@pytest.mark.parametrize("name", NAMES)
def test_retired_name_is_not_used(name: str) -> None:
    pattern = re.compile(rf"(?<![\w.-]){re.escape(name)}(?!\w)")
    used = [file for file, text in texts().items() if (file, name) not in ALLOWED and pattern.search(text)]
    assert used == [], f"{name} is retired"


@pytest.mark.parametrize("phrase", PHRASES)
def test_retired_phrase_is_not_used(phrase: str) -> None:
    words = r"[\s#*/-]+".join(re.escape(word) for word in phrase.split())
    pattern = re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
    used = [file for file, text in texts().items() if (file, phrase) not in ALLOWED and pattern.search(text)]
    assert used == [], f"{phrase!r} is retired"


def test_allowed_uses_exist() -> None:
    """The allowlist does not outlive what it allows."""
    content = texts()
    stale = [(file, name) for file, name in ALLOWED if name.lower() not in content.get(file, "").lower()]
    assert stale == []


def test_list_is_found_by_the_search(tmp_path: Path) -> None:
    """The patterns do match: the list itself holds every name."""
    text = LIST.read_text(encoding="utf-8")
    assert all(re.search(rf"(?<![\w.-]){re.escape(name)}(?!\w)", text) for name in NAMES)
