"""Signed notes: a text and the Ed25519 signatures under it, in one piece of plain text (C2SP signed-note).

The text ends in a newline; an empty line follows, and then one line a signature: an em dash, the key's
name, and base64 of key id and signature. The bytes are signed as they stand. Nothing is ever parsed and
written again, so `sed` and `openssl` can check a note as well.
"""

import base64
import binascii
import codecs
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vedette.shared.limits import NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX

_DASH: Final = "\u2014 "
_BREAK: Final = b"\n\n"
_UTF8: Final = codecs.getincrementaldecoder("utf-8")
_PIECE_BYTES: Final = 1024 * 1024
_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
# As far as calendars go (the end of the year 9999), in seconds since 1970.
_TIME_S_MAX: Final = 253_402_041_599
# No control characters but the newline, neither of ASCII nor of its upper half.
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_NAME: Final = re.compile(r"[^\s+]{1,255}")


class BadNote(ValueError):
    """Bytes that are no note, or a note that is not signed as it must be."""


class KeyKind(IntEnum):
    """What a key signs, and how: the text as it stands, or that a head was seen at a time (C2SP tlog-cosignature)."""

    TEXT = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that may have signed, under the name that stands in its signatures."""

    name: str
    public_key: bytes
    kind: KeyKind = KeyKind.TEXT

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart: of the SHA-256 of name, newline, kind and key."""
        whole = self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key
        return hashlib.sha256(whole).digest()[:_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: whose it says it is, and the signature itself."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, not verified yet."""

    text: bytes
    signatures: tuple[Signature, ...]


def signed_note(
    text: str, name: str, key: Ed25519PrivateKey, *, bytes_max: int = NOTE_BYTES_MAX
) -> bytes:
    """The note of `text`, signed by `key` under `name`. ValueError if a note cannot hold them."""
    encoded = text.encode()
    if not text.endswith("\n") or _CONTROL.search(text) or len(encoded) > bytes_max:
        raise ValueError("a text of whole lines without control characters expected")
    verifier = Verifier(name, key.public_key().public_bytes_raw())
    return encoded + b"\n" + _line(verifier, key.sign(encoded))


def cosignature(text: bytes, name: str, key: Ed25519PrivateKey, at_s: int) -> bytes:
    """The further signature line by which `key` says that it saw the head of this text at that second (POSIX)."""
    if not 1 <= at_s <= _TIME_S_MAX:
        raise ValueError(f"a time from 1970 on in seconds expected, found {at_s}")
    verifier = Verifier(name, key.public_key().public_bytes_raw(), KeyKind.COSIGNATURE)
    seen = at_s.to_bytes(_TIME_BYTES, "big")
    return _line(verifier, seen + key.sign(_cosigned(text, at_s)))


def cosigned_s(note: Note, witness: Verifier) -> int | None:
    """When `witness` saw this head first, in seconds since 1970; None if it did not sign.

    BadNote if a signature of its does not verify.
    """
    said = [s for s in note.signatures if (s.name, s.key_id) == (witness.name, witness.key_id)]
    for one in said:
        if not _is_by(witness, one.signature, note.text):
            raise BadNote(f"the signature of {witness.name} does not verify")
    return min((_time_s(one.signature) for one in said), default=None)


def parsed_note(data: bytes, *, bytes_max: int = NOTE_BYTES_MAX) -> Note:
    """The note in `data`, not verified. BadNote says what is wrong with its form."""
    end, signatures = _parted(data, bytes_max)
    return Note(data[:end], signatures)


def opened_note(
    data: bytes, verifiers: Iterable[Verifier], *, bytes_max: int = NOTE_BYTES_MAX
) -> str:
    """The text of the note in `data`, which one of `verifiers` at least has signed.

    BadNote if none has. Signatures of unknown keys are passed over; one by a known key that does not
    verify makes the note invalid, whatever else stands there.
    """
    end, signatures = _parted(data, bytes_max)
    # Not copied: the manifest of a month is 60 MB.
    text = memoryview(data)[:end]
    known = {(one.name, one.key_id): one for one in verifiers}
    signed: set[tuple[str, bytes]] = set()
    for signature in signatures:
        key = (signature.name, signature.key_id)
        verifier = known.get(key)
        # The second line of a key says nothing more, and costs nothing.
        if verifier is None or key in signed:
            continue
        if not _is_by(verifier, signature.signature, text):
            raise BadNote(f"the signature of {signature.name} does not verify")
        signed.add(key)
    if not signed:
        expected = ", ".join(sorted(name for name, _ in known)) or "nobody"
        found = ", ".join(sorted({one.name for one in signatures}))
        raise BadNote(f"expected a signature by a known key of {expected}, found {found}")
    return str(text, "utf-8")


def _parted(data: bytes, bytes_max: int) -> tuple[int, tuple[Signature, ...]]:
    """How long the text of a note is, and the signatures under it. BadNote if it is not written as one."""
    if len(data) > bytes_max:
        raise BadNote(f"expected at most {bytes_max} bytes, found {len(data)}")
    _require_plain(data)
    at = data.rfind(_BREAK)
    if at < 0 or not data.endswith(b"\n"):
        raise BadNote("expected a text, an empty line, and lines of signatures")
    lines = data[at + 2 :].decode().split("\n")[:-1]
    if not 1 <= len(lines) <= NOTE_SIGNATURES_MAX:
        raise BadNote(f"expected 1 to {NOTE_SIGNATURES_MAX} signatures, found {len(lines)}")
    return at + 1, tuple(_signature(line) for line in lines)


def _require_plain(data: bytes) -> None:
    """BadNote unless it is UTF-8 without control characters. Piece by piece: as text it may take twice its size."""
    decoder = _UTF8()
    try:
        for at in range(0, len(data) or 1, _PIECE_BYTES):
            end = at + _PIECE_BYTES
            if _CONTROL.search(decoder.decode(data[at:end], final=end >= len(data))):
                raise BadNote("expected no control characters but newlines")
    except UnicodeDecodeError as error:
        raise BadNote("expected UTF-8") from error


def _line(verifier: Verifier, signature: bytes) -> bytes:
    if _NAME.fullmatch(verifier.name) is None:
        raise ValueError(f"a key name without spaces and '+' expected, found {verifier.name!r}")
    blob = base64.b64encode(verifier.key_id + signature).decode()
    return f"{_DASH}{verifier.name} {blob}\n".encode()


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or _NAME.fullmatch(name) is None:
        raise BadNote(f"expected a signature line, an em dash first, found {line[:80]!r}")
    try:
        blob = base64.b64decode(encoded.encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote(f"expected base64 after the name {name}, found {encoded[:80]!r}") from error
    if len(blob) <= _ID_BYTES or base64.b64encode(blob).decode() != encoded:
        raise BadNote(f"expected a key id and a signature in base64, found {encoded[:80]!r}")
    return Signature(name, blob[:_ID_BYTES], blob[_ID_BYTES:])


def _is_by(verifier: Verifier, signature: bytes, text: bytes | memoryview) -> bool:
    if verifier.kind is KeyKind.COSIGNATURE:
        at_s = _time_s(signature)
        if not 1 <= at_s <= _TIME_S_MAX:
            return False
        text, signature = _cosigned(text, at_s), signature[_TIME_BYTES:]
    if len(signature) != _SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(verifier.public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _time_s(signature: bytes) -> int:
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def _cosigned(text: bytes | memoryview, at_s: int) -> bytes:
    """What a witness signs of a head (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {at_s}\n".encode() + text
