"""A backlog of many checks: kept at once, judged later one by one, and the same in the end."""

import asyncio
from contextlib import suppress

import pytest

from controller.errors import Unreachable
from controller.services.results.behind import BEHIND_US_MAX, QUIET_US, Behind, catching_up
from controller.services.results.frames import Accepted
from tests.fakes.storage import InlineWorker
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from vedette.shared.limits import LATE_CHECKS_AT_ONCE_MAX

HOUR = 3600 * SECOND
CHECKS = [f"c{n}" for n in range(LATE_CHECKS_AT_ONCE_MAX + 2)]
FLEET = (
    "version: 1\nregions: [{id: fra}, {id: nyc}, {id: sin}]\nservices: [{id: shop}]\nchecks:\n"
    + "".join(
        f"  - {{id: {c}, service: shop, every: 60s, http: {{url: 'https://shop.example/'}}}}\n"
        for c in CHECKS
    )
).encode()


class Fleet:
    """Three regions; sin was away for a day, in which everything was down for an hour."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        self.numbers: dict[tuple[str, str], int] = {}

    async def tell(
        self, region: str, at_us: int, outcome: str, *, epoch: str = "e1", checks: list[str]
    ) -> None:
        first = self.numbers.get((region, epoch), 0) + 1
        self.numbers[region, epoch] = first + len(checks) - 1
        lines = [
            line(first + n, at_us + n, outcome, region, check=check, epoch=epoch)
            for n, check in enumerate(checks)
        ]
        answer = await self.running.give(frame(first, *lines, epoch=epoch), region)
        assert answer == Accepted(epoch, "shop", first + len(checks) - 1)

    async def live(self, hours: int, regions: tuple[str, ...], epoch: str = "e1") -> None:
        """A result of every check every ten minutes; down from the second to the third hour."""
        for n in range(hours * 6):
            at = START + n * 600 * SECOND
            self.world.now_us = max(self.world.now_us, at + SECOND)
            for region in regions:
                outcome = "down" if 12 <= n < 18 else "up"
                await self.tell(region, at, outcome, epoch=epoch, checks=CHECKS)


@pytest.fixture
async def fleet(world: World, running: Running) -> Fleet:
    world.now_us = START - HOUR
    assert not world.fleets.apply(FLEET, "fleet.yaml", "ada").problems
    world.now_us = START
    made = Fleet(world, running)
    await made.live(24, ("fra", "nyc"))
    world.evaluator.settle()
    return made


def outages(world: World) -> list[int]:
    with world.storage.transaction() as tx:
        return [len(tx.outages(check)) for check in CHECKS]


async def test_a_backlog_of_many_checks_is_acknowledged_at_once_and_judged_later(
    fleet: Fleet, running: Running
) -> None:
    world = fleet.world
    before = outages(world)
    await fleet.live(24, ("sin",))
    assert not world.evaluator.catch_up(world.now_us)
    assert outages(world) == before
    world.now_us += QUIET_US
    for _ in CHECKS:
        assert world.evaluator.catch_up(world.now_us)
    assert not world.evaluator.catch_up(world.now_us)
    seen = world.view()
    await running.restart()
    world.evaluator.rebuild(world.now_us)
    assert world.view() == seen


async def test_a_restart_in_between_judges_all_the_same(fleet: Fleet, running: Running) -> None:
    world = fleet.world
    await fleet.live(24, ("sin",))
    await running.restart()
    world.evaluator.rebuild(world.now_us)
    seen = world.view()
    assert not world.evaluator.catch_up(world.now_us + QUIET_US)
    await running.restart()
    world.evaluator.rebuild(world.now_us)
    assert world.view() == seen


async def test_live_results_are_judged_while_the_backlog_waits(fleet: Fleet) -> None:
    world = fleet.world
    await fleet.live(12, ("sin",))
    world.now_us += 60 * SECOND
    for region in ("fra", "nyc", "sin"):
        for n in range(3):
            at = world.now_us - (3 - n) * SECOND
            await fleet.tell(region, at, "down", epoch="e2", checks=CHECKS)
    with world.storage.transaction() as tx:
        for check in CHECKS:
            assert world.evaluator.standing(tx, check, world.now_us).verdict == "DOWN"


async def test_few_checks_are_judged_at_once(fleet: Fleet) -> None:
    at = START + 600 * SECOND
    await fleet.tell("sin", at, "up", checks=CHECKS[:LATE_CHECKS_AT_ONCE_MAX])
    assert not fleet.world.evaluator.catch_up(fleet.world.now_us + HOUR)


async def test_what_was_rolled_back_is_marked_again(fleet: Fleet) -> None:
    world = fleet.world
    world.storage.is_full = True
    telling = asyncio.create_task(fleet.tell("sin", START, "up", checks=CHECKS))
    await world.storage.failed.wait()
    world.storage.is_full = False
    await telling
    with world.storage.transaction() as tx:
        assert all((tx.settled_us(check) or 0) < START for check in CHECKS)


def test_what_is_behind_waits_for_quiet_but_not_for_ever() -> None:
    behind = Behind()
    assert behind.add("home", 50, 0)
    assert not behind.add("home", 60, QUIET_US - 1)
    assert behind.add("home", 40, QUIET_US - 1)
    assert behind.due(QUIET_US) is None
    assert behind.due(2 * QUIET_US) == "home"
    for now in range(0, BEHIND_US_MAX, QUIET_US // 2):
        assert behind.due(now) is None
        behind.add("home", 60, now)
    assert behind.due(BEHIND_US_MAX) == "home"
    assert (behind.since_us("home"), len(behind)) == (40, 1)
    behind.unmark()
    assert behind.add("home", 70, 0)
    behind.discard("home")
    assert "home" not in behind


async def test_catching_up_goes_on_after_storage_was_away() -> None:
    judged = asyncio.Event()

    class Evaluator:
        calls = 0

        def catch_up(self, now_us: int) -> bool:
            self.calls += 1
            if self.calls == 2:
                judged.set()
            return self.calls < 2

    task = asyncio.create_task(catching_up(InlineWorker(), Evaluator(), lambda: 0))
    await judged.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    class Away:
        def catch_up(self, now_us: int) -> bool:
            judged.set()
            raise Unreachable("The disk is full.")

    judged.clear()
    task = asyncio.create_task(catching_up(InlineWorker(), Away(), lambda: 0))
    await judged.wait()
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
