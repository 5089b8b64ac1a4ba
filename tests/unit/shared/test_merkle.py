"""The tree of the log, against the reference vectors and the recursive definitions of RFC 6962, written down anew."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.tree import consistency_path, inclusion_path, tree_root
from vedette.shared.merkle import (
    EMPTY,
    BadProof,
    Frontier,
    check_consistency,
    check_inclusion,
    leaf_hash,
    peaks_of,
    root_of,
)

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
# Nodes of that tree which published examples of proofs name: of its first two leaves, of the next two, and so on.
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
INCLUSIONS = [
    (0, 1, ()),
    (0, 8, (A, B, C)),
    (5, 8, (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", ROOTS[4],
    )),
    (2, 3, (ROOTS[2],)),
]  # fmt: skip
GROWTHS = [(1, 1, ()), (1, 8, (A, B, C)), (2, 5, (
    B, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
)), (6, 8, (
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", ROOTS[4],
))]  # fmt: skip
SIZES = st.integers(1, 70)


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, as it is defined there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962, 2.1.1."""
    if len(leaves) <= 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], *, is_whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of RFC 6962, 2.1.2."""
    if m == len(leaves):
        return [] if is_whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], is_whole=is_whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], is_whole=False), mth(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def some(size: int) -> list[bytes]:
    return [b"leaf %d" % n for n in range(size)]


def complete(leaves: Sequence[bytes]) -> object:
    return lambda level, index: mth(leaves[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_roots_are_those_of_the_reference_tree(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]
    assert tree_root(size, complete(LEAVES)).hex() == ROOTS[size]  # type: ignore[arg-type]  # a lambda


@pytest.mark.parametrize(("index", "size", "hashes"), INCLUSIONS)
def test_the_places_of_the_reference_tree_are_proved_by_its_hashes(
    index: int, size: int, hashes: Sequence[str]
) -> None:
    found = [bytes.fromhex(one) for one in hashes]
    assert inclusion_path(index, size, complete(LEAVES)) == found  # type: ignore[arg-type]  # a lambda
    check_inclusion(index, size, bytes.fromhex(ROOTS[size]), leaf_hash(LEAVES[index]), found)


@pytest.mark.parametrize(("before", "after", "hashes"), GROWTHS)
def test_the_growth_of_the_reference_tree_is_proved_by_its_hashes(
    before: int, after: int, hashes: Sequence[str]
) -> None:
    found = [bytes.fromhex(one) for one in hashes]
    assert consistency_path(before, after, complete(LEAVES)) == found  # type: ignore[arg-type]  # a lambda
    old, new = ((size, bytes.fromhex(ROOTS[size])) for size in (before, after))
    check_consistency(old, new, found)


@pytest.mark.parametrize("power", [1, 2, 4, 16, 64, 128])
def test_beside_powers_of_two_proofs_are_those_of_the_definition(power: int) -> None:
    sizes = [size for size in (power - 1, power, power + 1) if size]
    for size in sizes:
        leaves = some(size)
        for index in {0, size // 2, size - 1}:
            found = inclusion_path(index, size, complete(leaves))  # type: ignore[arg-type]  # a lambda
            assert found == path(index, leaves)
            check_inclusion(index, size, mth(leaves), leaf_hash(leaves[index]), found)
        for before in sizes[: sizes.index(size) + 1]:
            found = consistency_path(before, size, complete(leaves))  # type: ignore[arg-type]  # a lambda
            assert found == subproof(before, leaves, is_whole=True)
            check_consistency((before, mth(leaves[:before])), (size, mth(leaves)), found)


def test_from_nothing_everything_has_grown_and_by_no_hash() -> None:
    check_consistency((0, EMPTY), (7, mth(some(7))), [])
    check_consistency((0, EMPTY), (0, EMPTY), [])
    with pytest.raises(BadProof, match="expected no hashes"):
        check_consistency((0, EMPTY), (7, mth(some(7))), [EMPTY])


@given(size=SIZES, data=st.data())
def test_paths_are_those_of_the_definition_and_verify(size: int, data: st.DataObject) -> None:
    leaves = some(size)
    index = data.draw(st.integers(0, size - 1))
    found = inclusion_path(index, size, complete(leaves))  # type: ignore[arg-type]  # a lambda
    assert found == path(index, leaves)
    check_inclusion(index, size, mth(leaves), leaf_hash(leaves[index]), found)


@given(size=SIZES, data=st.data())
def test_no_other_leaf_index_size_or_hash_verifies(size: int, data: st.DataObject) -> None:
    leaves = some(size)
    index = data.draw(st.integers(0, size - 1))
    found, root, own = path(index, leaves), mth(leaves), leaf_hash(leaves[index])
    wrong = [
        (index, size, root, leaf_hash(b"another"), found),
        (index + 1, size, root, own, found),
        (index, size, root, own, [*found, EMPTY]),
        (index, size, EMPTY, own, found),
        (-1, size, root, own, found),
        (size, size, root, own, found),
    ]
    if found:
        at = data.draw(st.integers(0, len(found) - 1))
        changed = [bytes([one[0] ^ 1]) + one[1:] if n == at else one for n, one in enumerate(found)]
        wrong += [
            (index, size, root, own, found[:-1]),
            (index, size, root, own, changed),
            (index, size, root, own, [one[:-1] for one in found]),
        ]
    for one in wrong:
        with pytest.raises(BadProof):
            check_inclusion(*one)


@given(size=SIZES, data=st.data())
def test_a_tree_that_grew_is_proved_by_the_hashes_of_the_definition(
    size: int, data: st.DataObject
) -> None:
    leaves = some(size)
    before = data.draw(st.integers(0, size))
    found = consistency_path(before, size, complete(leaves))  # type: ignore[arg-type]  # a lambda
    if before:
        assert found == subproof(before, leaves, is_whole=True)
    old, new = (before, mth(leaves[:before])), (size, mth(leaves))
    check_consistency(old, new, found)


@given(size=SIZES, data=st.data())
def test_a_tree_with_another_past_is_refused(size: int, data: st.DataObject) -> None:
    leaves = some(size)
    before = data.draw(st.integers(1, size))
    at = data.draw(st.integers(0, before - 1))
    other = [b"another" if n == at else one for n, one in enumerate(leaves)]
    old, new = (before, mth(leaves[:before])), (size, mth(other))
    for found in (subproof(before, leaves, is_whole=True), subproof(before, other, is_whole=True)):
        with pytest.raises(BadProof):
            check_consistency(old, new, found)
    with pytest.raises(BadProof):
        check_consistency((size, mth(leaves)), (size - 1, mth(leaves[:-1])), [])
    with pytest.raises(BadProof):
        check_consistency((0, mth(leaves)), (size, mth(leaves)), [])


@pytest.mark.parametrize("extra", [[], [EMPTY]])
def test_a_proof_of_another_length_is_refused(extra: list[bytes]) -> None:
    leaves = some(7)
    found = subproof(3, leaves, is_whole=True)
    wrong = found[:-1] if not extra else found + extra
    with pytest.raises(BadProof):
        check_consistency((3, mth(leaves[:3])), (7, mth(leaves)), wrong)
    with pytest.raises(BadProof):
        check_consistency((7, mth(leaves)), (7, mth(leaves)), [EMPTY])


@given(size=st.integers(0, 70), cut=st.integers(0, 70))
def test_a_frontier_goes_on_from_what_was_kept_of_it(size: int, cut: int) -> None:
    leaves = some(size)
    tree = Frontier()
    for n, leaf in enumerate(leaves):
        if n == cut:
            tree = Frontier(tree.size, tree.peaks)
        tree.append(leaf_hash(leaf))
    assert (tree.size, tree.root) == (size, mth(leaves))
    ends = [((index + 1) << level) - (index << level) for level, index in peaks_of(size)]
    assert sum(ends) == size
    with pytest.raises(ValueError, match="peaks"):
        Frontier(size + 1 << 8 | 255, tree.peaks)
