"""The way from an agent to the target of a check: when it is probed, and what a probe at an instant sees.

What a probe sees is a pure function of agent, check and instant, so it is the same under every rule, and a
probe that nobody looks at need not be made.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from controller.core.intervals import Interval, difference, union
from controller.core.simulation.chance import Chance
from controller.core.simulation.definitions import bounds_of, share_of
from controller.core.simulation.faults import Agent, Bursts, Clock, Conditions, Cut, Fate
from controller.core.simulation.scenario import Scenario
from vedette.shared.definitions import micros
from vedette.shared.result import Outcome
from vedette.shared.slots import Cadence, cadence_of


class Seen(NamedTuple):
    """What a probe saw, and how long it took."""

    outcome: Outcome
    took_us: int


class Times:
    """A set of intervals that is asked for instants."""

    __slots__ = ("_ends", "_starts", "intervals")

    def __init__(self, intervals: Sequence[Interval]) -> None:
        self.intervals = intervals
        self._starts = [one.from_us for one in intervals]
        self._ends = [one.to_us for one in intervals]

    def end_at(self, at_us: int) -> int | None:
        """The end of the interval that holds the instant; None if none does."""
        place = bisect_right(self._starts, at_us) - 1
        return self._ends[place] if place >= 0 and at_us < self._ends[place] else None

    def meets(self, one: Interval) -> bool:
        """An interval has an instant in common with one of them."""
        place = bisect_left(self._starts, one.to_us) - 1
        return place >= 0 and one.from_us < self._ends[place]

    def common(self, one: Interval) -> list[Interval]:
        """What an interval has in common with them."""
        first = max(bisect_right(self._starts, one.from_us) - 1, 0)
        last = bisect_left(self._starts, one.to_us)
        return [
            Interval(max(one.from_us, start), min(one.to_us, end))
            for start, end in self.intervals[first:last]
            if one.from_us < end
        ]

    def __contains__(self, at_us: int) -> bool:
        return self.end_at(at_us) is not None


class Link:
    """What an agent has in common for all its checks: its life, its clock, its way to the controller."""

    def __init__(self, scenario: Scenario, agent: Agent, conditions: Conditions) -> None:
        self.agent = agent
        self.conditions = conditions
        self.dead = Times(conditions.dead)
        self.unlinked = Times(conditions.unlinked)
        self.clocks = conditions.clocks
        self._starts = [clock.from_us for clock in self.clocks]
        self._bounds = bounds_of(scenario.terms.network.link)
        self._chance = Chance(scenario.seed, "link", agent.id)

    def clock_at(self, at_us: int) -> Clock:
        """The agent's clock at an instant."""
        return self.clocks[max(bisect_right(self._starts, at_us) - 1, 0)]

    def delivered_us(self, end_us: int) -> int:
        """When a line that was written at `end_us` reaches the controller.

        What was kept while there was no way comes as one batch once there is.
        """
        start_us = self.unlinked.end_at(end_us) or end_us
        return start_us + self._chance.between(start_us, *self._bounds)

    def ordered_us(self, at_us: int) -> int | None:
        """When an order of the controller reaches the agent; None if it does not."""
        if at_us in self.unlinked:
            return None
        return at_us + self._chance.between(~at_us, *self._bounds)


