"""Heads of the log that somebody holds and asks a proof from: shown only if this log signed them."""

from collections.abc import Sequence
from typing import NamedTuple

from controller.errors import BadInput, Rejected
from controller.ports.leaves import StoredCheckpoint
from controller.ports.storage import Transaction
from vedette.shared.limits import HELD_HEADS_MAX
from vedette.shared.merkle import HASH_BYTES


class HeldHead(NamedTuple):
    """The size and the root of a head that somebody says this log signed."""

    size: int
    root: bytes


def held_checkpoints(tx: Transaction, held: Sequence[HeldHead]) -> Sequence[StoredCheckpoint]:
    """These heads as they were signed. Rejected for one that never was: nothing is handed over beside a doubt."""
    if len(held) > HELD_HEADS_MAX:
        raise BadInput(f"Expected at most {HELD_HEADS_MAX} heads of the log, found {len(held)}.")
    return [_signed(tx, one) for one in held]


def _signed(tx: Transaction, held: HeldHead) -> StoredCheckpoint:
    found = tx.checkpoints(held.size, held.size)
    if not found:
        raise Rejected(
            f"This log never signed a head of {held.size} leaves. If what you hold is signed by the key of your annex,"
            " the log was forked or restored from an old backup: keep it, it is the proof."
        )
    if found[0].root != held.root:
        raise Rejected(
            f"This log signed another head of {held.size} leaves: its root is {found[0].root.hex()}, yours is"
            f" {held.root[:HASH_BYTES].hex()}. If yours is signed by the key of your annex, the log was forked: keep it, it is the"
            " proof."
        )
    return found[0]
