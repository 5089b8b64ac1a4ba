"""What is wrong with a well-formed contract among the checks of its file."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from controller.core.calendars import PeriodKind, zone_names
from controller.core.instants import EXPECTED as INSTANT_EXPECTED
from controller.core.instants import instant
from controller.core.intervals import intersection
from controller.core.sla.money.credits import CREDITED_IN_TIME
from controller.core.sla.terms.contracts import Contract, Denominator, Overlay
from controller.core.sla.terms.exclusions import ExclusionType
from controller.core.sla.terms.objectives import OF_SLICES, Availability, Formula, Objective, Timed
from controller.core.sla.terms.service_hours import ServiceHours
from vedette.shared.definitions import Check, micros
from vedette.shared.durations import Duration
from vedette.shared.probes import Finding


def contract_findings(
    contract: Contract, checks: Mapping[str, Check], *, is_new: bool
) -> list[Finding]:
    """What is wrong with a well-formed contract among the checks of its file.

    Of one that `is_new` also what can be reckoned with but misleads whoever reads it: what was agreed before that
    was refused stays readable, and keeps its figures.
    """
    found = _time_findings(contract)
    if contract.period.tz not in zone_names():
        expected = "a time zone such as Europe/Warsaw"
        found.append((("period", "tz"), expected, repr(contract.period.tz)))
    is_rolling = contract.period.kind is PeriodKind.ROLLING
    if is_rolling != (contract.period.length is not None):
        expected = "a length such as 30d where the kind is rolling, and none where it is not"
        found.append((("period", "length"), expected, contract.period.length or "none"))
    if is_rolling and contract.period.denominator is not Denominator.ACTUAL:
        found.append((("period", "denominator"), "actual, for a rolling period", "another"))
    if contract.cost is not None and not isinstance(contract.cost.hours, str):
        hours = contract.cost.hours.findings()
        found += [(("cost", "hours", *path), e, f) for path, e, f in hours]
    if contract.credits is not None:
        wrong = contract.credits.findings([one.id for one in contract.objectives])
        found += [(("credits", *path), e, f) for path, e, f in wrong]
        in_time = [name for name in contract.credits.schemes if name in CREDITED_IN_TIME]
        if in_time and not any(one.is_of_time for one in contract.objectives):
            expected = (
                "an objective of availability by time or minute: this is credited for downtime"
            )
            found.append((("credits", in_time[0]), expected, "none"))
    found += _misleading_findings(contract) if is_new else []
    found += _termination_findings(contract)
    found += [(("lateness", *path), e, f) for path, e, f in contract.lateness.findings()]
    found += [(("scope", *path), e, f) for path, e, f in contract.scope.findings(checks)]
    members = [checks[name] for name in contract.scope.members if name in checks]
    check = max(members, key=lambda one: one.interval_us, default=None)
    if check is not None and 0 < micros(contract.outage.min_duration) < check.interval_us:
        expected = f"at least the interval of check {check.id} ({check.every}): less cannot be seen"
        found.append((("outage", "min_duration"), expected, contract.outage.min_duration))
    ids = [objective.id for objective in contract.objectives]
    for index, objective in enumerate(contract.objectives):
        found += [(("objectives", index, *p), e, f) for p, e, f in objective.findings()]
        if objective.id in ids[:index]:
            found.append(
                (("objectives", index, "id"), "an id of its own", f"{objective.id!r} again")
            )
        wrong = _sample_findings(contract, objective, members)
        if check is not None and objective.is_of_time and not contract.acknowledge_unmeasurable:
            wrong += _budget_findings(contract, objective, check)
        found += [(("objectives", index, *p), e, f) for p, e, f in wrong]
    return found


def _misleading_findings(contract: Contract) -> list[Finding]:
    """Clauses that do nothing, or the contrary of what they seem to."""
    found = _notice_findings(contract)
    if contract.credits is not None:
        found += [(("credits", *path), e, f) for path, e, f in contract.credits.order_findings()]
    return found


def _notice_findings(contract: Contract) -> list[Finding]:
    """Notice is asked for of scheduled work (S-27); a clause that did nothing would mislead whoever reads it."""
    expected = "none: notice is asked for of scheduled work only"
    return [
        (("exclusions", kind.value, "notice"), expected, terms.notice)
        for kind, terms in contract.exclusions.by_type.items()
        if kind is not ExclusionType.SCHEDULED and micros(terms.notice)
    ]


def _termination_findings(contract: Contract) -> list[Finding]:
    """A right to terminate is counted in calendar periods, of an objective that there is."""
    terms = contract.termination
    if terms is None:
        return []
    found: list[Finding] = []
    known = [one.id for one in contract.objectives]
    if terms.objective is not None and terms.objective not in known:
        expected = f"an objective of this contract ({', '.join(known)})"
        found.append((("termination", "objective"), expected, repr(terms.objective)))
    if terms.below_share > 1:
        found.append((("termination", "below"), "at most 100", terms.below))
    if contract.period.kind is PeriodKind.ROLLING:
        expected = "no right that is counted in periods: a rolling period has none before it"
        found.append((("termination",), expected, "one"))
    return found


def amendment_findings(before: Contract, after: Contract) -> list[Finding]:
    """What an amendment may not change, and when it may begin."""
    found: list[Finding] = []
    are_known = _is_instant(before.effective_from) and _is_instant(after.effective_from)
    if are_known and after.effective_us <= before.effective_us:
        expected = f"later than the version before it ({before.effective_from})"
        found.append((("effective_from",), expected, repr(after.effective_from)))
    for name in ("scope", "period", "party", "level", "parent"):
        if getattr(before, name) != getattr(after, name):
            expected = f"the {name} of the contract as it was: another {name} is another contract"
            found.append(((name,), expected, "another one"))
    return found


def _time_findings(contract: Contract) -> list[Finding]:
    """What is wrong with its hours, its seasons and when it begins."""
    found: list[Finding] = []
    if not _is_instant(contract.effective_from):
        found.append((("effective_from",), INSTANT_EXPECTED, repr(contract.effective_from)))
    if isinstance(contract.service_hours, ServiceHours):
        hours = contract.service_hours.findings()
        found += [(("service_hours", *path), e, f) for path, e, f in hours]
    known = [one.id for one in contract.objectives]
    timed = [one.id for one in contract.objectives if isinstance(one, Timed)]
    good: list[tuple[int, Overlay]] = []
    for place, one in enumerate(contract.overlays):
        path = ("overlays", place)
        wrong = [name for name in ("from_", "to") if not _is_instant(getattr(one, name))]
        for name in wrong:
            found.append(((*path, name.strip("_")), INSTANT_EXPECTED, repr(getattr(one, name))))
        if one.objective not in known:
            expected = f"an objective of this contract ({', '.join(known)})"
            found.append(((*path, "objective"), expected, repr(one.objective)))
        if one.objective in timed:
            expected = "an objective whose target is a percentage: a season has another of those"
            found.append(((*path, "objective"), expected, repr(one.objective)))
        if wrong:
            continue
        if one.interval.from_us >= one.interval.to_us:
            found.append(((*path, "to"), "an instant after `from`", repr(one.to)))
        if Fraction(one.target) > 100:
            found.append(((*path, "target"), "at most 100", one.target))
        for earlier, other in good:
            is_same = other.objective == one.objective
            if is_same and intersection([other.interval], [one.interval]):
                expected = f"a time of its own: overlays[{earlier}] has some of it"
                found.append(((*path, "from"), expected, repr(one.from_)))
        good.append((place, one))
    return found


def _is_instant(value: object) -> bool:
    try:
        instant(value)
    except ValueError:
        return False
    return True


def _sample_findings(
    contract: Contract, objective: Objective, members: Sequence[Check]
) -> list[Finding]:
    """What an objective asks of checks that they, or what they are together, cannot give."""
    found: list[Finding] = []
    if objective.is_of_samples and not contract.scope.pools_samples:
        expected = "a scope of checks, series or weighted: of others samples cannot be added up"
        found.append((("metric",), expected, "parallel or k_of_n"))
    if not isinstance(objective, Availability):
        return found
    for one in members:
        if objective.formula in OF_SLICES and 0 < objective.slice_us < one.interval_us:
            expected = (
                f"at least the interval of check {one.id} ({one.every}): it says nothing more often"
            )
            found.append((("slice",), expected, objective.slice))
        if objective.formula is Formula.MINUTE and one.quorum.partial_weight not in {"0", "1"}:
            expected = f"time: minutes are bad or not, and check {one.id} weighs PARTIAL time by {one.quorum.partial_weight}"
            found.append((("formula",), expected, "minute"))
    return found


def _budget_findings(contract: Contract, objective: Objective, check: Check) -> list[Finding]:
    """A budget of less than two intervals of time cannot be told from none by probing.

    Of a target or a period that is refused for itself nothing more is said.
    """
    period_us = contract.period.shortest_us
    budget_us = (1 - objective.target_share) * period_us
    if budget_us >= 2 * check.interval_us or budget_us < 0 or not period_us:
        return []
    is_rolling = contract.period.kind is PeriodKind.ROLLING
    period = contract.period.length if is_rolling else f"the shortest {contract.period.kind}"
    expected = (
        f"a budget of at least two intervals ({Duration(2 * check.interval_us)}) in {period},"
        " or acknowledge_unmeasurable: true"
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
