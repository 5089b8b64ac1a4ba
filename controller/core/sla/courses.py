"""How a record came about: the days of its time, and how its budget was spent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from controller.core.calendars import day_at, midnight_us, zone
from controller.core.intervals import Interval, clip, difference, intersection, length, union
from controller.core.quorum import Verdict
from controller.core.sla.accounting import (
    Account,
    Counting,
    MinuteRule,
    Timeline,
    account,
    downtime_us,
)
from controller.core.sla.applied import Applied, applied
from controller.core.sla.exclusions import Mode
from controller.core.sla.judgement import Observed
from controller.core.sla.report_document import Course, Day, Point
from controller.core.sla.segments import Segment
from controller.core.sla.service_hours import in_service
from vedette.shared.definitions import micros


def course_of(
    segment: Segment, period: Interval, observed: Observed, until_us: int, budget_us: int
) -> Course:
    """The course of a segment whose budget is `budget_us`, by the facts until an instant."""
    contract, objective = segment.contract, segment.objective
    tz = contract.period.tz
    rule = MinuteRule(objective.mode == "whole", objective.n)
    counting = Counting(
        observed.counts_partial,
        micros(contract.outage.min_duration),
        rule if objective.formula == "minute" else None,
    )
    hours = in_service(contract.service_hours, tz, *period)
    near = [d for d in observed.exclusions if d.exclusion.touches(*period[:2])]
    takes = applied(near, contract.exclusions, hours)
    timeline = Timeline(observed.stretches, counting)
    span = clip(segment.span, period.from_us, until_us)
    days: list[Day] = []
    counted: list[Interval] = []
    for day, part in _local_days(span, tz):
        found = account(timeline, part, hours, takes)
        days.append(_day(day, part, found))
        counted += found.counted
    whole = _joined(counted)
    spending = _Spending(whole, [], counting.minutes)
    if objective.unknown == "as_down":
        in_schedule = difference(intersection(span, hours), _dropped(takes))
        known = union(one for each in timeline.known.values() for one in each)
        spending = replace(spending, unknown=difference(in_schedule, known))
    return Course(
        objective=objective.id,
        from_us=min(segment.hull.from_us, period.to_us),
        days=tuple(days),
        budget=tuple(spending.points(span, budget_us)),
        counted=tuple((one.from_us, one.to_us) for one in whole),
    )


def _local_days(span: Sequence[Interval], tz: str) -> Iterator[tuple[date, list[Interval]]]:
    """The parts of a span by local day."""
    where = zone(tz)
    if not span:
        return
    day, last = day_at(span[0].from_us, where), day_at(span[-1].to_us - 1, where)
    while day <= last:
        bounds = midnight_us(day, where), midnight_us(day + timedelta(days=1), where)
        part = clip(span, *bounds)
        if part:
            yield day, part
        day += timedelta(days=1)


def _day(day: date, part: Sequence[Interval], found: Account) -> Day:
    times = found.by_verdict
    return Day(
        day=day.isoformat(),
        from_us=part[0].from_us,
        to_us=part[-1].to_us,
        up=times[Verdict.UP],
        down=times[Verdict.DOWN],
        partial=times[Verdict.PARTIAL],
        degraded=times[Verdict.DEGRADED],
        unknown=times[Verdict.UNKNOWN],
        excluded=found.excluded_us,
        out_of_schedule=found.out_of_schedule_us,
        downtime=length(found.counted),
    )


def _joined(spans: Sequence[Interval]) -> list[Interval]:
    """Spans that follow one another without a gap as one: midnight divides no downtime."""
    found: list[Interval] = []
    for one in spans:
        if found and found[-1].to_us == one.from_us:
            found[-1] = Interval(found[-1].from_us, one.to_us)
        else:
            found.append(one)
    return found


def _dropped(takes: Sequence[Applied]) -> list[Interval]:
    """Time that exclusions take whole, whatever is known of it."""
    return union(
        interval
        for one in takes
        if one.terms.mode is Mode.DROP and one.terms.drop_scope == "all"
        for interval in one.taken
    )


@dataclass(frozen=True, slots=True)
class _Spending:
    """What a budget is spent on: counted downtime (in bad minutes, where these count), and unknown time."""

    counted: Sequence[Interval]
    unknown: Sequence[Interval]
    minutes: MinuteRule | None

    def points(self, span: Sequence[Interval], budget_us: int) -> list[Point]:
        """What was left at the start, around everything that was spent, and at the end."""
        if not span:
            return []
        first_us, last_us = span[0].from_us, span[-1].to_us
        turns = {at_us for one in (*self.counted, *self.unknown) for at_us in one}
        instants = sorted({first_us, last_us, *(at for at in turns if first_us < at < last_us)})
        return [Point(at=at_us, left=budget_us - self._until(at_us)) for at_us in instants]

    def _until(self, at_us: int) -> int:
        """What was spent before an instant."""
        counted = clip(self.counted, 0, at_us)
        return downtime_us(counted, self.minutes) + length(clip(self.unknown, 0, at_us))
