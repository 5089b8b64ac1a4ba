"""A finding as a line: what one run found, where it stands, and the bound that the line keeps."""

from typing import Any

import msgspec

from agent.core.assertions import Assertion
from agent.core.verdict import clipped
from vedette.shared.definitions import Check
from vedette.shared.limits import LINE_BYTES_MAX
from vedette.shared.result import ClockReading, Outcome, ResultLine, Trigger, encode_line


class Finding(msgspec.Struct, frozen=True):
    """What one run of a check found. Becomes a line when the pipeline adds who, where and which number."""

    at_us: int
    took_us: int
    lag_us: int
    outcome: Outcome
    kind: str | None = None
    detail: str | None = None
    addr: str | None = None
    phases: dict[str, int] | None = None
    facts: dict[str, Any] = {}
    attempts: int = 1
    expectations: tuple[Assertion, ...] = ()
    loop_lag_us: int | None = None


class Place(msgspec.Struct, frozen=True):
    """What the pipeline knows of a line: whose it is, and where it stands in its stream."""

    agent: str
    region: str
    epoch: str
    stream: str
    seq: int
    rev: str | None = None
    slot: int | None = None
    trigger: Trigger = Trigger.SCHEDULE
    clock: ClockReading = ClockReading()
    capture: dict[str, Any] | None = None


def line_of(finding: Finding, check: Check, place: Place) -> ResultLine:
    """The line that `finding` is at `place`, within the bound of a line."""
    return _bounded(finding, check, place)[0]


def encoded_line(finding: Finding, check: Check, place: Place) -> bytes:
    """The bytes of that line, ending in a newline."""
    return _bounded(finding, check, place)[1]


def _bounded(finding: Finding, check: Check, place: Place) -> tuple[ResultLine, bytes]:
    """What is said at length gives way when there is too much: the capture first, then the probe's facts.

    What decides the outcome always stays.
    """
    facts, capture = finding.facts, place.capture
    line = _line(finding, check, place, facts, capture)
    data = encode_line(line)
    if len(data) > LINE_BYTES_MAX and capture is not None:
        capture = {key: capture[key] for key in ("of",) if key in capture} | {"cut": True}
        line = _line(finding, check, place, facts, capture)
        data = encode_line(line)
    if len(data) > LINE_BYTES_MAX:
        short = {key: value for key, value in facts.items() if isinstance(value, int)}
        line = _line(finding, check, place, {**short, "cut": True}, capture)
        data = encode_line(line)
    return line, data


def _line(
    finding: Finding,
    check: Check,
    place: Place,
    facts: dict[str, Any],
    capture: dict[str, Any] | None,
) -> ResultLine:
    own: dict[str, Any] = {check.kind: facts} if facts else {}
    return ResultLine(
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
        loop_lag=finding.loop_lag_us,
        clock=place.clock,
        outcome=finding.outcome,
        kind=finding.kind,
        detail=clipped(finding.detail),
        attempts=finding.attempts,
        addr=finding.addr,
        phases=finding.phases or None,
        capture=capture,
        **own,
    )
