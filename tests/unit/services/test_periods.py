"""The life of a period on a server: as of instants, sealed, revised, and the same for ever (S-21, S-22)."""

import hashlib
from typing import Any

import msgspec
import pytest

from controller.clock import LedgerClock
from controller.core.calendars import Period
from controller.core.sla.reports.report_diff import What, changes_between
from controller.errors import BadInput, NotFound, Rejected, Unreachable
from controller.ports.custody import Actor
from controller.services.contracts.exclusions import Asked, Exclusions
from controller.services.contracts.terms import Terms
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World
from tests.unit.services.report_stage import ADA, BAD, CONTRACTS, DAY, ENDS, LABEL, REGIONS, Stage


@pytest.fixture
def stage(world: World, running: Running) -> Stage:
    return Stage(world, running)


def told(document: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document)
    return found


def record(document: bytes) -> dict[str, Any]:
    found: dict[str, Any] = told(document)["records"][0]
    return found


async def test_s22_a_period_is_open_provisional_final_and_sealed(stage: Stage) -> None:
    stage.world.now_us = START + 60 * SECOND
    assert stage.view().life.state == "open"
    await stage.day()
    assert stage.view().life.state == "provisional", "late results may come for six hours"
    stage.work()
    stage.world.now_us = ENDS + 7 * 3600 * SECOND
    assert stage.view().life.state == "final"
    stage.work()
    assert stage.issued() == []
    stage.world.now_us = ENDS + 12 * 3600 * SECOND
    stage.work()
    stage.work()
    assert stage.view().life.state == "sealed"
    (only,) = stage.issued()
    assert (only.revision, only.issued_by, only.is_early) == (1, "", False)
    assert only.sha256 == hashlib.sha256(only.body).hexdigest()
    with stage.world.storage.transaction() as tx:
        act = tx.acts(None, 1)[0]
    assert (act.who, act.action, act.subject) == ("controller", "report.seal", f"acme {LABEL}")
    assert only.sha256 in act.detail


async def test_s22_an_agent_that_was_not_heard_is_waited_for_until_the_report_is_due(
    stage: Stage,
) -> None:
    await stage.day(late="sin")
    stage.world.now_us = ENDS + 7 * 3600 * SECOND
    view = stage.view()
    assert view.life.state == "provisional"
    assert [one.agent for one in view.life.unheard] == ["sin-1"]
    with pytest.raises(Rejected, match="nothing is known yet of sin-1 after 2025-06-15T"):
        stage.periods.seal("acme", LABEL, ADA)
    stage.world.now_us = ENDS + 12 * 3600 * SECOND
    stage.work()
    (only,) = stage.issued()
    assert only.is_early, "it was due, though it was not final"
    assert told(only.body)["made"]["issue"]["unheard"] == [["sin-1", view.life.unheard[0].heard_us]]


async def test_x68_what_was_sealed_never_changes_and_late_results_make_a_revision(
    stage: Stage,
) -> None:
    await stage.day(late="sin")
    stage.world.now_us = ENDS + 12 * 3600 * SECOND
    stage.work()
    (first,) = stage.issued()
    # What sin saw comes days later: a second region that saw the failure.
    stage.world.now_us = ENDS + 2 * DAY
    stage.work()
    await stage.rest_of_day("sin")
    assert stage.again(first) == first.body, "before anything was looked at"
    stage.work()
    view = stage.view()
    assert (view.life.state, view.reopened_us is not None) == ("sealed", True)
    late = stage.periods.report("acme", LABEL)
    assert (late.document, late.is_reopened) == (first.body, True), "the issued one is given"
    fresh = stage.periods.report("acme", LABEL, is_fresh=True).document
    assert told(fresh)["made"].get("issue") is None
    assert changes_between(first.body, fresh)
    assert view.next_revision_us is not None
    stage.world.now_us = view.next_revision_us
    stage.work()
    _, second = stage.issued()
    assert stage.view().life.state == "revised"
    assert (second.revision, told(second.body)["made"]["issue"]["revision"]) == (2, 2)
    assert stage.periods.report("acme", LABEL, revision=1).document == first.body
    assert stage.periods.report("acme", LABEL, as_of_us=first.as_of_us).document == first.body
    assert stage.periods.report("acme", LABEL).document == second.body
    for one in (first, second):
        assert stage.again(one) == one.body
        assert hashlib.sha256(one.body).hexdigest() == one.sha256
    await stage.restart()
    for one in (first, second):
        assert stage.again(one) == one.body
    stage.work()
    assert len(stage.issued()) == 2, "nothing is left to be said"


