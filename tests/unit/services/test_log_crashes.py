"""Died between any two steps of receive, append, sign and publish: nothing that was promised is lost or taken back.

The process dies at the N-th call of storage, for every N there is, and is started again on what was committed.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.core.log_view import LogView, Offered, grown
from controller.errors import Unreachable
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.agents import AgentRecord
from controller.ports.evidence import Segment
from controller.services.evidence.log_check import faults
from controller.services.evidence.logbook import Logbook
from controller.services.evidence.seals import IncomingSeal, Seals
from controller.services.evidence.stamping import Stamping
from controller.storage.database import SqlStorage, open_storage
from tests.fakes.storage import Died, FakeStorage, InlineWorker, MortalStorage
from tests.unit.services.test_seals import KEY, NOW, SHOP, Agent, line
from vedette.shared.merkle import root_of

STEPS_MAX = 500
SECOND = 1_000_000
ORIGIN = "test/log"


@dataclass(frozen=True)
class Said:
    query: bytes = b"q"
    response: bytes = b"r"
    at_us: int = NOW
    root: bytes = b"root"


@dataclass(frozen=True)
class Authority:
    """Stamps whatever it is asked to."""

    now_us: int
    name: str = "tsa"

    async def stamp(self, data: bytes) -> Said:
        return Said(response=data, at_us=self.now_us)


@dataclass
class Site:
    """An agent: notes that it has signed once, which of them were acknowledged, and what it saw of the log."""

    agent: Agent = field(default_factory=Agent)
    waiting: list[IncomingSeal] = field(default_factory=list)
    acked: list[IncomingSeal] = field(default_factory=list)
    view: LogView | None = None
    shown: dict[int, bytes] = field(default_factory=dict)

    def see(self, logbook: Logbook) -> None:
        """Take the newest head. Refused if it is of another history; two roots for one size are never shown."""
        head = logbook.head_from(0 if self.view is None else self.view.size)
        assert head is not None
        offered = Offered(head.note, head.key, head.from_size, head.path)
        self.view = grown(self.view, offered, ORIGIN)
        assert self.shown.setdefault(self.view.size, self.view.root) == self.view.root


class Lives:
    """A database that outlives the processes on it, and an agent that outlives them all."""

    def __init__(self, folder: Path) -> None:
        self.notary = LogNotary(StateDirectory(folder), "test", lambda: NOW)
        self.kept: SqlStorage = open_storage("sqlite://", notary=self.notary)
        self.mortal = MortalStorage(self.kept)
        self.site = Site()
        self.stamped_us = NOW
        with self.kept.transaction() as tx:
            public = KEY.public_key().public_bytes_raw()
            tx.put_agent(AgentRecord("fra-1", "fra", "box", 1, public, b"", "0a", None, 2))

    def measure(self, count: int) -> None:
        """New lines, which came, each under a seal, which did not."""
        for _ in range(count):
            number = self.site.agent.number + 1
            with self.kept.transaction() as tx:
                tx.append([Segment(*SHOP, number, 1, line(number), 1, 0)], [], [], [], [])
            self.site.waiting.append(self.site.agent.seal(number, number))

    async def life(self, steps: int | None) -> bool:
        """One process on what is committed; whether it died, which it does after so many steps."""
        self.mortal.steps_left = steps
        try:
            await self._work()
        except Died:
            return True
        finally:
            self.mortal.steps_left = None
        return False

    async def _work(self) -> None:
        """What a controller does in a minute: seals are taken and acknowledged, the log is signed, shown, stamped."""
        seals = Seals(InlineWorker(), self.mortal, "test", lambda: NOW)
        logbook = Logbook(self.mortal, self.notary, lambda: NOW)
        running = asyncio.create_task(seals.run())
        try:
            while self.site.waiting:
                answer = asyncio.create_task(seals.submit("fra-1", "peer", self.site.waiting[0]))
                await asyncio.wait({answer, running}, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    answer.cancel()
                    running.result()
                assert not answer.result().reason
                self.site.acked.append(self.site.waiting.pop(0))
                logbook.checkpoint()
                self.site.see(logbook)
            # Two hours later: it is due.
            self.stamped_us += 7200 * SECOND
            authority = Authority(self.stamped_us)
            await Stamping(
                InlineWorker(), self.mortal, lambda: [authority], lambda: self.stamped_us
            ).look()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, Died):
                await running

    def require_kept(self, last: int = 3) -> None:
        """The last promises, or all of them with 0, stand."""
        with self.kept.transaction() as tx:
            leaves = [note for _, note in tx.leaf_notes(0, tx.log_size())]
            for one in self.site.acked[-last:]:
                kept = tx.seal(SHOP, one.number)
                assert kept is not None
                assert kept.note == one.note
                assert one.note in leaves
            for size, root in list(self.site.shown.items())[-last:]:
                assert root_of(leaves[:size]) == root, "the log only grows"
                (head,) = tx.checkpoints(size, size)
                assert head.root == root


async def test_whatever_step_is_the_last_nothing_promised_is_lost(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    for steps in range(1, STEPS_MAX):
        lives.measure(2)
        died = await lives.life(steps)
        lives.require_kept()
        assert not await lives.life(None), "it goes on"
        assert not lives.site.waiting
        if not died:
            break
    else:
        raise AssertionError(f"more than {STEPS_MAX} steps")
    lives.require_kept(last=0)
    assert list(faults(lives.kept.transaction, lives.notary.verifier)) == []
    assert steps > 60
    assert len(lives.site.acked) == 2 * steps


async def test_a_full_disk_keeps_the_log_unsigned_and_with_room_it_goes_on(tmp_path: Path) -> None:
    notary = LogNotary(StateDirectory(tmp_path), "test", lambda: NOW)
    storage = FakeStorage(notary)
    logbook = Logbook(storage, notary, lambda: NOW)
    stamping = Stamping(InlineWorker(), storage, lambda: [Authority(NOW)], lambda: NOW)
    with storage.transaction() as tx:
        tx.put_agent(AgentRecord("fra-1", "fra", "box", 1, b"k", b"", "0a", None, 2))
    storage.is_full = True
    with pytest.raises(Unreachable, match="full"):
        logbook.checkpoint_if_due()
    storage.is_full = False
    assert logbook.newest() is None, "nothing that was signed in vain is shown"
    signed = logbook.checkpoint_if_due()
    assert signed is not None
    assert logbook.newest() == signed
    storage.is_full = True
    with pytest.raises(Unreachable, match="full"):
        await stamping.look()
    storage.is_full = False
    assert await stamping.look() == 1
    storage.close()
