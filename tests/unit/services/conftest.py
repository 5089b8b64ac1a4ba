"""A controller's services over storage in memory, and lines as an agent of three regions writes them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from controller.errors import ControllerError
from controller.ports.agents import AgentRecord
from controller.services.fleet.apply import Fleets
from controller.services.results.frames import Accepted, IncomingFrame, Refused
from controller.services.results.ingest import Ingest
from controller.services.results.turns import News
from controller.services.timeline.evaluate import Evaluator
from tests.fakes.storage import FakeStorage, InlineWorker

FLEET = b"""\
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: shop}]
checks:
  - {id: shop-home, service: shop, every: 60s, timeout: 10s, http: {url: "https://shop.example/"}}
  - {id: shop-dns, service: shop, every: 60s, timeout: 5s, dns: {name: shop.example}}
"""
SECOND = 1_000_000
START = 1_750_000_000 * SECOND


def line(seq: int, at_us: int, outcome: str = "up", region: str = "fra", **more: Any) -> bytes:
    """A result line of the region's one agent."""
    data = {
        "agent": f"{region}-1", "epoch": "e1", "stream": "shop", "seq": seq, "check": "shop-home",
        "region": region, "at": at_us, "outcome": outcome,
    }  # fmt: skip
    return msgspec.json.encode({**data, **more}) + b"\n"


def frame(first_seq: int, *lines: bytes, lost: int = 0, **more: Any) -> IncomingFrame:
    parts = {"epoch": "e1", "stream": "shop", "first_seq": first_seq, "count": len(lines)}
    return IncomingFrame(**{**parts, "lines": b"".join(lines), "lost": lost, **more})


@dataclass
class World:
    """What the services of one controller share."""

    storage: FakeStorage
    now_us: int = START
    suspects: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.storage.transaction() as tx:
            for region in ("fra", "nyc", "sin"):
                tx.put_agent(AgentRecord(f"{region}-1", region, "box", 1, b"", b"", "0a", None, 2))
        self.restart()

    def restart(self) -> None:
        """New services over the same storage, as after a crash."""
        self.evaluator = Evaluator(self.storage)
        self.fleets = Fleets(self.storage, self.evaluator, lambda: self.now_us)
        self.ingest = Ingest(
            InlineWorker(),
            self.evaluator,
            lambda: self.now_us,
            on_news=self._note,
            retry_seconds_min=0.001,
        )

    def _note(self, news: News) -> None:
        self.suspects += [turn.check for turn in news.turns if turn.is_failure]

    def view(self) -> dict[str, Any]:
        """Everything that was computed: stored and in memory."""
        seen: dict[str, Any] = {}
        with self.storage.transaction() as tx:
            for check in self.evaluator.checks(tx):
                now = self.now_us
                segments = self.evaluator.segments(tx, check, START, now, now)
                intervals = self.evaluator.intervals(tx, check, START, now, now)
                seen[check] = (segments, intervals, tx.outages(check))
        return seen


@pytest.fixture
def storage() -> Iterator[FakeStorage]:
    opened = FakeStorage()
    yield opened
    opened.close()


@pytest.fixture
def world(storage: FakeStorage) -> World:
    made = World(storage)
    # In force since before the first result.
    made.now_us = START - 3600 * SECOND
    assert not made.fleets.apply(FLEET, "fleet.yaml", "ada").problems
    made.now_us = START
    return made


class Running:
    """A running ingest and a short way to submit to it."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def give(
        self, submitted: IncomingFrame, region: str = "fra", agent: str | None = None
    ) -> Accepted | Refused:
        return await self.world.ingest.submit(agent or f"{region}-1", region, submitted)

    def give_soon(
        self, submitted: IncomingFrame, region: str = "fra"
    ) -> "asyncio.Task[Accepted | Refused]":
        """Submit without waiting: what is given so before anything is awaited comes in one batch."""
        return asyncio.create_task(self.give(submitted, region))

    async def ended(self) -> None:
        """Wait until ingest has ended by itself."""
        await self._task

    async def restart(self) -> None:
        """Crash and start again."""
        await self.stop()
        self.world.restart()
        self.start()

    def start(self) -> None:
        self._task = asyncio.create_task(self.world.ingest.run())

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError, ControllerError):
            await self._task


@pytest.fixture
async def running(world: World) -> AsyncIterator[Running]:
    made = Running(world)
    made.start()
    yield made
    await made.stop()