async def test_x12_a_report_before_and_after_late_results_differs_by_ninety_and_430_seconds(
    stage: Stage,
) -> None:
    """X-11: all agents are cut off within an outage. X-12: what they had buffered comes."""
    base = START - START % (60 * SECOND) + 60 * SECOND
    definition = FLEET.replace(
        b'http: {url: "https://shop.example/"}}',
        b'http: {url: "https://shop.example/"}, quorum: {fail_after: 1, recover_after: 1}}',
    )
    assert not stage.world.fleets.apply(definition + CONTRACTS, "fleet.yaml", "ada").problems
    until = {"fra": 300, "nyc": 320, "sin": 340}
    for place, region in enumerate(REGIONS):
        at = range(place * 20, until[region] + 1, 60)
        await stage.give(region, *((base + s * SECOND, "down" if s >= 300 else "up") for s in at))
    stage.world.now_us = base + 900 * SECOND
    before = stage.periods.report("acme", LABEL).document
    known_us = told(before)["made"]["as_of"]
    assert record(before)["down"] == 150 * SECOND
    for place, region in enumerate(REGIONS):
        at = range(360 + place * 20, 900, 60)
        await stage.give(region, *((base + s * SECOND, "up") for s in at))
    # As of then, seen with what came since.
    assert stage.periods.report("acme", LABEL, as_of_us=known_us).document == before
    after = stage.periods.report("acme", LABEL).document
    (change,) = [one for one in changes_between(before, after) if one.kind == "record"]
    deltas = {one.name: one.delta for one in change.fields}
    assert deltas["downtime"] == -90 * SECOND
    # The second one was made some microseconds later, and all of them are known.
    assert deltas["unknown"] is not None
    assert 0 <= -deltas["unknown"] - 430 * SECOND < 10
    (outage,) = [one for one in changes_between(before, after) if one.kind == "outage"]
    assert (outage.id, outage.what) == ("OUT-1", What.CHANGED), "its handle is the same"


async def test_sealing_before_the_period_is_final_needs_a_reason_that_the_report_prints(
    stage: Stage,
) -> None:
    await stage.day()
    with pytest.raises(
        Rejected, match="is not final: late results may come until 2025-06-16T06:00"
    ):
        stage.periods.seal("acme", LABEL, ADA)
    with pytest.raises(BadInput, match="Expected a reason"):
        stage.periods.seal("acme", LABEL, ADA, is_early=True)
    made = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="the auditor is here")
    assert told(made.body)["made"]["issue"] == {
        "revision": 1, "by": "ada", "reason": "the auditor is here", "is_early": True, "unheard": [],
    }  # fmt: skip
    assert stage.again(made) == made.body
    with pytest.raises(Rejected, match="nothing that came since changes what it says"):
        stage.periods.seal("acme", LABEL, ADA)


async def test_what_cannot_be_sealed_or_given(stage: Stage) -> None:
    await stage.day()
    with pytest.raises(Rejected, match="2025-06-16 is not over before 2025-06-17T00:00:00Z"):
        stage.periods.seal("acme", "2025-06-16", ADA)
    with pytest.raises(
        BadInput, match="Expected a day of acme, which is judged by it, found the month"
    ):
        stage.periods.seal("acme", "2025-06", ADA)
    with pytest.raises(BadInput, match="expected a period such as"):
        stage.periods.seal("acme", "June", ADA)
    with pytest.raises(NotFound, match=r"that was ever in force \(acme\), found 'other'"):
        stage.periods.report("other", LABEL)
    with pytest.raises(NotFound, match=r"\(none was issued yet\), found 1"):
        stage.periods.report("acme", LABEL, revision=1)
    with pytest.raises(BadInput, match="Expected an instant that has passed"):
        stage.periods.report("acme", LABEL, as_of_us=stage.world.now_us + DAY)


async def test_late_results_by_hand_and_what_is_the_same_again(stage: Stage) -> None:
    await stage.day(late="sin")
    made = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    # A definition that says the same, a remark in the file: nothing that the report tells of.
    stage.apply(b"# again\n" + CONTRACTS)
    stage.work()
    with stage.world.storage.transaction() as tx:
        assert tx.reopened() == []
    await stage.rest_of_day("sin")
    second = stage.periods.seal("acme", LABEL, ADA, reason="sin came back")
    assert (second.revision, second.is_early, second.issued_by) == (2, False, "ada")
    kinds = {one.kind for one in changes_between(made.body, second.body)}
    assert "record" in kinds


async def test_a_retroactive_amendment_makes_a_revision_that_names_the_clause(stage: Stage) -> None:
    await stage.day()
    first = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    stage.apply(CONTRACTS.replace(b'"90.0"', b'"99.9"'))
    stage.work()
    fresh = stage.periods.report("acme", LABEL, is_fresh=True).document
    changes = changes_between(first.body, fresh)
    (terms,) = [one for one in changes if one.kind == "terms"]
    assert [one.name for one in terms.fields] == ["clauses.objectives"]
    assert stage.again(first) == first.body, "by the terms that were known then"


async def test_a_contract_that_was_taken_out_is_still_sealed(stage: Stage) -> None:
    await stage.day()
    stage.apply(b"")
    stage.world.now_us = ENDS + 12 * 3600 * SECOND
    stage.work()
    assert len(stage.issued()) == 1
    assert stage.issued("2025-06-16") == [], "which it was only in part, on no day after"


