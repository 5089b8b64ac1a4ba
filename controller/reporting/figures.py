"""Figures as they are shown: nothing ever looks better for whoever made the promise than it is (S-42)."""

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from controller.core.calendars import zone
from controller.core.instants import length_text

NOTHING: Final = "–"
_SECOND_US: Final = 1_000_000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SHOWN_DIGITS: Final = 3


def ceiled(us: int) -> str:
    """A length in whole seconds, rounded up: downtime is never shown shorter than it was."""
    return length_text(-(-us // _SECOND_US) * _SECOND_US)


def floored(us: int) -> str:
    """A length in whole seconds, rounded down; below zero away from it: a budget is never shown larger."""
    whole = us // _SECOND_US * _SECOND_US
    return f"−{length_text(-whole)}" if whole < 0 else length_text(whole)


def bounds(low_us: int, high_us: int) -> str:
    """The least and the most downtime that fit the evidence."""
    return f"{ceiled(low_us)} – {ceiled(high_us)}"


def percent(text: str | None) -> str:
    """A figure that was cut already, in percent."""
    return NOTHING if text is None else f"{text} %"


def share(ratio: Mapping[str, int] | None) -> str:
    """A share of 1 in percent, cut at three decimals."""
    if not ratio or not ratio["den"]:
        return NOTHING
    scaled = ratio["num"] * 100 * 10**_SHOWN_DIGITS // ratio["den"]
    sign, scaled = ("−", -scaled) if scaled < 0 else ("", scaled)
    return f"{sign}{scaled // 10**_SHOWN_DIGITS}.{scaled % 10**_SHOWN_DIGITS:0{_SHOWN_DIGITS}} %"


def used(ratio: Mapping[str, int] | None) -> str:
    """A share of a budget that was used in percent, rounded up at three decimals."""
    if not ratio or not ratio["den"]:
        return NOTHING
    scaled = -(-ratio["num"] * 100 * 10**_SHOWN_DIGITS // ratio["den"])
    return f"{scaled // 10**_SHOWN_DIGITS}.{scaled % 10**_SHOWN_DIGITS:0{_SHOWN_DIGITS}} %"


def exactly(us: int) -> str:
    """A length to the microsecond: what was measured is not rounded."""
    return length_text(us)


class Clock(NamedTuple):
    """Instants as clocks in a zone show them, and in UTC."""

    where: ZoneInfo

    @classmethod
    def of(cls, name: str) -> "Clock":
        """The clock of a zone by its name."""
        return cls(zone(name))

    def local(self, at_us: int | None) -> str:
        """An instant in the zone: 2026-03-05 14:01:00 +01:00."""
        if at_us is None:
            return NOTHING
        moment = (_EPOCH + dt.timedelta(microseconds=at_us)).astimezone(self.where)
        text = moment.isoformat(sep=" ", timespec=_fine(at_us))
        return f"{text[:-6]} {text[-6:]}"

    def utc(self, at_us: int | None) -> str:
        """An instant in UTC: 2026-03-05T13:01:00Z."""
        if at_us is None:
            return NOTHING
        moment = _EPOCH + dt.timedelta(microseconds=at_us)
        return moment.isoformat(timespec=_fine(at_us)).replace("+00:00", "Z")

    def both(self, at_us: int | None) -> tuple[str, ...]:
        """An instant in the zone, and in UTC."""
        if at_us is None:
            return (NOTHING,)
        return (self.local(at_us), self.utc(at_us))


def _fine(at_us: int) -> str:
    """The unit that an instant is shown to: nothing is rounded away."""
    if at_us % _SECOND_US == 0:
        return "seconds"
    return "milliseconds" if at_us % 1000 == 0 else "microseconds"
