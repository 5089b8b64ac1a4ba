"""What a segment of a period comes to: its account, its figures, its exclusions and its outages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from controller.core.calendars import Period, day_at, midnight_us, zone
from controller.core.intervals import FOREVER_US, Interval, clip, length, union
from controller.core.quorum import Verdict
from controller.core.sla.accounting import (
    Account,
    Counting,
    MinuteRule,
    Stretch,
    Timeline,
    account,
)
from controller.core.sla.applied import Applied, applied
from controller.core.sla.attainment import Figures, blended_target, decimal_text, denominator_us
from controller.core.sla.burn import PROJECTED_US, Projection, Spent, Window, projection
from controller.core.sla.contracts import Contract, Grade
from controller.core.sla.crediting import OutageDowntime
from controller.core.sla.exclusions import Declaration
from controller.core.sla.objectives import Availability, Objective, Timed
from controller.core.sla.reliability import OutageTimes, Reliability, reliability
from controller.core.sla.scoring import Score, score
from controller.core.sla.segments import Piece, Segment
from controller.core.sla.service_hours import in_service
from controller.core.sla.timers import Timer
from controller.core.sla.timing import timers_of
from vedette.shared.definitions import micros


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a check: its timeline, its outages, and the exclusions that cover it.

    `bounds_us` are least and most downtime of the whole timeline, where only these totals are known: they
    are used where the whole timeline lies in the time that is asked for, and all of it counts.
    `timed` are the outages that timers run for, those of single regions too; None: they are not known.
    """

    stretches: Sequence[Stretch]
    outages: Sequence[OutageTimes] = ()
    counts_partial: bool = False
    bounds_us: tuple[int, int] | None = None
    exclusions: Sequence[Declaration] = ()
    timed: Sequence[OutageTimes] | None = None

    def until(self, as_of_us: int) -> "Observed":
        """What was known at an instant: nothing of what happened later (S-21)."""
        listed = [
            one._replace(to_us=min(one.to_us, as_of_us))
            for one in self.stretches
            if one.from_us < as_of_us
        ]
        is_cut = any(one.to_us > as_of_us for one in self.stretches)
        known = (one.to_us for one in listed if one.verdict is not Verdict.UNKNOWN)
        known_us = max(known, default=as_of_us)
        return replace(
            self,
            stretches=listed,
            outages=[
                one.until(as_of_us, known_us) for one in self.outages if one.started_us < as_of_us
            ],
            bounds_us=None if is_cut else self.bounds_us,
        )


