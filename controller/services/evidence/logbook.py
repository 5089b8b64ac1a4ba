"""The log at work: checkpoints over what was entered, proofs from it, and a check of every byte of it.

Nothing is signed that was not computed from stored bytes: leaves since the last checkpoint from their notes, a
moment before; those before them from nodes that must give the root that was signed then. Of these the notes of
some thousand are read again each time, in turn, so that a small log is read whole for every signature.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from controller.core.tree import Complete, consistency_path, inclusion_path, tree_root
from controller.errors import Fatal
from controller.ports.custody import Alarm, AlarmKind
from controller.ports.leaves import LeafKind, LogStore, StoredCheckpoint
from controller.ports.storage import Storage
from vedette.shared.checkpoint import InclusionProof
from vedette.shared.merkle import leaf_hash, node_hash
from vedette.shared.note import Verifier

# Nodes are kept at every eighth level: a proof reads some hundred hashes at most, and they cost an eighth of a
# byte for each byte of leaves' hashes.
NODE_STEP: Final = 8
_FAN: Final = 1 << NODE_STEP
_LEAVES_AT_ONCE: Final = 1 << 16
_READ_AGAIN: Final = 16 * _FAN
_SIGN_US: Final = 60 * 1_000_000


class Signer(Protocol):
    """Who signs tree heads."""

    @property
    def verifier(self) -> Verifier:
        """What checks its signatures."""
        ...

    def checkpoint(self, size: int, root: bytes) -> bytes:
        """The note of a tree head."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head of the tree, the log's public key, and the proof from a head that somebody has seen."""

    size: int
    note: bytes
    key: bytes
    from_size: int
    path: tuple[bytes, ...]


class Logbook:
    """Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, signer: Signer, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._signer = signer
        self._now_us = now_us
        self._read_again = 0
        self._signed_us = 0

    def newest(self) -> StoredCheckpoint | None:
        """The last checkpoint; None before the first."""
        with self._storage.transaction() as tx:
            return tx.newest_checkpoint()

    def checkpoint_if_due(self) -> StoredCheckpoint | None:
        """Sign if an outage changed since the last checkpoint, or it is a minute old; None if neither.

        Fatal as `checkpoint`.
        """
        with self._storage.transaction() as tx:
            newest = tx.newest_checkpoint()
            begun = 0 if newest is None else newest.size
            is_told = tx.has_leaf(LeafKind.OUTAGE, begun)
        # A clock that was set back is no reason to wait for it.
        if not is_told and 0 <= self._now_us() - self._signed_us < _SIGN_US:
            return None
        signed = self.checkpoint()
        self._signed_us = self._now_us()
        return signed

    def head_from(self, seen: int) -> Head | None:
        """The newest head, proved from the one of `seen` leaves; None before the first.

        A head of fewer leaves than were seen has no proof: whoever has seen them is to know.
        """
        with self._storage.transaction() as tx:
            newest = tx.newest_checkpoint()
            if newest is None:
                return None
            path = consistency_path(seen, newest.size, completed(tx)) if seen <= newest.size else []
        key = self._signer.verifier.public_key
        return Head(newest.size, newest.note, key, seen, tuple(path))

    def refused(self, agent: str, reason: str, peer: str) -> None:
        """An agent does not take a head of the log: an alarm is kept."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            tx.raise_alarm(Alarm(agent, AlarmKind.LOG_REFUSED, now_us, now_us, 1, reason, peer))

    def checkpoint(self) -> StoredCheckpoint | None:
        """Sign what was entered since the last checkpoint, if anything was; the newest one now.

        Fatal, and nothing is signed, if stored bytes are not what was entered. A long backlog takes several.
        """
        while True:
            with self._storage.transaction() as tx:
                newest, size = tx.newest_checkpoint(), tx.log_size()
                begun = 0 if newest is None else newest.size
                if begun == size:
                    return newest
                end = min(size, begun + _LEAVES_AT_ONCE)
                _require_root(tx, newest)
                self._reread(tx, begun)
                _keep_nodes(tx, begun, _rehashed(tx, begun, end))
                root = tree_root(end, completed(tx))
                note = self._signer.checkpoint(end, root)
                tx.put_checkpoint(StoredCheckpoint(end, root, note, self._now_us()))

    def _reread(self, tx: LogStore, size: int) -> None:
        """Compare some of the first `size` leaves with their notes, and with the node over them."""
        from_index = self._read_again if self._read_again < size else 0
        to_index = min(from_index + _READ_AGAIN, size)
        hashes = _rehashed(tx, from_index, to_index)
        first, last = from_index // _FAN, to_index // _FAN
        tops = [top_of(hashes[n * _FAN : (n + 1) * _FAN]) for n in range(last - first)]
        if tops != list(tx.nodes(NODE_STEP, first, last)):
            raise Fatal(
                f"The nodes over leaves {from_index} to {to_index} of the log are not those of its leaves:"
                " nothing is signed. `vedette db check` says more; restore the last good backup."
            )
        self._read_again = to_index - to_index % _FAN

    def inclusion(self, index: int, checkpoint: StoredCheckpoint) -> InclusionProof:
        """That the leaf stands in the tree of that checkpoint."""
        with self._storage.transaction() as tx:
            path = inclusion_path(index, checkpoint.size, completed(tx))
        return InclusionProof(index, tuple(path), checkpoint.note)

    def consistency(self, before: int, after: int) -> list[bytes]:
        """That the tree of `after` leaves begins with that of `before`."""
        with self._storage.transaction() as tx:
            return consistency_path(before, after, completed(tx))


