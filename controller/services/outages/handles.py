"""Which outage of today is which of yesterday: handles stay when late evidence revises an outage (S-19)."""

from collections.abc import Sequence
from typing import NamedTuple


class Extent(NamedTuple):
    """An outage by a name, and the time that it covers."""

    key: str
    from_us: int
    to_us: int


def carried_over(vanished: Sequence[Extent], new: Sequence[Extent]) -> dict[str, str]:
    """For each new outage that inherits: the vanished one whose handle it carries.

    A handle goes to the new outage that overlaps most with what it stood for, the earliest one if several
    do; each outage gets one handle at most. Those that overlap with nothing end, or begin, a story.
    """
    pairs = sorted(
        (-_overlap(old, one), one.from_us, old.from_us, old.key, one.key)
        for old in vanished
        for one in new
        if _overlap(old, one) > 0
    )
    heirs: dict[str, str] = {}
    given: set[str] = set()
    for _, _, _, old_key, new_key in pairs:
        if new_key not in heirs and old_key not in given:
            heirs[new_key] = old_key
            given.add(old_key)
    return heirs


def _overlap(left: Extent, right: Extent) -> int:
    return min(left.to_us, right.to_us) - max(left.from_us, right.from_us)
