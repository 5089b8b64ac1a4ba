"""When the lines of a packed segment came: as many as came at once, and the time, one after another."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import msgspec

Receipts = tuple[tuple[int, int], ...]
"""(how many lines, when they came) in the order of the lines."""

_decoder = msgspec.msgpack.Decoder(list[int])
_encoder = msgspec.msgpack.Encoder()


def joined(parts: Iterable[tuple[int, int]]) -> Receipts:
    """The receipts of lines that stand one after another; those of one time are one."""
    found: list[tuple[int, int]] = []
    for count, at_us in parts:
        if found and found[-1][1] == at_us:
            found[-1] = (found[-1][0] + count, at_us)
        else:
            found.append((count, at_us))
    return tuple(found)


def cut(receipts: Receipts, start: int, end: int) -> Receipts:
    """The receipts of the lines from index `start` to before `end`."""
    found: list[tuple[int, int]] = []
    at = 0
    for count, at_us in receipts:
        inside = min(at + count, end) - max(at, start)
        if inside > 0:
            found.append((inside, at_us))
        at += count
    return tuple(found)


def encoded(receipts: Receipts) -> bytes | None:
    """The bytes that are stored; None where all lines came at once. A handful of bytes for each time."""
    if len(receipts) < 2:
        return None
    times = [at_us for _, at_us in receipts]
    steps = [times[0], *(new - old for old, new in pairwise(times))]
    flat = [
        number
        for pair in zip((count for count, _ in receipts), steps, strict=True)
        for number in pair
    ]
    return _encoder.encode(flat)


def decoded(data: bytes | None, count: int, received_us: int) -> Receipts:
    """What was stored of a segment of `count` lines; without any, all of them came at `received_us`."""
    if data is None:
        return ((count, received_us),)
    flat: Sequence[int] = _decoder.decode(data)
    return tuple(zip(flat[::2], accumulate(flat[1::2]), strict=True))
