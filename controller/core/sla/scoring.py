"""What an objective comes to over a segment, by its metric: the share that was kept, and the verdict on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any, assert_never

from controller.core.sla.attainment import UNKNOWN_POLICIES, Figures, variants
from controller.core.sla.objectives import Availability
from controller.core.sla.people import Acknowledge, Resolve
from controller.core.sla.timers import Timer, TimerState
from controller.core.sla.timing import timer_plain


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
    `detail` is what a record of this metric has besides, or instead, under its own keys. `verdict` is that of
    a metric whose verdict does not follow from the shares.
    """

    share: Fraction | None
    least: Fraction | None
    most: Fraction | None
    target: Fraction
    coverage: Fraction | None
    coverage_min: Fraction
    variants: Mapping[str, Fraction | None]
    detail: Mapping[str, Any] = field(default_factory=dict)
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
            return Standing.NO_ELIGIBLE_TIME
        return Standing.MET if share >= self.target else Standing.BREACHED


def score(figures: Figures, timers: Sequence[Timer] | None) -> Score:
    """What the objective of these figures comes to, and of these timers; None: nobody knows of any."""
    objective = figures.objective
    match objective:
        case Availability():
            return _of_time(figures)
        case Acknowledge() | Resolve():
            return _of_timers(figures, objective.target, timers)
        case _:
            assert_never(objective)


def _of_time(figures: Figures) -> Score:
    """The share of eligible time that was not downtime (S-34)."""
    sums = figures.account
    return Score(
        figures.share(sums.downtime_us),
        figures.share(sums.high_us),
        figures.share(sums.low_us),
        figures.target,
        figures.coverage,
        figures.objective.coverage_share,
        variants(figures),
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
        {
            "target": target,
            # Nothing of this is measured in time that may be used up.
            "budget": None,
            "budget_left": None,
            "burn": None,
            "cost": None,
            "timers": None if timers is None else [timer_plain(one) for one in timers],
        },
        _timed_verdict(figures, share, timers),
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
