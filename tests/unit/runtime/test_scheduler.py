import asyncio

import pytest

from agent.core.schedule import Due
from agent.runtime.scheduler import Scheduler
from tests.fakes.clock import FakeClock
from vedette.shared.slots import Cadence

SECOND = 1_000_000


class Launches:
    """What was launched, and a way to stop after so many."""

    def __init__(self, until: int) -> None:
        self.seen: list[Due] = []
        self.enough = asyncio.Event()
        self._until = until

    def __call__(self, due: Due) -> None:
        self.seen.append(due)
        if len(self.seen) >= self._until:
            self.enough.set()


async def run_until_enough(scheduler: Scheduler, launches: Launches) -> None:
    running = asyncio.create_task(scheduler.run())
    await asyncio.wait_for(launches.enough.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_every_slot_is_launched_once_in_order() -> None:
    clock, launches = FakeClock(100 * SECOND), Launches(until=6)
    scheduler = Scheduler(clock, launches)
    scheduler.replace({"a": Cadence(2 * SECOND, 0), "b": Cadence(4 * SECOND, SECOND)})
    await run_until_enough(scheduler, launches)
    assert [(due.check, due.slot, due.due_us // SECOND) for due in launches.seen[:6]] == [
        ("a", 50, 100), ("b", 25, 101), ("a", 51, 102), ("a", 52, 104), ("b", 26, 105),
        ("a", 53, 106),
    ]  # fmt: skip
    assert scheduler.missed == 0


async def test_checks_that_come_later_wake_an_idle_scheduler() -> None:
    clock, launches = FakeClock(100 * SECOND), Launches(until=1)
    scheduler = Scheduler(clock, launches)
    running = asyncio.create_task(scheduler.run())
    await asyncio.sleep(0)
    scheduler.replace({"a": Cadence(60 * SECOND, 7 * SECOND)})
    await asyncio.wait_for(launches.enough.wait(), 10)
    running.cancel()
    assert launches.seen[0].check == "a"


async def test_time_that_was_slept_through_is_missed_not_made_up() -> None:
    clock, launches = FakeClock(100 * SECOND), Launches(until=1)
    scheduler = Scheduler(clock, launches)
    scheduler.replace({"a": Cadence(2 * SECOND, 0)})
    clock.pass_us(20 * SECOND)
    await run_until_enough(scheduler, launches)
    assert launches.seen[0].slot == 60
    assert scheduler.missed == 10


async def test_a_clock_that_is_set_back_goes_on_from_there() -> None:
    clock, launches = FakeClock(100 * SECOND), Launches(until=1)
    scheduler = Scheduler(clock, launches)
    scheduler.replace({"a": Cadence(10 * SECOND, 0)})
    await run_until_enough(scheduler, launches)
    launches.enough.clear()
    clock.wall = 40 * SECOND
    await run_until_enough(scheduler, launches)
    assert launches.seen[-1].due_us <= clock.wall < 100 * SECOND


@pytest.mark.parametrize(
    ("rate", "late_us_max", "rounds"),
    [
        pytest.param(500, 4_000, 167, id="a busy agent: rounds of 6 ms for slots every 2 ms"),
        pytest.param(1000, 15_000, 72, id="a very busy one: rounds grow to 15 ms and no further"),
    ],
)
async def test_slots_that_are_close_share_a_round_and_are_hardly_late_for_it(
    rate: int, late_us_max: int, rounds: int
) -> None:
    clock, late_us = FakeClock(100 * SECOND), list[int]()
    enough = Launches(until=rate)

    def launch(due: Due) -> None:
        late_us.append(clock.wall - due.due_us)
        enough(due)

    scheduler = Scheduler(clock, launch)
    scheduler.replace({f"c{n}": Cadence(SECOND, n * SECOND // rate) for n in range(rate)})
    await run_until_enough(scheduler, enough)
    assert {due.check for due in enough.seen} == {f"c{n}" for n in range(rate)}
    assert max(late_us) <= late_us_max
    assert late_us[:rate].count(0) <= rounds


async def test_a_slot_that_is_alone_is_launched_when_it_is_due() -> None:
    clock, late_us = FakeClock(100 * SECOND), list[int]()
    enough = Launches(until=4)

    def launch(due: Due) -> None:
        late_us.append(clock.wall - due.due_us)
        enough(due)

    scheduler = Scheduler(clock, launch)
    scheduler.replace({"a": Cadence(SECOND, 7)})
    await run_until_enough(scheduler, enough)
    assert set(late_us) == {0}
