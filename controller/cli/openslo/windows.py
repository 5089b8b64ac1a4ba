"""Time windows of OpenSLO, and the periods of contracts."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from controller.core.calendars import PeriodKind, zone, zone_names
from controller.core.sla.terms.contracts import PeriodTerms
from vedette.shared.durations import Duration

_SHORT: Final = re.compile(r"([1-9]\d{0,5})([mhdwMQY])")
_LENGTHS: Final = {"m": "m", "h": "h", "d": "d"}
_CALENDAR: Final[Mapping[str, PeriodKind]] = {
    "1d": PeriodKind.DAY, "1w": PeriodKind.WEEK, "7d": PeriodKind.WEEK, "1M": PeriodKind.MONTH,
    "1Q": PeriodKind.QUARTER, "3M": PeriodKind.QUARTER, "1Y": PeriodKind.YEAR, "12M": PeriodKind.YEAR,
}  # fmt: skip
_WRITTEN: Final = {
    PeriodKind.DAY: "1d", PeriodKind.WEEK: "1w", PeriodKind.MONTH: "1M", PeriodKind.QUARTER: "1Q",
    PeriodKind.YEAR: "1Y",
}  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def window_of(terms: PeriodTerms, effective_us: int) -> dict[str, Any] | None:
    """The window of a period; None if OpenSLO has none for it. A calendar begins where the contract does."""
    if terms.kind is PeriodKind.ROLLING:
        short = shorthand(terms.shortest_us)
        return None if short is None else {"duration": short, "isRolling": True}
    local = (_EPOCH + timedelta(microseconds=effective_us)).astimezone(zone(terms.tz))
    calendar = {"startTime": local.strftime("%Y-%m-%d %H:%M:%S"), "timeZone": terms.tz}
    return {"duration": _WRITTEN[terms.kind], "calendar": calendar, "isRolling": False}


def period_of(window: Mapping[str, Any]) -> dict[str, Any]:
    """The period clause of a window. ValueError in words if no contract has such periods."""
    duration = str(window.get("duration", ""))
    calendar = window.get("calendar")
    match = _SHORT.fullmatch(duration)
    if match is None:
        raise ValueError(f"expected a duration such as 4w or 1M, found {duration!r}")
    if not isinstance(calendar, dict):
        length = length_of(duration)
        if length is None:
            raise ValueError(f"a rolling window of {duration} has no fixed length: say it in days")
        return {"kind": "rolling", "length": length}
    kind = _CALENDAR.get(duration)
    if kind is None:
        raise ValueError(f"a calendar window of {duration} is no day, week, month, quarter or year")
    name = str(calendar.get("timeZone", "UTC"))
    if name not in zone_names():
        raise ValueError(f"expected a time zone such as Europe/Warsaw, found {name!r}")
    return {"kind": kind.value, "tz": name}


def start_of(window: Mapping[str, Any]) -> str | None:
    """When a calendar window begins first, as RFC 3339; None if it does not say."""
    calendar = window.get("calendar")
    if not isinstance(calendar, dict) or str(calendar.get("timeZone", "UTC")) not in zone_names():
        return None
    try:
        local = datetime.fromisoformat(str(calendar.get("startTime", "")))
    except ValueError:
        return None
    where = zone(str(calendar.get("timeZone", "UTC")))
    return (local if local.tzinfo else local.replace(tzinfo=where)).isoformat()


def length_of(short: str) -> str | None:
    """A length as contracts write it, of one that is the same at all times."""
    match = _SHORT.fullmatch(short)
    if match is None or match[2] in "MQY":
        return None
    return f"{int(match[1]) * 7}d" if match[2] == "w" else f"{match[1]}{_LENGTHS[match[2]]}"


def shorthand(length_us: int) -> str | None:
    """A length as OpenSLO writes it; None if it is not of whole minutes."""
    if length_us <= 0 or length_us % 60_000_000:
        return None
    return str(Duration(length_us))
