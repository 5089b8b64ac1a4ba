"""Attainment (S-34, S-40, S-42, S-43): how much of what was promised was kept, exactly.

Everything is an integer or a Fraction. A record is made of plain values, ready to be written as JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, NamedTuple

from controller.core.calendars import Period, tzdata_version
from controller.core.contracts import Contract, Objective
from controller.core.quorum import Verdict

_SHOWN_DIGITS_MIN: Final = 3
UNKNOWN_POLICIES: Final = ("exclude", "as_up", "as_down")


class Standing(StrEnum):
    """The verdict on an objective."""

    MET = "met"
    BREACHED = "breached"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    NO_ELIGIBLE_TIME = "no_eligible_time"


class Stretch(NamedTuple):
    """A time over which the verdicts do not change: as attributed, and with least and most downtime."""

    from_us: int
    to_us: int
    verdict: Verdict
    low: Verdict
    high: Verdict


class OutageSpan(NamedTuple):
    """An outage as far as a record needs it."""

    started_us: int
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a check: its timeline and its outages.

    `bounds_us` are least and most downtime of the whole timeline, where only these totals are known: they
    are used where the whole timeline lies in the time that is asked for.
    """

    stretches: Sequence[Stretch]
    outages: Sequence[OutageSpan] = ()
    partial_weight: Fraction = Fraction(0)
    bounds_us: tuple[int, int] | None = None


class Sums(NamedTuple):
    """Time by verdict, and counted downtime with its bounds, over one period."""

    by_verdict: Mapping[Verdict, int]
    downtime_us: int
    low_us: int
    high_us: int

    @property
    def unknown_us(self) -> int:
        """Time of which nothing is known."""
        return self.by_verdict[Verdict.UNKNOWN]


