"""Service hours (S-30): when a contract holds, written as local times of weekdays, minus holidays."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from controller.core.calendars import day_at, wall_us, zone
from controller.core.intervals import Interval, clip, union
from vedette.shared.probes import Finding, Part

ALWAYS: Final = "always"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)"
)
_EXPECTED: Final = "local times such as 08:00-18:00 or 22:00-24:00, the second after the first"
# Contracts of one template have the same hours in the same periods.
_PERIODS_MAX: Final = 1024
_DAY_MINUTES: Final = 24 * 60

DayText = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a day: 2026-05-01")
]


class ServiceHours(Part, frozen=True, kw_only=True):
    """The hours of each weekday, and the days without any. A weekday that is not named has none."""

    weekly: Mapping[str, list[str]]
    holidays: list[DayText] = msgspec.field(default_factory=list)

    def findings(self) -> list[Finding]:
        """What is wrong with hours and days."""
        found: list[Finding] = []
        for day, texts in self.weekly.items():
            if day not in _DAYS:
                found.append((("weekly", day), f"one of {', '.join(_DAYS)}", repr(day)))
            for place, text in enumerate(texts):
                if _minutes(text) is None:
                    found.append((("weekly", day, place), _EXPECTED, repr(text)))
        for place, text in enumerate(self.holidays):
            try:
                date.fromisoformat(text)
            except ValueError:
                found.append((("holidays", place), "a day of the calendar", repr(text)))
        if not any(self.weekly.values()):
            found.append((("weekly",), "hours of at least one weekday", "none"))
        return found


def in_service(
    hours: ServiceHours | Literal["always"], tz: str, from_us: int, to_us: int
) -> list[Interval]:
    """The part of [from_us, to_us) that lies in service hours, each day by the local time of `tz`."""
    if isinstance(hours, str):
        return clip([(from_us, to_us)], from_us, to_us)
    weekly = tuple(tuple(hours.weekly.get(day, ())) for day in _DAYS)
    return list(_opened(weekly, tuple(hours.holidays), tz, from_us, to_us))


@lru_cache(maxsize=_PERIODS_MAX)
def _opened(
    weekly: tuple[tuple[str, ...], ...],
    holidays: tuple[str, ...],
    tz: str,
    from_us: int,
    to_us: int,
) -> tuple[Interval, ...]:
    where = zone(tz)
    closed = {date.fromisoformat(text) for text in holidays}
    day, last = day_at(from_us, where), day_at(to_us, where)
    found: list[tuple[int, int]] = []
    while day <= last:
        if day not in closed:
            for text in weekly[day.weekday()]:
                span = _minutes(text)
                assert span is not None, "a contract with other hours was refused"
                found.append((wall_us(day, span[0], where), wall_us(day, span[1], where)))
        day += timedelta(days=1)
    return tuple(clip(union(found), from_us, to_us))


def _minutes(text: str) -> tuple[int, int] | None:
    """The minutes after midnight that `text` says; None if it says none."""
    match = _HOURS.fullmatch(text)
    if match is None:
        return None
    first = int(match[1]) * 60 + int(match[2])
    last = _DAY_MINUTES if match[3] is None else int(match[3]) * 60 + int(match[4])
    return (first, last) if first < last else None
