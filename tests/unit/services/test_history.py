"""Engines that forget and begin again at a quiet time say what one that read everything says."""

import random
from dataclasses import dataclass, field
from functools import partial

import pytest

from controller.core.intervals import FOREVER_US
from controller.core.outages import Outage, outages
from controller.core.timeline import evidence_until, judged_samples, timeline
from controller.ports.storage import Transaction
from controller.services.outages.outage_body import OutageBody, body_of, decode_body
from controller.services.timeline import evaluate
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line

MINUTE = 60 * SECOND
REGIONS = ("fra", "nyc", "sin")
ROUNDS = 400


@dataclass
class Fate:
    """What happens in each round, by region, with lines held back and sent late; from one seed."""

    seed: int
    held: dict[str, list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.down_until = dict.fromkeys(REGIONS, 0)
        self.late_until = dict.fromkeys(REGIONS, 0)
        self.bad_until = dict.fromkeys(REGIONS, 0)
        self.silent_until = dict.fromkeys(REGIONS, 0)

    def happen(self, number: int) -> None:
        chance = self.random.random
        if chance() < 0.02:
            length = self.random.randint(1, 12)
            for region in self.random.sample(REGIONS, self.random.randint(1, 3)):
                self.down_until[region] = number + length
        for region in REGIONS:
            if chance() < 0.01:
                self.late_until[region] = number + self.random.randint(1, 60)
            if chance() < 0.005:
                self.bad_until[region] = number + self.random.randint(1, 4)
            if chance() < 0.005:
                self.silent_until[region] = number + self.random.randint(1, 8)


async def live(world: World, running: Running, fate: Fate) -> None:
    """Rounds of samples and anchor rounds, with settling and restarts in between."""
    seqs = dict.fromkeys(REGIONS, 0)
    for number in range(1, ROUNDS + 1):
        fate.happen(number)
        for place, region in enumerate(REGIONS):
            at_us = START + number * MINUTE + place * 20 * SECOND
            world.now_us = at_us + SECOND
            if number < fate.silent_until[region]:
                continue
            ok = 0 if number < fate.bad_until[region] else 4
            outcome = (
                "down" if number < max(fate.down_until[region], fate.bad_until[region]) else "up"
            )
            first = seqs[region] + 1
            seqs[region] += 2
            held = fate.held.setdefault(region, [])
            # Samples and rounds share a stream here, so that they are late together.
            held.append(line(first, at_us, outcome, region, stream="shop"))
            held.append(
                line(first + 1, at_us + SECOND // 2, "up", region, check="@anchors", ok=ok, total=4)
            )
            if number >= fate.late_until[region] or number == ROUNDS:
                await running.give(frame(first + 2 - len(held), *held), region)
                held.clear()
        if fate.random.random() < 0.1:
            world.evaluator.settle()
        if fate.random.random() < 0.03:
            await running.restart()


def told(world: World, tx: Transaction) -> list[tuple[int, int, str, str, str]]:
    found = world.evaluator.intervals(tx, "shop-home", START, world.now_us, FOREVER_US)
    return [(i.from_us, i.to_us, i.verdict, i.low, i.high) for i in found]


def recomputed(
    world: World, tx: Transaction
) -> tuple[list[tuple[int, int, str, str, str]], list[Outage]]:
    """The oracle: everything that is stored, read at once."""
    policies = world.evaluator.checks(tx)["shop-home"]
    agents = [f"{region}-1" for region in REGIONS]
    evidence = evidence_until(
        tx.samples("shop-home", 0, FOREVER_US), tx.anchors(agents, 0, FOREVER_US), FOREVER_US
    )
    found: list[tuple[int, int, str, str, str]] = []
    for one in timeline(evidence, policies, START, world.now_us):
        if found and found[-1][2:] == one.verdicts:
            found[-1] = (found[-1][0], one.to_us, *one.verdicts)
        else:
            found.append((one.from_us, one.to_us, *one.verdicts))
    whole = timeline(evidence, policies, 0, world.now_us)
    return found, outages(whole, partial(judged_samples, evidence))


@pytest.fixture(autouse=True)
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "_KEPT_US", 20 * MINUTE)


def essence(body: OutageBody) -> tuple[object, ...]:
    """What does not depend on how far an open outage has gone on."""
    return (body.id, body.started_us, body.ended_us, body.confirmed_us, body.regions, body.votes)


@pytest.mark.parametrize("seed", range(12))
async def test_s23_forgetting_and_restarting_change_nothing(
    world: World, running: Running, seed: int
) -> None:
    await live(world, running, Fate(seed))
    for _ in range(2):
        with world.storage.transaction() as tx:
            intervals, expected = recomputed(world, tx)
            assert told(world, tx) == intervals
            stored = [decode_body(one.body) for one in tx.outages("shop-home")][::-1]
            assert [essence(body) for body in stored] == [essence(body_of(o)) for o in expected]
        await running.restart()


async def test_after_a_restart_only_the_end_of_a_long_calm_is_read(
    world: World, running: Running
) -> None:
    fate = Fate(0)
    fate.happen = lambda number: None  # type: ignore[method-assign]  # nothing ever happens
    await live(world, running, fate)
    world.evaluator.settle()
    world.restart()
    reads: list[int] = []

    class Counting:
        def __init__(self, tx: Transaction) -> None:
            self.tx = tx

        def __getattr__(self, name: str) -> object:
            return getattr(self.tx, name)

        def samples(self, check: str, from_us: int, to_us: int) -> object:
            found = self.tx.samples(check, from_us, to_us)
            reads.append(len(found))
            return found

    with world.storage.transaction() as tx:
        standing = world.evaluator.standing(Counting(tx), "shop-home", world.now_us)  # type: ignore[arg-type]  # a proxy
    assert standing.verdict == "UP"
    assert sum(reads) < ROUNDS
    assert standing.since_us == START + MINUTE + 20 * SECOND, "which only storage still knows"
