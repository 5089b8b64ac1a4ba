"""What people are measured by, as the controller knows it: detection, the first message, acks and pauses."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from controller.core.intervals import FOREVER_US, Interval
from controller.core.notices import DeliveryState, Withheld
from controller.core.severity import Severity
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.wording import trial_message
from controller.ports.custody import Actor
from controller.ports.deliveries import Delivery
from controller.services.contracts.report import Reports
from controller.services.contracts.sight import PastSight, StoredSight
from controller.services.notify.notify_outages import put
from controller.services.outages.outages import Outages
from controller.services.outages.remarks import Remarks
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World
from tests.unit.services.story import REGIONS, Story

PEOPLE = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    objectives:
      - {id: up, target: "99.0", min_coverage: "0"}
      - {id: ack, metric: acknowledge, severity: P2, target: 5m, min_coverage: "0"}
      - {id: fix, metric: resolve, severity: [P2, P3], target: 4m, min_coverage: "0", reopen_window: 10m}
"""
ADA = Actor("ada", "operator", "192.0.2.1")
MINUTE = 60 * SECOND


@pytest.fixture
def story(world: World, running: Running) -> Story:
    assert not world.fleets.apply(FLEET + PEOPLE, "fleet.yaml", "ada").problems
    return Story(world, running)


@pytest.fixture
def remarks(world: World) -> Remarks:
    return Remarks(world.storage, lambda: world.now_us)


def delivered(world: World, at_us: int, handle: str = "OUT-1") -> None:
    made = Delivery(
        key=f"ops/{handle}/{at_us}", channel="ops", subject=handle, event="outage.opened",
        state=DeliveryState.DELIVERED, created_us=at_us, due_us=at_us, message=b"{}", changed_us=at_us,
    )  # fmt: skip
    with world.storage.transaction() as tx:
        tx.put_delivery(made)
        tx.put_delivery(replace(made, key="later", changed_us=at_us + MINUTE))


def told(world: World, as_of_us: int | None = None) -> dict[str, Any]:
    reports = Reports(world.storage, world.evaluator, lambda: world.now_us)
    found = msgspec.json.decode(reports.status("2025-06", "acme", as_of_us))["records"]
    return {one["objective"]: one for one in found}


def clocks(world: World, at_us: int, *, is_past: bool = False) -> list[OutageTimes]:
    sight = PastSight if is_past else StoredSight
    with world.storage.transaction() as tx:
        found = sight(tx, world.evaluator, at_us).clocks("shop-home", START, FOREVER_US)
    return list(found)


async def test_s46_the_times_of_an_outage_come_from_the_ledgers(
    story: Story, remarks: Remarks
) -> None:
    world = story.world
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    delivered(world, started_us := START + 400 * SECOND)
    remarks.annotate("OUT-1", "I see it", ADA)
    world.now_us = acked_us = START + 460 * SECOND
    remarks.ack("OUT-1", "", ADA)
    await story.rounds(10, 15)
    (one,) = clocks(world, world.now_us)
    assert one == OutageTimes(
        START + 320 * SECOND, START + 620 * SECOND, START + 381 * SECOND, started_us, acked_us,
        START + 380 * SECOND, "OUT-1", "shop-home", "", Severity.P2, [],
    )  # fmt: skip
    assert clocks(world, world.now_us, is_past=True) == [one]
    before = clocks(world, acked_us - 1)
    assert before == [one._replace(ended_us=None, acked_us=None)], "what came later is not told"
    assert clocks(world, acked_us - 1, is_past=True) == before
    found = told(world)
    assert (found["up"]["mttd"], found["up"]["mtta"]) == (61 * SECOND, 60 * SECOND)
    (timer,) = found["ack"]["timers"]
    assert (timer["outage"], timer["state"], timer["elapsed"]) == ("OUT-1", "met", 79 * SECOND)
    (timer,) = found["fix"]["timers"]
    assert (timer["state"], timer["elapsed"]) == ("met", 239 * SECOND)


