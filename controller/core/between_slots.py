"""Looks between slots: while an outage is open, a check is probed more often than its interval says."""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from controller.core.posts import Plan, Post
from vedette.shared.slots import Cadence, cadence_of, slot_at, slot_start_us


def look_between_slots_us(cadence: Cadence, apart_us: int, after_us: int) -> int | None:
    """The first instant after `after_us` at which an agent of this cadence looks besides its slots.

    Every `apart_us` from its last slot on, so that slots and looks together are spread evenly; None if the
    slots suffice.
    """
    if apart_us >= cadence.interval_us:
        return None
    start_us = slot_start_us(cadence, slot_at(cadence, after_us))
    look_us = start_us + ((after_us - start_us) // apart_us + 1) * apart_us
    end_us = start_us + cadence.interval_us
    return look_us if look_us < end_us else end_us + apart_us


class Look(NamedTuple):
    """That an agent is to look at a check at `at_us`, by the check's revision of then."""

    at_us: int
    check: str
    agent: str
    revision: str


class BetweenSlots:
    """The next look of each agent at each check that has an open outage, at most one of both."""

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._known: set[tuple[str, str]] = set()

    def add(self, plan: Plan, agent: str, post: Post, after_us: int) -> None:
        """Have the agent look, from `after_us` on, unless it is to look already."""
        if (plan.check, agent) in self._known:
            return
        cadence = cadence_of(
            plan.check, plan.interval_us, post.region, plan.regions, place=post.place
        )
        at_us = look_between_slots_us(cadence, plan.outage_interval_us, after_us)
        if at_us is not None:
            self._known.add((plan.check, agent))
            heapq.heappush(self._looks, Look(at_us, plan.check, agent, plan.revision))

    def due(self, now_us: int) -> Iterator[Look]:
        """Those that are due, each once: add the agent again if it is to go on."""
        while self._looks and self._looks[0].at_us <= now_us:
            look = heapq.heappop(self._looks)
            self._known.discard((look.check, look.agent))
            yield look

    def next_us(self) -> int | None:
        """When the next one is due."""
        return self._looks[0].at_us if self._looks else None
