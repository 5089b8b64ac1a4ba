"""Proofs from the log's tree (RFC 6962, 2.1): which hashes show that a leaf is in it, or that it has only grown.

The hashes of complete subtrees never change, so they are kept, or made from what is; everything else is put
together from them.
"""

from collections.abc import Callable

from vedette.shared.merkle import node_hash, peaks_of, root_of_peaks

Complete = Callable[[int, int], bytes]
"""The root of the complete subtree of that level (0: a leaf) and index among those of its level."""


def tree_root(size: int, complete: Complete) -> bytes:
    """The root of the tree of `size` leaves."""
    return root_of_peaks([complete(*one) for one in peaks_of(size)])


def inclusion_path(index: int, size: int, complete: Complete) -> list[bytes]:
    """The hashes from the sibling of a leaf up to a child of the root."""
    assert 0 <= index < size, (index, size)
    path: list[bytes] = []
    from_leaf, to_leaf = 0, size
    while to_leaf - from_leaf > 1:
        middle = from_leaf + _split(to_leaf - from_leaf)
        if index < middle:
            path.append(_root_between(middle, to_leaf, complete))
            to_leaf = middle
        else:
            path.append(_root_between(from_leaf, middle, complete))
            from_leaf = middle
    return path[::-1]


def consistency_path(before: int, after: int, complete: Complete) -> list[bytes]:
    """The hashes that show that the tree of `after` leaves begins with that of `before`."""
    assert 0 <= before <= after, (before, after)
    if before in (0, after):
        return []
    path: list[bytes] = []
    from_leaf, to_leaf, is_whole = 0, after, True
    # Down to the subtree at which the old tree ends; `is_whole` while that began at the first leaf.
    while before != to_leaf:
        middle = from_leaf + _split(to_leaf - from_leaf)
        if before <= middle:
            path.append(_root_between(middle, to_leaf, complete))
            to_leaf = middle
        else:
            path.append(_root_between(from_leaf, middle, complete))
            from_leaf, is_whole = middle, False
    if not is_whole:
        path.append(_root_between(from_leaf, to_leaf, complete))
    return path[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _root_between(from_leaf: int, to_leaf: int, complete: Complete) -> bytes:
    """The root over leaves [from_leaf, to_leaf), where `from_leaf` begins a subtree."""
    count = to_leaf - from_leaf
    if count.bit_count() == 1:
        level = count.bit_length() - 1
        return complete(level, from_leaf >> level)
    middle = from_leaf + _split(count)
    left = _root_between(from_leaf, middle, complete)
    return node_hash(left, _root_between(middle, to_leaf, complete))
