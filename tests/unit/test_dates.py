"""Dates as publishers write them: forms, languages, zones, ambiguity, placeholders. The reader never raises."""

from __future__ import annotations

import email.utils
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date, format_datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from pressmark.dates import DateContext, ParsedDate, date_span, decided_by, find_dates, read_date
from pressmark.time_zones import iana_zone

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def read(raw: str, zone: str = "UTC", country: str | None = None, languages: tuple[str, ...] = ()) -> ParsedDate:
    parsed = read_date(raw, "meta", DateContext(NOW, zone, country, languages))
    assert parsed is not None
    return parsed


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Mon, 03 Mar 2025 10:00:00 GMT+3", "2025-03-03T07:00"),
        ("Mon, 03 Mar 2025 10:00:00 UTC+03:00", "2025-03-03T07:00"),
        ("Mon Oct 27 2025 10:00:00 GMT+0200", "2025-10-27T08:00"),
        ("2025-06-03T06:38:25Z-0700", "2025-06-03T13:38:25"),
        ("Mon Mar 03 2025 10:00:00 GMT+0100 (Central European Standard Time)", "2025-03-03T09:00"),
        ("2026-03-10T18:40:00+0530", "2026-03-10T13:10"),
        ("2026-03-10T18:40:00-03", "2026-03-10T21:40"),
        ("2026-03-10T18:40:00\u221205:00", "2026-03-10T23:40"),
        ("2026-03-10T18:40:00.000Z[UTC]", "2026-03-10T18:40"),
        ("2026-03-10T18:40:00+01:00[Europe/Paris]", "2026-03-10T17:40"),
        ("2026-03-10 18:40 Europe/Berlin", "2026-03-10T17:40"),
        ("2026-03-10 18:40:00 +0000 UTC", "2026-03-10T18:40"),
        ("Tue, 10 Mar 2026 18:40:00 UT", "2026-03-10T18:40"),
        ("Tue Mar 10 18:40:00 UTC 2026", "2026-03-10T18:40"),
        ("Tue, 10 Mar 26 18:40:00 GMT", "2026-03-10T18:40"),
        ("March 10, 2026 6:40 p.m. ET", "2026-03-10T22:40"),
        ("Jan 10, 2026 6:40 pm Eastern Time", "2026-01-10T23:40"),
        ("July 10, 2026 6:40 pm Pacific Daylight Time", "2026-07-11T01:40"),
        ("1772556300", "2026-03-03T16:45"),
        ("1772556300000", "2026-03-03T16:45"),
        ("20260310T184000Z", "2026-03-10T18:40"),
    ],
)
def test_written_offset_or_zone_is_read(raw: str, expected: str) -> None:
    parsed = read(raw, zone="Asia/Tokyo")
    assert (parsed.value, parsed.flag) == (utc(expected), None)


@pytest.mark.parametrize(
    ("abbreviation", "zone", "hours"),
    [
        ("CST", "Asia/Shanghai", 8), ("CST", "America/New_York", -6), ("CST", "America/Havana", -5),
        ("IST", "Asia/Kolkata", 5.5), ("IST", "Europe/Dublin", 1), ("IST", "Asia/Jerusalem", 2),
        ("BST", "Europe/London", 1), ("BST", "Asia/Dhaka", 6), ("EST", "Europe/Berlin", -5),
        ("EST", "Australia/Sydney", 10), ("AEST", "UTC", 10), ("PKT", "UTC", 5), ("MEST", "America/New_York", 2),
        ("PST", "Asia/Manila", 8), ("PST", "Europe/London", -8),
    ],
)  # fmt: skip
def test_ambiguous_zone_is_decided_by_the_outlets_zone(abbreviation: str, zone: str, hours: float) -> None:
    parsed = read(f"Tue, 01 Jul 2025 10:00:00 {abbreviation}", zone=zone)
    assert (parsed.value, parsed.flag) == (utc("2025-07-01T10:00") - timedelta(hours=hours), None)


