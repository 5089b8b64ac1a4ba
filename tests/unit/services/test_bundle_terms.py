"""Terms in a bundle are those that the log has: softer ones, and exclusions of nobody, are in no leaf."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.core.bundle.layout import FLEET
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.statements import Holds, Statement
from controller.core.bundle.verify import opened_claim, statements
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.fleet import FleetRevision
from controller.ports.leaves import LeafKind
from controller.services.fleet.apply import Fleets
from tests.fakes.storage import FakeStorage
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import SECOND, START, Running, World
from tests.unit.services.report_stage import ENDS, Stage
from tests.unit.services.sealed_day import HOUR, SealedDay

WINDOW = f"""exclusions:
  - {{id: night, type: scheduled, from: {ENDS + 8 * HOUR}, to: {ENDS + 9 * HOUR}, scope: all,
     declared_at: {ENDS - 24 * HOUR}, by: ada, reason: tidying}}
"""


@dataclass
class Clock:
    """The notary's."""

    now_us: int = START - 3600 * SECOND


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    clock = Clock()
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: clock.now_us)


@pytest.fixture
def storage(notary: LogNotary) -> Iterator[FakeStorage]:
    opened = FakeStorage(notary)
    yield opened
    opened.close()


@pytest.fixture
async def day(world: World, running: Running, notary: LogNotary) -> SealedDay:
    made = SealedDay(Stage(world, running), notary)
    await made.play()
    return made


def applied(day: SealedDay, more: str) -> None:
    """The file in force with something at its end."""
    fleets = day.stage.world.fleets
    before = fleets.in_force()
    assert before is not None
    answer = fleets.apply(before.revision.text + more.encode(), "fleet.yaml", "ada")
    assert not answer.problems, answer.problems


def again(day: SealedDay, bundle: Files, **changes: Any) -> list[Statement]:
    """What recomputing says, the fleet file of the bundle being changed."""
    data = yaml.safe_load(bundle.read(FLEET))
    for key, change in changes.items():
        change(data[key])
    files = {**bundle.files, FLEET: yaml.safe_dump(data).encode()} if changes else bundle.files
    return list(recomputed(Files(files), opened_claim(bundle, day.notary.verifier)))


def softer(contracts: list[dict[str, Any]]) -> None:
    contracts[-1]["objectives"][0]["target"] = "90"


async def test_terms_are_those_of_their_leaf(day: SealedDay) -> None:
    bundle = day.bundle()
    said = [one.text for one in statements(bundle, day.annex())]
    assert any("What fleet file 2 says of acme is leaf" in one for one in said), said
    first, *_ = again(day, bundle)
    assert first.holds is Holds.PASS
    assert first.text.startswith("The terms of acme are those of config/")
    *_, last = again(day, bundle, contracts=softer)
    assert last.holds is Holds.FAIL
    assert f"{FLEET} says of contract acme what config/" in last.text


async def test_a_file_that_says_the_same_of_a_contract_enters_nothing_of_it(day: SealedDay) -> None:
    def leaves() -> int:
        with day.stage.world.storage.transaction() as tx:
            return len(tx.leaves_about(LeafKind.TERMS, "acme"))

    before = leaves()
    applied(day, "# a remark\n")
    assert leaves() == before > 0
    day.stage.world.fleets.enter_terms()
    assert leaves() == before
    applied(day, WINDOW)
    assert leaves() == before + 1


async def test_exclusions_of_a_file_stand_in_the_terms_from_when_they_did(day: SealedDay) -> None:
    applied(day, WINDOW)
    bundle = day.bundle()
    said = [str(one) for one in again(day, bundle)]
    assert any("Exclusions that a fleet file declared are those of config/" in one for one in said)
    assert not [one for one in said if one.startswith("FAIL")], said

    def longer(exclusions: list[dict[str, Any]]) -> None:
        exclusions[0]["to"] = ENDS + 10 * HOUR

    def earlier(exclusions: list[dict[str, Any]]) -> None:
        exclusions[0]["declared_at"] = ENDS - 24 * HOUR

    for change, sentence in ((longer, "has not so"), (earlier, "has it first, from")):
        *_, last = again(day, bundle, exclusions=change)
        assert last.holds is Holds.FAIL
        assert sentence in last.text


async def test_without_a_leaf_of_the_terms_a_bundle_is_not_whole(day: SealedDay) -> None:
    bundle = day.bundle()
    kept = {
        name: data
        for name, data in bundle.files.items()
        if not data.startswith(b"vedette.terms/v1")
    }
    first, *_ = again(day, Files(kept))
    assert first.holds is Holds.INCOMPLETE
    assert "the controller's word" in first.text


async def test_what_an_earlier_version_put_in_force_is_entered_once(world: World) -> None:
    text = b"""version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks: [{id: home, service: shop, every: 60s, http: {url: "https://shop.example/"}}]
contracts:
  - {id: gold, party: ACME, effective_from: 0, scope: {checks: [home]}, period: {kind: month},
     objectives: [{id: a, target: "99", min_coverage: "0"}]}
"""
    with world.storage.transaction() as tx:
        number = (found.number if (found := tx.fleet()) else 0) + 1
        tx.put_fleet(FleetRevision(number, text, "fleet.yaml", START, "ada"), [])
    fleets = Fleets(world.storage, world.evaluator, lambda: START)
    for _ in range(2):
        fleets.enter_terms()
    with world.storage.transaction() as tx:
        assert len(tx.leaves_about(LeafKind.TERMS, "gold")) == 1
