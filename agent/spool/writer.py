"""The half of the spool that touches the disk for writing. It runs in a worker thread, one call at a time."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from agent.errors import Fatal
from agent.files import write_synced
from agent.spool.disk import AppendFile, OpenFile, is_full
from agent.spool.positions import store_positions
from agent.spool.record import encode_record, segment_header
from agent.spool.segment import Range, Segment, segment_path

_RESERVE: Final = "reserve"
_RESERVE_BYTES: Final = 256 * 1024
_log = logging.getLogger(__name__)


class Pending(NamedTuple):
    """A line that was taken and is not on disk yet. One is made for every line: a tuple is the cheapest."""

    epoch: str
    stream: str
    seq: int
    line: bytes


@dataclass(slots=True)
class Growth:
    """What became durable in one segment: up to which byte, and which lines of each stream."""

    segment: Segment
    durable: int
    ranges: dict[str, Range] = field(default_factory=dict)

    def take(self, stream: str, seq: int) -> None:
        """Count a line."""
        held = self.ranges.get(stream)
        if held is None:
            self.ranges[stream] = Range(seq, seq, 1)
        else:
            held.last = seq
            held.count += 1


@dataclass(slots=True)
class Committed:
    """What one commit did: growth to publish, lines for which there was no room, segments gone."""

    grown: list[Growth] = field(default_factory=list)
    refused: list[Pending] = field(default_factory=list)
    deleted: list[Segment] = field(default_factory=list)
    is_stored: bool = True


@dataclass(slots=True)
class _Active:
    segment: Segment
    file: AppendFile
    size: int
    synced: int


class Writer:
    """Appends to the newest segment, starts new ones, deletes acknowledged ones.

    A full disk refuses lines and nothing else: `reserve` is room kept so that positions can be stored,
    and acknowledged segments deleted, when nothing else fits. A failed fsync ends the process, because
    nobody can say any more what is on the disk.
    """

    def __init__(
        self, directory: Path, *, next_number: int, segment_bytes: int, open_file: OpenFile
    ) -> None:
        self._directory = directory
        self._next_number = next_number
        self._segment_bytes = segment_bytes
        self._open_file = open_file
        self._active: _Active | None = None
        self._keep_reserve()

    def commit(
        self,
        lines: Sequence[Pending],
        acked: Sequence[Segment],
        positions: bytes | None,
        finished: Sequence[Segment] = (),
    ) -> Committed:
        """Make `lines` and `positions` durable; delete the segments in `acked`, which positions cover.

        `finished` are segments that will not grow any more: they get their index.
        """
        done = Committed()
        if positions is not None:
            done.is_stored = self._store(positions)
        for segment in acked if done.is_stored else ():
            self._retire(segment)
            try:
                segment.delete()
            except OSError as error:
                raise self._failed("be trimmed", error) from error
            done.deleted.append(segment)
        self._write(lines, done)
        self._sync()
        self._keep_reserve()
        self.write_indexes(finished)
        return done

    def write_indexes(self, segments: Sequence[Segment]) -> None:
        """Say beside each segment what it holds. Fatal if the disk fails."""
        for segment in segments:
            try:
                segment.write_index()
            except OSError as error:
                raise self._failed("be indexed", error) from error

    def close(self) -> None:
        """Seal the newest segment."""
        if self._active is not None:
            self._seal(self._active)

    def _write(self, lines: Sequence[Pending], done: Committed) -> None:
        """Append `lines`, all together as far as one segment takes them: a system call each would be dearest.

        Where the disk is full, one by one: some of them may still fit.
        """
        at, together = 0, len(lines)
        while at < len(lines):
            try:
                at += self._append(lines[at : at + together], done)
            except OSError as error:
                self._undo(error)
                if together == 1:
                    done.refused.extend(lines[at:])
                    return
                together = 1

    def _append(self, lines: Sequence[Pending], done: Committed) -> int:
        """Append the first of `lines` that go into one segment; how many those are, at least one."""
        epoch = lines[0].epoch
        active = self._active_for(epoch)
        records: list[bytes] = []
        size = active.size
        for line in lines:
            if line.epoch != epoch or (records and size >= self._segment_bytes):
                break
            record = encode_record(line.stream, line.seq, line.line)
            records.append(record)
            size += len(record)
        active.file.write(b"".join(records))
        active.size = size
        if not done.grown or done.grown[-1].segment is not active.segment:
            done.grown.append(Growth(active.segment, size))
        growth = done.grown[-1]
        growth.durable = size
        for line in lines[: len(records)]:
            growth.take(line.stream, line.seq)
        return len(records)

    def _active_for(self, epoch: str) -> _Active:
        """The newest segment, or the next one if that is of another epoch or as large as it may be."""
        active = self._active
        if active is not None and (
            active.segment.epoch != epoch or active.size >= self._segment_bytes
        ):
            self._sync()
            self._seal(active)
        return self._active or self._start(epoch)

    def _start(self, epoch: str) -> _Active:
        path = segment_path(self._directory, self._next_number)
        self._next_number += 1
        file = self._open_file(path)
        header = segment_header(epoch)
        try:
            file.write(header)
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            raise
        segment = Segment(self._next_number - 1, epoch, path)
        self._active = _Active(segment, file, len(header), 0)
        return self._active

    def _undo(self, error: OSError) -> None:
        """Cut a half-written record off again. Fatal unless the disk is merely full."""
        if not is_full(error):
            raise self._failed("be written", error) from error
        _log.warning("spool.disk_full", extra={"directory": str(self._directory)})
        if self._active is not None:
            try:
                self._active.file.cut(self._active.size)
            except OSError as cut_error:
                raise self._failed("be cut", cut_error) from cut_error

    def _sync(self) -> None:
        active = self._active
        if active is None or active.synced == active.size:
            return
        try:
            active.file.sync()
        except OSError as error:
            raise self._failed("be synced", error) from error
        active.synced = active.size

    def _seal(self, active: _Active) -> None:
        active.file.close()
        self._active = None

    def _retire(self, segment: Segment) -> None:
        """The newest segment may be deleted too, when everything in it is acknowledged."""
        if self._active is not None and self._active.segment is segment:
            self._seal(self._active)

    def _store(self, positions: bytes) -> bool:
        """Store positions, with the reserve's room if there is no other; False if there is none at all."""
        try:
            store_positions(self._directory, positions)
        except OSError as error:
            if not is_full(error):
                raise self._failed("be stored", error) from error
            with contextlib.suppress(OSError):
                self.release_reserve()
                store_positions(self._directory, positions)
                return True
            return False
        return True

    def release_reserve(self) -> None:
        """Free the room that is kept for what must be stored when nothing else fits."""
        (self._directory / _RESERVE).unlink(missing_ok=True)

    def _keep_reserve(self) -> None:
        path = self._directory / _RESERVE
        if path.exists():
            return
        try:
            write_synced(path, b"\0" * _RESERVE_BYTES)
        except OSError as error:
            path.unlink(missing_ok=True)
            if not is_full(error):
                raise self._failed("be written", error) from error

    def _failed(self, what: str, error: OSError) -> Fatal:
        return Fatal(
            f"The spool in {self._directory} could not {what}: {error.strerror or error}. Check the disk; "
            "what was acknowledged as durable is kept, and the agent goes on from it when it is started."
        )
