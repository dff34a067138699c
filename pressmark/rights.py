"""Rights signals that a page and its headers carry. Pure. robots.txt is in `robots`.

| signal | syntax | source |
|---|---|---|
| robots header, meta | X-Robots-Tag, <meta name=robots>: noarchive, noai, ... | Google's robots meta reference |
| TDMRep | /.well-known/tdmrep.json; tdm-reservation, tdm-policy as header, meta | W3C TDMRep community report |

A file is asked before the page; a page's meta overrides its header.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pressmark.settings import ROBOTS_TOKEN
from pressmark.text import one_line

_MOST_RULES = 1000
_DIRECTIVES_WITH_VALUE = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")


@dataclass(frozen=True, slots=True)
class RightsSignals:
    """What was found; absent signals are None or empty."""

    robots: tuple[str, ...] = ()
    tdm_reservation: bool | None = None
    tdm_policy: str | None = None

    @property
    def noarchive(self) -> bool:
        """Whether no copy of the page may be kept."""
        return "noarchive" in self.robots or "none" in self.robots

    def as_json(self) -> dict[str, object] | None:
        """For the visit's row; None where nothing was found."""
        found: dict[str, object] = {}
        if self.robots:
            found["robots"] = list(self.robots)
        if self.tdm_reservation is not None:
            found["tdm_reservation"] = self.tdm_reservation
        if self.tdm_policy:
            found["tdm_policy"] = self.tdm_policy
        return found or None


def read_rights(headers: Iterable[tuple[str, str]], meta: Mapping[str, list[str]]) -> RightsSignals:
    """Signals of a response and its page.

    meta: contents of <meta name=...> by lower-cased name.
    """
    directives: list[str] = []
    reservation: bool | None = None
    policy: str | None = None
    for name, value in headers:
        lowered = name.lower()
        if lowered == "x-robots-tag":
            directives += _header_directives(value)
        elif lowered == "tdm-reservation":
            reservation = _flag(value, reservation)
        elif lowered == "tdm-policy":
            policy = one_line(value, 500)
    for name in ("robots", ROBOTS_TOKEN.lower()):
        for content in meta.get(name, ()):
            directives += _split(content)
    for content in meta.get("tdm-reservation", ()):
        reservation = _flag(content, reservation)
    for content in meta.get("tdm-policy", ()):
        policy = one_line(content, 500) or policy
    return RightsSignals(tuple(dict.fromkeys(directives)), reservation, policy)


class TdmFile:
    """A host's /.well-known/tdmrep.json: which of its paths are reserved from text and data mining.

    Headers and pages may say otherwise for themselves; a path that the file reserves is not asked for at all.
    """

    def __init__(self, rules: Sequence[tuple[str, bool, str | None]] = ()) -> None:
        """rules: (location, reserved, policy); a location is a path with `*` and a closing `$`, as in robots.txt."""
        self._rules = list(rules)

    @classmethod
    def parse(cls, document: bytes) -> TdmFile:
        """Read the file; what cannot be read reserves nothing."""
        try:
            rows = json.loads(document)
        except (ValueError, RecursionError):
            return cls()
        rules = []
        for row in rows[:_MOST_RULES] if isinstance(rows, list) else ():
            place = row.get("location") if isinstance(row, dict) else None
            if (
                isinstance(place, str)
                and len(place) <= 2048
                and (reserved := _flag(str(row.get("tdm-reservation")), None)) is not None
            ):
                policy = row.get("tdm-policy")
                rules.append((place, reserved, one_line(policy, 500) if isinstance(policy, str) else None))
        return cls(rules)

    def reserves(self, path: str) -> tuple[bool, str | None]:
        """(whether a path with its query is reserved, the policy's address); the longest location decides."""
        matching = [rule for rule in self._rules if _covers(rule[0], path)]
        if not matching:
            return False, None
        _, reserved, policy = max(matching, key=lambda rule: len(rule[0]))
        return reserved, policy


def _covers(place: str, path: str) -> bool:
    """Whether a location covers a path; in time linear in both, since both come from the host."""
    head, *parts = place.removesuffix("$").split("*")
    if not path.startswith(head):
        return False
    at = len(head)
    ends = place.endswith("$")
    for number, part in enumerate(parts):
        if ends and number == len(parts) - 1:
            return len(path) - len(part) >= at and path.endswith(part)
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return not ends or at == len(path)


def _header_directives(value: str) -> list[str]:
    """Directives of one X-Robots-Tag header that concern us: for all agents, or named for ours."""
    agent, separator, rest = value.partition(":")
    agent = agent.strip().lower()
    if separator and "," not in agent and agent not in _DIRECTIVES_WITH_VALUE:
        return _split(rest) if agent in ("*", ROBOTS_TOKEN.lower()) else []
    return _split(value)


def _split(value: str) -> list[str]:
    return [part.strip().lower()[:80] for part in value.split(",") if part.strip()]


def _flag(value: str, before: bool | None) -> bool | None:
    return {"1": True, "0": False}.get(value.strip(), before)
