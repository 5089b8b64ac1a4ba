"""Law P2: the incremental engine equals the batch oracle after every insert (S-23, S-24)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.engine import CheckEngine
from controller.core.intervals import FOREVER_US
from controller.core.outages import Outage, outages
from controller.core.policy import ALWAYS_US, Policy, PolicyRevision
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import (
    EvidenceSet,
    Segment,
    VerdictInterval,
    evidence_until,
    judged_samples,
    timeline,
    verdict_intervals,
)
from vedette.shared.definitions import Rule
from vedette.shared.result import Outcome

TIMES = st.integers(0, 60)

policies = st.builds(
    Policy,
    check=st.just("c"),
    revision=st.sampled_from(["r1", "r2"]),
    regions=st.sampled_from([("a",), ("a", "b"), ("a", "b", "c"), ("c", "a")]),
    freshness_us=st.integers(3, 9),
    rule=st.sampled_from([Rule.MAJORITY, Rule.AT_LEAST_HALF, Rule.ALL, Rule.ANY]),
    min_evidence=st.integers(1, 2),
    fail_after=st.integers(1, 3),
    recover_after=st.integers(1, 3),
    merge_gap_us=st.sampled_from([0, 4, 10]),
    abandon_after_us=st.sampled_from([6, 1000]),
)
outcomes = st.sampled_from([Outcome.UP, Outcome.DOWN, Outcome.DOWN, Outcome.DEGRADED])
samples = st.builds(
    Sample,
    agent=st.sampled_from(["a0", "b0", "c0", "c1"]),
    epoch=st.sampled_from(["e1", "e1", "e2"]),
    stream=st.just("s"),
    seq=st.integers(1, 80),
    check=st.just("c"),
    region=st.just("a"),
    at_us=TIMES,
    outcome=st.one_of(outcomes, st.just(Outcome.AGENT_ERROR)),
    kind=st.sampled_from([None, "timeout"]),
    digest=st.integers(0, 3),
).map(lambda sample: sample._replace(region=sample.agent[0]))
anchors = st.builds(
    AnchorRound,
    agent=st.sampled_from(["a0", "b0", "c0"]),
    epoch=st.just("e1"),
    stream=st.just("@"),
    seq=st.integers(1, 80),
    at_us=TIMES,
    ok=st.sampled_from([0, 3, 3]),
    total=st.just(3),
    digest=st.integers(0, 3),
)


@st.composite
def in_order(draw: st.DrawFn) -> list[Sample | AnchorRound]:
    """What agents send when nothing goes wrong: by time, numbers growing."""
    found: list[Sample | AnchorRound] = []
    for agent in draw(st.lists(st.sampled_from(["a0", "b0", "c0", "c1"]), unique=True, min_size=1)):
        at_us = draw(st.integers(0, 3))
        for seq in range(1, draw(st.integers(2, 14))):
            outcome = draw(outcomes)
            found.append(
                Sample(agent, "e1", "s", seq, "c", agent[0], at_us, outcome, None, None, seq)
            )
            at_us += draw(st.integers(1, 5))
    return sorted(found, key=lambda one: one.at_us)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Sample | AnchorRound]:
    """Evidence in the order in which it comes: mostly in order, some late, repeated or conflicting."""
    base = draw(in_order())
    extra = draw(st.lists(st.one_of(samples, samples, anchors), max_size=12))
    for one in extra:
        base.insert(draw(st.integers(0, len(base))), one)
    if draw(st.booleans()):
        late = draw(st.sets(st.integers(0, len(base) - 1), max_size=5))
        base = [one for i, one in enumerate(base) if i not in late] + [
            base[i] for i in sorted(late)
        ]
    if draw(st.booleans()):
        base += draw(st.lists(st.sampled_from(base), max_size=4))
    return base


@st.composite
def revisions(draw: st.DrawFn) -> list[PolicyRevision]:
    found = [PolicyRevision(ALWAYS_US, draw(policies))]
    times = sorted(draw(st.sets(TIMES, max_size=2)))
    return found + [PolicyRevision(at_us, draw(st.one_of(policies, st.none()))) for at_us in times]


@dataclass
class Caller:
    """What a service does with an engine: it keeps what it is told, and can be asked at any time."""

    revisions: list[PolicyRevision]
    engine: CheckEngine = field(init=False)
    taken: list[Sample | AnchorRound] = field(default_factory=list)
    intervals: list[VerdictInterval] = field(default_factory=list)
    outages: dict[str, Outage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = CheckEngine(self.revisions)

    @property
    def latest_us(self) -> int:
        return max(
            (
                i.at_us
                for i in self.taken
                if not isinstance(i, Sample) or i.outcome != "agent_error"
            ),
            default=0,
        )

    def give(self, item: Sample | AnchorRound) -> bool:
        if isinstance(item, Sample):
            return self.engine.insert(item)
        return self.engine.insert_anchor(item)

    def take(self, item: Sample | AnchorRound) -> None:
        assert self.give(item)
        self.taken.append(item)

    def settled_part(self) -> tuple[list[Segment], list[Outage]]:
        """What the oracle says of the time that the engine has settled."""
        until_us = self.engine.settled_us
        if until_us == -FOREVER_US:
            return [], []
        segments, found = self.oracle(FOREVER_US)
        past = [s._replace(to_us=min(s.to_us, until_us)) for s in segments if s.from_us < until_us]
        return past, [one for one in found if one.span.started_us < until_us]

    def drain(self, until_us: int = -FOREVER_US) -> None:
        changes = self.engine.drain(until_us)
        if changes.from_us is not None:
            kept = [i for i in self.intervals if i.from_us < changes.from_us]
            if kept and kept[-1].to_us > changes.from_us:
                kept[-1] = kept[-1]._replace(to_us=changes.from_us)
            self.intervals = kept + list(changes.intervals)
        for gone in changes.gone:
            del self.outages[gone]
        self.outages |= {outage.id: outage for outage in changes.outages}

    def evidence(self, horizon_us: int) -> EvidenceSet:
        return evidence_until(
            [i for i in self.taken if isinstance(i, Sample)],
            [i for i in self.taken if isinstance(i, AnchorRound)],
            horizon_us,
        )

    def oracle(
        self, horizon_us: int, to_us: int = FOREVER_US
    ) -> tuple[list[Segment], list[Outage]]:
        evidence = self.evidence(horizon_us)
        segments = timeline(evidence, self.revisions, -FOREVER_US, to_us)
        return segments, outages(segments, partial(judged_samples, evidence))


def assert_equal(caller: Caller, horizon_us: int, settled_us: int = -FOREVER_US) -> None:
    segments, found = caller.oracle(horizon_us)
    expected = [
        s._replace(from_us=max(s.from_us, settled_us)) for s in segments if s.to_us > settled_us
    ]
    assert caller.engine.segments(-FOREVER_US, FOREVER_US, horizon_us) == expected
    kept = [outage for outage in found if outage.span.started_us >= settled_us]
    assert caller.engine.outages(horizon_us) == kept


def _assert_told(caller: Caller) -> None:
    """What the caller was told is what the oracle says, verdicts that go on taken as going on."""
    newest_us = caller.engine.newest_us
    if newest_us is None:
        assert all(one.verdict == "UNKNOWN" for one in caller.intervals)
        return
    segments, found = caller.oracle(FOREVER_US, newest_us + 1)
    told = [(i.from_us, i.verdict) for i in caller.intervals if i.from_us <= newest_us]
    expected = [(i.from_us, i.verdict) for i in verdict_intervals(segments)]
    assert _merged([(-FOREVER_US, "UNKNOWN"), *told]) == _merged(expected)
    assert set(caller.outages) == {outage.id for outage in found}
    for outage in found:
        known = caller.outages[outage.id]
        if known.span.ended_us is not None:
            assert known == outage
            continue
        silent = [s for s in segments if s.from_us >= outage.span.until_us]
        assert outage.span.ended_us is None or all(s.verdict == "UNKNOWN" for s in silent)
        assert (known.confirmed_us, known.votes, known.regions) == (
            outage.confirmed_us,
            outage.votes,
            outage.regions,
        )


def _merged(changes: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for at_us, verdict in changes:
        if not found or found[-1][1] != verdict:
            found.append((at_us, verdict))
    return found


def test_p2_a_withdrawn_sample_lets_its_policy_read_on() -> None:
    """The newest sample lay after the policy's time; a conflict takes it away, and another one comes."""
    policy = Policy(
        check="c", revision="r1", regions=("a",), freshness_us=3, min_evidence=1,
        fail_after=1, recover_after=1, merge_gap_us=0, abandon_after_us=6,
    )  # fmt: skip
    caller = Caller([PolicyRevision(-FOREVER_US, policy), PolicyRevision(4, None)])
    times = [(1, 0, Outcome.UP), (3, 10, Outcome.UP), (3, 2, Outcome.DOWN), (4, 3, Outcome.UP)]
    for digest, (seq, at_us, outcome) in enumerate(times):
        caller.take(Sample("a0", "e1", "s", seq, "c", "a", at_us, outcome, digest=digest))
        assert_equal(caller, caller.latest_us + 1)


