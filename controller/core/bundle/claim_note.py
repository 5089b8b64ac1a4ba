"""The claim: what a bundle says as a whole, as the text of a signed note (docs/evidence.md).

It names the first and the last seal of every stream, so that nothing can be cut off an end unseen, and the hashes of
the figures, so that they belong to these seals and to no others.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.bundle.layout import Stream

KIND: Final = "vedette.claim/v1"
_HASH: Final = r"([0-9a-f]{64})"
_NUMBER: Final = r"(0|[1-9][0-9]{0,18})"
_STREAM: Final = re.compile(rf"stream (\S+) (\S+) (\S+) seals {_NUMBER} {_NUMBER} {_HASH} {_HASH}")
_LINES: Final = (
    ("contract", re.compile(r"contract (\S+) revision ([1-9][0-9]{0,9})")),
    ("period", re.compile(rf"period (\S+) {_NUMBER} {_NUMBER}")),
    ("as-of", re.compile(rf"as-of {_NUMBER}")),
    ("program", re.compile(r"program (\S+) tzdata (\S+)")),
    ("fleet", re.compile(rf"fleet {_HASH}")),
    ("timeline", re.compile(rf"timeline {_HASH}")),
    ("attainment", re.compile(rf"attainment {_HASH}")),
    ("supersedes", re.compile(rf"supersedes (?:{_HASH}|-)")),
)


class BadClaim(ValueError):
    """A text that is no claim. The message says which line, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A stream from its first seal to its last: numbers, and the SHA-256 of both notes."""

    stream: Stream
    first: int
    last: int
    first_sha256: str
    last_sha256: str


@dataclass(frozen=True, slots=True)
class ClaimNote:
    """What a bundle says: a contract over a period, by these files, from these streams."""

    contract: str
    revision: int
    label: str
    from_us: int
    to_us: int
    as_of_us: int
    program: str
    tzdata: str
    fleet_sha256: str
    timeline_sha256: str
    attainment_sha256: str
    supersedes: str | None
    streams: Sequence[Sealed]

    def text(self) -> str:
        """The text to sign."""
        head = (
            f"{KIND}\n"
            f"contract {self.contract} revision {self.revision}\n"
            f"period {self.label} {self.from_us} {self.to_us}\n"
            f"as-of {self.as_of_us}\n"
            f"program {self.program} tzdata {self.tzdata}\n"
            f"fleet {self.fleet_sha256}\n"
            f"timeline {self.timeline_sha256}\n"
            f"attainment {self.attainment_sha256}\n"
            f"supersedes {self.supersedes or '-'}\n"
        )
        return head + "".join(
            f"stream {one.stream.agent} {one.stream.epoch} {one.stream.stream}"
            f" seals {one.first} {one.last} {one.first_sha256} {one.last_sha256}\n"
            for one in self.streams
        )


def parsed_claim(text: str) -> ClaimNote:
    """The claim in `text`. BadClaim if it is not exactly as `ClaimNote.text` writes it."""
    kind, *lines = text.split("\n")
    if kind != KIND:
        raise BadClaim(f"line 1: expected {KIND}, found {kind[:80]!r}")
    if len(lines) <= len(_LINES) or lines[-1]:
        raise BadClaim(f"expected at least {len(_LINES) + 1} lines, found {len(lines)}")
    found = [_matched(n, name, p, lines[n - 2]) for n, (name, p) in enumerate(_LINES, 2)]
    (contract, revision), (label, from_us, to_us), (as_of_us,), (program, tzdata) = found[:4]
    (fleet,), (timeline,), (attainment,), (supersedes,) = found[4:]
    streams = [
        _sealed(_matched(n, "stream", _STREAM, line))
        for n, line in enumerate(lines[len(_LINES) : -1], len(_LINES) + 2)
    ]
    if len({one.stream for one in streams}) != len(streams):
        raise BadClaim("expected each stream once")
    claim = ClaimNote(
        contract, int(revision), label, int(from_us), int(to_us), int(as_of_us), program, tzdata,
        fleet, timeline, attainment, supersedes or None, streams,
    )  # fmt: skip
    if claim.text() != text:
        raise BadClaim("expected the text of a claim, found one that is written otherwise")
    return claim


def _matched(number: int, name: str, pattern: re.Pattern[str], line: str) -> list[str]:
    match = pattern.fullmatch(line)
    if match is None:
        raise BadClaim(f"line {number}: expected `{name}` and its values, found {line[:120]!r}")
    return [part or "" for part in match.groups()]


def _sealed(parts: list[str]) -> Sealed:
    agent, epoch, stream, first, last, first_sha256, last_sha256 = parts
    sealed = Sealed(Stream(agent, epoch, stream), int(first), int(last), first_sha256, last_sha256)
    if not 1 <= sealed.first <= sealed.last:
        raise BadClaim(f"expected seals from first to last, found {sealed.first} to {sealed.last}")
    return sealed
