"""How often: one meter for each thing that has a rate, as instants and nothing else.

The generic cell rate algorithm (ITU-T I.371): for every key the instant up to which its runs are paid for.
A run is taken if that lies no further ahead than the burst; a key whose instant is past is as good as new,
and forgotten.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agent.core.terms import Rate
from vedette.shared.limits import SITE_TARGETS_KEPT_MAX

# A check that runs exactly at its rate must not be refused for a millisecond.
_SLACK_RUNS: Final = 1


@dataclass(frozen=True, slots=True)
class Toll:
    """A rate and the meter that it is counted by. `reserve` is the part of the burst left for others."""

    rate: Rate
    meter: "Meter"
    key: str

    def is_due(self, now_us: int, *, is_extra: bool) -> bool:
        """A run now is within the rate; one that is extra leaves half of the burst to those that are not."""
        ahead_us = self.meter.paid_until_us(self.key) - now_us
        burst_us = self._step_us * (self.rate.runs + _SLACK_RUNS - 1)
        return ahead_us <= (burst_us // 2 if is_extra else burst_us)

    def pay(self, now_us: int) -> None:
        """Count a run."""
        until_us = max(self.meter.paid_until_us(self.key), now_us) + self._step_us
        self.meter.put(self.key, until_us, now_us)

    @property
    def _step_us(self) -> int:
        return max(self.rate.period_us // self.rate.runs, 1)


class Meter:
    """Up to when each key is paid for. Bounded: when it is full of keys that still count, new ones wait."""

    def __init__(self, keys_max: int = SITE_TARGETS_KEPT_MAX) -> None:
        self._keys_max = keys_max
        self._until_us: dict[str, int] = {}

    def paid_until_us(self, key: str) -> int:
        """The instant up to which the runs of `key` are paid for; far back if nothing is known of it."""
        return self._until_us.get(key, -(1 << 62))

    def has_room_for(self, key: str, now_us: int) -> bool:
        """`key` can be counted."""
        if key in self._until_us or len(self._until_us) < self._keys_max:
            return True
        self._until_us = {k: until for k, until in self._until_us.items() if until > now_us}
        return len(self._until_us) < self._keys_max

    def put(self, key: str, until_us: int, now_us: int) -> None:
        """Note it. A key without room is not noted: ask `has_room_for` first."""
        if self.has_room_for(key, now_us):
            self._until_us[key] = until_us


def refused_toll(tolls: Iterable[Toll], now_us: int, *, is_extra: bool = False) -> Toll | None:
    """The first rate that a run now would break; None, and the run is counted, if it breaks none."""
    due = list(tolls)
    for toll in due:
        if not toll.meter.has_room_for(toll.key, now_us) or not toll.is_due(
            now_us, is_extra=is_extra
        ):
            return toll
    for toll in due:
        toll.pay(now_us)
    return None
