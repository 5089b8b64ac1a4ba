"""What is stored beside what the lines say: equal whatever befell, and every tampering is told."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec import structs

from controller.ports.outcomes import OutageScope, StoredInterval
from controller.services.outages.outage_body import decode_body, encode_body
from controller.services.timeline.recompute import recomputed
from tests.property.machine import CHECK, MINUTE, REGIONS, Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    """An hour, an outage of five minutes, and two hours more; the first part settled."""
    made = Machine()
    made.calm(60)
    for _ in range(5):
        made.now_us += MINUTE
        made.give(*(made.written(region, "e", made.now_us, outcome="down") for region in REGIONS))
    made.calm(120)
    made.evaluator.settle()
    yield made
    made.end()


def _differences(machine: Machine) -> list[str]:
    found = recomputed(machine.storage.transaction)
    assert found.checks == 1
    return [what for _, what in found.differences]


def test_what_is_stored_equals_the_lines_in_however_many_readings(machine: Machine) -> None:
    for at_once in (1, 100, 10**6):
        found = recomputed(machine.storage.transaction, results_at_once=at_once)
        assert (found.checks, found.results, found.outages) == (1, 555, 1)
        assert found.differences == []
    assert recomputed(machine.storage.transaction, ["no-such-check"]).checks == 0


def test_an_outage_that_is_not_stored_is_told(machine: Machine) -> None:
    with machine.storage.transaction() as tx:
        (outage,) = tx.outages(CHECK, scope=OutageScope.ALL)
        tx.delete_outage(outage.number)
    (what,) = _differences(machine)
    assert what == f"an outage from {outage.started_us} is not stored"


def test_an_outage_that_the_lines_do_not_tell_of_is_told(machine: Machine) -> None:
    with machine.storage.transaction() as tx:
        (outage,) = tx.outages(CHECK)
        body = decode_body(outage.body)
        forged = encode_body(structs.replace(body, id="f" * 64))
        tx.put_outage(replace(outage, number=0, body=forged))
    (what,) = _differences(machine)
    assert what.startswith(f"an outage from {outage.started_us} is stored, and the lines do not")


def test_a_field_of_an_outage_that_is_another_is_named(machine: Machine) -> None:
    with machine.storage.transaction() as tx:
        (outage,) = tx.outages(CHECK)
        body = decode_body(outage.body)
        shorter = structs.replace(body, downtime_us=7)
        tx.put_outage(replace(outage, body=encode_body(shorter)))
    (what,) = _differences(machine)
    assert what.startswith(
        f"outage from {outage.started_us}: downtime_us is stored as 7, the lines"
    )


def test_an_outage_under_two_handles_is_told(machine: Machine) -> None:
    with machine.storage.transaction() as tx:
        (outage,) = tx.outages(CHECK)
        tx.put_outage(replace(outage, number=0))
    (what,) = _differences(machine)
    assert what == f"an outage from {outage.started_us} is stored twice: OUT-1, OUT-2"


@pytest.mark.parametrize("wrong", [{"started_us": 7}, {"ended_us": None}, {"region": "fra"}])
def test_an_outage_that_is_filed_as_another_is_told(
    machine: Machine, wrong: dict[str, object]
) -> None:
    with machine.storage.transaction() as tx:
        (outage,) = tx.outages(CHECK)
        tx.put_outage(replace(outage, **wrong))  # type: ignore[arg-type]  # of each its own
    (what,) = _differences(machine)
    (name,) = wrong
    assert what.startswith(
        f"outage from {outage.started_us}: OUT-1 is filed with {name} {wrong[name]},"
    )


def test_a_verdict_that_is_another_is_named_with_its_time(machine: Machine) -> None:
    at_us = machine.now_us - 170 * MINUTE
    with machine.storage.transaction() as tx:
        forged = StoredInterval(CHECK, at_us, at_us + MINUTE, "DOWN", "DOWN", "DOWN")
        (around,) = tx.intervals(CHECK, at_us, at_us + 1)
        after = replace(around, from_us=at_us + MINUTE)
        tx.replace_intervals(CHECK, at_us, [forged, after], after.to_us)
    (what,) = _differences(machine)
    assert what.startswith(
        f"at {at_us} DOWN (least DOWN, most DOWN) until {at_us + MINUTE} is stored"
    )
    assert "the lines say UP (least UP, most UP)" in what
