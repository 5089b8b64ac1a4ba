"""One batch of frames against what is durable: what is new, what came before, what must be refused."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from controller.core.intervals import FOREVER_US
from controller.core.samples import AnchorRound
from controller.ports import Conflict, Segment, Transaction
from controller.services.frames import (
    Accepted,
    Gathered,
    IncomingFrame,
    Refusal,
    Refused,
    Sender,
    conflict_of,
    read_lines,
    split_lines,
)
from vedette.shared.limits import FRAME_LINES_MAX

Answer = Accepted | Refused
StreamKey = tuple[str, str, str]


class Intake:
    """Collects what one transaction will hold. Frames see those before them in the same batch."""

    def __init__(
        self,
        tx: Transaction,
        durable: Mapping[StreamKey, int],
        checks: Set[str],
        received_us: int,
    ) -> None:
        self.gathered = Gathered()
        self.moved: dict[StreamKey, int] = {}
        self._tx = tx
        self._durable = durable
        self._checks = checks
        self._received_us = received_us
        self._segments: dict[StreamKey, list[Segment]] = {}

    def segments(self) -> list[Segment]:
        """The lines to keep, stream by stream; consecutive frames of a stream are one segment."""
        return [joined for own in self._segments.values() for joined in _joined(own)]

    def answer(self, agent: str, region: str, frame: IncomingFrame) -> Answer:
        """Take a frame or refuse it; a refused one leaves no trace."""
        try:
            seq = self._take(Sender(agent, region, self._received_us), frame)
        except Refusal as refusal:
            return Refused(
                frame.epoch, frame.stream, frame.first_seq, refusal.resend_from, str(refusal)
            )
        return Accepted(frame.epoch, frame.stream, seq)

    def _take(self, sender: Sender, frame: IncomingFrame) -> int:
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
        new = read_lines(frame, sender, fresh, first_seq, self._checks)
        kept = self._late(sender, frame, lines[:known], new) if known else []
        new.lost = max(0, first_seq - expected)
        if fresh or new.lost:
            body = b"".join(line + b"\n" for line in fresh) if known else frame.lines
            received_us = sender.received_us
            kept.append(Segment(*key, first_seq, len(fresh), body, received_us, new.lost))
        self._segments.setdefault(key, []).extend(kept)
        self.gathered.add(new)
        self.moved[key] = max(have, first_seq + len(fresh) - 1)
        return self.moved[key]

    def _late(
        self, sender: Sender, frame: IncomingFrame, lines: Sequence[bytes], into: Gathered
    ) -> list[Segment]:
        """Lines of numbers that the stream is past: the same again, other bytes, or found after all.

        Gives segments of lines that had been reported lost.
        """
        key = (sender.agent, frame.epoch, frame.stream)
        held = self._held(key, frame.first_seq, frame.first_seq + len(lines))
        found: list[Segment] = []
        for seq, line in enumerate(lines, frame.first_seq):
            first = held.get(seq)
            if first == line:
                into.duplicates += 1
            elif first is None:
                into.add(read_lines(frame, sender, [line], seq, self._checks))
                found.append(Segment(*key, seq, 1, line + b"\n", sender.received_us))
            else:
                conflict = conflict_of(frame, sender, line, seq, self._checks)
                if self._is_known(conflict):
                    into.duplicates += 1
                else:
                    into.conflicts.append(conflict)
                    for one in (conflict, conflict_of(frame, sender, first, seq, self._checks)):
                        self._dispute(one, into)
        return found

    def _held(self, key: StreamKey, from_seq: int, to_seq: int) -> dict[int, bytes]:
        """Lines of a stream that are durable, or in this batch, by number; without their newlines."""
        held: dict[int, bytes] = {}
        for segment in [
            *self._tx.segments(*key, from_seq, to_seq),
            *self._segments.get(key, ()),
        ]:
            if segment.first_seq < to_seq and segment.first_seq + segment.count > from_seq:
                held |= enumerate(segment.lines.split(b"\n")[:-1], segment.first_seq)
        return held

    def _is_known(self, conflict: Conflict) -> bool:
        """The very same line conflicted before."""
        others = [*self._tx.conflicts(conflict.id), *self.gathered.conflicts]
        return any(one.id == conflict.id and one.line == conflict.line for one in others)

    def _dispute(self, one: Conflict, into: Gathered) -> None:
        """Note the checks that have to be judged anew because of a line of a conflict."""
        if isinstance(one.read, AnchorRound):
            for check in self._checks:
                into.dispute(check, -FOREVER_US)
        elif one.read is not None:
            into.dispute(one.read.check, one.read.at_us)


def _joined(segments: Sequence[Segment]) -> list[Segment]:
    """Segments of a stream, those that follow one another without loss made one."""
    found: list[Segment] = []
    run: list[Segment] = []
    for segment in segments:
        if run and not _follows(run, segment):
            found.append(_one(run))
            run = []
        run.append(segment)
    return [*found, _one(run)] if run else found


def _follows(run: Sequence[Segment], segment: Segment) -> bool:
    last = run[-1]
    lines = sum(one.count for one in run) + segment.count
    is_next = segment.first_seq == last.first_seq + last.count and not segment.lost
    return is_next and lines <= FRAME_LINES_MAX


def _one(run: Sequence[Segment]) -> Segment:
    if len(run) == 1:
        return run[0]
    lines = b"".join(segment.lines for segment in run)
    return replace(run[0], count=sum(segment.count for segment in run), lines=lines)
