"""Laws P1, P3, P4, P5 and P6 on the oracle and on the replay document (S-24)."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.fleet import read_fleet
from controller.core.policy import Policy, always
from controller.core.replay import Gathered, replay, replay_bytes, sorted_out
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import (
    ATTRIBUTED,
    HIGH,
    LOW,
    Segment,
    clipped,
    downtime,
    evidence_until,
    timeline,
)
from tests.property.test_engine_laws import arrivals, policies
from vedette.shared.result import ClockReading, Outcome, ResultLine, encode_line

FLEET = b"""{version: 1, regions: [{id: a}, {id: b}], services: [{id: s}], checks: [
  {id: c, service: s, every: 10s, timeout: 1s, http: {url: "http://x.test/"},
   quorum: {freshness: 25s, fail_after: 2}}]}"""
SECOND = 1_000_000
Items = list[Sample | AnchorRound]


def _segments(
    items: Sequence[Sample | AnchorRound], rules: Policy, to_us: int = 70
) -> list[Segment]:
    evidence = evidence_until(
        [i for i in items if isinstance(i, Sample)],
        [i for i in items if isinstance(i, AnchorRound)],
        to_us,
    )
    return timeline(evidence, always(rules), 0, to_us)


lines = st.builds(
    ResultLine,
    agent=st.sampled_from(["a0", "b0"]),
    epoch=st.just("e1"),
    seq=st.integers(1, 30),
    check=st.just("c"),
    region=st.just("a"),
    at=st.integers(0, 300).map(lambda second: second * SECOND),
    clock=st.sampled_from([ClockReading(), ClockReading(2 * SECOND), ClockReading(None)]),
    outcome=st.sampled_from(list(Outcome)),
).map(lambda line: encode_line(_in_own_region(line)))


def _in_own_region(line: ResultLine) -> ResultLine:
    return ResultLine(
        agent=line.agent,
        epoch=line.epoch,
        seq=line.seq,
        check=line.check,
        region=line.agent[0],
        at=line.at,
        clock=line.clock,
        outcome=line.outcome,
    )


def _document(found: Sequence[bytes]) -> bytes:
    fleet = read_fleet(FLEET, "fleet.yaml")
    gathered = Gathered()
    for line in found:
        gathered.add(line)
    evidence = sorted_out(fleet, gathered.items)
    end = 320 * SECOND
    return replay_bytes(replay(fleet, evidence, from_us=0, to_us=end, horizon_us=end))


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, max_size=40), st.data())
def test_p1_order_and_repetition_of_lines_give_the_same_bytes(
    found: list[bytes], data: st.DataObject
) -> None:
    again = data.draw(st.permutations([*found, *found[::2]]))
    assert _document(again) == _document(found)


@settings(max_examples=200, deadline=None)
@given(policies, arrivals(), st.integers(0, 70))
def test_p3_downtime_is_additive_over_adjacent_windows(
    rules: Policy, items: Items, middle_us: int
) -> None:
    segments = _segments(items, rules)
    for which in (ATTRIBUTED, LOW, HIGH):
        parts = (clipped(segments, 0, middle_us), clipped(segments, middle_us, 70))
        assert sum(downtime(part, which) for part in parts) == downtime(segments, which)


@settings(max_examples=200, deadline=None)
@given(policies, arrivals())
def test_p4_the_timeline_covers_the_window_exactly(rules: Policy, items: Items) -> None:
    segments = _segments(items, rules)
    assert [one.from_us for one in segments] == [0, *(one.to_us for one in segments[:-1])]
    assert segments[-1].to_us == 70
    assert all(one[2:] != other[2:] for one, other in itertools.pairwise(segments))


@settings(max_examples=200, deadline=None)
@given(policies, arrivals(), st.data())
def test_p5_a_success_that_fails_instead_never_lowers_downtime(
    rules: Policy, items: Items, data: st.DataObject
) -> None:
    at_once = replace(rules, fail_after=1, recover_after=1)
    distinct = list({item[:4]: item for item in items}.values())
    ups = [i for i in distinct if isinstance(i, Sample) and i.outcome is Outcome.UP]
    if not ups:
        return
    chosen = data.draw(st.sampled_from(ups))
    worse = [i if i is not chosen else chosen._replace(outcome=Outcome.DOWN) for i in distinct]
    assert downtime(_segments(worse, at_once)) >= downtime(_segments(distinct, at_once))


@settings(max_examples=200, deadline=None)
@given(policies, arrivals(), st.sampled_from(["0", "1", "regions"]))
def test_p6_downtime_lies_within_its_bounds(rules: Policy, items: Items, weight: str) -> None:
    segments = _segments(items, replace(rules, partial_weight=weight))
    assert downtime(segments, LOW) <= downtime(segments) <= downtime(segments, HIGH)
