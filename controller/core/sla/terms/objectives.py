"""Objectives: the promises of a contract, a closed set by `metric`, each with only its own fields.

A metric that is added here is a class of its own, a member of `Objective`, and a case of `scoring.score`.
"""

import re
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from controller.core.sla.terms.people import Acknowledge, Resolve
from controller.core.sla.terms.percent import Decimal, percent_findings, share_of_percent
from vedette.shared.definitions import Id, micros, written_out
from vedette.shared.probes import DurationText, Finding, Part

UnknownText = Annotated[
    str,
    Meta(
        pattern=r"^(exclude|as_up|as_down|carry\([0-9]{1,9}(ms|s|m|h|d)\))$",
        description="exclude, as_up, as_down, or for how long the last verdict is carried on: carry(15m)",
    ),
]
DEFAULT_METRIC: Final = "availability"
EXCLUDE: Final = "exclude"
_CARRY: Final = re.compile(r"carry\((.*)\)")


class Formula(StrEnum):
    """How availability is taken: from time, or from samples."""

    TIME = "time"
    MINUTE = "minute"
    REQUEST = "request"
    INTERVAL = "interval"
    TIMESLICES = "timeslices"
    RATIO_TIMESLICES = "ratio_timeslices"
    HEARTBEAT = "heartbeat"


OF_TIME: Final = frozenset({Formula.TIME, Formula.MINUTE})
OF_SLICES: Final = frozenset({Formula.INTERVAL, Formula.TIMESLICES, Formula.RATIO_TIMESLICES})
# The fields that only some formulas have.
_OWN_FIELDS: Final = {
    "mode": frozenset({Formula.MINUTE}),
    "n": frozenset({Formula.MINUTE}),
    "unknown": OF_TIME,
    "slice": OF_SLICES,
    "slice_target": frozenset({Formula.TIMESLICES}),
    "empty": OF_SLICES,
    "every": frozenset({Formula.HEARTBEAT}),
    "at_least": frozenset({Formula.HEARTBEAT}),
}


class Availability(Part, frozen=True, kw_only=True, tag_field="metric", tag=DEFAULT_METRIC):
    """At least `target` percent by its formula: of eligible time, of samples, of slices, or of days."""

    metric: ClassVar[str] = DEFAULT_METRIC
    id: Id
    formula: Formula = Formula.TIME
    mode: Literal["whole", "any"] = "whole"
    n: Annotated[int, Meta(ge=1, le=1440)] = 1
    slice: DurationText = "5m"
    slice_target: Decimal | None = None
    empty: Literal["zero", "skip"] = "skip"
    every: Literal["day"] = "day"
    at_least: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    target: Decimal
    unknown: UnknownText = EXCLUDE
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
    def unknown_policy(self) -> str:
        """What UNKNOWN time is (S-40): exclude, as_up, as_down or carry."""
        return self.unknown.partition("(")[0]

    @property
    def carry_us(self) -> int | None:
        """For how long the last verdict is carried on into UNKNOWN time; None where it says nothing of that."""
        match = _CARRY.fullmatch(self.unknown)
        return micros(match[1]) if match else None

    @property
    def is_of_time(self) -> bool:
        """It is counted in time, and not in samples."""
        return self.formula in OF_TIME

    @property
    def is_of_samples(self) -> bool:
        """It is counted in samples."""
        return not self.is_of_time

    @property
    def slice_us(self) -> int:
        """The length of a slice, in microseconds."""
        return micros(self.slice)

    @property
    def clauses(self) -> dict[str, Any]:
        """What a record says of how it is computed."""
        own = {
            name: getattr(self, name)
            for name, formulas in _OWN_FIELDS.items()
            if self.formula in formulas and name != "unknown"
        }
        return {
            "metric": self.metric,
            "formula": {"formula": self.formula, **own} if own else self.formula,
            "unknown": self.unknown,
            "min_coverage": self.min_coverage,
        }

    def findings(self) -> list[Finding]:
        """What is wrong with it by itself."""
        found = percent_findings(("target", self.target), ("min_coverage", self.min_coverage))
        if self.slice_target is not None:
            found += percent_findings(("slice_target", self.slice_target))
        elif self.formula is Formula.TIMESLICES:
            found.append((("slice_target",), "how much makes a slice a good one", "nothing"))
        for name, formulas in _OWN_FIELDS.items():
            if self.formula not in formulas and getattr(self, name) != _default(name):
                of = " or ".join(sorted(formulas))
                found.append(((name,), f"it only with formula {of}", f"formula {self.formula}"))
        if self.formula in OF_SLICES and self.slice_us == 0:
            found.append((("slice",), "a length", self.slice))
        return found


def _default(name: str) -> object:
    place = Availability.__struct_fields__.index(name)
    return Availability.__struct_defaults__[
        place - len(Availability.__struct_fields__) + len(Availability.__struct_defaults__)
    ]


class Latency(Part, frozen=True, kw_only=True, tag_field="metric", tag="latency"):
    """At least `target` percent of the samples took no longer than `threshold` (S-48)."""

    metric: ClassVar[str] = "latency"
    id: Id
    threshold: DurationText
    target: Decimal
    min_coverage: Decimal = "95"
    unknown_policy: ClassVar[str] = EXCLUDE
    carry_us: ClassVar[None] = None
    is_of_time: ClassVar[bool] = False
    is_of_samples: ClassVar[bool] = True

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
    def threshold_us(self) -> int:
        """The longest that is good, in microseconds."""
        return micros(self.threshold)

    @property
    def clauses(self) -> dict[str, Any]:
        """What a record says of how it is computed."""
        return {
            "metric": self.metric,
            "threshold": self.threshold,
            "unknown": EXCLUDE,
            "min_coverage": self.min_coverage,
        }

    def findings(self) -> list[Finding]:
        """What is wrong with it by itself."""
        found = percent_findings(("target", self.target), ("min_coverage", self.min_coverage))
        if self.threshold_us == 0:
            found.append((("threshold",), "a length: no answer takes none", self.threshold))
        return found


Timed = Acknowledge | Resolve
"""What people promise: it is judged by timers, and not by time."""

Objective = Availability | Latency | Acknowledge | Resolve
"""One promise; which one is said by its `metric`."""


def written(objective: Objective) -> dict[str, Any]:
    """An objective as plain data with every default said: its metric, and the fields that its formula has."""
    said: dict[str, Any] = {"metric": objective.metric, **written_out(objective)}
    if isinstance(objective, Availability):
        foreign = {n for n, formulas in _OWN_FIELDS.items() if objective.formula not in formulas}
        said = {name: value for name, value in said.items() if name not in foreign}
    return said


def with_metric(objective: Any) -> Any:
    """An objective as plain data, with its metric said: one that is left out is availability."""
    if isinstance(objective, dict) and "metric" not in objective:
        return {**objective, "metric": DEFAULT_METRIC}
    return objective
