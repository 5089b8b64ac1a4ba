"""Recurrence rules of calendars (RFC 5545, 3.3.10), from days on: which wall times a rule names, in order.

Rules by the hour, minute or second are refused: maintenance is not planned so, and a hostile one never ends.
"""

import calendar
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN: Final = frozenset({
    "FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY",
    "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS",
})  # fmt: skip
_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_STAMP: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z)?)?")
# Numbers that each list may have, without their signs.
_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "BYMONTH": (1, 12), "BYMONTHDAY": (1, 31), "BYYEARDAY": (1, 366), "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59), "BYSECOND": (0, 59), "BYSETPOS": (1, 366),
}  # fmt: skip
_SIGNED: Final = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYSETPOS"})
_TIMES_A_DAY_MAX: Final = 24
_NUMBER_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. `until` is wall time of the series, or a UTC instant where it is aware; days are (ordinal, weekday)."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    days: frozenset[tuple[int, int]] = frozenset()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: frozenset[int] = frozenset()

    def walls(self, start: datetime, last: date) -> Iterator[datetime | None]:
        """Wall times from `start` on, and None for each day looked at, until the day `last`.

        The first one is `start`, whether the rule names it or not. What is to come after `last` is not looked for.
        """
        rule = _completed(self, start)
        yield start
        given = 1
        for period in _periods(rule, start.date(), last):
            found: list[datetime] = []
            for day in period:
                yield None
                if _names(rule, day):
                    found += (datetime.combine(day, at) for at in _times(rule, start))
            for wall in _placed(rule, found):
                if wall <= start:
                    continue
                if self.count is not None and given >= self.count:
                    return
                given += 1
                yield wall


def rule_of(text: str) -> Rule:
    """The rule that `text` says. ValueError in words if it says none that is read here."""
    parts: dict[str, str] = {}
    for part in text.upper().split(";"):
        key, _, value = part.partition("=")
        if key not in _KNOWN or not value or key in parts:
            raise ValueError(
                f"expected each of {', '.join(sorted(_KNOWN))} once at most, found {part!r}"
            )
        parts[key] = value
    frequency = parts.get("FREQ", "none")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"expected FREQ {', '.join(_FREQUENCIES)}, found {frequency}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("expected COUNT or UNTIL, found both")
    numbers = {key: _numbers(key, parts.get(key, "")) for key in _BOUNDS}
    times = [max(1, len(numbers[key])) for key in ("BYHOUR", "BYMINUTE", "BYSECOND")]
    if times[0] * times[1] * times[2] > _TIMES_A_DAY_MAX:
        raise ValueError(f"expected at most {_TIMES_A_DAY_MAX} times a day, found more")
    return Rule(
        frequency,
        _positive("INTERVAL", parts.get("INTERVAL", "1")),
        _positive("COUNT", parts["COUNT"]) if "COUNT" in parts else None,
        _stamp(parts["UNTIL"]) if "UNTIL" in parts else None,
        _weekday(parts.get("WKST", "MO")),
        frozenset(numbers["BYMONTH"]),
        frozenset(numbers["BYMONTHDAY"]),
        frozenset(numbers["BYYEARDAY"]),
        frozenset(_ordinal_day(one) for one in parts["BYDAY"].split(",")) if "BYDAY" in parts else frozenset(),
        numbers["BYHOUR"],
        numbers["BYMINUTE"],
        numbers["BYSECOND"],
        frozenset(numbers["BYSETPOS"]),
    )  # fmt: skip