@pytest.mark.parametrize(("abbreviation", "zone"), [("CST", "UTC"), ("IST", "Europe/Berlin"), ("XYZ", "Asia/Tokyo")])
def test_zone_that_nothing_decides_is_flagged(abbreviation: str, zone: str) -> None:
    parsed = read(f"Tue, 01 Jul 2025 10:00:00 {abbreviation}", zone=zone)
    assert parsed.flag == "zone_assumed"
    assert parsed.value == datetime(2025, 7, 1, 10, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    "raw",
    ["04-03-2026", "4/3/2026", "10:15 04/03/2026", "04/03/2026 10:15", "Posted 04-03-2026, 6:38 pm", "04 / 03 / 2026"],
)
def test_day_and_month_are_not_guessed(raw: str) -> None:
    parsed = read(raw)
    assert parsed.value is None and parsed.raw == raw
    assert parsed.flag in ("ambiguous", "unparsable")


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("Wednesday 04/03/2026", None, date(2026, 3, 4)),
        ("Fri, 04/03/2026", None, date(2026, 4, 3)),
        ("mercredi 04/03/2026", None, date(2026, 3, 4)),
        ("04/03/2026", "IN", date(2026, 3, 4)),
        ("04/03/2026", "US", date(2026, 4, 3)),
        ("04/03/2026", "CA", None),
        ("04.03.2026", None, date(2026, 3, 4)),
        ("25/03/2026", None, date(2026, 3, 25)),
        ("03/25/2026", None, date(2026, 3, 25)),
        ("05/05/2026", None, date(2026, 5, 5)),
    ],
)
def test_order_of_day_and_month_is_decided_by_evidence(raw: str, country: str | None, expected: date | None) -> None:
    parsed = read(raw, country=country)
    assert (parsed.value.date() if parsed.value else None) == expected


def test_another_date_of_the_page_decides_an_ambiguous_one() -> None:
    ambiguous = read("04/03/2026")
    modified = read("2026-03-04T10:00Z")
    decided = decided_by(ambiguous, [modified])
    assert decided is not None and decided.value == utc("2026-03-04T00:00") and decided.raw == "04/03/2026"
    assert decided_by(ambiguous, [read("2026-06-01")]) is None
    assert decided_by(ambiguous, [modified, read("2026-04-03")]) is None


@pytest.mark.parametrize(
    "raw",
    [
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00", "2026-03-10T10:00:00+25:00", "1970-01-01T00:00Z",
        "1969-12-31T19:00:00-05:00", "1970-01-01", "0000000000", "0001-01-01 00:00:00 +0000 UTC", "-0001-11-30",
        "0000-00-00 00:00:00", "1900-01-01", "2026-02-30", "2026-13-01", "2026-03-10T25:00:00", "2026-03-10T24:30:00",
        "10 March", "March 2026", "yesterday", "10:15", "2099-01-01",
    ],
)  # fmt: skip
def test_placeholder_and_impossible_date_are_no_dates(raw: str) -> None:
    parsed = read(raw)
    assert parsed.value is None and parsed.flag in ("too_early", "future", "unparsable") and parsed.raw == raw


def test_end_of_day_and_leap_second_are_read() -> None:
    assert read("2026-03-10T24:00:00Z").value == utc("2026-03-11T00:00")
    assert read("2026-03-10T23:59:60Z").value == utc("2026-03-11T00:00")


