"""What an agent takes as the controller's log: a tree that only grows, signed by one key."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.core.log_view import LogView, Offered, Refused, grown
from controller.core.tree import consistency_path
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.merkle import leaf_hash, root_of
from vedette.shared.note import signed_note

ORIGIN = "example.net/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()


def leaves(count: int, history: str = "first") -> list[bytes]:
    return [f"{history} {n}".encode() for n in range(count)]


def offered(of: list[bytes], from_size: int, *, key: Ed25519PrivateKey = KEY) -> Offered:
    """A head over these leaves, with a good proof from so many of them."""
    text = Checkpoint(ORIGIN, len(of), root_of(of)).text()

    def complete(level: int, index: int) -> bytes:
        part = of[index << level : (index + 1) << level]
        return root_of(part) if level else leaf_hash(part[0])

    path = consistency_path(from_size, len(of), complete) if from_size <= len(of) else []
    public = key.public_key().public_bytes_raw()
    return Offered(signed_note(text, ORIGIN, key), public, from_size, path)


def seen(count: int) -> LogView:
    return grown(None, offered(leaves(count), 0), ORIGIN)


def test_the_first_head_is_taken_as_it_is() -> None:
    view = seen(5)
    assert (view.size, view.root, view.key) == (5, root_of(leaves(5)), PUBLIC)


@pytest.mark.parametrize("size", [5, 6, 8, 37])
def test_a_head_that_goes_on_from_it_is_taken(size: int) -> None:
    assert grown(seen(5), offered(leaves(size), 5), ORIGIN).size == size


def test_a_changed_past_is_refused() -> None:
    other = [b"another", *leaves(9)[1:]]
    with pytest.raises(Refused, match="begin with what it was"):
        grown(seen(5), offered(other, 5), ORIGIN)
    with pytest.raises(Refused, match="two roots of one tree"):
        grown(seen(5), offered(leaves(5, "second"), 5), ORIGIN)


def test_a_log_that_shrank_is_refused() -> None:
    with pytest.raises(Refused, match="not shrunk"):
        grown(seen(5), offered(leaves(3), 5), ORIGIN)


def test_a_proof_from_elsewhere_is_refused() -> None:
    with pytest.raises(Refused, match="a proof from the 5 leaves"):
        grown(seen(5), offered(leaves(9), 3), ORIGIN)


def test_another_key_is_refused_however_good_the_rest_is() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes([1] * 32))
    with pytest.raises(Refused, match="with the key"):
        grown(seen(5), offered(leaves(9), 5, key=other), ORIGIN)


def test_what_is_not_signed_by_the_key_that_it_names_is_refused() -> None:
    good = offered(leaves(9), 5)
    wrong = [
        replace(good, note=good.note.replace(b"\n9\n", b"\n8\n")),
        replace(good, note=b"nothing"),
        replace(good, note=good.note.replace(b"example.net/log\n9", b"example.com/log\n9")),
        replace(good, path=[*good.path, bytes(32)]),
        replace(good, path=[bytes(31)]),
    ]
    for one in wrong:
        with pytest.raises(Refused, match="expected"):
            grown(seen(5), one, ORIGIN)
    with pytest.raises(Refused, match=r"a known key of example\.org/log"):
        grown(None, good, "example.org/log")
