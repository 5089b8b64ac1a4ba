"""The spool: a durable queue between probing and sending, in files of one directory.

When the bound is reached, or the disk is full, new lines are refused and old ones kept: the oldest
undelivered line is the last to go. A refused line has used up its number, so the gap that it leaves is
the count of the loss, and travels with the line after it (`Batch.lost`). Probing goes on throughout.
"""

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from agent.errors import Fatal
from agent.files import PRIVATE_DIRECTORY, sync_directory
from agent.ports import Batch, SpoolDepth
from agent.spool.disk import DiskFile, OpenFile
from agent.spool.lock import Lock
from agent.spool.positions import Positions, continued, store_positions, stored_positions
from agent.spool.reader import Key, Reader
from agent.spool.segment import Found, Segment, found_segments
from agent.spool.writer import Committed, Pending, Writer
from vedette.shared.limits import (
    LINE_BYTES_MAX,
    SPOOL_BYTES_MAX,
    SPOOL_BYTES_MIN,
    SPOOL_PENDING_BYTES_MAX,
    SPOOL_SEGMENT_BYTES,
)

# What comes within it shares one fsync, which costs as much as several probes.
_GATHER_SECONDS: Final = 0.05
_ACKED_STORED_SECONDS: Final = 2.0
_RECORD_BYTES: Final = 64
_log = logging.getLogger(__name__)


