"""Laws of the ledger of outages: what comes in order never changes what was told of the past."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from controller.ports.events import EventKind
from controller.services.outages.outage_body import decode_body
from controller.services.outages.telling import seen
from tests.property.life.ledger import told_by_restart, wrong_in_ledger
from tests.unit.services.conftest import SECOND, Running, World
from tests.unit.services.story import REGIONS, Story


@pytest.mark.parametrize("seed", range(4))
async def test_s21_in_order_only_edges_are_revised(
    seed: int, world: World, running: Running
) -> None:
    """Regions fail and recover at random, and nothing is late: of what lies inside an outage that goes on,
    nothing is ever told otherwise than before."""
    chance = random.Random(seed).random
    story = Story(world, running)
    down = dict.fromkeys(REGIONS, False)
    for number in range(1, 150):
        for place, region in enumerate(REGIONS):
            if chance() < 0.15:
                down[region] = not down[region]
            if chance() < 0.97:
                await story.one(number, region, is_down=down[region], place=place)
        if chance() < 0.1:
            world.evaluator.advance(world.now_us)
    with world.storage.transaction() as tx:
        events = tx.events_after(0, 100_000)
    kinds = Counter(one.kind for one in events)
    assert kinds[EventKind.OPENED] > 3, "the story has outages"
    for number in {one.number for one in events}:
        own = [one for one in events if one.number == number]
        for old, new in pairwise(own):
            if new.kind is EventKind.REVISED:
                assert seen(decode_body(old.body)) != seen(decode_body(new.body))
    assert wrong_in_ledger(world.storage) == []
    world.now_us += SECOND
    world.evaluator.advance(world.now_us)
    assert told_by_restart(world.storage, world.now_us) == []
