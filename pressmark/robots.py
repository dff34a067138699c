"""Evaluates robots.txt by RFC 9309. `spiders` fetches it.

Status 2xx: the rules apply. 4xx except 429: there are no rules. Everything else (5xx, 429, network errors, too many
redirects): nothing may be fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protego import Protego

from pressmark.errors import PressmarkError
from pressmark.rights import HostPreferences

MAX_BYTES = 500 * 1024  # the minimum that RFC 9309 2.5 requires a crawler to parse
MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class RobotsVerdict:
    """Whether a URL may be fetched. reason: why not."""

    outcome: Literal["allowed", "robots_denied", "robots_unreachable"]
    reason: str | None = None


class RobotsPolicy:
    """The robots.txt of one host."""

    def __init__(
        self, rules: Protego | None, unreachable: str | None = None, preferences: HostPreferences | None = None
    ) -> None:
        self.preferences = preferences or HostPreferences()
        self._rules = rules
        self.unreachable = unreachable

    @classmethod
    def from_response(cls, status: int, body: bytes) -> RobotsPolicy:
        """Create the policy from a response."""
        if 200 <= status < 300:
            try:
                text = _decoded(body[:MAX_BYTES])
                return cls(Protego.parse(text), None, HostPreferences.parse(text))
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
        if self._rules is not None and not self._rules.can_fetch(url, token):
            return RobotsVerdict("robots_denied", f"robots.txt disallows it for {token}")
        return RobotsVerdict("allowed")

    def crawl_delay(self, token: str) -> float | None:
        """Return the requested delay between requests in seconds, or None."""
        delay = self._rules.crawl_delay(token) if self._rules else None
        return float(delay) if delay is not None and delay >= 0 else None

    def sitemaps(self) -> list[str]:
        """Return the URLs of the sitemaps that it lists."""
        return list(self._rules.sitemaps) if self._rules else []


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
