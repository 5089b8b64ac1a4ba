"""A million (check, region) pairs in memory: what each takes, and how many results a second they judge."""

import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from controller.core.engine import CheckEngine
from controller.core.policy import ALWAYS_US, Policy, PolicyRevision
from controller.core.rest import Rest
from controller.core.samples import Sample
from controller.services.fleet.policies import Shared
from controller.services.timeline.engines import Engines
from vedette.shared.definitions import digest_of
from vedette.shared.result import Outcome

REGIONS: Final = ("fra", "nyc", "sin")
INTERVAL_US: Final = 60_000_000
_WARM_ROUNDS: Final = 8
_BATCH: Final = 10_000
_PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class Resident:
    """Checks by id, what they take in all, and the next round of results."""

    engines: Engines
    checks: Sequence[str]
    bytes_per_pair: float
    next_round: int

    def after(self, rounds: int) -> "Resident":
        """The same after that many rounds more."""
        return replace(self, next_round=self.next_round + rounds)


def resident_bytes() -> int:
    """What the process holds of real memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def results(
    checks: Sequence[str], first: int, numbers: int, outcome: Outcome = Outcome.UP
) -> Iterator[Sample]:
    """Round `numbers` of checks that begin at number `first`, in order of arrival."""
    for rank, region in enumerate(REGIONS):
        for number, check in enumerate(checks, first):
            at_us = numbers * INTERVAL_US + rank * INTERVAL_US // 3 + number
            yield Sample(region, "e", "shop", numbers, check, region, at_us, outcome, None, 1000)


def _revisions(check: str, shared: Shared) -> tuple[PolicyRevision, ...]:
    """A policy of its own for each check, as if it were read from storage."""
    policy = Policy(check, digest_of(check.encode()), REGIONS, INTERVAL_US * 5 // 2, min_evidence=2)
    return (PolicyRevision(ALWAYS_US, shared.policy(replace(policy, weights={}))),)


def fed(engines: Engines, samples: Sequence[Sample]) -> None:
    """Take results as the controller does: at rest, or by an engine that is awake."""
    touched: dict[str, CheckEngine] = {}
    for sample in samples:
        check = sample.check
        engine = touched.get(check)
        if engine is None:
            rest = engines.resting(check)
            if rest is not None and rest.took(sample):
                continue
            engine = engines.awake(check)
            assert engine is not None
            touched[check] = engine
        engine.insert(sample)
    for engine in touched.values():
        engine.drain()


def resident(count: int, *, may_rest: bool = True) -> Resident:
    """That many checks, probed for a while from three regions with nothing amiss."""
    engines, shared = Engines(), Shared()
    before = resident_bytes()
    checks = [f"check-{number}" for number in range(count)]
    for number, check in enumerate(checks):
        engine = CheckEngine(_revisions(check, shared))
        for numbers in range(_WARM_ROUNDS):
            for sample in results([check], number, numbers):
                engine.insert(sample)
        engine.drain()
        engines.put(check, engine)
        if may_rest and engine.newest_us is not None:
            engine.settle(engine.newest_us - INTERVAL_US)
            engines.rest(check)
    taken = resident_bytes() - before
    assert not may_rest or all(isinstance(engines.resting(check), Rest) for check in checks)
    return Resident(engines, checks, taken / (count * len(REGIONS)), _WARM_ROUNDS)


def rate(world: Resident, rounds: int, outcome: Outcome = Outcome.UP, every: int = 0) -> float:
    """Results a second of one core's time; of every so many results one is a failure (0: none)."""
    took, count = 0.0, 0
    for numbers in range(world.next_round, world.next_round + rounds):
        for first in range(0, len(world.checks), _BATCH):
            some = world.checks[first : first + _BATCH]
            batch = list(results(some, first, numbers, outcome))
            if every:
                batch[::every] = [one._replace(outcome=Outcome.DOWN) for one in batch[::every]]
            started = time.process_time()
            fed(world.engines, batch)
            took += time.process_time() - started
            count += len(batch)
    return count / took


def bare_rate(world: Resident) -> float:
    """Results a second if all that is done is to remember the newest of each pair in a dictionary."""
    newest: dict[tuple[str, str], Sample] = {}
    took, count = 0.0, 0
    for first in range(0, min(len(world.checks), 10 * _BATCH), _BATCH):
        batch = list(results(world.checks[first : first + _BATCH], first, 0))
        started = time.process_time()
        for sample in batch:
            newest[sample.check, sample.region] = sample
        took += time.process_time() - started
        count += len(batch)
    return count / took
