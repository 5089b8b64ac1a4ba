"""One VEVENT of a calendar, as far as it says when something is: read, or refused in words."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Component

from controller.cli.exclusion.recurrence import Rule, rule_of
from controller.core.calendars import midnight_us
from vedette.shared.limits import CALENDAR_UID_CHARS_MAX

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_YEARS: Final = (1970, 2200)
_SUMMARY_CHARS_MAX: Final = 200
_READ: Final = (
    "UID",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "STATUS",
)
_UNREAD: Final = {"EXRULE": "no EXRULE: list the exceptions as EXDATE"}


class BadEvent(ValueError):
    """What is wrong with an event, in words."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long an occurrence is: days by the calendar, then microseconds."""

    days: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """An event, or a change of one occurrence of it (`instead_of`). Times without a zone are in that of the calendar."""

    uid: str
    start: date
    length: Length
    rule: Rule | None = None
    more: tuple[date, ...] = ()
    without: tuple[date, ...] = ()
    instead_of: date | None = None
    sequence: int = 0
    summary: str = ""
    is_cancelled: bool = False


def event_of(component: Component) -> Event:
    """The event that a VEVENT says. BadEvent if it says none that is read here."""
    for name, message in component.errors:
        if name is None or str(name).upper() in _READ:
            raise BadEvent(f"expected lines that can be read, found {name or 'one'}: {message}")
    for name, expected in _UNREAD.items():
        if name in component:
            raise BadEvent(f"expected {expected}")
    uid = str(component.get("UID", ""))
    if not 1 <= len(uid) <= CALENDAR_UID_CHARS_MAX or not uid.isprintable():
        raise BadEvent(
            f"expected a UID of 1 to {CALENDAR_UID_CHARS_MAX} characters, found {uid[:40]!r}"
        )
    start = _moment(component, "DTSTART")
    if start is None:
        raise BadEvent("expected DTSTART, found none")
    instead_of = _moment(component, "RECURRENCE-ID")
    if instead_of is not None and "RANGE" in component["RECURRENCE-ID"].params:
        raise BadEvent(
            "expected a change of one occurrence, found RANGE=THISANDFUTURE: end the series and begin another"
        )
    return Event(
        uid=uid,
        start=start,
        length=_length(component, start),
        rule=_rule(component),
        more=tuple(_moments(component, "RDATE")),
        without=tuple(_moments(component, "EXDATE")),
        instead_of=instead_of,
        sequence=_sequence(component),
        summary=_summary(component),
        is_cancelled=str(component.get("STATUS", "")).upper() == "CANCELLED",
    )


def instant_of(moment: date, zone: ZoneInfo) -> int:
    """The instant of a moment, in microseconds. A day begins at midnight there; of two that clocks show the first."""
    if not isinstance(moment, datetime):
        return midnight_us(moment, zone)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (aware.astimezone(UTC) - _EPOCH) // _MICROSECOND


def end_of(moment: date, length: Length, zone: ZoneInfo) -> int:
    """The instant at which an occurrence that begins then ends."""
    return instant_of(moment + timedelta(days=length.days), zone) + length.micros


def _length(component: Component, start: date) -> Length:
    """Between two times exactly so long; by DURATION days are days of the calendar."""
    end = _moment(component, "DTEND")
    if end is not None and "DURATION" in component:
        raise BadEvent("expected DTEND or DURATION, found both")
    is_day = not isinstance(start, datetime)
    if end is not None:
        if isinstance(end, datetime) == is_day:
            raise BadEvent("expected DTSTART and DTEND both days or both times")
        utc = ZoneInfo("UTC")
        apart = instant_of(end, utc) - instant_of(start, utc)
        made = Length(days=apart // 86_400_000_000) if is_day else Length(micros=apart)
    elif "DURATION" in component:
        said: Any = getattr(_one(component, "DURATION"), "dt", None)
        if not isinstance(said, timedelta):
            raise BadEvent("expected a DURATION such as PT2H")
        made = Length(said.days, (said - timedelta(days=said.days)) // _MICROSECOND)
        if is_day and made.micros:
            raise BadEvent("expected a DURATION of whole days for an event of days")
    else:
        made = Length(days=1) if is_day else Length()
    if made.days < 0 or made.micros < 0:
        raise BadEvent("expected an end after DTSTART, found one before")
    return made


def _one(component: Component, name: str) -> Any:
    value = component.get(name)
    if isinstance(value, list):
        raise BadEvent(f"expected one {name}, found {len(value)}")
    return value


def _moment(component: Component, name: str) -> date | None:
    value = _one(component, name)
    return None if value is None else _checked(value.dt, name, value)


def _moments(component: Component, name: str) -> list[date]:
    values: Any = component.get(name, [])
    listed = values if isinstance(values, list) else [values]
    return [
        _checked(one.dt[0] if isinstance(one.dt, tuple) else one.dt, name, several)
        for several in listed
        for one in several.dts
    ]


def _checked(moment: Any, name: str, holder: Any) -> date:
    """A day or a time whose zone is known."""
    if not isinstance(moment, date) or not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise BadEvent(
            f"expected a time of the years {_YEARS[0]} to {_YEARS[1]} in {name}, found {moment}"
        )
    named = getattr(holder, "params", {}).get("TZID")
    if isinstance(moment, datetime) and moment.tzinfo is None and named:
        raise BadEvent(
            f"expected a zone that is known, or described by VTIMEZONE, in {name}; found {named!r}"
        )
    return moment


def _rule(component: Component) -> Rule | None:
    value = _one(component, "RRULE")
    if value is None:
        return None
    try:
        return rule_of(value.to_ical().decode())
    except ValueError as error:
        raise BadEvent(f"RRULE: {error}") from error


def _sequence(component: Component) -> int:
    said = str(component.get("SEQUENCE", 0))
    return int(said) if re.fullmatch(r"\d{1,9}", said) else 0


def _summary(component: Component) -> str:
    text = " ".join(str(component.get("SUMMARY", "")).split())
    return "".join(c for c in text if c.isprintable())[:_SUMMARY_CHARS_MAX]
