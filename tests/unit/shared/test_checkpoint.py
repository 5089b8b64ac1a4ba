"""Checkpoints and proofs as files: written, read, and refused when anything about them is not as it must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.shared.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    InclusionProof,
    consistency_text,
    parsed_checkpoint,
    parsed_consistency,
    parsed_inclusion,
)
from vedette.shared.limits import PROOF_HASHES_MAX
from vedette.shared.merkle import BadProof

ORIGIN = "example.net/log"
HASHES = st.binary(min_size=32, max_size=32)
# The example of C2SP's tlog-checkpoint.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_the_published_example_is_read_and_written_as_it_stands() -> None:
    found = parsed_checkpoint(SOFA, "example.com/behind-the-sofa")
    assert found.size == 20852163
    assert found.root.hex().startswith("0ac5186a91863e8e1d90c808014aa89b")
    assert found.text() == SOFA


@given(size=st.integers(0, 2**63 - 1), root=HASHES)
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes) -> None:
    one = Checkpoint(ORIGIN, size, root)
    assert parsed_checkpoint(one.text(), ORIGIN) == one


@pytest.mark.parametrize(
    "text",
    [
        SOFA.replace("behind", "before"),
        SOFA.replace("\n20", "\n020"),
        SOFA.replace("20852163", "-1"),
        SOFA.replace("20852163", "9223372036854775808"),
        SOFA.replace("20852163", "٣"),
        SOFA.replace("q2I=", "q2J="),
        SOFA.replace("q2I=", "q2I"),
        SOFA.replace("q2I=", "!2I="),
        SOFA + "more\n",
        SOFA[:-1],
        "",
    ],
)
def test_what_is_no_checkpoint_of_that_log_is_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint, match="expected"):
        parsed_checkpoint(text, "example.com/behind-the-sofa")


@given(index=st.integers(0, 2**63 - 1), path=st.lists(HASHES, max_size=8), checkpoint=st.binary())
def test_proofs_are_read_as_they_were_written(
    index: int, path: list[bytes], checkpoint: bytes
) -> None:
    one = InclusionProof(index, tuple(path), checkpoint)
    assert parsed_inclusion(one.data()) == one
    text = consistency_text(1, index, path).encode()
    assert parsed_consistency(text) == (1, index, tuple(path))


GOOD = InclusionProof(3, (b"x" * 32,), SOFA.encode()).data()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"index 3", b"extra AAAA\nindex 3"),
        GOOD.replace(b"index 3", b"index 03"),
        GOOD.replace(b"eHh4", b"eHh"),
        GOOD.replace(b"\n\n", b"\n"),
        GOOD.replace(b"index", "índex".encode()),
        InclusionProof(0, (b"x" * 32,) * (PROOF_HASHES_MAX + 1), b"").data(),
    ],
)
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(BadProof, match="expected"):
        parsed_inclusion(data)


@pytest.mark.parametrize(
    "text", ["", "vedette.consistency/v1\n", "vedette.consistency/v1\n1 2", "vedette.consistency/v1\n1\n"]
)  # fmt: skip
def test_what_is_no_proof_of_growth_is_refused(text: str) -> None:
    with pytest.raises(BadProof, match="expected"):
        parsed_consistency(text.encode())


@given(data=st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused_in_one_way(data: bytes) -> None:
    for reads in (parsed_inclusion, parsed_consistency):
        with pytest.raises(BadProof):
            reads(data)
