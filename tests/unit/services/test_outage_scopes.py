"""Outages of single regions beside those of whole checks: listed apart, told alike, explained by their region."""

import pytest

from controller.core.doubt import least_and_most
from controller.core.severity import Severity
from controller.ports.outcomes import OutageScope
from controller.services.outages.outages import Outages
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World
from tests.unit.services.story import REGIONS, Story


@pytest.fixture
def story(world: World, running: Running) -> Story:
    return Story(world, running)


@pytest.fixture
def outages(world: World) -> Outages:
    return Outages(world.storage, world.evaluator, lambda: world.now_us)


async def regional(story: Story) -> None:
    """fra alone fails in rounds 5 to 9."""
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=("fra",))
    await story.rounds(10, 15)


async def test_s14_an_outage_of_one_region_is_listed_apart(story: Story, outages: Outages) -> None:
    await regional(story)
    assert outages.list() == []
    (one,) = outages.list(scope=OutageScope.REGIONAL)
    assert (one.body.scope, one.body.region, one.body.regions) == ("regional", "fra", ["fra"])
    assert (one.body.started_us, one.body.ended_us) == (START + 300 * SECOND, START + 600 * SECOND)
    assert outages.list(scope=OutageScope.ALL) == [one]
    assert outages.show(one.handle) == one
    assert outages.count(check=None, open_only=False, scope=OutageScope.REGIONAL) == 1
    assert outages.count(check="shop-home", open_only=True, scope=OutageScope.REGIONAL) == 0


async def test_s21_it_is_shown_as_it_was_known(story: Story, outages: Outages) -> None:
    await regional(story)
    (one,) = outages.list(scope=OutageScope.REGIONAL)
    as_of_us = one.told_us - 1
    assert outages.list(as_of_us=as_of_us) == []
    (then,) = outages.list(as_of_us=as_of_us, scope=OutageScope.REGIONAL)
    assert (then.handle, then.body.ended_us) == (one.handle, None)
    view, entries = outages.history(one.handle)
    assert view == one
    assert entries[0].words == "Opened: down in fra."
    assert entries[-1].words == "Closed after 5m of downtime."


async def test_it_is_explained_by_what_its_region_saw(story: Story, outages: Outages) -> None:
    await regional(story)
    told = outages.explain(outages.list(scope=OutageScope.ALL)[0].handle)
    body = told.outage.body
    assert {one.sample.region for one in told.samples} == {"fra"}
    assert {one.region for one in told.runs} == {"fra"}
    (down,) = [one for one in told.ballots if one.verdict == "DOWN"]
    assert (down.from_us, down.to_us) == (body.started_us, body.ended_us)
    assert [voice.region for voice in down.voices] == ["fra"]
    assert least_and_most(body.downtime_us, told.doubts) == (
        body.downtime_us_min, body.downtime_us_max
    )  # fmt: skip
    assert told.rule.startswith("This is an outage of fra alone")


@pytest.mark.parametrize(
    ("fleet", "expected"),
    [
        pytest.param(FLEET, Severity.P3, id="normal"),
        pytest.param(
            FLEET.replace(b"{id: shop}", b"{id: shop, criticality: critical}"),
            Severity.P3,
            id="critical, in one of three",
        ),
    ],
)
async def test_s17_one_region_of_three_is_not_half(
    story: Story, outages: Outages, fleet: bytes, expected: Severity
) -> None:
    assert not story.world.fleets.apply(fleet, "fleet.yaml", "ada").problems
    await regional(story)
    (one,) = outages.list(scope=OutageScope.REGIONAL)
    assert one.severity is expected


async def test_s17_half_of_the_regions_of_a_critical_service_are_graver(
    story: Story, outages: Outages
) -> None:
    """With all regions needed, two of three that fail are two regional outages."""
    critical = FLEET.replace(b"{id: shop}", b"{id: shop, criticality: critical}").replace(
        b'shop.example/"}}', b'shop.example/"}, quorum: {rule: all}}'
    )
    assert not story.world.fleets.apply(critical, "fleet.yaml", "ada").problems
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS[:2])
    await story.rounds(10, 15)
    both = outages.list(scope=OutageScope.REGIONAL)
    assert [one.body.region for one in both] == ["nyc", "fra"]
    assert {one.severity for one in both} == {Severity.P2}
