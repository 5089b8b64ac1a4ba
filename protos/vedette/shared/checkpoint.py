"""Checkpoints of the log, and the proofs that go with them (C2SP tlog-checkpoint, tlog-proof; frozen 2026-08).

A checkpoint is a signed note of three lines: the log's name, the number of leaves, and the root in base64. A
proof is the index of a leaf, the hashes from its sibling up, an empty line, and a checkpoint.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from vedette.shared.limits import PROOF_HASHES_MAX
from vedette.shared.merkle import HASH_BYTES, SIZE_MAX, BadProof

PROOF_KIND: Final = "c2sp.org/tlog-proof@v1"
CONSISTENCY_KIND: Final = "vedette.consistency/v1"
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_ORIGIN: Final = re.compile(r"[^\s+]{1,255}")


class BadCheckpoint(ValueError):
    """A text that is no checkpoint, or none of the log that is meant."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: the log's name, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text to sign."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"

    @property
    def head(self) -> tuple[int, bytes]:
        """Size and root."""
        return self.size, self.root


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where a leaf stands, and the hashes that lead from it to the root. The checkpoint is not verified."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def data(self) -> bytes:
        """As a file: `.tlog-proof`."""
        lines = [PROOF_KIND, f"index {self.index}", *map(base64_text, self.path)]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint


def parsed_checkpoint(text: str, origin: str) -> Checkpoint:
    """The checkpoint in the text of a note. BadCheckpoint unless it is one of the log of that name.

    Further lines are none of ours: they would be signed and say nothing that anybody checks.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[-1]:
        raise BadCheckpoint(f"expected three lines, found {len(lines) - 1}")
    if lines[0] != origin or _ORIGIN.fullmatch(origin) is None:
        raise BadCheckpoint(f"expected a checkpoint of {origin}, found one of {lines[0][:80]!r}")
    try:
        return Checkpoint(origin, number_in(lines[1]), hash_in(lines[2]))
    except BadProof as error:
        raise BadCheckpoint(str(error)) from error


def parsed_inclusion(data: bytes) -> InclusionProof:
    """The proof in `data`; BadProof if it is none. Extra data, which nothing vouches for, is refused."""
    head, found, checkpoint = data.partition(b"\n\n")
    lines = _lines(head, PROOF_KIND)
    if not found or not lines or not lines[0].startswith("index "):
        raise BadProof("expected `index`, hashes, an empty line and a checkpoint")
    return InclusionProof(
        number_in(lines[0].removeprefix("index ")), _hashes(lines[1:]), checkpoint
    )


def consistency_text(before: int, after: int, path: Iterable[bytes]) -> str:
    """A proof that one tree begins with another, as a file."""
    return "\n".join([CONSISTENCY_KIND, f"{before} {after}", *map(base64_text, path)]) + "\n"


def parsed_consistency(data: bytes) -> tuple[int, int, tuple[bytes, ...]]:
    """The sizes and the hashes of such a proof; BadProof if it is none."""
    if not data.endswith(b"\n"):
        raise BadProof("expected whole lines")
    lines = _lines(data[:-1], CONSISTENCY_KIND)
    before, _, after = (lines[0] if lines else "").partition(" ")
    return number_in(before), number_in(after), _hashes(lines[1:])


def base64_text(value: bytes) -> str:
    """As it stands in checkpoints and proofs."""
    return base64.b64encode(value).decode()


def number_in(text: str) -> int:
    """A size or an index, written without leading zeroes; BadProof for anything else."""
    if _NUMBER.fullmatch(text) is None or int(text) > SIZE_MAX:
        raise BadProof(f"expected a number, found {text[:80]!r}")
    return int(text)


def hash_in(text: str) -> bytes:
    """A hash in base64, written in the one way that there is; BadProof for anything else."""
    try:
        value = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadProof(f"expected a hash in base64, found {text[:80]!r}") from error
    if len(value) != HASH_BYTES or base64_text(value) != text:
        raise BadProof(f"expected {HASH_BYTES} bytes in base64, found {text[:80]!r}")
    return value


def _lines(head: bytes, kind: str) -> list[str]:
    try:
        first, *rest = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadProof("expected ASCII") from error
    if first != kind:
        raise BadProof(f"expected {kind}, found {first[:80]!r}")
    return rest


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > PROOF_HASHES_MAX:
        raise BadProof(f"expected at most {PROOF_HASHES_MAX} hashes, found {len(lines)}")
    return tuple(map(hash_in, lines))