class Path:
    """From one agent to the target of one check."""

    def __init__(self, scenario: Scenario, fate: Fate, link: Link, check: str, down: Times) -> None:
        self.link = link
        self.check = check
        self.region = link.agent.region
        definition = scenario.check
        self.cadence: Cadence = cadence_of(
            check,
            definition.interval_us,
            self.region,
            scenario.regions,
            place=link.agent.place,
        )
        self.timeout_us = definition.timeout_us
        self.degraded_us = micros(definition.degraded_over) if definition.degraded_over else 0
        self.down = down
        self.lost = Times(_lost(scenario, link, check))
        self.slow = [cut for cut in link.conditions.slow if cut.concerns(check)]
        self._took = bounds_of(scenario.terms.network.target)
        self._chance = Chance(scenario.seed, "took", link.agent.id, check)

    def seen(self, at_us: int) -> Seen:
        """What a probe that starts at `at_us` sees."""
        if at_us in self.lost:
            return Seen(Outcome.DOWN, self.timeout_us)
        took_us = self._chance.between(at_us, *self._took)
        took_us += sum(cut.slower_us for cut in self.slow if cut.from_us <= at_us < cut.to_us)
        if took_us >= self.timeout_us:
            return Seen(Outcome.DOWN, self.timeout_us)
        if at_us in self.down:
            return Seen(Outcome.DOWN, took_us)
        is_slow = self.degraded_us and took_us > self.degraded_us
        return Seen(Outcome.DEGRADED if is_slow else Outcome.UP, took_us)

    def slots(self, from_us: int, to_us: int) -> Iterator[int]:
        """The instants of [from_us, to_us) at which a slot begins by the agent's clock, and it is alive."""
        interval_us, phase_us = self.cadence.interval_us, self.cadence.phase_us
        for clock in self.link.clocks:
            start_us, end_us = max(from_us, clock.from_us), min(to_us, clock.to_us)
            if start_us >= end_us:
                continue
            phase = phase_us - clock.offset_us
            at_us = phase - (phase - start_us) // interval_us * interval_us
            while at_us < end_us:
                if at_us not in self.link.dead:
                    yield at_us
                at_us += interval_us

    @property
    def slot_count(self) -> int:
        """How many results the agent sends of its slots."""
        interval_us, phase_us = self.cadence.interval_us, self.cadence.phase_us
        alive = ((c, a, b) for c in self.link.clocks for a, b in difference([Interval(c.from_us, c.to_us)], self.link.dead.intervals))  # fmt: skip
        return sum(
            (b - 1 - phase_us + c.offset_us) // interval_us
            - (a - 1 - phase_us + c.offset_us) // interval_us
            for c, a, b in alive
        )

    @cached_property
    def failures_us(self) -> list[int]:
        """When the probes of slots end that fail."""
        found: list[int] = []
        for instants in self.slots_in_trouble:
            for at_us in instants:
                seen = self.seen(at_us)
                if seen.outcome is Outcome.DOWN:
                    found.append(at_us + seen.took_us)
        return found

    @cached_property
    def slots_in_trouble(self) -> list[list[int]]:
        """The slots inside each time of trouble."""
        return [list(self.slots(*one)) for one in self.troubles]

    @cached_property
    def troubles(self) -> list[Interval]:
        """When a probe may fail, as far as the agent is alive. Outside of these none does."""
        slow = [Interval(one.from_us, one.to_us) for one in self.slow]
        found: Sequence[Interval] = self.lost.intervals
        if self.down.intervals or slow:
            found = union([*found, *self.down.intervals, *slow])
        return difference(found, self.link.dead.intervals) if self.link.dead.intervals else list(found)  # fmt: skip


def _lost(scenario: Scenario, link: Link, check: str) -> list[Interval]:
    """When nothing gets through: bursts of loss, spells of it, partitions."""
    loss = scenario.terms.network.loss
    found: list[Interval] = []
    share, agent = share_of(loss.share), link.agent.id
    if share:
        chance = Chance(scenario.seed, "loss", agent, check)
        found += Bursts(share, loss.bursts).within(chance, scenario.start_us, scenario.end_us)
    for when, bursts, number in link.conditions.spells:
        chance = Chance(scenario.seed, "spell", number, agent, check)
        found += bursts.within(chance, *when)
    found += [Interval(c.from_us, c.to_us) for c in _of(link.conditions.cuts, check)]
    return union(found)


def _of(cuts: Sequence[Cut], check: str) -> list[Cut]:
    return [cut for cut in cuts if cut.concerns(check)]
