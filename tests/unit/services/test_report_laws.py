"""Laws of report documents (S-20, S-21): neither the order of arrival nor the way of computing matters."""

import random
from typing import Any

import msgspec
import pytest

from controller.services.outages.remarks import Remarks
from tests.fakes.storage import FakeStorage
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.report_stage import ADA, REGIONS, Stage

MINUTES = 150
OUTCOMES = ["up"] * 12 + ["down"] * 3 + ["degraded", "agent_error"]
RICH = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: day, tz: Europe/Warsaw}
    objectives:
      - {id: availability, target: "90.0", min_coverage: "0"}
      - {id: whole-minutes, formula: minute, mode: any, target: "90.0", unknown: as_down}
      - {id: requests, formula: request, target: "99.0", min_coverage: "0"}
      - {id: speed, metric: latency, threshold: 2s, target: "95", min_coverage: "0"}
      - {id: ack, metric: acknowledge, severity: P2, target: 15m, min_coverage: "0"}
      - {id: repair, metric: resolve, severity: [P1, P2, P3], target: 10m, min_coverage: "0"}
    outage: {min_duration: 90s, downtime_start: confirmation}
    credits: {tiers: [{below: "90.0", percent: "10"}], fee: "1000.00", currency: EUR, cap: "100%"}
    acknowledge_unmeasurable: true
"""
# What depends on when something came, and is read from the ledger (S-20).
LEDGER = ("detected_at", "notified_at")


def streams(seed: int) -> dict[str, list[bytes]]:
    """Hours of results of each region: a failure that all see, others by chance, and holes."""
    chance = random.Random(seed)
    found: dict[str, list[bytes]] = {}
    for place, region in enumerate(REGIONS):
        lines: list[bytes] = []
        outcome = "up"
        for minute in range(MINUTES):
            if chance.random() < 0.15:
                outcome = chance.choice(OUTCOMES)
            if chance.random() < 0.1:
                continue
            said = "down" if 60 <= minute < 75 else outcome
            at_us = START + (minute * 60 + place * 20) * SECOND
            lines.append(
                line(len(lines) + 1, at_us, said, region, took=chance.randrange(4 * SECOND))
            )
        found[region] = lines
    return found


async def arrive(stage: Stage, lines: dict[str, list[bytes]], chance: random.Random) -> None:
    """All of it, in frames of any size, the regions in any order, some frames twice."""
    left = dict.fromkeys(lines, 0)
    stage.world.now_us = max(stage.world.now_us, START + MINUTES * 60 * SECOND)
    while open_ones := [region for region in lines if left[region] < len(lines[region])]:
        region = chance.choice(open_ones)
        first, count = left[region], chance.choice([1, 7, 40])
        part = lines[region][first : first + count]
        for _ in range(chance.choice([1, 1, 1, 2])):
            stage.tick()
            await stage.running.give(frame(first + 1, *part), region)
        left[region] += len(part)


def without_ledger(document: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document)
    for outage in found["outages"]:
        for name in LEDGER:
            del outage[name]
    for one in found["records"]:
        one.pop("mttd", None)
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_s20_the_order_of_arrival_changes_nothing_but_what_the_ledger_knows(
    seed: int,
) -> None:
    lines = streams(seed)
    told: list[dict[str, Any]] = []
    for way in range(3):
        storage = FakeStorage()
        world = World(storage)
        running = Running(world)
        running.start()
        try:
            stage = Stage(world, running)
            await arrive(stage, lines, random.Random(way))
            stage.world.now_us = START + 12 * 3600 * SECOND
            told.append(without_ledger(stage.then(stage.world.now_us)))
        finally:
            await running.stop()
            storage.close()
    assert sum(len(one["outages"]) for one in told) > 0
    numbered = [{**one, "outages": None} for one in told]
    assert numbered[0] == numbered[1] == numbered[2]
    starts = [
        [(o["started_at"], o["ended_at"], o["downtime"]) for o in one["outages"]] for one in told
    ]
    assert starts[0] == starts[1] == starts[2]


def acknowledge(stage: Stage, chance: random.Random) -> None:
    """Somebody takes on one of the outages."""
    with stage.world.storage.transaction() as tx:
        numbers = [one.number for one in tx.outages()]
    if numbers:
        Remarks(stage.world.storage, stage.tick).ack(f"OUT-{chance.choice(numbers)}", "mine", ADA)


@pytest.mark.parametrize("seed", range(3))
async def test_s21_what_is_stored_and_what_was_known_then_give_the_same_bytes(
    seed: int, world: World, running: Running
) -> None:
    """At every instant of a day of late and repeated lines and of people; and after whatever came since."""
    chance = random.Random(seed)
    stage = Stage(world, running)
    stage.apply(RICH)
    lines = streams(100 + seed)
    told: dict[int, bytes] = {}
    done = dict.fromkeys(lines, 0)
    world.now_us = START + MINUTES * 60 * SECOND
    for _ in range(16):
        region = chance.choice(REGIONS)
        part = lines[region][done[region] : done[region] + chance.choice([5, 30])]
        if part:
            stage.tick()
            await running.give(frame(done[region] + 1, *part), region)
            done[region] += len(part)
        if chance.random() < 0.2:
            again = chance.randrange(done[region] or 1)
            other = line(again + 1, START + again * 60 * SECOND, "down", region)
            stage.tick()
            await running.give(frame(again + 1, other), region)
        if chance.random() < 0.1:
            world.evaluator.settle()
        world.evaluator.advance(stage.tick())
        if chance.random() < 0.4:
            acknowledge(stage, chance)
        document = stage.now()
        told[stage.world.now_us] = document
        if chance.random() < 0.1:
            await stage.restart()
    assert len(set(told.values())) == 16
    for known_us, document in told.items():
        assert stage.then(known_us) == document
