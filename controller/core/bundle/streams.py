"""Verifying the streams of a bundle: signed by their agents, whole from first to last, true of their lines."""

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.bundle.claim_note import ClaimNote, Sealed
from controller.core.bundle.layout import Bundle, Stream
from controller.core.bundle.pruned import Pruned, is_pruned
from controller.core.bundle.statements import Broken
from controller.core.sealing import Link, Unverified, opened_seal, require_payload, skipped_between
from vedette.shared.seal import Seal, StreamName

_NUMBERED: Final = re.compile(r"(streams/.+)/([0-9]{8})\.(?:note|jsonl)")


@dataclass(frozen=True, slots=True)
class Account:
    """What the seals of a stream come to: how many, how many lines, how many slots were missed, and what is not there.

    The first is seal `first`; together they are about the time from `from_us` to `to_us`, by the agent's clock.
    """

    stream: Stream
    seals: int
    lines: int
    scheduled: int
    missed: int
    gaps: Sequence["Gap"] = ()
    pruned: Sequence[int] = ()
    pruned_lines: int = 0
    first: int = 1
    from_us: int = 0
    to_us: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Seals that never came: first and last number, and the SHA-256 by which the next seal names the last of them."""

    first: int
    last: int
    sha256: str


def by_stream(streams: Sequence[Sealed]) -> Iterator[tuple[Stream, Sequence[Sealed]]]:
    """Each stream with its runs."""
    for stream, runs in itertools.groupby(streams, key=lambda one: one.stream):
        yield stream, list(runs)


def stream_account(
    bundle: Bundle, runs: Sequence[Sealed], organisation: str, public_key: bytes, pruned: Pruned
) -> Account:
    """What a stream says from its first seal to its last. Broken if a seal is not what it must be.

    The lines under a seal may be missing only where they were `pruned`.
    """
    stream = runs[0].stream
    name = StreamName(organisation, stream.agent, stream.stream, stream.epoch)
    before: Link | None = None
    gaps: list[Gap] = []
    gone: list[int] = []
    gone_lines = 0
    seals = lines = scheduled = missed = from_us = to_us = 0
    for run, number in ((one, number) for one in runs for number in range(one.first, one.last + 1)):
        note = _read(bundle, stream.note(number))
        digest = hashlib.sha256(note).hexdigest()
        try:
            seal = opened_seal(note, name, number, public_key)
            if before is not None and skipped_between(before, seal):
                gaps.append(Gap(before.number + 1, number - 1, str(seal.prev)))
            if is_pruned(pruned, stream, number) and _lacks_lines(bundle, stream, seal):
                gone.append(number)
                gone_lines += seal.payload.count
            else:
                _require_lines(bundle, stream, seal)
        except Unverified as error:
            raise Broken(f"{stream.note(number)}: {error}") from error
        _require_hash(run, number, digest)
        from_us = seal.span.start_us if before is None else from_us
        to_us = max(to_us, seal.span.end_us)
        before = Link(number, digest, seal.payload.last or (before.covered_seq if before else 0))
        seals, lines = seals + 1, lines + seal.payload.count
        scheduled, missed = scheduled + seal.slots.scheduled, missed + seal.slots.missed
    first = runs[0].first
    return Account(
        stream, seals, lines, scheduled, missed, gaps, gone, gone_lines, first, from_us, to_us
    )


def _lacks_lines(bundle: Bundle, stream: Stream, seal: Seal) -> bool:
    return seal.payload.count > 0 and not bundle.has(stream.lines(seal.number))


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
    proofs = {name for _, name in tips(claim.streams)}
    files = len(bundle.names())
    runs: dict[str, list[range]] = {}
    for one in claim.streams:
        if one.last - one.first >= files:
            raise Broken(
                f"{one.stream.folder}: expected seals {one.first} to {one.last}, found fewer files"
            )
        runs.setdefault(one.stream.folder, []).append(range(one.first, one.last + 1))
    return [
        name
        for name in bundle.names()
        if name.startswith("streams/") and name not in proofs and not _is_claimed(name, runs)
    ]


def _is_claimed(name: str, runs: Mapping[str, Sequence[range]]) -> bool:
    """It is a seal of one of the runs, by folder, or holds the lines under one."""
    match = _NUMBERED.fullmatch(name)
    return match is not None and any(int(match[2]) in run for run in runs.get(match[1], ()))


def tips(streams: Sequence[Sealed]) -> Iterator[tuple[Sealed, str]]:
    """Each run of each stream with the file of the proof that its last seal is in the log."""
    for stream, runs in by_stream(streams):
        for one in runs[:-1]:
            yield one, stream.proof(one.last)
        yield runs[-1], stream.tip_proof


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
