"""How a record came about: the days of its time, and how its budget was spent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

from controller.core.calendars import day_at, midnight_us, zone
from controller.core.intervals import Interval, clip, difference, length, union
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Account
from controller.core.sla.figures.attainment import Figures
from controller.core.sla.figures.books import Books, Frame, Observed, books_of
from controller.core.sla.figures.downtime import Downtime, Exact, Weighed, weighed
from controller.core.sla.figures.weighing import merged
from controller.core.sla.reports.report_document import Course, Day, Point
from controller.core.sla.terms.objectives import Objective
from controller.core.sla.terms.segments import Segment

_MINUTE_POINTS_MAX: Final = 32


def course_of(
    segment: Segment, observed: Observed, frame: Frame, budget_us: int
) -> tuple[Course, Downtime]:
    """The course of a segment whose budget is `budget_us`, by the facts until `frame.as_of_us`.

    With it comes the downtime that counts against the objective: none where it is counted in samples.
    """
    contract, objective = segment.contract, segment.objective
    tz = contract.period.tz
    period, books = frame.period, books_of(contract, objective, frame, observed)
    span = clip(segment.span, period.from_us, frame.as_of_us)
    days: list[Day] = []
    steps: list[Weighed] = []
    for day, part in _local_days(span, tz):
        found = merged(books.portions(part))
        days.append(_day(day, part, found))
        steps += found.down.steps
    whole = weighed(steps) if objective.is_of_time else Downtime()
    course = Course(
        objective=objective.id,
        from_us=min(segment.hull.from_us, period.to_us),
        days=tuple(days),
        budget=tuple(_Spending(books, objective, whole, span).points(budget_us)),
        counted=tuple((one.from_us, one.to_us) for one in union(whole.anywhere)),
    )
    return course, whole


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
        downtime=-(-found.down.us() // 1),
    )


@dataclass(frozen=True, slots=True)
class _Spending:
    """What a budget of time is spent on: counted downtime (in bad minutes, where these count), and unknown time.

    A budget of samples is spent on failures, of which a timeline says nothing: it has no course.
    """

    books: Books
    objective: Objective
    down: Downtime
    span: Sequence[Interval]

    def points(self, budget_us: int) -> list[Point]:
        """What was left at the start, around everything that was spent, and at the end."""
        if not self.span or not self.objective.is_of_time:
            return []
        first_us, last_us = self.span[0].from_us, self.span[-1].to_us
        turns = {at_us for one in (*self.down.anywhere, *self._unknown()) for at_us in one}
        instants = sorted({first_us, last_us, *(at for at in turns if first_us < at < last_us)})
        spent = self._in_minutes(instants) if self._has_minutes else self._in_time(instants)
        return [Point(at=at_us, left=(budget_us - us) // 1) for at_us, us in spent]

    @property
    def _has_minutes(self) -> bool:
        """It is counted in minutes of UTC, which do not add up over parts of one."""
        return self.books.listed[0].timeline.counting.minutes is not None

    def _in_time(self, instants: Sequence[int]) -> Iterator[tuple[int, Exact]]:
        """What was spent before each of these: downtime of parts adds up (P3)."""
        spent_us: Exact = 0
        yield instants[0], spent_us
        for from_us, to_us in pairwise(instants):
            spent_us += self._within(from_us, to_us)
            yield to_us, spent_us

    def _in_minutes(self, instants: Sequence[int]) -> Iterator[tuple[int, Exact]]:
        """The same at some of them, where each has to be counted from the start; at the last in any case."""
        step = -(-len(instants) // _MINUTE_POINTS_MAX)
        for at_us in sorted({*instants[::step], instants[-1]}):
            yield at_us, self._within(instants[0], at_us)

    def _unknown(self) -> list[Interval]:
        """When something is not known that counts as downtime."""
        if self.objective.unknown_policy not in {"as_down", "carry"}:
            return []
        return union(
            interval
            for one in self.books.listed
            for interval in difference(
                self.span, union(i for w in one.timeline.known.values() for i in w)
            )
        )

    def _within(self, from_us: int, to_us: int) -> Exact:
        """What was spent in [from_us, to_us)."""
        part = clip(self.span, from_us, to_us)
        figures = Figures(self.books.portions(part), length(part), Fraction(1), self.objective)
        return figures.down_us()
