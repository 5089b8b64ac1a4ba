"""Seals at the controller: what verifies is kept, what does not is refused by name and leaves an alarm."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.ports.agents import AgentRecord
from controller.ports.custody import AlarmKind
from controller.ports.evidence import Segment
from controller.ports.seals import StreamId
from controller.services.evidence.seals import IncomingSeal, SealAnswer, Seals
from tests.fakes.storage import FakeStorage, InlineWorker
from vedette.shared.note import signed_note
from vedette.shared.seal import ClockState, Payload, Seal, Slots, Span, StreamName

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
SHOP = StreamId("fra-1", "e1", "shop")
NOW = 1_750_000_000_000_000


def line(seq: int, *, is_of_slot: bool = True) -> bytes:
    slot = f',"slot":{seq}' if is_of_slot else ""
    return f'{{"seq":{seq}{slot},"text":"{"x" * 50}"}}\n'.encode()


@dataclass
class Agent:
    """Seals as the agent fra-1 makes them, and lies if it is told to."""

    key: Ed25519PrivateKey = KEY
    number: int = 0
    prev: str | None = None
    sent: list[bytes] = field(default_factory=list)

    def seal(self, first: int, last: int, *, missed: int = 0, **lies: object) -> IncomingSeal:
        lines = [line(n) for n in range(first, last + 1)] if first else []
        body = b"".join(lines)
        self.number += 1
        seal = Seal(
            StreamName("test", SHOP.agent, SHOP.stream, SHOP.epoch),
            self.number,
            self.prev,
            Payload(first, last, len(lines), hashlib.sha256(body).hexdigest(), len(body)),
            Slots(len(lines), missed),
            "c" * 64,
            Span(NOW, NOW + 60_000_000, 1, 60_000_000_001),
            ClockState(True, 5, 100, 0),
        )
        return self.signed(replace(seal, **lies))  # type: ignore[arg-type]  # what a test lies about

    def signed(self, seal: Seal) -> IncomingSeal:
        note = signed_note(seal.text(), "test/agent/fra-1", self.key)
        self.prev = hashlib.sha256(note).hexdigest()
        return IncomingSeal("e1", "shop", seal.number, note)


class World:
    """The service over storage in memory, with lines to seal."""

    def __init__(self) -> None:
        self.storage = FakeStorage()
        self.seals = Seals(
            InlineWorker(), self.storage, "test", lambda: NOW, retry_seconds_min=0.001
        )
        public = KEY.public_key().public_bytes_raw()
        with self.storage.transaction() as tx:
            tx.put_agent(AgentRecord("fra-1", "fra", "box", 1, public, b"", "0a", None, 2))
        self.running = asyncio.create_task(self.seals.run())

    def lines(self, first: int, last: int, *, lost: int = 0) -> None:
        body = b"".join(line(n) for n in range(first, last + 1))
        with self.storage.transaction() as tx:
            tx.append([Segment(*SHOP, first, last - first + 1, body, 1, lost)], [], [], [], [])

    async def give(self, seal: IncomingSeal) -> str:
        """Empty, or why it was refused."""
        answer = await self.seals.submit("fra-1", "192.0.2.1", seal)
        assert replace(answer, reason="") == SealAnswer(seal.epoch, seal.stream, seal.number)
        return answer.reason

    def alarms(self) -> dict[AlarmKind, str]:
        with self.storage.transaction() as tx:
            return {alarm.kind: alarm.detail for alarm in tx.alarms()}

    def segments(self) -> list[tuple[int, int]]:
        with self.storage.transaction() as tx:
            return [(s.first_seq, s.count) for s in tx.segments(*SHOP, 0, 1000)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    made.running.cancel()
    with suppress(asyncio.CancelledError):
        await made.running
    made.storage.close()


async def test_a_seal_that_is_true_is_kept_and_its_lines_become_one_segment(world: World) -> None:
    agent = Agent()
    for n in range(1, 8):
        world.lines(n, n)
    first, second = agent.seal(1, 3), agent.seal(4, 5, missed=2)
    assert [await world.give(first), await world.give(second)] == ["", ""]
    assert world.segments() == [(1, 3), (4, 2), (6, 1), (7, 1)]
    with world.storage.transaction() as tx:
        kept = tx.seal(SHOP, 1)
        assert kept is not None
        assert kept.note == first.note
        assert b"".join(tx.lines(SHOP, 1, 7)) == b"".join(line(n) for n in range(1, 8))
        (standing,) = tx.stream_standings()
    assert (standing.lines, standing.sealed_lines, standing.unsealed_lines) == (7, 5, 2)
    assert (standing.seals, standing.last_number, standing.scheduled, standing.missed) == (2, 2, 7, 2)  # fmt: skip
    assert world.alarms() == {}


async def test_a_segment_across_the_end_of_a_seal_is_cut_there(world: World) -> None:
    agent = Agent()
    world.lines(1, 10)
    assert await world.give(agent.seal(1, 4)) == ""
    assert world.segments() == [(1, 4), (5, 6)]
    assert await world.give(agent.seal(5, 10)) == ""
    assert world.segments() == [(1, 4), (5, 6)]


async def test_lines_around_a_loss_are_sealed_together_and_the_gap_stays(world: World) -> None:
    agent = Agent()
    world.lines(1, 2)
    world.lines(5, 6, lost=2)
    body = b"".join(line(n) for n in (1, 2, 5, 6))
    payload = Payload(1, 6, 4, hashlib.sha256(body).hexdigest(), len(body))
    assert await world.give(agent.seal(1, 6, payload=payload, slots=Slots(4, 0))) == ""
    assert world.segments() == [(1, 2), (5, 2)]
    with world.storage.transaction() as tx:
        assert [s.lost for s in tx.segments(*SHOP, 0, 100)] == [0, 2]


async def test_the_same_seal_again_is_acknowledged_and_counted(world: World) -> None:
    agent = Agent()
    world.lines(1, 1)
    seal = agent.seal(1, 1)
    assert [await world.give(seal), await world.give(seal)] == ["", ""]
    assert (world.seals.counters.kept, world.seals.counters.duplicates) == (1, 1)
    assert world.alarms() == {}


async def test_an_empty_seal_is_a_statement_and_is_kept(world: World) -> None:
    agent = Agent()
    assert await world.give(agent.seal(0, 0, missed=3)) == ""
    world.lines(1, 1)
    assert await world.give(agent.seal(1, 1)) == ""
    with world.storage.transaction() as tx:
        (standing,) = tx.stream_standings("fra-1")
    assert (standing.scheduled, standing.missed, standing.last_number) == (4, 3, 2)


async def test_seals_of_one_group_see_each_other(world: World) -> None:
    agent = Agent()
    world.lines(1, 6)
    given = [world.give(agent.seal(n, n)) for n in range(1, 7)]
    assert await asyncio.gather(*given) == [""] * 6


@pytest.mark.parametrize(
    ("lies", "said"),
    [
        pytest.param({"prev": "d" * 64}, "to follow on", id="another chain"),
        pytest.param({"name": StreamName("test", "nyc-1", "shop", "e1")}, "expected a seal of test/agent/fra-1 shop", id="another agent"),
        pytest.param({"name": StreamName("test", "fra-1", "dns", "e1")}, "shop epoch e1, found", id="another stream"),
        pytest.param({"name": StreamName("test", "fra-1", "shop", "e2")}, "shop epoch e1, found", id="another epoch"),
        pytest.param({"name": StreamName("else", "fra-1", "shop", "e1")}, "expected a seal of test/", id="another organisation"),
        pytest.param({"slots": Slots(1, 1)}, "expected 2 slots done", id="slots that its lines deny"),
        pytest.param({"payload": Payload(3, 4, 2, "0" * 64, 152)}, "with SHA-256", id="another hash"),
        pytest.param({"payload": Payload(3, 3, 1, hashlib.sha256(line(3)).hexdigest(), 76)}, "expected 2 slots|found 1", id="fewer lines than it says"),
        pytest.param({"payload": Payload(4, 4, 1, hashlib.sha256(line(4)).hexdigest(), 76)}, "expected 1 lines from 3 to 4, found 2 here", id="a line that was sent and left out"),
        pytest.param({"payload": Payload(2, 4, 3, "0" * 64, 9)}, "expected lines after 2", id="lines that are sealed already"),
        pytest.param({"payload": Payload(3, 9, 7, "0" * 64, 9)}, "expected 7 lines from 3 to 9, found 2 here", id="lines that never came"),
        pytest.param({"payload": Payload(3, 10**17, 10**6, "0" * 64, 9)}, "at most 65536 lines", id="more than a seal may hold"),
        pytest.param({"number": 1, "prev": None}, "another seal 1", id="a number that is taken"),
    ],
)  # fmt: skip
async def test_what_does_not_verify_is_refused_by_name_and_leaves_an_alarm(
    world: World, lies: dict[str, Any], said: str
) -> None:
    agent = Agent()
    world.lines(1, 4)
    assert await world.give(agent.seal(1, 2)) == ""
    kept = world.segments()
    refused = await world.give(agent.seal(3, 4, **lies))
    assert said.split("|")[0] in refused or said.split("|")[-1] in refused
    assert world.segments() == kept
    kinds = set(world.alarms())
    assert AlarmKind.SEAL_REFUSED in kinds
    assert refused in world.alarms()[AlarmKind.SEAL_REFUSED]
    with world.storage.transaction() as tx:
        assert tx.seal(SHOP, 2) is None


async def test_a_seal_by_a_stranger_is_refused(world: World) -> None:
    world.lines(1, 1)
    refused = await world.give(Agent(STRANGER).seal(1, 1))
    assert "expected a signature by a known key of test/agent/fra-1" in refused


async def test_a_changed_note_is_refused(world: World) -> None:
    world.lines(1, 1)
    seal = Agent().seal(1, 1, missed=1)
    changed = replace(seal, note=seal.note.replace(b"slots 2 1 1", b"slots 1 1 0"))
    assert "the signature of test/agent/fra-1 does not verify" in await world.give(changed)


@pytest.mark.parametrize(
    ("seal", "said"),
    [
        pytest.param(IncomingSeal("e1", "shop", 1, b"x" * 5000), "at most 4096 bytes", id="long"),
        pytest.param(IncomingSeal("e1", "shop", 1, b"\xff"), "expected UTF-8", id="no text"),
        pytest.param(IncomingSeal("e1", "shop", 1, b""), "an empty line", id="empty"),
        pytest.param(IncomingSeal("e1", "shop", 0, b""), "a number from 1", id="number 0"),
        pytest.param(IncomingSeal("e1", "shop", 2**64 - 1, b""), "a number from 1", id="huge number"),
        pytest.param(IncomingSeal("e 1", "shop", 1, b""), "of a stream and of an epoch", id="no epoch"),
        pytest.param(IncomingSeal("e1", "../x", 1, b""), "of a stream and of an epoch", id="no stream"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_before_it_is_looked_at(
    world: World, seal: IncomingSeal, said: str
) -> None:
    assert said in await world.give(seal)


async def test_two_seals_of_one_number_are_kept_as_proof(world: World) -> None:
    world.lines(1, 2)
    first, second = Agent().seal(1, 1), Agent().seal(1, 1, missed=1)
    assert await world.give(first) == ""
    for _ in range(2):
        assert "both stay as proof" in await world.give(second)
    assert world.alarms()[AlarmKind.SEAL_FORKED].startswith("two seals 1 of stream shop epoch e1")
    with world.storage.transaction() as tx:
        (fork,) = tx.forked_seals("fra-1")
        kept = tx.seal(SHOP, 1)
        (standing,) = tx.stream_standings()
    assert kept is not None
    assert (kept.note, fork.note, fork.number) == (first.note, second.note, 1)
    assert standing.forked == 1


async def test_a_forged_second_seal_is_no_proof_of_anything(world: World) -> None:
    world.lines(1, 1)
    assert await world.give(Agent().seal(1, 1)) == ""
    await world.give(Agent(STRANGER).seal(1, 1, missed=1))
    with world.storage.transaction() as tx:
        assert tx.forked_seals("fra-1") == []
    assert set(world.alarms()) == {AlarmKind.SEAL_REFUSED}


async def test_seals_that_never_came_are_an_alarm_and_the_chain_goes_on(world: World) -> None:
    agent = Agent()
    world.lines(1, 6)
    assert await world.give(agent.seal(1, 2)) == ""
    agent.seal(3, 4)
    assert await world.give(agent.seal(5, 6)) == ""
    assert world.alarms() == {AlarmKind.SEAL_MISSING: "1 before seal 3 of shop epoch e1"}
    with world.storage.transaction() as tx:
        (standing,) = tx.stream_standings()
    assert (standing.skipped, standing.unsealed_lines) == (1, 2)
    late = Agent()
    late.number, late.prev = 1, "d" * 64
    assert "expected seal 4 or a later one" in await world.give(late.seal(3, 4))


async def test_while_storage_is_full_a_seal_waits_and_is_kept_once(world: World) -> None:
    world.lines(1, 1)
    world.storage.is_full = True
    giving = asyncio.create_task(world.give(Agent().seal(1, 1)))
    await world.storage.failed.wait()
    world.storage.is_full = False
    assert await giving == ""
    assert world.seals.counters.kept == 1


async def test_a_seal_of_an_agent_that_is_not_here_is_refused(world: World) -> None:
    answer = await world.seals.submit("nyc-1", "", Agent().seal(0, 0))
    assert answer.reason == "there is no agent nyc-1 here"
