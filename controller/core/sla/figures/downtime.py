"""Downtime as a set of instants, each with how much of it counts (S-14): all, or a share.

Lengths are exact: integers of microseconds where all of every instant counts, else Fractions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from controller.core.intervals import Interval, difference, intersection, length, union, window

Exact = int | Fraction
MINUTE_US: Final = 60 * 1_000_000
FULL: Final = Fraction(1)
NOTHING: Final = Fraction(0)
# Most ratios of one record are the same: where nothing is unknown, every policy gives one share.
_RATIOS_MAX: Final = 64


class Weighed(NamedTuple):
    """A time of which every instant counts as so much downtime, a share of 1."""

    from_us: int
    to_us: int
    weight: Fraction


class MinuteRule(NamedTuple):
    """Downtime in whole minutes (S-36): those that are bad throughout or at all, in runs of at least `run`."""

    is_whole: bool
    run: int


@dataclass(frozen=True, slots=True)
class Downtime:
    """Instants that count in full, and by weight those of which a share counts. No instant is in two sets."""

    full: Sequence[Interval] = ()
    partly: Mapping[Fraction, Sequence[Interval]] = field(default_factory=dict)

    @property
    def anywhere(self) -> list[Interval]:
        """Every instant of which something counts."""
        if not self.partly:
            return list(self.full)
        return union([*self.full, *(one for each in self.partly.values() for one in each)])

    @property
    def steps(self) -> list[Weighed]:
        """The same in order of time."""
        found = [Weighed(*one, FULL) for one in self.full]
        if not self.partly:
            return found
        found += [Weighed(*one, w) for w, each in self.partly.items() for one in each]
        return sorted(found)

    def weight_before(self, at_us: int) -> Fraction:
        """How much of the time that ends at an instant counts, a share of 1."""
        sets = [(FULL, self.full), *self.partly.items()]
        return next((weight for weight, each in sets if window(each, at_us - 1, at_us)), NOTHING)

    def within(self, where: Sequence[Interval]) -> "Downtime":
        """What of it lies in a set."""
        return Downtime(
            intersection(self.full, where),
            {weight: intersection(each, where) for weight, each in self.partly.items()},
        )

    def without(self, where: Sequence[Interval]) -> "Downtime":
        """What of it does not lie in a set."""
        return Downtime(
            difference(self.full, where),
            {weight: difference(each, where) for weight, each in self.partly.items()},
        )

    def between(self, from_us: int, to_us: int) -> "Downtime":
        """What of it lies in [from_us, to_us)."""
        return Downtime(
            window(self.full, from_us, to_us),
            {weight: window(each, from_us, to_us) for weight, each in self.partly.items()},
        )

    def us_between(self, from_us: int, to_us: int) -> Exact:
        """How much of it lies in [from_us, to_us)."""
        found: Exact = length(window(self.full, from_us, to_us))
        for weight, each in self.partly.items():
            found += weight * length(window(each, from_us, to_us))
        return found

    def us(self, rule: MinuteRule | None = None) -> Exact:
        """How much it is; by minutes of UTC that count in full, where there is a rule for them (S-36)."""
        if rule is not None:
            return _minutes_us(self.full, rule)
        found: Exact = length(self.full)
        for weight, each in self.partly.items():
            found += weight * length(each)
        return found


@lru_cache(maxsize=_RATIOS_MAX)
def ratio_of(part: Exact, whole: Exact) -> Fraction:
    """A part as a share of a whole that is not 0."""
    if isinstance(part, int) and isinstance(whole, int):
        return Fraction(part, whole)
    return Fraction(part) / whole


def weighed(listed: Iterable[Weighed]) -> Downtime:
    """Times with weights as one set: where several overlap, their weights are added. They are at most 1 together."""
    found: dict[Fraction, list[Interval]] = {}
    for one in _summed(listed):
        found.setdefault(one.weight, []).append(Interval(one.from_us, one.to_us))
    merged = {weight: union(each) for weight, each in found.items() if weight}
    return Downtime(merged.pop(FULL, ()), merged)


def _summed(listed: Iterable[Weighed]) -> Iterator[Weighed]:
    """Times one after another, each with the sum of the weights that lie over it."""
    changes: dict[int, Fraction] = {}
    for one in listed:
        changes[one.from_us] = changes.get(one.from_us, NOTHING) + one.weight
        changes[one.to_us] = changes.get(one.to_us, NOTHING) - one.weight
    weight, from_us = NOTHING, 0
    for at_us in sorted(changes):
        if weight:
            yield Weighed(from_us, at_us, weight)
        weight, from_us = weight + changes[at_us], at_us


def _minutes_us(down: Sequence[Interval], rule: MinuteRule) -> int:
    runs: list[list[int]] = []
    for minute in _bad_minutes(down, is_whole=rule.is_whole):
        if runs and minute == runs[-1][1]:
            runs[-1][1] = minute + 1
        elif not runs or minute > runs[-1][1]:
            runs.append([minute, minute + 1])
    return sum((last - first) * MINUTE_US for first, last in runs if last - first >= rule.run)


def _bad_minutes(down: Sequence[Interval], *, is_whole: bool) -> Iterable[int]:
    """The numbers of the bad minutes, in order; one may come twice."""
    for from_us, to_us in down:
        if is_whole:
            yield from range(-(-from_us // MINUTE_US), to_us // MINUTE_US)
        else:
            yield from range(from_us // MINUTE_US, -(-to_us // MINUTE_US))
