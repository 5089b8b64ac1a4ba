"""Token buckets: how much may come at once, and how much a second in the long run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So much a second, and `burst` at once after a pause."""

    per_second: int
    burst: int


@dataclass(slots=True)
class Bucket:
    """What is left of a rate. Time only enters as an argument, in microseconds of a clock that never steps.

    Counted in millionths, so that nothing is lost by rounding however often it is asked.
    """

    rate: Rate
    _left: int
    _at_us: int

    @classmethod
    def full(cls, rate: Rate, now_us: int) -> "Bucket":
        """A bucket of which nothing was taken yet."""
        return cls(rate, rate.burst * 1_000_000, now_us)

    def wait_us(self, amount: int, now_us: int) -> int:
        """How long until `amount` may be taken; 0: now. More than the burst is taken from a full bucket."""
        self._fill(now_us)
        short = min(amount, self.rate.burst) * 1_000_000 - self._left
        return max(0, -(-short // self.rate.per_second))

    def take(self, amount: int, now_us: int) -> None:
        """Take it. It may leave less than nothing, where the amount is more than the burst."""
        self._fill(now_us)
        self._left -= amount * 1_000_000

    def _fill(self, now_us: int) -> None:
        grown = (now_us - self._at_us) * self.rate.per_second
        self._left = min(self._left + grown, self.rate.burst * 1_000_000)
        self._at_us = now_us
