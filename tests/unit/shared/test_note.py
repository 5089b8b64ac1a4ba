import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vedette.shared.note import BadNote, Verifier, opened_note, parsed_note, signed_note

# The example that the format's own documentation gives.
NEUMANN = Verifier(
    "PeterNeumann", base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
)
EXAMPLE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
NAME = "example/agent/fra-1"


def verifier(key: Ed25519PrivateKey = KEY, name: str = NAME) -> Verifier:
    return Verifier(name, key.public_key().public_bytes_raw())


def test_the_published_example_verifies() -> None:
    assert NEUMANN.key_id.hex() == "c74f20a3"
    assert opened_note(EXAMPLE, [NEUMANN]).startswith("If you think cryptography")


def test_what_is_signed_opens_again_with_its_empty_lines() -> None:
    text = "first\n\nsecond\n"
    assert opened_note(signed_note(text, NAME, KEY), [verifier()]) == text


def test_openssl_and_sed_verify_a_note(tmp_path: Path) -> None:
    note = signed_note("vedette.seal/v1\nseal 1\n", NAME, KEY)
    (tmp_path / "note").write_bytes(note)
    (tmp_path / "key.pem").write_bytes(
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    script = """
    set -e
    sed '/^$/,$d' note > text
    sed -n 's/^\u2014 [^ ]* //p' note | base64 -d | tail -c 64 > signature
    openssl pkeyutl -verify -rawin -pubin -inkey key.pem -sigfile signature -in text
    """
    said = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "Signature Verified Successfully" in said.stdout


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    text = "text\n"
    mine, theirs = signed_note(text, NAME, KEY), signed_note(text, "else", OTHER)
    both = mine + theirs.split(b"\n\n", 1)[1]
    assert opened_note(both, [verifier()]) == text
    assert opened_note(both, [verifier(OTHER, "else")]) == text
    with pytest.raises(BadNote, match=f"by a known key of nobody, found else, {NAME}"):
        opened_note(both, [])


def test_another_key_of_the_same_name_is_unknown() -> None:
    note = signed_note("text\n", NAME, OTHER)
    with pytest.raises(BadNote, match="expected a signature by a known key"):
        opened_note(note, [verifier(KEY)])


def test_a_known_key_that_fails_makes_the_note_invalid_whoever_else_signed() -> None:
    note = signed_note("text\n", NAME, KEY)
    good = signed_note("text\n", "else", OTHER).split(b"\n\n", 1)[1]
    forged = note.replace(b"text", b"next") + good
    with pytest.raises(BadNote, match=f"the signature of {NAME} does not verify"):
        opened_note(forged, [verifier(), verifier(OTHER, "else")])


def test_every_flipped_bit_is_noticed() -> None:
    note = signed_note("vedette.seal/v1\nseal 7\n", NAME, KEY)
    for at in range(len(note)):
        for bit in (1, 0x20):
            changed = bytearray(note)
            changed[at] ^= bit
            with pytest.raises(BadNote):
                opened_note(bytes(changed), [verifier()])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "an empty line, and lines", id="nothing"),
        pytest.param(b"text\n", "an empty line, and lines", id="no signature"),
        pytest.param(b"text\n\n", "found 0", id="no signature line"),
        pytest.param(b"text\r\n\n\xe2\x80\x94 a b\n", "control", id="carriage return"),
        pytest.param(b"te\xc2\x85xt\n\n\xe2\x80\x94 a AAAAAAA=\n", "control", id="upper control"),
        pytest.param(b"\xff\n\n", "UTF-8", id="not UTF-8"),
        pytest.param("text\n\n— a AAAAAAA=".encode(), "lines of signatures", id="cut last line"),
        pytest.param(b"text\n\n- a AAAAAAA=\n", "em dash", id="hyphen for em dash"),
        pytest.param("text\n\n— a+b AAAAAAA=\n".encode(), "em dash", id="plus in a name"),
        pytest.param("text\n\n—  AAAAAAA=\n".encode(), "em dash", id="no name"),
        pytest.param("text\n\n— a AAAA!AAA\n".encode(), "base64", id="not base64"),
        pytest.param("text\n\n— a AAAAAAB=\n".encode(), "in base64", id="spare bits in base64"),
        pytest.param("text\n\n— a AAAAAA==\n".encode(), "key id and a sig", id="nothing but a key id"),
        pytest.param(b"x" * 65537, "at most 65536 bytes", id="too long"),
        pytest.param(b"t\n\n" + "— a AAAAAAA=\n".encode() * 17, "1 to 16", id="too many signatures"),
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(BadNote, match=said):
        parsed_note(data)


@pytest.mark.parametrize("text", ["no newline", "a\tb\n", "a\r\n", "\0\n", "x" * 65537 + "\n"])
def test_what_a_note_cannot_hold_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="whole lines"):
        signed_note(text, NAME, KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_cannot_stand_in_a_signature_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="key name"):
        signed_note("text\n", name, KEY)


def test_a_known_key_among_strangers_is_enough_and_a_second_line_of_it_says_nothing() -> None:
    text = "text\n"
    mine, theirs = signed_note(text, NAME, KEY), signed_note(text, "else", OTHER)
    own, other = (note.split(b"\n\n", 1)[1] for note in (mine, theirs))
    junk = own.replace(NAME.encode(), b"nobody")
    assert opened_note(b"text\n\n" + junk + other + own + own, [verifier()]) == text
    with pytest.raises(BadNote, match=f"the signature of {NAME} does not verify"):
        opened_note(b"text\n\n" + other + _forged(own), [verifier(), verifier(OTHER, "else")])


def _forged(line: bytes) -> bytes:
    """The line with another signature of the same key id."""
    name, _, blob = line.rstrip(b"\n").rpartition(b" ")
    raw = base64.b64decode(blob)
    return name + b" " + base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])) + b"\n"
