"""What was known at an instant is the same whether it is made out at once or step by step."""

import pytest

from controller.services.contracts import foresight
from controller.services.contracts.foresight import Foresight, NotYet
from controller.services.contracts.sight import PastSight, StoredSight, Told
from tests.unit.services.conftest import SECOND, START, Running, World
from tests.unit.services.report_stage import REGIONS, Stage

CHECK = "shop-home"
HOUR = 3600 * SECOND
SPAN = (START, START + 4 * HOUR)


@pytest.fixture
async def stage(world: World, running: Running) -> Stage:
    """Five hours with an outage over the end of the first of two, and another one within an hour."""
    made = Stage(world, running)
    for rank, region in enumerate(REGIONS):
        at_us = START - HOUR // 2 + rank * 20 * SECOND
        for minutes, outcome in ((85, "up"), (12, "down"), (70, "up"), (5, "down"), (110, "up")):
            await made.probe(region, at_us, at_us + minutes * 60 * SECOND, outcome)
            at_us += minutes * 60 * SECOND
    return made


def at_once(stage: Stage, known_us: int) -> Told:
    world = stage.world
    with world.storage.transaction() as tx:
        return PastSight(tx, world.evaluator, known_us).told(CHECK, *SPAN)


def step_by_step(stage: Stage, known_us: int) -> tuple[Told, int]:
    world, remembered, steps = stage.world, Foresight(), 0
    while True:
        with world.storage.transaction() as tx:
            sight = remembered.over(PastSight(tx, world.evaluator, known_us), 1)
            try:
                return sight.told(CHECK, *SPAN), steps
            except NotYet:
                steps += 1


@pytest.mark.parametrize("minutes", [45, 60, 300])
async def test_parts_come_to_what_is_told_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    monkeypatch.setattr(foresight, "_PART_US", minutes * 60 * SECOND)
    for known_us in (START + HOUR + 300 * SECOND, START + 3 * HOUR, stage.tick()):
        found, steps = step_by_step(stage, known_us)
        expected = at_once(stage, known_us)
        assert list(found.stretches) == list(expected.stretches)
        assert list(found.spans) == list(expected.spans)
        assert steps == -(-240 // minutes) - 1
    assert len(at_once(stage, stage.tick()).spans) == 2


async def test_what_is_told_by_all_that_is_stored_now_is_never_remembered(stage: Stage) -> None:
    world = stage.world
    with world.storage.transaction() as tx:
        sight = StoredSight(tx, world.evaluator, stage.tick())
        assert Foresight().over(sight, 1) is sight
