"""A calendar (RFC 5545) as occurrences over a time: series written out, changed ones in place of the original."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Calendar

from controller.cli.exclusion.calendar_event import BadEvent, Event, end_of, event_of, instant_of
from controller.core.calendars import zone as zone_of
from controller.core.calendars import zone_names
from controller.errors import BadInput
from vedette.shared.limits import (
    CALENDAR_BYTES_MAX,
    CALENDAR_DAYS_MAX,
    CALENDAR_EVENTS_MAX,
    CALENDAR_OCCURRENCES_MAX,
    PROBLEMS_SHOWN_MAX,
)

_FOLDED: Final = re.compile(rb"\r?\n[ \t]")
_EVENT: Final = re.compile(rb"^BEGIN:VEVENT\s*$", re.MULTILINE | re.IGNORECASE)
# Zones have rules too, and these are followed by the library that reads calendars.
_ENDLESS: Final = re.compile(
    rb"^RRULE[^\n]*?(FREQ=(?:SECONDLY|MINUTELY|HOURLY)|INTERVAL=[+-]?0*(?![0-9]))",
    re.MULTILINE | re.IGNORECASE,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """An occurrence. `recurrence` is its first time as the calendar had it, in UTC; empty: the event has one only."""

    uid: str
    recurrence: str
    from_us: int
    to_us: int
    summary: str
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is asked for, and the zone of times and days that name none."""

    from_us: int
    until_us: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class ReadCalendar:
    """What a calendar has in a window; the uids of all its events; how many have no length and are passed over."""

    found: Sequence[Found]
    uids: frozenset[str]
    empty: int = 0


def read_calendar(text: bytes, file: str, window: Window) -> ReadCalendar:
    """The occurrences that begin in the window. BadInput with everything that is wrong with the file."""
    calendars = _parsed(text, file)
    events: dict[str, list[Event]] = {}
    problems: list[str] = []
    cancelled: set[str] = set()
    zone = window.zone
    for calendar in calendars:
        zone = _own_zone(calendar, window.zone)
        for component in calendar.walk("VEVENT"):
            try:
                event = event_of(component)
            except BadEvent as error:
                problems.append(f"{file}: event {str(component.get('UID', '?'))[:60]!r}: {error}")
                continue
            events.setdefault(event.uid, []).append(event)
            if str(calendar.get("METHOD", "")).upper() == "CANCEL":
                cancelled.add(event.uid)
    if problems:
        raise BadInput("\n".join(problems[:PROBLEMS_SHOWN_MAX]))
    reader = _Reader(Window(window.from_us, window.until_us, zone), file)
    found = [one for group in events.values() for one in reader.occurrences(group)]
    lasting = [
        one if one.uid not in cancelled else _off(one) for one in found if one.from_us < one.to_us
    ]
    if len(lasting) > CALENDAR_OCCURRENCES_MAX:
        raise BadInput(
            f"Expected at most {CALENDAR_OCCURRENCES_MAX} occurrences in that time, found {len(lasting)} in"
            f" {file}: ask for a shorter time with --until."
        )
    ordered = sorted(lasting, key=lambda one: (one.from_us, one.uid, one.recurrence))
    return ReadCalendar(ordered, frozenset(events), len(found) - len(lasting))