async def test_s47_machines_take_nothing_on(story: Story, remarks: Remarks) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    remarks.ack("OUT-1", "restarted", Actor("fra-1", "agent", "192.0.2.2"))
    (one,) = clocks(story.world, story.world.now_us)
    assert one.acked_us is None
    found = told(story.world)["ack"]
    assert (found["verdict"], found["timers"][0]["state"]) == ("met", "running")


async def test_s47_a_pause_holds_from_when_it_is_said_to(story: Story, remarks: Remarks) -> None:
    world = story.world
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    said_us = world.now_us
    remarks.pause("OUT-1", "waiting for a part", said_us - MINUTE, ADA)
    (one,) = clocks(world, world.now_us)
    assert one.pauses == [Interval(said_us - MINUTE, FOREVER_US)]
    assert clocks(world, said_us - 1)[0].pauses == [], "it was not said yet"
    (timer,) = told(world)["ack"]["timers"]
    assert (timer["state"], timer["due"]) == ("paused", None)
    world.now_us += MINUTE
    remarks.resume("OUT-1", "", None, ADA)
    assert clocks(world, world.now_us)[0].pauses == [Interval(said_us - MINUTE, said_us + MINUTE)]


async def test_s47_a_reopening_goes_on_with_its_timer_across_periods(story: Story) -> None:
    world = story.world
    await story.rounds(1, 5)
    await story.rounds(5, 8, down=REGIONS)
    await story.rounds(8, 12)
    await story.rounds(12, 16, down=REGIONS)
    await story.rounds(16, 20)
    found = told(world)
    (timer,) = found["fix"]["timers"]
    assert (timer["outage"], timer["reopened"]) == ("OUT-1", ["OUT-2"])
    assert timer["state"] == "breached"
    assert [one["outage"] for one in found["ack"]["timers"]] == ["OUT-1", "OUT-2"]


async def test_s47_an_outage_of_one_region_has_its_timer(story: Story) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 12, down=["fra"])
    await story.rounds(12, 16)
    (timer,) = told(story.world)["fix"]["timers"]
    assert (timer["region"], timer["severity"], timer["state"]) == ("fra", "P3", "breached")


async def test_an_outage_says_when_people_were_first_told(story: Story) -> None:
    world = story.world
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    outages = Outages(world.storage, world.evaluator, lambda: world.now_us)
    assert outages.show("OUT-1").notified_us is None
    delivered(world, at_us := world.now_us)
    assert outages.show("OUT-1").notified_us == at_us
    assert outages.show("OUT-1").held_us is None
    held_us = at_us - MINUTE
    with world.storage.transaction() as tx:
        message = trial_message("mail", key="mail/1", at_us=held_us, by="ada")
        about = msgspec.structs.replace(message, subject="OUT-1")
        put(tx, "mail", about, held_us, DeliveryState.HELD, Withheld.PARENT, "OUT-9 explains it")
        put(tx, "pager", msgspec.structs.replace(about, key="pager/1"), held_us - 1)
    assert outages.show("OUT-1").held_us == held_us
    assert clocks(world, at_us)[0].held_us == held_us
    assert clocks(world, held_us - 1)[0].held_us is None
    assert outages.show("OUT-1", at_us - 1).notified_us is None


async def test_s47_the_severity_of_a_region_is_the_same_looked_back_at(
    story: Story, world: World
) -> None:
    """Of a critical service an outage in one of three regions is P3, and in two of three P2."""
    critical = FLEET.replace(b"{id: shop}", b"{id: shop, criticality: critical}")
    world.fleets.apply(critical + PEOPLE, "fleet.yaml", "ada")
    await story.rounds(1, 5)
    await story.rounds(5, 8, down=["fra"])
    before_us = world.now_us
    await story.rounds(8, 12, down=["fra"])
    await story.rounds(12, 16)
    assert [one.severity for one in clocks(world, before_us, is_past=True)] == [Severity.P3]
    assert clocks(world, world.now_us, is_past=True) == clocks(world, world.now_us)
