"""What an objective comes to over a segment, by its metric: the share that was kept, and the verdict on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any, assert_never

from controller.core.sla.figures.accounting import HIGH, LOW
from controller.core.sla.figures.attainment import UNKNOWN_POLICIES, Figures, variants
from controller.core.sla.figures.books import Books
from controller.core.sla.figures.downtime import FULL, Exact
from controller.core.sla.figures.measures import Asked, Measured, measured
from controller.core.sla.figures.timers import Timer, TimerState
from controller.core.sla.figures.timing import timer_plain
from controller.core.sla.figures.weighing import Portion
from controller.core.sla.terms.objectives import Availability, Latency
from controller.core.sla.terms.people import Acknowledge, Resolve


class Standing(StrEnum):
    """The verdict on an objective."""

    MET = "met"
    BREACHED = "breached"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    NO_ELIGIBLE_TIME = "no_eligible_time"


@dataclass(frozen=True, slots=True)
class Score:
    """The share of what was promised that was kept, exactly; None where there is nothing to take a share of.

    `least` and `most` are its bounds (S-8). `variants` are the share under each policy for UNKNOWN time (S-40).
    `lost_us` is what of the eligible time was lost: downtime, or as much of it as there were bad samples among
    all; budgets are spent on it. `detail` is what a record of this metric has besides, under its own keys.
    `without` is the verdict where there is nothing to take a share of, `verdict` that of a metric whose
    verdict does not follow from the shares.
    """

    share: Fraction | None
    least: Fraction | None
    most: Fraction | None
    target: Fraction
    coverage: Fraction | None
    coverage_min: Fraction
    variants: Mapping[str, Fraction | None]
    lost_us: Exact
    detail: Mapping[str, Any] = field(default_factory=dict)
    without: Standing = Standing.NO_ELIGIBLE_TIME
    verdict: Standing | None = None

    @property
    def standing(self) -> Standing:
        """The verdict (S-40, S-42)."""
        return self._at(self.share)

    @property
    def is_robust(self) -> bool:
        """The verdict is the same at both bounds (S-42)."""
        return len({self._at(share) for share in (self.share, self.least, self.most)}) == 1

    def _at(self, share: Fraction | None) -> Standing:
        if self.verdict is not None:
            return self.verdict
        if self.coverage is None:
            return Standing.NO_ELIGIBLE_TIME
        if self.coverage < self.coverage_min:
            return Standing.INSUFFICIENT_EVIDENCE
        if share is None:
            return self.without
        return Standing.MET if share >= self.target else Standing.BREACHED


def score(
    figures: Figures, books: Books, asked: Asked, timers: Sequence[Timer] | None = None
) -> Score:
    """What the objective of these figures comes to over the instants that are asked for.

    `timers` are those of what people promise; None: nobody knows of any.
    """
    objective = figures.objective
    match objective:
        case Availability():
            return (
                _of_time(figures, books)
                if objective.is_of_time
                else _of_samples(figures, measured(objective, books, asked))
            )
        case Latency():
            return _of_samples(figures, measured(objective, books, asked))
        case Acknowledge() | Resolve():
            return _of_timers(figures, objective.target, timers)
        case _:
            assert_never(objective)


def _of_time(figures: Figures, books: Books) -> Score:
    """The share of eligible time that was not downtime (S-34)."""
    detail: dict[str, Any] = {}
    if len(figures.portions) > 1:
        detail["members"] = [
            _member(book.check, replace(figures, portions=[Portion(FULL, one)]), weight)
            for book, (weight, one) in zip(books.listed, figures.portions, strict=True)
        ]
    return Score(
        figures.share(),
        figures.share(HIGH),
        figures.share(LOW),
        figures.target,
        figures.coverage,
        figures.objective.coverage_share,
        variants(figures),
        figures.down_us(),
        detail,
    )


def _member(check: str, own: Figures, weight: Fraction) -> dict[str, Any]:
    """What one check adds to a weighted composite, so that the sum can be done again."""
    return {
        "check": check,
        "weight": ratio(weight),
        "eligible": own.eligible_us() // 1,
        "downtime": -(-own.down_us() // 1),
        "attainment": ratio(own.share()),
        "coverage": ratio(own.coverage),
    }


def _of_samples(figures: Figures, found: Measured) -> Score:
    """The share of samples that were good; their counts are exact, so that it is its own bounds.

    Time of which nothing is known has no samples. As up, or as down, it is as if they had all been good, or
    none: as many as there were in as much of the time that is known.
    """
    share, coverage = found.share, figures.coverage
    as_down = share * coverage if share is not None and coverage is not None else None
    as_up = as_down + 1 - coverage if as_down is not None and coverage is not None else None
    lost_us = (1 - share) * figures.eligible_us() if share is not None else Fraction(0)
    return Score(
        share,
        share,
        share,
        figures.target,
        coverage,
        figures.objective.coverage_share,
        {"exclude": share, "as_up": as_up, "as_down": as_down},
        lost_us,
        found.detail,
        Standing.INSUFFICIENT_EVIDENCE,
    )


def _of_timers(figures: Figures, target: str, timers: Sequence[Timer] | None) -> Score:
    """The share of the decided timers that were met (S-47); those that run are not decided yet."""
    decided = [one for one in timers or () if one.is_decided]
    met = sum(one.state is TimerState.MET for one in decided)
    share = Fraction(met, len(decided)) if decided else None
    return Score(
        share,
        share,
        share,
        figures.target,
        figures.coverage,
        figures.objective.coverage_share,
        dict.fromkeys(UNKNOWN_POLICIES, share),
        Fraction(0),
        {
            "target": target,
            # Nothing of this is measured in time that may be used up.
            "budget": None,
            "budget_left": None,
            "budget_used": None,
            "burn": None,
            "cost": None,
            "timers": None if timers is None else [timer_plain(one) for one in timers],
        },
        verdict=_timed_verdict(figures, share, timers),
    )


def _timed_verdict(
    figures: Figures, share: Fraction | None, timers: Sequence[Timer] | None
) -> Standing:
    """A promise that was broken is broken, however little is known of the rest of the time.

    That none was broken is certain only where enough is known; where nothing was asked of people, it was kept.
    """
    if timers is None:
        return Standing.INSUFFICIENT_EVIDENCE
    if share is not None and share < figures.target:
        return Standing.BREACHED
    if figures.coverage is None:
        return Standing.MET if timers else Standing.NO_ELIGIBLE_TIME
    if figures.coverage < figures.objective.coverage_share:
        return Standing.INSUFFICIENT_EVIDENCE
    return Standing.MET


def ratio(share: Fraction | None) -> dict[str, int] | None:
    """A share as it stands in a record, in lowest terms."""
    return None if share is None else {"num": share.numerator, "den": share.denominator}
