"""Calendars as files: zones, days, series with exceptions and changes; and files that are refused whole."""

from zoneinfo import ZoneInfo

import pytest

from controller.cli.exclusion import calendar_file
from controller.cli.exclusion.calendar_file import ReadCalendar, Window, read_calendar
from controller.core.instants import instant, instant_text
from controller.errors import BadInput

WINDOW = Window(
    instant("2026-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z"), ZoneInfo("Asia/Tokyo")
)
# A zone that no database has, described in the file: two hours ahead in summer, one in winter.
OWN_ZONE = """\
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def event(*lines: str, uid: str = "a@example") -> str:
    return "\n".join(("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT", ""))


def read(*parts: str, head: str = "") -> ReadCalendar:
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{head}{''.join(parts)}END:VCALENDAR\n"
    return read_calendar(text.encode(), "work.ics", WINDOW)


def times(found: ReadCalendar) -> list[tuple[str, str, str]]:
    return [
        (one.recurrence, instant_text(one.from_us), instant_text(one.to_us)) for one in found.found
    ]


@pytest.mark.parametrize(
    ("lines", "first", "last"),
    [
        pytest.param(
            ("DTSTART:20260610T000000Z", "DTEND:20260610T020000Z"),
            "2026-06-10T00:00:00Z", "2026-06-10T02:00:00Z", id="UTC",
        ),
        pytest.param(
            ("DTSTART;TZID=Europe/Warsaw:20260610T000000", "DURATION:PT90M"),
            "2026-06-09T22:00:00Z", "2026-06-09T23:30:00Z", id="a zone that everybody knows",
        ),
        pytest.param(
            ("DTSTART;TZID=W. Europe Standard Time:20260110T000000", "DURATION:PT1H"),
            "2026-01-09T23:00:00Z", "2026-01-10T00:00:00Z", id="a zone as Windows calls it",
        ),
        pytest.param(
            ("DTSTART;TZID=Customized Time Zone:20260110T000000", "DURATION:PT1H"),
            "2026-01-09T23:00:00Z", "2026-01-10T00:00:00Z", id="a zone of the file",
        ),
        pytest.param(
            ("DTSTART:20260610T000000", "DURATION:PT1H"),
            "2026-06-09T15:00:00Z", "2026-06-09T16:00:00Z", id="no zone: that of the command",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20260610",),
            "2026-06-09T15:00:00Z", "2026-06-10T15:00:00Z", id="a day",
        ),
        pytest.param(
            ("DTSTART;VALUE=DATE:20260610", "DTEND;VALUE=DATE:20260612"),
            "2026-06-09T15:00:00Z", "2026-06-11T15:00:00Z", id="two days: the end is not one of them",
        ),
        pytest.param(
            ("DTSTART;TZID=Europe/Warsaw:20260328T120000", "DURATION:P1DT1H"),
            "2026-03-28T11:00:00Z", "2026-03-29T11:00:00Z", id="a day of 23 hours, and an hour",
        ),
        pytest.param(
            ("DTSTART;TZID=Europe/Warsaw:20261025T023000", "DURATION:PT1H"),
            "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", id="of an hour that comes twice the first",
        ),
        pytest.param(
            ("DTSTART;TZID=Europe/Warsaw:20260329T023000", "DURATION:PT1H"),
            "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z", id="of an hour that is left out: as before it",
        ),
    ],
)  # fmt: skip
def test_when_an_event_is(lines: tuple[str, ...], first: str, last: str) -> None:
    assert times(read(OWN_ZONE, event(*lines))) == [("", first, last)]


def test_days_are_days_where_the_calendar_is() -> None:
    found = read(event("DTSTART;VALUE=DATE:20260610"), head="X-WR-TIMEZONE:America/New_York\n")
    assert times(found) == [("", "2026-06-10T04:00:00Z", "2026-06-11T04:00:00Z")]


SERIES = (
    "DTSTART;TZID=Europe/Warsaw:20260324T020000",
    "DTEND;TZID=Europe/Warsaw:20260324T040000",
    "RRULE:FREQ=WEEKLY;UNTIL=20260414T000000Z",
    "SUMMARY:Patch day",
)


def test_a_series_keeps_its_wall_time_over_a_change_of_the_clock() -> None:
    assert times(read(event(*SERIES))) == [
        ("20260324T010000Z", "2026-03-24T01:00:00Z", "2026-03-24T03:00:00Z"),
        ("20260331T000000Z", "2026-03-31T00:00:00Z", "2026-03-31T02:00:00Z"),
        ("20260407T000000Z", "2026-04-07T00:00:00Z", "2026-04-07T02:00:00Z"),
        ("20260414T000000Z", "2026-04-14T00:00:00Z", "2026-04-14T02:00:00Z"),
    ]


def test_exceptions_additions_and_changes_of_a_series() -> None:
    more = (
        "EXDATE;TZID=Europe/Warsaw:20260331T020000",
        "EXDATE;VALUE=DATE:20260407",
        "RDATE;TZID=Europe/Warsaw:20260416T020000",
    )
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Warsaw:20260414T020000",
        "DTSTART:20260415T000000Z", "DTEND:20260415T030000Z", "SUMMARY:Moved",
    )  # fmt: skip
    older = event("RECURRENCE-ID:20260414T000000Z", "SEQUENCE:0", "DTSTART:20260413T000000Z")
    off = event(
        "RECURRENCE-ID:20260416T000000Z",
        "DTSTART:20260416T000000Z",
        "DURATION:PT1H",
        "STATUS:CANCELLED",
    )
    found = read(event(*SERIES, *more), moved.replace("SUMMARY", "SEQUENCE:3\nSUMMARY"), older, off)
    assert times(found) == [
        ("20260324T010000Z", "2026-03-24T01:00:00Z", "2026-03-24T03:00:00Z"),
        ("20260414T000000Z", "2026-04-15T00:00:00Z", "2026-04-15T03:00:00Z"),
        ("20260416T000000Z", "2026-04-16T00:00:00Z", "2026-04-16T01:00:00Z"),
    ]
    assert [(one.summary, one.is_cancelled) for one in found.found] == [
        ("Patch day", False), ("Moved", False), ("", True),
    ]  # fmt: skip


def test_a_change_counts_though_its_original_is_outside_of_the_time() -> None:
    moved = event("RECURRENCE-ID:20250101T000000Z", "DTSTART:20260601T000000Z", "DURATION:PT1H")
    assert times(read(moved)) == [
        ("20250101T000000Z", "2026-06-01T00:00:00Z", "2026-06-01T01:00:00Z")
    ]
    endless = event("DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=YEARLY")
    assert [one for one, _, _ in times(read(endless))] == ["20270101"], (
        "midnight in Tokyo is the day before"
    )


@pytest.mark.parametrize(
    ("head", "lines"), [("METHOD:CANCEL\n", ()), ("", ("STATUS:CANCELLED",))], ids=["all", "one"]
)
def test_what_is_off_is_told_as_off(head: str, lines: tuple[str, ...]) -> None:
    found = read(event(*SERIES, *lines), head=head)
    assert [one.is_cancelled for one in found.found] == [True] * 4


def test_reminders_without_a_length_are_passed_over_and_counted() -> None:
    found = read(event("DTSTART:20260610T000000Z"), event(*SERIES, uid="b"))
    assert (found.empty, len(found.found), found.uids) == (1, 4, frozenset({"a@example", "b"}))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("SUMMARY:x",), "expected DTSTART, found none"),
        (("DTSTART:20260610T000000Z", "DTSTART:20260611T000000Z"), "expected one DTSTART, found 2"),
        (("DTSTART;TZID=Nowhere/At_All:20260610T000000",), "expected a zone that is known, or described by VTIMEZONE, in DTSTART; found 'Nowhere/At_All'"),
        (("DTSTART:20260610T000000Z", "DTEND:20260609T000000Z"), "expected an end after DTSTART, found one before"),
        (("DTSTART:20260610T000000Z", "DTEND;VALUE=DATE:20260611"), "expected DTSTART and DTEND both days or both times"),
        (("DTSTART:20260610T000000Z", "DTEND:20260611T000000Z", "DURATION:PT1H"), "expected DTEND or DURATION, found both"),
        (("DTSTART;VALUE=DATE:20260610", "DURATION:PT1H"), "expected a DURATION of whole days"),
        (("DTSTART:00010610T000000Z",), "expected a time of the years 1970 to 2200 in DTSTART"),
        (("DTSTART:20261399T000000Z",), "expected lines that can be read, found DTSTART"),
        (("DTSTART:20260610T000000Z", "RRULE:FREQ=YEARLY;BYWEEKNO=3"), "RRULE: expected each of"),
        (("DTSTART:20260610T000000Z", "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"), "expected one RRULE, found 2"),
        (("DTSTART:20260610T000000Z", "EXRULE:FREQ=DAILY"), "expected no EXRULE: list the exceptions as EXDATE"),
        (("DTSTART:20260610T000000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260610T000000Z"), "found RANGE=THISANDFUTURE: end the series and begin another"),
        (("DTSTART:20260610T000000Z", "what is this"), "expected lines that can be read"),
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_read_refuses_the_file(
    lines: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(event(*SERIES), event(*lines, uid="bad"))
    assert str(caught.value).startswith("work.ics: event 'bad': ")
    assert problem in str(caught.value)


def test_every_bad_event_is_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        read(event(uid="one"), event("DTSTART:20260610T000000Z", uid=""), event(uid="x" * 256))
    assert len(str(caught.value).splitlines()) == 3
    assert str(caught.value).count("expected a UID of 1 to 255 characters") == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "Expected a calendar .BEGIN:VCALENDAR. in work.ics, found none"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=Europe:20260610T000000\nEND:VEVENT\nEND:VCALENDAR\n", "work.ics is no calendar .RFC 5545.: "),
        (b"hello", "work.ics is no calendar .RFC 5545.: .*hello"),
        (b"BEGIN:VEVENT\nUID:a\nEND:VEVENT\n", "Expected a calendar .BEGIN:VCALENDAR. in work.ics"),
        (b"\xff\xfe", "Expected UTF-8 in work.ics, found byte 0 that is not"),
        (b"x" * 1_048_577, "Expected at most 1048576 bytes, found 1048577 in work.ics"),
        (b"BEGIN:VEVENT\n" * 1001, "Expected at most 1000 events, found 1001 in work.ics"),
        (b"BEGIN:VTIMEZONE\nRRULE:FREQ=SEC\n ONDLY\n", "by the day, week, month or year, found FREQ=SECONDLY in"),
        (b"RRULE:FREQ=DAILY;INTERVAL=0\n", "by the day, week, month or year, found INTERVAL=0 in"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused_in_words(text: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        read_calendar(text, "work.ics", WINDOW)


def test_a_file_with_more_than_can_be_declared_is_refused() -> None:
    many = event("DTSTART:20260101T000000Z", "DURATION:PT1M", "RRULE:FREQ=DAILY;BYHOUR=1,5,9")
    with pytest.raises(BadInput, match="at most 1000 occurrences in that time, found 1096"):
        read(many)


def test_a_file_that_takes_too_long_to_go_through_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calendar_file, "CALENDAR_DAYS_MAX", 5_000)
    barren = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"
    series = [event("DTSTART:20200101T000000Z", barren, uid=f"u{n}") for n in range(2)]
    assert times(read(series[0])) == []
    with pytest.raises(BadInput, match="at most 5000 days to go through, found more in work"):
        read(*series)
