"""What a segment of a period comes to: its account, its figures, its exclusions and its outages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from controller.core.calendars import Period, day_at, midnight_us, zone
from controller.core.intervals import FOREVER_US, Interval, clip, length, union
from controller.core.sla.figures.applied import Applied
from controller.core.sla.figures.attainment import (
    Figures,
    blended_target,
    decimal_text,
    denominator_us,
)
from controller.core.sla.figures.books import Books, Frame, Observed, books_of
from controller.core.sla.figures.burn import PROJECTED_US, Projection, Spent, Window, projection
from controller.core.sla.figures.downtime import Downtime, Exact, Weighed
from controller.core.sla.figures.measures import Asked
from controller.core.sla.figures.reliability import OutageTimes, Reliability, reliability
from controller.core.sla.figures.scoring import Score, score
from controller.core.sla.figures.timers import Timer
from controller.core.sla.figures.timing import timers_of, was_nothing_asked
from controller.core.sla.figures.weighing import Portion
from controller.core.sla.money.crediting import OutageDowntime
from controller.core.sla.terms.contracts import Grade
from controller.core.sla.terms.objectives import Timed
from controller.core.sla.terms.percent import share_of_percent
from controller.core.sla.terms.segments import Piece, Segment


@dataclass(frozen=True, slots=True)
class Judgement:
    """A segment, judged by the facts until `as_of_us`. `whole` is the same segment until its end.

    `counted` are the outages that begin in it and have downtime that counts, each with how much (N of S-46).
    """

    segment: Segment
    period: Period
    as_of_us: int
    span: Sequence[Interval]
    figures: Figures
    whole: Figures
    score: Score
    target_text: str
    exclusions: Sequence[Applied]
    counted: Sequence[tuple[OutageTimes, Exact]]
    window: Window
    timers: Sequence[Timer] | None = None

    @property
    def budget(self) -> Fraction:
        """Downtime that the target leaves for the whole segment, as far as it is known (S-43)."""
        return (1 - self.figures.target) * self._promised_us

    @property
    def _promised_us(self) -> Exact:
        """The eligible time of the whole segment, as far as it is known."""
        whole, so_far = self.whole.account, self.figures.account
        eligible_us = self.whole.length_us - whole.out_of_schedule_us - whole.dropped_us
        match self.segment.objective.unknown_policy:
            case "exclude":
                eligible_us -= so_far.unknown_us
            case "carry":
                eligible_us -= so_far.unknown_us - so_far.carried_us
        return max(eligible_us, 0)

    def graded(self, grade: Grade) -> Fraction | None:
        """The share that a grade looks at (S-52): so far, or of the whole segment if nothing more fails."""
        if grade.of == "so_far" or isinstance(self.segment.objective, Timed):
            return self.score.share
        promised_us = self._promised_us
        return Fraction(promised_us - self.score.lost_us) / promised_us if promised_us else None

    @property
    def outages(self) -> list[OutageDowntime]:
        """The outages that begin in it and have downtime that counts (N of S-46), by local day."""
        where = zone(self.segment.contract.period.tz)
        return [OutageDowntime(day_at(o.started_us, where), us) for o, us in self.counted]

    @property
    def reliability(self) -> Reliability:
        """How often and how long, over the same outages."""
        figures = self.figures
        times = [one for one, _ in self.counted]
        return reliability(times, figures.eligible_us(), figures.down_us())

    @property
    def is_over(self) -> bool:
        """The facts reach to its end."""
        return not self.span or self.span[-1].to_us >= self.segment.hull.to_us

    @property
    def projection(self) -> Projection:
        """What becomes of it, if it goes on as it did of late (S-45)."""
        return projection(
            self.budget,
            self.score.lost_us,
            self.window(PROJECTED_US),
            now_us=self.as_of_us,
            ends_us=self.segment.hull.to_us,
            target=self.figures.target,
        )

    @property
    def days(self) -> Mapping[date, Exact]:
        """Counted downtime by local day, of the days that have some."""
        where = zone(self.segment.contract.period.tz)
        found: dict[date, Exact] = {}
        for one in self.figures.account.down.steps:
            day = day_at(one.from_us, where)
            while midnight_us(day, where) < one.to_us:
                next_day = day + timedelta(days=1)
                bounds = midnight_us(day, where), midnight_us(next_day, where)
                found[day] = found.get(day, 0) + _inside_us(one, *bounds)
                day = next_day
        return {day: us for day, us in found.items() if us}


def _inside_us(one: Weighed, from_us: int, to_us: int) -> Exact:
    """How much downtime a step of it has within [from_us, to_us)."""
    inside_us = max(min(one.to_us, to_us) - max(one.from_us, from_us), 0)
    return inside_us if one.weight == 1 else one.weight * inside_us


def judged(segment: Segment, observed: Observed, frame: Frame) -> Judgement:
    """A segment by the facts up to `frame.as_of_us`, where it is cut."""
    contract, objective, period = segment.contract, segment.objective, frame.period
    books = books_of(contract, objective, frame, observed)

    def figures_of(pieces: Sequence[Piece], target: Fraction, until_us: int) -> Figures:
        span = clip(union(one for piece in pieces for one in piece.span), period.from_us, until_us)
        counted_us = denominator_us(contract.period, period, span, in_force_us=frame.in_force_us)
        portions = _with_totals(books.portions(span), books, frame, observed, span)
        return Figures(portions, counted_us, target, objective)

    pieces, until_us = segment.pieces, frame.as_of_us
    text, target = pieces[0].target, share_of_percent(pieces[0].target)
    if len(pieces) > 1:
        each = [
            (
                share_of_percent(one.target),
                figures_of([one], target, until_us).eligible_us(),
            )
            for one in pieces
        ]
        target = blended_target(each) or target
    span = clip(union(segment.span), period.from_us, until_us)
    figures = figures_of(pieces, target, until_us)
    is_cut = bool(span) and span[-1].to_us < segment.hull.to_us

    timers: Sequence[Timer] | None = None
    if isinstance(objective, Timed):
        asked_of = observed.timed
        if asked_of is None and was_nothing_asked(contract.scope, objective, observed.outages):
            asked_of = ()
        if asked_of is not None:
            timers = timers_of(segment, objective, asked_of, books.exclusions, until_us)
    asked = Asked(span, period, contract.period.tz, is_cut)

    def window(length_us: int) -> Spent:
        part = clip(span, until_us - length_us, until_us)
        last = replace(figures, portions=books.portions(part), length_us=length(part))
        return Spent(
            score(last, books, asked._replace(span=part, is_brief=True), timers).lost_us,
            last.eligible_us(),
        )

    own = score(figures, books, asked, timers)
    return Judgement(
        segment,
        period,
        until_us,
        span,
        figures,
        figures if until_us >= period.to_us else figures_of(pieces, target, period.to_us),
        own,
        text if len(pieces) == 1 else decimal_text(target, own.share),
        books.exclusions,
        list(_counted(observed.outages, span, figures.account.down)),
        window,
        timers,
    )


def _counted(
    outages: Sequence[OutageTimes], span: Sequence[Interval], down: Downtime
) -> Iterator[tuple[OutageTimes, Exact]]:
    """The outages that begin in a span, each with its downtime, of those that have some."""
    if not span:
        return
    from_us, to_us = span[0].from_us, span[-1].to_us
    begun = [one for one in outages if from_us <= one.started_us < to_us]
    if len(span) > 1:
        begun = [o for o in begun if any(part[0] <= o.started_us < part[1] for part in span)]
    for one in sorted(begun, key=lambda one: one.started_us):
        ended_us = FOREVER_US if one.ended_us is None else one.ended_us
        if counted_us := down.us_between(one.started_us, ended_us):
            yield one, counted_us


def _with_totals(
    portions: list[Portion],
    books: Books,
    frame: Frame,
    observed: Observed,
    span: Sequence[Interval],
) -> list[Portion]:
    """With the bounds of the whole timeline, where only these are known and all of it counts as it is."""
    if observed.bounds_us is None or len(span) != 1 or len(portions) != 1:
        return portions
    (weight, sums) = portions[0]
    listed = [(one.from_us, one.to_us) for one in observed.stretches]
    is_inside = length(clip(listed, span[0].from_us, span[-1].to_us)) == length(listed)
    is_whole = not books.exclusions and books.hours == [frame.in_force]
    is_plain = sums.downtime_us == sums.down.us()
    if not (is_inside and is_whole and is_plain):
        return portions
    return [Portion(weight, replace(sums, spent_us=(sums.downtime_us, *observed.bounds_us)))]
