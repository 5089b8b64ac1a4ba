"""A backtest says of the stored results what a fleet with that rule would have said, and writes nothing."""

import json
from functools import partial

import msgspec
import pytest

from controller.core.intervals import FOREVER_US
from controller.core.outages import outages
from controller.core.policy import always, policy_of
from controller.core.timeline import downtime, evidence_until, judged_samples, timeline
from controller.errors import BadInput, NotFound
from controller.services import backtest, evaluate
from controller.services.backtest import Backtested, Backtests
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.test_history import MINUTE, REGIONS, ROUNDS, Fate, live
from vedette.shared.definitions import Quorum, Rule
from vedette.shared.limits import BACKTEST_US_MAX

END = START + (ROUNDS + 1) * MINUTE


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "_STEP_US", 37 * MINUTE + 11 * SECOND)
    monkeypatch.setattr(evaluate, "_KEPT_US", 20 * MINUTE)


def backtested(world: World, rule: str, from_us: int = START, to_us: int = END) -> Backtested:
    tests = Backtests(world.storage, world.fleets, world.evaluator, lambda: world.now_us)
    begun = tests.begin(rule.encode(), "shop-home", from_us, to_us)
    while begun.step():
        pass
    return begun.result()


@pytest.mark.parametrize("seed", range(2))
async def test_the_rule_in_force_says_what_is_on_record(
    world: World, running: Running, seed: int
) -> None:
    await live(world, running, Fate(seed))
    found = backtested(world, "{}")
    assert found.actual == found.other
    assert {pair.difference for pair in found.outages} <= {"same"}
    with world.storage.transaction() as tx:
        stored = {one.handle: one.started_us for one in tx.outages("shop-home")}
    told = {pair.handle: pair.actual.started_us for pair in found.outages if pair.actual}
    assert told == stored


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
    found = backtested(world, json.dumps(rule))
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
    told = [
        (pair.other.started_us, pair.other.ended_us, pair.other.downtime_us)
        for pair in found.outages
        if pair.other is not None
    ]
    assert told == [
        (one.span.started_us, one.span.ended_us, one.span.downtime_us) for one in expected
    ]
    assert found.other.downtime_us == -(-downtime(segments) // 1)


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
    (pair,) = backtested(world, "{rule: any}").outages
    assert (pair.difference, pair.handle, pair.actual) == ("new", None, None)
    assert pair.other is not None
    assert pair.other.started_us == START + 3 * MINUTE
    assert pair.other.downtime_us == 3 * MINUTE
    assert backtested(world, "{rule: majority}").outages == []


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
    for from_us, to_us in ((START, START), (END + MINUTE, END + 2 * MINUTE)):
        with pytest.raises(BadInput, match="a start before the end and before now"):
            backtested(world, "{}", from_us, to_us)
    world.now_us = START + 2 * BACKTEST_US_MAX
    with pytest.raises(BadInput, match="at most 92 days"):
        backtested(world, "{}", START, START + BACKTEST_US_MAX + 1)


def test_an_unknown_check_is_named(world: World) -> None:
    tests = Backtests(world.storage, world.fleets, world.evaluator, lambda: END)
    with pytest.raises(NotFound, match="no check 'shop-hone'"):
        tests.begin(b"{}", "shop-hone", START, END)
