"""Inserts per second of the incremental engine, on one core: `python -m tests.bench.engine`."""

import argparse
import time

from controller.core.engine import CheckEngine
from controller.core.policy import Policy, always
from controller.core.samples import Sample
from vedette.shared.result import Outcome

REGIONS = ("fra", "nyc", "sin")
INTERVAL_US = 60_000_000


def engines(checks: int) -> list[CheckEngine]:
    """Engines of that many checks, probed from three regions."""
    policy = Policy("c", "r", REGIONS, INTERVAL_US * 5 // 2, min_evidence=2)
    return [CheckEngine(always(policy)) for _ in range(checks)]


def rounds(checks: int, count: int, outcome: Outcome, first: int) -> list[tuple[int, Sample]]:
    """(check, sample) of `count` rounds in the order in which they arrive."""
    return [
        (check, Sample(region, "e", "s", (first + k) * checks + check, "c", region,
                       (first + k) * INTERVAL_US + rank * 20_000_000 + check, outcome, None, 1000))
        for k in range(count)
        for rank, region in enumerate(REGIONS)
        for check in range(checks)
    ]  # fmt: skip


def rate(all_engines: list[CheckEngine], work: list[tuple[int, Sample]]) -> float:
    """Inserts per second, drained as a service would: after each batch of a thousand."""
    started = time.perf_counter()
    for place in range(0, len(work), 1000):
        batch = work[place : place + 1000]
        for check, sample in batch:
            all_engines[check].insert(sample)
        for check in {check for check, _ in batch}:
            all_engines[check].drain()
    return len(work) / (time.perf_counter() - started)


def late_cost_us(engine: CheckEngine, history: int) -> float:
    """Microseconds for a late sample in the middle of `history` rounds, its drain included."""
    count = 200
    started = time.perf_counter()
    for k in range(count):
        at_us = (history // 2 + k) * INTERVAL_US + 7_000_000
        engine.insert(
            Sample("fra", "late", "s", k, "c", "fra", at_us, Outcome.DOWN, "timeout", 1000)
        )
        engine.drain()
    return (time.perf_counter() - started) / count * 1e6


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    checks, count = arguments.checks, arguments.rounds
    all_engines = engines(checks)
    for name, outcome, first in (("up", Outcome.UP, 0), ("down", Outcome.DOWN, count)):
        work = rounds(checks, count, outcome, first)
        print(f"in order, {name}: {rate(all_engines, work):,.0f} results/s")
    for history in (1_000, 10_000):
        (engine,) = engines(1)
        rate([engine], rounds(1, history, Outcome.UP, 0))
        print(f"late, history {history}: {late_cost_us(engine, history):,.0f} us a sample")


if __name__ == "__main__":
    main()
