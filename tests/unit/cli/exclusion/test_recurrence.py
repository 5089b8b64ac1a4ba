"""Recurrence rules of calendars: the times that they name, and the rules that are refused."""

from datetime import UTC, datetime
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr

from controller.cli.exclusion.recurrence import rule_of

wall = datetime.fromisoformat
START = wall("2026-01-06T02:30")  # a Tuesday
LAST = wall("2028-06-30T23:59")


def walls(text: str, start: datetime = START) -> list[datetime]:
    return [one for one in rule_of(text).walls(start, LAST.date()) if one and one <= LAST]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        "FREQ=DAILY;BYMONTH=2;BYDAY=SA,SU",
        "FREQ=WEEKLY;BYDAY=TU,TH",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
        "FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;BYDAY=1TU",
        "FREQ=MONTHLY;BYDAY=-1SU,2TU",
        "FREQ=MONTHLY;BYMONTHDAY=31,-2",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY;BYHOUR=1,5;BYMINUTE=0,30;BYSETPOS=2,-1",
        "FREQ=YEARLY",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
        "FREQ=YEARLY;BYDAY=20MO,-1FR",
        "FREQ=YEARLY;BYYEARDAY=1,100,-1",
        "FREQ=YEARLY;BYMONTH=2",
        "FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=13;BYDAY=FR",
    ],
)
@pytest.mark.parametrize("start", [START, wall("2027-12-31T23:00"), wall("2024-02-29T00:05")])
def test_a_rule_names_what_it_names_elsewhere_too(text: str, start: datetime) -> None:
    theirs = list(takewhile(lambda one: one <= LAST, islice(rrulestr(text, dtstart=start), 2000)))
    # The first time of a series belongs to it, whether its rule names it or not.
    if theirs[:1] != [start]:
        theirs = [start, *theirs]
    assert walls(text, start) == theirs[: 5 if "COUNT" in text else None]


def test_days_with_and_without_a_place_are_both_named() -> None:
    found = walls("FREQ=MONTHLY;COUNT=6;BYDAY=TU,1SU")
    assert [one.day for one in found] == [6, 13, 20, 27, 1, 3]


def test_a_rule_that_names_nothing_ends() -> None:
    assert walls("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") == [START]


def test_until_is_a_day_a_wall_time_or_an_instant() -> None:
    assert rule_of("FREQ=DAILY;UNTIL=20260110").until == wall("2026-01-10T23:59:59")
    assert rule_of("FREQ=DAILY;UNTIL=20260110T023000").until == wall("2026-01-10T02:30")
    until = rule_of("FREQ=DAILY;UNTIL=20260110T023000Z").until
    assert until == datetime(2026, 1, 10, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FREQ=HOURLY", "expected FREQ DAILY, WEEKLY, MONTHLY, YEARLY, found HOURLY"),
        ("COUNT=3", "expected FREQ .* found none"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20260101", "expected COUNT or UNTIL, found both"),
        ("FREQ=DAILY;INTERVAL=0", "expected INTERVAL from 1 to 10000, found '0'"),
        ("FREQ=DAILY;COUNT=-1", "expected COUNT from 1 to 10000, found '-1'"),
        ("FREQ=DAILY;BYHOUR=24", "expected numbers from 0 to 23 in BYHOUR, found '24'"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "expected numbers from 1 to 31 in BYMONTHDAY, found '0'"),
        ("FREQ=MONTHLY;BYMONTH=-1", "expected numbers from 1 to 12 in BYMONTH, found '-1'"),
        ("FREQ=MONTHLY;BYDAY=54MO", "expected days such as MO or -1SU in BYDAY, found '54MO'"),
        ("FREQ=WEEKLY;WKST=XX", "expected a day of the week such as MO, found 'XX'"),
        ("FREQ=YEARLY;BYWEEKNO=20", "expected each of .* once at most, found 'BYWEEKNO=20'"),
        ("FREQ=DAILY;FREQ=DAILY", "expected each of .* found 'FREQ=DAILY'"),
        ("FREQ=DAILY;UNTIL=soon", "expected UNTIL as 20261231T235959Z, found 'SOON'"),
        ("FREQ=DAILY;UNTIL=20261399", "month must be in 1..12"),
        ("FREQ=DAILY;BYMINUTE=0,1,2,3,4;BYSECOND=0,1,2,3,4", "at most 24 times a day, found more"),
    ],
)  # fmt: skip
def test_rules_that_are_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        rule_of(text)