class DiskSpool:
    """A Spool (agent.ports) in a directory. `run` keeps it synced; `close` leaves it tidy."""

    def __init__(self, lock: Lock, found: Found, positions: Positions, writer: Writer) -> None:
        self._lock = lock
        self._segments = found.segments
        self._finished: list[Segment] = []
        self._positions = positions
        self._writer = writer
        self._reader = Reader()
        self._used = dict(positions.used)
        self._pending: list[Pending] = []
        self._pending_bytes = 0
        self._held_bytes = sum(segment.durable for segment in found.segments)
        self._dropped = 0
        self._damaged = found.damaged
        self._appended = self._settled = 0
        self._flush: asyncio.Task[None] | None = None
        self._work = asyncio.Event()
        self._readable = asyncio.Event()
        self._is_full = False
        self._is_moved = False
        self._stored_at = -math.inf
        self._bytes_max = SPOOL_BYTES_MAX
        if self._segments:
            self._readable.set()

    @classmethod
    def open(
        cls, directory: Path, *, bytes_max: int = SPOOL_BYTES_MAX, open_file: OpenFile = DiskFile
    ) -> Self:
        """The spool in `directory`, made if need be. Fatal if another process has it, or it cannot be used."""
        assert bytes_max >= SPOOL_BYTES_MIN
        try:
            directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            lock = Lock(directory / "lock")
            stored = stored_positions(directory)
            found = found_segments(directory)
            positions = continued(directory, stored, found)
            store_positions(directory, positions.encoded())
            sync_directory(directory.parent)
        except OSError as error:
            raise Fatal(
                f"The spool in {directory} cannot be used: {error.strerror or error}."
            ) from error
        writer = Writer(
            directory,
            next_number=found.next_number,
            segment_bytes=min(SPOOL_SEGMENT_BYTES, bytes_max // 8),
            open_file=open_file,
        )
        spool = cls(lock, found, positions, writer)
        spool._bytes_max = bytes_max
        return spool

    @property
    def epoch(self) -> str:
        """The epoch that new lines belong to."""
        return self._positions.epoch

    def next_seq(self, stream: str) -> int:
        """The number that the next line of `stream` gets, counted from 1."""
        return self._used.get(stream, 0) + 1

    def append(self, stream: str, seq: int, line: bytes) -> None:
        """Take a line, or drop and count it if there is no room. ValueError if it is not the next one."""
        if seq != self.next_seq(stream):
            raise ValueError(f"line {self.next_seq(stream)} of {stream} expected, found {seq}")
        if len(line) > LINE_BYTES_MAX or not line.endswith(b"\n"):
            raise ValueError(
                f"a line of at most {LINE_BYTES_MAX} bytes expected, found {len(line)}"
            )
        self._used[stream] = seq
        size = len(line) + len(stream) + _RECORD_BYTES
        if (
            self._held_bytes + self._pending_bytes + size > self._bytes_max
            or self._pending_bytes + size > SPOOL_PENDING_BYTES_MAX
        ):
            self._drop(Pending(self.epoch, stream, seq, line))
            return
        self._pending.append(Pending(self.epoch, stream, seq, line))
        self._pending_bytes += size
        self._appended += 1
        self._work.set()

    async def sync(self) -> None:
        """Make everything appended so far durable. Callers at the same time share one fsync."""
        wanted = self._appended
        while True:
            if self._flush is None:
                self._flush = asyncio.create_task(self._commit())
            await asyncio.shield(self._flush)
            if self._settled >= wanted:
                return

    async def run(self) -> None:
        """Sync whenever there is something to sync, a few lines at a time, until cancelled."""
        while True:
            await self._work.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._work.clear()
            await self.sync()

    def read(self, after: dict[Key, int], limit_bytes: int) -> Sequence[Batch]:
        """Durable lines of each (epoch, stream) after the given number, oldest first, fit for frames."""
        batches = self._reader.read(self._segments, after, limit_bytes)
        if self._reader.is_at_end:
            self._readable.clear()
        return batches

    def acknowledge(self, durable: dict[Key, int]) -> None:
        """Forget lines up to these numbers: their segments go when all of their lines are acknowledged."""
        for (epoch, stream), seq in durable.items():
            if self._positions.acknowledge(epoch, stream, seq):
                self._is_moved = True
        if self._is_moved:
            self._work.set()

    async def wait(self) -> None:
        """Return when there is something durable that was not there at the last read."""
        await self._readable.wait()

    def open_epoch(self, reason: str) -> str:
        """Number every stream from 1 again under a new epoch; what is held under the old one stays."""
        old = self.epoch
        self._positions.epoch = secrets.token_hex(4)
        self._positions.used = {}
        self._used = {}
        self._is_moved, self._stored_at = True, -math.inf
        self._work.set()
        _log.warning("spool.epoch", extra={"old": old, "new": self.epoch, "reason": reason})
        return self.epoch

    def depth(self) -> SpoolDepth:
        """Unacknowledged lines, bytes on disk, lines dropped and places unreadable since opening."""
        lines = sum(s.lines_after(self._positions.acked_in(s.epoch)) for s in self._segments)
        return SpoolDepth(
            lines, self._held_bytes, self._dropped, self._damaged + self._reader.damaged
        )

    async def close(self) -> None:
        """Sync, note what is acknowledged, and let the next process in."""
        try:
            self._stored_at = -math.inf
            await self.sync()
            await asyncio.to_thread(self._seal)
        finally:
            self._lock.release()

    def _seal(self) -> None:
        self._writer.close()
        for segment in self._segments:
            segment.write_index()

    def _drop(self, line: Pending) -> None:
        if not self._is_full:
            _log.warning("spool.full", extra={"bytes_max": self._bytes_max})
        self._is_full = self._is_moved = True
        self._dropped += 1
        self._settle(line)
        self._work.set()

    def _settle(self, line: Pending) -> None:
        """The number is used for good: durable or lost."""
        if line.epoch == self.epoch:
            used = self._positions.used
            used[line.stream] = max(used.get(line.stream, 0), line.seq)

    async def _commit(self) -> None:
        lines, self._pending = self._pending, []
        upto, size = self._appended, self._pending_bytes
        acked = self._reclaimable()
        finished, self._finished = [s for s in self._finished if s not in acked], []
        try:
            done = await asyncio.to_thread(
                self._writer.commit, lines, acked, self._positions_due(bool(acked)), finished
            )
        finally:
            self._flush = None
        self._is_moved |= not done.is_stored
        self._pending_bytes -= size
        self._publish(done)
        self._settled = upto

    def _positions_due(self, is_needed: bool) -> bytes | None:
        """Positions to store, if they moved and it is time: at once where segments are to be deleted."""
        now = time.monotonic()
        is_time = self._is_moved and now - self._stored_at >= _ACKED_STORED_SECONDS
        if not is_needed and not is_time:
            return None
        self._is_moved, self._stored_at = False, now
        self._positions.forget_epochs(segment.epoch for segment in self._segments)
        return self._positions.encoded()

    def _reclaimable(self) -> list[Segment]:
        """Segments of acknowledged lines only; the newest is spared unless room is needed."""
        spared = None if self._is_full or not self._segments else self._segments[-1]
        return [
            segment
            for segment in self._segments
            if segment is not spared and segment.is_acked(self._positions.acked_in(segment.epoch))
        ]

    def _publish(self, done: Committed) -> None:
        for segment in done.deleted:
            self._segments.remove(segment)
            self._held_bytes -= segment.durable
        for growth in done.grown:
            if not self._segments or self._segments[-1] is not growth.segment:
                self._finished.extend(self._segments[-1:])
                self._segments.append(growth.segment)
            self._held_bytes += growth.durable - growth.segment.durable
            growth.segment.durable = growth.durable
            for line in growth.lines:
                growth.segment.take(line.stream, line.seq, line.seq, 1)
                self._settle(line)
        for line in done.refused:
            self._drop(line)
        if done.grown:
            self._is_full = bool(done.refused)
            self._readable.set()
