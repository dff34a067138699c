"""Rights signals in pages, response headers and the files of a host. `robots` decides whether a URL may be fetched.

| signal | syntax | source |
|---|---|---|
| robots header, meta | X-Robots-Tag, <meta name=robots>: noarchive, noindex, noai, ... | Google's robots reference |
| TDMRep | /.well-known/tdmrep.json; tdm-reservation, tdm-policy as header, meta | W3C TDMRep community report |
| AIPREF | header Content-Usage: train-ai=n; the same in robots.txt, after a path | IETF draft-ietf-aipref-attach |
| Content Signals | robots.txt Content-Signal: search=yes, ai-train=no | contentsignals.org |
| RSL | robots.txt License: URL; Link and <link> with rel=license or type application/rsl+xml | rslstandard.org |

The files of a host are checked before a page is fetched. A meta element overrides a header. A missing signal never
revokes another one.
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
    """The signals of one capture. Missing signals are None or empty."""

    robots: tuple[str, ...] = ()
    tdm_reservation: bool | None = None
    tdm_policy: str | None = None
    content_usage: tuple[tuple[str, str], ...] = ()
    license: tuple[str, ...] = ()

    @property
    def noarchive(self) -> bool:
        """Whether storing a copy of the page is forbidden."""
        return "noarchive" in self.robots or "none" in self.robots

    @property
    def noindex(self) -> bool:
        """Whether indexing the page is forbidden."""
        return "noindex" in self.robots or "none" in self.robots

    def as_json(self) -> dict[str, object] | None:
        """Return the signals for the row of the capture, or None if there are none."""
        signals: dict[str, object] = {}
        if self.robots:
            signals["robots"] = list(self.robots)
        if self.tdm_reservation is not None:
            signals["tdm_reservation"] = self.tdm_reservation
        if self.tdm_policy:
            signals["tdm_policy"] = self.tdm_policy
        if self.content_usage:
            signals["content_usage"] = dict(self.content_usage)
        if self.license:
            signals["license"] = list(self.license)
        return signals or None


@dataclass(frozen=True, slots=True)
class HostPreferences:
    """The usage preferences in a host's robots.txt.

    content_signal: (name, value) pairs. content_usage: (path prefix, pairs). license: URLs of licences.
    """

    content_signal: tuple[tuple[str, str], ...] = ()
    content_usage: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    license: tuple[str, ...] = ()

    @classmethod
    def parse(cls, robots: str) -> HostPreferences:
        """Parse the preferences of the groups for our token, or for `*`, or those before the first group."""
        signals: dict[bool | None, list[str]] = {True: [], False: [], None: []}
        usages: dict[bool | None, list[str]] = {True: [], False: [], None: []}
        licences: list[str] = []
        ours: bool | None = None  # True: a group for our token. False: a group for *. None: another group, or no group
        in_group, in_user_agents = False, False
        for line in robots.splitlines():
            name, separator, value = line.partition("#")[0].partition(":")
            name, value = name.strip().lower(), value.strip()
            if not separator:
                continue
            if name == "license":
                licences.append(one_line(value, 2000) or "")
                continue
            if name == "user-agent":
                if not in_user_agents:
                    ours, in_group, in_user_agents = None, True, True
                if value.lower() == ROBOTS_TOKEN.lower():
                    ours = True
                elif value == "*" and ours is None:
                    ours = False
                continue
            in_user_agents = False
            if ours is None and in_group:
                continue  # a group for another user agent
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
        """Return the preferences for a path. If they conflict, `n` wins over `y`."""
        preferences: dict[str, Any] = {}
        if self.content_signal:
            preferences["content_signal"] = dict(self.content_signal)
        pairs_for_path = [pair for prefix, pairs in self.content_usage if _covers(prefix, path) for pair in pairs]
        if pairs_for_path:
            preferences["content_usage"] = dict(_merge_preferences(pairs_for_path))
        if self.license:
            preferences["license"] = list(self.license)
        return preferences


def read_rights(
    headers: Iterable[tuple[str, str]],
    meta: Mapping[str, list[str]],
    links: Iterable[tuple[str, str, str, str]] = (),
) -> RightsSignals:
    """Return the signals of a response and its page.

    meta: contents of <meta> elements by lower-cased name. links: (rel, type, href, media) of <link> elements.
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
        _merge_preferences(usage),
        tuple(dict.fromkeys(filter(None, (one_line(href, 2000) for href in licences))))[:_MAX_LICENCES],
    )


