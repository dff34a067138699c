"""Rights signals that a page, its headers and its host's files carry. Pure. Whether to fetch is in `robots`.

| signal | syntax | source |
|---|---|---|
| robots header, meta | X-Robots-Tag, <meta name=robots>: noarchive, noindex, noai, ... | Google's robots reference |
| TDMRep | /.well-known/tdmrep.json; tdm-reservation, tdm-policy as header, meta | W3C TDMRep community report |
| AIPREF | header Content-Usage: train-ai=n; robots.txt the same, after a path | IETF draft-ietf-aipref-attach |
| Content Signals | robots.txt Content-Signal: search=yes, ai-train=no | contentsignals.org |
| RSL | robots.txt License: URL; Link and <link> with rel=license or type application/rsl+xml | rslstandard.org |

A file is asked before the page; a page's meta overrides its header; absence never takes a signal back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pressmark.settings import ROBOTS_TOKEN
from pressmark.text import one_line

_MAX_RULES = 1000
_MAX_LICENCES = 10
_MAX_PREFERENCES = 50
_LINK = re.compile(r"<([^<>]{1,2000})>\s*((?:;[^,<>]*)*)")
_PREFERENCE = re.compile(r"([a-z][a-z0-9-]{0,40})\s*=\s*([a-z0-9]{1,10})", re.IGNORECASE)
_DIRECTIVES_WITH_VALUE = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")


@dataclass(frozen=True, slots=True)
class RightsSignals:
    """What was found; absent signals are None or empty."""

    robots: tuple[str, ...] = ()
    tdm_reservation: bool | None = None
    tdm_policy: str | None = None
    content_usage: tuple[tuple[str, str], ...] = ()
    license: tuple[str, ...] = ()

    @property
    def noarchive(self) -> bool:
        """Whether no copy of the page may be kept."""
        return "noarchive" in self.robots or "none" in self.robots

    @property
    def noindex(self) -> bool:
        """Whether the page may not be indexed."""
        return "noindex" in self.robots or "none" in self.robots

    def as_json(self) -> dict[str, object] | None:
        """For the visit's row; None where nothing was found."""
        found: dict[str, object] = {}
        if self.robots:
            found["robots"] = list(self.robots)
        if self.tdm_reservation is not None:
            found["tdm_reservation"] = self.tdm_reservation
        if self.tdm_policy:
            found["tdm_policy"] = self.tdm_policy
        if self.content_usage:
            found["content_usage"] = dict(self.content_usage)
        if self.license:
            found["license"] = list(self.license)
        return found or None


@dataclass(frozen=True, slots=True)
class HostPreferences:
    """What a host's robots.txt states beside what may be fetched.

    content_usage: (path prefix, preferences); content_signal: preferences; license: addresses of licences.
    """

    content_signal: tuple[tuple[str, str], ...] = ()
    content_usage: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    license: tuple[str, ...] = ()

    @classmethod
    def parse(cls, robots: str) -> HostPreferences:
        """Read the lines of the groups for us, or for all where none is for us, and those before any group."""
        signals: dict[bool | None, list[str]] = {True: [], False: [], None: []}
        usages: dict[bool | None, list[str]] = {True: [], False: [], None: []}
        licences: list[str] = []
        ours: bool | None = None  # True: a group for us; False: for all; None: before any group
        theirs, naming = False, False
        for line in robots.splitlines():
            name, separator, value = line.partition("#")[0].partition(":")
            name, value = name.strip().lower(), value.strip()
            if not separator:
                continue
            if name == "license":
                licences.append(one_line(value, 2000) or "")
                continue
            if name == "user-agent":
                if not naming:
                    ours, theirs, naming = None, True, True
                if value.lower() == ROBOTS_TOKEN.lower():
                    ours = True
                elif value == "*" and ours is None:
                    ours = False
                continue
            naming = False
            if ours is None and theirs:
                continue  # a group for somebody else
            if name == "content-signal":
                signals[ours].append(value)
            elif name == "content-usage":
                usages[ours].append(value)
        return cls(
            _preferences(signals[True] or signals[False] or signals[None]),
            tuple(_usage(value) for value in (usages[True] or usages[False] or usages[None])[:_MAX_RULES]),
            tuple(dict.fromkeys(filter(None, licences)))[:_MAX_LICENCES],
        )

    def about(self, path: str) -> dict[str, Any]:
        """What holds for a path; any `n` wins over a `y`."""
        found: dict[str, Any] = {}
        if self.content_signal:
            found["content_signal"] = dict(self.content_signal)
        stated = [pair for prefix, pairs in self.content_usage if _covers(prefix, path) for pair in pairs]
        if stated:
            found["content_usage"] = dict(_any_no(stated))
        if self.license:
            found["license"] = list(self.license)
        return found


def read_rights(
    headers: Iterable[tuple[str, str]],
    meta: Mapping[str, list[str]],
    links: Iterable[tuple[str, str, str, str]] = (),
) -> RightsSignals:
    """Signals of a response and its page.

    meta: contents of <meta name=...> by lower-cased name. links: (rel, type, href, media) of its <link> elements.
    """
    directives: list[str] = []
    usage: list[tuple[str, str]] = []
    licences = [href for rel, kind, href, _ in links if _is_licence(rel, kind)]
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
        elif lowered == "content-usage":
            usage += _preferences([value])
        elif lowered == "link":
            licences += [
                href
                for href, rest in _LINK.findall(value[:20_000])
                if _is_licence(_quoted(rest, "rel"), _quoted(rest, "type"))
            ]
    for name in ("robots", ROBOTS_TOKEN.lower()):
        for content in meta.get(name, ()):
            directives += _split(content)
    for content in meta.get("tdm-reservation", ()):
        reservation = _flag(content, reservation)
    for content in meta.get("tdm-policy", ()):
        policy = one_line(content, 500) or policy
    return RightsSignals(
        tuple(dict.fromkeys(directives)),
        reservation,
        policy,
        _any_no(usage),
        tuple(dict.fromkeys(filter(None, (one_line(href, 2000) for href in licences))))[:_MAX_LICENCES],
    )


def _is_licence(rel: str, kind: str) -> bool:
    return "license" in rel.lower().split() or kind.strip().lower() == "application/rsl+xml"


def _quoted(parameters: str, name: str) -> str:
    match = re.search(rf";\s*{name}\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", parameters, re.IGNORECASE)
    return (match[1] or match[2] or "") if match else ""


def _preferences(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`search=yes, ai-train=no` as pairs."""
    pairs = [
        (n.lower(), v.lower()) for value in list(values)[:_MAX_LICENCES] for n, v in _PREFERENCE.findall(value[:2000])
    ]
    return _any_no(pairs[:_MAX_PREFERENCES])


def _any_no(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if found.get(name, "y").startswith("y"):
            found[name] = value
    return tuple(sorted(found.items()))


def _usage(value: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`/path train-ai=n` as (path, preferences); without a path it holds everywhere."""
    path, _, rest = value.partition(" ")
    return (path[:2048], _preferences([rest])) if path.startswith("/") else ("/", _preferences([value]))


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
        for row in rows[:_MAX_RULES] if isinstance(rows, list) else ():
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
