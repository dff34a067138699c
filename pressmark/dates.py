"""Reads dates in pages and listings, and keeps their offset, precision and raw text.

Nothing is invented. A date needs a year, and a date without a time keeps day precision. A date with two readings
(04-03-2026) is no date unless a weekday, the outlet's country or another date of the page decides. An implausible date
has no value and a flag that gives the reason. No input raises.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from pressmark.date_names import month_number, weekday_number
from pressmark.text import one_line
from pressmark.time_zones import ZONE, BadOffset, iana_zone, zone_of

Precision = Literal["day", "minute", "second"]
DateFlag = Literal["future", "too_early", "unparsable", "ambiguous", "zone_assumed"]

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Before the first website. Earlier dates are placeholders: 0001-01-01, 1900-01-01, the Unix epoch."""
FUTURE_TOLERANCE = timedelta(hours=24)

_MAX_RAW = 100  # characters
_MAX_TEXT = 200

_MONTH_FIRST = frozenset("AS FM GU MH MP PR PW UM US VI".split())
# Countries where numeric dates begin with the year, or where both orders are in use.
_NO_FIXED_ORDER = frozenset("BT CA CN HU IR JP KP KR LT MN PA PH TW ZA".split())

_BIDI_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_EPOCH = re.compile(r"^(\d{10}|\d{13})(?:\.\d+)?$")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?(?:[.,]\d+)?\s?(Z|[+-]\d{2}:?\d{2})?)?$")
_WEEK_DATE = re.compile(r"^\d{4}-?W\d{2}-?\d")

