"""Verifying a seal: signed by its agent, next in its chain, and true of the lines that are held."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vedette.shared.note import BadNote, Verifier, opened_note
from vedette.shared.seal import BadSeal, Seal, StreamName, parsed_seal
from vedette.shared.slot_line import is_of_slot


class Unverified(ValueError):
    """Why a seal is not taken. The text is for people: what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: number and hash of a seal, and the last line that is covered up to it."""

    number: int
    sha256: str
    covered_seq: int


START = Link(0, "", 0)


def opened_seal(note: bytes, name: StreamName, number: int, public_key: bytes) -> Seal:
    """The seal in `note`, signed by the agent that `name` says, about that stream and under that number."""
    try:
        seal = parsed_seal(opened_note(note, [Verifier(name.key_name, public_key)]))
    except (BadNote, BadSeal) as error:
        raise Unverified(str(error)) from error
    if seal.name != name:
        raise Unverified(f"expected a seal of {_shown(name)}, found one of {_shown(seal.name)}")
    if seal.number != number:
        raise Unverified(f"expected seal {number}, found {seal.number}")
    return seal


def sha256_of(note: bytes) -> str:
    """What the next seal must name as `prev`."""
    return hashlib.sha256(note).hexdigest()


def skipped_between(tip: Link, seal: Seal) -> int:
    """How many seals are missing between the last one and this; Unverified if this does not follow on it."""
    if seal.number <= tip.number:
        raise Unverified(f"expected seal {tip.number + 1} or a later one, found {seal.number}")
    skipped = seal.number - tip.number - 1
    if not skipped and (seal.prev or "") != tip.sha256:
        raise Unverified(
            f"expected seal {seal.number} to follow on {tip.sha256 or 'nothing'}, found prev {seal.prev}"
        )
    if seal.payload.count and seal.payload.first <= tip.covered_seq:
        raise Unverified(
            f"expected lines after {tip.covered_seq}, which are not sealed yet, found {seal.payload.first}"
        )
    return skipped


def range_of(tip: Link, seal: Seal, skipped: int) -> tuple[int, int]:
    """First and last number of the lines that the seal must be true of.

    Everything since the seal before it: a line that was sent and is left out shows. Where there is none
    before it, nothing can be said of what came before its own first line.
    """
    is_alone = skipped or not tip.number
    first = seal.payload.first if is_alone else tip.covered_seq + 1
    return first, seal.payload.last


def require_payload(seal: Seal, parts: Iterable[bytes]) -> None:
    """Unverified unless `parts`, the lines that are held, are what was sealed, byte for byte.

    And unless as many of them are of slots as the seal says were done.
    """
    found, size, count, done = hashlib.sha256(), 0, 0, 0
    for part in parts:
        found.update(part)
        size += len(part)
        lines: Sequence[bytes] = part.split(b"\n")[:-1]
        count += len(lines)
        done += sum(map(is_of_slot, lines))
    payload = seal.payload
    if (count, size, found.hexdigest()) != (payload.count, payload.bytes, payload.sha256):
        raise Unverified(
            f"expected {payload.count} lines of {payload.bytes} bytes with SHA-256 {payload.sha256}, found"
            f" {count} of {size} with {found.hexdigest()}"
        )
    if done != seal.slots.done:
        raise Unverified(
            f"expected {done} slots done, which is how many lines say so, found {seal.slots.done}"
        )


def _shown(name: StreamName) -> str:
    return f"{name.key_name} {name.stream} epoch {name.epoch}"
