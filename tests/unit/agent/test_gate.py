"""The gate: rates by total, target and address, orders behind the schedule, and the number of checks."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.gate import Gate
from agent.core.policy import Policy
from agent.core.rates import Meter, Toll, refused_toll
from agent.core.schedule import sparse
from agent.core.terms import Rate, Rates, Terms
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import REFUSED_CHECKS_SCHEDULED_MAX
from vedette.shared.slots import Cadence

SECOND = 1_000_000


def checks(*names: str, host: str = "shop.example") -> list[Check]:
    data = [{"id": n, "service": "s", "icmp": {"host": host}} for n in names]
    return [msgspec.convert(one, Check) for one in data]


def gate(*enforced: Check, **terms: Any) -> Gate:
    made = Gate()
    made.enforce(Policy(terms=Terms(**terms)), enforced)
    return made


def rates(**texts: str) -> Rates:
    return replace(Rates(), **{name: Rate.of(text) for name, text in texts.items()})


def launched(at: Gate, check: str, times: int, *, every_us: int = 0, **how: bool) -> int:
    """How many of so many runs may begin."""
    return sum(at.launch(check, i * every_us, **how) is None for i in range(times))


def test_a_burst_is_cut_to_the_rate_of_its_target() -> None:
    at = gate(*checks("a", "b"), rates=rates(target="5/s"))
    assert launched(at, "a", 3) + launched(at, "b", 100) == 6  # five, and one for slack
    refusal = at.launch("a", 0)
    assert refusal is not None
    assert refusal.kind is Failure.POLICY_RATE
    assert refusal.detail == "this site runs 5/s probes of shop.example at most"
    assert at.launch("a", SECOND // 5) is None
    assert at.refused[Failure.POLICY_RATE] == 98


def test_other_targets_are_not_burdened_but_the_total_is() -> None:
    other = checks("c", host="other.example")
    at = gate(*checks("a"), *other, rates=rates(target="5/s", total="8/s"))
    assert launched(at, "a", 10) == 6
    assert launched(at, "c", 10) == 3
    refusal = at.launch("c", 0)
    assert refusal is not None
    assert refusal.detail == "this site runs 8/s probes in all at most"


@given(runs=st.integers(1, 50), every_us=st.integers(1, 2 * SECOND))
def test_over_time_no_more_than_the_rate_is_launched(runs: int, every_us: int) -> None:
    at = gate(*checks("a"), rates=rates(target=f"{runs}/s"))
    times = 400
    most = runs + 1 + times * every_us * runs // SECOND
    assert launched(at, "a", times, every_us=every_us) <= most + 1


def test_a_check_that_runs_at_exactly_its_rate_is_never_refused() -> None:
    at = gate(*checks("a"), rates=rates(target="1/m"))
    for run, early_us in enumerate([0, 900, 0, 500, 0, 0, 999, 0]):
        assert at.launch("a", run * 60 * SECOND - early_us) is None


def test_orders_leave_half_of_the_burst_to_the_schedule_and_are_only_counted() -> None:
    at = gate(*checks("a"), rates=rates(target="10/s"))
    assert launched(at, "a", 1000, is_order=True) == 6
    assert at.refused_orders == 994
    assert not at.refused
    assert launched(at, "a", 100) == 5


def test_a_name_for_every_run_does_not_get_around_the_rate_of_an_address() -> None:
    at = gate(rates=rates(address="3/s"))
    reached = [at.connect("192.0.2.7", 0) for _ in range(10)]
    assert reached.count(None) == 4
    assert reached[-1] == "this site reaches one address 3/s at most"
    assert at.connect("192.0.2.8", 0) is None


def test_names_without_end_do_not_take_memory_without_end() -> None:
    meter, rate = Meter(keys_max=3), Rate.of("1/h")
    tried = [refused_toll([Toll(rate, meter, f"host-{i}")], 0) for i in range(10)]
    assert [toll is None for toll in tried] == [True] * 3 + [False] * 7
    later = 3 * 3600 * SECOND
    assert refused_toll([Toll(rate, meter, "host-9")], later) is None


def test_another_rate_begins_anew_and_another_policy_with_the_same_rates_does_not() -> None:
    at = gate(*checks("a"), rates=rates(target="1/s"))
    assert launched(at, "a", 10) == 2
    same = replace(at.policy.terms, checks_max=5)
    at.enforce(replace(at.policy, terms=same), checks("a"))
    assert launched(at, "a", 10) == 0
    at.enforce(replace(at.policy, terms=replace(same, rates=rates(target="30/s"))), checks("a"))
    assert launched(at, "a", 10) == 10


def test_checks_beyond_the_number_are_refused_in_the_order_of_their_ids() -> None:
    at = gate(*checks("d", "a", "c", "b"), checks_max=2)
    assert sorted(at.refusals) == ["c", "d"]
    refusal = at.launch("d", 0)
    assert refusal is not None
    assert refusal.kind is Failure.POLICY_CHECKS
    assert at.launch("a", 0) is None


def test_a_check_that_is_refused_for_another_reason_takes_no_place() -> None:
    http = msgspec.convert({"id": "a", "service": "s", "http": {"url": "http://h/"}}, Check)
    at = gate(http, *checks("b"), checks_max=1, kinds=frozenset({"icmp"}))
    assert {c: r.kind for c, r in at.refusals.items()} == {"a": Failure.POLICY_KIND}


def test_a_policy_that_changes_holds_at_once() -> None:
    at = gate(*checks("a"), is_paused=True)
    refusal = at.launch("a", 0)
    assert refusal is not None
    assert refusal.kind is Failure.POLICY_PAUSED
    at.enforce(Policy(), checks("a"))
    assert at.launch("a", 0) is None


def test_refusals_at_connect_are_counted_with_the_others() -> None:
    at = gate()
    for kind in ("policy_refused", "policy_refused", "connect_timeout", None):
        at.count(kind)
    assert dict(at.refused) == {"policy_refused": 2}


def test_refused_checks_speak_at_most_once_a_minute_and_not_without_end() -> None:
    cadences = {f"c{i:05}": Cadence(SECOND, 7) for i in range(5000)} | {
        "slow": Cadence(90 * SECOND, 9)
    }
    spoken = sparse(cadences, set(cadences) - {"c00001"})
    assert spoken["c00001"] == Cadence(SECOND, 7)
    assert len(spoken) == REFUSED_CHECKS_SCHEDULED_MAX + 1
    assert {c.interval_us for name, c in spoken.items() if name != "c00001"} == {60 * SECOND}
    assert sparse({"slow": cadences["slow"]}, {"slow"}) == {"slow": cadences["slow"]}


@pytest.mark.parametrize("interval_us", [1, 7, 59, 60, 61])
def test_a_sparse_slot_is_one_of_the_slots_of_the_check(interval_us: int) -> None:
    own = Cadence(interval_us * SECOND, 3)
    (made,) = sparse({"a": own}, {"a"}).values()
    assert made.interval_us % own.interval_us == 0
    assert made.interval_us >= 60 * SECOND
    assert made.phase_us == own.phase_us
