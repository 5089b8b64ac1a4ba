"""Objectives: the promises of a contract, a closed set by `metric`, each with only its own fields.

A metric that is added here is a class of its own, a member of `Objective`, and a case of `scoring.score`.
"""

from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from controller.core.sla.people import Acknowledge, Resolve
from controller.core.sla.percent import Decimal, percent_findings, share_of_percent
from vedette.shared.definitions import Id
from vedette.shared.probes import Finding, Part

DEFAULT_METRIC: Final = "availability"


class Availability(Part, frozen=True, kw_only=True, tag_field="metric", tag=DEFAULT_METRIC):
    """At least `target` percent of the eligible time."""

    metric: ClassVar[str] = DEFAULT_METRIC
    id: Id
    formula: Literal["time", "minute"] = "time"
    mode: Literal["whole", "any"] = "whole"
    n: Annotated[int, Meta(ge=1, le=1440)] = 1
    target: Decimal
    unknown: Literal["exclude", "as_up", "as_down"] = "exclude"
    min_coverage: Decimal = "95"

    @property
    def goal(self) -> str:
        """How many percent have to be kept."""
        return self.target

    @property
    def target_share(self) -> Fraction:
        """The target as a share of 1."""
        return share_of_percent(self.target)

    @property
    def coverage_share(self) -> Fraction:
        """The least coverage as a share of 1."""
        return share_of_percent(self.min_coverage)

    @property
    def clauses(self) -> dict[str, Any]:
        """What a record says of how it is computed."""
        formula: object = self.formula
        if self.formula == "minute":
            formula = {"formula": "minute", "mode": self.mode, "n": self.n}
        return {
            "metric": self.metric,
            "formula": formula,
            "unknown": self.unknown,
            "min_coverage": self.min_coverage,
        }

    def findings(self) -> list[Finding]:
        """What is wrong with it by itself."""
        return percent_findings(("target", self.target), ("min_coverage", self.min_coverage))


Timed = Acknowledge | Resolve
"""What people promise: it is judged by timers, and not by time."""

Objective = Availability | Acknowledge | Resolve
"""One promise; which one is said by its `metric`."""


def with_metric(objective: Any) -> Any:
    """An objective as plain data, with its metric said: one that is left out is availability."""
    if isinstance(objective, dict) and "metric" not in objective:
        return {**objective, "metric": DEFAULT_METRIC}
    return objective
