"""Law P2 for checks at rest: what stands for an engine, and the engine that wakes, equal the batch oracle."""

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.engine import CheckEngine
from controller.core.intervals import FOREVER_US
from controller.core.policy import ALWAYS_US, Policy, PolicyRevision
from controller.core.rest import Lineups, Rest, rested
from controller.core.samples import AnchorRound, Sample
from tests.property.test_engine_laws import Caller, assert_equal, policies
from vedette.shared.result import Outcome

AGENTS = ("a0", "b0", "c0", "c1")
Item = Sample | AnchorRound


@dataclass
class Resting(Caller):
    """A caller that lets its engine rest when it can, and wakes it when it must."""

    rest: Rest | None = None
    lineups: Lineups = field(default_factory=Lineups)

    @property
    def is_resting(self) -> bool:
        return self.rest is not None

    def wake(self) -> None:
        if self.rest is not None:
            self.engine, self.rest = self.rest.woken(), None

    def give(self, item: Item) -> bool:
        rest = self.rest
        if rest is not None:
            if isinstance(item, Sample) and rest.took(item):
                return True
            if isinstance(item, AnchorRound) and rest.took_anchor(item):
                return True
            self.wake()
        return super().give(item)

    def settle(self, kept_us: int) -> None:
        """Settle, and rest if the engine can."""
        self.wake()
        self.engine.drain()
        newest_us = self.engine.newest_us
        if newest_us is not None:
            self.engine.settle(newest_us - kept_us)
            self.rest = rested(self.engine, self.lineups)

    def assert_equal(self) -> None:
        """As the oracle says from the settled instant on, as seen from now and from a little before."""
        resting = self.rest
        if resting is not None:
            self.engine = resting.woken()
        settled_us = self.engine.settled_us
        for horizon_us in (self.latest_us + 1, self.latest_us + 30):
            assert_equal(self, horizon_us, settled_us)
        for horizon_us in range(max(self.engine.open_us, 0), self.latest_us, 7):
            assert_equal(self, horizon_us, settled_us)


@st.composite
def voices(draw: st.DrawFn) -> list[Sample]:
    """Agents that have said the same for long: each its samples until the instant 60."""
    found: list[Sample] = []
    for agent in sorted(draw(st.sets(st.sampled_from(AGENTS), min_size=1))):
        outcome = draw(st.sampled_from([Outcome.UP, Outcome.UP, Outcome.DEGRADED]))
        start_us, every_us = draw(st.integers(0, 2)), draw(st.integers(2, 3))
        found += [
            Sample(agent, "e1", "s", seq, "c", agent[0], at_us, outcome)
            for seq, at_us in enumerate(range(start_us, 60, every_us), 1)
        ]
    return sorted(found, key=lambda one: one.at_us)


@st.composite
def what_follows(draw: st.DrawFn, before: list[Sample]) -> list[Item]:
    """The same agents go on: a failure here and there, a silence, an anchor round now and then."""
    found: list[Item] = []
    for last in {one.agent: one for one in before}.values():
        at_us, seq = last.at_us, last.seq
        for outcome in draw(st.lists(st.sampled_from([last.outcome] * 4 + list(Outcome)))):
            at_us, seq = at_us + draw(st.sampled_from([1, 2, 3, 3, 3, 12])), seq + 1
            found.append(last._replace(seq=seq, at_us=at_us, outcome=outcome))
    rounds = draw(st.lists(st.tuples(st.sampled_from(AGENTS), st.integers(0, 3)), max_size=6))
    for seq, (agent, chance) in enumerate(rounds, 1):
        at_us = draw(st.integers(50, 80))
        found.append(AnchorRound(agent, "e1", "@", seq, at_us, 3 if chance else 0, 3))
    return sorted(found, key=lambda one: one.at_us)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Sample], list[Item]]:
    """What is prompt, and what follows: some of it late, and some twice."""
    before = draw(voices())
    found = draw(what_follows(before))
    for _ in range(draw(st.integers(0, 3)) if found else 0):
        place = draw(st.integers(0, len(found) - 1))
        found.insert(min(len(found), place + draw(st.integers(1, 12))), found.pop(place))
    for _ in range(draw(st.integers(0, 2)) if found else 0):
        place = draw(st.integers(0, len(found) - 1))
        found.insert(min(len(found), place + draw(st.integers(1, 6))), found[place])
    return before, found


calm_policies = policies.map(
    lambda one: replace(one, freshness_us=one.freshness_us + 2, regions=("a", "b", "c"))
)


@settings(max_examples=300, deadline=None)
@given(calm_policies, deliveries(), st.integers(6, 14), st.integers(2, 6))
def test_p2_a_check_at_rest_tells_what_the_oracle_tells(
    policy: Policy, items: tuple[list[Sample], list[Item]], kept_us: int, every: int
) -> None:
    caller = Resting([PolicyRevision(ALWAYS_US, policy)])
    before, after = items
    for sample in before:
        caller.take(sample)
    caller.settle(kept_us)
    assert caller.rest is not None
    for number, item in enumerate(after):
        if any(one[:4] == item[:4] and one != item for one in caller.taken):
            continue
        if caller.give(item):
            caller.taken.append(item)
            caller.assert_equal()
        if number % every == every - 1:
            caller.settle(kept_us)


def _checks_in_order(count: int) -> tuple[Resting, list[Sample]]:
    policy = Policy("c", "r", ("a", "b", "c"), 150, min_evidence=2)
    samples = [
        Sample(f"{region}0", "e", "s", k, "c", region, 60 * k + 20 * rank, Outcome.UP)
        for k in range(1, count)
        for rank, region in enumerate("abc")
    ]
    return Resting([PolicyRevision(ALWAYS_US, policy)]), samples


def test_s23_a_check_of_which_nothing_happens_rests_and_takes_what_comes() -> None:
    caller, samples = _checks_in_order(60)
    for sample in samples[:90]:
        caller.take(sample)
    caller.settle(900)
    rest = caller.rest
    assert rest is not None
    assert all(rest.took(sample) for sample in samples[90:])
    caller.taken += samples[90:]
    assert rest.newest_us == samples[-1].at_us
    assert rest.goes_on(samples[-1].at_us + 100)
    assert not rest.goes_on(samples[-1].at_us + 150), "evidence of a region runs out"
    caller.assert_equal()


def test_s23_a_failure_wakes_a_check_and_the_outage_is_whole() -> None:
    caller, samples = _checks_in_order(60)
    for sample in samples[:150]:
        caller.take(sample)
    caller.settle(900)
    was_resting = caller.is_resting
    for sample in samples[150:]:
        caller.take(sample._replace(outcome=Outcome.DOWN))
        caller.assert_equal()
    assert (was_resting, caller.is_resting) == (True, False)
    assert len(caller.engine.outages(FOREVER_US)) == 1


def test_what_falls_among_evidence_that_is_known_by_effect_alone_is_not_taken() -> None:
    caller, samples = _checks_in_order(60)
    for sample in samples[:150]:
        caller.take(sample)
    caller.settle(900)
    caller.wake()
    engine: CheckEngine = caller.engine
    late = samples[150 - 3 * 6]._replace(epoch="e0", outcome=Outcome.DOWN)
    assert late.at_us > engine.open_us
    assert not engine.insert(late)
    assert engine.insert(late._replace(at_us=samples[150 - 4].at_us - 1))
