"""`make bench-outages`: results judged a second with a million pairs resident, memory, late results, detection.

Beside each figure stands a reference that was measured in the same run, because machines differ and are noisy.
VEDETTE_BENCH_PAIRS says how many (check, region) pairs, VEDETTE_BENCH_POSTGRES=1 adds PostgreSQL.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.bench.outages import detection
from tests.bench.outages.late import costs_us, month
from tests.bench.outages.resident import REGIONS, bare_rate, rate, resident
from tests.fakes.postgres import postgres_server
from vedette.shared.result import Outcome

PAIRS: Final = int(os.environ.get("VEDETTE_BENCH_PAIRS", "1000000"))
DAYS: Final = 30
BAR_RESULTS: Final = 150_000
BAR_BYTES: Final = 400
BAR_LATE_MS: Final = 50
_FEW_CHECKS: Final = 1000
_ROUNDS: Final = 2


class Line(NamedTuple):
    """A figure, its reference, and the bar: at least or at most that; None: there is no bar."""

    what: str
    ours: float
    reference: float
    reference_is: str
    bar: float | None = None
    is_most: bool = False

    @property
    def holds(self) -> bool:
        """The bar is held, or there is none."""
        if self.bar is None:
            return True
        return self.ours <= self.bar if self.is_most else self.ours >= self.bar

    def __str__(self) -> str:
        bar = ""
        if self.bar is not None:
            sign = "at most" if self.is_most else "at least"
            bar = f"{sign} {self.bar:,.0f} {'ok' if self.holds else 'MISSED'}"
        ratio = self.ours / self.reference
        return f"{self.what:<50}{self.ours:>11,.0f}{self.reference:>12,.0f}{ratio:>8.3f}x  {bar:<26}{self.reference_is}"


def in_memory() -> list[Line]:
    """What pairs take and how fast they are judged, at rest and awake."""
    awake = resident(_FEW_CHECKS, may_rest=False)
    awake_up = rate(awake, 5)
    awake = awake.after(5)
    opening = rate(awake, 3, Outcome.DOWN)
    awake_down = rate(awake.after(3), 5, Outcome.DOWN)
    world = resident(-(-PAIRS // len(REGIONS)))
    bare = bare_rate(world)
    calm = rate(world, _ROUNDS)
    world = world.after(_ROUNDS)
    odd = rate(world, 1, every=1000)
    pairs = len(world.checks) * len(REGIONS)
    a_dict = "a dictionary of the newest"
    return [
        Line(f"bytes a pair, {pairs:,} resident", world.bytes_per_pair, awake.bytes_per_pair,
             "awake engines, 8 results a pair", BAR_BYTES, is_most=True),
        Line("results/s, in order, nothing amiss", calm, bare, a_dict, BAR_RESULTS),
        Line("results/s, in order, 1 of 1,000 fails", odd, bare, a_dict, BAR_RESULTS),
        Line(f"results/s, awake, {_FEW_CHECKS} checks, up", awake_up, bare, a_dict),
        Line(f"results/s, awake, {_FEW_CHECKS} checks, all begin to fail", opening, bare, a_dict),
        Line(f"results/s, awake, {_FEW_CHECKS} checks, all still down", awake_down, bare, a_dict),
    ]  # fmt: skip


def late_results(name: str, url: str | None = None) -> list[Line]:
    """One late result into a month of data, through the evaluator and into a real database."""
    with month(DAYS, url) as world:
        weeks_us, minutes_us = costs_us(world, DAYS)
        anew_us = world.anew_us()
    return [
        Line(f"{name}: ms for a result 15 days late", weeks_us / 1000, anew_us / 1000,
             "the month judged anew", BAR_LATE_MS, is_most=True),
        Line(f"{name}: ms for a result minutes late", minutes_us / 1000, anew_us / 1000,
             "the month judged anew", BAR_LATE_MS, is_most=True),
    ]  # fmt: skip


def on_postgres() -> list[Line]:
    """The same in a PostgreSQL of its own."""
    with postgres_server() as server:
        return late_results("PostgreSQL", server.format(database="postgres"))


def show(lines: Sequence[Line]) -> bool:
    """Print lines; whether every bar holds."""
    for line in lines:
        print(line, flush=True)
    return all(line.holds for line in lines)


def main() -> None:
    """Print all figures; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-detection", action="store_true", help="leave the live run out")
    arguments = parser.parse_args()
    print(f"{'':<50}{'ours':>11}{'reference':>12}{'ratio':>9}  {'bar':<26}reference is")
    # Memory first: what others have freed would be taken again, and not be counted.
    fine = show(in_memory())
    fine = show(late_results("SQLite")) and fine
    if os.environ.get("VEDETTE_BENCH_POSTGRES"):
        fine = show(on_postgres()) and fine
    if not arguments.no_detection:
        sys.argv[1:] = []
        fine = detection.main() == 0 and fine
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
