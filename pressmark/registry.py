"""Load the folder of outlet files. The file format is defined in `outlet`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pressmark.errors import ConfigError
from pressmark.outlet import Outlet

_FIXES = {
    "missing": "add this key",
    "extra_forbidden": "unknown key: remove it or fix its spelling",
    "string_pattern_mismatch": "fix its format",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in an outlet file: the key, the line, and how to fix it."""

    file: Path
    key: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(slots=True)
class Registry:
    """All outlets of a folder, and the problems of files that could not be loaded."""

    folder: Path
    outlets: dict[str, Outlet] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def get(self, outlet_id: str) -> Outlet:
        """Return the outlet with this id.

        Raises ConfigError that lists the problems of its file, or the known ids if there is no such file.
        """
        if outlet_id in self.outlets:
            return self.outlets[outlet_id]
        broken = [p for p in self.problems if p.file.stem == outlet_id]
        if broken:
            raise ConfigError("\n".join(str(problem) for problem in broken[:5]))
        known = ", ".join(sorted(self.outlets)[:12]) or "none"
        raise ConfigError(
            f"No outlet {outlet_id!r} in {self.folder}. Known outlets: {known}. See `pressmark outlet list`."
        )

    def select(self, outlet_ids: Iterable[str]) -> list[Outlet]:
        """Return the outlets with these ids, without duplicates, in the given order.

        Raises ConfigError as `get` does.
        """
        return [self.get(outlet_id) for outlet_id in dict.fromkeys(outlet_ids)]


def load_registry(folder: Path) -> Registry:
    """Load every `*.yaml` and `*.yml` file of a folder. Invalid files are reported as problems.

    Raises ConfigError if the folder is missing.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"The outlets folder {folder} does not exist. Set PRESSMARK_OUTLETS to a folder of outlet files."
        )
    registry = Registry(folder)
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        outlet, problems = read_outlet(path)
        if outlet is not None and outlet.id in registry.outlets:
            other = registry.files[outlet.id]
            problems = [Problem(path, "id", None, f"{outlet.id!r} is already used by {other.name}; choose another")]
            outlet = None
        registry.problems.extend(problems)
        if outlet is not None:
            registry.outlets[outlet.id] = outlet
            registry.files[outlet.id] = path
    return registry


def read_outlet(path: Path) -> tuple[Outlet | None, list[Problem]]:
    """Load one file. Returns the outlet, or None and the problems of the file."""
    yaml = YAML(typ="rt")  # YAML 1.2: `no` and `off` are strings, not booleans, and a duplicate key is an error
    try:
        data = yaml.load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        return None, [Problem(path, "", line, f"not valid YAML: {error.problem or error}")]
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        return None, [Problem(path, "", None, f"cannot be read: {error}")]
    if not isinstance(data, dict):
        return None, [Problem(path, "", None, "is empty or not a mapping; start from a copy of another outlet file")]
    try:
        return Outlet.model_validate(_plain(data)), []
    except ValidationError as error:
        return None, [_problem(path, data, detail) for detail in error.errors(include_url=False)]


def _problem(path: Path, data: Any, detail: Any) -> Problem:
    location = [part for part in detail["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    key = ".".join(str(part) for part in location)
    message = detail["msg"].removeprefix("Value error, ")
    fix = _FIXES.get(detail["type"])
    if detail["type"] == "string_pattern_mismatch":
        message = f"{detail['input']!r} does not match {detail['ctx']['pattern']}"
    if not key and ": " in message:
        key, message = message.split(": ", 1)
        location = [key]
    return Problem(path, key, _line(data, location), f"{message} ({fix})" if fix else message)


def _line(data: Any, location: list[Any]) -> int | None:
    """Return the line (from 1) of the deepest key of `location` that is in the file."""
    line = None
    for part in location:
        try:
            marks = data.lc.data[part]
            line = marks[0] + 1
            data = data[part]
        except (AttributeError, KeyError, TypeError, IndexError):
            break
    return line


def _plain(value: Any) -> Any:
    """Convert ruamel's round-trip types to plain dicts, lists and scalars."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    return value
