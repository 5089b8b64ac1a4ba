"""Verifying the streams of a bundle: signed by their agents, whole from first to last, true of their lines."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controller.core.bundle.claim_note import ClaimNote, Sealed
from controller.core.bundle.layout import Bundle, Stream
from controller.core.bundle.statements import Broken
from controller.core.sealing import Link, Unverified, opened_seal, require_payload, skipped_between
from vedette.shared.seal import Seal, StreamName


@dataclass(frozen=True, slots=True)
class Account:
    """What the seals of a stream come to: how many, how many lines, and how many slots were missed."""

    stream: Stream
    seals: int
    lines: int
    scheduled: int
    missed: int


def stream_account(bundle: Bundle, sealed: Sealed, organisation: str, public_key: bytes) -> Account:
    """What a stream says from its first seal to its last. Broken if a seal is not what it must be."""
    stream = sealed.stream
    name = StreamName(organisation, stream.agent, stream.stream, stream.epoch)
    before: Link | None = None
    lines = scheduled = missed = 0
    for number in range(sealed.first, sealed.last + 1):
        note = _read(bundle, stream.note(number))
        digest = hashlib.sha256(note).hexdigest()
        try:
            seal = opened_seal(note, name, number, public_key)
            if before is not None:
                skipped_between(before, seal)
            _require_lines(bundle, stream, seal)
        except Unverified as error:
            raise Broken(f"{stream.note(number)}: {error}") from error
        _require_hash(sealed, number, digest)
        before = Link(number, digest, seal.payload.last)
        lines += seal.payload.count
        scheduled, missed = scheduled + seal.slots.scheduled, missed + seal.slots.missed
    return Account(stream, sealed.last - sealed.first + 1, lines, scheduled, missed)


def _require_lines(bundle: Bundle, stream: Stream, seal: Seal) -> None:
    """The lines under a seal are those that it was made of; none where it says none."""
    name = stream.lines(seal.number)
    if seal.payload.count:
        require_payload(seal, [_read(bundle, name)])
    elif bundle.has(name):
        raise Unverified(f"expected no lines under it, found {name}")


def _require_hash(sealed: Sealed, number: int, digest: str) -> None:
    for end, expected in ((sealed.first, sealed.first_sha256), (sealed.last, sealed.last_sha256)):
        if number == end and digest != expected:
            raise Broken(
                f"{sealed.stream.note(number)}: the claim names another seal {number} of this stream"
            )


def unclaimed(bundle: Bundle, claim: ClaimNote) -> Sequence[str]:
    """Files of streams that the claim does not speak of. Broken where it speaks of more seals than there are files."""
    expected: set[str] = set()
    files = len(bundle.names())
    for one in claim.streams:
        if one.last - one.first >= files:
            raise Broken(
                f"{one.stream.folder}: expected seals {one.first} to {one.last}, found fewer files"
            )
        expected.add(one.stream.tip_proof)
        for number in range(one.first, one.last + 1):
            expected |= {one.stream.note(number), one.stream.lines(number)}
    return [name for name in bundle.names() if name.startswith("streams/") and name not in expected]


def lines_of(bundle: Bundle, claim: ClaimNote) -> Iterator[bytes]:
    """The exact bytes of every line, stream by stream in the order of the claim."""
    for one in claim.streams:
        for number in range(one.first, one.last + 1):
            name = one.stream.lines(number)
            if bundle.has(name):
                yield bundle.read(name)


def _read(bundle: Bundle, name: str) -> bytes:
    try:
        return bundle.read(name)
    except KeyError as error:
        raise Broken(f"{name} is missing") from error
