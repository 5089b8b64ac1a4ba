"""One line in a segment file, framed so that a torn or damaged one is recognised.

A record is a head of 12 bytes (length of the body, CRC-32 of the body, CRC-32 of those two; each 4
bytes, big-endian) and a body: sequence number (8 bytes), length of the stream's name (1 byte), the
name, the line. The head has a checksum of its own so that a flipped bit in the length is not mistaken
for the end of the file: only a file that simply stops was torn by a crash.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vedette.shared.limits import LINE_BYTES_MAX

_HEAD: Final = struct.Struct(">III")
_SUMS: Final = struct.Struct(">II")
_PREFIX: Final = struct.Struct(">QB")
_BODY_BYTES_MAX: Final = _PREFIX.size + 255 + LINE_BYTES_MAX

MAGIC: Final = b"vedette.spool/1 "
HEADER_BYTES: Final = len(MAGIC) + 33


class Tail(StrEnum):
    """How the readable part of a segment ends."""

    CLEAN = "clean"
    TORN = "torn"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Record:
    """A line, whose it is, and the offsets of its record in the file."""

    stream: str
    seq: int
    line: bytes
    start: int
    end: int


def segment_header(epoch: str) -> bytes:
    """The first bytes of a segment: format and epoch, in plain text, of fixed length."""
    return MAGIC + epoch.ljust(HEADER_BYTES - len(MAGIC) - 1).encode() + b"\n"


def epoch_of_header(data: bytes) -> str | None:
    """The epoch that a segment's header names, or None if it is not a header."""
    if len(data) < HEADER_BYTES or not data.startswith(MAGIC) or data[HEADER_BYTES - 1] != 0x0A:
        return None
    epoch = data[len(MAGIC) : HEADER_BYTES - 1].rstrip()
    return epoch.decode() if epoch.isalnum() and epoch.isascii() else None


def encode_record(stream: str, seq: int, line: bytes) -> bytes:
    """The record of a line. ValueError if the line or the name of its stream is too long."""
    name = stream.encode()
    if len(name) > 255 or len(line) > LINE_BYTES_MAX:
        raise ValueError(
            f"a line of at most {LINE_BYTES_MAX} bytes was expected, found {len(line)}"
        )
    body = _PREFIX.pack(seq, len(name)) + name + line
    sums = _SUMS.pack(len(body), zlib.crc32(body))
    return sums + zlib.crc32(sums).to_bytes(4) + body


class Scan:
    """Reads the records of a segment's bytes; `tail` and `end` then say how and where they end.

    A record whose head is good but whose body is not is skipped and counted in `damaged`, because the
    head still says where the next one starts; a bad head ends the scan.
    """

    def __init__(self, data: bytes, start: int = HEADER_BYTES) -> None:
        self._data = data
        self.end = start
        self.damaged = 0
        self.tail = Tail.CLEAN

    def __iter__(self) -> Iterator[Record]:
        data = self._data
        while self.end < len(data):
            rest = len(data) - self.end
            if rest < _HEAD.size:
                self.tail = Tail.TORN
                return
            length, body_sum, head_sum = _HEAD.unpack_from(data, self.end)
            if zlib.crc32(data[self.end : self.end + _SUMS.size]) != head_sum:
                self._end_at_bad_head()
                return
            if not _PREFIX.size <= length <= _BODY_BYTES_MAX:
                self.tail, self.damaged = Tail.DAMAGED, self.damaged + 1
                return
            if rest < _HEAD.size + length:
                self.tail = Tail.TORN
                return
            start, self.end = self.end, self.end + _HEAD.size + length
            record = _record_of(data[start + _HEAD.size : self.end], body_sum, start, self.end)
            if record is None:
                self.damaged += 1
            else:
                yield record

    def _end_at_bad_head(self) -> None:
        """A file that was extended but never filled ends in zeros: torn. Anything else is damage."""
        if self._data.count(0, self.end) == len(self._data) - self.end:
            self.tail = Tail.TORN
        else:
            self.tail, self.damaged = Tail.DAMAGED, self.damaged + 1


def _record_of(body: bytes, body_sum: int, start: int, end: int) -> Record | None:
    if zlib.crc32(body) != body_sum:
        return None
    seq, name_length = _PREFIX.unpack_from(body)
    line_at = _PREFIX.size + name_length
    if line_at > len(body):
        return None
    return Record(body[_PREFIX.size : line_at].decode(), seq, body[line_at:], start, end)
