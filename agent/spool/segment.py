"""Segment files: what each holds, found by its index or else by reading it."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from agent.files import replace
from agent.ports import SEALS_SUFFIX
from agent.spool.disk import is_full
from agent.spool.record import HEADER_BYTES, Scan, Tail, epoch_of_header, segment_header

SUFFIX: Final = ".seg"
INDEX_SUFFIX: Final = ".idx"


class Range(msgspec.Struct, array_like=True):
    """The lines of one stream in a segment: first and last number, and how many there are."""

    first: int
    last: int
    count: int


class _Index(msgspec.Struct, forbid_unknown_fields=True):
    epoch: str
    bytes: int
    ranges: dict[str, Range]


@dataclass(slots=True, eq=False)
class Segment:
    """One file of lines of one epoch. `durable` is how much of it may be read."""

    number: int
    epoch: str
    path: Path
    durable: int = 0
    ranges: dict[str, Range] = field(default_factory=dict)

    def take(self, stream: str, first: int, last: int, count: int) -> None:
        """Note lines that were added."""
        known = self.ranges.get(stream)
        if known is None:
            self.ranges[stream] = Range(first, last, count)
        else:
            known.last, known.count = last, known.count + count

    def lines_after(self, acked: Mapping[str, int]) -> int:
        """Lines beyond the given numbers, seals left out.

        Where a stream has gaps inside the segment, at most that.
        """
        return sum(
            min(held.count, held.last - acked.get(stream, 0))
            for stream, held in self.ranges.items()
            if held.last > acked.get(stream, 0) and not stream.endswith(SEALS_SUFFIX)
        )

    def written_seconds(self) -> float:
        """When it was last written to, by the wall clock; never, if it is not there."""
        try:
            return self.path.stat().st_mtime
        except OSError:
            return math.inf

    def is_acked(self, acked: Mapping[str, int]) -> bool:
        """Every line in it is acknowledged."""
        return all(held.last <= acked.get(stream, 0) for stream, held in self.ranges.items())

    def forget_unreadable(self) -> None:
        """Hold only what can still be read: the rest is lost, and must not wait for an acknowledgement."""
        self.ranges = {}
        try:
            data = self.path.read_bytes()[: self.durable]
        except OSError:
            return
        for record in Scan(data):
            self.take(record.stream, record.seq, record.seq, 1)

    def write_index(self) -> None:
        """Say beside the segment what it holds, so that a restart need not read it.

        Without it (the disk may be full) the segment is simply read. OSError if the disk fails.
        """
        index = _Index(self.epoch, self.durable, self.ranges)
        try:
            replace(self.path.with_suffix(INDEX_SUFFIX), msgspec.json.encode(index))
        except OSError as error:
            if not is_full(error):
                raise

    def delete(self) -> None:
        """Remove the files."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(INDEX_SUFFIX).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Found:
    """The segments of a directory, in order, and what was wrong with them."""

    segments: list[Segment]
    torn: int
    damaged: int
    next_number: int


def segment_path(directory: Path, number: int) -> Path:
    """Where segment `number` stands."""
    return directory / f"{number:012d}{SUFFIX}"


def found_segments(directory: Path) -> Found:
    """The segments in `directory`. Torn tails are cut off; what cannot be read is set aside."""
    segments: list[Segment] = []
    torn = damaged = 0
    number = 0
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        if not path.stem.isdigit():
            continue
        number = int(path.stem)
        indexed = _by_index(path, number)
        if indexed is not None:
            segments.append(indexed)
            continue
        segment, tail, broken = _by_reading(path, number)
        torn += tail is Tail.TORN
        damaged += broken
        if segment is not None:
            segment.write_index()
            segments.append(segment)
    _remove_orphans(directory, {segment.number for segment in segments})
    return Found(segments, torn, damaged, number + 1)


def _by_index(path: Path, number: int) -> Segment | None:
    try:
        index = msgspec.json.decode(path.with_suffix(INDEX_SUFFIX).read_bytes(), type=_Index)
        with path.open("rb") as file:
            epoch = epoch_of_header(file.read(HEADER_BYTES))
    except (OSError, msgspec.MsgspecError):
        return None
    if index.epoch != epoch or index.bytes != path.stat().st_size:
        return None
    return Segment(number, index.epoch, path, index.bytes, index.ranges)


def _by_reading(path: Path, number: int) -> tuple[Segment | None, Tail, int]:
    """The segment, how it ends, and how many places in it cannot be read."""
    data = path.read_bytes()
    epoch = epoch_of_header(data)
    if epoch is None:
        return None, *_without_header(path, data)
    scan = Scan(data)
    segment = Segment(number, epoch, path, len(data))
    for record in scan:
        segment.take(record.stream, record.seq, record.seq, 1)
    if scan.tail is Tail.TORN:
        os.truncate(path, scan.end)
        segment.durable = scan.end
    if not segment.ranges and not scan.damaged:
        path.unlink()
        return None, scan.tail, 0
    return segment, scan.tail, scan.damaged


def _without_header(path: Path, data: bytes) -> tuple[Tail, int]:
    """A file that died while it was made is removed; one whose header went bad is set aside."""
    if len(data) <= HEADER_BYTES and (not data.strip(b"\0") or _is_cut_header(data)):
        path.unlink()
        return Tail.TORN, 0
    path.rename(path.with_suffix(".damaged"))
    return Tail.DAMAGED, 1


def _is_cut_header(data: bytes) -> bool:
    whole = segment_header("0" * 8)
    return len(data) < HEADER_BYTES and data[:16] == whole[: len(data[:16])]


def _remove_orphans(directory: Path, kept: set[int]) -> None:
    for path in (*directory.glob(f"*{INDEX_SUFFIX}"), *directory.glob(".*.part")):
        if path.suffix == ".part" or not path.stem.isdigit() or int(path.stem) not in kept:
            path.unlink()
