"""One batch of frames against what is durable: what is new, what came before, what must be refused."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from controller.core.samples import Quarantined
from controller.ports.evidence import Segment
from controller.ports.seals import StreamId
from controller.ports.storage import Transaction
from controller.services.results.disputes import Clash, Disputes
from controller.services.results.frames import (
    Accepted,
    Gathered,
    IncomingFrame,
    Refusal,
    Refused,
    Sender,
    read_lines,
    split_lines,
)
from controller.services.results.lookback import LookBack, StreamKey
from vedette.shared.identity import ResultId
from vedette.shared.limits import FRAME_LINES_MAX

Answer = Accepted | Refused


@dataclass(slots=True)
class _Stream:
    """What came of one stream in this batch: segments to keep, and their lines for comparison."""

    segments: list[Segment] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    parts: list[list[bytes]] = field(default_factory=list)
    found: dict[int, bytes] = field(default_factory=dict)

    def lines(self, from_seq: int, to_seq: int) -> Iterator[tuple[int, bytes]]:
        """Lines of this batch with from_seq <= seq < to_seq, by number, without their newlines."""
        place = max(0, bisect_right(self.starts, from_seq) - 1)
        for start, part in zip(self.starts[place:], self.parts[place:], strict=True):
            if start >= to_seq:
                break
            skipped = max(0, from_seq - start)
            yield from enumerate(part[skipped : max(0, to_seq - start)], start + skipped)
        if self.found:
            yield from ((n, self.found[n]) for n in range(from_seq, to_seq) if n in self.found)


class Intake:
    """Collects what one transaction will hold. Frames see those before them in the same batch."""

    def __init__(
        self,
        tx: Transaction,
        durable: Mapping[StreamKey, int],
        checks: Set[str],
        received_us: int,
        lookback: LookBack,
    ) -> None:
        self.gathered = Gathered()
        self.moved: dict[StreamKey, int] = {}
        self.taken: list[tuple[str, Gathered]] = []
        self._tx = tx
        self._durable = durable
        self._checks = checks
        self._received_us = received_us
        self._lookback = lookback
        self._disputes = Disputes(tx, checks, received_us, lookback)
        self._streams: dict[StreamKey, _Stream] = {}

    def segments(self) -> list[Segment]:
        """The lines to keep, stream by stream; consecutive frames of a stream are one segment."""
        return [joined for own in self._streams.values() for joined in _joined(own.segments)]

    def answer(
        self, agent: str, region: str, frame: IncomingFrame, set_aside: str | None = None
    ) -> Answer:
        """Take a frame or refuse it; a refused one leaves no trace.

        With `set_aside` its new lines are kept unread, for this reason, and old ones are not compared.
        """
        try:
            seq = self._take(Sender(agent, region, self._received_us), frame, set_aside)
        except Refusal as refusal:
            return Refused(
                frame.epoch, frame.stream, frame.first_seq, refusal.resend_from, str(refusal)
            )
        return Accepted(frame.epoch, frame.stream, seq)

    def _take(self, sender: Sender, frame: IncomingFrame, set_aside: str | None) -> int:
        """Gather what is new in a frame; gives the position of its stream after it."""
        lines = split_lines(frame)
        key = (sender.agent, frame.epoch, frame.stream)
        have = self.moved.get(key) or self._durable.get(key, 0)
        expected = have + 1
        if frame.first_seq - frame.lost > expected:
            raise Refusal(
                f"expected line {expected} of stream {frame.stream!r}, found {frame.first_seq}"
                f" with {frame.lost} lost before it",
                resend_from=expected,
            )
        known = max(0, min(expected - frame.first_seq, len(lines)))
        fresh, first_seq = lines[known:], frame.first_seq + known
        if set_aside is None:
            new = read_lines(frame, sender, fresh, first_seq, self._checks)
        else:
            new = _unread(key, first_seq, len(fresh), set_aside)
        own = self._streams.get(key) or _Stream()
        found: dict[int, bytes] = {}
        if known and set_aside is None:
            self._require_allowance(sender.agent, frame, expected)
            found = self._late(sender, frame, lines[:known], own, new, expected)
        new.lost = max(0, first_seq - expected)
        own.found |= found
        own.segments += [
            Segment(*key, seq, 1, line + b"\n", self._received_us) for seq, line in found.items()
        ]
        if fresh or new.lost:
            body = b"".join(line + b"\n" for line in fresh) if known else frame.lines
            at_us = self._received_us
            own.segments.append(Segment(*key, first_seq, len(fresh), body, at_us, new.lost))
            own.starts.append(first_seq)
            own.parts.append(fresh)
        self._streams[key] = own
        self.gathered.add(new)
        self.taken.append((sender.agent, new))
        self.moved[key] = max(have, first_seq + len(fresh) - 1)
        return self.moved[key]

    def _require_allowance(self, agent: str, frame: IncomingFrame, expected: int) -> None:
        """Refusal if the agent made us look back too much in this hour."""
        if not self._lookback.may(agent, self._received_us):
            raise Refusal(
                f"expected line {expected} of stream {frame.stream!r} or a later one, found"
                f" {frame.first_seq}: too many old or conflicting lines came from agent {agent} in this hour,"
                " and for the rest of it only new ones are taken",
                resend_from=expected,
            )

    def _late(
        self,
        sender: Sender,
        frame: IncomingFrame,
        lines: Sequence[bytes],
        own: _Stream,
        into: Gathered,
        expected: int,
    ) -> dict[int, bytes]:
        """Lines of numbers that the stream is past: the same again, other bytes, or found after all.

        Gives lines that had been reported lost.
        """
        key = (sender.agent, frame.epoch, frame.stream)
        from_seq, to_seq = frame.first_seq, frame.first_seq + len(lines)
        self._require_kept(key, from_seq, to_seq, expected)
        stored = self._lookback.lines(self._tx, key, from_seq, to_seq, self._received_us)
        recent = dict(own.lines(from_seq, to_seq))
        found: dict[int, bytes] = {}
        clashes: list[Clash] = []
        for seq, line in enumerate(lines, from_seq):
            held = recent.get(seq) or stored.get(seq)
            if held == line:
                into.duplicates += 1
            elif held is None:
                into.add(read_lines(frame, sender, [line], seq, self._checks))
                found[seq] = line
            else:
                clashes.append(Clash(seq, line, held, seq in recent))
        if clashes:
            self._disputes.settle(sender, frame, clashes, into, resend_from=expected)
        return found

    def _require_kept(self, key: StreamKey, from_seq: int, to_seq: int, expected: int) -> None:
        """Refusal if lines of that range were pruned: what comes again cannot be compared with them."""
        if gone := self._tx.pruned_between(StreamId(*key), from_seq, to_seq - 1):
            run = gone[0][1]
            raise Refusal(
                f"expected line {expected} of stream {key[2]!r} or a later one, found {from_seq}: lines"
                f" {run.first_seq} to {run.last_seq} were pruned when their retention was over",
                resend_from=expected,
            )


def _unread(key: StreamKey, first_seq: int, count: int, reason: str) -> Gathered:
    """Lines that are kept and not looked into."""
    numbers = range(first_seq, first_seq + count)
    aside = [Quarantined(ResultId(*key, seq), reason) for seq in numbers]
    return Gathered(quarantined=aside, lines=count)


def _joined(segments: Sequence[Segment]) -> list[Segment]:
    """Segments of a stream, those that follow one another without loss made one."""
    found: list[Segment] = []
    run: list[Segment] = []
    count = 0
    for segment in segments:
        if run and not _follows(run[-1], segment, count):
            found.append(_one(run))
            run, count = [], 0
        run.append(segment)
        count += segment.count
    return [*found, _one(run)] if run else found


def _follows(last: Segment, segment: Segment, count: int) -> bool:
    is_next = segment.first_seq == last.first_seq + last.count and not segment.lost
    return is_next and count + segment.count <= FRAME_LINES_MAX


def _one(run: Sequence[Segment]) -> Segment:
    if len(run) == 1:
        return run[0]
    lines = b"".join(segment.lines for segment in run)
    return replace(run[0], count=sum(segment.count for segment in run), lines=lines)
