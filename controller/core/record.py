"""The record of one objective over one segment of a period: plain values, ready to be written as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from controller.core.accounting import (
    Account,
    Counting,
    MinuteRule,
    Stretch,
    Timeline,
    account,
)
from controller.core.attainment import (
    Figures,
    blended_target,
    decimal_text,
    denominator_us,
    shown_percent,
    variants,
)
from controller.core.calendars import Period, tzdata_version
from controller.core.contracts import Contract, Objective
from controller.core.exclusions import Applied, Exclusion, applied
from controller.core.intervals import FOREVER_US, Interval, clip, length
from controller.core.quorum import Verdict
from controller.core.segments import Piece, Segment
from controller.core.service_hours import in_service
from vedette.shared.definitions import micros, written_out


class OutageSpan(NamedTuple):
    """An outage as far as a record needs it."""

    started_us: int
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a check: its timeline, its outages, and the exclusions that cover it.

    `bounds_us` are least and most downtime of the whole timeline, where only these totals are known: they
    are used where the whole timeline lies in the time that is asked for, and all of it counts.
    """

    stretches: Sequence[Stretch]
    outages: Sequence[OutageSpan] = ()
    counts_partial: bool = False
    bounds_us: tuple[int, int] | None = None
    exclusions: Sequence[Exclusion] = ()


class Place(NamedTuple):
    """Which of the segments of a period this is, and up to when facts are used."""

    is_first: bool
    is_last: bool
    as_of_us: int


def record_of(
    segment: Segment, period: Period, observed: Observed, place: Place, *, revision: int = 1
) -> dict[str, Any]:
    """The record of a segment, with facts up to `place.as_of_us`, where it is cut."""
    whole = _judged(segment, period, observed, place, period.to_us)
    found = _judged(segment, period, observed, place, place.as_of_us)
    span, figures = found.span, found.figures
    sums, objective = figures.account, segment.objective
    share = figures.share(sums.downtime_us)
    eligible_us = whole.figures.length_us - whole.figures.account.out_of_schedule_us
    eligible_us -= whole.figures.account.dropped_us
    if objective.unknown == "exclude":
        eligible_us -= sums.unknown_us
    downtime_us = figures.down_us(sums.downtime_us)
    budget = (1 - figures.target) * max(eligible_us, 0)
    text, begun_us = found.target_text, min(segment.hull.from_us, period.to_us)
    return {
        "contract": segment.contract.id,
        "revision": revision,
        "objective": objective.id,
        "period": {
            "from": begun_us, "to": span[-1].to_us if span else begun_us,
            "ends": min(segment.hull.to_us, period.to_us), "tz": segment.contract.period.tz, "label": period.label,
        },
        "target": text,
        **{v.name.lower(): sums.by_verdict[v] for v in (Verdict.UP, Verdict.DOWN, Verdict.PARTIAL, Verdict.DEGRADED, Verdict.UNKNOWN)},
        "excluded": sums.excluded_us,
        "out_of_schedule": sums.out_of_schedule_us,
        "eligible": figures.eligible_us(),
        "downtime": downtime_us,
        "downtime_min": figures.down_us(sums.low_us),
        "downtime_max": figures.down_us(sums.high_us),
        "attainment": _ratio(share),
        "attainment_shown": shown_percent(share, text),
        "coverage": _ratio(figures.coverage),
        "verdict": figures.standing(sums.downtime_us),
        "robustness": "robust" if figures.is_robust else "marginal",
        "budget": budget // 1,
        "budget_left": (budget - downtime_us) // 1,
        "variants": {
            policy: {"attainment": _ratio(s), "attainment_shown": shown_percent(s, text)}
            for policy, s in variants(figures).items()
        },
        "outages": _outages(observed, span, sums),
        "exclusions": [
            {"id": one.exclusion.id, "status": one.status, "applied": sums.taken_us.get(one.exclusion.id, 0)}
            for one in found.exclusions
        ],
        "credits": None,
        "clauses": _clauses(segment.contract, objective),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Judged:
    """A segment until an instant."""

    span: Sequence[Interval]
    figures: Figures
    target_text: str
    exclusions: Sequence[Applied]


def _judged(
    segment: Segment, period: Period, observed: Observed, place: Place, until_us: int
) -> _Judged:
    contract, objective = segment.contract, segment.objective
    where = contract.period.tz
    hours = in_service(contract.service_hours, where, *period[:2])
    takes = applied(observed.exclusions, contract.exclusions, hours)
    timeline = Timeline(observed.stretches, _counting(contract, objective, observed))

    def figures_of(pieces: Sequence[Piece], target: Fraction) -> Figures:
        own = sorted(one for piece in pieces for one in piece.span)
        span = clip(own, period.from_us, until_us)
        is_whole = not takes and hours == [period[:2]]
        sums = account(timeline, span, hours, takes)
        counted_us = denominator_us(
            contract.period, period, span, is_first=place.is_first, is_last=place.is_last
        )
        bounded = _with_totals(sums, observed, span) if is_whole else sums
        return Figures(bounded, counted_us, target, objective)

    pieces = segment.pieces
    text, target = pieces[0].target, Fraction(pieces[0].target) / 100
    if len(pieces) > 1:
        each = [(Fraction(p.target) / 100, figures_of([p], target).eligible_us()) for p in pieces]
        target = blended_target(each) or target
        text = decimal_text(target)
    span = clip(segment.span, period.from_us, until_us)
    return _Judged(span, figures_of(pieces, target), text, takes)


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


def _outages(observed: Observed, span: Sequence[Interval], sums: Account) -> int:
    """How many outages start in the span and have downtime that counts (N of S-46)."""
    starts = [one.started_us for one in observed.outages]
    count = 0
    for start_us, next_us in pairwise([*starts, FOREVER_US]):
        is_inside = any(one.from_us <= start_us < one.to_us for one in span)
        count += is_inside and any(
            one.to_us > start_us and one.from_us < next_us for one in sums.counted
        )
    return count


def _clauses(contract: Contract, objective: Objective) -> Mapping[str, Any]:
    """Every clause that the figure depends on, as it was applied."""
    formula: object = objective.formula
    if objective.formula == "minute":
        formula = {"formula": "minute", "mode": objective.mode, "n": objective.n}
    return {
        "metric": objective.metric,
        "formula": formula,
        "unknown": objective.unknown,
        "min_coverage": objective.min_coverage,
        "period": contract.period.kind,
        "denominator": contract.period.denominator,
        "service_hours": written_out(contract.service_hours),
        "outage": written_out(contract.outage),
        "exclusions": {kind: written_out(one) for kind, one in contract.exclusions.items()},
        "amendments": contract.amendments,
        "effective_from": contract.effective_us,
        "scope": {"checks": contract.scope.checks},
        "tzdata": tzdata_version(),
    }


def _ratio(share: Fraction | None) -> dict[str, int] | None:
    return None if share is None else {"num": share.numerator, "den": share.denominator}