@settings(max_examples=300, deadline=None)
@given(revisions(), arrivals(), st.integers(0, 70))
def test_p2_incremental_equals_batch_after_every_insert(
    rules: list[PolicyRevision], items: list[Sample | AnchorRound], horizon_us: int
) -> None:
    caller = Caller(rules)
    for item in items:
        caller.take(item)
        assert_equal(caller, caller.latest_us + 1)
        assert_equal(caller, caller.latest_us + 30)
    assert_equal(caller, horizon_us)


@settings(max_examples=300, deadline=None)
@given(revisions(), arrivals(), st.data())
def test_p2_what_a_drain_tells_adds_up_to_the_timeline(
    rules: list[PolicyRevision], items: list[Sample | AnchorRound], data: st.DataObject
) -> None:
    caller = Caller(rules)
    for item in items:
        caller.take(item)
        if data.draw(st.booleans()):
            caller.drain()
            _assert_told(caller)
    caller.drain()
    _assert_told(caller)
    assert not caller.engine.drain()


@st.composite
def amended(draw: st.DrawFn) -> tuple[list[PolicyRevision], list[PolicyRevision]]:
    """Revisions before and after a change: any, or one more, or the last policy with another quorum."""
    before = draw(revisions())
    if draw(st.booleans()):
        return before, draw(revisions())
    last = max(before, key=lambda one: one.effective_us)
    at_us = draw(st.integers(max(0, last.effective_us + 1), 70))
    policy = draw(st.one_of(policies, st.none()))
    if last.policy is not None and draw(st.booleans()):
        policy = replace(last.policy, rule=Rule.ANY, merge_gap_us=1)
    return before, [*before, PolicyRevision(at_us, policy)]


