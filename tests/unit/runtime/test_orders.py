"""Orders of the controller: followed at once, but never at the cost of the schedule."""

import asyncio
from pathlib import Path

import pytest

from agent.core.gate import Gate
from agent.runtime.assignments import StoredAssignment
from agent.runtime.clock import SystemClock
from agent.runtime.executor import Executor
from agent.runtime.pipeline import Pipeline, Who
from agent.spool.queue import DiskSpool
from tests.unit.runtime.test_pipeline import Offset, Probes, assignment, check
from vedette.shared.result import Trigger

PLACES = 8


@pytest.fixture
def probes() -> Probes:
    return Probes()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def pipeline(tmp_path: Path, probes: Probes, gate: Gate) -> Pipeline:
    clock = SystemClock()
    made = Pipeline(
        Who("fra-1", "fra"),
        Executor({"icmp": probes}, clock, PLACES),
        DiskSpool.open(tmp_path / "spool"),
        clock=clock,
        offset=Offset(),
        stored=StoredAssignment(tmp_path / "assignment.json"),
        gate=gate,
    )
    await made.adopt(assignment(*(check(f"c{n}", every="24h") for n in range(20))))
    return made


async def test_orders_leave_half_of_the_places_to_the_schedule(
    pipeline: Pipeline, probes: Probes, gate: Gate
) -> None:
    pipeline.probe_now([f"c{n}" for n in range(20)], Trigger.CONFIRM)
    await probes.until(lambda: len(probes.ran) == PLACES // 2)
    await asyncio.sleep(0)
    assert len(probes.ran) == PLACES // 2
    assert gate.refused_orders == 20 - PLACES // 2
    probes.free.set()
    await pipeline._finish()
    pipeline.probe_now(["c19"], Trigger.CONFIRM)
    await pipeline._finish()
    assert probes.ran[-1] == "c19"


async def test_a_check_that_an_order_names_twice_runs_once(
    pipeline: Pipeline, probes: Probes, gate: Gate
) -> None:
    pipeline.probe_now(["c1"] * 50, Trigger.CONFIRM)
    probes.free.set()
    await pipeline._finish()
    assert (probes.ran, gate.refused_orders) == (["c1"], 0)
