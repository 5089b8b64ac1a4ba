"""Contracts: what was promised, as a document whose every clause is computed or refused by name."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from controller.core.calendars import SHORTEST_DAYS, PeriodKind, zone_names
from controller.core.instants import EXPECTED as INSTANT_EXPECTED
from controller.core.instants import instant
from vedette.shared.definitions import Check, Id
from vedette.shared.durations import Duration
from vedette.shared.probes import Finding, Part

Decimal = Annotated[
    str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$", description='a decimal in quotes: "99.9"')
]
NOT_COMPUTED: Final = (
    "parent", "service_hours", "outage", "exclusions", "amendments", "overlays", "credits", "grades",
    "lateness", "extends",
)  # fmt: skip
# What these clauses say when they say nothing; so much is computed.
_NEUTRAL: Final[Mapping[str, Any]] = {
    "parent": None, "service_hours": "always", "amendments": "segmented", "overlays": [],
    "outage": {"min_duration": "0s", "downtime_start": "first_failure"},
}  # fmt: skip
_DAY_US: Final = 86_400_000_000


class Scope(Part, frozen=True, kw_only=True):
    """What the contract is about."""

    checks: Annotated[list[Id], Meta(min_length=1)]


class PeriodTerms(Part, frozen=True, kw_only=True):
    """Over what time attainment is taken."""

    kind: PeriodKind = PeriodKind.MONTH
    tz: str = "UTC"
    denominator: Literal["actual"] = "actual"


class Objective(Part, frozen=True, kw_only=True):
    """One promise: at least `target` percent of the eligible time."""

    id: Id
    metric: Literal["availability"] = "availability"
    formula: Literal["time"] = "time"
    target: Decimal
    unknown: Literal["exclude", "as_up", "as_down"] = "exclude"
    min_coverage: Decimal = "95"

    @property
    def target_share(self) -> Fraction:
        """The target as a share of 1."""
        return Fraction(self.target) / 100

    @property
    def coverage_share(self) -> Fraction:
        """The least coverage as a share of 1."""
        return Fraction(self.min_coverage) / 100


class Contract(Part, frozen=True, kw_only=True):
    """A contract in one revision. The neutral values of clauses that are not computed are accepted."""

    id: Id
    title: str = ""
    party: str = ""
    level: Literal["customer", "internal", "underpinning"] = "customer"
    effective_from: str | int
    scope: Scope
    period: PeriodTerms = PeriodTerms()
    objectives: Annotated[list[Objective], Meta(min_length=1)]
    acknowledge_unmeasurable: bool = False
    parent: None = None
    service_hours: Literal["always"] = "always"
    amendments: Literal["segmented"] = "segmented"
    overlays: tuple[()] = ()
    outage: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def effective_us(self) -> int:
        """From when it is in force."""
        return instant(self.effective_from)

    @property
    def check(self) -> str:
        """The check that it is about."""
        return self.scope.checks[0]


def clauses_not_computed(data: Mapping[str, Any]) -> list[Finding]:
    """Clauses of a raw contract that this version would have to ignore."""
    return [
        ((key,), "no such clause: this version does not compute it yet", key)
        for key in NOT_COMPUTED
        if key in data and not _says_nothing(key, data[key])
    ]


def _says_nothing(key: str, value: object) -> bool:
    """The clause is written out, but only as what holds without it."""
    neutral = _NEUTRAL.get(key, msgspec.UNSET)
    if isinstance(value, dict) and isinstance(neutral, dict):
        return all(neutral.get(name, msgspec.UNSET) == said for name, said in value.items())
    return bool(value == neutral)


def contract_findings(contract: Contract, checks: Mapping[str, Check]) -> list[Finding]:
    """What is wrong with a well-formed contract among the checks of its file."""
    found: list[Finding] = []
    try:
        instant(contract.effective_from)
    except ValueError:
        found.append((("effective_from",), INSTANT_EXPECTED, repr(contract.effective_from)))
    if contract.period.tz not in zone_names():
        expected = "a time zone such as Europe/Warsaw"
        found.append((("period", "tz"), expected, repr(contract.period.tz)))
    names = contract.scope.checks
    if len(names) != 1:
        expected = "exactly one check: this version does not compute composites yet"
        found.append((("scope", "checks"), expected, ", ".join(names)))
    check = checks.get(names[0])
    if check is None:
        found.append((("scope", "checks", 0), "a check of this file", repr(names[0])))
    elif check.quorum.partial_weight not in ("0", "1"):
        expected = (
            "a check whose partial_weight is 0 or 1: no other is computed into a contract yet"
        )
        found.append((("scope", "checks", 0), expected, check.quorum.partial_weight))
    ids = [objective.id for objective in contract.objectives]
    for index, objective in enumerate(contract.objectives):
        found += [(("objectives", index, *p), e, f) for p, e, f in _objective_findings(objective)]
        if objective.id in ids[:index]:
            found.append(
                (("objectives", index, "id"), "an id of its own", f"{objective.id!r} again")
            )
        if check is not None and not contract.acknowledge_unmeasurable:
            found += [
                (("objectives", index, *p), e, f)
                for p, e, f in _budget_findings(contract, objective, check)
            ]
    return found


def _objective_findings(objective: Objective) -> list[Finding]:
    found: list[Finding] = []
    for name, share in (
        ("target", objective.target_share),
        ("min_coverage", objective.coverage_share),
    ):
        if share > 1:
            found.append(((name,), "at most 100", getattr(objective, name)))
    return found


def _budget_findings(contract: Contract, objective: Objective, check: Check) -> list[Finding]:
    """A budget of less than two intervals cannot be told from none by probing."""
    shortest_us = SHORTEST_DAYS[contract.period.kind] * _DAY_US
    budget_us = (1 - objective.target_share) * shortest_us
    if budget_us >= 2 * check.interval_us:
        return []
    expected = (
        f"a budget of at least two intervals ({Duration(2 * check.interval_us)}) in the shortest"
        f" {contract.period.kind}, or acknowledge_unmeasurable: true"
    )
    return [
        (
            ("target",),
            expected,
            f"{objective.target}, a budget of {_seconds_text(budget_us)} s",
        )
    ]


def _seconds_text(length_us: Fraction) -> str:
    """A length in seconds with three decimals, cut off."""
    thousandths = length_us // 1000
    return f"{thousandths // 1000}.{thousandths % 1000:03}"
