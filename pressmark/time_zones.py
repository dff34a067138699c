"""Reads time zones as publishers write them: offsets, abbreviations, IANA names, "Eastern Time".

The sign is the one of ISO 8601: `GMT+0530` is east of Greenwich. An abbreviation that several countries use (CST, IST,
BST) is read as the one that is near the outlet's own zone. If none is near, the zone is unknown.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_LEAST_OFFSET, _GREATEST_OFFSET = timedelta(hours=-12), timedelta(hours=14)
_NEAR = timedelta(hours=3, minutes=30)  # between an abbreviation's offset and the outlet's: one continent
_CLEAR = timedelta(hours=3)  # how much nearer the nearest must be than the second

# Minutes from UTC. If there are several, the abbreviation is ambiguous.
_ABBREVIATIONS: dict[str, tuple[int, ...]] = {
    name: tuple(int(float(hours) * 60) for hours in offsets.split())
    for name, offsets in {
        "z": "0", "ut": "0", "utc": "0", "gmt": "0", "uct": "0", "wet": "0", "west": "1",
        "cet": "1", "cest": "2", "mez": "1", "mesz": "2", "met": "1", "mest": "2", "hnec": "1", "heec": "2",
        "eet": "2", "eest": "3", "oez": "2", "oesz": "3", "msk": "3", "msd": "4", "trt": "3",
        "bst": "1 6", "ist": "5.5 1 2", "idt": "3",
        "est": "-5 10", "edt": "-4 11", "cst": "-6 8", "cdt": "-5", "mst": "-7 8 6.5", "mdt": "-6",
        "pst": "-8 8", "pdt": "-7", "akst": "-9", "akdt": "-8", "hst": "-10", "hdt": "-9",
        "ast": "-4 3", "adt": "-3 4", "nst": "-3.5", "ndt": "-2.5", "brt": "-3", "brst": "-2", "art": "-3", "clt": "-4",
        "clst": "-3", "cot": "-5", "pet": "-5", "vet": "-4", "uyt": "-3", "pyt": "-4", "bot": "-4", "ect": "-5",
        "cat": "2", "eat": "3", "wat": "1", "sast": "2", "irst": "3.5", "gst": "4 -2", "azt": "4", "amt": "4 -4",
        "pkt": "5", "uzt": "5", "npt": "5.75", "bdt": "6", "mmt": "6.5", "ict": "7", "wib": "7", "wita": "8",
        "wit": "9",
        "sgt": "8", "hkt": "8", "myt": "8", "pht": "8", "awst": "8", "jst": "9", "kst": "9", "acst": "9.5",
        "acdt": "10.5",
        "aest": "10", "aedt": "11", "nzst": "12", "nzdt": "13",
    }.items()
}  # fmt: skip
# Of these, the first meaning is the one of RFC 822. It counts unless the outlet is near another.
_RFC_822 = frozenset(("est", "edt", "mst", "pst"))
# Names used for both standard and summer time.
_REGIONS = {
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
    "eastern": "America/New_York", "central": "America/Chicago", "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
}  # fmt: skip
_NAME = r"[A-Za-z]{1,5}"
_OFFSET = r"[+\-\u2212]\d{1,2}(?::?\d{2}(?::?\d{2})?)?(?!\d|:)"
_US_NAME = r"(?:eastern|central|mountain|pacific)(?:\s+(?:standard|daylight|summer))?\s+time\b"
# `Z-0700` and `GMT+0530` are a name and an offset. A name in brackets or parentheses repeats what stands before it.
ZONE = (
    rf"(?:\(?(?P<region>{_US_NAME})\)?|\[?(?P<iana>(?:Africa|America|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific|US)/[A-Za-z_/+\-0-9]+)\]?"
    rf"|\(?(?P<name>{_NAME})?\s?(?P<offset>{_OFFSET})\)?|\(?(?P<abbreviation>{_NAME})\b\.?\)?)"
)


class BadOffset(ValueError):
    """An impossible offset."""


def zone_of(match: re.Match[str], local: datetime, own: tzinfo) -> tzinfo | None:
    """Return the zone that a match of `ZONE` describes, or None if it is no zone or an ambiguous one.

    local: the time without zone. own: the outlet's zone. Raises BadOffset if the offset is impossible.
    """
    if match["offset"]:
        return _fixed(match["offset"])
    if match["iana"]:
        return iana_zone(match["iana"])
    name = (match["region"] or match["abbreviation"] or "").casefold()
    if match["region"]:
        kind = name.split()[1]
        base = {"eastern": "e", "central": "c", "mountain": "m", "pacific": "p"}[name.split()[0]]
        if kind in ("standard", "daylight"):
            return timezone(timedelta(minutes=_ABBREVIATIONS[f"{base}{kind[0]}t"][0]))
        return ZoneInfo(_REGIONS[name.split()[0]])
    if name in _REGIONS and (match["abbreviation"] or "").isupper():
        return ZoneInfo(_REGIONS[name])
    offsets = _ABBREVIATIONS.get(name, ())
    if name != "z" and not (match["abbreviation"] or "").isupper() and name not in ("utc", "gmt"):
        return None  # a word of the sentence
    chosen = _at_home(name, local, own)
    if chosen is None:
        chosen = _nearest([timedelta(minutes=minutes) for minutes in offsets], local, own)
    if chosen is None and name in _RFC_822:
        chosen = timedelta(minutes=offsets[0])
    return timezone(chosen) if chosen is not None else None


def iana_zone(name: str) -> tzinfo | None:
    """Return the zone of an IANA name, or None if there is no such zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def is_iana_zone(name: str) -> bool:
    """Return whether a name is an IANA time zone. A folder of the database ("America") is not one."""
    return iana_zone(name) is not None


def _fixed(offset: str) -> tzinfo:
    digits = re.sub(r"\D", "", offset)
    if len(digits) % 2:
        digits = "0" + digits
    hours, minutes = int(digits[:2]), int(digits[2:4] or 0)
    span = timedelta(hours=hours, minutes=minutes)
    if minutes > 59:
        raise BadOffset(offset)
    if offset[0] != "+":
        span = -span
    if not _LEAST_OFFSET <= span <= _GREATEST_OFFSET:
        raise BadOffset(offset)
    return timezone(span) if span else UTC


def _at_home(name: str, local: datetime, own: tzinfo) -> timedelta | None:
    """Return the offset of an abbreviation that the outlet's own zone uses in winter or summer."""
    for month in (1, 7):
        day = local.replace(month=month, day=1)
        if (own.tzname(day) or "").casefold() == name:
            return own.utcoffset(day)
    return None


def _nearest(offsets: list[timedelta], local: datetime, own: tzinfo) -> timedelta | None:
    if len(offsets) < 2:
        return offsets[0] if offsets else None
    at_home = [own.utcoffset(local.replace(month=month, day=1)) or timedelta() for month in (1, 7)]
    distances = sorted((min(abs(offset - home) for home in at_home), offset) for offset in offsets)
    (first, nearest), (second, _) = distances[:2]
    return nearest if first <= _NEAR and second - first >= _CLEAR else None
