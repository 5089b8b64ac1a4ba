"""Objectives of samples, and PARTIAL time that weighs a share: from storage the same as from the lines."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.intervals import Interval
from controller.core.replay import Gathered, decode_replay, replay, replay_bytes, sorted_out
from controller.core.sla.reports.records import observed_in, records
from controller.services.contracts.report import Reports
from controller.services.contracts.sight import PastSight, StoredSight
from controller.services.timeline import evaluate
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line

CONTRACTS = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    period: {kind: day}
    objectives:
      - {id: time, target: "99.0", min_coverage: "0"}
      - {id: requests, formula: request, target: "99.0", min_coverage: "0"}
      - {id: slices, formula: ratio_timeslices, slice: 10m, target: "99.0", min_coverage: "0"}
      - {id: speed, metric: latency, threshold: 2s, target: "95", min_coverage: "0"}
      - {id: beats, formula: heartbeat, at_least: 3, target: "90", min_coverage: "0"}
    acknowledge_unmeasurable: true
"""
REGIONS = ("fra", "nyc", "sin")
DAY = "2025-06-15"


async def _lines(world: World, running: Running) -> list[bytes]:
    """Two hours: sin is down for ten minutes, later all are; fra is in trouble of its own for a while."""
    found: list[bytes] = []
    for seq in range(1, 121):
        for place, region in enumerate(REGIONS):
            world.now_us = START + (seq * 60 + place * 20) * SECOND
            is_down = 50 <= seq < 60 if region == "sin" else False
            outcome = "down" if is_down or 80 <= seq < 90 else "degraded" if seq % 7 == 0 else "up"
            own = line(2 * seq - 1, world.now_us, outcome, region, took=seq * 20_000)
            ok = 0 if region == "fra" and 100 <= seq < 105 else 3
            anchor = line(
                2 * seq, world.now_us + SECOND, "up", region, check="@anchors", ok=ok, total=3
            )
            found += [own, anchor]
            await running.give(frame(2 * seq - 1, own, anchor), region)
    return found


@pytest.mark.parametrize(
    "quorum",
    [
        b"regions",
        b"weights, weights: {fra: '0.2', nyc: '0.2', sin: '0.6'}",
        b"weights, weights: {fra: '0', nyc: '0', sin: '1'}",
        b"'1'",
        b"'0'",
    ],
)
async def test_s14_s35_s48_a_status_is_what_the_lines_give(
    world: World, running: Running, quorum: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FLEET.replace(b"http:", b"quorum: {partial_weight: %s}, http:" % quorum, 1) + CONTRACTS
    world.now_us = START - 3600 * SECOND
    assert not world.fleets.apply(text, "fleet.yaml", "ada").problems
    reports = Reports(world.storage, world.evaluator, lambda: world.now_us)
    lines = await _lines(world, running)
    world.now_us += 3 * SECOND
    gathered = Gathered()
    for one in lines:
        gathered.add(one)
    fleet = read_fleet(text, "fleet.yaml")
    day = period_named(DAY, "UTC")
    document = replay(
        fleet, sorted_out(fleet, gathered.items),
        from_us=day.from_us, to_us=world.now_us, horizon_us=world.now_us,
        with_bounds=True, with_samples=True,
    )  # fmt: skip
    document = decode_replay(replay_bytes(document))
    contract = fleet.contracts["acme"]
    offline = records(contract, day, observed_in(document, fleet, contract.scope), world.now_us)
    told: list[Any] = []
    for _ in range(2):
        told = msgspec.json.decode(reports.status(DAY, "acme", None))["records"]
        assert [_plain(one) for one in told] == [_plain(one) for one in offline]
        monkeypatch.setattr(evaluate, "_KEPT_US", 600 * SECOND)
        world.evaluator.settle()
    by_id = {one["objective"]: one for one in told}
    # Ten minutes of sin alone, and around the outage of all 20 s of fra and 20 s of sin.
    weighed = {b"'0'": Fraction(0), b"'1'": Fraction(640), b"reg": Fraction(640, 3)}
    alone = Fraction(620 if b"sin: '1'" in quorum else 376)
    partial_us = weighed.get(quorum[:3], alone) * SECOND
    assert by_id["time"]["downtime"] == -(-(partial_us + by_id["time"]["down"]) // 1)
    assert by_id["requests"]["samples"]["valid"] == 360 - 6, (
        "what fra saw in its own trouble is voided"
    )
    assert by_id["beats"]["days"] == {"good": 1, "counted": 1}
    with world.storage.transaction() as tx:
        where = ("shop-home", START, world.now_us)
        now = StoredSight(tx, world.evaluator, world.now_us)
        past = PastSight(tx, world.evaluator, world.now_us)
        assert now.told(*where) == past.told(*where)
        spans = [Interval(*day[:2])]
        for sight in (now, past):
            samples = sight.samples(*where)
            assert samples.counted(spans).valid == 354


def _plain(record: dict[str, Any]) -> Any:
    """A record without what lines do not tell."""
    return msgspec.json.decode(msgspec.json.encode({**record, "mttd": None, "mtta": None}))
