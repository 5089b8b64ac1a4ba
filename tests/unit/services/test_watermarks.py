"""Who is waited for before a period is final (S-22), and up to when each was heard."""

from dataclasses import replace

import pytest

from controller.core.calendars import period_named
from controller.core.sla.reports.period_life import Heard
from controller.ports.custody import AgentStanding, Standing
from controller.ports.postings import Mode, Posting
from controller.services.contracts.watermarks import heard_of
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line

DAY = period_named("2025-06-15", "UTC")
LAST = DAY.to_us - 60 * SECOND


@pytest.fixture
async def scene(world: World, running: Running) -> World:
    """All three regions are heard in the day, and two after it."""
    for region in ("fra", "nyc", "sin"):
        world.now_us = LAST + 30 * SECOND
        await running.give(
            frame(1, line(1, START, "up", region), line(2, LAST, "up", region)), region
        )
    world.now_us = DAY.to_us + 120 * SECOND
    for region in ("fra", "nyc"):
        await running.give(frame(3, line(3, DAY.to_us + 60 * SECOND, "up", region)), region)
        with world.storage.transaction() as tx:
            record = tx.agent(f"{region}-1")
            assert record is not None
            tx.put_agent(replace(record, seen_us=world.now_us))
    return world


def heard(world: World, check: str = "shop-home") -> list[Heard]:
    with world.storage.transaction() as tx:
        return heard_of(tx, {check: world.evaluator.checks(tx)[check]}, DAY)


AFTER = DAY.to_us + 60 * SECOND
FRA, NYC = Heard("fra-1", AFTER), Heard("nyc-1", AFTER)


async def test_s22_an_agent_is_waited_for_until_a_later_result_of_it(scene: World) -> None:
    assert heard(scene) == [FRA, NYC, Heard("sin-1", LAST)]


@pytest.mark.parametrize("how", ["revoked", "drained"])
async def test_s22_nobody_waits_for_who_was_given_up(scene: World, how: str) -> None:
    with scene.storage.transaction() as tx:
        if how == "revoked":
            tx.put_standing(AgentStanding("sin-1", Standing.REVOKED, scene.now_us))
        else:
            tx.put_posting(Posting("sin-1", 0, mode=Mode.DRAIN))
    assert heard(scene) == [FRA, NYC]


async def test_s22_who_is_only_paused_may_still_hold_results(scene: World) -> None:
    with scene.storage.transaction() as tx:
        tx.put_posting(Posting("sin-1", 0, mode=Mode.PAUSE))
    assert Heard("sin-1", LAST) in heard(scene)


async def test_s22_who_was_never_heard_since_may_hold_anything(scene: World) -> None:
    """Of the other check nobody gave a result: who was seen since the day ended has none of it."""
    assert heard(scene, "shop-dns") == [Heard("sin-1", None)]


async def test_s22_an_agent_that_came_after_the_period_is_not_waited_for(scene: World) -> None:
    with scene.storage.transaction() as tx:
        record = tx.agent("sin-1")
        assert record is not None
        tx.put_agent(replace(record, id="sin-2", enrolled_us=DAY.to_us))
    assert [one.agent for one in heard(scene)] == ["fra-1", "nyc-1", "sin-1"]


async def test_s22_a_check_that_was_taken_out_before_the_end_waits_for_nobody(scene: World) -> None:
    scene.now_us = LAST
    text = b"""version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: shop}]
checks: [{id: shop-dns, service: shop, every: 60s, timeout: 5s, dns: {name: shop.example}}]
"""
    assert not scene.fleets.apply(text, "fleet.yaml", "ada").problems
    assert heard(scene) == []
