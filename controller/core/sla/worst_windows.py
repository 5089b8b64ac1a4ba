"""The worst window (S-41): how bad any stretch of a length was, which a mean over a month hides."""

from bisect import bisect_left
from collections.abc import Mapping
from fractions import Fraction
from itertools import accumulate
from typing import Final

from controller.core.sla.downtime import Downtime, Exact, Weighed

_SECOND_US: Final = 1_000_000
WINDOWS: Final[Mapping[str, int]] = {
    "5m": 300 * _SECOND_US,
    "1h": 3600 * _SECOND_US,
    "1d": 86_400 * _SECOND_US,
    "7d": 7 * 86_400 * _SECOND_US,
}


def worst_window_us(down: Downtime, length_us: int) -> Exact:
    """The most downtime in any window of that length.

    A window that has most can be moved until it begins where a time that counts more begins, or ends where one
    that counts more ends; where all of it counts in full, the first will do.
    """
    steps = down.steps
    before_us: list[Exact] = [0, *accumulate(_lasts_us(one, one.to_us) for one in steps)]

    def until_us(at_us: int) -> Exact:
        place = bisect_left(steps, at_us, key=_start)
        if not place:
            return 0
        last = steps[place - 1]
        return before_us[place - 1] + _lasts_us(last, min(last.to_us, at_us))

    starts = [one.from_us for one in steps]
    if down.partly:
        starts += [one.to_us - length_us for one in steps]
    return max((until_us(at + length_us) - until_us(at) for at in starts), default=0)


def _lasts_us(step: Weighed, until_us: int) -> Exact:
    """What counts of a step before an instant in it."""
    long_us = until_us - step.from_us
    return long_us if step.weight == 1 else step.weight * long_us


def _start(step: Weighed) -> int:
    return step.from_us


def worst_windows(down: Downtime, span_us: int) -> dict[str, Fraction]:
    """Availability in the worst window of each length, as far as that fits into so much time."""
    return {
        name: 1 - Fraction(worst_window_us(down, length_us)) / length_us
        for name, length_us in WINDOWS.items()
        if length_us <= span_us
    }
