"""The loop's own lag: measured while probes run, in their lines, and never taken for a slow target."""

import asyncio
import time
from collections.abc import Callable

import pytest

from agent.ports import Observation
from agent.runtime.clock import SystemClock
from agent.runtime.executor import Executor, run_once
from agent.runtime.heartbeat import Heartbeat
from tests.unit.agent.checks import check_of
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import HEARTBEAT_US, LOOP_LAG_US_MAX
from vedette.shared.result import Outcome

BLOCK_SECONDS = 1.5 * LOOP_LAG_US_MAX / 1e6


class Blocking:
    """A prober that is answered at once, and whose loop stands still before it can look."""

    def __init__(self, seconds: float, seen: Callable[[int], Observation]) -> None:
        self._seconds = seconds
        self._seen = seen

    async def probe(self, check: Check) -> Observation:
        begun = time.monotonic_ns()
        answered = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_soon(time.sleep, self._seconds)
        loop.call_soon(answered.set)
        await answered.wait()
        return self._seen((time.monotonic_ns() - begun) // 1000)


def up(took_us: int) -> Observation:
    return Observation(
        took_us, addr="192.0.2.1", variables={"status": 200}, facts={"status": 200}, phases={"connect": took_us}
    )  # fmt: skip


def timed_out(took_us: int) -> Observation:
    return Observation(took_us, Failure.CONNECT_TIMEOUT, "no connection")


def unrunnable(took_us: int) -> Observation:
    return Observation(took_us, Failure.NO_ROUTE, "no way", is_agent_fault=True)


@pytest.mark.parametrize("seen", [up, timed_out])
async def test_a_probe_during_which_the_agent_stood_still_says_nothing_of_the_target(
    seen: Callable[[int], Observation],
) -> None:
    finding = await run_once(check_of(), Blocking(BLOCK_SECONDS, seen), SystemClock())
    assert (finding.outcome, finding.kind) == (Outcome.AGENT_ERROR, Failure.DISTORTED)
    assert finding.loop_lag_us is not None
    assert finding.loop_lag_us > LOOP_LAG_US_MAX
    assert finding.detail is not None
    assert "this agent stood still for" in finding.detail
    assert f"it would have been {'up' if seen is up else 'down'}" in finding.detail
    assert finding.phases is None


async def test_an_agent_error_keeps_its_own_reason() -> None:
    finding = await run_once(check_of(), Blocking(BLOCK_SECONDS, unrunnable), SystemClock())
    assert finding.kind == Failure.NO_ROUTE
    assert finding.loop_lag_us is not None
    assert finding.loop_lag_us > LOOP_LAG_US_MAX


async def test_a_lag_within_the_bound_stands_in_the_line_and_changes_nothing() -> None:
    def long_ago(took_us: int) -> Observation:
        return up(took_us + 10_000_000)  # a tenth of it is far more than the lag

    finding = await run_once(check_of(), Blocking(BLOCK_SECONDS, long_ago), SystemClock())
    assert finding.outcome is Outcome.UP
    assert finding.loop_lag_us is not None
    assert finding.loop_lag_us > LOOP_LAG_US_MAX


async def test_every_probe_that_was_under_way_knows_of_it() -> None:
    executor = Executor({"http": Blocking(BLOCK_SECONDS, up)}, SystemClock())
    checks = [check_of(id="a"), check_of(id="b")]
    findings = await asyncio.gather(*(executor.run(check) for check in checks))
    assert [f.kind for f in findings] == [Failure.DISTORTED, Failure.DISTORTED]


class Hand:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.us = 1_000_000

    def __call__(self) -> int:
        return self.us


async def test_what_was_late_before_a_probe_began_is_not_its_lag() -> None:
    hand = Hand()
    heartbeat = Heartbeat(hand)
    first = heartbeat.begin()
    hand.us += HEARTBEAT_US + 50_000
    heartbeat._beat()
    hand.us += 1_000
    second = heartbeat.begin()
    assert heartbeat.end(second) == 0
    assert heartbeat.end(first) == 50_000


async def test_a_beat_that_has_not_come_yet_counts_as_late_by_now() -> None:
    hand = Hand()
    heartbeat = Heartbeat(hand)
    heartbeat.begin()
    hand.us += HEARTBEAT_US
    begun = heartbeat.begin()
    hand.us += 70_000
    assert heartbeat.end(begun) == 70_000


async def test_the_timer_stops_with_the_last_probe() -> None:
    heartbeat = Heartbeat(Hand())
    beating = [heartbeat.is_beating]
    heartbeat.end(heartbeat.begin())
    beating.append(heartbeat.is_beating)
    heartbeat._beat()
    beating.append(heartbeat.is_beating)
    assert beating == [False, True, False]
