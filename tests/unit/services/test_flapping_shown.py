"""Flapping as lists show it (S-18): of now, of the outages that are a part of it, and of no figure."""

import pytest

from controller.services.fleet.checks import Checks
from controller.services.outages.outages import Outages
from tests.unit.services.conftest import Running, World
from tests.unit.services.story import REGIONS, Story


@pytest.fixture
def story(world: World, running: Running) -> Story:
    return Story(world, running)


async def test_s18_a_check_flaps_until_it_has_been_calm_for_long_enough(
    story: Story, world: World
) -> None:
    outages = Outages(world.storage, world.evaluator, lambda: world.now_us)
    checks = Checks(world.storage, world.fleets, world.evaluator, lambda: world.now_us)
    await story.rounds(1, 30)
    assert not checks.list()[0].flapping.is_flapping
    for cycle in range(5):
        start = 30 + cycle * 5
        await story.rounds(start, start + 2, down=REGIONS)
        await story.rounds(start + 2, start + 5)
    home, other = checks.list()
    assert (home.flapping.is_flapping, other.flapping.is_flapping) == (True, False)
    assert other.flapping.percent == "0.00"
    listed = outages.list()
    assert len(listed) == 5
    assert all(one.is_flapping for one in listed)
    before = [one.body for one in listed]
    # What is known of an instant says nothing of now.
    assert not any(one.is_flapping for one in outages.list(as_of_us=world.now_us))
    await story.rounds(55, 80)
    assert not checks.list()[0].flapping.is_flapping
    after = outages.list()
    assert not any(one.is_flapping for one in after)
    assert [one.body for one in after] == before
