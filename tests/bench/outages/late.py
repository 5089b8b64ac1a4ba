"""One late result into a month of a check at 60 s in three regions: what it costs, in a real database."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from controller.core.samples import Sample
from controller.ports.agents import AgentRecord
from controller.ports.storage import Storage
from controller.services.fleet.apply import Fleets
from controller.services.timeline.evaluate import Evaluator
from controller.storage.database import open_storage, upgrade
from vedette.shared.result import Outcome

REGIONS: Final = ("fra", "nyc", "sin")
SECOND: Final = 1_000_000
INTERVAL_US: Final = 60 * SECOND
DAY_US: Final = 86_400 * SECOND
START_US: Final = 1_750_000_000 * SECOND
_FLEET: Final = b"""version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: shop}]
checks: [{id: home, service: shop, every: 60s, http: {url: "http://192.0.2.7/"}}]
"""


@dataclass
class Month:
    """A controller's evaluation over a database that holds a month of one check."""

    storage: Storage
    evaluator: Evaluator
    now_us: int
    late_seq: int = 0

    def late_us(self, at_us: int, outcome: Outcome) -> float:
        """Microseconds to take one result of `at_us`, its commit included."""
        self.late_seq += 1
        sample = Sample("sin-1", "late", "shop", self.late_seq, "home", "sin", at_us, outcome)
        started = time.perf_counter()
        self.take([sample])
        return (time.perf_counter() - started) * SECOND

    def take(self, samples: list[Sample]) -> None:
        """Keep and judge samples as ingest does."""
        with self.evaluator.transaction() as tx:
            tx.append([], samples, [], [], [])
            self.evaluator.absorb(tx, samples, [], {}, self.now_us)

    def anew_us(self) -> float:
        """Microseconds to judge the whole month anew."""
        evaluator = Evaluator(self.storage)
        with self.storage.transaction() as tx:
            tx.put_settled("home", None)
        started = time.perf_counter()
        evaluator.rebuild(self.now_us)
        return (time.perf_counter() - started) * SECOND


def _rounds(first: int, count: int) -> list[Sample]:
    return [
        Sample(f"{region}-1", "e", "shop", number, "home", region,
               START_US + number * INTERVAL_US + rank * INTERVAL_US // 3, Outcome.UP, None, 1000)
        for number in range(first, first + count)
        for rank, region in enumerate(REGIONS)
    ]  # fmt: skip


@contextmanager
def month(days: int, url: str | None = None) -> Iterator[Month]:
    """A month; in a SQLite file, or in the database of a URL."""
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as folder:
        url = url or f"sqlite:///{Path(folder) / 'bench.db'}"
        upgrade(url)
        storage = open_storage(url)
        try:
            yield _lived(storage, days)
        finally:
            storage.close()


def _lived(storage: Storage, days: int) -> Month:
    evaluator = Evaluator(storage)
    world = Month(storage, evaluator, START_US - DAY_US)
    with storage.transaction() as tx:
        for region in REGIONS:
            tx.put_agent(AgentRecord(f"{region}-1", region, "box", 0, b"", b"", "s", None, 0))
    assert not Fleets(storage, evaluator, lambda: world.now_us).apply(_FLEET, "f", "ada").problems
    per_day = DAY_US // INTERVAL_US
    for day in range(days):
        world.now_us = START_US + (day + 1) * DAY_US
        world.take(_rounds(day * per_day, per_day))
        evaluator.settle()
    return world


def costs_us(world: Month, days: int) -> tuple[float, float]:
    """Median microseconds of a failure late by weeks, and of one late by minutes."""
    end_us = START_US + days * DAY_US
    middle_us = START_US + (days // 2) * DAY_US
    weeks, minutes = [], []
    for number in range(9):
        weeks.append(world.late_us(middle_us - number * 3600 * SECOND, Outcome.DOWN))
        world.evaluator.settle()
        minutes.append(world.late_us(end_us - (100 + number) * SECOND, Outcome.DOWN))
    return median(weeks), median(minutes)
