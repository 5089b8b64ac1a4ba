"""Attainment from what is stored equals attainment from the lines themselves."""

from typing import Any

import msgspec
import pytest

from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.replay import Gathered, replay, sorted_out
from controller.core.sla.reports.records import observed_in, records
from controller.errors import BadInput, NotFound
from controller.services.contracts.report import Reports
from controller.services.timeline import evaluate
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
    contract = fleet.contracts["acme"]
    observed = observed_in(document, fleet, contract.scope)
    expected = msgspec.json.encode(
        [
            {**one, "mttd": 60 * SECOND}  # what lines do not say: when the controller knew
            for one in records(contract, month, observed, world.now_us)
        ]
    )
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


async def test_s21_as_of_an_instant_the_same_bytes_are_told_before_and_after_settling(
    world: World, running: Running, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "_KEPT_US", 600 * SECOND)
    for seq in range(1, 120):
        for place, region in enumerate(REGIONS):
            world.now_us = START + (seq * 60 + place * 20) * SECOND
            outcome = "down" if 50 <= seq < 60 else "up"
            await running.give(frame(seq, line(seq, world.now_us, outcome, region)), region)
    instants = [START + (3000 + offset) * SECOND for offset in range(0, 700, 35)]
    before = [reports.status("2025-06", "acme", at_us) for at_us in instants]
    records_told = [msgspec.json.decode(one)["records"][0] for one in before]
    # One failure of each region is known at first, and nothing confirms them yet.
    assert [(r["down"], r["downtime_max"], r["outages"]) for r in records_told[:2]] == [
        (0, 0, 0)
    ] * 2
    assert records_told[-1]["down"] > 500 * SECOND
    assert records_told[-1]["outages"] == 1
    for _ in range(2):
        world.evaluator.settle()
        assert [reports.status("2025-06", "acme", at_us) for at_us in instants] == before
        await running.restart()
        world.evaluator.rebuild(world.now_us)
        reports = Reports(world.storage, world.evaluator, lambda: world.now_us)


def revisions(reports: Reports, as_of_us: int | None = None, name: str | None = None) -> list[Any]:
    told = msgspec.json.decode(reports.status("2025-06", name, as_of_us))["records"]
    return [(one["contract"], one["revision"], one["target"]) for one in told]


def test_a_record_names_the_revision_of_the_contract_and_keeps_to_it(
    world: World, reports: Reports
) -> None:
    first_us = world.now_us
    assert revisions(reports) == [("acme", 1, "99.0")]
    world.now_us += SECOND
    world.fleets.apply(FLEET + b"# again\n" + CONTRACTS, "fleet.yaml", "ada")
    assert revisions(reports) == [("acme", 1, "99.0")], "a comment is no amendment"
    world.now_us += SECOND
    other = CONTRACTS.replace(b"99.0", b"99.5") + CONTRACTS.split(b"\n", 1)[1].replace(
        b"id: acme", b"id: beta"
    )
    world.fleets.apply(FLEET + other, "fleet.yaml", "ada")
    second_us = world.now_us
    assert revisions(reports) == [("acme", 2, "99.5"), ("beta", 1, "99.0")]
    assert revisions(reports, second_us - 1) == [("acme", 1, "99.0")]
    assert revisions(reports, first_us - SECOND) == [], "the first file of all had none"
    assert revisions(reports, first_us - SECOND, "acme") == [("acme", 1, "99.0")]
    assert revisions(reports, first_us, "beta") == [("beta", 1, "99.0")], "its first revision"
    world.now_us += SECOND
    world.fleets.apply(FLEET + CONTRACTS, "fleet.yaml", "ada")
    assert revisions(reports) == [("acme", 3, "99.0")], "what is put back is an amendment too"
    assert revisions(reports, second_us) == [("acme", 2, "99.5"), ("beta", 1, "99.0")]
    with pytest.raises(NotFound, match="in force \\(acme\\), found 'beta'"):
        revisions(reports, None, "beta")
    afresh = Reports(world.storage, world.evaluator, lambda: world.now_us)
    assert revisions(afresh) == [("acme", 3, "99.0")]
