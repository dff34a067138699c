"""Times as people write and read them: options, timestamps, durations, ages. Not for dates on pages: see `dates`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pressmark.errors import ConfigError
from pressmark.text import plural


def parse_time(text: str | None, option: str) -> datetime | None:
    """A day or time given as an option, in UTC unless it has an offset; None for None. Raises ConfigError."""
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text!r} is not a date. Write 2026-11-01 or 2026-11-01T06:00Z.") from error
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def short_time(value: datetime | None) -> str:
    """A timestamp in UTC, to the second; "-" for None."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if value else "-"


def duration(seconds: float) -> str:
    """A duration in the unit that suits its length."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def age(span: timedelta) -> str:
    """How long ago something happened, in minutes, hours or days."""
    hours = span.total_seconds() / 3600
    number, unit = (hours * 60, "minute") if hours < 1 else (hours, "hour") if hours < 72 else (hours / 24, "day")
    return plural(round(number), unit)
