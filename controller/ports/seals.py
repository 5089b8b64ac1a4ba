"""What is kept of seals: notes that verified, those that contradict them, and how streams stand."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class StreamId(NamedTuple):
    """A stream of an agent."""

    agent: str
    epoch: str
    stream: str


@dataclass(frozen=True, slots=True)
class StoredSeal:
    """A seal that verified: the note, exact bytes, and what it says.

    `first_seq` and `last_seq` are 0 where it covers no line; `covered_seq` is the last line that any seal
    up to this one covers. `skipped` are numbers before it that never came.
    """

    id: StreamId
    number: int
    note: bytes
    first_seq: int
    last_seq: int
    covered_seq: int
    count: int
    scheduled: int
    done: int
    missed: int
    skipped: int
    end_us: int
    received_us: int


@dataclass(frozen=True, slots=True)
class ForkedSeal:
    """A second note of one stream and number, signed by the same agent: proof that it said two things."""

    id: StreamId
    number: int
    note: bytes
    received_us: int


@dataclass(frozen=True, slots=True)
class StreamStanding:
    """How a stream stands: lines as they came, and what of them is sealed. Sums are over its seals."""

    id: StreamId
    seq: int
    lines: int
    lost: int
    seals: int
    sealed_lines: int
    scheduled: int
    missed: int
    skipped: int
    forked: int
    last_number: int
    last_end_us: int | None

    @property
    def unsealed_lines(self) -> int:
        """Lines that no seal covers: those since the last one, and those that were never sealed."""
        return self.lines - self.sealed_lines


class SealStore(Protocol):
    """Seals by stream and number."""

    def put_seal(self, seal: StoredSeal) -> None:
        """Keep a seal. The caller has verified it."""
        ...

    def seal(self, stream: StreamId, number: int) -> StoredSeal | None:
        """The seal of that number."""
        ...

    def seal_tip(self, stream: StreamId) -> StoredSeal | None:
        """The last seal of a stream."""
        ...

    def seal_tips(self, agent: str) -> Sequence[StoredSeal]:
        """The last seal of every stream of an agent that has one."""
        ...

    def seals(self, stream: StreamId, first: int, last: int) -> Sequence[StoredSeal]:
        """The seals of those numbers that there are, the smallest first."""
        ...

    def seals_over(self, stream: StreamId, from_us: int, to_us: int) -> Sequence[int]:
        """The numbers of the seals that say something of [from_us, to_us), the smallest first."""
        ...

    def seals_of_leaves(self, from_index: int, to_index: int) -> Mapping[int, StoredSeal]:
        """The rows of the seals that leaves [from_index, to_index) of the log are, by leaf; without their notes."""
        ...

    def seals_beside_log(self, from_us: int) -> Sequence[tuple[StreamId, int]]:
        """Seals that are said to have come since that instant and are in no leaf of the log, a hundred at most."""
        ...

    def put_forked_seal(self, fork: ForkedSeal) -> bool:
        """Keep it beside the one that was kept first; False if it is there already, or there are many."""
        ...

    def forked_seals(self, agent: str) -> Sequence[ForkedSeal]:
        """Every note of an agent that contradicts one that was kept before it."""
        ...

    def line_count(self, stream: StreamId, first_seq: int, last_seq: int) -> int:
        """How many lines of that range are held."""
        ...

    def lines(self, stream: StreamId, first_seq: int, last_seq: int) -> Iterator[bytes]:
        """The exact bytes of the lines of that range, in order, many at a time."""
        ...

    def pack_segments(
        self,
        stream: StreamId,
        first_seq: int,
        last_seq: int,
        accept: Callable[[Iterable[bytes]], None] = ...,
    ) -> None:
        """Put the lines of that range together in one segment each run of numbers, packed as tightly as it goes.

        Their bytes, and those of the lines around them, stay as they are. `accept` is given the lines first, in
        order, many at a time; nothing is changed if it raises.
        """
        ...

    def stream_standings(self, agent: str | None = None) -> Sequence[StreamStanding]:
        """How every stream (of `agent`) stands, by agent, stream and epoch."""
        ...
