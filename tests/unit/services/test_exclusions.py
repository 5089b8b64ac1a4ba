"""Exclusions by command: declared now, approved by others, withdrawn for all to see; and what figures make of them."""

from typing import Any

import msgspec
import pytest

from controller.core.sla.figures.applied import Status
from controller.errors import BadInput, NotFound, Rejected
from controller.ports.custody import Actor
from controller.services.contracts.exclusion_ledger import ExclusionView
from controller.services.contracts.exclusions import Asked, Exclusions
from controller.services.contracts.report import Reports
from controller.services.contracts.terms import Terms
from tests.unit.services.conftest import FLEET, SECOND, START, World

HOUR = 3600 * SECOND
DAY = 24 * HOUR
ADA, BO, CY = (Actor(name, "operator", "ipv4:192.0.2.1:1") for name in ("ada", "bo", "cy"))
CONTRACT = b"""\
contracts:
  - id: acme
    effective_from: 2025-01-01T00:00:00Z
    scope: {checks: [shop-home]}
    objectives: [{id: availability, target: "99.0", min_coverage: "0", unknown: as_down}]
    exclusions: {scheduled: {notice: 24h}, emergency: {mode: ignore}, suspension: {approvals: 1}}
"""
IN_FILE = b"""\
exclusions:
  - {id: night, type: scheduled, from: 2025-06-20T00:00:00Z, to: 2025-06-20T01:00:00Z, scope: all,
     declared_at: 2025-06-01T00:00:00Z, by: dana, approved_by: [bo]}
"""


