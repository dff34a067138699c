"""Read one outlet file. The format is defined in `outlet`, and `registry` reads whole folders.

A valid file is read by PyYAML's C parser, which is 15 times faster than a parser that knows line numbers. Whatever it
rejects is read again by ruamel.yaml, which says what is wrong and in which line.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pressmark.outlet import Outlet

ENDINGS = (".yaml", ".yml")
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


def read_outlet(path: Path) -> tuple[Outlet | None, list[Problem]]:
    """Read one file. Returns the outlet, or None and the problems of the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        return None, [Problem(path, "", None, f"cannot be read: {error}")]
    outlet = _read_valid(text)
    if outlet is not None and outlet.id == path.stem:
        return outlet, []
    return _read_with_lines(path, text)


def _read_valid(text: str) -> Outlet | None:
    """Return the outlet if the text is valid and means the same in YAML 1.1 and 1.2."""
    if "%YAML" in text:
        return None
    try:
        return Outlet.model_validate(yaml.load(text, Loader=_Loader))  # noqa: S506 - a subclass of the safe loader
    except (yaml.YAMLError, ValidationError, ValueError):
        return None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # PyYAML may lack its C parser
    """Accepts plain scalars that YAML 1.2 reads as one obvious type. Everything else is an error."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML expects it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a dict. A key that occurs twice is an error."""
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.YAMLError("a key occurs twice")
        return mapping


def _reject(loader: Any, node: yaml.Node) -> Any:
    raise yaml.YAMLError(f"{node.value!r} can be read in more than one way")


for _tag, _pattern, _starts in (
    ("tag:yaml.org,2002:bool", r"(?:true|false)", "tf"),
    ("tag:yaml.org,2002:null", r"(?:~|null|)", ["~", "n", ""]),
    ("tag:yaml.org,2002:int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("tag:yaml.org,2002:float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
    ("tag:yaml.org,2002:timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
    # A time, a number in another notation, a merge key, or another spelling of true, false and null.
    (
        "!other",
        r"[-+.]?[0-9][-+.:_0-9eEoObBTtZ ]*|[-+]?0[xX].*|[-+.](?:inf|Inf|INF|nan|NaN|NAN).*|<<|=",
        "-+.0123456789<=",
    ),
    ("!other", r"\.(?:inf|Inf|INF|nan|NaN|NAN)|True|TRUE|False|FALSE|Null|NULL", ".TFN"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_starts))
_Loader.add_constructor("!other", _reject)


def _read_with_lines(path: Path, text: str) -> tuple[Outlet | None, list[Problem]]:
    reader = YAML(typ="rt")  # YAML 1.2: `no` and `off` are strings, not booleans, and a duplicate key is an error
    try:
        data = reader.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        return None, [Problem(path, "", line, f"not valid YAML: {error.problem or error}")]
    except YAMLError as error:
        return None, [Problem(path, "", None, f"cannot be read: {error}")]
    if not isinstance(data, dict):
        return None, [Problem(path, "", None, "is empty or not a mapping; start from a copy of another outlet file")]
    try:
        outlet = Outlet.model_validate(_plain(data))
    except ValidationError as error:
        return None, [_problem(path, data, detail) for detail in error.errors(include_url=False)]
    if outlet.id != path.stem:
        message = f"is {outlet.id!r}, so the file must be named {outlet.id}.yaml. Rename it"
        return None, [Problem(path, "id", _line(data, ["id"]), message)]
    return outlet, []


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
