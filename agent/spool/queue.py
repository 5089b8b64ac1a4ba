"""The spool: a durable queue between probing and sending, in files of one directory.

When the bound is reached, or the disk is full, new lines are refused and old ones kept: the oldest
undelivered line is the last to go. A refused line has used up its number, so the gap that it leaves is
the count of the loss, and travels with the line after it (`Batch.lost`). Probing goes on throughout.
Lines that nobody fetched within the bound of age are let go, and counted in the same way.

Seals are records too, in streams of their own (`SEALS_SUFFIX`). They are never refused: a seal whose
number is used up without its note would break the chain.
"""

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from agent.errors import Fatal
from agent.files import PRIVATE_DIRECTORY, sync_directory
from agent.ports import SEALS_SUFFIX, Batch, Side, SpoolDepth
from agent.spool.disk import DiskFile, OpenFile
from agent.spool.lock import Lock
from agent.spool.positions import Positions, continued, store_positions, stored_positions
from agent.spool.reader import Key, Reader
from agent.spool.retention import Retention
from agent.spool.segment import Found, Segment, found_segments
from agent.spool.writer import Committed, Pending, Writer
from vedette.shared.limits import (
    LINE_BYTES_MAX,
    SEAL_NOTE_BYTES_MAX,
    SPOOL_AGE_SECONDS_MAX,
    SPOOL_BYTES_MAX,
    SPOOL_BYTES_MIN,
    SPOOL_PENDING_BYTES_MAX,
    SPOOL_SEGMENT_BYTES,
)

# What comes within it shares one fsync, which costs as much as several probes.
_GATHER_SECONDS: Final = 0.1
_ACKED_STORED_SECONDS: Final = 2.0
_RECORD_BYTES: Final = 64
_log = logging.getLogger(__name__)


