"""The regional outages of a check as they were last told, brought up to date where evidence touched them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from controller.core.intervals import FOREVER_US
from controller.core.labels import Label
from controller.core.outages import Outage, Span, spans, unfinished
from controller.core.regional import (
    Carried,
    RegionView,
    View,
    carried_at,
    is_record,
    outage_in,
    outside_us,
    tolerance_us,
)


@dataclass(slots=True)
class _Seen:
    """An outage that a region sees, and how much of the check's it may differ without being another.

    Its evidence is worked out once it is a record; most are the edges of an outage of the check.
    """

    span: Span
    tolerance_us: int
    outage: Outage | None = None


class _Region:
    """The outages that one region sees, in order, those included that are no record of their own."""

    __slots__ = ("carried", "due_us", "seen")

    def __init__(self, carried: Carried | None = None) -> None:
        self.carried = carried
        self.seen: list[_Seen] = []
        self.due_us = FOREVER_US

    def refresh(
        self, view: RegionView, touched_us: tuple[int, int], reach_us: int, horizon_us: int
    ) -> None:
        """Work out what the touched stretch can reach: all from the outage before it on."""
        from_us, to_us = touched_us
        first = max(0, bisect_right(self.seen, from_us, key=_started) - 1)
        before = self.carried if first == 0 else None
        start_us = from_us
        if before is not None:
            start_us = before.at_us
        elif first < len(self.seen):
            start_us = min(from_us, self.seen[first].span.started_us)
        segments = view.timeline_part(start_us, horizon_us)
        known = {one.span: one.outage for one in self.seen[first:]}
        found: list[_Seen] = []
        for span in spans(segments, before.left if before else None):
            is_near = span.started_us <= to_us + reach_us and span.until_us >= from_us - reach_us
            outage = None if is_near else known.get(span)
            found.append(_Seen(span, tolerance_us(segments, span, before), outage))
        self.seen[first:] = found
        self.due_us = FOREVER_US
        if found and found[-1].span.ended_us is None and found[-1].span.until_us < horizon_us:
            left = unfinished(segments, before.left if before else None)
            assert left is not None, "what has not ended may go on"
            self.due_us = left.span.until_us + left.abandon_after_us

    def records(
        self, view: RegionView, wholes: Sequence[Span], reach_us: int, horizon_us: int
    ) -> Iterator[Outage]:
        """Those that are records of their own. Notes when time alone makes the last one be such."""
        is_all_down = any(one.until_us == horizon_us for one in wholes)
        for one in self.seen:
            out_us = outside_us(one.span, wholes, self.carried)
            if is_record(one.span, out_us, one.tolerance_us):
                if one.outage is None:
                    near = view.timeline_part(one.span.started_us - reach_us, one.span.until_us)
                    one.outage = outage_in(view, one.span, self.carried, near)
                yield one.outage
            elif one.span.until_us == horizon_us and not is_all_down:
                self.due_us = min(self.due_us, horizon_us + one.tolerance_us - out_us)

    def settle(
        self,
        view: RegionView,
        at_us: int,
        wholes: Sequence[Span],
        *,
        from_us: int,
        reach_us: int,
    ) -> None:
        """Forget what ended before `at_us`, and carry on what did not."""
        before = self.carried
        made = carried_at(view, at_us, before, wholes, from_us=from_us, reach_us=reach_us)
        kept_us = made.left.span.started_us if made else at_us
        self.seen = [one for one in self.seen if one.span.started_us >= kept_us]
        self.carried = made


class RegionalBook:
    """Regional outages by region. Regions that never were down cost nothing."""

    __slots__ = ("_regions", "_told")

    def __init__(self) -> None:
        self._regions: dict[str, _Region] = {}
        self._told: dict[str, Outage] = {}

    def __len__(self) -> int:
        return len(self._regions)

    @property
    def due_us(self) -> int:
        """When time alone may change one, though no label changes; FOREVER_US if it does not."""
        return min((one.due_us for one in self._regions.values()), default=FOREVER_US)

    @property
    def carried(self) -> Mapping[str, Carried]:
        """What lies across the settled instant."""
        return {name: one.carried for name, one in self._regions.items() if one.carried is not None}

    def refresh(
        self,
        view: View,
        touched_us: tuple[int, int],
        wholes: Sequence[Span],
        *,
        reach_us: int,
        horizon_us: int,
    ) -> tuple[tuple[Outage, ...], tuple[str, ...]]:
        """The regional outages that are new or differ, and the ids of those that are gone.

        `wholes` are the outages of the check as a whole, as they are now.
        """
        from_us, to_us = touched_us
        for region in _down_in(view, from_us, min(to_us, horizon_us)):
            self._regions.setdefault(region, _Region())
        for name, one in list(self._regions.items()):
            one.refresh(RegionView(view, name), touched_us, reach_us, horizon_us)
            if not one.seen and one.carried is None:
                del self._regions[name]
        return self._tell(view, wholes, reach_us, horizon_us)

    def _tell(
        self, view: View, wholes: Sequence[Span], reach_us: int, horizon_us: int
    ) -> tuple[tuple[Outage, ...], tuple[str, ...]]:
        records = sorted(
            (
                one
                for name, own in self._regions.items()
                for one in own.records(RegionView(view, name), wholes, reach_us, horizon_us)
            ),
            key=lambda one: (one.span.started_us, one.region),
        )
        told, self._told = self._told, {one.id: one for one in records}
        changed = tuple(one for one in records if told.get(one.id) != one)
        return changed, tuple(sorted(told.keys() - self._told.keys()))

    def settle(
        self, view: View, at_us: int, wholes: Sequence[Span], *, from_us: int, reach_us: int
    ) -> None:
        """Forget what ended before `at_us`; what lies across it is carried on.

        The timeline is known from `from_us` on, the settled instant before this one.
        """
        for name, one in list(self._regions.items()):
            own = RegionView(view, name)
            one.settle(own, at_us, wholes, from_us=from_us, reach_us=reach_us)
            if not one.seen and one.carried is None:
                del self._regions[name]
        kept = {
            one.outage.id
            for region in self._regions.values()
            for one in region.seen
            if one.outage is not None
        }
        self._told = {key: one for key, one in self._told.items() if key in kept}

    def resume(self, carried: Iterable[Carried]) -> None:
        """Begin at a settled instant that these lie across; nothing is told yet."""
        self._regions = {one.region: _Region(one) for one in carried}
        self._told = {}


def _started(seen: _Seen) -> int:
    return seen.span.started_us


def _down_in(view: View, from_us: int, to_us: int) -> set[str]:
    """The regions that say DOWN at some instant of [from_us, to_us)."""
    found: set[str] = set()
    for segment in view.timeline_part(from_us, to_us) if from_us < to_us else ():
        if segment.policy is not None:
            for region, vote in zip(segment.policy.regions, segment.votes, strict=True):
                if vote.label is Label.DOWN:
                    found.add(region)
    return found
