"""Half-open intervals [from, to) in integer microseconds, and what can be computed from sets of them.

A set is a list of intervals that is sorted, disjoint and free of empty ones; every function here gives
such a list, and `union` makes one of any intervals.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

# So many times longer a set is looked up in rather than read through.
_MUCH: Final = 8
_start: Final = itemgetter(0)
_end: Final = itemgetter(1)
# An interval at the cost of its tuple: the sums of a year make millions of them.
_new: Final = tuple.__new__
FOREVER_US: Final = 1 << 62
"""Later than any instant that a result can have."""


class Interval(NamedTuple):
    """The instants t with from_us <= t < to_us."""

    from_us: int
    to_us: int


def union(intervals: Iterable[tuple[int, int]]) -> list[Interval]:
    """Every instant that lies in one of `intervals`; intervals that touch become one."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1].to_us:
            merged[-1] = Interval(merged[-1].from_us, max(end, merged[-1].to_us))
        else:
            merged.append(_new(Interval, (start, end)))
    return merged


def intersection(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """Every instant that lies in both sets. One that is much longer costs no more than its part that matters."""
    if len(right) < len(left):
        left, right = right, left
    if not left:
        return []
    if len(left) * _MUCH < len(right):
        return [part for one in left for part in window(right, *one)]
    if len(right) > _MUCH:
        left = window(left, right[0][0], right[-1][1])
        right = window(right, left[0][0], left[-1][1]) if left else []
    found: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        one, other = left[i], right[j]
        from_us = max(other[0], one[0])
        if one[1] < other[1]:
            to_us = one[1]
            i += 1
        else:
            to_us = other[1]
            j += 1
        if from_us < to_us:
            found.append(_new(Interval, (from_us, to_us)))
    return found


def difference(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """Every instant of `left` that does not lie in `right`."""
    if not right:
        return list(left)
    found: list[Interval] = []
    if left and len(right) > _MUCH:
        right = window(right, left[0][0], left[-1][1])
    j = 0
    for start, end in left:
        while j < len(right) and right[j][1] <= start:
            j += 1
        k = j
        while k < len(right) and right[k][0] < end:
            if start < right[k][0]:
                found.append(_new(Interval, (start, right[k][0])))
            start = max(start, right[k][1])
            k += 1
        if start < end:
            found.append(_new(Interval, (start, end)))
    return found


def clip(intervals: Iterable[tuple[int, int]], from_us: int, to_us: int) -> list[Interval]:
    """The part of a set that lies in [from_us, to_us)."""
    return [
        _new(Interval, (max(start, from_us), min(end, to_us)))
        for start, end in intervals
        if start < to_us and end > from_us and max(start, from_us) < min(end, to_us)
    ]


def window(found: Sequence[Interval], from_us: int, to_us: int) -> list[Interval]:
    """The part of a set that lies in [from_us, to_us), as `clip` gives it, at a cost that the rest does not enter."""
    if from_us >= to_us:
        return []
    first = bisect_right(found, from_us, key=_end)
    last = bisect_left(found, to_us, lo=first, key=_start)
    part = list(found[first:last])
    if part:
        part[0] = Interval(max(part[0].from_us, from_us), part[0].to_us)
        part[-1] = Interval(part[-1].from_us, min(part[-1].to_us, to_us))
    return part


def length(intervals: Iterable[tuple[int, int]]) -> int:
    """Time that a set covers."""
    return sum(end - start for start, end in intervals)
