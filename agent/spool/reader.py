"""Reading durable lines back, in the order of the files, without holding more than one answer."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.ports import Batch
from agent.spool.record import HEADER_BYTES, Record, Scan, Tail
from agent.spool.segment import Segment
from vedette.shared.limits import FRAME_BYTES_MAX, FRAME_LINES_MAX

Key = tuple[str, str]

_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class _Open:
    """A batch that is being filled."""

    first_seq: int
    lost: int
    lines: list[bytes] = field(default_factory=list)
    size: int = 0


class _Answer:
    """Sorts records into batches of consecutive lines, each fit for one frame."""

    def __init__(self, after: Mapping[Key, int], limit_bytes: int) -> None:
        self.after = after
        self.passed: dict[Key, int] = {}
        self._limit = limit_bytes
        self._size = 0
        self._order: list[tuple[Key, _Open]] = []
        self._open: dict[Key, _Open] = {}

    def last(self, key: Key) -> int:
        """The number after which `key` goes on."""
        return max(self.after.get(key, 0), self.passed.get(key, 0))

    def take(self, key: Key, record: Record) -> bool:
        """Take the record, or skip it if it is not asked for; False if the answer is full."""
        last = self.last(key)
        if record.seq > last:
            size = len(record.line)
            if self._size and self._size + size > self._limit:
                return False
            self._place(key, record, record.seq - last - 1)
            self._size += size
        self.passed[key] = max(last, record.seq)
        return True

    def skip(self, key: Key, seq: int) -> None:
        """Note that nothing up to `seq` is asked for."""
        self.passed[key] = max(self.last(key), seq)

    def _place(self, key: Key, record: Record, lost: int) -> None:
        batch = self._open.get(key)
        if (
            batch is None
            or lost
            or len(batch.lines) >= FRAME_LINES_MAX
            or batch.size + len(record.line) > FRAME_BYTES_MAX
        ):
            batch = self._open[key] = _Open(record.seq, lost)
            self._order.append((key, batch))
        batch.lines.append(record.line)
        batch.size += len(record.line)

    def batches(self) -> list[Batch]:
        return [
            Batch(epoch, stream, batch.first_seq, batch.lines, batch.lost)
            for (epoch, stream), batch in self._order
        ]


class Reader:
    """Remembers where the last answer ended, so that going on from there costs no search."""

    def __init__(self) -> None:
        self._number = 0
        self._offset = HEADER_BYTES
        self._passed: dict[Key, int] = {}
        self.damaged = 0
        self.is_at_end = False

    def read(
        self, segments: Sequence[Segment], after: Mapping[Key, int], limit_bytes: int
    ) -> list[Batch]:
        """Lines of each stream after the given numbers; numbers that are not there count as lost."""
        if any(after.get(key, 0) < seq for key, seq in self._passed.items()):
            self._number, self._offset, self._passed = 0, HEADER_BYTES, {}
        answer = _Answer(after, limit_bytes)
        self.is_at_end = False
        for segment in segments:
            if segment.number < self._number:
                continue
            if segment.number > self._number:
                self._number, self._offset = segment.number, HEADER_BYTES
            if self._is_wanted(segment, answer) and not self._read_segment(segment, answer):
                break
        else:
            self.is_at_end = True
        self._passed.update(answer.passed)
        return answer.batches()

    def _is_wanted(self, segment: Segment, answer: _Answer) -> bool:
        """False if nothing of the segment is asked for: it is not opened then."""
        held = {(segment.epoch, stream): held.last for stream, held in segment.ranges.items()}
        if any(last > answer.last(key) for key, last in held.items()):
            return True
        for key, last in held.items():
            answer.skip(key, last)
        return False

    def _read_segment(self, segment: Segment, answer: _Answer) -> bool:
        """Read on in `segment`; False if the answer is full."""
        while self._offset < segment.durable:
            data = _piece(segment, self._offset)
            scan = Scan(data, 0)
            for record in scan:
                if not answer.take((segment.epoch, record.stream), record):
                    self._offset += record.start
                    return False
            self._offset += scan.end
            if scan.damaged or not scan.end:
                self.damaged += max(1, scan.damaged)
                segment.forget_unreadable()
            if not scan.end or scan.tail is Tail.DAMAGED:
                self._offset = segment.durable
        return True


def _piece(segment: Segment, offset: int) -> bytes:
    """The next bytes of a segment; none if the file is gone, which its lines' numbers will show."""
    try:
        with segment.path.open("rb") as file:
            file.seek(offset, os.SEEK_SET)
            return file.read(min(_CHUNK_BYTES, segment.durable - offset))
    except OSError:
        return b""
