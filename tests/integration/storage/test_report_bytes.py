"""Reports on both databases: the same bytes for ever, whatever comes later (S-21, X-68)."""

import hashlib
from collections.abc import AsyncIterator
from typing import cast

import pytest

from controller.storage.database import open_storage
from tests.fakes.storage import FakeStorage
from tests.unit.services.conftest import SECOND, Running, World
from tests.unit.services.report_stage import BAD, ENDS, LABEL, Stage


@pytest.fixture
async def stage(kept_url: str) -> AsyncIterator[Stage]:
    # All that the services ask of a storage is its transactions.
    storage = cast("FakeStorage", open_storage(kept_url))
    world = World(storage)
    running = Running(world)
    running.start()
    yield Stage(world, running)
    await running.stop()
    storage.close()


async def test_x68_an_issued_report_is_computed_again_after_anything_that_came_later(
    stage: Stage,
) -> None:
    for region in ("fra", "nyc", "sin"):
        await stage.probe(region, BAD - 1200 * SECOND, BAD)
        await stage.probe(region, BAD, BAD + 600 * SECOND, "down" if region == "fra" else "up")
        await stage.probe(region, BAD + 600 * SECOND, BAD + 1800 * SECOND)
    stage.world.now_us = ENDS + 12 * 3600 * SECOND
    stage.work()
    (first,) = stage.issued()
    assert hashlib.sha256(stage.again(first)).hexdigest() == first.sha256
    # Lines of which other bytes come later, a file that says otherwise, and a restart.
    await stage.contradict("nyc", BAD + 130 * SECOND, BAD + 140 * SECOND)
    stage.apply(b"")
    await stage.restart()
    assert stage.periods.report("acme", LABEL, as_of_us=first.as_of_us).document == first.body
    assert hashlib.sha256(stage.again(first)).hexdigest() == first.sha256
    stage.work()
    assert [one.revision for one in stage.issued()] == [1]
    assert stage.view().reopened_us is not None
