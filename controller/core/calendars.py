"""Calendar periods in a time zone (S-29): from local midnight to local midnight, in true length.

Zone rules come from the pinned `tzdata` package and never from the operating system, so that a figure does
not change when a machine is updated.
"""

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import tzdata

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND_US: Final = 1_000_000
# Hours of some years in a few zones: every period of every contract asks for the same ones.
_WALL_TIMES_MAX: Final = 65_536
# No zone shifts its clock by more than a day and a bit (Apia left out a whole one).
_SHIFT_MAX: Final = timedelta(hours=26)
EXPECTED: Final = "a period such as 2026-06, 2026-Q2, 2026, 2026-W23 or 2026-06-11"
_LABEL: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|W(?P<week>\d{2})|(?P<month>\d{2})(?:-(?P<day>\d{2}))?))?"
)


class PeriodKind(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    ROLLING = "rolling"


SHORTEST_DAYS: Final = {
    PeriodKind.DAY: 1,
    PeriodKind.WEEK: 7,
    PeriodKind.MONTH: 28,
    PeriodKind.QUARTER: 90,
    PeriodKind.YEAR: 365,
}
LONGEST_DAYS: Final = {
    PeriodKind.DAY: 1,
    PeriodKind.WEEK: 7,
    PeriodKind.MONTH: 31,
    PeriodKind.QUARTER: 92,
    PeriodKind.YEAR: 366,
}


class Period(NamedTuple):
    """[from_us, to_us), as people name it."""

    from_us: int
    to_us: int
    kind: PeriodKind
    label: str


def tzdata_version() -> str:
    """The version of the zone rules, as 2026a."""
    return str(tzdata.IANA_VERSION)


@cache
def zone_names() -> frozenset[str]:
    """Every zone that there is."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of that name, from the pinned rules. ValueError if there is none."""
    if name not in zone_names():
        raise ValueError(f"expected a time zone such as Europe/Warsaw, found {name!r}")
    path = resources.files("tzdata.zoneinfo").joinpath(*name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def midnight_us(day: date, where: ZoneInfo) -> int:
    """When `day` begins: the first of two midnights; where there is none, the instant of the change."""
    return wall_us(day, 0, where)


@lru_cache(maxsize=_WALL_TIMES_MAX)
def wall_us(day: date, minutes: int, where: ZoneInfo) -> int:
    """When clocks in `where` show so many minutes after midnight of `day`; 1440 is midnight of the next.

    The first time, where they show it twice; the instant of the change, where they leave it out.
    """
    # Within one zone this adds to what clocks show, and not to the time that passes.
    local = datetime(day.year, day.month, day.day, tzinfo=where) + timedelta(minutes=minutes)
    instant = local.astimezone(UTC)
    if instant.astimezone(where).replace(tzinfo=None) != local.replace(tzinfo=None):
        instant = _skipped(local, where)
    return (instant - _EPOCH) // _MICROSECOND


def day_at(at_us: int, where: ZoneInfo) -> date:
    """The day that it is in `where` at an instant."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(where).date()


def _skipped(local: datetime, where: ZoneInfo) -> datetime:
    """The instant at which clocks in `where` jump over the wall time `local`."""
    wall = local.replace(tzinfo=None)
    before, after = (wall.replace(tzinfo=UTC) + shift for shift in (-_SHIFT_MAX, _SHIFT_MAX))
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(where).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after


def period_named(label: str, tz: str) -> Period:
    """The period that `label` names in the zone `tz`. ValueError if it names none."""
    match = _LABEL.fullmatch(label)
    if match is None:
        raise ValueError(f"expected {EXPECTED}, found {label!r}")
    try:
        kind, first, last = _days(match)
        where = zone(tz)
        return Period(midnight_us(first, where), midnight_us(last, where), kind, label)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"expected {EXPECTED}, found {label!r} ({error})") from error


def _days(match: re.Match[str]) -> tuple[PeriodKind, date, date]:
    """The kind of period, its first day, and the first day after it."""
    year = int(match["year"])
    if match["quarter"]:
        month = 3 * int(match["quarter"]) - 2
        return PeriodKind.QUARTER, date(year, month, 1), _month_after(year, month + 2)
    if match["week"]:
        monday = date.fromisocalendar(year, int(match["week"]), 1)
        return PeriodKind.WEEK, monday, monday + timedelta(days=7)
    if match["day"]:
        day = date(year, int(match["month"]), int(match["day"]))
        return PeriodKind.DAY, day, day + timedelta(days=1)
    if match["month"]:
        month = int(match["month"])
        return PeriodKind.MONTH, date(year, month, 1), _month_after(year, month)
    return PeriodKind.YEAR, date(year, 1, 1), date(year + 1, 1, 1)


def _month_after(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def period_at(at_us: int, kind: PeriodKind, tz: str) -> Period:
    """The calendar period of that kind in which an instant lies."""
    day = day_at(at_us, zone(tz))
    iso = day.isocalendar()
    label = {
        PeriodKind.DAY: day.isoformat(),
        PeriodKind.WEEK: f"{iso.year:04}-W{iso.week:02}",
        PeriodKind.MONTH: f"{day.year:04}-{day.month:02}",
        PeriodKind.QUARTER: f"{day.year:04}-Q{(day.month + 2) // 3}",
        PeriodKind.YEAR: f"{day.year:04}",
    }[kind]
    return period_named(label, tz)
