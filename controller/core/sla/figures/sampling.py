"""Samples as objectives count them (S-35, S-37, S-48): how many are good, of how many that count.

A sample counts if it is evidence: duplicates, voided ones and agent errors are none (S-2, S-4, S-10). `up` and
`degraded` are good, `down` is not.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from controller.core.intervals import Interval, difference
from controller.core.samples import Sample
from controller.core.sla.figures.accounting import Eligible
from controller.core.sla.figures.sketch import Sketch, bucket_us
from vedette.shared.result import Outcome


class Count(NamedTuple):
    """How many samples are good, of how many."""

    good: int = 0
    valid: int = 0

    def plus(self, other: "Count") -> "Count":
        """Both together."""
        return Count(self.good + other.good, self.valid + other.valid)


class Slicing(NamedTuple):
    """Slices of one length, counted from an instant; microseconds."""

    origin_us: int
    length_us: int

    def touched(self, spans: Sequence[Interval]) -> set[int]:
        """The numbers of the slices of which these spans have some."""
        found: set[int] = set()
        for from_us, to_us in spans:
            first = (from_us - self.origin_us) // self.length_us
            last = -((self.origin_us - to_us) // self.length_us)
            found.update(range(first, last))
        return found


class Samples(Protocol):
    """The samples of one check that are evidence."""

    def counted(self, spans: Sequence[Interval], within_us: int | None = None) -> Count:
        """The samples of these spans. With `within_us` those are good that took no longer than that.

        Then an answer of which nobody knows how long it took is none, and a `down` is not good.
        """
        ...

    def sliced(self, spans: Sequence[Interval], slicing: Slicing) -> Mapping[int, Count]:
        """The samples of these spans by the number of their slice, of slices that have some."""
        ...

    def latencies(self, spans: Sequence[Interval]) -> Sketch:
        """How long the answers of these spans took."""
        ...


class Listed(NamedTuple):
    """One sample: its event time, whether it is good, and how long it took, where that is known."""

    at_us: int
    is_good: bool
    took_us: int | None


def listed(sample: Sample) -> Listed:
    """A sample that is evidence."""
    return Listed(sample.at_us, sample.outcome is not Outcome.DOWN, sample.took_us)


class ListedSamples:
    """`Samples` that are at hand, in any order."""

    def __init__(self, samples: Sequence[Listed]) -> None:
        self._samples = sorted(samples, key=lambda one: one.at_us)
        self._at = [one.at_us for one in self._samples]

    @property
    def all(self) -> Sequence[Listed]:
        """Every one, by time."""
        return self._samples

    def _within(self, spans: Sequence[Interval]) -> Iterator[Listed]:
        for from_us, to_us in spans:
            yield from self._samples[bisect_left(self._at, from_us) : bisect_left(self._at, to_us)]

    def counted(self, spans: Sequence[Interval], within_us: int | None = None) -> Count:
        """See `Samples.counted`."""
        good = valid = 0
        for one in self._within(spans):
            if within_us is None:
                good, valid = good + one.is_good, valid + 1
            elif not one.is_good:
                valid += 1
            elif one.took_us is not None:
                good, valid = good + (one.took_us <= within_us), valid + 1
        return Count(good, valid)

    def sliced(self, spans: Sequence[Interval], slicing: Slicing) -> Mapping[int, Count]:
        """See `Samples.sliced`."""
        found: dict[int, Count] = {}
        for one in self._within(spans):
            number = (one.at_us - slicing.origin_us) // slicing.length_us
            found[number] = found.get(number, Count()).plus(Count(int(one.is_good), 1))
        return found

    def latencies(self, spans: Sequence[Interval]) -> Sketch:
        """See `Samples.latencies`."""
        buckets: dict[int, int] = {}
        unanswered = 0
        for one in self._within(spans):
            if not one.is_good:
                unanswered += 1
            elif one.took_us is not None:
                start_us = bucket_us(one.took_us)
                buckets[start_us] = buckets.get(start_us, 0) + 1
        return Sketch(buckets, unanswered)


def _parts(parts: Eligible) -> tuple[list[Interval], list[Interval], list[Interval]]:
    """Where samples count as they are, where failures count as good, and where failures are left out (S-26)."""
    return (
        difference(parts.rest, parts.spared),
        parts.spared_up,
        difference(parts.spared, parts.spared_up),
    )


def counted(several: Sequence[Samples], parts: Eligible, within_us: int | None = None) -> Count:
    """The samples of some checks together, as far as schedule and exclusions let them count."""
    plain, spared_up, spared_left = _parts(parts)
    found = Count()
    for samples in several:
        up = samples.counted(spared_up, within_us).valid if spared_up else 0
        left = samples.counted(spared_left, within_us).good if spared_left else 0
        own = samples.counted(plain, within_us)
        found = found.plus(own).plus(Count(up, up)).plus(Count(left, left))
    return found


def sliced(several: Sequence[Samples], parts: Eligible, slicing: Slicing) -> Mapping[int, Count]:
    """The same by slice."""
    plain, spared_up, spared_left = _parts(parts)
    found: dict[int, Count] = {}
    for samples in several:
        for number, one in samples.sliced(plain, slicing).items():
            found[number] = found.get(number, Count()).plus(one)
        for number, one in samples.sliced(spared_up, slicing).items() if spared_up else ():
            found[number] = found.get(number, Count()).plus(Count(one.valid, one.valid))
        for number, one in samples.sliced(spared_left, slicing).items() if spared_left else ():
            found[number] = found.get(number, Count()).plus(Count(one.good, one.good))
    return found
