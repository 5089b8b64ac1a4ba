"""What is kept of the log: leaves in the order in which they were entered, nodes over them, and checkpoints.

Whatever can move a figure is a leaf, entered in the transaction that writes it. A leaf is a signed note, so
that it says by itself whose word it is; where it stands in the log says when it was known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from controller.ports.seals import StreamId


class LeafKind(StrEnum):
    """What a leaf is about; its note begins with `vedette.<kind>/v1`."""

    SEAL = "seal"
    KEY = "key"
    FLEET = "fleet"
    TERMS = "terms"
    CHECK = "check"
    EXCLUSION = "exclusion"
    REMARK = "remark"
    OUTAGE = "outage"
    CLAIM = "claim"
    REPORT = "report"
    ACCESS = "access"
    PRUNE = "prune"
    HOLD = "hold"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf without its note: its place, what it is about, its hash (RFC 6962), and when it was entered."""

    index: int
    kind: LeafKind
    subject: str
    hash: bytes
    recorded_us: int


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A tree head that was signed: `note` is what was, exact bytes."""

    size: int
    root: bytes
    note: bytes
    signed_us: int


@dataclass(frozen=True, slots=True)
class StoredTimestamp:
    """What an authority outside said of the checkpoint of that size (RFC 3161): its word, and when it gave it.

    `root` is the certificate (DER) that it led to; None where that was not kept.
    """

    size: int
    authority: str
    query: bytes
    response: bytes
    at_us: int
    root: bytes | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says, as its leaf should: of what, and what. `key` tells it from other rows of its kind.

    `place` orders the rows of a kind as they were written, and `at_us` is when this one was.
    """

    place: tuple[int | str, ...]
    at_us: int
    key: tuple[object, ...]
    data: Mapping[str, Any]


class Notary(Protocol):
    """Signs the notes of the log."""

    def note(self, kind: LeafKind, subject: str, data: Mapping[str, Any]) -> tuple[int, bytes]:
        """When it was signed, and the note that says `data` of `subject`."""
        ...


class LogStore(Protocol):
    """The log."""

    def log_size(self) -> int:
        """How many leaves there are."""
        ...

    def leaf(self, index: int) -> Leaf | None:
        """The leaf of that place."""
        ...

    def enter_note(self, kind: LeafKind, subject: str, note: bytes, at_us: int) -> int:
        """Enter a note that was signed elsewhere as a leaf; its place."""
        ...

    def leaf_hashes(self, from_index: int, to_index: int) -> Sequence[bytes]:
        """The hashes of leaves [from_index, to_index), as they were entered."""
        ...

    def leaf_notes(self, from_index: int, to_index: int) -> Iterator[tuple[Leaf, bytes]]:
        """Leaves [from_index, to_index) with the bytes of their notes as they are stored, many at a time."""
        ...

    def said(self, kind: LeafKind, after: Said | None, limit: int) -> Sequence[Said]:
        """What the next rows say that leaves of that kind tell of, in their order; none, if there are no such rows."""
        ...

    def key_of(self, kind: LeafKind, subject: str, data: Mapping[str, Any]) -> tuple[object, ...]:
        """The key of the row that a leaf tells of."""
        ...

    def leaves_about(self, kind: LeafKind, subject: str) -> Sequence[Leaf]:
        """Every leaf about something, the oldest first."""
        ...

    def has_leaf(self, kind: LeafKind, from_index: int, to_index: int | None = None) -> bool:
        """There is a leaf of that kind at or after that place, and before the other if there is one."""
        ...

    def seal_leaf(self, stream: StreamId, number: int) -> Leaf | None:
        """The leaf of a seal."""
        ...

    def nodes(self, level: int, from_index: int, to_index: int) -> Sequence[bytes]:
        """The roots of complete subtrees of that level, as they were kept."""
        ...

    def put_nodes(self, level: int, from_index: int, hashes: Sequence[bytes]) -> None:
        """Keep roots of complete subtrees, one after another."""
        ...

    def put_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a tree head. The caller has signed it, and nobody ever changes it."""
        ...

    def put_timestamp(self, timestamp: StoredTimestamp) -> None:
        """Keep a timestamp. The caller has verified it; one that is there already is left."""
        ...

    def timestamps(self) -> Sequence[StoredTimestamp]:
        """Every timestamp, the newest first."""
        ...

    def newest_checkpoint(self) -> StoredCheckpoint | None:
        """The last one; None before the first."""
        ...

    def checkpoint_covering(self, size: int) -> StoredCheckpoint | None:
        """The smallest one of at least that size."""
        ...

    def checkpoints(self, from_size: int, to_size: int) -> Sequence[StoredCheckpoint]:
        """Those of from_size <= size <= to_size, the smallest first."""
        ...
