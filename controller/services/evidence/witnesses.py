"""Witnesses: agents that sign the heads of the log that they take. Their words are verified and kept.

A witness's key counts as soon as it is used first, and is a leaf of the log. Whether it is the right one is decided
by the annex of a contract, not here: another key of a witness is taken too, with an alarm.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.cosigned import Signed, is_same_hour, superfluous
from controller.ports.custody import Alarm, AlarmKind
from controller.ports.leaves import StoredCheckpoint
from controller.ports.storage import Storage, Transaction
from controller.ports.witnesses import StoredCosignature, WitnessKey
from vedette.shared.limits import COSIGNATURE_BYTES_MAX, WITNESS_KEYS_MAX
from vedette.shared.merkle import SIZE_MAX
from vedette.shared.note import BadNote, KeyKind, Verifier, cosigned_s, parsed_note

_SECOND_US: Final = 1_000_000
_KEY_BYTES: Final = 32
PARTY: Final = "party"
"""The label of an agent that says who runs it, where that is not the controller's operator."""


class Unsigned(ValueError):
    """What came is no signature of a witness under a head of the log. The text says what was expected."""


@dataclass(frozen=True, slots=True)
class IncomingCosignature:
    """A signature as an agent sent it (vedette.v1.Cosignature)."""

    size: int
    public_key: bytes
    line: bytes


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """A witness by its newest key, who runs it (empty: the controller's operator), and what it signed last."""

    key: WitnessKey
    party: str
    newest: StoredCosignature | None


class Witnesses:
    """Synchronous: runs in the storage thread. `organisation` stands in the names of keys."""

    def __init__(self, storage: Storage, organisation: str, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._organisation = organisation
        self._now_us = now_us
        self._last: dict[str, Signed] = {}

    def take(self, agent: str, peer: str, said: IncomingCosignature) -> None:
        """Keep what an authenticated agent signed. Unsigned says why it is not kept."""
        name, now_us = f"{self._organisation}/witness/{agent}", self._now_us()
        if len(said.line) > COSIGNATURE_BYTES_MAX or len(said.public_key) != _KEY_BYTES:
            raise Unsigned(
                f"expected a key of {_KEY_BYTES} bytes and a line of at most {COSIGNATURE_BYTES_MAX}"
            )
        witness = Verifier(name, said.public_key, KeyKind.COSIGNATURE)
        with self._storage.transaction() as tx:
            heads = tx.checkpoints(said.size, said.size) if said.size <= SIZE_MAX else ()
            if not heads:
                raise Unsigned(f"expected a head of the log, found {said.size} leaves")
            at_s = _seen_s(heads[0], witness, said.line)
            is_known = _register(tx, WitnessKey(name, agent, said.public_key, now_us), peer)
            if is_known:
                kept = StoredCosignature(said.size, name, said.line, at_s * _SECOND_US, now_us)
                tx.put_cosignature(kept)
                self._thin(tx, name, Signed(said.size, now_us))
        if not is_known:
            raise Unsigned(f"expected one of the {WITNESS_KEYS_MAX} keys that it had already")
        self._last[name] = Signed(said.size, now_us)

    def listed(self) -> Sequence[WitnessStanding]:
        """Every witness, by name."""
        with self._storage.transaction() as tx:
            parties = parties_of(tx)
            newest = {one.witness: one for one in tx.newest_cosignatures()}
            keys = {one.name: one for one in tx.witness_keys()}
        return [
            WitnessStanding(one, parties.get(one.agent, ""), newest.get(name))
            for name, one in keys.items()
        ]

    def _thin(self, tx: Transaction, witness: str, new: Signed) -> None:
        """Let go of what the new one stands for; of what became old when an hour began."""
        last = self._last.get(witness)
        if last is not None and is_same_hour(last.received_us, new.received_us):
            gone = {last.size} if last.size < new.size else set()
        else:
            signed = [Signed(one.size, one.received_us) for one in tx.cosignatures_by(witness)]
            gone = superfluous(signed, new.received_us)
        if gone:
            tx.forget_cosignatures(witness, gone)


def parties_of(tx: Transaction) -> Mapping[str, str]:
    """Who runs the agents that the controller's operator does not run, by agent."""
    return {
        agent: posting.labels[PARTY]
        for agent, posting in tx.postings().items()
        if posting.labels.get(PARTY)
    }


def organisation_of(key: WitnessKey) -> str:
    """Whose log a witness sees, by its name."""
    return key.name.removesuffix(f"/witness/{key.agent}")


def _seen_s(head: StoredCheckpoint, witness: Verifier, line: bytes) -> int:
    try:
        note = parsed_note(head.note + line)
        at_s = cosigned_s(note, witness)
    except BadNote as error:
        raise Unsigned(
            f"expected a signature under the head of {head.size} leaves: {error}"
        ) from error
    if at_s is None or len(note.signatures) != 2:
        raise Unsigned(
            f"expected one signature line of {witness.name} by the key that came with it"
        )
    return at_s


def _register(tx: Transaction, key: WitnessKey, peer: str) -> bool:
    """Know the key from now on; an alarm if another one was known. False if there are too many."""
    known = tx.witness_keys(key.agent)
    if any(one.public_key == key.public_key for one in known):
        return True
    has_room = len(known) < WITNESS_KEYS_MAX
    if has_room:
        tx.put_witness_key(key)
    if known:
        detail = (
            f"expected heads of the log signed with the key {known[-1].public_key.hex()} as before, found"
            f" {key.public_key.hex()}"
        )
        kind = AlarmKind.WITNESS_CHANGED
        tx.raise_alarm(Alarm(key.agent, kind, key.since_us, key.since_us, 1, detail, peer))
    return has_room
