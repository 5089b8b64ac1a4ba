"""A backtest says of the stored results what a fleet with that rule would have said, and writes nothing."""

import json
from functools import partial

import msgspec
import pytest

from controller.core.backtest import Difference, Timeline, paired
from controller.core.intervals import FOREVER_US
from controller.core.outages import outages, spans
from controller.core.policy import always, policy_of
from controller.core.timeline import (
    downtime,
    evidence_until,
    judged_samples,
    timeline,
    verdict_intervals,
)
from controller.errors import BadInput, NotFound
from controller.services.timeline import evaluate
from controller.services.timeline.backtest import Backtests
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.test_history import MINUTE, REGIONS, ROUNDS, Fate, live
from vedette.shared.definitions import Quorum, Rule

END = START + (ROUNDS + 1) * MINUTE


STEP = 37 * MINUTE + 11 * SECOND


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "_KEPT_US", 20 * MINUTE)


def backtested(
    world: World, rule: str, from_us: int = START, to_us: int = END
) -> tuple[Timeline, Timeline]:
    """Both timelines, put together from parts as the command does."""
    tests = Backtests(world.storage, world.fleets, world.evaluator, lambda: world.now_us)
    actual, other = Timeline(), Timeline()
    for at_us in range(from_us, max(min(to_us, world.now_us), from_us + 1), STEP):
        end_us = min(at_us + STEP, to_us)
        times = {"from_us": at_us, "to_us": end_us, "horizon_us": to_us}
        part = tests.judged(rule.encode(), "shop-home", **times)
        actual.add(part.actual)
        other.add(part.other)
    return actual, other


@pytest.mark.parametrize("seed", range(2))
async def test_the_rule_in_force_says_what_is_on_record(
    world: World, running: Running, seed: int
) -> None:
    await live(world, running, Fate(seed))
    actual, other = backtested(world, "{}")
    assert actual == other
    assert {pair.difference for pair in paired(actual, other)} <= {Difference.SAME}
    with world.storage.transaction() as tx:
        stored = [(one.started_us, one.ended_us) for one in tx.outages("shop-home")]
    told = [(span.started_us, span.ended_us) for span in spans(actual.segments)]
    assert told == stored[::-1]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "quorum",
    [
        pytest.param(Quorum(rule=Rule.ANY, fail_after=1, recover_after=1), id="any"),
        pytest.param(Quorum(rule=Rule.ALL, fail_after=3), id="all"),
        pytest.param(Quorum(rule=Rule.K_OF, k=2, partial_weight="regions"), id="2 of n"),
    ],
)
async def test_read_in_steps_it_equals_everything_read_at_once(
    world: World, running: Running, seed: int, quorum: Quorum
) -> None:
    await live(world, running, Fate(seed))
    rule = {"rule": quorum.rule.value, "fail_after": quorum.fail_after, "k": quorum.k}
    rule |= {"recover_after": quorum.recover_after, "partial_weight": quorum.partial_weight}
    if quorum.k is None:
        del rule["k"]
    _, other = backtested(world, json.dumps(rule))
    fleet = world.fleets.fleet()
    assert fleet is not None
    check = fleet.checks["shop-home"]
    policies = always(policy_of(msgspec.structs.replace(check, quorum=quorum)))
    horizon_us = min(END, world.now_us)
    with world.storage.transaction() as tx:
        agents = [f"{region}-1" for region in REGIONS]
        evidence = evidence_until(
            tx.samples("shop-home", 0, FOREVER_US), tx.anchors(agents, 0, FOREVER_US), horizon_us
        )
    segments = timeline(evidence, policies, START, horizon_us)
    expected = outages(segments, partial(judged_samples, evidence))
    assert spans(other.segments) == [one.span for one in expected]
    assert other.downtime_us == downtime(segments)
    assert verdict_intervals(other.segments) == verdict_intervals(segments)


async def test_nothing_is_written(world: World, running: Running) -> None:
    await live(world, running, Fate(1))
    before = world.view()
    backtested(world, "{rule: any, fail_after: 1}")
    assert world.view() == before


async def test_one_region_that_fails_is_new_under_any(world: World, running: Running) -> None:
    for number in range(1, 9):
        for place, region in enumerate(REGIONS):
            at_us = START + number * MINUTE + place * 20 * SECOND
            world.now_us = at_us + SECOND
            outcome = "down" if region == "fra" and 3 <= number < 6 else "up"
            await running.give(frame(number, line(number, at_us, outcome, region)), region)
    (pair,) = paired(*backtested(world, "{rule: any}"))
    assert (pair.difference, pair.actual) == (Difference.NEW, None)
    assert pair.other is not None
    assert pair.other.started_us == START + 3 * MINUTE
    assert pair.other.downtime_us == 3 * MINUTE
    assert paired(*backtested(world, "{rule: majority}")) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param("{rule: majorty}", "--rule:1: rule: expected one of", id="no such rule"),
        pytest.param("{rule: k_of}", "--rule:1: k: expected k together with rule k_of", id="no k"),
        pytest.param("{rule: any, fail_after: 0}", "--rule:1: fail_after: expected", id="0 times"),
        pytest.param("{freshness: 61s}", "--rule:1: freshness: expected at least", id="too fresh"),
        pytest.param("{min_evidence: 9}", "--rule:1: min_evidence: expected at most", id="nine"),
        pytest.param("{", ": expected valid YAML", id="no YAML"),
        pytest.param("7", "--rule:1: expected", id="no mapping"),
    ],
)
def test_a_rule_is_refused_as_in_a_fleet_file(world: World, rule: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        backtested(world, rule)
    assert message in str(caught.value)


def test_several_faults_of_a_rule_are_told_at_once(world: World) -> None:
    with pytest.raises(BadInput) as caught:
        backtested(world, "{rule: k_of, fail_after: 0, kk: 2}")
    assert len(str(caught.value).splitlines()) == 2


def test_a_time_without_length_or_end_is_refused(world: World) -> None:
    tests = Backtests(world.storage, world.fleets, world.evaluator, lambda: END)
    for from_us, to_us in ((START, START), (END + MINUTE, END + 2 * MINUTE)):
        with pytest.raises(BadInput, match="a start before the end and before now"):
            tests.judged(b"{}", "shop-home", from_us=from_us, to_us=to_us, horizon_us=to_us)
    with pytest.raises(BadInput, match="at most 1d at once, found 86400000001us"):
        tests.judged(
            b"{}", "shop-home", from_us=START, to_us=START + 86_400_000_001, horizon_us=END
        )


def test_an_unknown_check_is_named(world: World) -> None:
    tests = Backtests(world.storage, world.fleets, world.evaluator, lambda: END)
    with pytest.raises(NotFound, match="no check 'shop-hone'"):
        tests.judged(b"{}", "shop-hone", from_us=START, to_us=END, horizon_us=END)
