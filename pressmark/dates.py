"""Parses dates in pages and listings, and keeps their offset, precision and raw text.

Nothing is invented. A date without a year isn't a date, and a day stays a day. An implausible date has no value and a
flag that gives the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil import parser as dateutil_parser

from pressmark.text import one_line

Precision = Literal["day", "minute", "second"]
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
FUTURE_TOLERANCE = timedelta(hours=24)

_ISO_DAY = re.compile(r"^(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})$")
_HAS_TIME = re.compile(r"\d{1,2}:\d{2}|T\d{2}")
_DAY_FIRST = re.compile(r"^\D*\d{1,2}\.\s?\d{1,2}\.\s?\d{4}")
_SLASHED = re.compile(r"^\D*(\d{1,2})/(\d{1,2})/\d{4}")
_HAS_SECONDS = re.compile(r"\d{1,2}:\d{2}:\d{2}")
_HAS_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)|^\d{8}(?!\d)|\d{8}T\d")
# Zone names of RFC 2822 and HTTP, and common ones of Europe and East Asia. Ambiguous names such as IST are left out.
_ZONES = {
    name: hours * 3600
    for name, hours in {
        "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
        "PST": -8, "PDT": -7, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "BST": 1, "JST": 9, "KST": 9,
    }.items()
}  # fmt: skip
_URL_DAY = re.compile(r"/((?:19|20)\d{2})[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/_.-]|$)")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """A date with its source.

    value: time in UTC (midnight UTC for precision day), or None if the flag gives a reason.
    offset: minutes from UTC, as written or from the outlet's zone (flag zone_assumed).
    """

    raw: str
    source: str
    value: datetime | None = None
    precision: Precision | None = None
    offset: int | None = None
    flag: Literal["future", "too_early", "unparsable", "zone_assumed"] | None = None


def read_date(raw: str | None, source: str, now: datetime, zone: str = "UTC") -> ParsedDate | None:
    """Parse a date. Returns None if `raw` is empty.

    now: time of the capture. A date more than a day later gets the flag future.
    zone: IANA zone for times without an offset.
    """
    text = one_line(raw, 100)
    if not text:
        return None
    day = _ISO_DAY.match(text)
    try:
        if day:
            value = datetime(int(day[1]), int(day[2]), int(day[3]), tzinfo=UTC)
            return _checked(ParsedDate(text, source, value, "day"), now)
        parsed = _parse(text)
    except (ValueError, OverflowError):
        return ParsedDate(text, source, flag="unparsable")
    if parsed is None:
        return ParsedDate(text, source, flag="unparsable")
    if not _HAS_TIME.search(text):
        value = parsed.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        return _checked(ParsedDate(text, source, value, "day"), now)
    precision: Precision = "second" if _HAS_SECONDS.search(text) else "minute"
    flag: Literal["zone_assumed"] | None = None
    if parsed.tzinfo is None:
        parsed, flag = parsed.replace(tzinfo=_zone(zone)), "zone_assumed"
    offset = parsed.utcoffset() or timedelta()
    return _checked(
        ParsedDate(text, source, parsed.astimezone(UTC), precision, int(offset.total_seconds() // 60), flag), now
    )


def day_in_url(url: str, now: datetime) -> ParsedDate | None:
    """Return the day in a URL (`/2021/07/26/`, `/20210726-`). Returns None if there is none or it is implausible."""
    match = _URL_DAY.search(url)
    if not match:
        return None
    date = read_date("-".join(match.groups()), "url", now)
    return date if date and date.value else None


def _parse(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if not _HAS_YEAR.search(text):
        return None
    slashed = _SLASHED.match(text)
    if slashed and int(slashed[1]) <= 12 and int(slashed[2]) <= 12 and slashed[1] != slashed[2]:
        return None  # ambiguous: day/month or month/day
    day_first = _DAY_FIRST.match(text) is not None
    # dateutil fills in missing parts from a default. If two defaults give different dates, a part is missing.
    first = dateutil_parser.parse(text, default=datetime(2001, 1, 1), tzinfos=_ZONES, dayfirst=day_first)
    second = dateutil_parser.parse(text, default=datetime(2002, 2, 2), tzinfos=_ZONES, dayfirst=day_first)
    return first if first.date() == second.date() else None


def _checked(date: ParsedDate, now: datetime) -> ParsedDate:
    assert date.value is not None
    flag: Literal["future", "too_early"]
    if date.value > now + FUTURE_TOLERANCE:
        flag = "future"
    elif date.value < EARLIEST:
        flag = "too_early"
    else:
        return date
    return ParsedDate(date.raw, date.source, None, date.precision, date.offset, flag)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return UTC
