"""Rounds of anchors as lines: when they come, and what they say."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.ports import AnchorAnswer, Assignment
from agent.runtime import anchors as module
from agent.runtime.anchors import AnchorRounds, Voice
from agent.runtime.clock import SystemClock
from agent.spool.queue import DiskSpool
from controller.core.admission import admitted_line
from controller.core.samples import AnchorRound
from tests.unit.runtime.test_pipeline import Offset

TARGETS = (b"a", b"b", b"c")


@dataclass
class FakeAnchors:
    """Anchors (agent.ports) that answer as they are told."""

    failing: int = 0
    asked: list[Sequence[bytes]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, targets: Sequence[bytes]) -> Sequence[AnchorAnswer]:
        self.asked.append(targets)
        async with self.changed:
            self.changed.notify_all()
        return [
            AnchorAnswer(f"tcp {i}", "ipv4", "connect_timeout" if i < self.failing else None)
            for i in range(len(targets))
        ] + [AnchorAnswer("controller", "any", "connect_timeout" if self.failing > 3 else None)]

    async def until(self, rounds: int) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: len(self.asked) >= rounds)


@dataclass
class Post:
    rounds: AnchorRounds
    anchors: FakeAnchors
    spool: DiskSpool

    async def lines(self, count: int) -> list[bytes]:
        found: list[bytes] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                await self.spool.wait()
                found = [
                    line
                    for batch in self.spool.read({}, 1 << 20)
                    if batch.stream == "@anchors"
                    for line in batch.lines
                ]
        return found


@pytest.fixture(autouse=True)
def close_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANCHOR_APART_US_MIN", 10_000)


@asynccontextmanager
async def post(folder: Path) -> AsyncIterator[Post]:
    anchors, spool = FakeAnchors(), DiskSpool.open(folder / "spool")
    rounds = AnchorRounds(Voice("fra-1", "fra", spool, SystemClock(), Offset()), anchors)
    running = [asyncio.create_task(spool.run()), asyncio.create_task(rounds.run())]
    try:
        yield Post(rounds, anchors, spool)
    finally:
        for task in reversed(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await spool.close()


def read(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(line)
    return found


async def test_s10_a_round_is_a_line_that_the_controller_takes_for_one(tmp_path: Path) -> None:
    async with post(tmp_path) as at:
        at.rounds.adopt(Assignment("r", anchors=TARGETS, anchor_interval_us=20_000_000))
        (line,) = await at.lines(1)
        assert at.anchors.asked == [TARGETS]
        told = read(line)
        assert (told["check"], told["stream"], told["seq"], told["region"]) == (
            "@anchors", "@anchors", 1, "fra",
        )  # fmt: skip
        assert (told["ok"], told["total"], told["outcome"]) == (4, 4, "up")
        one = admitted_line(line)
        assert isinstance(one, AnchorRound)
        assert (one.ok, one.total, one.at_us, one.is_bad) == (4, 4, told["at"] - 12, False)


async def test_a_failure_brings_the_next_round_forward_and_trouble_is_told(tmp_path: Path) -> None:
    async with post(tmp_path) as at:
        at.rounds.adopt(Assignment("r", anchors=TARGETS, anchor_interval_us=20_000_000))
        await at.lines(1)
        at.anchors.failing = 3
        at.rounds.nudge()
        _, line = await at.lines(2)
        told = read(line)
        assert (told["ok"], told["total"], told["outcome"]) == (1, 4, "agent_error")
        assert told["anchors"]["failed"] == [f"tcp {i}: connect_timeout" for i in range(3)]
        one = admitted_line(line)
        assert isinstance(one, AnchorRound)
        assert one.is_bad


async def test_without_anchors_or_while_the_site_is_paused_nothing_is_asked(tmp_path: Path) -> None:
    async with post(tmp_path) as at:
        at.rounds.pause(True)
        at.rounds.adopt(Assignment("r", anchors=TARGETS))
        at.rounds.nudge()
        await turns()
        assert at.anchors.asked == []
        at.rounds.adopt(Assignment("r2", anchors=()))
        at.rounds.pause(False)
        await turns()
        assert at.anchors.asked == []
        at.rounds.adopt(Assignment("r3", anchors=TARGETS))
        await at.anchors.until(1)


async def test_the_first_round_does_not_wait_until_rounds_may_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a good round before it, trouble would begin only where it was seen (S-10)."""
    monkeypatch.setattr(module, "ANCHOR_APART_US_MIN", 15_000_000)
    async with post(tmp_path) as at:
        await turns()
        at.rounds.adopt(Assignment("r", anchors=TARGETS))
        await turns()
        assert at.anchors.asked == [TARGETS]


async def turns() -> None:
    """Let all tasks run that can; nothing that waits for an event of its own gets further."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_failures_without_end_do_not_make_rounds_without_end(tmp_path: Path) -> None:
    async with post(tmp_path) as at:
        at.rounds.adopt(Assignment("r", anchors=TARGETS, anchor_interval_us=20_000_000))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.timeout(20):
            while len(at.anchors.asked) < 5:
                at.rounds.nudge()
                await asyncio.sleep(0)
        spent = loop.time() - begun
        assert len(at.anchors.asked) <= spent / 0.010 + 2


@pytest.mark.parametrize("wanted_us", [0, 1, 10**12])
async def test_a_controller_cannot_make_rounds_come_quicker_or_slower_than_is_fit(
    tmp_path: Path, wanted_us: int
) -> None:
    async with post(tmp_path) as at:
        at.rounds.adopt(Assignment("r", anchors=TARGETS, anchor_interval_us=wanted_us))
        assert 5_000_000 <= at.rounds.interval_us <= 20_000_000
