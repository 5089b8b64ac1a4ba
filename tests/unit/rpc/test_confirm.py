"""Confirm now, the shell: what was committed becomes orders to the agents that are connected."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from controller.core.fleet import read_fleet
from controller.core.posts import Plan, Post, plan_of
from controller.core.suspicion import Turn
from controller.errors import Unreachable
from controller.rpc.confirm import Confirming
from controller.services.outages.situation import Seen
from controller.services.results.turns import News
from tests.fakes.storage import InlineWorker
from vedette.shared.result import Trigger

SECOND = 1_000_000
START = 1_750_000_000 * SECOND
REGIONS = {"fra-1": "fra", "nyc-1": "nyc", "sin-1": "sin"}
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
PLANS = {name: plan_of(check, "1") for name, check in FLEET.checks.items()}


class Asked:
    """Stands for the open sessions; keeps who was asked what."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, Sequence[str], Trigger]] = []
        self._changed = asyncio.Event()

    def regions(self) -> Mapping[str, str]:
        return REGIONS

    def order(self, agent: str, checks: Sequence[str], trigger: Trigger) -> None:
        self.orders.append((agent, tuple(checks), trigger))
        self._changed.set()

    async def until(self, count: int) -> list[tuple[str, Sequence[str], Trigger]]:
        async with asyncio.timeout(10):
            while len(self.orders) < count:
                self._changed.clear()
                await self._changed.wait()
        return sorted(self.orders)


@dataclass
class Looking:
    """Stands for the situation."""

    seen: Seen
    looks: int = 0
    is_away: bool = False
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self, connected: Mapping[str, str], now_us: int) -> Seen:
        assert connected == REGIONS
        self.looks += 1
        self.looked.set()
        if self.is_away:
            raise Unreachable("The disk is full.")
        return self.seen

    async def once_more(self) -> None:
        self.looked.clear()
        async with asyncio.timeout(10):
            await self.looked.wait()


@dataclass
class Scene:
    confirming: Confirming
    asked: Asked
    looking: Looking
    now_us: int = START

    def fails(self, check: str, agent: str = "fra-1") -> None:
        turn = Turn(check, REGIONS[agent], agent, True, self.now_us, self.now_us)
        self.confirming.hear(News([turn]))


def seen(plans: Mapping[str, Plan] = PLANS, out: frozenset[str] = frozenset()) -> Seen:
    return Seen(plans, {agent: Post(region) for agent, region in REGIONS.items()}, out)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    asked, looking = Asked(), Looking(seen())
    sessions: Any = asked
    situation: Any = looking
    made: Scene
    confirming = Confirming(InlineWorker(), situation, sessions, lambda: made.now_us)
    made = Scene(confirming, asked, looking)
    tasks = [asyncio.create_task(one) for one in (confirming.run(), confirming.keep_informed())]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_every_other_region_of_a_check_that_fails_is_asked_at_once(scene: Scene) -> None:
    scene.fails("home", "nyc-1")
    scene.fails("name", "fra-1")
    assert await scene.asked.until(2) == [
        ("fra-1", ("home",), Trigger.CONFIRM),
        ("sin-1", ("home",), Trigger.CONFIRM),
    ]


async def test_all_are_asked_again_when_the_time_for_it_has_come(scene: Scene) -> None:
    scene.fails("home")
    await scene.asked.until(2)
    scene.now_us += 2 * SECOND
    scene.confirming.hear(News())
    assert {agent for agent, *_ in (await scene.asked.until(5))} == set(REGIONS)


async def test_orders_are_logged_once_a_second(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "controller.rpc.confirm")
    scene.fails("home", "nyc-1")
    await scene.asked.until(2)
    scene.fails("name", "fra-1")
    scene.now_us += SECOND // 2
    scene.confirming.hear(News())
    scene.now_us += 3 * SECOND // 2
    scene.confirming.hear(News())
    await scene.asked.until(5)
    told = [one.looks for one in caplog.records if one.message == "probe.confirming"]  # type: ignore[attr-defined] # a field of the line
    assert told[0] == 2
    assert len(told) <= 3


async def test_a_check_that_has_just_come_into_force_is_asked_about(scene: Scene) -> None:
    await scene.looking.once_more()
    scene.looking.seen = seen({**PLANS, "new": replace(PLANS["home"], check="new")})
    scene.fails("new")
    assert {checks for _, checks, _ in await scene.asked.until(2)} == {("new",)}


async def test_a_check_that_is_retired_is_not_learnt_of_again_and_again(scene: Scene) -> None:
    await scene.looking.once_more()
    for agent in REGIONS:
        scene.fails("gone", agent)
        await asyncio.sleep(0)
    scene.fails("home")
    await scene.asked.until(2)
    assert scene.looking.looks <= 4
    assert {checks for _, checks, _ in scene.asked.orders} == {("home",)}


async def test_what_happens_before_the_first_look_waits_for_it() -> None:
    asked, looking = Asked(), Looking(seen())
    sessions: Any = asked
    situation: Any = looking
    confirming = Confirming(InlineWorker(), situation, sessions, lambda: START)
    confirming.hear(News([Turn("home", "fra", "fra-1", True, START, START)]))
    running = asyncio.create_task(confirming.run())
    await asyncio.sleep(0)
    assert asked.orders == []
    informing = asyncio.create_task(confirming.keep_informed())
    await asked.until(2)
    for task in (running, informing):
        task.cancel()
    await asyncio.wait([running, informing])


async def test_storage_that_is_away_for_a_while_stops_nothing(scene: Scene) -> None:
    await scene.looking.once_more()
    scene.looking.is_away = True
    scene.fails("home")
    await scene.asked.until(2)
    await scene.looking.once_more()
    scene.looking.is_away = False
    await scene.looking.once_more()