def _is_licence(rel: str, kind: str) -> bool:
    return "license" in rel.lower().split() or kind.strip().lower() == "application/rsl+xml"


def _quoted(parameters: str, name: str) -> str:
    match = re.search(rf";\s*{name}\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", parameters, re.IGNORECASE)
    return (match[1] or match[2] or "") if match else ""


def _preferences(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Parse preferences such as `search=yes, ai-train=no` into pairs."""
    pairs = [
        (n.lower(), v.lower()) for value in list(values)[:_MAX_LICENCES] for n, v in _PREFERENCE.findall(value[:2000])
    ]
    return _merge_preferences(pairs[:_MAX_PREFERENCES])


def _merge_preferences(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Merge preferences of the same name. A value that doesn't begin with `y` wins."""
    merged: dict[str, str] = {}
    for name, value in pairs:
        if merged.get(name, "y").startswith("y"):
            merged[name] = value
    return tuple(sorted(merged.items()))


def _usage(value: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Parse `/path train-ai=n` into (path, preferences). Without a path, the preferences apply to every path."""
    path, _, rest = value.partition(" ")
    return (path[:2048], _preferences([rest])) if path.startswith("/") else ("/", _preferences([value]))


class TdmFile:
    """The /.well-known/tdmrep.json of a host, which reserves paths from text and data mining.

    Headers and pages can override the file for themselves. A path that the file reserves is not requested.
    """

    def __init__(self, rules: Sequence[tuple[str, bool, str | None]] = ()) -> None:
        """rules: (location, reserved, policy). A location is a path with `*` and a final `$`, as in robots.txt."""
        self._rules = list(rules)

    @classmethod
    def parse(cls, document: bytes) -> TdmFile:
        """Parse the file. Invalid content reserves nothing."""
        try:
            rows = json.loads(document)
        except (ValueError, RecursionError):
            return cls()
        rules = []
        for row in rows[:_MAX_RULES] if isinstance(rows, list) else ():
            location = row.get("location") if isinstance(row, dict) else None
            if (
                isinstance(location, str)
                and len(location) <= 2048
                and (reserved := _flag(str(row.get("tdm-reservation")), None)) is not None
            ):
                policy = row.get("tdm-policy")
                rules.append((location, reserved, one_line(policy, 500) if isinstance(policy, str) else None))
        return cls(rules)

    def reserves(self, path: str) -> tuple[bool, str | None]:
        """Return (whether a path with query is reserved, URL of the policy). The longest matching location decides."""
        matching = [rule for rule in self._rules if _covers(rule[0], path)]
        if not matching:
            return False, None
        _, reserved, policy = max(matching, key=lambda rule: len(rule[0]))
        return reserved, policy


def _covers(location: str, path: str) -> bool:
    """Return whether a location covers a path. Takes linear time, because both come from the host."""
    head, *parts = location.removesuffix("$").split("*")
    if not path.startswith(head):
        return False
    position = len(head)
    anchored = location.endswith("$")
    for number, part in enumerate(parts):
        if anchored and number == len(parts) - 1:
            return len(path) - len(part) >= position and path.endswith(part)
        position = path.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return not anchored or position == len(path)


def _header_directives(value: str) -> list[str]:
    """Return the directives of an X-Robots-Tag header that apply to all user agents or to ours."""
    agent, separator, rest = value.partition(":")
    agent = agent.strip().lower()
    if separator and "," not in agent and agent not in _DIRECTIVES_WITH_VALUE:
        return _split(rest) if agent in ("*", ROBOTS_TOKEN.lower()) else []
    return _split(value)


def _split(value: str) -> list[str]:
    return [part.strip().lower()[:80] for part in value.split(",") if part.strip()]


def _flag(value: str, before: bool | None) -> bool | None:
    return {"1": True, "0": False}.get(value.strip(), before)
