"""What is kept of witnesses: their keys, and their signatures under checkpoints of the log."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A key that an agent signs heads with, under the name that stands in its signatures; since when it is known."""

    name: str
    agent: str
    public_key: bytes
    since_us: int


@dataclass(frozen=True, slots=True)
class StoredCosignature:
    """A witness's signature under the checkpoint of that size: `line` is what stands there, exact bytes.

    `at_us` is when the witness saw it, by its own clock, and `received_us` when its word came. One that was
    handed over (`is_kept`) is never let go of.
    """

    size: int
    witness: str
    line: bytes
    at_us: int
    received_us: int
    is_kept: bool = False


class WitnessStore(Protocol):
    """Witnesses and what they signed."""

    def put_witness_key(self, key: WitnessKey) -> None:
        """Keep a new key."""
        ...

    def witness_keys(self, agent: str | None = None) -> Sequence[WitnessKey]:
        """Every key (of an agent), by name, the oldest first."""
        ...

    def put_cosignature(self, cosignature: StoredCosignature) -> bool:
        """Keep it. The caller has verified it; False if there is one of that witness and size already."""
        ...

    def cosignatures(self, from_size: int, to_size: int) -> Sequence[StoredCosignature]:
        """Those under checkpoints of from_size <= size <= to_size, by size and witness."""
        ...

    def cosignatures_by(self, witness: str) -> Sequence[StoredCosignature]:
        """Those of a witness, by size."""
        ...

    def newest_cosignatures(self) -> Sequence[StoredCosignature]:
        """Of each witness the one under its greatest head, by witness."""
        ...

    def keep_cosignatures(self, sizes: Collection[int]) -> None:
        """Those under these checkpoints were handed over."""
        ...

    def forget_cosignatures(self, witness: str, sizes: Collection[int]) -> None:
        """Let go of those of a witness under these checkpoints, but what was handed over, or stamped."""
        ...
