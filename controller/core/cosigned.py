"""Which signatures of a witness are kept: it signs every minute, and nobody asks for a minute of last year."""

from collections.abc import Iterable
from typing import Final, NamedTuple

_HOUR_US: Final = 3600 * 1_000_000
_DAY_US: Final = 24 * _HOUR_US
# So far back one an hour is kept; before that one a day.
_HOURS_US: Final = 7 * _DAY_US


class Signed(NamedTuple):
    """A signature under the head of `size` leaves, and when it came."""

    size: int
    received_us: int


def superfluous(signed: Iterable[Signed], now_us: int) -> set[int]:
    """The sizes of those that a greater one of the same hour, or before the last week of the same day, stands for.

    By when they came: a witness may say any time.
    """
    found = list(signed)
    greatest: dict[tuple[int, int], int] = {}
    for size, at_us in found:
        span_us = _HOUR_US if now_us - at_us < _HOURS_US else _DAY_US
        key = (span_us, at_us // span_us)
        greatest[key] = max(size, greatest.get(key, 0))
    return {one.size for one in found} - set(greatest.values())


def is_same_hour(one_us: int, other_us: int) -> bool:
    """Both came in one hour: the greater one stands for the other."""
    return one_us // _HOUR_US == other_us // _HOUR_US
