"""The claim: what a bundle says as a whole, as the text of a signed note (docs/evidence.md).

It names the first and the last seal of every stream, so that nothing can be cut off an end unseen, and the hashes of
the figures, so that they belong to these seals and to no others. A stream in which seals never came has several
lines, one for each run without a gap. Lines that counted and that no seal here covers (`unsealed`), and those under
seals here that came after the figures were made (`late`), are named too.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.bundle.layout import Stream

KIND: Final = "vedette.claim/v1"
_HASH: Final = r"([0-9a-f]{64})"
_NUMBER: Final = r"(0|[1-9][0-9]{0,18})"
_STREAM: Final = re.compile(rf"stream (\S+) (\S+) (\S+) seals {_NUMBER} {_NUMBER} {_HASH} {_HASH}")
_RUN: Final = re.compile(
    rf"(?:late|(unsealed)) (\S+) (\S+) (\S+) lines {_NUMBER} {_NUMBER}(?: time {_NUMBER} {_NUMBER})?"
)
_LINES: Final = (
    (
        "contract` or `outage",
        re.compile(r"(?:contract (\S+)|outage (OUT-\S+) check (\S+)) revision ([1-9][0-9]{0,9})"),
    ),
    ("period", re.compile(rf"period (\S+) {_NUMBER} {_NUMBER}")),
    ("as-of", re.compile(rf"as-of {_NUMBER}")),
    ("program", re.compile(r"program (\S+) tzdata (\S+)")),
    ("fleet", re.compile(rf"fleet {_HASH}")),
    ("timeline", re.compile(rf"timeline {_HASH}")),
    ("attainment", re.compile(rf"attainment (?:{_HASH}|-)")),
    ("supersedes", re.compile(rf"supersedes (?:{_HASH}|-)")),
)


class BadClaim(ValueError):
    """A text that is no claim. The message says which line, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A stream, or a run of it without a gap, from its first seal to its last: numbers, and the SHA-256 of both notes."""

    stream: Stream
    first: int
    last: int
    first_sha256: str
    last_sha256: str


@dataclass(frozen=True, slots=True)
class Run:
    """Lines of a stream by their numbers, both ends included."""

    stream: Stream
    first: int
    last: int

    def text(self) -> str:
        """As a line of a claim: they came after the figures were made."""
        return f"late {self}\n"

    def __str__(self) -> str:
        stream = self.stream
        return f"{stream.agent} {stream.epoch} {stream.stream} lines {self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Unsealed(Run):
    """Lines that counted and that no seal here covers, and the event times of the first and the last of them."""

    from_us: int
    to_us: int

    def text(self) -> str:
        """As a line of a claim."""
        return f"unsealed {Run.__str__(self)} time {self.from_us} {self.to_us}\n"


@dataclass(frozen=True, slots=True)
class ClaimNote:
    """What a bundle says: a contract over a period, or an outage of a check, by these files, from these streams.

    Of an outage `label` is its handle, the time is that of the outage (up to `as_of_us` while it is open), and there
    is no attainment. `streams` hold the runs of each stream one after another.
    """

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
    attainment_sha256: str | None
    supersedes: str | None
    streams: Sequence[Sealed]
    check: str = ""
    unsealed: Sequence[Unsealed] = ()
    late: Sequence[Run] = ()

    @property
    def is_of_outage(self) -> bool:
        """It is about one outage, not about a contract and a period."""
        return bool(self.check)

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        if self.is_of_outage:
            return f"outage {self.label} of check {self.check} (revision {self.revision})"
        return f"{self.contract} (revision {self.revision}) over {self.label}"

    def text(self) -> str:
        """The text to sign."""
        about = (
            f"outage {self.label} check {self.check}" if self.check else f"contract {self.contract}"
        )
        head = (
            f"{KIND}\n"
            f"{about} revision {self.revision}\n"
            f"period {self.label} {self.from_us} {self.to_us}\n"
            f"as-of {self.as_of_us}\n"
            f"program {self.program} tzdata {self.tzdata}\n"
            f"fleet {self.fleet_sha256}\n"
            f"timeline {self.timeline_sha256}\n"
            f"attainment {self.attainment_sha256 or '-'}\n"
            f"supersedes {self.supersedes or '-'}\n"
        )
        streams = [
            f"stream {one.stream.agent} {one.stream.epoch} {one.stream.stream}"
            f" seals {one.first} {one.last} {one.first_sha256} {one.last_sha256}\n"
            for one in self.streams
        ]
        return "".join([head, *streams, *(one.text() for one in (*self.unsealed, *self.late))])


def parsed_claim(text: str) -> ClaimNote:
    """The claim in `text`. BadClaim if it is not exactly as `ClaimNote.text` writes it."""
    kind, *lines = text.split("\n")
    if kind != KIND:
        raise BadClaim(f"line 1: expected {KIND}, found {kind[:80]!r}")
    if len(lines) <= len(_LINES) or lines[-1]:
        raise BadClaim(f"expected at least {len(_LINES) + 1} lines, found {len(lines)}")
    found = [_matched(n, name, p, lines[n - 2]) for n, (name, p) in enumerate(_LINES, 2)]
    (contract, outage, check, revision), (label, from_us, to_us), (as_of_us,) = found[:3]
    (program, tzdata), (fleet,), (timeline,), (attainment,), (supersedes,) = found[3:]
    rest = list(enumerate(lines[len(_LINES) : -1], len(_LINES) + 2))
    streams = [
        _sealed(_matched(n, "stream", _STREAM, line)) for n, line in rest if not _is_run(line)
    ]
    runs = [_matched(n, "unsealed` or `late", _RUN, line) for n, line in rest if _is_run(line)]
    if not streams:
        raise BadClaim("expected at least one `stream`, found none")
    _require_runs(streams)
    if bool(check) == bool(attainment) or (check and outage != label):
        raise BadClaim("expected a contract and its attainment, or an outage and none")
    claim = ClaimNote(
        contract, int(revision), label, int(from_us), int(to_us), int(as_of_us), program, tzdata,
        fleet, timeline, attainment or None, supersedes or None, streams, check,
        [_unsealed(one) for one in runs if one[0]],
        [_run(one) for one in runs if not one[0]],
    )  # fmt: skip
    if claim.text() != text:
        raise BadClaim("expected the text of a claim, found one that is written otherwise")
    return claim


def _is_run(line: str) -> bool:
    return not line.startswith("stream ")


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


def _run(parts: list[str]) -> Run:
    run = Run(Stream(*parts[1:4]), int(parts[4]), int(parts[5]))
    if not 1 <= run.first <= run.last:
        raise BadClaim(f"expected lines from first to last, found {run.first} to {run.last}")
    return run


def _unsealed(parts: list[str]) -> Unsealed:
    run = _run(parts)
    return Unsealed(run.stream, run.first, run.last, int(parts[6] or 0), int(parts[7] or 0))


def _require_runs(streams: Sequence[Sealed]) -> None:
    """Runs of one stream stand together, and there is a gap between them."""
    for before, after in itertools.pairwise(streams):
        if before.stream == after.stream and after.first <= before.last + 1:
            raise BadClaim(
                f"expected seals of {after.stream.folder} after {before.last + 1}, found {after.first}"
            )
    kinds = [stream for stream, _ in itertools.groupby(one.stream for one in streams)]
    if len(set(kinds)) != len(kinds):
        raise BadClaim("expected the runs of each stream together")
