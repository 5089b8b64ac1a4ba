"""Severity as outages show it (S-17): by what the fleet file in force said at their time."""

import pytest

from controller.core.severity import Severity
from controller.services.outages.outages import Outages
from tests.unit.services.conftest import FLEET, Running, World
from tests.unit.services.story import REGIONS, Story

CRITICAL = FLEET.replace(b"{id: shop}", b"{id: shop, criticality: critical}")


@pytest.fixture
def story(world: World, running: Running) -> Story:
    return Story(world, running)


@pytest.fixture
def outages(world: World) -> Outages:
    return Outages(world.storage, world.evaluator, lambda: world.now_us)


def apply(story: Story, text: bytes) -> None:
    assert not story.world.fleets.apply(text, "fleet.yaml", "ada").problems


async def test_what_is_declared_later_makes_no_older_outage_graver(
    story: Story, outages: Outages
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    await story.rounds(10, 15)
    apply(story, CRITICAL)
    await story.rounds(15, 20, down=REGIONS)
    await story.rounds(20, 25)
    newer, older = outages.list()
    assert (newer.severity, older.severity) == (Severity.P1, Severity.P2)
    assert [len(one.severities) for one in (newer, older)] == [1, 1]


async def test_what_changes_while_it_lasts_is_its_history(story: Story, outages: Outages) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    apply(story, CRITICAL)
    turned_us = story.world.now_us
    await story.rounds(10, 15, down=REGIONS)
    (one,) = outages.list()
    assert one.severity is Severity.P2, "what people were called for"
    (before, after) = one.severities
    assert (before.from_us, before.to_us) == (one.body.started_us, turned_us)
    assert (after.from_us, after.severity) == (turned_us, Severity.P1)


async def test_a_check_that_moves_to_another_service_takes_its_weight(
    story: Story, outages: Outages
) -> None:
    moved = FLEET.replace(b"{id: shop}", b"{id: shop}, {id: pay, criticality: critical}")
    moved = moved.replace(b"id: shop-home, service: shop", b"id: shop-home, service: pay")
    apply(story, moved)
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    (one,) = outages.list()
    assert (one.service, one.severity) == ("pay", Severity.P1)
