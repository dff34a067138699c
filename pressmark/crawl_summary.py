"""What a crawl brought, in words: the same ones in logs, on the command line and on the operator pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def outcome_summary(outcomes: Mapping[str, int]) -> str:
    """Return the outcomes with their numbers, such as `3 gone, 10 new`. Empty if there are none."""
    return ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))


def no_candidates(finish_reason: str | None, listed: int, unchanged: int) -> str:
    """Return why a crawl had no candidates. listed: endpoints that gave a listing. unchanged: those that answered 304.

    finish_reason: None while the crawl runs.
    """
    if finish_reason is None:
        return "nothing found so far"
    if finish_reason == "waiting":
        return "nothing was requested"
    if not listed:
        return "no listing was due" if finish_reason in ("finished", "budget") else "no listing was read"
    if listed == unchanged:
        return f"nothing new ({'feed' if listed == 1 else 'feeds'} unchanged)"
    return "nothing new" if unchanged else "nothing was listed"
