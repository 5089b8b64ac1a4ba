"""Heads in a bundle that witnesses signed: which stand in it, with whose signatures, beside which timestamps."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.core.bundle.annex import parsed_annex
from controller.core.bundle.statements import Statement, exit_code
from controller.core.bundle.verify import statements
from controller.core.head_messages import head_key, head_message
from controller.core.notices import DeliveryState
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.custody import LOCAL, Act
from controller.ports.leaves import StoredCheckpoint, StoredTimestamp
from controller.services.bundling.heads import shown_heads
from controller.services.evidence.witnesses import IncomingCosignature, Witnesses
from controller.services.notify.notify_heads import told_sizes
from controller.services.notify.notify_outages import put
from tests.fakes.storage import FakeStorage
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import SECOND, START, Running, World
from tests.unit.services.report_stage import Stage
from tests.unit.services.sealed_day import HOUR, SealedDay, put_part
from vedette.shared.note import cosignature


def key_of(agent: str) -> Ed25519PrivateKey:
    """The key that a witness signs with."""
    return Ed25519PrivateKey.from_private_bytes(sha256(agent.encode()).digest())


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


class Scene:
    """A day that is over, and witnesses."""

    def __init__(self, day: SealedDay) -> None:
        self.day = day
        self.storage = day.stage.world.storage
        self.now_us = day.stage.world.now_us
        self.witnesses = Witnesses(self.storage, "example.net", lambda: self.now_us)

    def head(self, *agents: str) -> StoredCheckpoint:
        """A new head an hour later, signed by these."""
        self.now_us += HOUR
        with self.storage.transaction() as tx:
            tx.record(Act(self.now_us, "anna", LOCAL, "fleet.apply", "f", "", LOCAL))
        found = self.day.logbook.checkpoint()
        assert found is not None
        for agent in agents:
            self.sign(agent, found)
        return found

    def sign(self, agent: str, head: StoredCheckpoint) -> None:
        text = head.note[: head.note.rindex(b"\n\n") + 1]
        key, name = key_of(agent), f"example.net/witness/{agent}"
        line = cosignature(text, name, key, self.now_us // SECOND)
        public = key.public_key().public_bytes_raw()
        self.witnesses.take(agent, "peer", IncomingCosignature(head.size, public, line))

    def verified(self, bundle: Files) -> list[Statement]:
        found = list(statements(bundle, parsed_annex(self.day.bundles().annex())))
        assert exit_code(found) == 0, found
        return found


def heads_in(bundle: Files) -> dict[int, list[str]]:
    """Who signed each head, besides the log."""
    found: dict[int, list[str]] = {}
    for name in bundle.names():
        folder, _, size = name.partition("/")
        if folder == "checkpoints":
            lines = bundle.read(name).decode().split("\n\n")[1].splitlines()[1:]
            found[int(size)] = [line.split()[1].rsplit("/", 1)[1] for line in lines]
    return found


def told(found: list[Statement], agent: str) -> str:
    (said,) = [one.text for one in found if f"Witness example.net/witness/{agent} saw" in one.text]
    return said


async def test_of_each_witness_the_first_head_over_all_seals_and_the_newest_stand_in_it(
    day: SealedDay,
) -> None:
    scene = Scene(day)
    before = scene.head()
    first = scene.head("acme-1")
    between = scene.head("acme-1", "audit-1")
    last = scene.head("acme-1")
    bundle = day.bundle()
    found = heads_in(bundle)
    assert found[first.size] == found[last.size] == ["acme-1"]
    # It is the first and the newest of the other witness, and holds the words of both.
    assert found[between.size] == ["acme-1", "audit-1"]
    assert found[max(found)] == []
    assert len(found) == 5
    assert min(found) == before.size
    said = scene.verified(bundle)
    assert f"saw the first {last.size} leaves at" in told(said, "acme-1")
    assert f"and the first {first.size} of them at" in told(said, "acme-1")
    assert told(said, "audit-1").startswith(
        f"Witness example.net/witness/audit-1 saw the first {between.size} leaves"
    )
    # Their keys are leaves of the log, and stand beside the rules.
    config = b"".join(bundle.read(one) for one in bundle.names() if one.startswith("config/"))
    for agent in ("acme-1", "audit-1"):
        assert key_of(agent).public_key().public_bytes_raw().hex().encode() in config


async def test_a_head_that_was_handed_over_keeps_its_signatures(day: SealedDay) -> None:
    scene = Scene(day)
    scene.head("acme-1")
    shown = heads_in(day.bundle())
    for _ in range(3):
        scene.head("acme-1")
    scene.now_us += 30 * 24 * HOUR
    scene.head("acme-1")
    again = heads_in(day.bundle())
    assert {size: who for size, who in shown.items() if who}.items() <= again.items()


async def test_the_head_that_the_claim_made_is_signed_before_its_proofs_are_made(
    day: SealedDay,
) -> None:
    scene = Scene(day)
    parts = day.parts()
    files = {(one := next(parts)).name: one.content}
    newest = day.logbook.newest()
    assert newest is not None
    scene.sign("acme-1", newest)
    for part in parts:
        put_part(part, files)
    bundle = Files(files)
    assert heads_in(bundle)[newest.size] == ["acme-1"]
    assert f"saw the first {newest.size} leaves" in told(scene.verified(bundle), "acme-1")


async def test_a_head_that_was_stamped_stands_there_as_it_was_stamped(day: SealedDay) -> None:
    scene = Scene(day)
    signed = scene.head("acme-1")
    stamped = scene.head("acme-1")
    with scene.storage.transaction() as tx:
        tx.put_timestamp(StoredTimestamp(stamped.size, "tsa", b"query", b"response", 5))
    bundle = day.bundle()
    assert bundle.read(f"checkpoints/{stamped.size}") == stamped.note
    assert heads_in(bundle)[signed.size] == ["acme-1"]
    scene.verified(bundle)


async def test_a_note_holds_so_many_signatures_and_no_more(day: SealedDay) -> None:
    scene = Scene(day)
    head = scene.head(*(f"many-{n:02}" for n in range(20)))
    assert heads_in(day.bundle())[head.size] == [f"many-{n:02}" for n in range(15)]


async def test_heads_that_arrived_at_a_channel_stand_in_it_and_so_does_the_one_before(
    day: SealedDay,
) -> None:
    scene = Scene(day)
    told = [scene.head() for _ in range(3)]
    with scene.storage.transaction() as tx:
        for place, head in enumerate(told):
            state = DeliveryState.DEAD if place == 1 else DeliveryState.DELIVERED
            message = head_message(head.note, key=head_key("acme", head.size), at_us=5, signed_us=5)
            put(tx, "acme", message, 5, state)
        assert told_sizes(tx) == {told[0].size, told[2].size}
        last = (told[1].size, told[1].size)
        shown = shown_heads(tx, last, told[2], [])
    assert [one.size for one in shown.heads] == [told[0].size, told[2].size]
    found = heads_in(day.bundle())
    assert {told[0].size, told[2].size} <= found.keys()
    assert told[1].size not in found