def _later(at: date, frequency: str, count: int) -> date:
    """The beginning of the period that is `count` periods after the one that begins at `at`."""
    try:
        match frequency:
            case "DAILY":
                return at + timedelta(days=count)
            case "WEEKLY":
                return at + timedelta(weeks=count)
            case "MONTHLY":
                months = at.year * 12 + at.month - 1 + count
                return at.replace(year=months // 12, month=months % 12 + 1)
            case _:
                return at.replace(year=at.year + count)
    except (ValueError, OverflowError):
        return date.max


def _numbers(key: str, text: str) -> tuple[int, ...]:
    low, high = _BOUNDS[key]
    found: set[int] = set()
    for one in text.split(",") if text else ():
        number = int(one) if re.fullmatch(r"[+-]?\d{1,3}", one) else high + 1
        if not low <= (abs(number) if key in _SIGNED else number) <= high:
            raise ValueError(f"expected numbers from {low} to {high} in {key}, found {one!r}")
        found.add(number)
    return tuple(sorted(found))


def _positive(key: str, text: str) -> int:
    number = int(text) if re.fullmatch(r"\d{1,5}", text) else 0
    if not 1 <= number <= _NUMBER_MAX:
        raise ValueError(f"expected {key} from 1 to {_NUMBER_MAX}, found {text[:20]!r}")
    return number


def _weekday(text: str) -> int:
    if text not in _WEEKDAYS:
        raise ValueError(f"expected a day of the week such as MO, found {text[:20]!r}")
    return _WEEKDAYS.index(text)


def _ordinal_day(text: str) -> tuple[int, int]:
    match = _DAY.fullmatch(text)
    if match is None or (match[1] and not 1 <= abs(int(match[1])) <= 53):
        raise ValueError(f"expected days such as MO or -1SU in BYDAY, found {text[:20]!r}")
    return int(match[1] or 0), _weekday(match[2])


def _stamp(text: str) -> datetime:
    """The last instant of UNTIL; a date is the end of that day."""
    match = _STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"expected UNTIL as 20261231T235959Z, found {text[:20]!r}")
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if match[4] is None:
        return datetime.combine(date(year, month, day), time(23, 59, 59))
    zone = UTC if match[7] else None
    at = time(int(match[4]), int(match[5]), int(match[6]), tzinfo=zone)
    return datetime.combine(date(year, month, day), at)


def _completed(rule: Rule, start: datetime) -> Rule:
    """With the day that the first time has, where the rule names none."""
    if rule.days or rule.month_days or rule.year_days:
        return rule
    values = {name: getattr(rule, name) for name in rule.__slots__}
    if rule.frequency == "WEEKLY":
        values["days"] = frozenset({(0, start.weekday())})
    elif rule.frequency != "DAILY":
        values["month_days"] = frozenset({start.day})
        if rule.frequency == "YEARLY" and not rule.months:
            values["months"] = frozenset({start.month})
    return Rule(**values)


def _periods(rule: Rule, first: date, last: date) -> Iterator[Sequence[date]]:
    """The days of every period that counts, from the one of `first` on."""
    at = first
    if rule.frequency == "WEEKLY":
        at = first - timedelta(days=(first.weekday() - rule.week_start) % 7)
    elif rule.frequency == "MONTHLY":
        at = first.replace(day=1)
    elif rule.frequency == "YEARLY":
        at = first.replace(month=1, day=1)
    while at <= last:
        after = _later(at, rule.frequency, 1)
        yield [at + timedelta(days=n) for n in range((after - at).days)]
        at = _later(at, rule.frequency, rule.interval)


def _names(rule: Rule, day: date) -> bool:
    """The rule names that day."""
    if rule.months and day.month not in rule.months:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    if rule.month_days and not {day.day, day.day - length - 1} & rule.month_days:
        return False
    year_day = day.timetuple().tm_yday
    year_length = 365 + calendar.isleap(day.year)
    if rule.year_days and not {year_day, year_day - year_length - 1} & rule.year_days:
        return False
    if not rule.days or (0, day.weekday()) in rule.days:
        return True
    if rule.frequency == "MONTHLY" or (rule.frequency == "YEARLY" and rule.months):
        place, of = day.day, length
    elif rule.frequency == "YEARLY":
        place, of = year_day, year_length
    else:
        return any(weekday == day.weekday() for _, weekday in rule.days)
    ordinals = {(place - 1) // 7 + 1, -((of - place) // 7 + 1)}
    return any((one, day.weekday()) in rule.days for one in ordinals)


def _times(rule: Rule, start: datetime) -> list[time]:
    product = itertools.product(
        rule.hours or (start.hour,),
        rule.minutes or (start.minute,),
        rule.seconds or (start.second,),
    )
    return [time(*one) for one in product]


def _placed(rule: Rule, found: Sequence[datetime]) -> Sequence[datetime]:
    """Those at the places that the rule names."""
    if not rule.positions:
        return found
    places = {(p - 1 if p > 0 else len(found) + p) for p in rule.positions}
    return [one for place, one in enumerate(found) if place in places]
