"""Looking for damage of what is kept of witnesses: their keys, and what they signed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from controller.ports.leaves import StoredCheckpoint
from controller.ports.witnesses import WitnessStore
from vedette.shared.note import BadNote, KeyKind, Verifier, cosigned_s, parsed_note

_SECOND_US: Final = 1_000_000
KEY: Final = "witness_key"
"""Stands in the leaf of such a key, and in that of no other."""


class WitnessKeyCheck:
    """Compares the keys of witnesses with their leaves: a witness has them in the order in which they came."""

    def __init__(self) -> None:
        self._said: dict[str, list[tuple[Any, Any]]] = {}

    def heard(self, name: str, data: Mapping[str, Any]) -> None:
        """A leaf says that a witness has a key."""
        self._said.setdefault(name, []).append((data.get("agent"), data.get(KEY)))

    def rest(self, tx: WitnessStore) -> Iterator[str]:
        """After the last leaf: what is kept otherwise."""
        rows: dict[str, list[tuple[Any, Any]]] = {}
        for one in tx.witness_keys():
            rows.setdefault(one.name, []).append((one.agent, one.public_key.hex()))
        for name in sorted({*rows, *self._said}):
            if rows.get(name) != self._said.get(name):
                yield f"The keys of witness {name} are not those that its leaves in the log say."


def cosignature_faults(
    tx: WitnessStore, heads: Mapping[int, StoredCheckpoint], from_size: int, to_size: int
) -> Iterator[str]:
    """What is kept of witnesses are signatures of theirs, under the checkpoints beside which they are kept."""
    keys: dict[str, list[Verifier]] = {}
    for key in tx.witness_keys():
        one = Verifier(key.name, key.public_key, KeyKind.COSIGNATURE)
        keys.setdefault(key.name, []).append(one)
    for signed in tx.cosignatures(from_size, to_size):
        head = heads.get(signed.size)
        try:
            note = parsed_note((head.note if head else b"") + signed.line)
            said = [cosigned_s(note, one) for one in keys.get(signed.witness, ())]
        except BadNote as error:
            reason = str(error)
        else:
            if signed.at_us in (one * _SECOND_US for one in said if one is not None):
                continue
            reason = "it is of another key or time"
        yield f"The signature of {signed.witness} under checkpoint {signed.size} is not what it signed: {reason}."
