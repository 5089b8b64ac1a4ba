"""How long to wait before trying again: exponential, with jitter, within bounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between `seconds_min` and `seconds_max`; the ceiling doubles with every failure."""

    seconds_min: float
    seconds_max: float

    def wait_seconds(self, failures: int, chance: float) -> float:
        """How long to wait after `failures` failures in a row (1 for the first).

        `chance` is a random number in [0, 1): the wait lies evenly between the minimum and the ceiling,
        so that a fleet that was cut off together does not come back together.
        """
        doublings = min(max(failures, 1), 64)
        ceiling = min(self.seconds_max, self.seconds_min * 2.0**doublings)
        return self.seconds_min + (ceiling - self.seconds_min) * chance