def sums(observed: Observed, from_us: int, to_us: int) -> Sums:
    """The sums over [from_us, to_us). Time that no stretch covers is UNKNOWN."""
    by_verdict = dict.fromkeys(Verdict, 0)
    by_verdict[Verdict.UNKNOWN] = max(to_us - from_us, 0)
    counted = [Fraction(0)] * 3
    is_whole = True
    for stretch in observed.stretches:
        is_whole = is_whole and stretch.from_us >= from_us and stretch.to_us <= to_us
        length_us = min(stretch.to_us, to_us) - max(stretch.from_us, from_us)
        if length_us <= 0:
            continue
        by_verdict[Verdict.UNKNOWN] -= length_us
        by_verdict[stretch.verdict] += length_us
        for which, verdict in enumerate(stretch[2:]):
            counted[which] += length_us * _weight(verdict, observed.partial_weight)
    figure, low, high = (-(-value.numerator // value.denominator) for value in counted)
    if observed.bounds_us is not None and is_whole:
        low, high = observed.bounds_us
    return Sums(by_verdict, figure, low, high)


def _weight(verdict: Verdict, partial_weight: Fraction) -> Fraction:
    if verdict is Verdict.DOWN:
        return Fraction(1)
    return partial_weight if verdict is Verdict.PARTIAL else Fraction(0)


def attained(period_us: int, unknown_us: int, downtime_us: int, policy: str) -> Fraction | None:
    """(E - D) / E under a policy for UNKNOWN time; None without eligible time (S-34, S-40)."""
    eligible_us = period_us - unknown_us if policy == "exclude" else period_us
    down_us = downtime_us + unknown_us if policy == "as_down" else downtime_us
    return Fraction(eligible_us - down_us, eligible_us) if eligible_us > 0 else None


def shown_percent(share: Fraction | None, target: str) -> str | None:
    """A share in percent, cut (never rounded) to three decimals or as many as the target has (S-42)."""
    if share is None:
        return None
    digits = max(_SHOWN_DIGITS_MIN, len(target.partition(".")[2]))
    scaled = share * 100 * 10**digits // 1
    return f"{scaled // 10**digits}.{scaled % 10**digits:0{digits}}"


def record_of(
    contract: Contract,
    objective: Objective,
    period: Period,
    observed: Observed,
    as_of_us: int,
    *,
    revision: int = 1,
) -> dict[str, Any]:
    """The record of one objective over one period, with facts up to `as_of_us`.

    The period begins no earlier than the contract, and is cut at `as_of_us`.
    """
    from_us = min(max(period.from_us, contract.effective_us), period.to_us)
    to_us = max(min(period.to_us, as_of_us), from_us)
    found = sums(observed, from_us, to_us)
    length_us = to_us - from_us
    eligible_us = length_us - found.unknown_us if objective.unknown == "exclude" else length_us
    share = _share(found, length_us, objective, found.downtime_us)
    coverage = Fraction(length_us - found.unknown_us, length_us) if length_us else None
    downtime_us, low_us, high_us = (
        value + (found.unknown_us if objective.unknown == "as_down" else 0)
        for value in (found.downtime_us, found.low_us, found.high_us)
    )
    whole_us = period.to_us - from_us - (length_us - eligible_us)
    budget = (1 - objective.target_share) * whole_us
    return {
        "contract": contract.id,
        "revision": revision,
        "objective": objective.id,
        "period": {
            "from": from_us, "to": to_us, "ends": period.to_us, "tz": contract.period.tz, "label": period.label,
        },
        "target": objective.target,
        **{v.name.lower(): found.by_verdict[v] for v in (Verdict.UP, Verdict.DOWN, Verdict.PARTIAL, Verdict.DEGRADED, Verdict.UNKNOWN)},
        "excluded": 0,
        "out_of_schedule": 0,
        "eligible": eligible_us,
        "downtime": downtime_us,
        "downtime_min": low_us,
        "downtime_max": high_us,
        "attainment": _ratio(share),
        "attainment_shown": shown_percent(share, objective.target),
        "coverage": _ratio(coverage),
        "verdict": _standing(objective, share, coverage),
        "robustness": _robustness(objective, found, length_us, coverage),
        "budget": budget // 1,
        "budget_left": (budget - downtime_us) // 1,
        "variants": _variants(objective, found, length_us),
        "outages": _outages(observed, from_us, to_us),
        "exclusions": [],
        "credits": None,
        "clauses": _clauses(contract, objective),
    }  # fmt: skip


def _share(found: Sums, length_us: int, objective: Objective, downtime_us: int) -> Fraction | None:
    return attained(length_us, found.unknown_us, downtime_us, objective.unknown)


def _standing(objective: Objective, share: Fraction | None, coverage: Fraction | None) -> Standing:
    if coverage is None:
        return Standing.NO_ELIGIBLE_TIME
    if coverage < objective.coverage_share:
        return Standing.INSUFFICIENT_EVIDENCE
    if share is None:
        return Standing.NO_ELIGIBLE_TIME
    return Standing.MET if share >= objective.target_share else Standing.BREACHED


def _robustness(
    objective: Objective, found: Sums, length_us: int, coverage: Fraction | None
) -> str:
    """Whether the verdict is the same at the least and the most downtime (S-42)."""
    standings = {
        _standing(objective, _share(found, length_us, objective, downtime_us), coverage)
        for downtime_us in (found.downtime_us, found.low_us, found.high_us)
    }
    return "robust" if len(standings) == 1 else "marginal"


def _variants(objective: Objective, found: Sums, length_us: int) -> dict[str, Any]:
    shares = {
        policy: attained(length_us, found.unknown_us, found.downtime_us, policy)
        for policy in UNKNOWN_POLICIES
    }
    return {
        policy: {"attainment": _ratio(s), "attainment_shown": shown_percent(s, objective.target)}
        for policy, s in shares.items()
    }


def _outages(observed: Observed, from_us: int, to_us: int) -> int:
    """How many outages start in the period (N of S-46); an outage across its start is the one before's."""
    return sum(from_us <= one.started_us < to_us for one in observed.outages)


def _clauses(contract: Contract, objective: Objective) -> dict[str, Any]:
    """Every clause that the figure depends on, as it was applied."""
    return {
        "metric": objective.metric,
        "formula": objective.formula,
        "unknown": objective.unknown,
        "min_coverage": objective.min_coverage,
        "period": contract.period.kind,
        "denominator": contract.period.denominator,
        "service_hours": contract.service_hours,
        "effective_from": contract.effective_us,
        "scope": {"checks": contract.scope.checks},
        "tzdata": tzdata_version(),
    }


def _ratio(share: Fraction | None) -> dict[str, int] | None:
    return None if share is None else {"num": share.numerator, "den": share.denominator}
