"""What was pruned: the text of lines whose time is over. Where they stood, and what became of them, is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from controller.ports.seals import StreamId


class Held(NamedTuple):
    """A segment whose lines are there: its numbers, how many bytes they take as they are kept, when the last came."""

    first_seq: int
    last_seq: int
    bytes: int
    received_us: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """Lines of a stream that were dropped at once, and the seals over them; seals are 0 where there is none.

    `bytes` is what they took as they were kept. Numbers between that were kept for a reason are not counted in `lines`.
    """

    id: StreamId
    first_seal: int
    last_seal: int
    first_seq: int
    last_seq: int
    lines: int
    bytes: int

    def __str__(self) -> str:
        """As the log's leaf says it: seals `-` where there is none."""
        seals = f"{self.first_seal} {self.last_seal}" if self.first_seal else "- -"
        stream = f"{self.id.agent} {self.id.epoch} {self.id.stream}"
        return (
            f"stream {stream} seals {seals} lines {self.first_seq} {self.last_seq} {self.lines}"
            f" bytes {self.bytes}"
        )


@dataclass(frozen=True, slots=True)
class Pruning:
    """One act of pruning: what it dropped, because it was older than `before_us`, by which fleet file."""

    number: int
    at_us: int
    before_us: int
    fleet: int
    retention: str
    runs: Sequence[Pruned]

    @property
    def handle(self) -> str:
        """The name under which it stands in the log."""
        return f"PRUNE-{self.number}"


class PruneStore(Protocol):
    """Dropping lines, and what is known of it."""

    def held_segments(
        self, stream: StreamId, first_seq: int, last_seq: int, limit: int
    ) -> Sequence[Held]:
        """The first segments within that range whose lines are there, by number."""
        ...

    def drop_lines(self, stream: StreamId, segments: Sequence[Held]) -> None:
        """Forget the text of these segments; that there are such lines, and when they came, is kept."""
        ...

    def put_pruning(self, pruning: Pruning) -> None:
        """Keep what was dropped, and enter it in the log."""
        ...

    def last_pruning(self) -> int:
        """The number of the newest one; 0: there is none."""
        ...

    def pruned(self, stream: StreamId | None = None) -> Sequence[tuple[int, Pruned]]:
        """Everything that was dropped (of a stream), with the number of the act, by stream and line."""
        ...

    def pruned_between(
        self, stream: StreamId, first_seq: int, last_seq: int
    ) -> Sequence[tuple[int, Pruned]]:
        """What of it touches that range of lines, by number."""
        ...
