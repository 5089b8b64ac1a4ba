"""Verdict intervals as they are stored: segments without their votes, written up to the newest evidence."""

from collections.abc import Iterable, Sequence
from typing import Final

from controller.core.engine import CheckEngine
from controller.core.intervals import FOREVER_US
from controller.core.timeline import Segment
from controller.ports.issued import Retold
from controller.ports.outcomes import StoredInterval
from controller.ports.storage import Transaction
from controller.services.timeline.patches import Patch

START_US = 0
"""Nothing is stored of the time before."""
# What changes longer ago than that may be in a report that was issued.
_LATE_US: Final = 3600 * 1_000_000


class RecordedIntervals:
    """Writes what engines say; remembers where the last interval of each check begins."""

    def __init__(self) -> None:
        self._tails: dict[str, int] = {}

    def forget(self, check: str) -> None:
        """What was written of a check was undone, or its engine is another."""
        self._tails.pop(check, None)

    def write(self, tx: Transaction, check: str, engine: CheckEngine, from_us: int) -> None:
        """Store the verdicts from an instant on, up to what the engine has told of.

        The last interval that is stored has gone on since: it is written again, longer.
        """
        newest_us = engine.newest_us
        if newest_us is None:
            return
        from_us = max(min(from_us, self._tails.get(check, START_US)), engine.settled_us, START_US)
        segments = engine.segments(from_us, newest_us + 1, FOREVER_US)
        before = tx.intervals(check, from_us - 1, from_us)
        kept = [cut(one, one.from_us, from_us) for one in before]
        intervals = merged([*kept, *stored(check, segments)])
        if intervals:
            _note_retold(tx, check, intervals, from_us, newest_us - _LATE_US)
            tx.replace_intervals(check, intervals[0].from_us, intervals)
            self._tails[check] = intervals[-1].from_us

    def patch(self, tx: Transaction, check: str, patch: Patch) -> None:
        """Store the verdicts of a stretch of time, and leave those around it as they are."""
        from_us, to_us = patch.from_us, patch.to_us
        tx.note_retold(Retold(check, from_us, to_us))
        around = tx.intervals(check, from_us - 1, to_us + 1)
        before = [cut(one, one.from_us, from_us) for one in around if one.from_us < from_us]
        after = [cut(one, to_us, one.to_us) for one in around if one.to_us > to_us]
        intervals = merged([*before, *stored(check, patch.segments), *after])
        tail_us = self._tails.get(check)
        tx.replace_intervals(check, intervals[0].from_us, intervals, intervals[-1].to_us)
        if tail_us is not None:
            self._tails[check] = min(tail_us, intervals[-1].from_us)


def _note_retold(
    tx: Transaction, check: str, told: Sequence[StoredInterval], from_us: int, to_us: int
) -> None:
    """Note that time if what is told of [from_us, to_us) differs from what is stored of it."""
    if from_us >= to_us:
        return
    before = _within(tx.intervals(check, from_us, to_us), from_us, to_us)
    if before != _within(told, from_us, to_us):
        tx.note_retold(Retold(check, from_us, to_us))


def _within(intervals: Iterable[StoredInterval], from_us: int, to_us: int) -> list[StoredInterval]:
    inside = (one for one in intervals if one.from_us < to_us and one.to_us > from_us)
    return merged(cut(one, max(one.from_us, from_us), min(one.to_us, to_us)) for one in inside)


def stored(check: str, segments: Iterable[Segment]) -> list[StoredInterval]:
    """Segments without their votes; neighbours differ in one of the three verdicts."""
    return merged(StoredInterval(check, s.from_us, s.to_us, *s.verdicts) for s in segments)


def merged(intervals: Iterable[StoredInterval]) -> list[StoredInterval]:
    """Intervals in order of time, neighbours that say the same made one."""
    found: list[StoredInterval] = []
    for one in intervals:
        if found and _said(found[-1]) == _said(one) and found[-1].to_us == one.from_us:
            found[-1] = cut(one, found[-1].from_us, one.to_us)
        else:
            found.append(one)
    return found


def cut(one: StoredInterval, from_us: int, to_us: int) -> StoredInterval:
    """The interval over another time."""
    return StoredInterval(one.check, from_us, to_us, one.verdict, one.low, one.high)


def _said(one: StoredInterval) -> tuple[str, str, str]:
    return one.verdict, one.low, one.high
