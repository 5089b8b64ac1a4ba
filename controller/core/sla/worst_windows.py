"""The worst window (S-41): how bad any stretch of a length was, which a mean over a month hides."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Final

from controller.core.intervals import Interval

_SECOND_US: Final = 1_000_000
WINDOWS: Final[Mapping[str, int]] = {
    "5m": 300 * _SECOND_US,
    "1h": 3600 * _SECOND_US,
    "1d": 86_400 * _SECOND_US,
    "7d": 7 * 86_400 * _SECOND_US,
}


def worst_window_us(down: Sequence[Interval], length_us: int) -> int:
    """The most downtime in any window of that length. `down` is a set: sorted, disjoint, without empty ones.

    A window that has most can be moved until it begins where a DOWN time begins, so only these are looked at.
    """
    before_us = [0, *accumulate(to_us - from_us for from_us, to_us in down)]

    def until_us(at_us: int) -> int:
        place = bisect_left(down, at_us, key=_start)
        over_us = max(down[place - 1].to_us - at_us, 0) if place else 0
        return before_us[place] - over_us

    return max((until_us(at + length_us) - until_us(at) for at, _ in down), default=0)


def _start(interval: Interval) -> int:
    return interval.from_us


def worst_windows(down: Sequence[Interval], span_us: int) -> dict[str, Fraction]:
    """Availability in the worst window of each length, as far as that fits into so much time."""
    return {
        name: 1 - Fraction(worst_window_us(down, length_us), length_us)
        for name, length_us in WINDOWS.items()
        if length_us <= span_us
    }
