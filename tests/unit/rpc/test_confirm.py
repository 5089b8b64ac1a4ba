"""Confirm now: at once, to every region of the check, and not again within a while."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from controller.core.fleet import read_fleet
from controller.rpc.confirm import Confirmation
from vedette.shared.result import Trigger

T = TypeVar("T")
SPACING_SECONDS = 0.2
FLEET = read_fleet(
    b"""
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: shop}]
checks:
  - {id: home, service: shop, http: {url: "http://shop.example/"}}
  - {id: name, service: shop, regions: [fra], dns: {name: shop.example}}
""",
    "fleet.yaml",
)


class Asked:
    """Stands for the open sessions; keeps who was asked what, and when."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, Sequence[str], Sequence[str], Trigger]] = []
        self._changed = asyncio.Event()

    def probe(self, checks: Sequence[str], regions: Sequence[str], trigger: Trigger) -> list[str]:
        self.calls.append((time.monotonic(), checks, regions, trigger))
        self._changed.set()
        return []

    async def times(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.calls) < count:
                self._changed.clear()
                await self._changed.wait()


class HereAndNow:
    async def run(self, work: Callable[[], T]) -> T:
        return work()


@pytest.fixture
async def running() -> AsyncIterator[tuple[Confirmation, Asked]]:
    asked: Any = Asked()
    fleets: Any = SimpleNamespace(fleet=lambda: FLEET)
    confirmation = Confirmation(HereAndNow(), fleets, asked, spacing_seconds=SPACING_SECONDS)
    task = asyncio.create_task(confirmation.run())
    yield confirmation, asked
    task.cancel()
    await asyncio.wait([task])


async def test_every_region_of_the_check_is_asked(running: tuple[Confirmation, Asked]) -> None:
    confirmation, asked = running
    confirmation.ask(["home", "name", "gone"])
    await asked.times(2)
    assert {(tuple(c), tuple(r)) for _, c, r, _ in asked.calls} == {
        (("home",), ("fra", "nyc", "sin")),
        (("name",), ("fra",)),
    }
    assert {trigger for *_, trigger in asked.calls} == {Trigger.CONFIRM}


async def test_two_looks_are_never_of_the_same_moment(
    running: tuple[Confirmation, Asked],
) -> None:
    confirmation, asked = running
    confirmation.ask(["home"])
    await asked.times(1)
    for _ in range(5):
        confirmation.ask(["home"])
    await asked.times(2)
    assert asked.calls[1][0] - asked.calls[0][0] >= SPACING_SECONDS * 0.95
    confirmation.ask(["name"])
    await asked.times(3)
    assert [list(checks) for _, checks, _, _ in asked.calls] == [["home"], ["home"], ["name"]]