def completed(tx: LogStore) -> Complete:
    """Roots of complete subtrees, from what is kept of leaves and nodes."""

    @lru_cache(maxsize=256)
    def block(level: int, index: int) -> list[list[bytes]]:
        """A kept subtree of _FAN children, level by level from them up."""
        from_index, to_index = index * _FAN, (index + 1) * _FAN
        if level == 0:
            rows = [list(tx.leaf_hashes(from_index, to_index))]
        else:
            rows = [list(tx.nodes(level, from_index, to_index))]
        for _ in range(NODE_STEP):
            below = rows[-1]
            rows.append([node_hash(*below[n : n + 2]) for n in range(0, len(below) - 1, 2)])
        return rows

    def complete(level: int, index: int) -> bytes:
        base, rise = level - level % NODE_STEP, level % NODE_STEP
        return block(base, (index << rise) // _FAN)[rise][index % (_FAN >> rise)]

    return complete


def _require_root(tx: LogStore, newest: StoredCheckpoint | None) -> None:
    """What is kept still gives the root that was signed."""
    if newest is not None and tree_root(newest.size, completed(tx)) != newest.root:
        raise Fatal(
            f"The log does not give the root any more that was signed over its first {newest.size} leaves:"
            " stored bytes were changed. `vedette db check` says which; restore the last good backup."
        )


def _rehashed(tx: LogStore, from_index: int, to_index: int) -> list[bytes]:
    """The hashes of leaves, from the stored bytes of their notes."""
    found: list[bytes] = []
    for leaf, note in tx.leaf_notes(from_index, to_index):
        if leaf.index != from_index + len(found) or leaf_hash(note) != leaf.hash:
            raise Fatal(
                f"Leaf {leaf.index} of the log ({leaf.kind} {leaf.subject}) is not stored as it was entered:"
                " nothing is signed over it. `vedette db check` says more; restore the last good backup."
            )
        found.append(leaf.hash)
    if len(found) != to_index - from_index:
        raise Fatal(f"The log has no leaf {from_index + len(found)}, although it has later ones.")
    return found


def top_of(hashes: list[bytes]) -> bytes:
    """The root over a complete subtree."""
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[n : n + 2]) for n in range(0, len(hashes), 2)]
    return hashes[0]


def _keep_nodes(tx: LogStore, begun: int, hashes: list[bytes]) -> None:
    """Keep the roots of subtrees that these leaves complete, at every eighth level."""
    end, complete = begun + len(hashes), completed(tx)
    level = NODE_STEP
    while end >> level:
        first, last = begun >> level, end >> level
        if last > first:
            # From the level below, which is kept by now; `complete` reads it once.
            tx.put_nodes(level, first, [_over(complete, level, n) for n in range(first, last)])
        level += NODE_STEP


def _over(complete: Complete, level: int, index: int) -> bytes:
    """The root of a subtree over the two halves below it."""
    return node_hash(complete(level - 1, 2 * index), complete(level - 1, 2 * index + 1))
