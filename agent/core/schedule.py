"""When each assigned check is due: a pure function of the assignment and the clock.

The schedule holds, for every check, the first slot that has not been taken. Slots that passed without
being taken are counted as missed and never made up for: a burst would tell nothing about the past, and
would load target and agent at the worst moment.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from vedette.shared.definitions import Check
from vedette.shared.limits import REFUSAL_INTERVAL_US_MIN, REFUSED_CHECKS_SCHEDULED_MAX
from vedette.shared.slots import Cadence, cadence_of, slot_at, slot_start_us


class Due(NamedTuple):
    """A run that has to be started: which check, which slot, and when its slot began."""

    check: str
    slot: int
    due_us: int


class Schedule:
    """Next due slot of every check of one agent.

    Time only enters as an argument. `late_us_max` is how long after its beginning a slot can still be
    taken; beyond it the slot is missed.
    """

    def __init__(self, late_us_max: int) -> None:
        self._late_us_max = late_us_max
        self._cadences: dict[str, Cadence] = {}
        self._next: dict[str, int] = {}
        self._heap: list[tuple[int, str, int]] = []
        self.missed = 0

    def replace(self, cadences: Mapping[str, Cadence], now_us: int) -> None:
        """Run these checks from now on.

        A check whose cadence stays keeps its place, so a new assignment neither repeats nor skips a
        slot; a new or changed one begins with the next slot that starts at or after `now_us`.
        """
        for check in [c for c in self._cadences if c not in cadences]:
            del self._cadences[check], self._next[check]
        for check, cadence in cadences.items():
            if self._cadences.get(check) == cadence:
                continue
            self._cadences[check] = cadence
            self._next[check] = slot_at(cadence, now_us - 1) + 1
        self._heap = [
            (slot_start_us(self._cadences[check], slot), check, slot)
            for check, slot in self._next.items()
        ]
        heapq.heapify(self._heap)

    def next_due_us(self) -> int | None:
        """When the next slot begins; None if nothing is scheduled."""
        return self._heap[0][0] if self._heap else None

    def take(self, now_us: int) -> list[Due]:
        """The slots to run now, at most one a check, oldest first; each is given once."""
        due: list[Due] = []
        heap = self._heap
        is_in_order = True
        while heap and heap[0][0] <= now_us:
            begun_us, check, slot = heap[0]
            interval_us = self._cadences[check].interval_us
            passed = (now_us - begun_us) // interval_us
            if passed:
                self.missed += passed
                slot += passed
                begun_us += passed * interval_us
                is_in_order = False
            if now_us - begun_us <= self._late_us_max:
                due.append(Due(check, slot, begun_us))
            else:
                self.missed += 1
            self._next[check] = slot + 1
            heapq.heapreplace(heap, (begun_us + interval_us, check, slot + 1))
        if not is_in_order:
            due.sort(key=lambda d: (d.due_us, d.check))
        return due

    def stepped(self, now_us: int) -> None:
        """The wall clock went backwards to `now_us`: begin again from there.

        Slots that were taken before the step may come again with the same number; the controller knows
        them by their sequence numbers, so that they are two results of one slot and not a loss.
        """
        cadences, self._cadences, self._next = self._cadences, {}, {}
        self.replace(cadences, now_us)


def sparse(cadences: Mapping[str, Cadence], refused: Collection[str]) -> dict[str, Cadence]:
    """The cadences where `refused` checks, which only say that they are, say so now and then.

    Each at most once a minute, and no more than so many of them: whoever assigns checks without end must
    not fill this site's disk with refusals.
    """
    found = {check: cadence for check, cadence in cadences.items() if check not in refused}
    for check in sorted(set(refused) & set(cadences))[:REFUSED_CHECKS_SCHEDULED_MAX]:
        interval_us = cadences[check].interval_us
        rounds = -(-REFUSAL_INTERVAL_US_MIN // interval_us)
        found[check] = Cadence(interval_us * rounds, cadences[check].phase_us)
    return found


def cadences_of(checks: Iterable[Check], region: str, place: int = 0) -> dict[str, Cadence]:
    """The cadence of each check for the agent at `place` in `region`; checks of other regions are left out."""
    found: dict[str, Cadence] = {}
    for check in checks:
        regions = check.regions if isinstance(check.regions, list) else [region]
        if region in regions:
            found[check.id] = cadence_of(check.id, check.interval_us, region, regions, place=place)
    return found
