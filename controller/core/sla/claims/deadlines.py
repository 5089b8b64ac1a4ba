"""Deadlines of claims (S-50): calendar days and months in the contract's zone, and when to remind of them."""

import calendar
from datetime import date, timedelta
from typing import Final, NamedTuple

from controller.core.calendars import day_at, midnight_us, zone

_DAY_US: Final = 86_400_000_000
# How many calendar days before the last day's end a claim that was not submitted is told of.
REMIND_DAYS: Final = (7, 1)


class Deadline(NamedTuple):
    """The last day on which a claim is in time, and the first instant that is too late."""

    last_day: date
    ends_us: int


class Reminder(NamedTuple):
    """So many days before the deadline, at local midnight."""

    days: int
    at_us: int


def deadline_of(clause: str, ends_us: int, tz: str) -> Deadline:
    """The deadline that a clause (P30D, P2M) gives for a period that ends at `ends_us`.

    The first day that counts is the first one after the period. A deadline of months ends with the day before
    the one of the same number, so that P2M after June is 31 August; where the last month has no such day, with
    its last day.
    """
    where = zone(tz)
    # A period ends at a midnight, which is when the next day begins.
    first = day_at(ends_us, where)
    count = int(clause[1:-1])
    last = first + timedelta(days=count - 1) if clause.endswith("D") else _months(first, count)
    return Deadline(last, midnight_us(last + timedelta(days=1), where))


def deadline_us_max(clause: str) -> int:
    """The most time that a clause (P30D, P2M) gives after a period, in microseconds."""
    count = int(clause[1:-1])
    return (count if clause.endswith("D") else 31 * count) * _DAY_US


def _months(first: date, count: int) -> date:
    """The last day of so many months that begin with `first`."""
    months = first.year * 12 + first.month - 1 + count
    year, month = months // 12, months % 12 + 1
    last_of_month = calendar.monthrange(year, month)[1]
    if first.day > last_of_month:
        return date(year, month, last_of_month)
    return date(year, month, first.day) - timedelta(days=1)


def reminders(deadline: Deadline, tz: str) -> list[Reminder]:
    """When to remind of a deadline: the soonest first."""
    where = zone(tz)
    return [
        Reminder(days, midnight_us(deadline.last_day + timedelta(days=1 - days), where))
        for days in REMIND_DAYS
    ]


def reminder_due(deadline: Deadline, tz: str, now_us: int) -> Reminder | None:
    """The reminder that is due: the last one whose time has come, before the deadline is over."""
    if now_us >= deadline.ends_us:
        return None
    return next((one for one in reversed(reminders(deadline, tz)) if one.at_us <= now_us), None)
