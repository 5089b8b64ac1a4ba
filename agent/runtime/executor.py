"""Runs probes: bounded in number, each with a hard deadline, each with the lag that it suffered.

A probe that could not be started near its time, that did not end at its deadline, or while which this agent
stood still, says something about this agent and nothing about the target: such a finding is agent_error.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from agent.ports import Clock, Observation, Prober
from agent.runtime.heartbeat import Heartbeat
from agent.runtime.judge import Judge, Judged
from agent.runtime.line import Finding
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    LAUNCH_LAG_US_MAX,
    LOOP_LAG_US_MAX,
    OVERRUN_US_MAX,
    PROBES_AT_ONCE_MAX,
    PROBES_PER_CHECK_MAX,
)
from vedette.shared.result import Outcome

_log: Final = logging.getLogger(__name__)


async def run_once(
    check: Check,
    prober: Prober,
    clock: Clock,
    *,
    lag_us: int = 0,
    heartbeat: Heartbeat | None = None,
    judge: Judge | None = None,
) -> Finding:
    """Run `check` now, `lag_us` after it was due, and judge what was seen.

    asyncio.CancelledError passes; everything else becomes a finding.
    """
    at_us = clock.wall_us()
    if lag_us > LAUNCH_LAG_US_MAX:
        detail = f"started {lag_us / 1e6:.1f} s late, because this agent was busy"
        return _agent_error(at_us, 0, lag_us, Failure.LATE_LAUNCH, detail)
    pulse = heartbeat or Heartbeat(clock.monotonic_us)
    begun_us = pulse.begin()
    try:
        with pulse.deadlines.after(check.timeout_us + OVERRUN_US_MAX):
            seen = await prober.probe(check)
    except TimeoutError:
        seen = _overran(check, clock.monotonic_us() - begun_us)
    except Exception as error:  # noqa: BLE001 - a defect in one prober must not end the others; logged
        seen = _broken(check, clock.monotonic_us() - begun_us, error)
    finally:
        loop_lag_us = pulse.end(begun_us)
    judged = await (judge or Judge(clock)).verdict(check, seen)
    return _finding(judged, seen, at_us=at_us, lag_us=lag_us, loop_lag_us=loop_lag_us)


def _overran(check: Check, took_us: int) -> Observation:
    allowed = f"a timeout of {check.timeout_us / 1e6:g} s"
    detail = f"stopped {took_us / 1e6:.1f} s after its start, with {allowed}"
    return Observation(took_us, Failure.OVERRAN, detail, is_agent_fault=True)


def _broken(check: Check, took_us: int, error: Exception) -> Observation:
    _log.error("probe.failed", extra={"check": check.id}, exc_info=error)
    detail = f"the prober failed: {type(error).__name__}"
    return Observation(took_us, Failure.AGENT_FAULT, detail, is_agent_fault=True)


class Executor:
    """Runs checks with the prober of their kind, at most `at_once` at a time, first come first served.

    No check takes part with more than PROBES_PER_CHECK_MAX runs at a time, so that one slow target
    cannot take the places of the others. A run that waits for a place longer than LAUNCH_LAG_US_MAX is
    given up as late.
    """

    def __init__(
        self, probers: Mapping[str, Prober], clock: Clock, at_once: int = PROBES_AT_ONCE_MAX
    ) -> None:
        self._probers = probers
        self._clock = clock
        self.places = at_once
        self._places = asyncio.Semaphore(at_once)
        self._running: dict[str, int] = {}
        self._heartbeat = Heartbeat(clock.monotonic_us)
        self._judge = Judge(clock)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of probe that this agent runs."""
        return frozenset(self._probers)

    @property
    def running(self) -> int:
        """Runs that hold or wait for a place."""
        return sum(self._running.values())

    def has_room_for(self, check: str) -> bool:
        """Another run of `check` may be started. If not, its slot is missed, and to be counted as such."""
        return self._running.get(check, 0) < PROBES_PER_CHECK_MAX

    async def run(self, check: Check, due_us: int | None = None) -> Finding:
        """Run `check`, due at `due_us` by the wall clock (now, if not given), when a place is free.

        asyncio.CancelledError passes; everything else becomes a finding.
        """
        lag_us = 0 if due_us is None else max(self._clock.wall_us() - due_us, 0)
        prober = self._probers.get(check.kind)
        if prober is None:
            detail = f"this agent has no prober for {check.kind}"
            return _agent_error(self._clock.wall_us(), 0, 0, Failure.UNRUNNABLE, detail)
        running, name = self._running, check.id
        running[name] = running.get(name, 0) + 1
        try:
            return await self._run_in_place(check, prober, lag_us)
        finally:
            left = running.pop(name) - 1
            if left:
                running[name] = left

    async def _run_in_place(self, check: Check, prober: Prober, lag_us: int) -> Finding:
        """What was late when the run came counts by the wall clock, and the wait for a place by the steady one."""
        if not self._places.locked():
            await self._places.acquire()
        else:
            come_us = self._clock.monotonic_us()
            is_in_time = await self._has_waited()
            lag_us += self._clock.monotonic_us() - come_us
            if not is_in_time:
                detail = "no place was free in time: this agent runs as many probes as it may"
                now_us = self._clock.wall_us()
                return _agent_error(now_us, 0, lag_us, Failure.LATE_LAUNCH, detail)
        try:
            return await run_once(
                check,
                prober,
                self._clock,
                lag_us=lag_us,
                heartbeat=self._heartbeat,
                judge=self._judge,
            )
        finally:
            self._places.release()

    async def _has_waited(self) -> bool:
        """A place was taken within the bound."""
        try:
            async with asyncio.timeout(LAUNCH_LAG_US_MAX / 1e6):
                await self._places.acquire()
        except TimeoutError:
            return False
        return True


def _finding(
    judged: Judged, seen: Observation, *, at_us: int, lag_us: int, loop_lag_us: int
) -> Finding:
    """What was judged, unless the agent's own standing still is most of what was seen.

    Standing still while judging came after the probe: it is told of, and changes nothing.
    """
    result = judged.verdict
    outcome, kind, detail = result.outcome, result.kind, result.detail
    phases = seen.phases
    if loop_lag_us > max(LOOP_LAG_US_MAX, seen.took_us // 10) and not seen.is_agent_fault:
        detail = (
            f"this agent stood still for {loop_lag_us / 1000:.0f} ms of the {seen.took_us / 1000:.0f} ms "
            f"that the probe took; it would have been {outcome}"
        )
        outcome, kind, phases = Outcome.AGENT_ERROR, Failure.DISTORTED, None
    return Finding(
        at_us=at_us,
        took_us=seen.took_us,
        lag_us=lag_us,
        outcome=outcome,
        kind=kind,
        detail=detail,
        addr=seen.addr,
        phases=phases,
        facts=seen.facts,
        expectations=result.expectations,
        loop_lag_us=max(loop_lag_us, judged.stood_us),
    )


def _agent_error(at_us: int, took_us: int, lag_us: int, kind: Failure, detail: str) -> Finding:
    return Finding(at_us, took_us, lag_us, Outcome.AGENT_ERROR, kind, detail)
