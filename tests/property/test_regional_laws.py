"""Laws P1, P2 and P6 for outages of single regions (S-14), and for settled engines that carry them on."""

from dataclasses import dataclass, field, replace
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.intervals import FOREVER_US
from controller.core.outages import Outage, spans
from controller.core.policy import PolicyRevision
from controller.core.regional import Carried, WholeView, regional_outages, voting
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import judged_samples, timeline
from controller.services.timeline.carrying import decode_carried, encode_carried
from tests.property.test_engine_laws import Caller, arrivals, revisions

Item = Sample | AnchorRound


@dataclass
class Regional(Caller):
    """A caller that keeps what it is told of single regions."""

    regional: dict[str, Outage] = field(default_factory=dict)

    def drain(self, until_us: int = -FOREVER_US) -> None:
        changes = self.engine.drain(until_us)
        for gone in changes.regional_gone:
            del self.regional[gone]
        self.regional |= {outage.id: outage for outage in changes.regional}

    def alone(self, horizon_us: int, to_us: int = FOREVER_US) -> list[Outage]:
        """What the oracle says."""
        evidence = self.evidence(horizon_us)
        segments = timeline(evidence, self.revisions, -FOREVER_US, to_us)
        return regional_outages(
            WholeView(segments, partial(judged_samples, evidence)),
            voting(self.revisions, -FOREVER_US, FOREVER_US),
            spans(segments),
            from_us=-FOREVER_US,
            to_us=min(horizon_us, to_us),
            reach_us=max((r.policy.freshness_us for r in self.revisions if r.policy), default=0),
        )


def _assert_told(caller: Regional) -> None:
    newest_us = caller.engine.newest_us
    if newest_us is None:
        assert not caller.regional
        return
    found = caller.alone(FOREVER_US, newest_us + 1)
    assert set(caller.regional) == {outage.id for outage in found}
    for outage in found:
        known = caller.regional[outage.id]
        if known.span.ended_us is not None or outage.span.ended_us is not None:
            assert known == outage
        else:
            assert (known.confirmed_us, known.votes) == (outage.confirmed_us, outage.votes)


@settings(max_examples=250, deadline=None)
@given(revisions(), arrivals(), st.data())
def test_p2_regional_outages_equal_the_batch_after_every_insert(
    rules: list[PolicyRevision], items: list[Item], data: st.DataObject
) -> None:
    caller = Regional(rules)
    for item in items:
        caller.take(item)
        for ahead_us in (1, 30):
            horizon_us = caller.latest_us + ahead_us
            assert caller.engine.regional_outages(horizon_us) == caller.alone(horizon_us)
        if data.draw(st.booleans()):
            caller.drain()
            _assert_told(caller)
    caller.drain()
    _assert_told(caller)
    assert not caller.engine.drain()


@settings(max_examples=250, deadline=None)
@given(revisions(), arrivals(), st.lists(st.integers(0, 70), min_size=1, max_size=3), st.data())
def test_a_settled_engine_carries_regional_outages_on(
    rules: list[PolicyRevision], items: list[Item], instants: list[int], data: st.DataObject
) -> None:
    """What began before the settled instant is told as if all of its evidence was still there."""
    caller = Regional(rules)
    steps = sorted(data.draw(st.integers(0, len(items))) for _ in instants)
    for place, item in enumerate([*items, None]):
        if place in steps:
            caller.drain()
            caller.engine.settle(instants[steps.index(place)])
        open_us = caller.engine.open_us
        if item is None or any(o[:4] == item[:4] and o.at_us < open_us for o in caller.taken):
            continue
        if caller.give(item):
            caller.taken.append(item)
    caller.drain()
    settled_us = caller.engine.settled_us
    for horizon_us in (caller.latest_us + 1, caller.latest_us + 30):
        if horizon_us <= settled_us:
            continue
        kept = [
            one
            for one in caller.alone(horizon_us)
            if one.span.ended_us is None or one.span.ended_us >= settled_us
        ]
        told = caller.engine.regional_outages(horizon_us)
        assert [one for one in told if one in kept or one.span.until_us >= settled_us] == kept
    for outage in caller.engine.regional_outages(caller.latest_us + 1):
        assert outage in caller.alone(caller.latest_us + 1)
    _assert_kept(caller, settled_us)


