"""Runs of probes: bounded, with a hard deadline, and honest about the agent's own lag."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from agent.ports import Observation
from agent.runtime.executor import Executor, run_once
from agent.runtime.line import Finding, Place, line_of
from tests.unit.agent.checks import check_of
from vedette.shared.definitions import Check
from vedette.shared.limits import (
    DETAIL_CHARS_MAX,
    LAUNCH_LAG_US_MAX,
    LINE_BYTES_MAX,
    PROBES_PER_CHECK_MAX,
)
from vedette.shared.result import ClockReading, Outcome, Trigger, decode_line, encode_line

NOW = 1_800_000_000_000_000
GOOD = Observation(took_us=1500, variables={"status": 200}, addr="192.0.2.1", phases={"resolve": 5})
PLACE = Place("fra-1", "fra", "e1", "shop", 7, "d" * 64, 3, Trigger.CONFIRM, ClockReading(5, 9))


class StillClock:
    """Stands where it was put."""

    def __init__(self) -> None:
        self.now_us = NOW

    def wall_us(self) -> int:
        return self.now_us

    def monotonic_us(self) -> int:
        return self.now_us

    async def sleep_until_us(self, wall_us: int) -> None:
        self.now_us = wall_us


class ScriptedProber:
    """Does what it was told, and remembers which checks it was given."""

    def __init__(self, script: Callable[[], Awaitable[Observation]] | None = None) -> None:
        self.given: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self._script = script

    async def probe(self, check: Check) -> Observation:
        self.given.append(check.id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return GOOD if self._script is None else await self._script()
        finally:
            self.at_once -= 1


async def test_a_run_becomes_a_finding() -> None:
    finding = await run_once(check_of(), ScriptedProber(), StillClock(), lag_us=250)
    assert (finding.at_us, finding.took_us, finding.lag_us) == (NOW, 1500, 250)
    assert (finding.outcome, finding.kind, finding.addr) == (Outcome.UP, None, "192.0.2.1")
    assert [a.holds for a in finding.expectations] == [True]


async def test_a_late_launch_is_the_agents_error_and_probes_nothing() -> None:
    prober = ScriptedProber()
    finding = await run_once(check_of(), prober, StillClock(), lag_us=LAUNCH_LAG_US_MAX + 1)
    assert (finding.outcome, finding.kind) == (Outcome.AGENT_ERROR, "late_launch")
    assert prober.given == []


async def test_a_prober_that_does_not_end_is_stopped() -> None:
    async def forever() -> Observation:
        await asyncio.Event().wait()
        return GOOD

    finding = await run_once(check_of(timeout="10ms"), ScriptedProber(forever), StillClock())
    assert (finding.outcome, finding.kind) == (Outcome.AGENT_ERROR, "overran")


async def test_a_defect_of_a_prober_is_the_agents_error(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> Observation:
        raise ZeroDivisionError("canary")

    finding = await run_once(check_of(), ScriptedProber(broken), StillClock())
    assert (finding.outcome, finding.kind) == (Outcome.AGENT_ERROR, "agent_fault")
    assert finding.detail == "the prober failed: ZeroDivisionError"
    assert caplog.messages == ["probe.failed"]


async def test_cancelling_passes() -> None:
    started = asyncio.Event()

    async def forever() -> Observation:
        started.set()
        await asyncio.Event().wait()
        return GOOD

    executor = Executor({"http": ScriptedProber(forever)}, StillClock())
    task = asyncio.create_task(executor.run(check_of()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert executor.running == 0


async def test_no_more_run_at_once_than_may() -> None:
    gate, full = asyncio.Event(), asyncio.Event()

    async def gated() -> Observation:
        if prober.at_once == 3:
            full.set()
        await gate.wait()
        return GOOD

    prober = ScriptedProber(gated)
    executor = Executor({"http": prober}, StillClock(), at_once=3)
    runs = [asyncio.create_task(executor.run(check_of(id=f"c{n}"))) for n in range(10)]
    await full.wait()
    gate.set()
    findings = await asyncio.gather(*runs)
    assert prober.most_at_once == 3
    assert prober.given == [f"c{n}" for n in range(10)]
    assert {f.outcome for f in findings} == {Outcome.UP}


async def test_one_check_does_not_take_all_places() -> None:
    gate = asyncio.Event()

    async def gated() -> Observation:
        await gate.wait()
        return GOOD

    executor = Executor({"http": ScriptedProber(gated)}, StillClock())
    runs = []
    for _ in range(PROBES_PER_CHECK_MAX):
        assert executor.has_room_for("c")
        runs.append(asyncio.create_task(executor.run(check_of())))
        await asyncio.sleep(0)
    assert not executor.has_room_for("c")
    assert executor.has_room_for("d")
    gate.set()
    await asyncio.gather(*runs)
    assert executor.has_room_for("c")


async def test_a_kind_without_prober_is_unrunnable() -> None:
    finding = await Executor({}, StillClock()).run(check_of())
    assert (finding.outcome, finding.kind) == (Outcome.AGENT_ERROR, "unrunnable")


async def test_a_finding_becomes_a_line() -> None:
    finding = Finding(
        NOW, 1500, 250, Outcome.DOWN, "bad_status", "status is 500", "192.0.2.1",
        {"resolve": 5}, {"status": 500},
    )  # fmt: skip
    line = encode_line(line_of(finding, check_of(), PLACE))
    expected = {
        "agent": "fra-1", "epoch": "e1", "stream": "shop", "seq": 7, "check": "c", "region": "fra",
        "rev": "d" * 64, "slot": 3, "trigger": "confirm", "at": NOW, "took": 1500, "lag": 250,
        "clock": {"offset": 5, "error": 9}, "outcome": "down", "kind": "bad_status",
        "detail": "status is 500", "addr": "192.0.2.1", "phases": {"resolve": 5},
        "http": {"status": 500},
    }  # fmt: skip
    assert msgspec.json.decode(line) == expected
    assert decode_line(line).outcome is Outcome.DOWN


async def test_a_line_that_would_be_too_long_loses_facts_only() -> None:
    facts = {"status": 200, "headers": ["x" * 90] * 400}
    finding = Finding(NOW, 1, 0, Outcome.DOWN, "bad_status", "d" * 9999, facts=facts)
    line = line_of(finding, check_of(), PLACE)
    assert line.http == {"status": 200, "cut": True}
    assert len(line.detail or "") == DETAIL_CHARS_MAX
    assert len(encode_line(line)) <= LINE_BYTES_MAX
