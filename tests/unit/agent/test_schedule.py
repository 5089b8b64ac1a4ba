"""When checks are due: laws of the schedule."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.schedule import Due, Schedule, cadences_of
from tests.unit.agent.checks import check_of
from vedette.shared.slots import Cadence, cadence_of, slot_start_us

SECOND = 1_000_000
LATE = 2 * SECOND
NOW = 1_800_000_000 * SECOND

cadences = st.builds(
    lambda interval, phase: Cadence(interval, phase % interval),
    st.integers(min_value=1, max_value=600).map(lambda s: s * SECOND),
    st.integers(min_value=0, max_value=600 * SECOND),
)


def schedule_of(cadences: dict[str, Cadence], now_us: int = NOW) -> Schedule:
    schedule = Schedule(LATE)
    schedule.replace(cadences, now_us)
    return schedule


def taken(schedule: Schedule, times: list[int]) -> list[Due]:
    return [due for now_us in times for due in schedule.take(now_us)]


@given(cadences, st.lists(st.integers(min_value=0, max_value=3600 * SECOND), max_size=30))
def test_every_slot_is_run_once_or_counted_as_missed(cadence: Cadence, steps: list[int]) -> None:
    schedule = schedule_of({"a": cadence})
    times = [NOW + sum(steps[:n]) for n in range(len(steps) + 1)]
    ran = taken(schedule, times)
    slots = [due.slot for due in ran]
    assert slots == sorted(set(slots))
    begun = [
        slot
        for slot in range(ran[0].slot if ran else 0, ran[-1].slot + 1 if ran else 0)
        if slot not in set(slots)
    ]
    assert schedule.missed >= len(begun)
    first = -(-(NOW - cadence.phase_us) // cadence.interval_us)
    last = (times[-1] - cadence.phase_us) // cadence.interval_us
    assert len(slots) + schedule.missed == max(last - first + 1, 0)


@given(cadences, st.integers(min_value=0, max_value=86_400 * SECOND))
def test_there_is_never_a_burst(cadence: Cadence, pause: int) -> None:
    schedule = schedule_of({"a": cadence})
    schedule.take(NOW)
    assert len(schedule.take(NOW + pause)) <= 1
    assert schedule.take(NOW + pause) == []


@given(cadences)
def test_nothing_runs_before_its_time_or_too_late(cadence: Cadence) -> None:
    schedule = schedule_of({"a": cadence})
    due_us = schedule.next_due_us()
    assert due_us is not None
    assert NOW <= due_us < NOW + cadence.interval_us
    assert schedule.take(due_us - 1) == []
    if cadence.interval_us > LATE + 1:
        assert schedule.take(due_us + LATE + 1) == []
        assert schedule.missed == 1
    else:
        assert [due.due_us for due in schedule.take(due_us)] == [due_us]


@given(cadences, st.integers(min_value=0, max_value=3600 * SECOND))
def test_a_restart_changes_no_slot(cadence: Cadence, later: int) -> None:
    running = schedule_of({"a": cadence})
    running.take(NOW + later)
    restarted = schedule_of({"a": cadence}, NOW + later + 1)
    at_us = restarted.next_due_us()
    assert at_us == running.next_due_us()
    assert at_us is not None
    assert running.take(at_us) == restarted.take(at_us)


@given(cadences, cadences)
def test_another_check_changes_nothing_for_this_one(cadence: Cadence, other: Cadence) -> None:
    alone, together = schedule_of({"a": cadence}), schedule_of({"a": cadence})
    together.replace({"a": cadence, "b": other}, NOW + 5)
    for now_us in range(NOW, NOW + 5 * cadence.interval_us, cadence.interval_us):
        of_a = [due for due in together.take(now_us) if due.check == "a"]
        assert of_a == alone.take(now_us)


@given(st.integers(min_value=1, max_value=12), st.integers(min_value=1, max_value=3600))
def test_regions_are_spread_evenly_over_the_interval(regions: int, interval_seconds: int) -> None:
    names = [f"r{n}" for n in range(regions)]
    interval_us = interval_seconds * SECOND
    found = [cadence_of("check", interval_us, name, names).phase_us for name in names]
    phases = sorted(found)
    gaps = [b - a for a, b in pairwise([*phases, phases[0] + interval_us])]
    assert max(gaps) - min(gaps) <= 2


def test_a_removed_check_is_not_run_and_a_changed_one_runs_anew() -> None:
    schedule = schedule_of({"a": Cadence(SECOND, 0), "b": Cadence(SECOND, 0)})
    schedule.replace({"b": Cadence(2 * SECOND, 0)}, NOW)
    assert [due.check for due in schedule.take(NOW)] == ["b"]
    schedule.replace({}, NOW)
    assert schedule.next_due_us() is None


def test_oldest_slots_come_first() -> None:
    schedule = schedule_of({"late": Cadence(10 * SECOND, 7), "early": Cadence(10 * SECOND, 3)})
    assert [due.check for due in schedule.take(NOW + 9)] == ["early", "late"]


def test_a_clock_that_was_set_back_does_not_silence_a_check() -> None:
    schedule = schedule_of({"a": Cadence(SECOND, 0)})
    schedule.take(NOW)
    schedule.stepped(NOW - 3600 * SECOND)
    assert schedule.next_due_us() == NOW - 3600 * SECOND


def test_cadences_are_those_of_the_checks_own_regions() -> None:
    checks = [check_of(id="a", regions=["fra", "nyc"]), check_of(id="b", regions=["nyc"])]
    found = cadences_of(checks, "fra")
    assert list(found) == ["a"]
    assert slot_start_us(found["a"], 0) == found["a"].phase_us


@pytest.mark.parametrize("at_once", [1, 1000])
def test_many_checks_are_given_in_one_take(at_once: int) -> None:
    schedule = schedule_of({f"c{n:04}": Cadence(SECOND, 0) for n in range(at_once)})
    assert len(schedule.take(NOW)) == at_once
    assert schedule.next_due_us() == NOW + SECOND