class _Reader:
    """Writes series out. All series of a file together may go through so many days."""

    def __init__(self, window: Window, file: str) -> None:
        self._window = window
        self._file = file
        self._days_left = CALENDAR_DAYS_MAX
        last = _EPOCH + timedelta(microseconds=window.until_us)
        # A day more, so that it is over everywhere.
        self._last = last.date() + timedelta(days=1)

    def occurrences(self, group: Sequence[Event]) -> Iterator[Found]:
        """What the events of one uid come to in the window."""
        masters = [one for one in group if one.instead_of is None]
        master = max(masters, key=lambda one: one.sequence) if masters else None
        changed = self._changed(group)
        is_series = bool(changed) or (master is not None and bool(master.rule or master.more))
        if master is not None:
            for start in self._starts(master):
                key = self._name(start)
                event = changed.pop(key, None)
                if event is None:
                    yield from self._found(master, start, key if is_series else "", master)
                else:
                    yield from self._found(event, event.start, key, master)
        for key, event in changed.items():
            yield from self._found(event, event.start, key, master)

    def _changed(self, group: Sequence[Event]) -> dict[str, Event]:
        """The changed occurrences by which one they stand for; of several for one the last revision."""
        changes = [(one.instead_of, one) for one in group if one.instead_of is not None]
        ordered = sorted(changes, key=lambda one: one[1].sequence)
        return {self._name(moment): event for moment, event in ordered}

    def _found(
        self, event: Event, start: date, recurrence: str, master: Event | None
    ) -> Iterator[Found]:
        zone = self._window.zone
        from_us = instant_of(start, zone)
        if self._window.from_us <= from_us < self._window.until_us:
            is_off = event.is_cancelled or (master is not None and master.is_cancelled)
            to_us = end_of(start, event.length, zone)
            yield Found(event.uid, recurrence, from_us, to_us, event.summary, is_off)

    def _starts(self, event: Event) -> list[date]:
        """Where the occurrences of a series begin, without its exceptions."""
        starts: dict[str, date] = {}
        for one in (*self._ruled(event), *event.more):
            starts.setdefault(self._name(one), one)
        days = {one for one in event.without if not isinstance(one, datetime)}
        names = {self._name(one) for one in event.without}
        return [
            one
            for name, one in starts.items()
            if name not in names and (one.date() if isinstance(one, datetime) else one) not in days
        ]

    def _ruled(self, event: Event) -> Iterator[date]:
        start, rule = event.start, event.rule
        if rule is None:
            yield start
            return
        is_time = isinstance(start, datetime)
        wall = start.replace(tzinfo=None) if isinstance(start, datetime) else _midnight(start)
        where = start.tzinfo if isinstance(start, datetime) else None
        for one in rule.walls(wall, self._last):
            self._days_left -= 1
            if self._days_left < 0:
                raise BadInput(
                    f"Expected series that take at most {CALENDAR_DAYS_MAX} days to go through, found more in"
                    f" {self._file}: let them begin later, or take some out."
                )
            if one is None:
                continue
            moment = one.replace(tzinfo=where) if is_time else one.date()
            if self._is_past(moment, one, rule.until):
                return
            yield moment

    def _is_past(self, moment: date, wall: datetime, until: datetime | None) -> bool:
        if until is None:
            return False
        if until.tzinfo is None:
            return wall > until
        return instant_of(moment, self._window.zone) > (until - _EPOCH) // timedelta(microseconds=1)

    def _name(self, moment: date) -> str:
        """Which occurrence of an event it is that was to begin then."""
        if not isinstance(moment, datetime):
            return moment.strftime("%Y%m%d")
        at = _EPOCH + timedelta(microseconds=instant_of(moment, self._window.zone))
        return at.strftime("%Y%m%dT%H%M%SZ")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _off(one: Found) -> Found:
    return Found(one.uid, one.recurrence, one.from_us, one.to_us, one.summary, is_cancelled=True)


def _own_zone(calendar: Mapping[str, object], otherwise: ZoneInfo) -> ZoneInfo:
    """The zone that the calendar names for what names none."""
    name = str(calendar.get("X-WR-TIMEZONE", ""))
    return zone_of(name) if name in zone_names() else otherwise


def _parsed(text: bytes, file: str) -> list[Calendar]:
    """The calendars of a file that is not too large to be read. BadInput if there is none."""
    if len(text) > CALENDAR_BYTES_MAX:
        raise BadInput(f"Expected at most {CALENDAR_BYTES_MAX} bytes, found {len(text)} in {file}.")
    try:
        text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"Expected UTF-8 in {file}, found byte {error.start} that is not."
        ) from error
    count = len(_EVENT.findall(text))
    if count > CALENDAR_EVENTS_MAX:
        raise BadInput(f"Expected at most {CALENDAR_EVENTS_MAX} events, found {count} in {file}.")
    endless = _ENDLESS.search(_FOLDED.sub(b"", text))
    if endless is not None:
        raise BadInput(
            f"Expected rules by the day, week, month or year, found {endless[1].decode(errors='replace')} in {file}."
        )
    try:
        found = Calendar.from_ical(text, multiple=True)
    except Exception as error:  # of hostile files the library says whatever comes to it
        raise BadInput(f"{file} is no calendar (RFC 5545): {str(error)[:200]}.") from error
    calendars = [one for one in found if one.name == "VCALENDAR"]
    if not calendars:
        raise BadInput(f"Expected a calendar (BEGIN:VCALENDAR) in {file}, found none.")
    return calendars
