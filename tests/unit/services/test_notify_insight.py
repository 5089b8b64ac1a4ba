"""What telling rests on, with the real engines: severity, flapping, and what is a consequence of what."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from controller.core.notices import DeliveryState
from controller.ports.deliveries import Delivery, DeliveryQuery
from controller.ports.outcomes import OutageScope
from controller.services.notify.deliveries import Outbox
from controller.services.notify.notify import Router
from controller.services.notify.notify_insight import Insights
from controller.services.outages.incidents import Incidents
from tests.fakes.telling import DELIVERED, FakeSecrets
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.story import REGIONS

FLEET = b"""\
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: dns}, {id: shop, criticality: critical, depends_on: [dns]}, {id: blog}]
checks:
  - {id: shop-home, service: shop, every: 60s, timeout: 10s, http: {url: "https://shop.example/"}}
  - {id: zone, service: dns, every: 60s, timeout: 5s, dns: {name: shop.example}}
  - {id: blog, service: blog, every: 60s, timeout: 5s, http: {url: "https://blog.example/"}}
notify:
  - {id: ops, url: "json://chat.example", on: [outage.opened, outage.closed, outage.reopened]}
"""


class Told:
    """Rounds of three regions for several checks; after each round people are told."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        self.seqs = dict.fromkeys(REGIONS, 0)
        world.now_us = START - 1800 * SECOND
        assert not world.fleets.apply(FLEET, "fleet.yaml", "ada").problems
        world.now_us = START
        insights = Insights(world.fleets, world.evaluator)
        self.insights = insights
        self.incidents = Incidents(lambda: world.now_us)
        self.router = Router(world.storage, insights, lambda: world.now_us)
        self.outbox = Outbox(
            world.storage, world.fleets.channels, FakeSecrets(), lambda: world.now_us,
            lambda: Fraction(1),
        )  # fmt: skip
        self.router.begin()
        self.sent: list[str] = []

    def channel(self, filters: bytes) -> None:
        """Have the channel filter so."""
        text = FLEET.replace(b" on: [", b" " + filters + b", on: [")
        assert not self.world.fleets.apply(text, "fleet.yaml", "ada").problems

    async def rounds(
        self, start: int, end: int, *down: str, regions: Sequence[str] = REGIONS
    ) -> None:
        """Rounds number `start` to `end`, one a minute; the checks in `down` fail in `regions`."""
        for number in range(start, end):
            for place, region in enumerate(REGIONS):
                await self._region(number, region, place, down if region in regions else ())
                self.tell()
            self._agree()

    async def _region(self, number: int, region: str, place: int, down: tuple[str, ...]) -> None:
        at_us = START + (number * 60 + place * 20) * SECOND
        self.world.now_us = max(self.world.now_us, at_us + SECOND)
        lines = []
        for check in ("shop-home", "zone", "blog"):
            self.seqs[region] += 1
            outcome = "down" if check in down else "up"
            lines.append(line(self.seqs[region], at_us, outcome, region, check=check))
        first = self.seqs[region] - len(lines) + 1
        await self.running.give(frame(first, *lines), region)

    def tell(self) -> None:
        """Route and send whatever is due."""
        self.router.route()
        while parcels := self.outbox.claim(lambda channel: 9):
            self.sent += [one.message.title for one in parcels]
            self.outbox.settle({one.number: DELIVERED for one in parcels})

    def _agree(self) -> None:
        """What explains what is the same as incidents say."""
        with self.world.storage.transaction() as tx:
            insight = self.insights.of(tx, self.world.now_us)
            for outage in tx.outages(scope=OutageScope.ALL):
                said = self.incidents.explained(tx, outage.number)
                assert insight.explained(outage.number) == said

    def deliveries(self) -> list[Delivery]:
        with self.world.storage.transaction() as tx:
            return list(tx.deliveries(DeliveryQuery(limit=1000)))[::-1]


@pytest.fixture
def told(world: World, running: Running) -> Told:
    return Told(world, running)


async def test_an_outage_is_told_with_the_severity_of_its_service(told: Told) -> None:
    await told.rounds(1, 3)
    await told.rounds(3, 8, "shop-home")
    await told.rounds(8, 12)
    await told.rounds(12, 16, "blog")
    await told.rounds(16, 19)
    assert told.sent == [
        "[OUT-1] P1 shop-home is down",
        "[OUT-1] shop-home is up again after 5m",
        "[OUT-2] P2 blog is down",
        "[OUT-2] blog is up again after 4m",
    ]


async def test_x62_what_hangs_on_a_zone_that_is_down_is_not_told(told: Told) -> None:
    await told.rounds(1, 3)
    await told.rounds(3, 4, "zone")
    await told.rounds(4, 13, "zone", "shop-home")
    await told.rounds(13, 14, "shop-home")
    await told.rounds(14, 25)
    assert told.sent == ["[OUT-1] P2 zone is down", "[OUT-1] zone is up again after 10m"]
    held = [one for one in told.deliveries() if one.subject == "OUT-2"]
    assert {one.state for one in held} == {DeliveryState.SUPPRESSED}
    assert "OUT-1 explains it: shop depends on dns." in held[0].reason


async def test_s16_what_outlasts_its_reason_is_told(told: Told) -> None:
    await told.rounds(1, 3)
    await told.rounds(3, 8, "zone", "shop-home")
    await told.rounds(8, 14, "shop-home")
    await told.rounds(14, 16)
    assert [title.partition("] ")[2] for title in told.sent] == [
        "P2 zone is down",
        "zone is up again after 5m",
        "P1 shop-home is down",
        "shop-home is up again after 11m",
    ]


async def test_outages_of_single_regions_are_told_to_who_asks_for_them(told: Told) -> None:
    told.channel(b"scopes: [global, regional]")
    await told.rounds(1, 3)
    await told.rounds(3, 6, "zone", regions=("fra",))
    await told.rounds(6, 11, "zone")
    await told.rounds(11, 16)
    assert sorted(told.sent[:2]) == ["[OUT-1] P3 zone in fra is down", "[OUT-2] P2 zone is down"]
    assert sorted(told.sent[2:]) == [
        "[OUT-1] zone in fra is up again after 8m", "[OUT-2] zone is up again after 5m",
    ]  # fmt: skip


async def test_s16_what_does_not_hang_on_it_is_told(told: Told) -> None:
    await told.rounds(1, 3)
    await told.rounds(3, 8, "zone", "blog")
    assert sorted(title.partition("] ")[2] for title in told.sent) == [
        "P2 blog is down", "P2 zone is down",
    ]  # fmt: skip


async def test_s18_a_check_that_flaps_is_told_once_and_its_end_once(told: Told) -> None:
    await told.rounds(1, 4)
    for start in range(4, 60, 6):
        await told.rounds(start, start + 3, "blog")
        await told.rounds(start + 3, start + 6)
    while_flapping = list(told.sent)
    await told.rounds(60, 110)
    flapping = [title for title in told.sent if "flap" in title]
    assert flapping == ["[blog] blog is flapping", "[blog] blog flaps no more"]
    begun = while_flapping.index("[blog] blog is flapping")
    assert while_flapping[begun + 1 :] == []
    assert {one.state for one in told.deliveries()} <= {
        DeliveryState.DELIVERED, DeliveryState.SUPPRESSED,
    }  # fmt: skip
