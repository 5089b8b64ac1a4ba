"""The engine as its caller sees it (S-23). That it equals the oracle is a law, held elsewhere."""

import random
from collections.abc import Iterable

import pytest

from controller.core.changes import Changes
from controller.core.engine import CheckEngine
from controller.core.labels import Label
from controller.core.policy import PolicyRevision, always
from controller.core.samples import Sample
from tests.unit.core.scenes import SECOND, anchors, every_minute, policy, sample

DOWN = [(300, 600)]
ALL_DOWN = sorted(
    [*every_minute("a", 0, DOWN), *every_minute("b", 20, DOWN), *every_minute("c", 40, DOWN)],
    key=lambda one: one.at_us,
)


def _engine(samples: Iterable[Sample], **rules: object) -> CheckEngine:
    engine = CheckEngine(always(policy(**rules)))  # type: ignore[arg-type]  # a table of fields
    for one in samples:
        assert engine.insert(one)
    return engine


def _shown(changes: Changes) -> list[tuple[int, int, str]]:
    return [
        (one.from_us // SECOND, one.to_us // SECOND, one.verdict.value) for one in changes.intervals
    ]


def test_nothing_is_told_twice() -> None:
    engine = _engine(ALL_DOWN)
    assert engine.drain()
    assert not engine.drain()


def test_a_sample_that_changes_nothing_tells_nothing() -> None:
    engine = _engine([one for one in ALL_DOWN if one.at_us < 240 * SECOND])
    engine.drain()
    for one in ALL_DOWN:
        if 240 * SECOND <= one.at_us < 300 * SECOND:
            engine.insert(one)
            assert not engine.drain()


def test_x02_a_confirmation_is_told_from_where_it_dates_back_to() -> None:
    engine = _engine([], fail_after=2, recover_after=2)
    told = {}
    for one in ALL_DOWN:
        engine.insert(one)
        changes = engine.drain()
        if changes.from_us is not None:
            ends = [o.span.ended_us for o in changes.outages]
            told[one.at_us // SECOND] = (_shown(changes)[0], ends)
    assert list(told) == [20, 360, 380, 680, 700]
    assert told[360] == ((300, 360, "PARTIAL"), [])
    assert told[380] == ((320, 380, "DOWN"), [None])
    assert told[680] == ((620, 680, "PARTIAL"), [620 * SECOND])
    assert told[700] == ((640, 700, "UP"), [])


def test_an_outage_that_goes_on_is_not_told_again() -> None:
    engine = _engine(one for one in ALL_DOWN if one.at_us < 400 * SECOND)
    (outage,) = engine.drain().outages
    assert outage.span.ended_us is None
    for one in ALL_DOWN:
        if 400 * SECOND <= one.at_us < 600 * SECOND:
            engine.insert(one)
    assert not engine.drain().outages
    (now,) = engine.outages(600 * SECOND)
    assert (now.id, now.span.downtime_us) == (outage.id, 280 * SECOND)


def test_x12_late_results_make_an_outage_end_and_others_vanish() -> None:
    regions = (("a", 0), ("b", 20), ("c", 40))
    cut = [one for name, offset in regions for one in every_minute(name, offset, DOWN, until=341)]
    engine = _engine(cut)
    (before,) = engine.drain().outages
    for name, offset in regions:
        for one in every_minute(name, offset, start=360):
            engine.insert(one)
    changes = engine.drain()
    (after,) = changes.outages
    assert (before.id, after.span.ended_us) == (after.id, 380 * SECOND)
    assert changes.from_us == 380 * SECOND
    # Failures before it move its start: gone under one name, new under another.
    engine.insert(sample("a", 290, "D"))
    engine.insert(sample("b", 280, "D"))
    changes = engine.drain()
    (moved,) = changes.outages
    assert moved.span.started_us < after.span.started_us
    assert changes.gone == (after.id,)


def test_x13_any_order_gives_the_same() -> None:
    shuffled = [*ALL_DOWN, *ALL_DOWN]
    random.Random(13).shuffle(shuffled)
    engines = _engine(ALL_DOWN), _engine(shuffled)
    window = (0, 900 * SECOND, 900 * SECOND)
    assert engines[0].segments(*window) == engines[1].segments(*window)
    assert engines[0].outages(900 * SECOND) == engines[1].outages(900 * SECOND)


def test_s10_a_late_anchor_round_voids_what_was_counted() -> None:
    samples = [*every_minute("a", 0, DOWN), *every_minute("b", 20), *every_minute("c", 40)]
    engine = _engine(sorted(samples, key=lambda one: one.at_us))
    assert any(one[2] == "PARTIAL" for one in _shown(engine.drain()))
    rounds = dict.fromkeys(range(10, 900, 20), (4, 4)) | dict.fromkeys(range(310, 610, 20), (1, 4))
    for one in anchors("a0", rounds):
        assert engine.insert_anchor(one)
    changes = engine.drain()
    assert changes.from_us == 300 * SECOND
    assert _shown(changes) == [(300, 880, "UP")]


def test_labels_are_those_of_the_instant() -> None:
    engine = _engine(ALL_DOWN)
    expected = {"a": Label.DOWN, "b": Label.DOWN, "c": Label.UP}
    assert engine.labels(330 * SECOND) == expected
    assert engine.labels(5000 * SECOND) == dict.fromkeys("abc", Label.NONE)


def test_silence_shows_when_it_is_asked_for() -> None:
    engine = _engine(ALL_DOWN)
    engine.drain()
    tail = engine.intervals(800 * SECOND, 2000 * SECOND, 1500 * SECOND)
    assert [(one.to_us // SECOND, one.verdict) for one in tail] == [(1010, "UP"), (1500, "UNKNOWN")]
    assert not engine.drain()


def test_what_is_settled_takes_no_more_evidence_and_no_memory() -> None:
    engine = _engine(every_minute("a", 0, until=86_400) + every_minute("b", 20, until=86_400))
    engine.drain()
    settled_us = engine.settle(80_000 * SECOND)
    assert settled_us == 80_000 * SECOND == engine.settled_us
    assert not engine.insert(sample("a", 79_999, seq=5))
    assert not engine.insert_anchor(*anchors("a0", {79_999: (3, 3)}))
    # It could change the bounds of the hold before it; from two times F on, nothing reaches back so far.
    assert not engine.insert(sample("a", 80_299, seq=5))
    assert engine.open_us == settled_us + 300 * SECOND
    assert engine.insert(sample("a", 80_301, seq=6))
    segments = engine.segments(0, 86_400 * SECOND, 86_400 * SECOND)
    assert segments[0].from_us == settled_us
    assert {one.verdict for one in segments} == {"UP"}


def test_an_open_outage_is_kept_whole() -> None:
    engine = _engine(one for one in ALL_DOWN if one.at_us < 600 * SECOND)
    (outage,) = engine.drain().outages
    assert engine.settle(590 * SECOND) < outage.span.started_us
    assert engine.outages(600 * SECOND)[0].id == outage.id


def test_s15_an_outage_that_is_over_is_settled_though_nothing_else_happens() -> None:
    engine = _engine(one for one in ALL_DOWN if one.at_us < 800 * SECOND)
    (outage,) = engine.drain().outages
    assert outage.span.ended_us is not None
    for region, offset in (("a", 0), ("b", 20), ("c", 40)):
        for one in every_minute(region, offset, start=840, until=40_000):
            engine.insert(one)
            assert not engine.drain().outages
    assert engine.settle(30_000 * SECOND) == 30_000 * SECOND
    assert engine.outages(40_000 * SECOND) == []


def test_s15_time_alone_ends_an_outage_that_is_abandoned() -> None:
    engine = _engine(one for one in ALL_DOWN if one.at_us < 600 * SECOND)
    (before,) = engine.drain().outages
    until_us = 710 * SECOND  # when too few votes are left
    (silent,) = engine.drain(2000 * SECOND).outages
    assert (silent.id, silent.span.until_us, silent.span.ended_us) == (before.id, until_us, None)
    due_us = until_us + 86_400 * SECOND
    assert not engine.drain(due_us - 2).outages
    (ended,) = engine.drain(due_us - 1).outages
    assert (ended.id, ended.span.ended_us) == (before.id, until_us)
    assert not engine.drain(due_us + 9 * SECOND)
    assert engine.settle(due_us) == due_us


def test_s10_a_round_that_voids_what_is_settled_is_not_taken() -> None:
    samples = [*every_minute("a", 0, until=3000), *every_minute("b", 20, until=86_400)]
    engine = _engine(sorted(samples, key=lambda one: one.at_us))
    (good,) = anchors("a0", {2000: (3, 3)})
    engine.insert_anchor(good)
    engine.drain()
    assert engine.settle(80_000 * SECOND) == 80_000 * SECOND
    before = engine.segments(0, 90_000 * SECOND, 90_000 * SECOND)
    bad, again = anchors("a0", {86_000: (0, 3), 86_100: (3, 3)})
    assert not engine.insert_anchor(bad), "it voids back to the good round"
    assert engine.insert_anchor(again)
    assert engine.segments(0, 90_000 * SECOND, 90_000 * SECOND) == before


def test_settling_waits_for_a_drain() -> None:
    engine = _engine(ALL_DOWN)
    before_us = engine.settled_us
    assert engine.settle(800 * SECOND) == before_us


def test_a_check_that_is_retired_is_unknown_from_then_on() -> None:
    engine = _engine(ALL_DOWN)
    engine.drain()
    engine.revise([*always(policy()), PolicyRevision(700 * SECOND, None)])
    changes = engine.drain()
    assert (changes.from_us, _shown(changes)) == (700 * SECOND, [(700, 880, "UNKNOWN")])
    assert engine.labels(800 * SECOND) == {}


@pytest.mark.parametrize("outcome", ["U", "D"])
def test_an_agent_error_is_never_evidence(outcome: str) -> None:
    engine = _engine(ALL_DOWN)
    engine.drain()
    engine.insert(sample("a", 900, "E"))
    assert not engine.drain()
    engine.insert(sample("a", 900, outcome))
    assert bool(engine.drain()) is (outcome == "D")
