"""Attainment from what is stored equals attainment from the lines themselves."""

import msgspec
import pytest

from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.records import observed_in, records
from controller.core.replay import Gathered, replay, sorted_out
from controller.errors import BadInput, NotFound
from controller.services import evaluate
from controller.services.report import Reports
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line

CONTRACTS = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: month, tz: Europe/Warsaw}
    objectives: [{id: availability, target: "99.0", min_coverage: "0"}]
"""
REGIONS = ("fra", "nyc", "sin")


@pytest.fixture
def reports(world: World) -> Reports:
    world.fleets.apply(FLEET + CONTRACTS, "fleet.yaml", "ada")
    return Reports(world.storage, world.evaluator, lambda: world.now_us)


async def test_a_status_is_what_the_lines_give(
    world: World, running: Running, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The month is June 2025; the check is in force since an hour before the first result.
    gathered = Gathered()
    for seq in range(1, 200):
        for place, region in enumerate(REGIONS):
            world.now_us = START + (seq * 60 + place * 20) * SECOND
            one = line(seq, world.now_us, "down" if 50 <= seq < 60 else "up", region)
            gathered.add(one)
            await running.give(frame(seq, one), region)
    fleet = read_fleet(FLEET + CONTRACTS, "fleet.yaml")
    month = period_named("2025-06", "Europe/Warsaw")
    document = replay(
        fleet, sorted_out(fleet, gathered.items),
        from_us=month.from_us, to_us=world.now_us, horizon_us=world.now_us,
    )  # fmt: skip
    observed = observed_in(document, fleet, "shop-home")
    contract = fleet.contracts["acme"]
    expected = msgspec.json.encode(records(contract, month, observed, world.now_us))
    for _ in range(2):
        told = msgspec.json.decode(reports.status("2025-06", "acme", None))
        assert told["records"] == msgspec.json.decode(expected)
        assert told["records"][0]["down"] == 600 * SECOND
        # The same again when most of it is no longer in memory.
        monkeypatch.setattr(evaluate, "_KEPT_US", 600 * SECOND)
        world.evaluator.settle()


def test_without_a_fleet_there_are_no_records(world: World) -> None:
    with world.storage._storage._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM fleet_revision")
    world.restart()
    reports = Reports(world.storage, world.evaluator, lambda: world.now_us)
    assert msgspec.json.decode(reports.status("", None, None)) == {"version": 1, "records": []}


def test_what_there_is_no_status_of(reports: Reports) -> None:
    with pytest.raises(NotFound, match="Expected a contract in force \\(acme\\), found 'other'"):
        reports.status("", "other", None)
    with pytest.raises(BadInput, match="expected a period such as 2026-06"):
        reports.status("June", None, None)