class DiskSpool:
    """A Spool (agent.ports) in a directory. `run` keeps it synced; `close` leaves it tidy."""

    def __init__(
        self,
        lock: Lock,
        found: Found,
        positions: Positions,
        writer: Writer,
        *,
        bytes_max: int,
        age_seconds_max: float,
    ) -> None:
        self._lock = lock
        self._segments = found.segments
        self._finished: list[Segment] = []
        self._positions = positions
        self._writer = writer
        self._readers = {side: Reader() for side in (None, *Side)}
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
        self._bytes_max = bytes_max
        self._retention = Retention(positions, age_seconds_max)
        if self._segments:
            self._readable.set()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        bytes_max: int = SPOOL_BYTES_MAX,
        age_seconds_max: float = SPOOL_AGE_SECONDS_MAX,
        open_file: OpenFile = DiskFile,
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
        return cls(
            lock, found, positions, writer, bytes_max=bytes_max, age_seconds_max=age_seconds_max
        )

    @property
    def epoch(self) -> str:
        """The epoch that new lines belong to."""
        return self._positions.epoch

    def next_seq(self, stream: str) -> int:
        """The number that the next line of `stream` gets, counted from 1."""
        return self._used.get(stream, 0) + 1

    def append(self, stream: str, seq: int, line: bytes) -> None:
        """Take a line, or drop and count it if there is no room. ValueError if it is not the next one."""
        used = self._used
        if seq != used.get(stream, 0) + 1:
            raise ValueError(f"line {self.next_seq(stream)} of {stream} expected, found {seq}")
        if len(line) > LINE_BYTES_MAX or not line.endswith(b"\n"):
            raise ValueError(
                f"a line of at most {LINE_BYTES_MAX} bytes expected, found {len(line)}"
            )
        used[stream] = seq
        taken = Pending(self._positions.epoch, stream, seq, line)
        pending_bytes = self._pending_bytes + _size(taken)
        if (
            pending_bytes > SPOOL_PENDING_BYTES_MAX
            or self._held_bytes + pending_bytes > self._bytes_max
        ):
            self._drop(taken)
            return
        self._take(taken)

    def append_note(self, key: Key, number: int, note: bytes) -> None:
        """Take the note of a seal of (epoch, stream). It is never refused; a full disk delays it.

        The caller sees to it that notes are few, and that there is room (`is_full`).
        """
        assert len(note) <= SEAL_NOTE_BYTES_MAX
        epoch, stream = key
        if epoch == self.epoch:
            self._used[stream + SEALS_SUFFIX] = number
        self._take(Pending(epoch, stream + SEALS_SUFFIX, number, note))

    def _take(self, line: Pending) -> None:
        self._pending.append(line)
        self._pending_bytes += _size(line)
        self._appended += 1
        self._work.set()

    @property
    def is_full(self) -> bool:
        """There was no room for the last line, or may be none for the next."""
        held = self._held_bytes + self._pending_bytes
        return self._is_full or held + LINE_BYTES_MAX > self._bytes_max

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

    def read(
        self, after: dict[Key, int], limit_bytes: int, side: Side | None = None
    ) -> Sequence[Batch]:
        """Durable lines of each (epoch, stream) after the given number, oldest first, fit for frames.

        Of one `side` only, if it is given: each has a reader that remembers its place.
        """
        segments: Sequence[Segment] = self._segments
        if side in (Side.LIVE, Side.BACKLOG):
            is_live = side is Side.LIVE
            segments = [s for s in segments if (s.epoch == self.epoch) is is_live]
        reader = self._readers[side]
        batches = reader.read(segments, after, limit_bytes)
        if reader.is_at_end and side in (None, Side.LIVE):
            self._readable.clear()
        return batches

    def streams(self) -> frozenset[str]:
        """Streams of the present epoch that lines were written to."""
        return frozenset(stream for stream in self._used if not stream.endswith(SEALS_SUFFIX))

    def held(self) -> frozenset[Key]:
        """Every (epoch, stream) of which something is on the disk, or numbered; seals included."""
        present = frozenset((self.epoch, stream) for stream in self._used)
        return present | {(s.epoch, stream) for s in self._segments for stream in s.ranges}

    def acked(self, key: Key) -> int:
        """The last number of (epoch, stream) that is acknowledged."""
        return self._positions.acked_in(key[0]).get(key[1], 0)

    def last_held(self, key: Key) -> int:
        """The last number of (epoch, stream) that was taken for good, as far as it is known."""
        used = self._positions.used.get(key[1], 0) if key[0] == self.epoch else 0
        ranges = [
            s.ranges[key[1]].last
            for s in self._segments
            if s.epoch == key[0] and key[1] in s.ranges
        ]
        return max(self.acked(key), used, *ranges)

    def has_unsealed(self) -> bool:
        """Lines are on the disk that are not sealed yet."""
        return not all(map(self._retention.is_sealed, self._segments))

    def give_way(self) -> None:
        """Let go of the reserve, so that something that must be stored finds room. It comes back by itself."""
        self._writer.release_reserve()

    def acknowledge(self, durable: dict[Key, int]) -> None:
        """Forget lines up to these numbers: their segments go when all of their lines are acknowledged.

        Whoever acknowledges what was never here does not make later lines disappear with it.
        """
        for (epoch, stream), seq in durable.items():
            is_present = epoch == self.epoch
            here = self._used.get(stream, 0) if is_present else self.last_held((epoch, stream))
            if here and self._positions.acknowledge(epoch, stream, min(seq, here)):
                self._is_moved = True
        if self._is_moved:
            self._work.set()

    def keep_unsealed(self, sealed: Mapping[Key, int]) -> None:
        """From now on lines stay until they are sealed as well: `sealed` are the last numbers that are.

        The mapping is read whenever something is to be deleted, and may change between.
        """
        self._retention.sealed = sealed

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

    def waiting(self) -> int:
        """Lines of the present epoch that are durable and not acknowledged."""
        present = (s for s in self._segments if s.epoch == self.epoch)
        return sum(map(self._retention.unacked, present))

    def depth(self) -> SpoolDepth:
        """Unacknowledged lines, bytes on disk, lines dropped and places unreadable since opening."""
        lines = sum(map(self._retention.unacked, self._segments))
        damaged = max(reader.damaged for reader in self._readers.values())
        return SpoolDepth(lines, self._held_bytes, self._dropped, self._damaged + damaged)

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
        self._writer.write_indexes(self._segments)

    def _drop(self, line: Pending) -> None:
        if not self._is_full:
            _log.warning("spool.full", extra={"bytes_max": self._bytes_max})
        self._is_full = self._is_moved = True
        self._dropped += 1
        self._settle(line.epoch, line.stream, line.seq)
        self._work.set()

    def _settle(self, epoch: str, stream: str, seq: int) -> None:
        """The numbers up to this one are used for good: durable or lost."""
        if epoch == self.epoch:
            used = self._positions.used
            used[stream] = max(used.get(stream, 0), seq)

    async def _commit(self) -> None:
        lines, self._pending = self._pending, []
        upto, size = self._appended, self._pending_bytes
        acked = self._deletable()
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

    def _deletable(self) -> list[Segment]:
        """Segments that nobody needs any more, and those that are too old: what they hold is lost."""
        done = self._retention.reclaimable(self._segments, is_full=self._is_full)
        old, lost = self._retention.expired([s for s in self._segments if s not in done])
        self._dropped += lost
        return [*done, *old]

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
            for stream, held in growth.ranges.items():
                growth.segment.take(stream, held.first, held.last, held.count)
                self._settle(growth.segment.epoch, stream, held.last)
        notes = [line for line in done.refused if line.stream.endswith(SEALS_SUFFIX)]
        for line in done.refused:
            if line not in notes:
                self._drop(line)
        self._pending[:0] = notes
        self._pending_bytes += sum(map(_size, notes))
        if done.grown:
            self._is_full = bool(done.refused)
            self._readable.set()


def _size(line: Pending) -> int:
    """What a line takes on the disk, about."""
    return len(line.line) + len(line.stream) + _RECORD_BYTES