@settings(max_examples=300, deadline=None)
@given(amended(), arrivals(), st.integers(0, 40), st.one_of(st.none(), st.integers(0, 60)))
def test_a_change_of_policy_is_the_timeline_of_the_new_revisions(
    rules: tuple[list[PolicyRevision], list[PolicyRevision]],
    items: list[Sample | AnchorRound],
    place: int,
    before_us: int | None,
) -> None:
    before, after = rules
    caller = Caller(before)
    settled_us = -FOREVER_US
    for index, item in enumerate(items):
        if index == min(place, len(items) - 1):
            caller.drain()
            if before_us is not None and before[-1] in after:
                settled_us = caller.engine.settle(before_us)
            caller.revisions = after
            if not caller.engine.revise(after):
                assert settled_us > -FOREVER_US, "an engine that forgot nothing can judge anew"
                return
            caller.drain()
        if any(one[:4] == item[:4] and one.at_us < caller.engine.open_us for one in caller.taken):
            continue
        if not caller.give(item):
            continue
        caller.taken.append(item)
        assert_equal(caller, caller.latest_us + 5, settled_us)
    caller.drain()
    if settled_us == -FOREVER_US:
        _assert_told(caller)


@settings(max_examples=300, deadline=None)
@given(revisions(), arrivals(), st.integers(0, 70), st.data())
def test_a_settled_engine_still_equals_the_oracle(
    rules: list[PolicyRevision],
    items: list[Sample | AnchorRound],
    before_us: int,
    data: st.DataObject,
) -> None:
    """What it refuses could have changed what is settled; what it takes changes nothing of that."""
    caller = Caller(rules)
    middle = data.draw(st.integers(0, len(items)))
    for item in items[:middle]:
        caller.take(item)
    caller.drain()
    settled_us = caller.engine.settle(before_us)
    assert settled_us <= before_us
    before = caller.settled_part()
    for item in items[middle:]:
        open_us = caller.engine.open_us
        if any(one[:4] == item[:4] and one.at_us < open_us for one in caller.taken):
            continue  # it claims the identity of one that may be forgotten: for the caller to settle
        if not caller.give(item):
            assert isinstance(item, AnchorRound) or item.at_us < open_us
            continue
        caller.taken.append(item)
        assert_equal(caller, caller.latest_us + 1, settled_us)
        assert caller.settled_part() == before
        if data.draw(st.integers(0, 5)) == 0:
            caller.drain()
            settled_us = max(settled_us, caller.engine.settle(before_us + 10))
            before = caller.settled_part()
    assert_equal(caller, caller.latest_us + 30, settled_us)


@settings(max_examples=300, deadline=None)
@given(revisions(), arrivals(), st.data())
def test_s15_what_time_alone_changes_is_told_when_it_has_passed(
    rules: list[PolicyRevision], items: list[Sample | AnchorRound], data: st.DataObject
) -> None:
    caller = Caller(rules)
    now_us = 0
    for item in items:
        if data.draw(st.integers(0, 3)) == 0:
            now_us = max(now_us, caller.latest_us) + data.draw(st.sampled_from([0, 1, 4, 20, 2000]))
            caller.drain(now_us)
            _assert_told(caller)
            _assert_outages_as_of(caller, now_us)
        caller.take(item)
    caller.drain(5000)
    _assert_told(caller)
    _assert_outages_as_of(caller, 5000)
    assert not caller.engine.drain(5001)


def _assert_outages_as_of(caller: Caller, now_us: int) -> None:
    """Every outage that the caller keeps is as the oracle says, ends and abandonment included."""
    assert caller.engine.newest_us is not None
    _, found = caller.oracle(FOREVER_US, max(now_us, caller.engine.newest_us) + 1)
    kept = sorted(caller.outages.values(), key=lambda one: one.span.started_us)
    assert [(one.id, one.span.ended_us, one.votes) for one in kept] == [
        (one.id, one.span.ended_us, one.votes) for one in found
    ]
