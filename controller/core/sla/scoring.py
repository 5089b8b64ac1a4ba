"""What an objective comes to over a segment, by its metric: the share that was kept, and the verdict on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any, assert_never

from controller.core.sla.attainment import Figures, variants
from controller.core.sla.objectives import Availability


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
    `detail` is what a record of this metric has besides, under its own keys.
    """

    share: Fraction | None
    least: Fraction | None
    most: Fraction | None
    target: Fraction
    coverage: Fraction | None
    coverage_min: Fraction
    variants: Mapping[str, Fraction | None]
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """The verdict (S-40, S-42)."""
        return self._at(self.share)

    @property
    def is_robust(self) -> bool:
        """The verdict is the same at both bounds (S-42)."""
        return len({self._at(share) for share in (self.share, self.least, self.most)}) == 1

    def _at(self, share: Fraction | None) -> Standing:
        if self.coverage is None:
            return Standing.NO_ELIGIBLE_TIME
        if self.coverage < self.coverage_min:
            return Standing.INSUFFICIENT_EVIDENCE
        if share is None:
            return Standing.NO_ELIGIBLE_TIME
        return Standing.MET if share >= self.target else Standing.BREACHED


def score(figures: Figures) -> Score:
    """What the objective of these figures comes to."""
    objective = figures.objective
    match objective:
        case Availability():
            return _of_time(figures)
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
