"""What is learnt after a report was issued and changes what it says: seen, whatever it is (S-22)."""

import zlib
from functools import partial
from typing import Any

import msgspec
import pytest

from controller.core.notices import DeliveryState
from controller.core.sla.reports.report_diff import changes_between
from controller.errors import Rejected
from controller.ports.deliveries import Delivery
from controller.services.contracts.touched import note_delivered
from controller.services.outages.remarks import Remarks
from tests.unit.services.conftest import SECOND, Running, World, frame, line
from tests.unit.services.report_stage import ADA, BAD, CONTRACTS, DAY, LABEL, Stage


@pytest.fixture
def stage(world: World, running: Running) -> Stage:
    return Stage(world, running)


def told(document: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document)
    return found


def record(document: bytes) -> dict[str, Any]:
    found: dict[str, Any] = told(document)["records"][0]
    return found


async def test_a_message_that_arrives_after_a_report_makes_a_revision(stage: Stage) -> None:
    await stage.day()
    first = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    stage.work()
    (handle,) = [one["handle"] for one in told(first.body)["outages"]]
    made = Delivery(
        key="ops/1", channel="ops", subject=handle, event="outage.opened",
        state=DeliveryState.DELIVERED, created_us=BAD, due_us=BAD, message=b"{}",
        changed_us=stage.tick(),
    )  # fmt: skip
    with stage.world.storage.transaction() as tx:
        tx.put_delivery(made)
        note_delivered(tx, handle)
        note_delivered(tx, "agent/fra-1")
    stage.work()
    assert stage.view().reopened_us is not None
    (change,) = changes_between(first.body, stage.now())
    assert [one.name for one in change.fields] == ["notified_at"]
    assert stage.again(first) == first.body


async def test_s2_a_result_that_counts_no_more_makes_a_revision(stage: Stage) -> None:
    """Other bytes came under its number, and are about another check: no verdict changes by that."""
    counted = b'objectives: [{id: availability, formula: request, target: "90.0"}]'
    stage.apply(
        CONTRACTS.replace(
            b'objectives: [{id: availability, target: "90.0", min_coverage: "95"}]', counted
        )
    )
    await stage.day()
    first = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    stage.work()
    await stage.give("sin", (BAD - 1700 * SECOND, "up"))
    stage.work()
    second = stage.periods.seal("acme", LABEL, ADA)
    stage.work()
    stage.tick()
    other = line(stage.seqs["sin"], BAD - 1700 * SECOND, "down", "sin", check="shop-dns")
    await stage.running.give(frame(stage.seqs["sin"], other), "sin")
    stage.work()
    assert (stage.view().reopened_us is not None) == bool(changes_between(second.body, stage.now()))
    assert record(stage.now())["samples"] != record(second.body)["samples"]
    assert [stage.again(one) for one in (first, second)] == [first.body, second.body]


async def test_a_timer_that_nobody_stops_makes_no_revision_by_going_on(stage: Stage) -> None:
    timed = b"objectives: [{id: ack, metric: acknowledge, severity: [P1, P2, P3], target: 15m}]"
    stage.apply(
        CONTRACTS.replace(
            b'objectives: [{id: availability, target: "90.0", min_coverage: "95"}]', timed
        )
    )
    await stage.day()
    stage.world.now_us += 3600 * SECOND
    first = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    (timer, *_) = record(first.body)["timers"]
    assert (timer["stopped"], timer["state"]) == (None, "breached")
    stage.world.now_us += DAY
    assert record(stage.now())["timers"][0]["elapsed"] > timer["elapsed"]
    with pytest.raises(Rejected, match="nothing that came since changes what it says"):
        stage.periods.seal("acme", LABEL, ADA)
    Remarks(stage.world.storage, stage.tick).ack(timer["outage"], "mine", ADA)
    stage.work()
    assert stage.view().reopened_us is not None
    assert stage.again(first) == first.body


@pytest.mark.parametrize("body", [b"not packed", zlib.compress(b"{}")])
async def test_a_report_that_is_damaged_in_the_database_is_not_given(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    await stage.day()
    made = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    with monkeypatch.context() as patch:
        patch.setattr(zlib, "decompress", partial(lambda real, _: real(body), zlib.decompress))
        ways: list[dict[str, Any]] = [{}, {"revision": 1}, {"as_of_us": made.as_of_us}]
        for asked in ways:
            with pytest.raises(Rejected, match="Revision 1 of acme 2025-06-15 is damaged"):
                stage.periods.report("acme", LABEL, **asked)
    assert stage.periods.report("acme", LABEL).document == made.body
