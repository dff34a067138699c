"""Evaluates robots.txt by RFC 9309. `spiders` fetches it.

Status 2xx: the rules apply. 4xx except 429: there are no rules. Everything else (5xx, 429, network errors, too many
redirects): nothing may be fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from protego import Protego

from pressmark.errors import PressmarkError
from pressmark.rights import HostPreferences

MAX_BYTES = 500 * 1024  # the minimum that RFC 9309 2.5 requires a crawler to parse
MAX_REDIRECTS = 5
_LINE_END = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r"[A-Za-z_-]+")
_AGENT_FIELDS = ("user-agent", "useragent", "user agent")
_COMMENT = re.compile(r"\s#.*")
_DELAY = re.compile(r"(\d{1,9}(?:[.,]\d+)?|[.,]\d+)\s*(ms|m|s|h)?", re.IGNORECASE)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class RobotsVerdict:
    """Whether a URL may be fetched. reason: why not."""

    outcome: Literal["allowed", "robots_denied", "robots_unreachable"]
    reason: str | None = None


class RobotsPolicy:
    """The robots.txt of one host."""

    def __init__(
        self, text: str | None, unreachable: str | None = None, preferences: HostPreferences | None = None
    ) -> None:
        """text: the document, or None if there are no rules. unreachable: why nothing may be fetched."""
        self.preferences = preferences or HostPreferences()
        self._file = _RobotsFile(text) if text is not None else None
        self.unreachable = unreachable

    @classmethod
    def from_response(cls, status: int, body: bytes) -> RobotsPolicy:
        """Create the policy from a response."""
        if 200 <= status < 300:
            try:
                text = _decoded(body[:MAX_BYTES])
                policy = cls(text, None, HostPreferences.parse(text))
                policy.verdict("http://example.org/", "*")
                return policy
            except Exception as error:  # a bug in the parser must not allow every URL of the host
                return cls(None, f"robots.txt cannot be parsed: {error}")
        if 400 <= status < 500 and status != 429:
            return cls(None)
        return cls(None, f"robots.txt answered {status}")

    @classmethod
    def from_failure(cls, error: str) -> RobotsPolicy:
        """Create the policy for a failed request."""
        return cls(None, f"robots.txt could not be fetched: {error}")

    def verdict(self, url: str, token: str) -> RobotsVerdict:
        """Return whether the user agent `token` may fetch `url`."""
        if self.unreachable:
            return RobotsVerdict("robots_unreachable", self.unreachable)
        if self._file is not None and not self._file.rules(token).can_fetch(url, "*"):
            return RobotsVerdict("robots_denied", f"robots.txt disallows it for {token}")
        return RobotsVerdict("allowed")

    def crawl_delay(self, token: str) -> float | None:
        """Return the requested delay between requests in seconds, or None."""
        return self._file.delay(token) if self._file else None

    def sitemaps(self) -> list[str]:
        """Return the URLs of the sitemaps that it lists."""
        return list(self._file.sitemaps) if self._file else []


@dataclass(slots=True)
class _Group:
    """A group of a robots.txt: the product tokens that it names, its rules and its Crawl-delay in seconds."""

    agents: set[str] = field(default_factory=set)
    rules: list[str] = field(default_factory=list)
    delay: float | None = None


class _RobotsFile:
    """The groups of a robots.txt (RFC 9309, 2.2). Protego evaluates the rules of the group that applies.

    A group begins with one or more user-agent lines and ends before the first user-agent line after a rule. Other
    lines, such as Crawl-delay, don't end it. Groups of the same agent are one.
    """

    def __init__(self, text: str) -> None:
        self.sitemaps: list[str] = []
        self._groups: dict[str, list[_Group]] = {}
        self._parsed: dict[str, Protego] = {}
        group = _Group()
        for line in _LINE_END.split(text.replace("\x00", "")):
            name, _, value = line.partition("#")[0].partition(":")
            name, value = name.strip().lower(), value.strip()
            if name in _AGENT_FIELDS:
                if group.rules:
                    group = _Group()
                agent = _product_token(value)
                if agent not in group.agents:
                    group.agents.add(agent)
                    self._groups.setdefault(agent, []).append(group)
            elif name in ("allow", "disallow"):
                group.rules.append(f"{name}: {value}")
            elif name == "crawl-delay":
                group.delay = max(filter(None, (group.delay, _seconds(value))), default=None)
            elif name == "sitemap" and value:
                # A fragment is part of the URL, a comment is not.
                self.sitemaps.append(_COMMENT.sub("", line.partition(":")[2]).strip())

    def rules(self, token: str) -> Protego:
        """Return the rules for a user agent, as those of the agent `*`."""
        agent = self._agent(token)
        if agent not in self._parsed:
            rules = [rule for group in self._groups.get(agent, ()) for rule in group.rules]
            self._parsed[agent] = Protego.parse("\n".join(["User-agent: *", *rules]))
        return self._parsed[agent]

    def delay(self, token: str) -> float | None:
        """Return the Crawl-delay for a user agent in seconds, or None."""
        delays = [group.delay for group in self._groups.get(self._agent(token), ()) if group.delay is not None]
        return max(delays, default=None)

    def _agent(self, token: str) -> str:
        return token.lower() if token.lower() in self._groups else "*"


def _seconds(delay: str) -> float | None:
    match = _DELAY.match(delay)
    return float(match[1].replace(",", ".")) * _UNITS[(match[2] or "s").lower()] if match else None


def _product_token(value: str) -> str:
    """Return the product token of a user-agent line in lower case: `Pressmark/2.0 (+http://...)` is `pressmark`."""
    if value == "*" or value.startswith("* "):
        return "*"
    match = _TOKEN.match(value)
    return match[0].lower() if match else ""


class RobotsDisallowed(PressmarkError):
    """Raised if robots.txt forbids a request."""

    def __init__(self, verdict: RobotsVerdict) -> None:
        super().__init__(verdict.reason or verdict.outcome)
        self.verdict = verdict


def _decoded(body: bytes) -> str:
    for bom, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, "replace")
    return body.decode("utf-8", "replace")
