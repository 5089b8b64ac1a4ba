"""Fleet files: planned, applied whole or not at all, idempotent, with a history."""

import hashlib

import pytest

from controller.errors import Unreachable
from controller.services.fleet.apply import Assignment
from controller.services.fleet.changes import Change, ChangeAction
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from vedette.shared.definitions import decode_check, digest_of

NAME = "fleet.yaml"


def edited(*edits: tuple[str, str]) -> bytes:
    text = FLEET.decode()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def test_a_plan_changes_nothing(world: World) -> None:
    before = world.fleets.export()
    planned = world.fleets.plan(
        edited(("every: 60s, timeout: 10s", "every: 30s, timeout: 10s")), NAME
    )
    assert planned.changes == [
        Change(ChangeAction.CHANGE, "check", "shop-home", ("every: '60s' -> '30s'",))
    ]
    assert world.fleets.export() == before


def test_applying_twice_is_applying_once(world: World) -> None:
    text = edited(("{id: sin}]", "{id: sin, title: Singapore}]"))
    first = world.fleets.apply(text, NAME, "ada")
    assert [(c.action, c.noun, c.id) for c in first.changes] == [
        (ChangeAction.CHANGE, "region", "sin")
    ]
    assert first.revision == 2
    again = world.fleets.apply(text, NAME, "bob")
    assert (again.changes, again.problems, again.revision) == ((), (), 2)
    fleet = world.fleets.export()
    assert fleet is not None
    assert (fleet.text, fleet.applied_by) == (text, "ada")


def test_a_comment_makes_a_new_file_but_no_new_revision_of_a_check(world: World) -> None:
    applied = world.fleets.apply(FLEET + b"# why\n", NAME, "ada")
    assert (applied.changes, applied.revision) == ([], 2)
    with world.storage.transaction() as tx:
        assert len(tx.check_revisions()) == 2


def test_a_new_region_changes_the_checks_that_are_probed_from_everywhere(world: World) -> None:
    applied = world.fleets.apply(edited(("{id: sin}]", "{id: sin}, {id: syd}]")), NAME, "ada")
    assert [(c.action.value, c.noun, c.id) for c in applied.changes] == [
        ("add", "region", "syd"),
        ("change", "check", "shop-home"),
        ("change", "check", "shop-dns"),
    ]


def test_a_removed_check_is_retired_and_its_history_stays(world: World) -> None:
    text = b"\n".join(one for one in FLEET.splitlines() if b"shop-dns" not in one)
    world.now_us = START
    applied = world.fleets.apply(text, NAME, "ada")
    assert applied.changes == [Change(ChangeAction.RETIRE, "check", "shop-dns")]
    with world.storage.transaction() as tx:
        revisions = [one for one in tx.check_revisions() if one.check == "shop-dns"]
    assert [(one.effective_us, bool(one.definition)) for one in revisions] == [
        (START - 3600 * SECOND, True),
        (START, False),
    ]
    back = world.fleets.apply(FLEET, NAME, "ada")
    assert back.changes == [Change(ChangeAction.ADD, "check", "shop-dns")]
    with world.storage.transaction() as tx:
        assert tx.check_revisions()[2].effective_us == START + 1, "later than the one before it"


def test_an_assignment_names_itself_by_its_checks(world: World) -> None:
    world.fleets.apply(edited(("timeout: 5s,", "timeout: 5s, regions: [nyc],")), NAME, "ada")
    fra, nyc = world.fleets.assignment_for("fra"), world.fleets.assignment_for("nyc")
    assert [decode_check(one).id for one, _ in fra.checks] == ["shop-home"]
    assert [decode_check(one).id for one, _ in nyc.checks] == ["shop-dns", "shop-home"]
    assert all(digest_of(definition) == digest for definition, digest in nyc.checks)
    digests = "".join(f"{digest}\n" for _, digest in fra.checks)
    assert fra.revision == hashlib.sha256(digests.encode()).hexdigest()
    nothing = Assignment(hashlib.sha256(b"").hexdigest(), ())
    assert world.fleets.assignment_for("mars") == nothing