class Frame(NamedTuple):
    """A period of a contract: from when on it is in force, and up to when facts are used."""

    period: Period
    in_force_us: int
    as_of_us: int

    @property
    def in_force(self) -> Interval:
        """The part of the period that the contract is about."""
        return Interval(self.in_force_us, self.period.to_us)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A segment, judged by the facts until `as_of_us`. `whole` is the same segment until its end."""

    segment: Segment
    period: Period
    as_of_us: int
    span: Sequence[Interval]
    figures: Figures
    whole: Figures
    target_text: str
    exclusions: Sequence[Applied]
    known: Sequence[OutageTimes]
    window: Window
    timers: Sequence[Timer] | None = None

    @property
    def budget(self) -> Fraction:
        """Downtime that the target leaves for the whole segment, as far as it is known (S-43)."""
        return (1 - self.figures.target) * self._promised_us

    @property
    def _promised_us(self) -> int:
        """The eligible time of the whole segment, as far as it is known."""
        whole, objective = self.whole, self.segment.objective
        eligible_us = whole.length_us - whole.account.out_of_schedule_us - whole.account.dropped_us
        if objective.unknown == "exclude":
            eligible_us -= self.figures.account.unknown_us
        return max(eligible_us, 0)

    def graded(self, grade: Grade) -> Fraction | None:
        """The share that a grade looks at (S-52): so far, or of the whole segment if nothing more fails."""
        is_of_time = isinstance(self.segment.objective, Availability)
        if grade.of == "so_far" or not is_of_time:
            return self.score.share
        promised_us = self._promised_us
        downtime_us = self.figures.down_us(self.figures.account.downtime_us)
        return Fraction(promised_us - downtime_us, promised_us) if promised_us else None

    @property
    def score(self) -> Score:
        """The share that was kept, and the verdict on it."""
        return score(self.figures, self.timers)

    @property
    def outages(self) -> list[OutageDowntime]:
        """The outages that begin in it and have downtime that counts (N of S-46), by local day."""
        where = zone(self.segment.contract.period.tz)
        return [OutageDowntime(day_at(o.started_us, where), us) for o, us in self._counted()]

    @property
    def reliability(self) -> Reliability:
        """How often and how long, over the same outages."""
        figures = self.figures
        times = [one for one, _ in self._counted()]
        downtime_us = figures.down_us(figures.account.downtime_us)
        return reliability(times, figures.eligible_us(), downtime_us)

    def _counted(self) -> Iterator[tuple[OutageTimes, int]]:
        """The outages that count, each with its counted downtime."""
        for one in self.known:
            ended_us = FOREVER_US if one.ended_us is None else one.ended_us
            counted_us = length(clip(self.figures.account.counted, one.started_us, ended_us))
            begins = any(part.from_us <= one.started_us < part.to_us for part in self.span)
            if begins and counted_us:
                yield one, counted_us

    @property
    def is_over(self) -> bool:
        """The facts reach to its end."""
        return not self.span or self.span[-1].to_us >= self.segment.hull.to_us

    @property
    def projection(self) -> Projection:
        """What becomes of it, if it goes on as it did of late (S-45)."""
        return projection(
            self.budget,
            self.figures.down_us(self.figures.account.downtime_us),
            self.window(PROJECTED_US),
            now_us=self.as_of_us,
            ends_us=self.segment.hull.to_us,
            target=self.figures.target,
        )

    @property
    def days(self) -> Mapping[date, int]:
        """Counted downtime by local day, of the days that have some."""
        where = zone(self.segment.contract.period.tz)
        found: dict[date, int] = {}
        for one in self.figures.account.counted:
            day = day_at(one.from_us, where)
            while midnight_us(day, where) < one.to_us:
                next_day = day + timedelta(days=1)
                bounds = midnight_us(day, where), midnight_us(next_day, where)
                found[day] = found.get(day, 0) + length(clip([one], *bounds))
                day = next_day
        return {day: us for day, us in found.items() if us}


def judged(segment: Segment, observed: Observed, frame: Frame) -> Judgement:
    """A segment by the facts up to `frame.as_of_us`, where it is cut."""
    found = _until(segment, observed, frame, frame.as_of_us)
    if isinstance(segment.objective, Timed) and observed.timed is not None:
        until_us = frame.as_of_us
        own = timers_of(segment, segment.objective, observed.timed, found.exclusions, until_us)
        found = replace(found, timers=own)
    if frame.as_of_us >= frame.period.to_us:
        return found
    return replace(found, whole=_until(segment, observed, frame, frame.period.to_us).figures)


def _until(segment: Segment, observed: Observed, frame: Frame, until_us: int) -> Judgement:
    contract, objective, period = segment.contract, segment.objective, frame.period
    hours = in_service(contract.service_hours, contract.period.tz, *frame.in_force)
    near = [d for d in observed.exclusions if d.exclusion.touches(*period[:2])]
    takes = applied(near, contract.exclusions, hours)
    timeline = Timeline(observed.stretches, _counting(contract, objective, observed))

    def figures_of(pieces: Sequence[Piece], target: Fraction) -> Figures:
        span = clip(union(one for piece in pieces for one in piece.span), period.from_us, until_us)
        is_whole = not takes and hours == [frame.in_force]
        sums = account(timeline, span, hours, takes)
        counted_us = denominator_us(contract.period, period, span, in_force_us=frame.in_force_us)
        bounded = _with_totals(sums, observed, span) if is_whole else sums
        return Figures(bounded, counted_us, target, objective)

    pieces = segment.pieces
    text, target = pieces[0].target, Fraction(pieces[0].target) / 100
    if len(pieces) > 1:
        each = [(Fraction(p.target) / 100, figures_of([p], target).eligible_us()) for p in pieces]
        target = blended_target(each) or target
        text = decimal_text(target)
    span = clip(segment.span, period.from_us, until_us)
    figures = figures_of(pieces, target)

    def window(length_us: int) -> Spent:
        part = clip(span, until_us - length_us, until_us)
        last = replace(figures, account=account(timeline, part, hours, takes))
        last = replace(last, length_us=length(part))
        return Spent(last.down_us(last.account.downtime_us), last.eligible_us())

    known = sorted(observed.outages, key=lambda one: one.started_us)
    return Judgement(segment, period, until_us, span, figures, figures, text, takes, known, window)


def _counting(contract: Contract, objective: Objective, observed: Observed) -> Counting:
    rule = MinuteRule(objective.mode == "whole", objective.n)
    return Counting(
        observed.counts_partial,
        micros(contract.outage.min_duration),
        rule if objective.formula == "minute" else None,
    )


def _with_totals(sums: Account, observed: Observed, span: Sequence[Interval]) -> Account:
    """With the bounds of the whole timeline, where only these are known and all of it counts as it is."""
    listed = [(one.from_us, one.to_us) for one in observed.stretches]
    is_inside = bool(span) and length(clip(listed, span[0].from_us, span[-1].to_us)) == length(
        listed
    )
    plain = sums.downtime_us == length(sums.counted)
    if observed.bounds_us is None or len(span) != 1 or not is_inside or not plain:
        return sums
    low_us, high_us = observed.bounds_us
    return Account(
        sums.by_verdict, sums.out_of_schedule_us, sums.excluded_us, sums.dropped_us, sums.downtime_us,
        low_us, high_us, sums.counted, sums.taken_us,
    )  # fmt: skip
