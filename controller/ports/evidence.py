"""Lines as they came, and the samples of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.core.samples import AnchorRound, Quarantined, Sample
from vedette.shared.identity import ResultId


@dataclass(frozen=True, slots=True)
class Position:
    """The last durable line of a stream of an agent."""

    agent: str
    epoch: str
    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive lines of one stream, exact bytes, each ending in a newline; `lost` before them.

    `received_us` is when the last of them came. `receipts` says how many lines came when, one after
    another, where they did not come at once. Of a segment that was pruned `lines` is empty.
    """

    agent: str
    epoch: str
    stream: str
    first_seq: int
    count: int
    lines: bytes
    received_us: int
    lost: int = 0
    receipts: tuple[tuple[int, int], ...] = ()

    @property
    def is_pruned(self) -> bool:
        """Its time was over: there are such lines, and their text is gone."""
        return self.count > 0 and not self.lines

    def received_us_of(self, seq: int) -> int:
        """When the line of that number came."""
        end_seq = self.first_seq
        for count, at_us in self.receipts:
            end_seq += count
            if seq < end_seq:
                return at_us
        return self.received_us


@dataclass(frozen=True, slots=True)
class Conflict:
    """A line that came under an identity that other bytes had: an integrity alarm; both are kept (S-2).

    Of all lines of one identity one counts, whatever checks they name. Where that is this one from now on,
    `counts` is what it counts as, and `withdrawn` is what counted before.
    """

    id: ResultId
    line: bytes
    received_us: int
    counts: Sample | AnchorRound | None = None
    withdrawn: Sample | AnchorRound | None = None


@dataclass(frozen=True, slots=True)
class Oddities:
    """How many lines of an agent are kept that do not simply count."""

    agent: str
    conflicts: int = 0
    quarantined: int = 0
    strays: int = 0
    lost: int = 0


class EvidenceStore(Protocol):
    """Lines as they came, and samples to compute from."""

    def positions(self, agent: str | None = None) -> Sequence[Position]:
        """The last durable line of every stream (of `agent`)."""
        ...

    def append(
        self,
        segments: Sequence[Segment],
        samples: Iterable[Sample],
        anchors: Iterable[AnchorRound],
        quarantined: Iterable[Quarantined],
        conflicts: Iterable[Conflict],
        strays: Iterable[Sample] = (),
    ) -> None:
        """Keep lines and what was read from them. The caller has checked the sequence.

        A segment without lines (count 0) moves the stream over lines that were lost. `strays` are samples
        of checks that there are not: only where their lines are is remembered.
        """
        ...

    def samples(self, check: str, from_us: int, to_us: int) -> Sequence[Sample]:
        """Samples of a check with from_us <= at_us < to_us, by time; one of each identity (S-2).

        `digest` is 0: which line of an identity counts was decided when it was appended.
        """
        ...

    def strays(self, check: str) -> Sequence[ResultId]:
        """Lines that came for a check before there was one of that name, by identity."""
        ...

    def forget_strays(self, check: str) -> None:
        """They are strays no more."""
        ...

    def newest_sample_us(self, check: str, before_us: int) -> int | None:
        """Event time of the newest sample of a check before that instant."""
        ...

    def anchors(self, agents: Sequence[str], from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """Anchor rounds of the agents in that time, by time."""
        ...

    def heard(self, check: str, from_us: int, to_us: int) -> Mapping[str, int]:
        """By agent the event time of its newest sample of a check with from_us <= at_us < to_us."""
        ...

    def last_good_anchor_us(self, agent: str, before_us: int) -> int | None:
        """Event time of the newest good anchor round of an agent before that instant."""
        ...

    def segments(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int
    ) -> Sequence[Segment]:
        """Segments that hold lines with from_seq <= seq < to_seq of a stream, by sequence."""
        ...

    def next_segments(
        self, agent: str, epoch: str, stream: str, from_seq: int, limit: int
    ) -> Sequence[Segment]:
        """The first segments of a stream that hold a line at or after `from_seq`, by sequence."""
        ...

    def line(self, result: ResultId) -> bytes | None:
        """The exact bytes of a line, or None if there is none (any more). Of several, the one that came first."""
        ...

    def conflicts(self, result: ResultId) -> Sequence[Conflict]:
        """Other lines that came under the same identity, as they came; without what they count as."""
        ...

    def conflicts_between(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int
    ) -> Sequence[Conflict]:
        """Those of a stream with from_seq <= seq < to_seq, by number and as they came."""
        ...

    def conflicts_after(self, at_us: int) -> Sequence[ResultId]:
        """Identities under which another line came after that instant."""
        ...

    def received_after(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int, at_us: int
    ) -> Sequence[tuple[int, int]]:
        """Runs (first, next after the last) of lines that came after an instant, in order.

        Those of the segments that hold lines with from_seq <= seq < to_seq of a stream.
        """
        ...

    def quarantined(self) -> Sequence[Quarantined]:
        """Every line that was set aside, by identity."""
        ...

    def quarantined_between(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int
    ) -> Mapping[int, str]:
        """Why lines of a stream with from_seq <= seq < to_seq were set aside, by number."""
        ...

    def oddities(self) -> Sequence[Oddities]:
        """What of each agent is kept besides what counts, by agent."""
        ...
