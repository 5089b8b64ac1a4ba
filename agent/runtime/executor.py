"""Runs probes: bounded in number, each with a hard deadline, each with the lag it was launched with.

A probe that could not be started near its time, or did not end at its deadline, says something about this
agent and nothing about the target: such a finding is agent_error.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agent.core.assertions import Assertion
from agent.core.verdict import clipped, verdict
from agent.ports import Clock, Observation, Prober
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    LAUNCH_LAG_US_MAX,
    LINE_BYTES_MAX,
    OVERRUN_US_MAX,
    PROBES_AT_ONCE_MAX,
    PROBES_PER_CHECK_MAX,
)
from vedette.shared.result import ClockReading, Outcome, ResultLine, Trigger, encode_line

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one run of a check found. Becomes a line when the pipeline adds who, where and which number."""

    at_us: int
    took_us: int
    lag_us: int
    outcome: Outcome
    kind: str | None = None
    detail: str | None = None
    addr: str | None = None
    phases: dict[str, int] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    expectations: tuple[Assertion, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """What the pipeline knows of a line: whose it is, and where it stands in its stream."""

    agent: str
    region: str
    epoch: str
    stream: str
    seq: int
    rev: str | None = None
    slot: int | None = None
    trigger: Trigger = Trigger.SCHEDULE
    clock: ClockReading = field(default_factory=ClockReading)


async def run_once(
    check: Check, prober: Prober, clock: Clock, *, due_us: int | None = None
) -> Finding:
    """Run `check` now. `due_us` is when it should have been started; the lag is 0 without it.

    asyncio.CancelledError passes; everything else becomes a finding.
    """
    at_us, started_us = clock.wall_us(), clock.monotonic_us()
    lag_us = 0 if due_us is None else max(at_us - due_us, 0)
    if lag_us > LAUNCH_LAG_US_MAX:
        detail = f"started {lag_us / 1e6:.1f} s late, because this agent was busy"
        return _agent_error(at_us, 0, lag_us, Failure.LATE_LAUNCH, detail)
    try:
        async with asyncio.timeout((check.timeout_us + OVERRUN_US_MAX) / 1e6):
            seen = await prober.probe(check)
    except TimeoutError:
        took_us = clock.monotonic_us() - started_us
        detail = f"stopped {took_us / 1e6:.1f} s after its start, with a timeout of {check.timeout}"
        return _agent_error(at_us, took_us, lag_us, Failure.OVERRAN, detail)
    except Exception as error:  # noqa: BLE001 - a defect in one prober must not end the others; logged
        _log.exception("probe.failed", extra={"check": check.id})
        took_us = clock.monotonic_us() - started_us
        detail = f"the prober failed: {type(error).__name__}"
        return _agent_error(at_us, took_us, lag_us, Failure.AGENT_FAULT, detail)
    return _finding(check, seen, at_us, lag_us)


def line_of(finding: Finding, check: Check, place: Place) -> ResultLine:
    """The line that `finding` is at `place`, within the bound of a line.

    Facts give way first when there is too much; what decides the outcome always stays.
    """
    line = ResultLine(
        agent=place.agent,
        epoch=place.epoch,
        stream=place.stream,
        seq=place.seq,
        check=check.id,
        region=place.region,
        rev=place.rev,
        slot=place.slot,
        trigger=place.trigger,
        at=finding.at_us,
        took=finding.took_us,
        lag=finding.lag_us,
        clock=place.clock,
        outcome=finding.outcome,
        kind=finding.kind,
        detail=clipped(finding.detail),
        attempts=finding.attempts,
        addr=finding.addr,
        phases=finding.phases or None,
        **_facts(check.kind, finding.facts),
    )
    if len(encode_line(line)) <= LINE_BYTES_MAX:
        return line
    short = {key: value for key, value in finding.facts.items() if isinstance(value, int)}
    return _with_facts(line, check.kind, {**short, "cut": True})


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
        self._places = asyncio.Semaphore(at_once)
        self._running: Counter[str] = Counter()

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of probe that this agent runs."""
        return frozenset(self._probers)

    @property
    def running(self) -> int:
        """Runs that hold or wait for a place."""
        return self._running.total()

    def has_room_for(self, check: str) -> bool:
        """Another run of `check` may be started. If not, its slot is missed, and to be counted as such."""
        return self._running[check] < PROBES_PER_CHECK_MAX

    async def run(self, check: Check, due_us: int | None = None) -> Finding:
        """Run `check`, due at `due_us` by the wall clock (now, if not given), when a place is free.

        asyncio.CancelledError passes; everything else becomes a finding.
        """
        if due_us is None:
            due_us = self._clock.wall_us()
        prober = self._probers.get(check.kind)
        if prober is None:
            detail = f"this agent has no prober for {check.kind}"
            return _agent_error(self._clock.wall_us(), 0, 0, Failure.UNRUNNABLE, detail)
        self._running[check.id] += 1
        try:
            return await self._run_in_place(check, prober, due_us)
        finally:
            self._running[check.id] -= 1
            if not self._running[check.id]:
                del self._running[check.id]

    async def _run_in_place(self, check: Check, prober: Prober, due_us: int) -> Finding:
        try:
            async with asyncio.timeout(LAUNCH_LAG_US_MAX / 1e6):
                await self._places.acquire()
        except TimeoutError:
            now_us = self._clock.wall_us()
            detail = "no place was free in time: this agent runs as many probes as it may"
            return _agent_error(now_us, 0, now_us - due_us, Failure.LATE_LAUNCH, detail)
        try:
            return await run_once(check, prober, self._clock, due_us=due_us)
        finally:
            self._places.release()


def _finding(check: Check, seen: Observation, at_us: int, lag_us: int) -> Finding:
    result = verdict(check, seen)
    return Finding(
        at_us=at_us,
        took_us=seen.took_us,
        lag_us=lag_us,
        outcome=result.outcome,
        kind=result.kind,
        detail=result.detail,
        addr=seen.addr,
        phases=seen.phases,
        facts=seen.facts,
        expectations=result.expectations,
    )


def _agent_error(at_us: int, took_us: int, lag_us: int, kind: Failure, detail: str) -> Finding:
    return Finding(at_us, took_us, lag_us, Outcome.AGENT_ERROR, kind, detail)


def _facts(kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {kind: facts} if facts else {}


def _with_facts(line: ResultLine, kind: str, facts: dict[str, Any]) -> ResultLine:
    values = {name: getattr(line, name) for name in ResultLine.__struct_fields__}
    return ResultLine(**{**values, kind: facts})
