"""Before evidence is handed over, agents seal out of turn, and the last lines are waited for: not for ever."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.services.evidence.fresh_seals import FreshSeals
from tests.fakes.storage import InlineWorker
from tests.unit.services.test_seals import Agent, World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    made.running.cancel()


def fresh(world: World, asked: list[str], *, seconds_max: float = 30.0) -> FreshSeals:
    def ask() -> list[str]:
        asked.append("asked")
        return ["fra-1"]

    return FreshSeals(InlineWorker(), world.storage, world.seals, ask, seconds_max)


async def test_it_waits_for_the_seal_over_the_last_line(world: World) -> None:
    asked: list[str] = []
    agent = Agent()
    world.lines(1, 3)
    waiting = asyncio.ensure_future(fresh(world, asked).arrived())
    await world.seals.submit("fra-1", "peer", agent.seal(1, 2))
    assert asked == ["asked"]
    assert not waiting.done()
    await world.seals.submit("fra-1", "peer", agent.seal(3, 3))
    assert await waiting


async def test_what_is_sealed_already_is_not_waited_for(world: World) -> None:
    world.lines(1, 2)
    await world.seals.submit("fra-1", "peer", Agent().seal(1, 2))
    assert await fresh(world, []).arrived()


async def test_an_agent_that_does_not_seal_is_given_up(world: World) -> None:
    world.lines(1, 2)
    assert not await fresh(world, [], seconds_max=0.01).arrived()
