"""The heads of the log in a bundle: how many leaves, the root over them, and who vouches for each besides the log."""

import re
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from controller.core.paper.gathering import BadPaper, Gathered
from controller.core.stamps import NotStamped, said_at
from vedette.shared.checkpoint import BadCheckpoint, base64_text, parsed_checkpoint
from vedette.shared.note import BadNote, parsed_note

_HEAD: Final = re.compile(r"checkpoints/([0-9]{1,19})")
_ROOT: Final = re.compile(r"timestamps/[0-9]{1,19}\.(.+)\.pem")
_STAMP: Final = re.compile(r"timestamps/([0-9]{1,19})\.(.+)\.tsr")


@dataclass(frozen=True, slots=True)
class StampedBy:
    """An authority that stamped a head, and when by its own word; not verified here."""

    authority: str
    at_us: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """A head: its size, its root in base64, who stamped it, and who signed it besides the log."""

    size: int
    root: str
    stamps: tuple[StampedBy, ...]
    witnesses: tuple[str, ...]


def heads_of(gathered: Gathered, origin: str) -> list[Head]:
    """Every head, the smallest first. BadPaper if one cannot be read."""
    stamps: dict[int, list[StampedBy]] = {}
    for name in gathered.names():
        if match := _STAMP.fullmatch(name):
            stamps.setdefault(int(match[1]), []).append(_stamp(match[2], gathered.read(name)))
    found: list[Head] = []
    for name in gathered.names():
        if _HEAD.fullmatch(name):
            try:
                note = parsed_note(gathered.read(name))
                head = parsed_checkpoint(note.text.decode(), origin)
            except (BadNote, BadCheckpoint) as error:
                raise BadPaper(f"{name}: {error}.") from error
            others = tuple(sorted({one.name for one in note.signatures} - {origin}))
            own = tuple(stamps.get(head.size, ()))
            found.append(Head(head.size, base64_text(head.root), own, others))
    return sorted(found, key=lambda one: one.size)


def roots_of(gathered: Gathered) -> list[tuple[str, str]]:
    """The authorities whose root certificates stand in the bundle, each with the SHA-256 of it (DER), once."""
    found: dict[tuple[str, str], None] = {}
    for name in gathered.names():
        if match := _ROOT.fullmatch(name):
            try:
                root = x509.load_pem_x509_certificate(gathered.read(name))
            except (ValueError, x509.InvalidVersion) as error:
                raise BadPaper(f"{name}: expected a certificate in PEM.") from error
            found[match[1], root.fingerprint(hashes.SHA256()).hex()] = None
    return sorted(found)


def _stamp(authority: str, response: bytes) -> StampedBy:
    try:
        return StampedBy(authority, said_at(response))
    except NotStamped:
        return StampedBy(authority, None)
