"""A sketch of how long answers took: percentiles for people to look at, of whatever number of answers.

Lengths are counted in buckets whose width is at most a 64th of where they begin: a DDSketch (Masson, Rim, Lee,
2019) with its logarithm taken by the highest bit and a straight line below it, so that integers do. What it says
of a percentile is right to a hundredth of the value. Verdicts never come from it: they come from counts (S-48).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

ACCURACY: Final = Fraction(1, 100)
_BITS: Final = 7


def bucket_us(took_us: int) -> int:
    """Where the bucket of a length begins; the lengths below 128 microseconds have one each."""
    width = bucket_width_us(took_us)
    return took_us // width * width


def bucket_width_us(took_us: int) -> int:
    """How wide the bucket of a length is."""
    return int(1 << max(took_us.bit_length() - _BITS, 0))


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile as the sketch knows it: it lies between `least_us` and `most_us`."""

    value_us: int

    @property
    def least_us(self) -> Fraction:
        """No less than this."""
        return Fraction(self.value_us) / (1 + ACCURACY)

    @property
    def most_us(self) -> Fraction:
        """No more than this."""
        return Fraction(self.value_us) / (1 - ACCURACY)

    def against(self, threshold_us: int) -> str:
        """Whether it is within a threshold, as far as the sketch can tell."""
        if self.most_us <= threshold_us:
            return "within"
        return "beyond" if self.least_us > threshold_us else "indeterminate"


@dataclass(frozen=True, slots=True)
class Sketch:
    """How many answers took how long, by the begin of their bucket; `unanswered` took longer than any."""

    buckets: Mapping[int, int]
    unanswered: int = 0

    def percentile(self, share: Fraction) -> Percentile | None:
        """The value that so large a share of all is at most; None where there is no answer at that rank."""
        rank = share * (sum(self.buckets.values()) + self.unanswered - 1) // 1
        for start_us in sorted(self.buckets):
            rank -= self.buckets[start_us]
            if rank < 0:
                return Percentile(start_us + (bucket_width_us(start_us) - 1) // 2)
        return None