def _assert_kept(caller: Regional, settled_us: int) -> None:
    """What was told, as far as it is not over for good, is what the oracle says."""
    newest_us = caller.engine.newest_us
    if newest_us is None:
        return
    now = {one.id: one for one in caller.alone(FOREVER_US, newest_us + 1)}
    assert set(caller.regional) == set(now)


@settings(max_examples=150, deadline=None)
@given(revisions(), arrivals(), st.integers(0, 70), st.data())
def test_an_engine_made_anew_goes_on_with_what_was_carried(
    rules: list[PolicyRevision], items: list[Item], before_us: int, data: st.DataObject
) -> None:
    """Written down and read again, what lies across an instant is all that is needed of the time before it."""
    caller = Regional(rules)
    middle = data.draw(st.integers(0, len(items)))
    for item in items[:middle]:
        caller.take(item)
    caller.drain()
    settled_us = caller.engine.settle(before_us)
    if settled_us == -FOREVER_US:
        return
    known = caller.engine.carried
    carried: list[Carried] = [] if known is None else decode_carried(encode_carried(known))
    assert known is None or tuple(carried) == known
    again = Regional(rules)
    for item in caller.taken:
        again.take(item)
    again.drain()
    if again.engine.settle(settled_us) != settled_us:
        return
    again.regional = {one.id: one for one in again.engine.carry_on(carried)}
    for item in items[middle:]:
        open_us = again.engine.open_us
        if any(o[:4] == item[:4] and o.at_us < open_us for o in again.taken):
            continue
        if again.give(item):
            again.taken.append(item)
    again.drain()
    horizon_us = max(again.latest_us, settled_us) + 1
    expected = [
        one
        for one in again.alone(horizon_us)
        if one.span.ended_us is None or one.span.ended_us >= settled_us
    ]
    told = again.engine.regional_outages(horizon_us)
    assert [one for one in told if one.span.until_us >= settled_us or one in expected] == expected


@settings(max_examples=150, deadline=None)
@given(revisions(), arrivals(), st.randoms(use_true_random=False))
def test_p1_the_order_of_results_does_not_matter_to_regions(
    rules: list[PolicyRevision], items: list[Item], random: object
) -> None:
    first, second = Regional(rules), Regional(rules)
    shuffled = [*items, *items[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types it as object
    for caller, order in ((first, items), (second, shuffled)):
        for item in order:
            caller.take(item)
    horizon_us = first.latest_us + 1
    expected = first.engine.regional_outages(horizon_us)
    assert second.engine.regional_outages(horizon_us) == expected


@settings(max_examples=150, deadline=None)
@given(revisions(), arrivals())
def test_p6_bounds_hold_and_no_record_lies_within_an_outage_of_all(
    rules: list[PolicyRevision], items: list[Item]
) -> None:
    caller = Regional(rules)
    for item in items:
        caller.take(item)
    horizon_us = caller.latest_us + 10
    wholes = caller.engine.outages(horizon_us)
    for one in caller.engine.regional_outages(horizon_us):
        assert 0 <= one.downtime_us_min <= one.span.downtime_us <= one.downtime_us_max
        assert one.regions == (one.region,)
        assert not any(
            whole.span.started_us <= one.span.started_us
            and one.span.until_us <= whole.span.until_us
            for whole in wholes
        )


@settings(max_examples=100, deadline=None)
@given(revisions(), arrivals())
def test_an_outage_of_the_only_region_is_no_regional_one(
    rules: list[PolicyRevision], items: list[Item]
) -> None:
    single = [
        one
        if one.policy is None
        else replace(one, policy=replace(one.policy, regions=("a",), min_evidence=1))
        for one in rules
    ]
    caller = Regional(single)
    for item in items:
        caller.take(item)
    assert caller.engine.regional_outages(caller.latest_us + 10) == []
