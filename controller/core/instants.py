"""Instants as people and files write them: RFC 3339 with an offset, or integer microseconds."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

EXPECTED: Final = (
    "an instant: RFC 3339 with an offset (2026-06-01T00:00:00Z) or microseconds since 1970"
)
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))"
)
_INTEGER: Final = re.compile(r"-?\d{1,18}")
# The same few texts are read for every period of every contract.
_TEXTS_MAX: Final = 4096
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# Two days inside what a calendar can show, so that every zone can show it.
_FIRST_US: Final = (datetime(1, 1, 3, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_US: Final = (datetime(9999, 12, 29, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def instant(value: object) -> int:
    """The instant that `value` says, in microseconds. ValueError if it says none.

    A leap second `:60` is the next second (S-1); digits below a microsecond must be zero, because
    rounding an instant could move it over a boundary.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _within_years(value, value)
    if not isinstance(value, str):
        raise ValueError(f"expected {EXPECTED}, found {value!r}")
    return _instant_said(value)


@lru_cache(maxsize=_TEXTS_MAX)
def _instant_said(text: str) -> int:
    if _INTEGER.fullmatch(text):
        return _within_years(int(text), text)
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"expected {EXPECTED}, found {text!r}")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    fraction = (match[7] or "").ljust(9, "0")
    if fraction[6:].strip("0") or (second == 60 and fraction.strip("0")) or second > 60:
        raise ValueError(f"expected {EXPECTED}, whole microseconds, found {text!r}")
    try:
        minutes = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"expected {EXPECTED}, found {text!r}: {error}") from error
    offset_hours, offset_minutes = int(match[9] or 0), int(match[10] or 0)
    if offset_hours > 23 or offset_minutes > 59:
        raise ValueError(f"expected {EXPECTED}, found {text!r}: no such offset")
    offset = (offset_hours * 60 + offset_minutes) * (-60 if match[8] == "-" else 60)
    whole = (minutes - _EPOCH) // _MICROSECOND
    return _within_years(whole + (second - offset) * 1_000_000 + int(fraction[:6]), text)


def _within_years(at_us: int, value: object) -> int:
    if not _FIRST_US <= at_us <= _LAST_US:
        raise ValueError(f"expected {EXPECTED} in the years 1 to 9999, found {value!r}")
    return at_us


def instant_text(at_us: int) -> str:
    """`at_us` as RFC 3339 in UTC, without digits that are zero; as a number where no calendar shows it."""
    if not _FIRST_US <= at_us <= _LAST_US:
        return f"{at_us} us after 1970"
    text = (_EPOCH + timedelta(microseconds=at_us)).isoformat()
    return text.replace("+00:00", "Z")


def length_text(micros: int) -> str:
    """A duration as people say it, exactly: 2d 3h, 4m 10.5s, 80ms. Nothing is rounded away."""
    if 0 < micros < 1_000_000:
        return f"{_decimal(micros, 1000)}ms"
    seconds = micros // 1_000_000
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m")]
    words = [f"{count}{unit}" for count, unit in parts if count]
    rest = micros % 60_000_000
    if rest or not words:
        words.append(f"{_decimal(rest, 1_000_000)}s")
    return " ".join(words)


def _decimal(number: int, unit: int) -> str:
    """Number / unit in full: unit is a power of ten."""
    digits = len(str(unit)) - 1
    text = f"{number // unit}.{number % unit:0{digits}}"
    return text.rstrip("0").rstrip(".")
