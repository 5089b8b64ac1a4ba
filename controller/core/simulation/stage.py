"""A stretch of time of one check under one rule, played event by event.

Agents probe in their slots, results travel, the controller's own engine judges them as they arrive, orders
further looks, and tells of outages. Nothing here decides what an outage is: that is the engine.
"""

import heapq
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from controller.core.engine import CheckEngine
from controller.core.intervals import Interval, union
from controller.core.outages import Outage
from controller.core.policy import always
from controller.core.posts import Post
from controller.core.quorum import Verdict, verdict
from controller.core.samples import AnchorRound, Sample
from controller.core.simulation.alarms import Alarm, AlarmBook
from controller.core.simulation.looks import Looks
from controller.core.simulation.paths import Path, Times
from controller.core.simulation.rounds import HeardRound
from controller.core.simulation.rules import ComparedRule
from vedette.shared.limits import CLOCK_OFFSET_US_MAX, FUTURE_US_MAX
from vedette.shared.result import Outcome


class Act(IntEnum):
    """What happens at an instant."""

    PROBE = 0
    HEAR = 1
    HEAR_ROUND = 2
    WAKE = 3


class Played(NamedTuple):
    """What was told, and how many results it took."""

    alarms: list[Alarm]
    samples: int


class Stage:
    """One stretch. Event times are those of the controller's clock."""

    def __init__(self, rule: ComparedRule, paths: Sequence[Path], stretch: Interval) -> None:
        self._rule = rule
        self._paths = paths
        self._stretch = stretch
        self._engine = _Engine(always(rule.policy))
        self._book = AlarmBook(rule.policy.check)
        self._looks = Looks(rule, _posts(paths), stretch.from_us) if rule.confirms else None
        self._places = {path.link.agent.id: place for place, path in enumerate(paths)}
        self._wake_us: int | None = None
        self._runs: dict[str, tuple[int, int]] = {}
        self._is_due = self._is_turn = False
        self._odd = Times(_odd(rule, paths))
        self._trying = [False] * len(paths)
        self._events: list[tuple[int, Act, int, int, object]] = []
        self._numbers = [0] * len(paths)
        self._order = 0
        self._taken: list[Sample] = []

    def play(self, rounds: Sequence[HeardRound]) -> Played:
        """Play it from its first to its last instant, and hear what was sent in it."""
        for place, path in enumerate(self._paths):
            for at_us in path.slots(*self._stretch):
                self._put(at_us, Act.PROBE, place, 0)
        for heard in rounds:
            self._put(heard.heard_us, Act.HEAR_ROUND, 0, heard.round)
        while self._events:
            now_us, act, place, _, what = heapq.heappop(self._events)
            if act == Act.PROBE:
                assert isinstance(what, int)
                self._probe(now_us, place, what)
            elif act == Act.HEAR:
                assert isinstance(what, Sample)
                self._hear(now_us, what)
            elif act == Act.HEAR_ROUND:
                assert isinstance(what, AnchorRound)
                self._hear_round(now_us, what)
            else:
                self._wake_us = None
                self._is_turn = self._looks is not None
            if not self._events or self._events[0][0] > now_us:
                self._conclude(now_us)
        self._drain(self._stretch.to_us)
        outages = self._engine.outages(self._stretch.to_us)
        return Played(self._book.closed(outages), len(self._taken))

    def _put(self, at_us: int, act: Act, place: int, what: object) -> None:
        self._order += 1
        heapq.heappush(self._events, (at_us, act, place, self._order, what))

    def _probe(self, at_us: int, place: int, tries: int) -> None:
        """One probe of an agent, and what it writes down."""
        path = self._paths[place]
        link = path.link
        if at_us in link.dead or not self._stretch.from_us <= at_us < self._stretch.to_us:
            if tries:
                self._trying[place] = False
            return
        seen = path.seen(at_us)
        clock = link.clock_at(at_us)
        outcome = seen.outcome
        if abs(clock.measured_us) > CLOCK_OFFSET_US_MAX:
            outcome = Outcome.AGENT_ERROR
        self._numbers[place] += 1
        told_us = at_us + clock.offset_us - clock.measured_us
        sample = Sample(
            link.agent.id, "e", "s", self._numbers[place], path.check, path.region,
            told_us, outcome, None, seen.took_us,
        )  # fmt: skip
        self._put(link.delivered_us(at_us + seen.took_us), Act.HEAR, place, sample)
        if self._rule.tries:
            self._try_again(at_us + seen.took_us, place, tries, is_failure=outcome is Outcome.DOWN)

    def _try_again(self, end_us: int, place: int, tries: int, *, is_failure: bool) -> None:
        """What a site does by itself after a failure: a few more tries, until one succeeds."""
        if tries == 0 and self._trying[place]:
            return
        more = is_failure and tries < self._rule.tries
        if more:
            self._put(end_us + self._rule.tries_us, Act.PROBE, place, tries + 1)
        self._trying[place] = more

    def _hear(self, now_us: int, sample: Sample) -> None:
        """A result reaches the controller."""
        self._taken.append(sample)
        if sample.at_us > now_us + FUTURE_US_MAX:
            return  # set aside (S-3)
        self._engine.insert(sample)
        self._is_due = self._may_change(now_us, sample) or self._is_due
        if self._looks is not None and self._looks.heard(now_us, sample):
            self._is_turn = True

    def _hear_round(self, now_us: int, anchor: AnchorRound) -> None:
        """A round of anchors reaches the controller."""
        self._engine.insert_anchor(anchor)
        self._is_due = True
        if self._looks is not None:
            self._looks.heard_round(now_us, anchor)
            self._is_turn = True

    def _conclude(self, now_us: int) -> None:
        """What came at this instant came in one batch: see what it changes, and what is to be asked."""
        if self._is_due:
            self._is_due = False
            self._drain(now_us)
        if self._is_turn:
            self._is_turn = False
            self._give_orders(now_us)

    def _may_change(self, now_us: int, sample: Sample) -> bool:
        """This result may open or close an outage; asking the engine costs more than telling it.

        A failure opens one; while one is open, it matters whether the verdict has left DOWN, which is looked at
        unless the agent only goes on failing. Near silence, and with late lines, anything may change.
        """
        fresh_us = self._rule.policy.freshness_us
        is_failure = sample.outcome is Outcome.DOWN
        run, last_us = self._runs.get(sample.agent, (0, sample.at_us))
        run = (run + 1 if sample.at_us - last_us < fresh_us else 1) if is_failure else 0
        self._runs[sample.agent] = (run, sample.at_us)
        if now_us in self._odd or now_us - sample.at_us >= fresh_us:
            return True
        if not self._book.is_open:
            return is_failure
        goes_on = run > self._rule.policy.fail_after
        return not goes_on and not self._is_down(now_us)

    def _is_down(self, now_us: int) -> bool:
        at_us = min(now_us, self._stretch.to_us - 1)
        labels = list(self._engine.labels(at_us).values())
        return verdict(self._rule.policy, labels) is Verdict.DOWN

    def _drain(self, now_us: int) -> None:
        """Let the engine say what has changed."""
        changes = self._engine.drain(min(now_us, self._stretch.to_us - 1))
        if changes.outages or changes.gone:
            self._book.note(changes, now_us)
            if self._looks is not None:
                self._looks.is_out(self._book.is_open, now_us)
                self._is_turn = True

    def _give_orders(self, now_us: int) -> None:
        """Ask the agents that are to look now, and see when there is more to ask."""
        assert self._looks is not None
        for agent in self._looks.orders(now_us):
            place = self._places[agent]
            at_us = self._paths[place].link.ordered_us(now_us)
            if at_us is not None:
                self._put(at_us, Act.PROBE, place, 0)
        next_us = self._looks.next_us(now_us)
        if next_us is not None and (self._wake_us is None or next_us < self._wake_us):
            self._wake_us = next_us
            self._put(max(next_us, now_us + 1), Act.WAKE, 0, None)


class _Engine(CheckEngine):
    """The engine without outages of single regions, which are not scored: they would cost as much again."""

    def _refresh_regional(
        self, from_us: int, to_us: int, horizon_us: int
    ) -> tuple[tuple[Outage, ...], tuple[str, ...]]:
        return (), ()


def _posts(paths: Sequence[Path]) -> dict[str, Post]:
    """The agents of the paths, as the controller knows them."""
    agents = [path.link.agent for path in paths]
    return {agent.id: Post(agent.region, place=agent.place) for agent in agents}


def _odd(rule: ComparedRule, paths: Sequence[Path]) -> list[Interval]:
    """When something else than a result may change a verdict: what agents said before they fell silent runs out."""
    near_us = rule.policy.freshness_us
    return union(
        Interval(at_us - near_us, at_us + 2 * near_us)
        for path in paths
        for one in path.link.conditions.unsettled
        for at_us in one
    )
