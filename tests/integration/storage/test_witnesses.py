"""Witnesses in real databases: what they sign is verified, kept, thinned out, and found if it is changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from controller.errors import ControllerError
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.custody import LOCAL, Act, AlarmKind
from controller.ports.leaves import LeafKind, StoredCheckpoint, StoredTimestamp
from controller.ports.postings import Posting
from controller.services.evidence.exposure import Exposure, exposure_of
from controller.services.evidence.log_check import faults
from controller.services.evidence.logbook import Logbook
from controller.services.evidence.witnesses import IncomingCosignature, Unsigned, Witnesses
from controller.storage.database import SqlStorage, open_storage
from vedette.shared.limits import COSIGNATURE_BYTES_MAX, WITNESS_KEYS_MAX
from vedette.shared.note import cosignature

SECOND = 1_000_000
HOUR = 3600 * SECOND
NAME = "example.net/witness/acme-1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes([9] * 32))


class Scene:
    """A log, a clock, and what a witness makes of its heads."""

    def __init__(self, storage: SqlStorage, notary: LogNotary) -> None:
        self.storage = storage
        self.now_us = 1_780_000_000 * SECOND
        self.book = Logbook(storage, notary, lambda: self.now_us)
        self.witnesses = Witnesses(storage, "example.net", lambda: self.now_us)

    def head(self) -> StoredCheckpoint:
        """A new head, of one more leaf at least."""
        with self.storage.transaction() as tx:
            tx.record(Act(self.now_us, "anna", LOCAL, "fleet.apply", "f", "", LOCAL))
        found = self.book.checkpoint()
        assert found is not None
        return found

    def sign(
        self, head: StoredCheckpoint, key: Ed25519PrivateKey = KEY, name: str = NAME
    ) -> IncomingCosignature:
        """What the agent sends."""
        note = head.note[: head.note.rindex(b"\n\n") + 1]
        line = cosignature(note, name, key, self.now_us // SECOND)
        return IncomingCosignature(head.size, key.public_key().public_bytes_raw(), line)

    def take(self, said: IncomingCosignature) -> None:
        self.witnesses.take("acme-1", "peer", said)

    def sizes(self) -> list[int]:
        with self.storage.transaction() as tx:
            return [one.size for one in tx.cosignatures_by(NAME)]


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: 5)


@pytest.fixture
def scene(url: str, notary: LogNotary) -> Iterator[Scene]:
    opened = open_storage(url, notary=notary)
    yield Scene(opened, notary)
    opened.close()


def alarms(scene: Scene) -> list[str]:
    with scene.storage.transaction() as tx:
        return [one.detail for one in tx.alarms() if one.kind is AlarmKind.WITNESS_CHANGED]


def test_a_signature_is_kept_beside_its_head_and_the_key_is_a_leaf(scene: Scene) -> None:
    head = scene.head()
    said = scene.sign(head)
    scene.take(said)
    scene.take(said)
    with scene.storage.transaction() as tx:
        (kept,) = tx.cosignatures(1, head.size)
        assert (kept.line, kept.at_us) == (said.line, scene.now_us)
        (leaf,) = tx.leaves_about(LeafKind.KEY, NAME)
        ((_, note),) = tx.leaf_notes(leaf.index, leaf.index + 1)
    assert KEY.public_key().public_bytes_raw().hex().encode() in note
    (listed,) = scene.witnesses.listed()
    assert (listed.key.name, listed.party, listed.newest) == (NAME, "", kept)


def test_what_is_no_signature_of_that_agent_under_that_head_is_not_kept(scene: Scene) -> None:
    head, other = scene.head(), scene.head()
    good = scene.sign(head)
    log_line = other.note[other.note.rindex(b"\n\n") + 2 :]
    for said, why in (
        (IncomingCosignature(other.size, good.public_key, good.line), "does not verify"),
        (IncomingCosignature(1 << 40, good.public_key, good.line), "expected a head of the log"),
        (IncomingCosignature(1 << 63, good.public_key, good.line), "expected a head of the log"),
        (IncomingCosignature(head.size, bytes(32), good.line), "by the key that came with it"),
        (IncomingCosignature(head.size, b"", good.line), "a key of 32 bytes"),
        (IncomingCosignature(head.size, good.public_key, b"x"), "lines of signatures"),
        (IncomingCosignature(head.size, good.public_key, b""), "one signature line"),
        (IncomingCosignature(head.size, good.public_key, good.line * 2), "one signature line"),
        (IncomingCosignature(head.size, good.public_key, log_line), "one signature line"),
        (IncomingCosignature(head.size, good.public_key, b"x" * 999), str(COSIGNATURE_BYTES_MAX)),
        (scene.sign(head, name="example.net/witness/else"), "one signature line"),
    ):
        with pytest.raises(Unsigned, match=why):
            scene.take(said)
    assert scene.sizes() == []
    with scene.storage.transaction() as tx:
        assert not tx.witness_keys()


def test_another_key_of_a_witness_is_an_alarm_and_many_are_refused(scene: Scene) -> None:
    scene.take(scene.sign(scene.head()))
    assert not alarms(scene)
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in range(20, 40)]
    for key in keys[: WITNESS_KEYS_MAX - 1]:
        scene.take(scene.sign(scene.head(), key))
    (detail,) = alarms(scene)
    assert detail.endswith(keys[WITNESS_KEYS_MAX - 2].public_key().public_bytes_raw().hex())
    with pytest.raises(Unsigned, match="keys that it had already"):
        scene.take(scene.sign(scene.head(), keys[-1]))
    with scene.storage.transaction() as tx:
        assert len(tx.leaves_about(LeafKind.KEY, NAME)) == WITNESS_KEYS_MAX
    # The first one is known still.
    head = scene.head()
    scene.take(scene.sign(head))
    assert scene.sizes()[-1] == head.size


def test_of_an_hour_one_stays_and_what_was_handed_over_or_stamped(scene: Scene) -> None:
    heads = []
    for n in range(6):
        heads.append(scene.head())
        scene.take(scene.sign(heads[-1]))
        with scene.storage.transaction() as tx:
            if n == 1:
                tx.keep_cosignatures([heads[-1].size])
            if n == 3:
                tx.put_timestamp(StoredTimestamp(heads[-1].size, "tsa", b"q", b"r", 5))
        scene.now_us += 60 * SECOND
    kept = [heads[1].size, heads[3].size, heads[5].size]
    assert scene.sizes() == kept
    # A controller that begins anew does not know which came last, and looks at all.
    scene.witnesses = Witnesses(scene.storage, "example.net", lambda: scene.now_us)
    for days in (0, 8):
        scene.now_us += days * 24 * HOUR
        scene.take(scene.sign(scene.head()))
        kept.append(scene.sizes()[-1])
    assert scene.sizes() == [*kept[:2], *kept[3:]]


def test_a_witness_of_another_party_fixes_what_it_saw(scene: Scene) -> None:
    head = scene.head()
    scene.take(scene.sign(head))
    with scene.storage.transaction() as tx:
        assert exposure_of(tx).size == 0
        tx.put_posting(Posting("acme-1", 0, {"party": "example.net"}))
        assert exposure_of(tx).size == 0
        tx.put_posting(Posting("acme-1", 0, {"party": "acme"}))
        found = exposure_of(tx)
    assert found == Exposure(found.leaves, head.size, scene.now_us)
    (listed,) = scene.witnesses.listed()
    assert listed.party == "acme"


CHANGES = (
    "UPDATE log_cosignature SET at_us = at_us + 1000000",
    "UPDATE log_cosignature SET size = size - 1",
    "UPDATE log_cosignature SET line = (SELECT note FROM log_checkpoint ORDER BY size LIMIT 1)",
    "UPDATE log_cosignature SET witness = 'example.net/witness/else'",
)


def test_a_signature_that_was_changed_is_found_and_a_key_is_never_changed(
    scene: Scene, notary: LogNotary
) -> None:
    for change in CHANGES:
        scene.head()
        scene.take(scene.sign(scene.head()))
        assert not list(faults(scene.storage.transaction, notary.verifier))
        with scene.storage.transaction() as tx:
            tx.connection.execute(text(change))
        (fault,) = faults(scene.storage.transaction, notary.verifier)
        assert "is not what it signed" in fault
        with scene.storage.transaction() as tx:
            tx.connection.execute(text("DELETE FROM log_cosignature"))
    with pytest.raises(ControllerError), scene.storage.transaction() as tx:
        tx.connection.execute(text("DELETE FROM witness_key"))
    with scene.storage.transaction() as tx:
        if tx.connection.dialect.name == "sqlite":
            tx.connection.execute(text("DROP TRIGGER witness_key_no_update"))
        else:
            tx.connection.execute(text("DROP TRIGGER witness_key_no_change ON witness_key"))
        tx.connection.execute(text("UPDATE witness_key SET agent = 'else'"))
    (fault,) = faults(scene.storage.transaction, notary.verifier)
    assert fault == f"The keys of witness {NAME} are not those that its leaves in the log say."
