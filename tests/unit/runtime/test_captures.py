"""When a failure is captured: at the first one only, beside everything else, in the check's next line."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.runtime import captures as module
from agent.runtime.captures import Captures
from agent.runtime.line import Finding
from tests.unit.agent.checks import check_of
from vedette.shared.definitions import Check
from vedette.shared.limits import CAPTURES_AT_ONCE_MAX, CAPTURES_WAITING_MAX
from vedette.shared.result import Outcome


@dataclass
class Looking:
    """A capture that ends when it is told to."""

    asked: list[tuple[str, str | None, bool]] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    async def of(self, check: Check, addr: str | None, *, has_answer: bool) -> dict[str, Any]:
        self.asked.append((check.id, addr, has_answer))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.go.wait()
        finally:
            self.at_once -= 1
        return {"route": {"reached": True}}


def found(outcome: Outcome, **facts: object) -> Finding:
    return Finding(at_us=100, took_us=5, lag_us=0, outcome=outcome, addr="192.0.2.1", facts=facts)


DOWN = found(Outcome.DOWN)
UP = found(Outcome.UP)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_failure_is_captured_and_goes_with_the_next_line() -> None:
    looking = Looking()
    captures, check = Captures(looking), check_of()
    captures.saw(check, found(Outcome.DOWN, status=502), 7)
    assert captures.ready_for("c") is None
    looking.go.set()
    await settled()
    assert looking.asked == [("c", "192.0.2.1", True)]
    assert captures.ready_for("c") == {"of": {"seq": 7, "at": 100}, "route": {"reached": True}}
    assert captures.ready_for("c") is None


async def test_it_is_not_repeated_until_the_check_has_been_up_again() -> None:
    looking = Looking()
    looking.go.set()
    captures, check = Captures(looking), check_of()
    for seq, finding in enumerate([DOWN, DOWN, found(Outcome.AGENT_ERROR), DOWN]):
        captures.saw(check, finding, seq)
        await settled()
    assert len(looking.asked) == 1
    captures.saw(check, found(Outcome.DEGRADED), 8)
    captures.saw(check, DOWN, 9)
    await settled()
    assert len(looking.asked) == 2


@pytest.mark.parametrize("finding", [UP, found(Outcome.DEGRADED), found(Outcome.AGENT_ERROR)])
async def test_only_failures_of_the_target_are_captured(finding: Finding) -> None:
    looking = Looking()
    Captures(looking).saw(check_of(), finding, 1)
    await settled()
    assert looking.asked == []


async def test_an_outage_of_everything_is_captured_a_few_at_a_time_and_not_without_end() -> None:
    looking = Looking()
    captures = Captures(looking)
    most = CAPTURES_AT_ONCE_MAX + CAPTURES_WAITING_MAX
    for number in range(most + 1):
        captures.saw(check_of(id=f"c{number}"), DOWN, number)
    await settled()
    assert looking.most_at_once == CAPTURES_AT_ONCE_MAX
    refused = captures.ready_for(f"c{most}")
    assert refused == {
        "of": {"seq": most, "at": 100}, "fault": "too many checks of this agent failed at once",
    }  # fmt: skip
    looking.go.set()
    await settled()
    await asyncio.gather(*captures._tasks.values())
    assert len(looking.asked) == most


async def test_one_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAPTURE_US_MAX", 10_000)
    captures = Captures(Looking())
    captures.saw(check_of(), DOWN, 1)
    await asyncio.gather(*captures._tasks.values())
    assert captures.ready_for("c") == {
        "of": {"seq": 1, "at": 100}, "fault": "not seen within 0.01 s",
    }  # fmt: skip


async def test_what_is_not_run_any_more_is_forgotten() -> None:
    looking = Looking()
    captures = Captures(looking)
    captures.saw(check_of(), DOWN, 1)
    await settled()
    captures.forget("c")
    await settled()
    assert looking.at_once == 0
    captures.saw(check_of(), DOWN, 2)
    looking.go.set()
    await settled()
    assert captures.ready_for("c") == {"of": {"seq": 2, "at": 100}, "route": {"reached": True}}


async def test_a_stop_waits_for_nothing() -> None:
    looking = Looking()
    captures = Captures(looking)
    captures.saw(check_of(), DOWN, 1)
    await settled()
    await captures.stop()
    assert looking.at_once == 0
