"""Exports that died: the log is whole, and the next bundle stands in place of a claim that was entered."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from controller.core.bundle.verify import opened_claim
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.leaves import LeafKind
from controller.services.evidence.log_check import faults
from controller.services.evidence.logbook import Logbook
from tests.fakes.storage import Died, FakeStorage, MortalStorage
from tests.unit.services.conftest import START, Running, World
from tests.unit.services.report_stage import ADA, Stage
from tests.unit.services.sealed_day import HOUR, LABEL, SealedDay


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: START - HOUR)


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


async def test_an_export_that_died_leaves_a_whole_log_and_the_next_one_names_its_claim(
    day: SealedDay,
) -> None:
    mortal = MortalStorage(day.stage.world.storage)
    logbook = Logbook(mortal, day.notary, day.stage.tick)
    service = replace(day.bundles(), storage=mortal, logbook=logbook)
    list(service.of_period("acme", LABEL, ADA))
    whole = mortal.steps
    entered = claim_leaves(day)
    for part in (2, 3, 4, 5, 6):
        mortal.steps_left = whole * part // 7
        with pytest.raises(Died):
            list(service.of_period("acme", LABEL, ADA))
        mortal.steps_left = None
        assert list(faults(day.stage.world.storage.transaction, day.notary.verifier)) == []
        # Either nothing was said, or the whole of it.
        assert claim_leaves(day)[: len(entered)] == entered
        entered = claim_leaves(day)
    assert len(entered) > 1
    assert (
        opened_claim(day.bundle(), day.notary.verifier).supersedes
        == sha256(entered[-1]).hexdigest()
    )


def claim_leaves(day: SealedDay) -> list[bytes]:
    """The claims of bundles that were entered, the oldest first."""
    with day.stage.world.storage.transaction() as tx:
        leaves = tx.leaves_about(LeafKind.CLAIM, f"bundle acme {LABEL}")
        return [note for one in leaves for _, note in tx.leaf_notes(one.index, one.index + 1)]