LANGUAGES = (
    "ar az be bg bn bs ca cs da de el en en_US es et fi fr gl hi hr hu id is it ka kk ko lt lv mk ms nb nl nn pl pt ro ru sk "
    "sl sq sr sv sw tr uk zh ja pt_BR es_MX fr_CA de_AT"
).split()  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_date_of_a_language_is_read(language: str) -> None:
    tag = language.replace("_", "-")
    for month in range(1, 13):
        day = date(2025, month, 9 + month)
        text = format_date(day, "long", locale=language)
        parsed = read(text, languages=(tag,))
        assert parsed.value is not None and parsed.value.date() == day, text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("10. März 2026, 18:40 Uhr", "2026-03-10T18:40"),
        ("Dienstag, 10.03.2026, 18.40 Uhr", "2026-03-10T18:40"),
        ("10 de marzo de 2026 a las 18:40 h", "2026-03-10T18:40"),
        ("Publié le 10 mars 2026 à 18h40", "2026-03-10T18:40"),
        ("1er mars 2026 à 8h05", "2026-03-01T08:05"),
        ("10 de março de 2026 às 18h40", "2026-03-10T18:40"),
        ("10 marzo 2026, ore 18.40", "2026-03-10T18:40"),
        ("10 mars 2026 kl. 18.40", "2026-03-10T18:40"),
        ("10 марта 2026, 18:40", "2026-03-10T18:40"),
        ("18:40, 10 марта 2026", "2026-03-10T18:40"),
        ("2026年3月10日 18:40", "2026-03-10T18:40"),
        ("2026年03月10日 下午6:40", "2026-03-10T18:40"),
        ("2026年3月10日 18時40分", "2026-03-10T18:40"),
        ("2026년 3월 10일 오후 6:40", "2026-03-10T18:40"),
        ("2026. 03. 10. 18:40", "2026-03-10T18:40"),
        ("\u0661\u0660 مارس \u0662\u0660\u0662\u0666 18:40", "2026-03-10T18:40"),
        ("10 مارس 2026 06:40 م", "2026-03-10T18:40"),
        ("2026-03-10 6:40 PM", "2026-03-10T18:40"),
        ("2026-03-10 12:10 AM", "2026-03-10T00:10"),
        ("12 noon? no: 10 March 2026 12:10 pm", "2026-03-10T12:10"),
    ],
)
def test_visible_date_with_a_time_of_day_is_read(raw: str, expected: str) -> None:
    parsed = read(raw)
    assert (parsed.value, parsed.precision, parsed.flag) == (utc(expected), "minute", "zone_assumed")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("4 March 2026 10:15-11:30", "2026-03-04T10:15"),
        ("4 March 2026 10:15-12:00 Uhr", "2026-03-04T10:15"),
        ("4 March 2026 10:15 -5 comments", "2026-03-04T10:15"),
        ("4 March 2026 10:15 +2 more", "2026-03-04T10:15"),
        ("4 March 2026 10:00-12:30", "2026-03-04T10:00"),
        ("2026-03-04 10:15 -03:30", "2026-03-04T13:45"),
        ("2026-03-04T01:00-03:00", "2026-03-04T04:00"),
        ("2026-03-04T10:00+02", "2026-03-04T08:00"),
        ("4 March 2026 · 3 h ago", "2026-03-04T00:00"),
        ("4 March 2026 5 h", "2026-03-04T00:00"),
        ("4 mars 2026 à 18 h", "2026-03-04T18:00"),
        ("2026-03-04T101530Z", "2026-03-04T10:15:30"),
        ("2026-03-04T10Z", "2026-03-04T10:00"),
        ("2026-06-01T10:00:00&#43;02:00", "2026-06-01T08:00"),
        ("2026-06-01T10:00:00%2B02:00", "2026-06-01T08:00"),
        ("2026-06-01 10:00 [Europe/London]", "2026-06-01T09:00"),
        ("2026-06-01 10:00 US/Eastern", "2026-06-01T14:00"),
        ("2026-06-01 10:00 Etc/GMT+5", "2026-06-01T15:00"),
        ("2026-03-04 10:15 +0530", "2026-03-04T04:45"),
    ],
)
def test_ranges_counts_and_durations_are_no_offsets_and_compact_forms_are_read(raw: str, expected: str) -> None:
    assert read(raw, zone="Europe/London").value == utc(expected)


def test_weekday_between_day_and_time_is_skipped() -> None:
    for text in ("2026年3月4日(水) 10時15分", "2026年3月4日 水曜日 10時15分"):
        (found,) = find_dates(text, "text", DateContext(NOW))
        assert found.value == utc("2026-03-04T10:15")


