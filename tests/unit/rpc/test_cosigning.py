"""Waiting for witnesses: until all that are connected have signed, none is left, or the time is up."""

import asyncio

import pytest

from controller.rpc.cosigning import Cosigning
from controller.rpc.sessions import Sessions

LONG = 60.0


class Told(Sessions):
    """Counts how often heads were shown."""

    shown = 0

    def tell_heads(self) -> None:
        """One more time."""
        self.shown += 1


@pytest.fixture
def sessions() -> Told:
    return Told()


async def test_without_witnesses_nobody_waits(sessions: Told) -> None:
    await Cosigning(sessions).until(9, LONG)
    assert sessions.shown == 1


async def test_all_that_sign_are_waited_for(sessions: Told) -> None:
    cosigning = Cosigning(sessions)
    cosigning.signed("acme-1", 3)
    cosigning.signed("audit-1", 9)
    waiting = asyncio.create_task(cosigning.until(9, LONG))
    await asyncio.sleep(0)
    for size in (8, 3):
        cosigning.signed("acme-1", size)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    cosigning.signed("acme-1", 10)
    await waiting


async def test_who_has_left_is_waited_for_no_more(sessions: Told) -> None:
    cosigning = Cosigning(sessions)
    cosigning.signed("acme-1", 3)
    waiting = asyncio.create_task(cosigning.until(9, LONG))
    await asyncio.sleep(0)
    cosigning.left("acme-1")
    cosigning.left("somebody")
    await waiting


async def test_a_witness_that_does_not_answer_keeps_nobody_for_long(sessions: Told) -> None:
    cosigning = Cosigning(sessions)
    cosigning.signed("acme-1", 3)
    await cosigning.until(9, 0.0)