# A letter, followed by letters and marks: vowels of Indic scripts, accents, joiners.
# One class for both: with two alternatives that share characters, a Thai word would take exponential time.
_WORD = r"[^\W\d_](?:(?![\d_])[\w\u0300-\u036f\u064b-\u065f\u0900-\u0dff\u0e00-\u0eff\u200c\u200d])*"
_DATE = re.compile(
    rf"""(?<![\d.:/-])(?:
    (?P<y1>\d{{4}})(?P<s1>[-/.])\s?(?P<m1>\d{{1,2}})(?P=s1)\s?(?P<d1>\d{{1,2}})(?!\d)
  | (?P<y2>\d{{4}})\s?[年년]\s?(?P<m2>\d{{1,2}})\s?[月월]\s?(?P<d2>\d{{1,2}})\s?[日일号號]?
  | (?P<n1>\d{{1,2}})(?P<s2>[-/.])\s?(?P<n2>\d{{1,2}})(?P=s2)\s?(?P<y3>\d{{4}})(?!\d)
  | (?P<d4>\d{{1,2}})(?:st|nd|rd|th|er|re|[.ºª°]|-?[еоге]+)?,?
      [\s\-/]*(?:(?:de|of|ng)\s+|(?:d|ta)['’])?(?P<w4>{_WORD})\.?,?
      [\s\-/]*(?:(?:de|del|of)\s+)?(?P<y4>\d{{4}})(?!\d)
  | (?P<d8>\d{{1,2}})\s(?P<w8>[A-Za-z]{{3}})\s(?P<y8>\d{{2}})(?=\s\d{{1,2}}:\d{{2}})
  | (?P<y0>\d{{4}})\.?\s+(?:gada|ж\.|г\.|р\.)?\s*(?P<d0>\d{{1,2}})\.?\s+(?P<w0>{_WORD})
  | (?P<y6>\d{{4}})\.?\s*(?:m\.\s*)?(?P<w6>{_WORD})\s+(?P<d6>\d{{1,2}})(?!\d)
  | (?P<d7>\d{{1,2}})\s+tháng\s+(?P<m7>\d{{1,2}})(?:,|\s|năm)+(?P<y7>\d{{4}})
    )
  | (?P<w5>{_WORD})\.?[\s\-/]*(?P<d5>\d{{1,2}})(?:st|nd|rd|th)?(?:[,.\s\-/]|\bde\b|\bdel\b)+(?P<y5>\d{{4}})(?![\d:])
  | (?P<w9>{_WORD})\s+(?P<d9>\d{{1,2}})\s+(?P<t9>\d{{1,2}}:\d{{2}}(?::\d{{2}})?)\s+
      (?:(?P<z9>[A-Z]{{1,5}}(?:[+-]\d{{2}}:?\d{{2}})?|[+-]\d{{4}})\s+)?
      (?P<y9>\d{{4}})(?!\d)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_AM_PM = r"(?:[ap]\.?\s?m\b\.?|ص(?!\w)|م(?!\w)|صباح\w*|مساء\w*)"
_CJK_HALF = "上午|下午|午前|午後|오전|오후|凌晨|早上|晚上|中午"
_TIME = re.compile(
    rf"""(?<![\d.:+\-−/])
    (?:(?P<before>{_CJK_HALF})\s?)?
    (?:
      (?P<h1>\d{{1,2}})\s?[:h時时點点시∶：]\s?(?P<m1>\d{{2}})(?!\d)(?:\s?[:分분]\s?(?P<s1>\d{{2}})(?!\d)(?:[.,](?P<f1>\d{{1,9}}))?)?
        [分초秒min]*(?:\s?(?P<a1>{_AM_PM}))?
    | (?P<h2>\d{{1,2}})\.(?P<m2>\d{{2}})(?!\d)(?:\s?(?P<a2>{_AM_PM})|(?=\s?(?:Uhr|hs?\b|hrs\b|WIB|WITA|WIT)))
    | (?<=\b(?:kl|um|at|om)\s)(?P<h4>\d{{1,2}})\.(?P<m4>\d{{2}})(?![\d.])
    | (?<=\b(?:kl\.|klo|ore)\s)(?P<h5>\d{{1,2}})\.(?P<m5>\d{{2}})(?![\d.])
    | (?P<h3>\d{{1,2}})\s?(?:(?P<a3>{_AM_PM})|[時时點点시](?!\w)|Uhr\b)
    | (?:(?<=\b[àa]\s)|(?<=\b(?:às|as|um)\s))(?P<h6>\d{{1,2}})\s?h\b
    )
    (?:\s?(?:Uhr|hs?|hrs|часов|год)\b\.?)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ZONE_AFTER = re.compile(r"\s?,?\s?" + ZONE, re.IGNORECASE)
_BETWEEN = re.compile(
    rf"^(?:T|\s?\(?[月火水木金土日](?:曜日?)?\)?\s?|[\s,.|·•–—\-@(]{{0,5}}(?:{_WORD}[.,]?\s+){{0,3}})$"
)
_FULL_OFFSET = re.compile(r"[+\-\u2212]\d{1,2}:?(?:00|30|45)")
_COMPACT_TIME = re.compile(r"(?<=\dT)(\d{2})(?:(\d{2})(\d{2})?)?(?=Z|[+-]\d|$)")
_URL_DAY = re.compile(r"/((?:19|20)\d{2})[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/_.-]|$)")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """A date with its source.

    value: time in UTC (midnight UTC for precision day), or None if the flag gives a reason.
    offset: minutes from UTC, as written or from the outlet's zone (flag zone_assumed).
    readings: the two possible values of an ambiguous date, day first.
    """

    raw: str
    source: str
    value: datetime | None = None
    precision: Precision | None = None
    offset: int | None = None
    flag: DateFlag | None = None
    readings: tuple[datetime, ...] = ()

    def span(self, zone: str) -> tuple[datetime, datetime] | None:
        """Return the interval `[first, end)` in UTC in which it lies, or None without a value.

        A day covers the whole day in `zone`, the outlet's.
        """
        return date_span(self.value, self.precision, zone) if self.value else None


@dataclass(frozen=True, slots=True)
class DateContext:
    """What decides how a date is read.

    now: time of the capture; a date more than a day later gets the flag future. zone: the outlet's IANA zone, for times
    without one. country: ISO 3166-1 code of the outlet, for the order of day and month; None if unknown. languages: BCP
    47 tags of the outlet, for names of months.
    """

    now: datetime
    zone: str = "UTC"
    country: str | None = None
    languages: tuple[str, ...] = ()

    @property
    def own_zone(self) -> tzinfo:
        """The outlet's zone; UTC if the name is no zone."""
        return iana_zone(self.zone) or UTC


def read_date(raw: str | None, source: str, context: DateContext) -> ParsedDate | None:
    """Read a date. Returns None if `raw` is empty. Never raises."""
    text = one_line(raw, _MAX_TEXT)
    if not text:
        return None
    read = _cached_read(text, source, context)
    raw_text = text[:_MAX_RAW]
    return replace(read, raw=raw_text) if read else ParsedDate(raw_text, source, flag="unparsable")


def find_dates(text: str, source: str, context: DateContext) -> Iterator[ParsedDate]:
    """Yield the dates in a text, in order, each with the time of day next to it. Impossible ones are left out."""
    text = _normalised(text)
    for match in _DATE.finditer(text):
        try:
            found = _with_time(text, match, source, context, anywhere=False)
        except (ValueError, OverflowError):
            continue
        if found is not None:
            yield found


def date_span(value: datetime, precision: str | None, zone: str) -> tuple[datetime, datetime]:
    """Return the interval `[first, end)` in UTC of a date. zone: the outlet's."""
    if precision != "day":
        return value, value + timedelta(microseconds=1)
    own = iana_zone(zone) or UTC
    first = datetime(value.year, value.month, value.day, tzinfo=own)
    return first.astimezone(UTC), (first + timedelta(days=1)).astimezone(UTC)


def day_in_url(url: str, context: DateContext) -> ParsedDate | None:
    """Return the day in a URL (`/2021/07/26/`, `/20210726-`). Returns None if there is none or it is implausible."""
    match = _URL_DAY.search(url)
    if not match:
        return None
    found = read_date("-".join(match.groups()), "url", context)
    return found if found and found.value else None


def decided_by(ambiguous: ParsedDate, others: Iterator[ParsedDate] | list[ParsedDate]) -> ParsedDate | None:
    """Return the reading of an ambiguous date that another date of the same page confirms, or None.

    A date confirms the reading that is less than two days away from it, if the other reading is not.
    """
    votes = {reading: 0 for reading in ambiguous.readings}
    for other in others:
        if other.value is None:
            continue
        near = [r for r in ambiguous.readings if abs(r - other.value) < timedelta(days=2)]
        if len(near) == 1:
            votes[near[0]] += 1
    chosen = [reading for reading, count in votes.items() if count]
    return replace(ambiguous, value=chosen[0], flag=None, readings=()) if len(chosen) == 1 else None


def _normalised(text: str) -> str:
    if "&#" in text or "%2" in text:
        text = html.unescape(text).replace("%2B", "+").replace("%2b", "+")
    if text.isascii():
        return text
    text = _BIDI_MARKS.sub("", unicodedata.normalize("NFKC", text))
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


@lru_cache(maxsize=2048)  # the entries of a listing share many dates
def _cached_read(text: str, source: str, context: DateContext) -> ParsedDate | None:
    try:
        return _read(_normalised(text), source, context)
    except (ValueError, OverflowError):
        return None


def _read(text: str, source: str, context: DateContext) -> ParsedDate | None:
    if epoch := _EPOCH.match(text):
        seconds = int(epoch[1]) if len(epoch[1]) == 10 else int(epoch[1]) / 1000
        value = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        return _checked(ParsedDate(text, source, value.replace(microsecond=0), "second", 0), context)
    if compact := _COMPACT.match(text):
        year, month, day, hour, minute, second, zone = compact.groups()
        text = f"{year}-{month}-{day}" + (f"T{hour}:{minute}:{second or '00'}{zone or ''}" if hour else "")
    elif _WEEK_DATE.match(text):
        text = datetime.fromisoformat(text).isoformat().removesuffix("T00:00:00")
    text = _COMPACT_TIME.sub(lambda m: f"{m[1]}:{m[2] or '00'}" + (f":{m[3]}" if m[3] else ""), text)
    match = _DATE.search(text)
    while match is not None:
        found = _with_time(text, match, source, context, anywhere=True)
        if found is not None:
            return found
        match = _DATE.search(text, match.start() + 1)
    return None


def _with_time(
    text: str, match: re.Match[str], source: str, context: DateContext, *, anywhere: bool
) -> ParsedDate | None:
    """Read the date of a match with its time of day. Returns None if a word in it is not a month."""
    days = _days(match, text, context)
    if not days:
        return None
    if match["t9"]:
        rest = f" {match['t9']} {match['z9'] or ''}"
        clock, span = _TIME.search(rest), (match.start(), match.end())
    else:
        rest = text
        clock, span = _time_of_day(text, match, anywhere=anywhere)
    raw = text[span[0] : span[1]].strip()[:_MAX_RAW]
    if clock is None:
        values = tuple(datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
        read = ParsedDate(raw, source, values[0], "day")
    else:
        local, precision = zip(*(_local(day, clock) for day in days), strict=True)
        zone, end = _zone(rest, clock, local[0], context)
        if end and not match["t9"]:
            raw = text[span[0] : max(span[1], end)].strip()[:_MAX_RAW]
        aware = [value.replace(tzinfo=zone or context.own_zone) for value in local]
        values = tuple(_utc(value) for value in aware)
        offset = int((aware[0].utcoffset() or timedelta()).total_seconds() // 60)
        read = ParsedDate(raw, source, values[0], precision[0], offset, None if zone else "zone_assumed")
    if len(days) > 1:
        return ParsedDate(raw, source, None, read.precision, read.offset, "ambiguous", values)
    return _checked(read, context)


def _days(match: re.Match[str], text: str, context: DateContext) -> list[date]:
    """Return the calendar days that a match may mean: one, two if it is ambiguous, none if it is no date."""
    group = match.groupdict()
    for suffix in "127":
        if group.get("y" + suffix):
            return [date(int(group["y" + suffix]), int(group["m" + suffix]), int(group["d" + suffix]))]
    for suffix in "45609":
        if group.get("y" + suffix):
            month = month_number(group["w" + suffix], context.languages)
            return [date(int(group["y" + suffix]), month, int(group["d" + suffix]))] if month else []
    if group["y8"]:  # the year of two digits of RFC 822, confirmed by the weekday
        month = month_number(group["w8"])
        day = date(2000 + int(group["y8"]), month, int(group["d8"])) if month else None
        return [day] if day and day.weekday() in _weekdays(text, match, context) else []
    return _numeric_days(match, text, context)


def _numeric_days(match: re.Match[str], text: str, context: DateContext) -> list[date]:
    first, second, year = int(match["n1"]), int(match["n2"]), int(match["y3"])
    readings = [
        date(year, month, day) for day, month in ((first, second), (second, first)) if 1 <= month <= 12 and day >= 1
    ]
    if len(readings) < 2 or readings[0] == readings[1]:
        return readings[:1]
    if match["s2"] == ".":
        return readings[:1]
    weekdays = _weekdays(text, match, context)
    named = [reading for reading in readings if reading.weekday() in weekdays]
    if len(named) == 1:
        return named
    if context.country in _MONTH_FIRST:
        return readings[1:]
    if context.country and context.country not in _NO_FIXED_ORDER:
        return readings[:1]
    return readings


def _weekdays(text: str, match: re.Match[str], context: DateContext) -> set[int]:
    around = text[max(match.start() - 30, 0) : match.start()] + " " + text[match.end() : match.end() + 30]
    numbers = (weekday_number(word, context.languages) for word in re.findall(_WORD, around) if len(word) > 1)
    return {number for number in numbers if number is not None}


def _time_of_day(text: str, match: re.Match[str], *, anywhere: bool) -> tuple[re.Match[str] | None, tuple[int, int]]:
    """Return the time of day that belongs to a date, and the span of both in the text."""
    following = _DATE.search(text, match.end())
    after = _TIME.search(text, match.end(), following.start() if following else len(text))
    if after and (anywhere or _BETWEEN.match(text[match.end() : after.start()])):
        return after, (match.start(), after.end())
    if anywhere:
        before = _TIME.search(text[: match.start()])
        return before, (match.start(), match.end())
    for before in _TIME.finditer(text, max(match.start() - 40, 0), match.start()):
        between = text[before.end() : match.start()]
        if re.match(r"^[\s,|·•–—-]*(?:[A-Z]{1,5}[\s,|·•–—-]*)?(?:" + _WORD + r",?\s+){0,2}$", between):
            return before, (before.start(), match.end())
    return None, (match.start(), match.end())


def _local(day: date, clock: re.Match[str]) -> tuple[datetime, Precision]:
    """Return the local time and its precision. Raises ValueError if there is no such time."""
    number = next(n for n in "123456" if clock["h" + n])
    groups = clock.groupdict()
    hour, minute, second = (
        int(groups["h" + number]),
        int(groups.get("m" + number) or 0),
        int(groups.get("s" + number) or 0),
    )
    half = (groups.get("a" + number) or clock["before"] or "").casefold()
    if half.startswith(("p", "م", "下午", "午後", "오후", "晚上")) and hour < 12:
        hour += 12
    elif half.startswith(("a", "ص", "上午", "午前", "오전", "凌晨", "早上")) and hour == 12:
        hour = 0
    if minute > 59 or second > 60 or hour > 24 or (hour == 24 and (minute or second)):
        raise ValueError(f"no such time of day: {clock[0]}")
    # 24:00 is the end of the day, and :60 a leap second.
    span = timedelta(hours=hour, minutes=minute, seconds=second)
    return datetime(day.year, day.month, day.day) + span, "second" if groups["s1"] else "minute"


def _zone(text: str, clock: re.Match[str], local: datetime, context: DateContext) -> tuple[tzinfo | None, int]:
    """Return the zone written after a time and the position of its end; None if there is none.

    Raises ValueError if it is an impossible offset.
    """
    match = _ZONE_AFTER.match(text, clock.end())
    if match is None:
        return None, 0
    exact = bool(clock["s1"] or match["name"]) or text[: clock.start()][-1:] in ("T", "t")
    if match["offset"] and not exact and not _is_offset(match["offset"], match[0], local):
        return None, 0
    try:
        zone = zone_of(match, local, context.own_zone)
    except BadOffset as error:
        if not exact:
            return None, 0
        raise ValueError(str(error)) from error
    return zone, match.end() if zone else 0


def _is_offset(offset: str, written: str, local: datetime) -> bool:
    """Return whether a number after a time without seconds is an offset from UTC.

    `10:15 +2 more` is a count. `10:15-11:30` is a range, because its end is later than its beginning.
    """
    if not _FULL_OFFSET.fullmatch(offset):
        return False
    if ":" not in offset or offset[0] == "+":
        return True
    hours, minutes = offset[1:].split(":")[:2]
    return (int(hours), int(minutes)) <= (local.hour, local.minute)


def _utc(value: datetime) -> datetime:
    """Convert to UTC. A time without a UTC form is replaced by the nearest one that has; `_checked` rejects it."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return (datetime.min if value.year == 1 else datetime.max).replace(tzinfo=UTC)


def _checked(found: ParsedDate, context: DateContext) -> ParsedDate:
    assert found.value is not None
    if found.value > context.now + FUTURE_TOLERANCE:
        return replace(found, value=None, flag="future")
    if found.value < EARLIEST:
        return replace(found, value=None, flag="too_early")
    return found