class Desk:
    """The exclusions of a world, and shorthands."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.fleets.apply(FLEET + CONTRACT, "fleet.yaml", "ada")
        terms = Terms()
        self.exclusions = Exclusions(world.storage, terms, lambda: world.now_us)
        self.reports = Reports(world.storage, world.evaluator, lambda: world.now_us, terms)

    def declare(self, kind: str = "scheduled", in_us: int = 2 * DAY, **more: Any) -> ExclusionView:
        from_us = self.world.now_us + in_us
        asked = {
            "type": kind,
            "from_us": from_us,
            "to_us": from_us + HOUR,
            "reason": "patch",
            "checks": ["shop-home"],
        }
        return self.exclusions.declare(Asked(**{**asked, **more}), more.pop("by", ADA))

    def told(self, as_of_us: int | None = None) -> list[Any]:
        """(id, status) of the exclusions in the record of the month."""
        record = msgspec.json.decode(self.reports.status("2025-06", "acme", as_of_us))["records"][0]
        return [(one["id"], one["status"]) for one in record["exclusions"]]


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def standing(view: ExclusionView) -> list[tuple[str, str]]:
    return [(one.contract, one.status) for one in view.effects]


def test_s27_what_is_declared_is_declared_now_and_by_the_caller(desk: Desk) -> None:
    made = desk.declare(evidence="CHG-7")
    exclusion = made.declaration.exclusion
    assert (exclusion.id, exclusion.by, exclusion.evidence) == ("ex-1", "ada", "CHG-7")
    assert exclusion.declared_at == made.declaration.logged_us == START
    (entry,) = made.entries
    assert (entry.kind, entry.who, entry.role, entry.peer) == (
        "declared",
        "ada",
        "operator",
        ADA.peer,
    )
    assert standing(made) == [("acme", "applied")]
    with desk.world.storage.transaction() as tx:
        act = tx.acts(None, 1)[0]
    assert (act.action, act.subject, act.detail, act.who) == (
        "exclusion.declare",
        "ex-1",
        "patch",
        "ada",
    )


def test_x28_one_that_comes_too_late_is_kept_without_effect(desk: Desk) -> None:
    late = desk.declare(in_us=23 * HOUR)
    assert standing(late) == [("acme", "rejected_late_notice")]
    assert late.effects[0].why == (
        "declared at 2025-06-15T15:06:40Z, 23h before it begins; the contract asks for notice of 24h"
    )
    assert desk.told() == [("ex-1", "rejected_late_notice")]
    assert desk.declare("emergency").effects[0].status is Status.IGNORED


def test_s27_force_majeure_afterwards_takes_two_other_people(desk: Desk) -> None:
    made = desk.declare("force_majeure", in_us=-2 * HOUR)
    assert made.effects[0].status is Status.REJECTED_APPROVALS
    assert (
        "0 of 2 people other than who declared it, because it was declared" in made.effects[0].why
    )
    with pytest.raises(Rejected, match="ada declared ex-1: approving it is for another person"):
        desk.exclusions.approve("ex-1", "", ADA)
    desk.world.now_us += SECOND
    assert (
        desk.exclusions.approve("ex-1", "seen", BO).effects[0].status is Status.REJECTED_APPROVALS
    )
    with pytest.raises(Rejected, match="BO approved ex-1 already"):
        desk.exclusions.approve("ex-1", "", Actor("BO"))
    between_us = desk.world.now_us
    desk.world.now_us += SECOND
    done = desk.exclusions.approve("ex-1", "", CY)
    assert (done.declaration.approved_by, done.effects[0].status) == (("bo", "cy"), Status.APPLIED)
    assert desk.told() == [("ex-1", "applied")]
    assert desk.told(between_us) == [("ex-1", "rejected_missing_approvals")]


def test_an_approval_that_the_contract_asks_for_beforehand(desk: Desk) -> None:
    assert (
        desk.declare("suspension").effects[0].why
        == "approved by 0 of 1 people other than who declared it"
    )
    assert desk.exclusions.approve("ex-1", "", BO).effects[0].status is Status.APPLIED


def test_one_that_is_withdrawn_stays_to_be_seen(desk: Desk) -> None:
    desk.declare()
    before_us = desk.world.now_us
    desk.world.now_us += DAY
    gone = desk.exclusions.withdraw("ex-1", "work is off", BO)
    assert gone.effects[0].why == "withdrawn at 2025-06-16T15:06:40Z"
    assert [(one.kind, one.who, one.text) for one in gone.entries] == [
        ("declared", "ada", ""), ("withdrawn", "bo", "work is off"),
    ]  # fmt: skip
    assert desk.told() == [("ex-1", "withdrawn")]
    assert desk.told(before_us) == [("ex-1", "applied")]
    assert desk.exclusions.show("ex-1", before_us).declaration.withdrawn_us is None
    for act in (desk.exclusions.withdraw, desk.exclusions.approve):
        with pytest.raises(Rejected, match="ex-1 was withdrawn at 2025-06-16T15:06:40Z"):
            act("ex-1", "again", CY)
    with pytest.raises(Rejected, match="There is an exclusion ex-1 in the ledger already"):
        desk.declare(id="ex-1")
    assert desk.declare().declaration.exclusion.id == "ex-2"


def test_an_excluded_hour_of_silence_is_not_held_against_the_provider(desk: Desk) -> None:
    desk.declare(in_us=DAY, services=["shop"], checks=[])
    desk.world.now_us += 10 * DAY
    record = msgspec.json.decode(desk.reports.status("2025-06", "acme", None))["records"][0]
    assert record["excluded"] == HOUR
    (one,) = record["exclusions"]
    assert (one["applied"], one["by"], one["source"], one["why"]) == (HOUR, "ada", "command", "")
    assert one["declared_at"] == one["logged_at"] == START


def test_s27_the_file_cannot_claim_to_have_said_it_earlier(desk: Desk) -> None:
    desk.world.now_us = START + 4 * DAY  # 2025-06-19T15:06:40Z, less than a day before
    desk.world.fleets.apply(FLEET + CONTRACT + IN_FILE, "fleet.yaml", "ada")
    (view,) = desk.exclusions.list()
    assert (view.declaration.logged_us, standing(view)) == (
        desk.world.now_us, [("acme", "rejected_late_notice")],
    )  # fmt: skip
    assert view.effects[0].why == (
        "declared at 2025-06-19T15:06:40Z (said to be at 2025-06-01T00:00:00Z), 8h 53m 20s before it begins;"
        " the contract asks for notice of 24h"
    )
    desk.world.now_us += DAY
    # What does not change type, time or scope is the same declaration; what does is a new one.
    same = IN_FILE.replace(b"by: dana", b"by: dana, reason: x")
    desk.world.fleets.apply(FLEET + CONTRACT + same, "fleet.yaml", "ada")
    assert desk.exclusions.show("night").declaration.logged_us == START + 4 * DAY
    longer = same.replace(b"T01:00:00Z", b"T02:00:00Z")
    desk.world.fleets.apply(FLEET + CONTRACT + longer, "fleet.yaml", "ada")
    assert desk.exclusions.show("night").declaration.logged_us == desk.world.now_us
    assert desk.exclusions.show("night", START + 4 * DAY).declaration.logged_us == START + 4 * DAY


def test_one_of_the_file_is_approved_by_command_and_withdrawn_in_the_file(desk: Desk) -> None:
    desk.world.fleets.apply(FLEET + CONTRACT + IN_FILE, "fleet.yaml", "ada")
    before = desk.exclusions.show("night").declaration
    assert (before.approved_by, before.unproven) == ((), ("bo",)), "a file's word is no approval"
    desk.exclusions.approve("night", "", BO)
    after = desk.exclusions.approve("night", "", CY).declaration
    assert (after.approved_by, after.unproven) == (("bo", "cy"), ())
    with pytest.raises(Rejected, match="night stands in the fleet file: take it out there"):
        desk.exclusions.withdraw("night", "off", BO)
    # What was approved is what was said then: other hours have to be approved again.
    desk.world.now_us += SECOND
    longer = IN_FILE.replace(b"T01:00:00Z", b"T02:00:00Z")
    desk.world.fleets.apply(FLEET + CONTRACT + longer, "fleet.yaml", "ada")
    assert desk.exclusions.show("night").declaration.approved_by == ()


def test_an_id_is_given_once_across_file_and_ledger(desk: Desk) -> None:
    desk.declare(id="night")
    clashing = FLEET + CONTRACT + IN_FILE
    line = clashing[: clashing.index(b"id: night")].count(b"\n") + 1
    said = (
        f"fleet.yaml:{line}: exclusions[0].id: expected an id of its own: one was declared by command"
        " under this one, found 'night'"
    )
    planned = desk.world.fleets.plan(clashing, "fleet.yaml")
    applied = desk.world.fleets.apply(clashing, "fleet.yaml", "ada")
    assert [str(one) for one in planned.problems] == [said]
    assert [str(one) for one in applied.problems] == [said]
    other = IN_FILE.replace(b"night", b"day")
    assert not desk.world.fleets.apply(FLEET + CONTRACT + other, "fleet.yaml", "ada").problems
    with pytest.raises(Rejected, match="There is an exclusion day in the fleet file already"):
        desk.declare(id="day")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"kind": "maintenance"}, "Expected a type .suspension, force_majeure, .*, found 'maintenance'"),
        ({"id": "No Id"}, "Expected an id of 1 to 63 characters.* found 'No Id'"),
        ({"reason": " "}, "Expected a reason, found none"),
        ({"reason": "x\x07"}, r"Expected printable characters, found '\\x07' in the reason"),
        ({"evidence": "x" * 2001}, "Expected at most 2000 characters, found 2001"),
        ({"to_us": START}, "to: expected an instant after `from`, found 2025-06-15T15:06:40Z"),
        ({"checks": ["other"]}, r"scope.checks\[0\]: expected one of the checks of this file, found 'other'"),
        ({"services": ["x"]}, r"scope.services\[0\]: expected one of the services of this file, found 'x'"),
        ({"checks": []}, "scope: expected checks or services, or `all`, found neither"),
        ({"is_for_all": True}, "Expected checks or services, or all of them; found both"),
        ({"from_us": 2**60}, "from: expected an instant"),
    ],
)  # fmt: skip
def test_what_is_no_exclusion_is_refused_in_words(
    desk: Desk, more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(BadInput, match=problem):
        desk.declare(**more)
    assert desk.exclusions.list() == []


def test_exclusions_are_listed_by_the_time_that_they_touch(desk: Desk) -> None:
    for days in (4, 2, 3):
        desk.declare(in_us=days * DAY)
    begins = [START + days * DAY for days in (2, 3, 4)]

    def listed(from_us: int, to_us: int) -> list[str]:
        found = desk.exclusions.list(from_us=from_us, to_us=to_us)
        return [view.declaration.exclusion.id for view in found]

    assert listed(0, 2**60) == ["ex-2", "ex-3", "ex-1"]
    assert listed(begins[0] + HOUR, begins[2]) == ["ex-3"]
    assert listed(begins[0] + HOUR - 1, begins[2] + 1) == ["ex-2", "ex-3", "ex-1"]


def test_what_is_not_there(desk: Desk) -> None:
    with pytest.raises(NotFound, match="There is no exclusion 'ex-9'"):
        desk.exclusions.show("ex-9")
    with pytest.raises(BadInput, match="Expected a reason, found none: it stands in every report"):
        desk.exclusions.withdraw("ex-9", "", BO)


def test_no_entry_is_earlier_than_the_one_before_it(desk: Desk) -> None:
    desk.declare()
    desk.world.now_us -= HOUR
    second = desk.declare()
    assert second.declaration.logged_us == START, "a clock that was set back does not backdate"
    assert [view.declaration.exclusion.id for view in desk.exclusions.list(START - 1)] == []
