"""Cosignatures of heads (C2SP tlog-cosignature), made here and by openssl alike."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vedette.shared.note import (
    BadNote,
    KeyKind,
    Verifier,
    cosignature,
    cosigned_s,
    opened_note,
    parsed_note,
    signed_note,
)

LOG = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
KEY = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
NAME = "example.net/witness/acme-1"
WITNESS = Verifier(NAME, PUBLIC, KeyKind.COSIGNATURE)
TEXT = "example.net/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
HEAD = signed_note(TEXT, "example.net/log", LOG)
AT_S = 1_679_315_147


def head(*lines: bytes) -> bytes:
    return HEAD + b"".join(lines)


def line(at_s: int = AT_S, text: str = TEXT) -> bytes:
    return cosignature(text.encode(), NAME, KEY, at_s)


def blob_of(said: bytes) -> bytes:
    return base64.b64decode(said.decode().rsplit(" ", 1)[1])


def test_openssl_signs_the_same_bytes(tmp_path: Path) -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "text").write_text(TEXT)
    script = f"""
    set -e
    openssl pkey -in key.pem -pubout -outform DER | tail -c 32 > public
    {{ printf '%s\\n\\004' {NAME}; cat public; }} | openssl dgst -sha256 -binary | head -c 4 > blob
    printf '%016x' {AT_S} | sed 's/../\\\\\\\\x&/g' | xargs printf '%b' >> blob
    {{ printf 'cosignature/v1\\ntime {AT_S}\\n'; cat text; }} > signed
    openssl pkeyutl -sign -rawin -inkey key.pem -in signed -out signature
    cat blob signature | base64 -w 0
    """
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert line() == f"\u2014 {NAME} {done.stdout}\n".encode()


def test_a_witness_and_a_log_of_one_name_and_key_are_told_apart() -> None:
    whole = NAME.encode() + b"\n\x04" + PUBLIC
    assert WITNESS.key_id == hashlib.sha256(whole).digest()[:4] == blob_of(line())[:4]
    assert WITNESS.key_id != Verifier(NAME, PUBLIC).key_id
    assert int.from_bytes(blob_of(line())[4:12], "big") == AT_S


def test_a_cosigned_head_opens_by_the_log_and_says_when_it_was_seen() -> None:
    note = head(line())
    log = Verifier("example.net/log", LOG.public_key().public_bytes_raw())
    assert opened_note(note, [log]) == opened_note(note, [log, WITNESS]) == TEXT
    assert cosigned_s(parsed_note(note), WITNESS) == AT_S
    assert cosigned_s(parsed_note(head(line(), line(AT_S - 9))), WITNESS) == AT_S - 9
    assert cosigned_s(parsed_note(HEAD), WITNESS) is None


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(blob_of(line(text=TEXT.replace("7", "8")))[4:], id="of another head"),
        pytest.param(blob_of(line())[4:-1], id="cut"),
        pytest.param(blob_of(line())[4:] + b"x", id="longer"),
        pytest.param(blob_of(HEAD.splitlines()[-1])[4:], id="nothing of a witness"),
        pytest.param(b"x", id="hardly anything"),
    ],
)
def test_what_is_no_word_of_the_witness_is_not_taken_for_one(said: bytes) -> None:
    blob = WITNESS.key_id + said
    forged = f"\u2014 {NAME} {base64.b64encode(blob).decode()}\n".encode()
    with pytest.raises(BadNote, match=f"the signature of {NAME} does not verify"):
        cosigned_s(parsed_note(head(forged)), WITNESS)


@pytest.mark.parametrize("at", range(4, 76))
def test_every_byte_of_it_counts(at: int) -> None:
    blob = bytearray(blob_of(line()))
    blob[at] ^= 1
    forged = f"\u2014 {NAME} {base64.b64encode(bytes(blob)).decode()}\n".encode()
    with pytest.raises(BadNote):
        cosigned_s(parsed_note(head(forged)), WITNESS)


def test_a_signature_over_the_text_alone_is_no_cosignature() -> None:
    plain = Verifier(NAME, PUBLIC)
    note = signed_note(TEXT, NAME, KEY)
    assert opened_note(note, [plain]) == TEXT
    assert cosigned_s(parsed_note(note), WITNESS) is None


@pytest.mark.parametrize("at_s", [0, -1, 1 << 62])
def test_a_time_that_nobody_saw_is_not_signed(at_s: int) -> None:
    with pytest.raises(ValueError, match="time"):
        line(at_s)
