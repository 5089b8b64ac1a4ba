"""Exclusions of a bundle against the log: nobody can declare one afterwards and say that it was before."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.core.bundle.layout import FLEET
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.verify import opened_claim, statements
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.services.contracts.exclusions import Asked, Exclusions
from controller.services.contracts.terms import Terms
from tests.fakes.storage import FakeStorage
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import Running, World
from tests.unit.services.report_stage import ADA, DAY, ENDS, Stage
from tests.unit.services.sealed_day import HOUR, SealedDay


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: ENDS + DAY + 7 * HOUR)


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


async def test_exclusions_of_the_figures_are_those_of_the_log(day: SealedDay) -> None:
    world = day.stage.world
    desk = Exclusions(world.storage, Terms(), day.stage.tick)
    span = (ENDS + 3 * HOUR, ENDS + 4 * HOUR)
    for name, who in (("maint-1", ADA), ("maint-2", ADA)):
        desk.declare(Asked("force_majeure", *span, "storm", id=name, is_for_all=True), who)
    bundle = day.bundle()
    claim = opened_claim(bundle, day.notary.verifier)
    told = [str(one) for one in statements(bundle, day.annex())]
    (said,) = [one for one in told if "Exclusion maint-1" in one]
    assert "after the time that it covers was over, after outage OUT-2 (leaf" in said
    assert "after the last seal" in said
    terms, first, *_ = recomputed(bundle, claim)
    assert terms.text.startswith("The terms of acme are those of config/")
    assert first.text == "2 exclusions of fleet.yaml are as they were declared in the log."
    fleet = bundle.read(FLEET)
    declared = re.search(rb"declared_at: ['\"]?([^'\"\n]+)", fleet)
    assert declared is not None
    leaf = next(n for n in bundle.names() if b"vedette.exclusion/v1" in bundle.read(n)[:30])
    for files, sentence in (
        (
            {FLEET: fleet.replace(declared[1], b"2025-06-01T00:00:00Z", 1)},
            "says that it was declared",
        ),
        ({FLEET: fleet.replace(b"force_majeure", b"third_party", 1)}, "another type or time"),
        ({leaf: bundle.read(leaf).replace(b'"declared"', b'"withdrawn"')}, "has not so"),
    ):
        texts = [one.text for one in recomputed(Files({**bundle.files, **files}), claim)]
        assert any(sentence in one for one in texts), texts
    desk.withdraw("maint-2", "no storm", ADA)
    later = day.bundle()
    (told_later,) = [one.text for one in statements(later, day.annex()) if "maint-2" in one.text]
    assert "withdrawn as leaf" in told_later
    texts = [
        one.text
        for one in recomputed(
            Files({**later.files, FLEET: fleet}), opened_claim(later, day.notary.verifier)
        )
    ]
    assert any("exclusion maint-2 was withdrawn by config/" in one for one in texts), texts
