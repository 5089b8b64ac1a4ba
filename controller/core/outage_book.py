"""The outages of a check as they were last told, brought up to date where evidence touched them."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from controller.core.intervals import FOREVER_US
from controller.core.labels import Said
from controller.core.outages import (
    NOT_SEPARATED,
    Outage,
    Separation,
    Span,
    outage_of,
    separation,
    spans,
)
from controller.core.policy import Policy
from controller.core.timeline import Segment


class View(Protocol):
    """A timeline that can be asked for a part of itself."""

    def timeline_part(self, from_us: int, to_us: int) -> list[Segment]:
        """The segments of [from_us, to_us)."""
        ...

    def judged(self, policy: Policy, from_us: int, to_us: int) -> Sequence[Said]:
        """The judged samples under a policy with from_us <= t < to_us."""
        ...


class _Entry(NamedTuple):
    outage: Outage
    separation: Separation

    @property
    def span(self) -> Span:
        return self.outage.span


class OutageBook:
    """Outages in order of their start. Only those that a touched stretch can reach are worked out again."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def spans(self) -> list[Span]:
        """Where the outages lie, in order."""
        return [entry.span for entry in self._entries]

    @property
    def due_us(self) -> int:
        """When time alone may change an outage, though no verdict changes; FOREVER_US if it does not."""
        # Those before the last are separated from it.
        last = self._entries[-1].separation if self._entries else NOT_SEPARATED
        return last.due_us if last.at_us == FOREVER_US else FOREVER_US

    def refresh(
        self, view: View, from_us: int, to_us: int, *, reach_us: int, horizon_us: int
    ) -> tuple[tuple[Outage, ...], tuple[str, ...]]:
        """The outages that are new or differ, and the ids of those that are gone.

        [from_us, to_us) is what was touched, `reach_us` how far a vote reaches (the longest freshness).
        """
        first = self._first_touched(from_us, reach_us)
        start_us = from_us
        if first < len(self._entries):
            start_us = min(from_us, self._entries[first].span.started_us)
        last = bisect_right(self._entries, to_us + reach_us, key=_started)
        while True:
            end_us = (
                self._entries[last].span.started_us + 1 if last < len(self._entries) else horizon_us
            )
            found = spans(view.timeline_part(start_us, end_us))
            if last == len(self._entries):
                break
            if found and found[-1].started_us == end_us - 1:
                found.pop()
                break
            last += 1
        entries = [_entry(view, span, reach_us, horizon_us) for span in found]
        before = {entry.outage.id: entry.outage for entry in self._entries[first:last]}
        self._entries[first:last] = entries
        changed = tuple(e.outage for e in entries if before.get(e.outage.id) != e.outage)
        gone = set(before) - {entry.outage.id for entry in entries}
        return changed, tuple(sorted(gone))

    def _first_touched(self, from_us: int, reach_us: int) -> int:
        """Index of the first outage that a change at `from_us` or later can reach."""
        first = bisect_right(self._entries, from_us, key=_started)
        while first:
            entry = self._entries[first - 1]
            if entry.separation.at_us <= from_us and entry.span.until_us < from_us:
                break
            first -= 1
        return first

    def settled_before(self, before_us: int, reach_us: int) -> int:
        """The latest instant, at most `before_us`, that no outage or bound of one lies across."""
        for entry in reversed(self._entries):
            if entry.span.started_us - reach_us >= before_us:
                continue
            if entry.separation.at_us <= before_us:
                break
            before_us = min(before_us, entry.span.started_us - reach_us)
        return before_us

    def forget_before(self, at_us: int) -> None:
        """Drop the outages that started before `at_us`."""
        del self._entries[: bisect_right(self._entries, at_us - 1, key=_started)]


def _started(entry: _Entry) -> int:
    return entry.span.started_us


def _entry(view: View, span: Span, reach_us: int, horizon_us: int) -> _Entry:
    segments = view.timeline_part(span.started_us - reach_us, span.until_us)
    policy = segments[-1].policy
    separated, look_us, seen_us = NOT_SEPARATED, reach_us, span.until_us
    # Most gaps close soon: there is no need to read the whole time after an old outage.
    while separated.at_us == FOREVER_US and seen_us < horizon_us:
        seen_us = min(span.until_us + look_us, horizon_us)
        separated = separation(policy, view.timeline_part(span.until_us, seen_us))
        look_us *= 2
    return _Entry(outage_of(span, segments, view.judged), separated)
