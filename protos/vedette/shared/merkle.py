"""The Merkle tree of the log: hashes of leaves and nodes, and how proofs are checked (RFC 6962, RFC 9162).

The hash of a leaf begins with 0x00 and that of a node with 0x01, so that neither passes for the other.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

HASH_BYTES: Final = 32
# A tree of more leaves than this is none of ours: it would have more than 64 levels of nodes.
SIZE_MAX: Final = 2**63 - 1
EMPTY: Final = hashlib.sha256().digest()


class BadProof(ValueError):
    """A proof that does not prove what it is said to."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def peaks_of(size: int) -> list[tuple[int, int]]:
    """The complete subtrees of a tree of `size` leaves, the largest first: each as (level, index of its kind)."""
    found: list[tuple[int, int]] = []
    begun = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            found.append((level, begun >> level))
            begun += 1 << level
    return found


class Frontier:
    """The roots of the complete subtrees of a tree that grows at its end: all that is needed to go on."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(
                f"expected {size.bit_count()} peaks of a tree of {size}, found {len(self.peaks)}"
            )

    def append(self, hash_of_leaf: bytes) -> None:
        """Take one more leaf, by its hash."""
        whole, level = hash_of_leaf, self.size
        while level & 1:
            whole = node_hash(self.peaks.pop(), whole)
            level >>= 1
        self.peaks.append(whole)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is."""
        return root_of_peaks(self.peaks)


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, the largest first."""
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over the bytes of leaves."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    return tree.root


def root_by_inclusion(index: int, size: int, hash_of_leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves in which this leaf stands at `index` (RFC 9162, 2.1.3.2).

    BadProof if no such tree has a path of this length. Whoever calls compares the root.
    """
    if not 0 <= index < size <= SIZE_MAX:
        raise BadProof(f"expected an index below the size of the tree, found {index} of {size}")
    place, last, root = index, size - 1, hash_of_leaf
    for one in path:
        if last == 0:
            raise BadProof(f"expected a shorter path for leaf {index} of {size}")
        _require_hash(one)
        if place & 1 or place == last:
            root = node_hash(one, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, one)
        place, last = place >> 1, last >> 1
    if last:
        raise BadProof(f"expected a longer path for leaf {index} of {size}")
    return root


def check_inclusion(
    index: int, size: int, root: bytes, hash_of_leaf: bytes, path: Sequence[bytes]
) -> None:
    """BadProof unless the leaf stands at `index` in the tree of that size and root."""
    if root_by_inclusion(index, size, hash_of_leaf, path) != root:
        raise BadProof(f"leaf {index} is another one in the tree of {size}")


def check_consistency(
    before: tuple[int, bytes], after: tuple[int, bytes], path: Sequence[bytes]
) -> None:
    """BadProof unless the tree `after` = (size, root) begins with all of the tree `before` (RFC 9162, 2.1.4.2)."""
    (size, root), (size_after, root_after) = before, after
    if not 0 <= size <= size_after <= SIZE_MAX:
        raise BadProof(f"expected a tree that has not shrunk, found {size} and then {size_after}")
    if size in (0, size_after):
        if path:
            raise BadProof(f"expected no hashes from {size} to {size_after}, found {len(path)}")
        if root != (root_after if size == size_after else EMPTY):
            raise BadProof(f"found two roots of one tree of {size}")
        return
    # The old tree is a complete subtree of the new one: its root is where the path begins.
    steps = [root, *path] if size.bit_count() == 1 else list(path)
    if not steps:
        raise BadProof(f"expected a proof from {size} to {size_after}, found none")
    if _grown(size, size_after, steps) != (root, root_after):
        raise BadProof(f"the tree of {size_after} does not begin with that of {size}")


def _grown(size: int, size_after: int, steps: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both trees, as these hashes make them."""
    place, last = size - 1, size_after - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    _require_hash(steps[0])
    old = new = steps[0]
    for one in steps[1:]:
        if last == 0:
            raise BadProof(f"expected a shorter proof from {size} to {size_after}")
        _require_hash(one)
        if place & 1 or place == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, one)
        place, last = place >> 1, last >> 1
    if last:
        raise BadProof(f"expected a longer proof from {size} to {size_after}")
    return old, new


def _require_hash(value: bytes) -> None:
    if len(value) != HASH_BYTES:
        raise BadProof(f"expected hashes of {HASH_BYTES} bytes, found one of {len(value)}")
