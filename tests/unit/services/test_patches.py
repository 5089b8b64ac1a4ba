"""Late evidence of long ago: a stretch is patched, the engine goes on, and all is as the oracle says."""

from collections.abc import Callable, Iterator

import pytest

from controller.services.timeline.evaluate import Evaluator
from tests.property.machine import CHECK, MINUTE, SECOND, START, Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Five hours in which every region succeeded, settled."""
    made = Machine()
    made.calm(300)
    made.evaluator.settle()
    yield made
    made.end()


@pytest.fixture
def read_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Checks that were judged anew, with all of their evidence until now."""
    found: list[str] = []
    whole: Callable[..., None] = Evaluator._judge_anew

    def noted(self: Evaluator, tx: object, check: str, *rest: object) -> None:
        found.append(check)
        whole(self, tx, check, *rest)

    monkeypatch.setattr(Evaluator, "_judge_anew", noted)
    return found


def _late(machine: Machine, region: str, minutes: range, outcome: str = "down") -> None:
    machine.give(
        *(
            machine.written(region, "late", START + minute * MINUTE + 7 * SECOND, outcome=outcome)
            for minute in minutes
        )
    )


def _outages(machine: Machine) -> list[tuple[str, str]]:
    with machine.storage.transaction() as tx:
        return [(one.handle, one.check) for one in tx.outages(CHECK)]


def test_s23_one_late_result_of_long_ago_is_judged_by_what_is_around_it(
    machine: Machine, read_anew: list[str]
) -> None:
    _late(machine, "sin", range(100, 101))
    assert read_anew == []
    assert machine.told_otherwise() == []
    assert machine.stored_otherwise() == []


def test_x12_a_late_outage_of_long_ago_is_recorded_and_one_that_was_none_is_withdrawn(
    machine: Machine, read_anew: list[str]
) -> None:
    for region in ("fra", "nyc"):
        stamps = [START + minute * MINUTE + k for minute in (101, 102) for k in range(2, 5)]
        machine.give(*(machine.written(region, "late", at, outcome="down") for at in stamps))
    assert machine.stored_otherwise() == []
    for region in ("fra", "nyc"):
        times = range(START + 101 * MINUTE + SECOND, START + 103 * MINUTE, 10 * SECOND)
        machine.give(*(machine.written(region, "later", at, outcome="up") for at in times))
    assert machine.told_otherwise() == []
    assert machine.stored_otherwise() == []
    assert read_anew == []


def test_an_outage_that_three_late_regions_saw_gets_a_handle(
    machine: Machine, read_anew: list[str]
) -> None:
    for region in ("fra", "nyc", "sin"):
        times = range(START + 100 * MINUTE, START + 110 * MINUTE, 20 * SECOND)
        machine.give(*(machine.written(region, "late", at, outcome="down") for at in times))
    assert len(_outages(machine)) == 1
    assert read_anew == []
    assert machine.told_otherwise() == []
    machine.crash(is_rebuilt=True)
    assert machine.told_otherwise() == []
    assert machine.stored_otherwise() == []


def test_what_reaches_into_the_engine_is_judged_with_it(
    machine: Machine, read_anew: list[str]
) -> None:
    _late(machine, "sin", range(270, 272))
    assert read_anew == [CHECK]
    assert machine.stored_otherwise() == []


def test_a_late_result_does_not_wake_what_it_does_not_concern(machine: Machine) -> None:
    """The stretch is patched: what has come live meanwhile is judged as ever."""
    _late(machine, "sin", range(100, 103))
    machine.calm(15)
    machine.now_us += MINUTE
    for region in ("fra", "nyc"):
        for k in (3, 2):
            at_us = machine.now_us - k * SECOND
            machine.give(machine.written(region, "e", at_us, outcome="down"))
    assert machine.told_otherwise() == []
    assert machine.stored_otherwise() == []
