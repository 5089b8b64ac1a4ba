"""A scenario from its beginning to its end, under every rule that it compares."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.core.intervals import Interval
from controller.core.simulation.alarms import Alarm
from controller.core.simulation.definitions import bounds_of
from controller.core.simulation.faults import Fate, fate_of
from controller.core.simulation.paths import Link, Path, Times
from controller.core.simulation.rounds import Anchors, HeardRound, Trouble
from controller.core.simulation.rules import ComparedRule, compared
from controller.core.simulation.scenario import Scenario
from controller.core.simulation.score import Score, score, truths_of
from controller.core.simulation.stage import Stage
from controller.core.simulation.stretches import Reach, reach_of, stretches
from vedette.shared.definitions import micros


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What a rule made of a scenario. `played` results were judged one by one; the rest changed nothing."""

    id: str
    title: str
    score: Score
    alarms: tuple[Alarm, ...]
    played: int


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a scenario. `scheduled` counts the results of all slots of all agents."""

    scenario: Scenario
    scheduled: int
    rules: tuple[RuleResult, ...]


def simulate(scenario: Scenario, *, in_full: bool = False) -> Result:
    """Play a scenario. `in_full` plays every result of it, which takes long and gives the same."""
    fate = fate_of(scenario)
    links = [Link(scenario, agent, fate.conditions[agent.id]) for agent in fate.agents]
    paths = {check: _paths(scenario, fate, links, check) for check in scenario.checks}
    troubles = {
        link.agent.id: Anchors(scenario, link).troubles([own[place] for own in paths.values()])
        for place, link in enumerate(links)
    }
    truths = truths_of(fate.down, micros(scenario.check.outage.merge_gap))
    found: list[RuleResult] = []
    for terms in scenario.rules:
        rule = compared(scenario.check, terms, scenario.terms.regions)
        alarms: list[Alarm] = []
        played = 0
        for own in paths.values():
            play = _Play(scenario, rule, own, troubles, in_full=in_full)
            alarms += play.alarms
            played += play.played
        result = RuleResult(rule.id, rule.title, score(alarms, truths), tuple(alarms), played)
        found.append(result)
    scheduled = sum(path.slot_count for own in paths.values() for path in own)
    return Result(scenario, scheduled, tuple(found))


def _paths(scenario: Scenario, fate: Fate, links: Sequence[Link], check: str) -> list[Path]:
    down = Times(fate.down[check])
    return [Path(scenario, fate, link, check, down) for link in links]


class _Play:
    """One check under one rule."""

    def __init__(
        self,
        scenario: Scenario,
        rule: ComparedRule,
        paths: Sequence[Path],
        troubles: dict[str, list[Trouble]],
        *,
        in_full: bool,
    ) -> None:
        self._rule = rule.of_check(paths[0].check)
        self._paths = [path for path in paths if path.region in rule.policy.regions]
        self._troubles = troubles if rule.has_anchors else {}
        self._every_us = micros(scenario.terms.anchors.every)
        self.alarms: list[Alarm] = []
        self.played = 0
        whole = Interval(scenario.start_us, scenario.end_us)
        reach = reach_of(rule, self._paths[0], *_bounds(scenario, self._paths))
        parts = [whole] if in_full else stretches(rule, self._paths, reach, *whole)
        for part in parts:
            self._play(part, reach)

    def _play(self, part: Interval, reach: Reach) -> None:
        stage = Stage(self._rule, self._paths, part)
        found = stage.play(self._rounds(part, reach))
        self.alarms += found.alarms
        self.played += found.samples

    def _rounds(self, part: Interval, reach: Reach) -> list[HeardRound]:
        """The anchor rounds that tell of trouble in a stretch, or near it."""
        near_us = reach.lead_us + 2 * self._every_us
        return [
            heard
            for path in self._paths
            for trouble in self._troubles.get(path.link.agent.id, ())
            if trouble.when.from_us < part.to_us + near_us
            and part.from_us - near_us < trouble.when.to_us
            for heard in trouble.rounds
        ]


def _bounds(scenario: Scenario, paths: Sequence[Path]) -> tuple[int, int]:
    """The longest way of a line, and the most by which an event time is off."""
    skew_us = max(
        (abs(c.offset_us - c.measured_us) for path in paths for c in path.link.clocks), default=0
    )
    return bounds_of(scenario.terms.network.link)[1], skew_us