def test_forms_of_one_moment_agree() -> None:
    for number in range(0, 1200, 7):
        moment = datetime(2023, 1, 1, 7, 8, 9, tzinfo=UTC) + timedelta(days=number, seconds=number)
        for raw in (
            email.utils.format_datetime(moment),
            moment.isoformat(),
            moment.strftime("%d %B %Y %H:%M:%S UTC"),
            moment.strftime("%B %d, %Y %I:%M:%S %p UTC"),
            moment.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (UTC)"),
            moment.strftime("%Y/%m/%d %H:%M:%SZ"),
            moment.strftime("%d-%b-%Y %H:%M:%S GMT"),
            str(int(moment.timestamp())),
            format_datetime(moment, "d. MMMM y HH:mm:ss", locale="de") + " UTC",
        ):
            assert read(raw, zone="Asia/Tokyo").value == moment, raw


def test_dates_in_a_text_are_found_with_their_own_time() -> None:
    text = "By A. Writer | Published: March 10, 2026 6:40 pm ET | Updated 12/03/2026 10:15. Read 12 comments"
    first, second = find_dates(text, "text", DateContext(NOW))
    assert (first.raw, first.value) == ("March 10, 2026 6:40 pm ET", utc("2026-03-10T22:40"))
    assert (second.raw, second.value, second.flag) == ("12/03/2026 10:15", None, "ambiguous")
    (found,) = find_dates("Published 10 March 2026, read by 18 people", "text", DateContext(NOW))
    assert found.precision == "day"


def test_day_covers_the_whole_day_of_the_outlet() -> None:
    start, end = date_span(utc("2026-11-20T00:00"), "day", "America/New_York")
    assert (start, end) == (utc("2026-11-20T05:00"), utc("2026-11-21T05:00"))


@settings(max_examples=1500, deadline=None)
@given(
    st.one_of(
        st.text(max_size=120),
        st.from_regex(
            r"[0-9]{1,5}[-/. ][0-9]{1,3}[-/. ][0-9]{1,5}[T ]?[0-9:.]{0,9}[ +\-]?[A-Z0-9:]{0,6}", fullmatch=True
        ),
        st.datetimes().map(str),
        st.builds(
            lambda moment, zone: f"{moment.isoformat()}{zone}", st.datetimes(), st.from_regex(r"[+-][0-9]{2}:?[0-9]{2}")
        ),
    ),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "America", "no zone", "../x"]),
    st.sampled_from([None, "US", "DE"]),
)
def test_reader_returns_a_plausible_date_or_none_and_never_raises(raw: str, zone: str, country: str | None) -> None:
    context = DateContext(NOW, zone, country, ("de",))
    parsed = read_date(raw, "meta", context)
    for found in (parsed, *find_dates(raw, "text", context)):
        if found is not None and found.value is not None:
            assert datetime(1990, 1, 1, tzinfo=UTC) <= found.value <= NOW + timedelta(days=1)
            assert found.flag in (None, "zone_assumed")


@pytest.mark.parametrize(
    "name", ["America", "", "posix", "../../etc/passwd", "Europe/Nowhere", "/etc/localtime", "tzdata.zi"]
)
def test_name_that_is_no_zone_is_recognised(name: str) -> None:
    assert iana_zone(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "สะพานท่าเรือเปิดให้ใช้งานในวันศุกร์นายกเทศมนตรีประกาศว่าการก่อสร้างใช้เวลาสิบเก้าปี" * 2,
        "बंदरगाहपुलकाउद्घाटनशुक्रवारकोहोगामहापौरनेघोषणाकीकिनिर्माणमेंउन्नीसवर्षलगे" * 2,
        "ត្រូវបានបើកនៅថ្ងៃសុក្រអភិបាលក្រុងបានប្រកាសថាការសាងសង់" * 3,
        "नि" * 100,
    ],
)
def test_text_without_spaces_takes_no_time(text: str) -> None:
    started = time.process_time()
    assert list(find_dates(text, "text", DateContext(NOW, "UTC", None, ("th",)))) == []
    assert time.process_time() - started < 1
