"""The evaluator: what time alone changes, what voids the past, and how little is kept and read."""

import asyncio
from collections.abc import Sequence

import pytest

from controller.core.intervals import FOREVER_US
from controller.errors import Unreachable
from controller.ports.agents import AgentRecord
from controller.services.fleet.checks import Checks
from controller.services.outages.outages import Outages
from controller.services.timeline.evaluate import Evaluator
from controller.services.timeline.intervals import RecordedIntervals
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.replaying import exported_lines, replayed
from vedette.shared.limits import LATE_CHECKS_AT_ONCE_MAX

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
FIVE = b"""\
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}, {id: osl}, {id: lon}]
services: [{id: shop}]
checks: [{id: shop-home, service: shop, every: 60s, timeout: 10s, http: {url: "https://shop.example/"}}]
"""
REGIONS = ("fra", "nyc", "sin")


class Fleet:
    """Agents of any regions that send a line at a time."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        self.seqs: dict[tuple[str, str], int] = {}

    async def sees(self, region: str, at_us: int, outcome: str) -> None:
        await self._send(region, "shop", at_us, outcome)

    async def rounds(self, region: str, at_us: int, ok: int) -> None:
        await self._send(region, "@anchors", at_us, "up", check="@anchors", ok=ok, total=4)

    async def _send(
        self, region: str, stream: str, at_us: int, outcome: str, **more: object
    ) -> None:
        self.world.now_us = max(self.world.now_us, at_us)
        seq = self.seqs[region, stream] = self.seqs.get((region, stream), 0) + 1
        one = line(seq, at_us, outcome, region, stream=stream, **more)
        await self.running.give(frame(seq, one, stream=stream), region)

    async def quiet(self, from_us: int, to_us: int) -> None:
        """Every region succeeds each minute."""
        for region in REGIONS:
            times = range(from_us, to_us, MINUTE)
            first = self.seqs.get((region, "shop"), 0) + 1
            lines = [line(first + k, at_us, "up", region) for k, at_us in enumerate(times)]
            self.seqs[region, "shop"] = first + len(lines) - 1
            self.world.now_us = max(self.world.now_us, to_us)
            for start in range(0, len(lines), 400):
                await self.running.give(frame(first + start, *lines[start : start + 400]), region)


@pytest.fixture
def fleet(world: World, running: Running) -> Fleet:
    return Fleet(world, running)


def listed(world: World) -> Sequence[tuple[str, int, int | None]]:
    outages = Outages(world.storage, world.evaluator, lambda: world.now_us)
    return [
        (one.handle, one.body.started_us, one.body.ended_us)
        for one in outages.list(check="shop-home")
    ]


def told(world: World) -> list[tuple[int, int, str]]:
    with world.evaluator.transaction() as tx:
        found = world.evaluator.intervals(tx, "shop-home", START, world.now_us, FOREVER_US)
    merged: list[tuple[int, int, str]] = []
    for one in found:
        if merged and merged[-1][2] == one.verdict:
            merged[-1] = (merged[-1][0], one.to_us, one.verdict)
        else:
            merged.append((one.from_us, one.to_us, one.verdict))
    return merged


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_s10_a_bad_round_after_a_long_silence_voids_back_to_the_last_good_one(
    world: World, running: Running, fleet: Fleet, *, is_restarted: bool
) -> None:
    await fleet.rounds("fra", START, 4)
    for minute in range(1, 10):
        await fleet.sees("fra", START + minute * MINUTE, "down")
        await fleet.sees("nyc", START + minute * MINUTE + SECOND, "down")
    await fleet.quiet(START + 10 * MINUTE, START + 11 * HOUR)
    assert len(listed(world)) == 1
    world.evaluator.settle()
    with world.storage.transaction() as tx:
        settled_us = tx.settled_us("shop-home")
        assert settled_us is not None
        assert settled_us > START + 4 * HOUR
    if is_restarted:
        await running.restart()
    await fleet.rounds("fra", START + 11 * HOUR, 1)
    for _ in range(2):
        world.evaluator.advance(world.now_us)
        assert listed(world) == [], (
            "one region that is not in trouble said DOWN: too few for a quorum"
        )
        assert told(world) == replayed(world, "shop-home", exported_lines(world))
        await running.restart()
        world.evaluator.rebuild(world.now_us)


async def test_an_engine_forgets_again_after_an_outage(world: World, fleet: Fleet) -> None:
    await fleet.quiet(START, START + 2 * HOUR)
    for minute in range(120, 126):
        for region in REGIONS:
            await fleet.sees(region, START + minute * MINUTE, "down")
    kept: list[int] = []
    start_us = START + 126 * MINUTE
    for hours in range(0, 24, 3):
        await fleet.quiet(start_us + hours * HOUR, start_us + (hours + 3) * HOUR)
        world.evaluator.settle()
        engine = world.evaluator._engines.seen("shop-home")
        assert engine is not None
        kept.append(sum(len(source.evidence) for source in engine._intake.sources.values()))
        if hours >= 6:
            assert engine.settled_us > start_us + (hours - 3) * HOUR - 2 * MINUTE
    assert max(kept) < 9 * 60 * len(REGIONS), (
        "never more than what came since the last time and before"
    )


async def test_s15_an_outage_that_begins_in_silence_is_recorded_and_abandoned_in_silence(
    world: World, running: Running, fleet: Fleet
) -> None:
    """Three regions of five succeed and fall silent; the two that fail are a majority of what is left."""
    with world.storage.transaction() as tx:
        for region in ("osl", "lon"):
            record = AgentRecord(f"{region}-1", region, "box", 1, b"", b"", "0b", None, 2)
            tx.put_agent(record)
    world.now_us -= HOUR
    assert not world.fleets.apply(FIVE, "fleet.yaml", "ada").problems
    for minute in (0, 1):
        for region in REGIONS:
            await fleet.sees(region, START + minute * MINUTE, "up")
    for minute in (0, 1, 2):
        for region in ("osl", "lon"):
            await fleet.sees(region, START + minute * MINUTE + SECOND, "down")
    assert listed(world) == []
    started_us = START + MINUTE + 150 * SECOND
    world.now_us = started_us + 5 * SECOND
    world.evaluator.advance(world.now_us)
    assert listed(world) == [("OUT-1", started_us, None)]
    await running.restart()
    world.now_us += 2 * HOUR
    world.evaluator.rebuild(world.now_us)
    assert listed(world) == [("OUT-1", started_us, None)], "UNKNOWN does not end it"
    world.now_us += 24 * HOUR
    world.evaluator.advance(world.now_us)
    until_us = START + 2 * MINUTE + 151 * SECOND
    assert listed(world) == [("OUT-1", started_us, until_us)], "a day of it does"
    # Late results of the regions that had fallen silent: there was no outage at all.
    for region in REGIONS:
        for minute in (2, 3, 4, 5):
            await fleet.sees(region, START + minute * MINUTE, "up")
    world.evaluator.advance(world.now_us)
    assert listed(world) == []


async def test_time_that_cannot_be_written_passes_again(world: World, fleet: Fleet) -> None:
    await fleet.quiet(START, START + 10 * MINUTE)
    world.now_us += HOUR
    world.storage.is_full = True
    with pytest.raises(Unreachable):
        world.evaluator.advance(world.now_us)
    world.storage.is_full = False
    world.evaluator.advance(world.now_us)
    with world.storage.transaction() as tx:
        last = tx.intervals("shop-home", START, world.now_us)[-1]
    assert (last.verdict, last.to_us) == ("UNKNOWN", world.now_us + 1)


async def test_after_a_failed_commit_every_check_is_judged_at_once(
    world: World, running: Running
) -> None:
    """Engines that were dropped with the transaction are no backlog, however many they are."""
    names = [f"shop-{number}" for number in range(2 * LATE_CHECKS_AT_ONCE_MAX)]
    text = FIVE.split(b"checks:")[0] + b"checks:\n"
    for name in names:
        text += (
            b"  - {id: %s, service: shop, every: 60s, http: {url: 'https://shop.example/'}}\n"
            % name.encode()
        )
    assert not world.fleets.apply(text, "fleet.yaml", "ada").problems
    for seq in (0, len(names)):
        world.now_us += MINUTE
        frames = {
            region: frame(
                seq + 1,
                *(
                    line(seq + 1 + k, world.now_us, "down", region, check=name)
                    for k, name in enumerate(names)
                ),
            )
            for region in REGIONS
        }
        world.storage.is_full = seq > 0
        given = [running.give_soon(one, region) for region, one in frames.items()]
        if world.storage.is_full:
            await world.storage.failed.wait()
            world.storage.is_full = False
        await asyncio.gather(*given)
    with world.evaluator.transaction() as tx:
        standings = {world.evaluator.standing(tx, name, world.now_us).verdict for name in names}
        assert standings == {"DOWN"}
        assert {len(tx.outages(name)) for name in names} == {1}


async def test_a_calm_tick_writes_nothing(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fleet.quiet(START, START + 10 * MINUTE)
    world.evaluator.advance(world.now_us)
    monkeypatch.setattr(RecordedIntervals, "write", refused)
    world.evaluator.advance(world.now_us + SECOND)
    with pytest.raises(AssertionError):
        world.evaluator.advance(world.now_us + HOUR)


def refused(*_: object) -> None:
    raise AssertionError("this takes no such thing")


async def test_since_when_a_check_is_what_it_is_takes_no_history(
    world: World, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fleet.quiet(START, START + 30 * HOUR)
    world.evaluator.settle()

    monkeypatch.setattr(Evaluator, "intervals", refused)
    home, _ = Checks(world.storage, world.fleets, world.evaluator, lambda: world.now_us).list()
    assert (home.verdict, home.since_us) == ("UP", START)
