"""The worst window (S-41): how bad any stretch of a length was, which a mean over a month hides."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import accumulate
from typing import Final

from controller.core.sla.figures.downtime import FULL, Downtime, Exact, Weighed, ratio_of

_SECOND_US: Final = 1_000_000
WINDOWS: Final[Mapping[str, int]] = {
    "5m": 300 * _SECOND_US,
    "1h": 3600 * _SECOND_US,
    "1d": 86_400 * _SECOND_US,
    "7d": 7 * 86_400 * _SECOND_US,
}


class _Sums:
    """Downtime before any instant, by bisection."""

    def __init__(self, down: Downtime) -> None:
        self.steps = down.steps
        self.starts = [one.from_us for one in self.steps]
        self.before_us: list[Exact] = [
            0, *accumulate(_lasts_us(one, one.to_us) for one in self.steps)
        ]  # fmt: skip

    def until_us(self, at_us: int) -> Exact:
        """How much there was before an instant."""
        place = bisect_left(self.starts, at_us)
        if not place:
            return 0
        last = self.steps[place - 1]
        if last.to_us <= at_us:
            return self.before_us[place]
        return self.before_us[place - 1] + _lasts_us(last, at_us)

    def most_us(self, length_us: int, *, in_full: bool) -> Exact:
        """The most in any window of that length.

        A window that has most can be moved until it begins where a time that counts more begins, or ends where one
        that counts more ends; where all of it counts in full, the first will do.
        """
        if in_full:
            return max(self._in_windows(length_us), default=0)
        most: Exact = 0
        for place, at_us in enumerate(self.starts):
            most = max(most, self.until_us(at_us + length_us) - self.before_us[place])
        for one in self.steps:
            from_us = one.to_us - length_us
            most = max(most, self.until_us(one.to_us) - self.until_us(from_us))
        return most

    def _in_windows(self, length_us: int) -> Iterator[Exact]:
        """How much there is in the window that begins with each step, where all of it counts in full."""
        starts, steps, before_us = self.starts, self.steps, self.before_us
        last, count = 0, len(starts)
        for place, at_us in enumerate(starts):
            until_us = at_us + length_us
            while last < count and steps[last][1] <= until_us:
                last += 1
            cut_us = until_us - starts[last] if last < count and starts[last] < until_us else 0
            yield before_us[last] - before_us[place] + cut_us


def worst_window_us(down: Downtime, length_us: int) -> Exact:
    """The most downtime in any window of that length."""
    return _Sums(down).most_us(length_us, in_full=not down.partly)


def _lasts_us(step: Weighed, until_us: int) -> Exact:
    """What counts of a step before an instant in it."""
    long_us = until_us - step.from_us
    return long_us if step.weight is FULL else step.weight * long_us


def worst_windows(down: Downtime, span_us: int) -> dict[str, Fraction]:
    """Availability in the worst window of each length, as far as that fits into so much time."""
    sums = _Sums(down)
    found: dict[str, Fraction] = {}
    for name, length_us in WINDOWS.items():
        if length_us <= span_us:
            most_us = sums.most_us(length_us, in_full=not down.partly)
            found[name] = ratio_of(length_us - most_us, length_us)
    return found
