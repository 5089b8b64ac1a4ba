"""Incidents: kept up to date with the ledger of outages, each under one handle (S-16)."""

from dataclasses import replace

import pytest

from controller.errors import BadInput, NotFound
from controller.services.outages.incident_views import IncidentPages
from controller.services.outages.incidents import Incidents
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line

REGIONS = ("fra", "nyc", "sin")
FLEET = b"""\
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services:
  - {id: dns}
  - {id: shop, depends_on: [dns]}
  - {id: mail}
checks:
  - {id: zone, service: dns, every: 60s, timeout: 10s, dns: {name: shop.example}}
  - {id: home, service: shop, every: 60s, timeout: 10s, http: {url: "https://www.shop.example/"}}
  - {id: cart, service: shop, every: 60s, timeout: 10s, http: {url: "https://cart.shop.example/"}}
  - {id: smtp, service: mail, every: 60s, timeout: 10s, tcp: {host: mx.example, port: 25}}
"""


class Fleet:
    """Checks that fail as told, a round a minute from three regions, 20 s apart."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        world.now_us = START - SECOND
        assert not world.fleets.apply(FLEET, "fleet.yaml", "ada").problems
        self.incidents = Incidents(lambda: world.now_us)
        self.pages = IncidentPages(
            world.storage, self.incidents, world.evaluator, lambda: world.now_us
        )
        self.seqs: dict[tuple[str, str], int] = {}

    async def rounds(self, start: int, end: int, **down: tuple[int, int]) -> None:
        """Rounds `start` to `end`; each check named fails in those of its range."""
        for number in range(start, end):
            for place, region in enumerate(REGIONS):
                self.world.now_us = START + (number * 60 + place * 20 + 1) * SECOND
                for check in ("zone", "home", "cart", "smtp"):
                    first, last = down.get(check, (0, 0))
                    await self.sees(check, region, "down" if first <= number < last else "up")

    async def sees(
        self, check: str, region: str, outcome: str, at_us: int | None = None, stream: str = ""
    ) -> None:
        key = region, stream or check
        seq = self.seqs[key] = self.seqs.get(key, 0) + 1
        when_us = self.world.now_us - SECOND if at_us is None else at_us
        one = line(seq, when_us, outcome, region, check=check, stream=key[1])
        await self.running.give(frame(seq, one, stream=key[1]), region)


@pytest.fixture
def fleet(world: World, running: Running) -> Fleet:
    return Fleet(world, running)


async def test_x62_a_dependent_service_joins_the_incident_of_its_zone(fleet: Fleet) -> None:
    await fleet.rounds(0, 20, zone=(2, 9), home=(3, 10))
    (one,) = fleet.pages.list()
    assert (one.handle, one.root_check, one.outages) == ("INC-1", "zone", 2)
    assert one.services == ["dns", "shop"]
    page = fleet.pages.show("inc-1")
    root, child = page.branches
    assert (root.node.check, root.level, root.is_root) == ("zone", 0, True)
    assert (child.node.check, child.level, child.parent) == ("home", 1, root.handle)
    assert (child.reason, child.is_explained) == ("shop depends on dns", True)
    # The zone was down for 7 minutes, the page too, one later: together for 8.
    assert page.services == [("dns", 420 * SECOND), ("shop", 420 * SECOND)]
    assert page.downtime_us == 480 * SECOND
    with fleet.world.storage.transaction() as tx:
        number = int(child.handle.removeprefix("OUT-"))
        found = fleet.incidents.explained(tx, number)
        assert found is not None
        assert (found.handle, found.reason) == (root.handle, "shop depends on dns")
        assert fleet.incidents.explained(tx, found.by) is None


async def test_what_stays_down_after_its_cause_is_told(fleet: Fleet) -> None:
    await fleet.rounds(0, 11, zone=(2, 9), home=(3, 99))
    child = fleet.pages.show("INC-1").branches[1]
    assert (child.is_explained, child.node.ended_us) == (True, None)
    assert child.explained_until_us == START + (9 * 60 + 20 + 120) * SECOND
    await fleet.rounds(11, 15, home=(3, 99))
    assert not fleet.pages.show("INC-1").branches[1].is_explained


async def test_others_are_incidents_of_their_own(fleet: Fleet) -> None:
    await fleet.rounds(0, 20, zone=(2, 5), smtp=(3, 6), home=(12, 15))
    found = fleet.pages.list()
    assert [(one.root_check, one.outages) for one in found] == [
        ("home", 1),
        ("smtp", 1),
        ("zone", 1),
    ]
    assert len(fleet.pages.list(joined_only=True)) == 0
    assert len(fleet.pages.list(limit=2)) == 2
    assert fleet.pages.list(open_only=True) == []


async def test_what_comes_between_makes_one_of_two(fleet: Fleet) -> None:
    """home fails twice, four minutes apart; cart failed in between, which comes late."""
    for number in range(20):
        for place, region in enumerate(REGIONS):
            fleet.world.now_us = START + (number * 60 + place * 20 + 1) * SECOND
            down = number in range(2, 5) or number in range(10, 13)
            await fleet.sees("home", region, "down" if down else "up")
    first, second = sorted(fleet.pages.list(), key=lambda one: one.started_us)
    assert [first.outages, second.outages] == [1, 1]
    for number in range(5, 11):
        for place, region in enumerate(REGIONS):
            at_us = START + (number * 60 + place * 20) * SECOND
            outcome = "down" if 6 <= number < 9 else "up"
            await fleet.sees("cart", region, outcome, at_us)
    (joined,) = fleet.pages.list()
    assert (joined.handle, joined.outages) == (first.handle, 3)
    gone = fleet.pages.show(second.handle).view
    assert (gone.outages, gone.merged_into) == (0, first.handle)
    assert gone.gone_us == fleet.world.now_us
    # The same from the beginning, without a memory of how it came about.
    with fleet.world.storage.transaction() as tx:
        stored = tx.incident(int(first.handle.removeprefix("INC-")))
        assert stored is not None
        numbers, incident = Incidents(lambda: fleet.world.now_us).made(tx, stored)
        assert len(numbers) == 3
        assert incident.root.check == "home"
    # Late successes take the middle away again: the first handle stays with the first outage.
    for number in range(5, 11):
        for place, region in enumerate(REGIONS):
            at_us = START + (number * 60 + place * 20 + 7) * SECOND
            await fleet.sees("cart", region, "up", at_us, stream="late")
    again = sorted(fleet.pages.list(), key=lambda one: one.started_us)
    assert [one.outages for one in again] == [1, 1]
    assert again[0].handle == first.handle
    assert again[1].handle not in (first.handle, second.handle), "a handle is never given again"


async def test_a_regional_outage_hangs_on_that_of_its_check(fleet: Fleet) -> None:
    """fra fails four minutes before the others."""
    for number in range(20):
        for place, region in enumerate(REGIONS):
            fleet.world.now_us = START + (number * 60 + place * 20 + 1) * SECOND
            down = 2 <= number < 12 if region == "fra" else 6 <= number < 12
            await fleet.sees("home", region, "down" if down else "up")
    (one,) = fleet.pages.list()
    whole, alone = fleet.pages.show(one.handle).branches
    assert (whole.node.region, whole.is_root, alone.node.region) == ("", True, "fra")
    assert alone.reason == "home was down in other regions too"
    assert not alone.is_explained, "it began long before, and people were told of it"


async def test_incidents_begin_with_the_outages_that_there_are(fleet: Fleet) -> None:
    await fleet.rounds(0, 12, zone=(2, 9), home=(3, 10))
    with fleet.world.storage.transaction() as tx:
        assert tx.followed_event() is None
    fleet.pages.catch_up()
    with fleet.world.storage.transaction() as tx:
        assert tx.followed_event() == tx.last_event()
        (stored,) = tx.incidents(include_gone=True, limit=9)
    fleet.pages.catch_up()
    with fleet.world.storage.transaction() as tx:
        assert tx.incidents(include_gone=True, limit=9) == [stored]
        assert replace(stored, outages=()) != stored


async def test_dependencies_are_those_of_the_time(fleet: Fleet) -> None:
    """That shop does not depend on dns any more changes nothing of what was."""
    await fleet.rounds(0, 12, zone=(2, 9), home=(3, 10))
    assert fleet.pages.list()[0].outages == 2
    later = FLEET.replace(b", depends_on: [dns]", b"")
    assert not fleet.world.fleets.apply(later, "fleet.yaml", "ada").problems
    fleet.pages = IncidentPages(
        fleet.world.storage,
        Incidents(lambda: fleet.world.now_us),
        fleet.world.evaluator,
        lambda: fleet.world.now_us,
    )
    await fleet.rounds(20, 32, zone=(22, 29), home=(23, 30))
    assert sorted(one.outages for one in fleet.pages.list()) == [1, 1, 2]


@pytest.mark.parametrize("handle", ["OUT-1", "INC-0", "INC-", "", "INC-1x"])
def test_what_is_no_handle_is_refused(fleet: Fleet, handle: str) -> None:
    with pytest.raises(BadInput, match=r"Expected the handle of an incident such as INC-12"):
        fleet.pages.show(handle)


def test_an_incident_that_never_was_is_not_found(fleet: Fleet) -> None:
    with pytest.raises(NotFound, match="There is no incident INC-7, and there never was one"):
        fleet.pages.show("INC-7")