def test_before_the_first_file_there_is_nothing(world: World) -> None:
    with world.storage._storage._engine.begin() as connection:
        for table in ("fleet_revision", "check_revision"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    world.restart()
    assert world.fleets.export() is None
    assert world.fleets.fleet() is None
    assert world.fleets.assignment_for("fra").checks == ()
    assert world.fleets.plan(FLEET, NAME).changes[0] == Change(ChangeAction.ADD, "region", "fra")


def test_wrong_expectations_are_named_with_everything_else_that_is_wrong(world: World) -> None:
    text = b"""\
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks:
  - id: one
    service: shop
    http:
      url: https://shop.example/
      expect:
        - status == 200
        - status = 200
        - rcode == 'NOERROR'
  - id: two
    service: mail
    dns: {name: shop.example, expect: ["rcode =="]}
"""
    applied = world.fleets.apply(text, "f.yaml", "ada")
    found = [(p.line, p.path, p.expected) for p in applied.problems]
    assert found == [
        (11, "checks[0].http.expect[1]", "a CEL expression over what the probe saw"),
        (12, "checks[0].http.expect[2]", "a CEL expression over what the probe saw"),
        (14, "checks[1].service", "a service of this file (shop)"),
        (15, "checks[1].dns.expect[0]", "a CEL expression over what the probe saw"),
    ]
    assert "(column 8)" in applied.problems[0].found
    assert "unknown variable rcode" in applied.problems[1].found
    assert applied.revision == 1
    fleet = world.fleets.export()
    assert fleet is not None
    assert fleet.text == FLEET


@pytest.mark.parametrize("text", [b"", b"\xff", b"a: [", b"- 1\n", b"checks: 7\nversion: 1\n"])
def test_what_is_no_fleet_file_is_refused(world: World, text: bytes) -> None:
    assert world.fleets.plan(text, NAME).problems
    assert world.fleets.apply(text, NAME, "ada").problems


async def test_an_apply_that_cannot_be_stored_leaves_no_trace(
    world: World, running: Running
) -> None:
    for seq in range(1, 4):
        for region in ("fra", "nyc"):
            world.now_us = START + seq * 60 * SECOND
            one = frame(seq, line(seq, world.now_us, "down", region))
            await running.give(one, region)
    before, assignment = world.view(), world.fleets.assignment_for("fra")
    world.storage.is_full = True
    with pytest.raises(Unreachable):
        world.fleets.apply(b"version: 1\nregions: [{id: fra}]\n", NAME, "ada")
    world.storage.is_full = False
    assert world.view() == before
    assert world.fleets.assignment_for("fra") == assignment
    fleet = world.fleets.fleet()
    assert fleet is not None
    assert list(fleet.checks) == ["shop-home", "shop-dns"]


async def test_s20_a_new_rule_holds_from_now_on_and_not_before(
    world: World, running: Running
) -> None:
    changed_us = START + 301 * SECOND
    for seq in range(1, 11):
        world.now_us = START + seq * 60 * SECOND
        for region in ("fra", "nyc", "sin"):
            outcome = "down" if region == "fra" else "up"
            await running.give(frame(seq, line(seq, world.now_us, outcome, region)), region)
        if seq == 5:
            world.now_us = changed_us
            quorum = "timeout: 10s, quorum: {rule: any}, http"
            world.fleets.apply(edited(("timeout: 10s, http", quorum)), NAME, "ada")
    with world.storage.transaction() as tx:
        found = tx.intervals("shop-home", changed_us - 1, world.now_us)
        assert [one.verdict for one in found] == ["PARTIAL", *["DOWN"] * (len(found) - 1)]
        assert found[1].from_us == changed_us
        assert [one.started_us for one in tx.outages("shop-home")] == [changed_us]
    before = world.view()
    world.restart()
    assert world.view() == before
