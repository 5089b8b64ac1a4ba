"""The anchor rounds of an agent (S-10), as far as they say anything.

An agent asks its anchors at its interval, and once more when a probe fails. Rounds that only repeat the one
before them void nothing and restore nothing, so of a time of trouble four are given: the last good round
before it, the first bad one by the interval, the one that the first failure brought forward, and the next
good one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from controller.core.intervals import Interval
from controller.core.samples import AnchorRound
from controller.core.simulation.chance import Chance
from controller.core.simulation.paths import Link, Path
from controller.core.simulation.scenario import Scenario
from vedette.shared.definitions import micros
from vedette.shared.limits import ANCHOR_APART_US_MIN
from vedette.shared.result import Outcome


class HeardRound(NamedTuple):
    """A round, and when the controller hears of it."""

    heard_us: int
    round: AnchorRound


@dataclass(frozen=True, slots=True)
class Trouble:
    """A time of trouble of an agent, and the rounds that tell of it, by time."""

    when: Interval
    rounds: Sequence[HeardRound]


class Anchors:
    """The anchor rounds of one agent."""

    def __init__(self, scenario: Scenario, link: Link) -> None:
        self._link = link
        self._total = scenario.terms.anchors.total
        self._every_us = micros(scenario.terms.anchors.every)
        self._bounds_us = (scenario.start_us, scenario.end_us)
        phase = Chance(scenario.seed, "anchors", link.agent.id)
        self._phase_us = phase.between(0, 0, self._every_us - 1)

    def troubles(self, paths: Sequence[Path]) -> list[Trouble]:
        """Every time of trouble; `paths` are all those of the agent."""
        return [self._told(when, paths) for when in self._link.conditions.troubled]

    def all_instants(self, from_us: int, to_us: int) -> Iterator[int]:
        """When the agent asks its anchors by its interval."""
        from_us, to_us = max(from_us, self._bounds_us[0]), min(to_us, self._bounds_us[1])
        at_us = self._phase_us + -((self._phase_us - from_us) // self._every_us) * self._every_us
        while at_us < to_us:
            if at_us not in self._link.dead:
                yield at_us
            at_us += self._every_us

    def heard(self, at_us: int) -> HeardRound:
        """The round of an instant. Its number is the instant: numbers need only be in order."""
        link = self._link
        is_bad = any(start <= at_us < end for start, end in link.conditions.troubled)
        clock = link.clock_at(at_us)
        told_us = at_us + clock.offset_us - clock.measured_us
        ok = 0 if is_bad else self._total
        one = AnchorRound(link.agent.id, "e", "@anchors", at_us, told_us, ok, self._total)
        return HeardRound(link.delivered_us(at_us), one)

    def _told(self, when: Interval, paths: Sequence[Path]) -> Trouble:
        start_us, end_us = self._bounds_us
        instants: set[int] = set()
        reach_us = self._every_us
        while not instants and when.from_us - reach_us // 8 > start_us:
            instants = set(list(self.all_instants(when.from_us - reach_us, when.from_us))[-1:])
            reach_us *= 8
        instants.update(_first(self.all_instants(when.from_us, when.to_us)))
        instants.update(_first(self.all_instants(when.to_us, end_us)))
        nudged_us = min(
            (
                slot_us + seen.took_us
                for path in paths
                for slot_us in _first(path.slots(when.from_us, when.to_us))
                if (seen := path.seen(slot_us)).outcome is Outcome.DOWN
            ),
            default=None,
        )
        if nudged_us is not None and start_us <= nudged_us < when.to_us:
            near = any(abs(nudged_us - at_us) < ANCHOR_APART_US_MIN for at_us in instants)
            if not near and nudged_us not in self._link.dead:
                instants.add(nudged_us)
        return Trouble(when, [self.heard(at_us) for at_us in sorted(instants)])


def _first(instants: Iterator[int]) -> list[int]:
    """The first of them, if there is one."""
    return [at_us for at_us, _ in zip(instants, range(1), strict=False)]
