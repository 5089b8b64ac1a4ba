"""Looking for damage of the log: every leaf against its note, every seal against its lines, every checkpoint."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from controller.core.sealing import Unverified, require_payload
from controller.ports.leaves import Leaf, LeafKind
from controller.ports.seals import StreamId
from controller.ports.storage import Transaction
from vedette.shared.checkpoint import BadCheckpoint, parsed_checkpoint
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.merkle import Frontier, leaf_hash
from vedette.shared.note import BadNote, Verifier, opened_note, parsed_note
from vedette.shared.seal import BadSeal, parsed_seal

Opens = Callable[[], AbstractContextManager[Transaction]]
_AT_ONCE: Final = 1024


def faults(opens: Opens, log: Verifier | None) -> Iterator[str]:
    """What is wrong with the log, a sentence each; nothing if all is well.

    Reads everything, a little at a time, so that a controller that runs meanwhile is not kept waiting.
    """
    tree = Frontier()
    with opens() as tx:
        size = tx.log_size()
    if not size:
        return
    if log is None:
        yield f"The key of the log is not there, although the log has {size} leaves."
        return
    while tree.size < size:
        begun = tree.size
        with opens() as tx:
            heads = {one.size: one for one in tx.checkpoints(begun + 1, begun + _AT_ONCE)}
            found = list(tx.leaf_notes(begun, min(begun + _AT_ONCE, size)))
            for leaf, note in found:
                if leaf.index != tree.size:
                    break
                yield from _leaf_faults(tx, leaf, note, log)
                tree.append(leaf.hash)
                if (head := heads.get(tree.size)) is not None:
                    if head.root != tree.root:
                        yield f"Checkpoint {head.size} of the log was signed over other leaves."
                    yield from _signature_faults(head.note, head.size, head.root, log)
        if tree.size < min(begun + _AT_ONCE, size):
            yield f"Leaf {tree.size} of the log is missing; what follows cannot be checked."
            return


def _leaf_faults(tx: Transaction, leaf: Leaf, note: bytes, log: Verifier) -> Iterator[str]:
    what = f"Leaf {leaf.index} of the log ({leaf.kind.value} {leaf.subject})"
    if leaf_hash(note) != leaf.hash:
        yield f"{what} is not stored as it was entered."
        return
    try:
        if leaf.kind is LeafKind.SEAL:
            yield from _seal_faults(tx, note, what)
        else:
            opened_note(note, [log], bytes_max=BUNDLE_NOTE_BYTES_MAX)
    except (BadNote, BadSeal) as error:
        yield f"{what} is no note of ours: {error}."


def _seal_faults(tx: Transaction, note: bytes, what: str) -> Iterator[str]:
    """Its lines are those that were sealed. Who signed it was checked when it came."""
    seal = parsed_seal(parsed_note(note).text.decode())
    payload = seal.payload
    if not payload.count:
        return
    stream = StreamId(seal.name.agent, seal.name.epoch, seal.name.stream)
    try:
        require_payload(seal, tx.lines(stream, payload.first, payload.last))
    except Unverified as error:
        yield f"{what} does not fit the lines that are stored: {error}."


def _signature_faults(note: bytes, size: int, root: bytes, log: Verifier) -> Iterator[str]:
    try:
        found = parsed_checkpoint(opened_note(note, [log]), log.name)
    except (BadNote, BadCheckpoint) as error:
        yield f"Checkpoint {size} of the log is not what was signed: {error}."
        return
    if found.head != (size, root):
        yield f"Checkpoint {size} of the log says another root than its note."