async def test_killed_between_making_and_keeping_there_is_one_report(stage: Stage) -> None:
    await stage.day()
    stage.world.now_us = ENDS + 12 * 3600 * SECOND
    for _ in range(3):
        stage.world.storage.is_full = True
        with pytest.raises(Unreachable, match="disk is full"):
            stage.work()
        stage.world.storage.is_full = False
        await stage.restart()
    stage.work()
    assert [one.revision for one in stage.issued()] == [1]


async def test_late_results_that_change_no_verdict_change_what_is_counted(stage: Stage) -> None:
    """An objective that counts results: what came late is said, though the timeline is the same."""
    counted = b'objectives: [{id: availability, formula: request, target: "90.0"}]'
    stage.apply(
        CONTRACTS.replace(
            b'objectives: [{id: availability, target: "90.0", min_coverage: "95"}]', counted
        )
    )
    await stage.day(late="sin")
    first = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    stage.work()
    stage.world.now_us = ENDS + DAY
    stage.work()
    await stage.probe("sin", BAD + 40 * SECOND, BAD + 280 * SECOND)
    stage.work()
    assert stage.view().reopened_us is not None
    (change,) = changes_between(first.body, stage.now())
    assert change.kind == "record"
    assert stage.again(first) == first.body


async def test_s27_an_exclusion_that_was_declared_afterwards_makes_a_revision(stage: Stage) -> None:
    await stage.day()
    first = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    exclusions = Exclusions(stage.world.storage, Terms(), stage.tick)
    asked = Asked(
        id="theirs", type="customer_fault", from_us=BAD, to_us=BAD + 600 * SECOND,
        is_for_all=True, reason="their firewall",
    )  # fmt: skip
    exclusions.declare(asked, ADA)
    for name in ("bob", "eve"):
        exclusions.approve("theirs", "", Actor(name, "admin", "192.0.2.1"))
    stage.work()
    second = stage.periods.seal("acme", LABEL, ADA)
    changes = changes_between(first.body, second.body)
    assert [(one.kind, one.what.value) for one in changes if one.kind == "exclusion"] == [
        ("exclusion", "appeared")
    ]
    (change,) = [one for one in changes if one.kind == "record"]
    assert {one.name: one.delta for one in change.fields}["excluded"] == 600 * SECOND
    assert stage.again(first) == first.body


async def test_a_report_that_had_to_wait_does_not_wait_for_the_next_period(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.day()
    stage.world.now_us = ENDS + 12 * 3600 * SECOND
    with monkeypatch.context() as patch:
        patch.setattr(stage.world.evaluator, "is_behind", lambda check: True)
        stage.work()
    assert stage.issued() == [], "late results are being judged"
    stage.world.now_us += 600 * SECOND
    stage.work()
    assert [one.revision for one in stage.issued()] == [1]


async def test_a_fault_in_one_report_keeps_no_other_waiting(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.day()
    stage.world.now_us = ENDS + DAY + 12 * 3600 * SECOND
    made = stage.documents.now

    def faulty(tx: Any, contract: str, when: Period, *rest: Any) -> bytes:
        assert when.label != LABEL, "a fault of ours"
        return made(tx, contract, when, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(stage.documents, "now", faulty)
        stage.work()
    assert (len(stage.issued()), len(stage.issued("2025-06-16"))) == (0, 1)
    stage.world.now_us += 600 * SECOND
    stage.work()
    assert len(stage.issued()) == 1


async def test_what_comes_minutes_after_an_early_report_makes_a_revision(stage: Stage) -> None:
    """Nothing of it changes an outage: what was unknown is up."""
    for region in REGIONS:
        await stage.probe(region, START, ENDS - 2400 * SECOND)
    stage.world.now_us = ENDS + 60 * SECOND
    first = stage.periods.seal("acme", LABEL, ADA, is_early=True, reason="x")
    stage.work()
    for region in REGIONS:
        await stage.probe(region, ENDS - 2400 * SECOND, ENDS)
    stage.work()
    assert stage.view().reopened_us is not None
    changes = [one for one in changes_between(first.body, stage.now()) if one.kind == "record"]
    assert {one.name: one.delta or 0 for one in changes[0].fields}["up"] > 2000 * SECOND
    assert stage.again(first) == first.body


async def test_s21_after_a_restart_what_is_recorded_comes_after_all_that_was(stage: Stage) -> None:
    await stage.day()
    told_us = stage.tick()
    told = stage.then(told_us)
    # The machine's clock is set back by an hour, and the controller started again.
    stage.world.now_us -= 3600 * SECOND
    await stage.restart()
    clock = LedgerClock(lambda: stage.world.now_us)
    clock.go_on_after(stage.issuing.last_us())
    with stage.world.storage.transaction() as tx:
        assert tx.last_recorded_us() > stage.world.now_us
        assert clock() > tx.last_recorded_us()
    assert stage.then(told_us) == told
    # One that is years behind what was recorded was wrong before: nothing waits for years.
    stage.world.now_us -= 20 * 365 * DAY
    assert stage.issuing.last_us() == 0, "nothing was issued"
    stage.world.now_us = ENDS + DAY
    made = stage.periods.seal("acme", LABEL, ADA)
    stage.world.now_us -= 20 * 365 * DAY
    assert stage.issuing.last_us() == made.as_of_us
