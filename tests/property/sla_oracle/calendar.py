"""Local time the slow way: by asking the zone what its clocks show, instant after instant."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def zone(name: str) -> ZoneInfo:
    """The zone by the pinned rules."""
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def clock(at_us: int, tz: str) -> datetime:
    """What clocks show at an instant."""
    return (EPOCH + at_us * MICROSECOND).astimezone(zone(tz)).replace(tzinfo=None)


def day_of(at_us: int, tz: str) -> date:
    """The local day of an instant."""
    return clock(at_us, tz).date()


@cache
def when(day: date, minutes: int, tz: str) -> int:
    """The first instant at which clocks show so many minutes after midnight of `day`, or later."""
    wanted = datetime.combine(day, time()) + timedelta(minutes=minutes)
    as_utc = (wanted.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
    around = as_utc - 30 * 60 * MINUTE, as_utc + 30 * 60 * MINUTE
    shifts = {clock(at, tz) - (EPOCH + at * MICROSECOND).replace(tzinfo=None) for at in around}
    if len(shifts) == 1:
        return as_utc - shifts.pop() // MICROSECOND
    at = around[0]
    while clock(at, tz) < wanted:
        at += MINUTE
    return at


def midnight(day: date, tz: str) -> int:
    """When a local day begins."""
    return when(day, 0, tz)


def days(from_us: int, to_us: int, tz: str) -> list[date]:
    """The local days that a time touches, and the next."""
    first, last = day_of(from_us, tz), day_of(to_us, tz)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def period(label: str, tz: str) -> tuple[int, int]:
    """The instants of the period of that label."""
    year = int(label[:4])
    if "Q" in label:
        month = 3 * int(label[-1]) - 2
        first, last = date(year, month, 1), first_of_month(year, month + 3)
    elif "W" in label:
        first = date.fromisocalendar(year, int(label[-2:]), 1)
        last = first + timedelta(days=7)
    elif len(label) == 4:
        first, last = date(year, 1, 1), date(year + 1, 1, 1)
    elif len(label) == 7:
        month = int(label[-2:])
        first, last = date(year, month, 1), first_of_month(year, month + 1)
    else:
        first = date.fromisoformat(label)
        last = first + timedelta(days=1)
    return midnight(first, tz), midnight(last, tz)


def first_of_month(year: int, month: int) -> date:
    """The first day of a month; the thirteenth is next January."""
    return date(year + 1, month - 12, 1) if month > 12 else date(year, month, 1)


def hours(terms: object, from_us: int, to_us: int, tz: str) -> list[tuple[int, int]]:
    """The service hours around a time, as pairs of instants that may overlap."""
    if terms == "always":
        return [(from_us, to_us)]
    assert isinstance(terms, dict)
    found: list[tuple[int, int]] = []
    for day in days(from_us, to_us, tz):
        if day.isoformat() in terms.get("holidays", []):
            continue
        for text in terms["weekly"].get(WEEKDAYS[day.weekday()], []):
            ends = [int(part[:2]) * 60 + int(part[3:]) for part in text.split("-")]
            found.append((when(day, ends[0], tz), when(day, ends[1], tz)))
    return [one for one in found if one[0] < one[1]]
