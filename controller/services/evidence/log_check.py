"""Looking for damage of the log: every leaf against its note and its row, every node, seal, checkpoint and timestamp."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from controller.ports.leaves import Leaf, LeafKind, LogStore, StoredCheckpoint, StoredTimestamp
from controller.ports.storage import Transaction
from controller.services.evidence.node_check import NodeCheck
from controller.services.evidence.row_check import RowCheck
from controller.services.evidence.seal_check import SealCheck
from controller.services.evidence.witness_check import cosignature_faults
from vedette.shared.checkpoint import BadCheckpoint, parsed_checkpoint
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.merkle import SIZE_MAX, Frontier, leaf_hash
from vedette.shared.note import BadNote, Verifier, opened_note
from vedette.shared.seal import BadSeal

Opens = Callable[[], AbstractContextManager[Transaction]]
StampFault = Callable[[StoredTimestamp, bytes], str | None]
Progress = Callable[[int, int], None]
_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class _Checks:
    """What is asked of each leaf."""

    log: Verifier
    nodes: NodeCheck
    rows: RowCheck
    seals: SealCheck


def no_fault(_timestamp: StoredTimestamp, _note: bytes) -> str | None:
    """Timestamps are not looked at."""
    return None


def no_progress(_done: int, _total: int) -> None:
    """Nobody is told how far it is."""


def faults(
    opens: Opens,
    log: Verifier | None,
    *,
    stamp_fault: StampFault = no_fault,
    progress: Progress = no_progress,
) -> Iterator[str]:
    """What is wrong with the log, a sentence each; nothing if all is well.

    Reads everything, a little at a time and in memory that does not grow with it, so that a controller that runs
    meanwhile is not kept waiting. `progress` is told how many leaves of how many were read.
    """
    with opens() as tx:
        size, newest, first = tx.log_size(), tx.newest_checkpoint(), tx.leaf(0)
    if newest is not None and newest.size > size:
        yield (
            f"Checkpoint {newest.size} of the log was signed over more leaves than the {size} that there are:"
            " the last ones are gone."
        )
    if not size:
        return
    if log is None:
        yield f"The key of the log is not there, although the log has {size} leaves."
        return
    begun_us = 0 if first is None else first.recorded_us
    checks = _Checks(log, NodeCheck(), RowCheck(begun_us), SealCheck(begun_us))
    tree = Frontier()
    while True:
        begun = tree.size
        with opens() as tx:
            size = tx.log_size()
            end = min(begun + _AT_ONCE, size)
            yield from _part_faults(tx, tree, end, checks)
            if tree.size < end:
                yield f"Leaf {tree.size} of the log is missing; what follows cannot be checked."
                return
            progress(tree.size, size)
            if tree.size == size:
                # In this transaction nothing is entered that was not heard.
                yield from checks.rows.rest(tx)
                yield from checks.seals.rest(tx)
                yield from cosignature_faults(tx, {}, size + 1, SIZE_MAX)
                yield from _stamp_faults(tx, stamp_fault)
                return


def _part_faults(tx: Transaction, tree: Frontier, end: int, checks: _Checks) -> Iterator[str]:
    """What is wrong with the next leaves, and with the heads of the tree that end among them."""
    begun = tree.size
    heads = {one.size: one for one in tx.checkpoints(begun + 1, end)}
    newest = tx.newest_checkpoint()
    signed = 0 if newest is None else newest.size
    rows = tx.seals_of_leaves(begun, end)
    for leaf, note in tx.leaf_notes(begun, end):
        if leaf.index != tree.size:
            return
        if leaf_hash(note) != leaf.hash:
            yield f"{_named(leaf)} is not stored as it was entered."
        elif leaf.kind is LeafKind.SEAL:
            yield from checks.seals.heard(tx, leaf, note, rows.get(leaf.index))
        else:
            yield from _note_faults(tx, leaf, note, checks)
        tree.append(leaf.hash)
        yield from checks.nodes.heard(tx, leaf.hash, signed)
        if (head := heads.get(tree.size)) is not None:
            yield from _head_faults(head, tree.root, checks.log)
    yield from cosignature_faults(tx, heads, begun + 1, end)


def _note_faults(tx: Transaction, leaf: Leaf, note: bytes, checks: _Checks) -> Iterator[str]:
    try:
        text = opened_note(note, [checks.log], bytes_max=BUNDLE_NOTE_BYTES_MAX)
    except (BadNote, BadSeal) as error:
        yield f"{_named(leaf)} is no note of ours: {error}."
        return
    yield from checks.rows.heard(tx, leaf, text)


def _head_faults(head: StoredCheckpoint, root: bytes, log: Verifier) -> Iterator[str]:
    if head.root != root:
        yield f"Checkpoint {head.size} of the log was signed over other leaves."
    try:
        found = parsed_checkpoint(opened_note(head.note, [log]), log.name)
    except (BadNote, BadCheckpoint) as error:
        yield f"Checkpoint {head.size} of the log is not what was signed: {error}."
        return
    if found.head != (head.size, head.root):
        yield f"Checkpoint {head.size} of the log says another root than its note."


def _stamp_faults(tx: LogStore, stamp_fault: StampFault) -> Iterator[str]:
    for one in tx.timestamps():
        what = f"The timestamp of checkpoint {one.size} by {one.authority}"
        heads = tx.checkpoints(one.size, one.size)
        if not heads:
            yield f"{what} is of a checkpoint that is not there."
        elif (wrong := stamp_fault(one, heads[0].note)) is not None:
            yield f"{what} is not what it said: {wrong}."


def _named(leaf: Leaf) -> str:
    return f"Leaf {leaf.index} of the log ({leaf.kind.value} {leaf.subject})"
