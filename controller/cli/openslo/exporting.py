"""Contracts as documents of OpenSLO v1, as far as it can say them, and the list of what it cannot.

Each objective is an SLO of its own. What OpenSLO leaves to the source of the metric (which checks, how unknown time
counts) stands in the indicator's `metricSource`, whose type is Vedette.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import msgspec

from controller.cli.openslo.documents import API, Note, decimal_text
from controller.cli.openslo.windows import shorthand, window_of
from controller.core.fleet import Fleet
from controller.core.instants import instant_text
from controller.core.sla.figures.burn import RULES
from controller.core.sla.terms.contracts import Agreement, Contract
from controller.core.sla.terms.objectives import Availability, Formula, Latency, Objective

SOURCE: Final = "Vedette"
PREFIX: Final = "vedette/"
_NAME_CHARS_MAX: Final = 63
_TARGET: Final = "vedette"
# Clauses that no field of OpenSLO says, and what is lost with each.
_UNSAID: Final[Mapping[str, str]] = {
    "level": "levels of contracts are not exported",
    "parent": "levels of contracts are not exported",
    "service_hours": "the budget counts all hours",
    "exclusions": "the budget excludes nothing",
    "overlays": "seasons have the target of the rest",
    "outage": "every failure counts from its first moment",
    "credits": "credits are not exported",
    "termination": "rights to terminate are not exported",
    "grades": "thresholds of attainment are not exported: alerts go by burn rate",
    "acknowledge_unmeasurable": "has to be said again where it is imported",
    "cost": "the cost of downtime is not exported",
    "lateness": "when a period is closed is not exported",
}


class Number(str):
    """A decimal that stands in YAML as a number, exactly as it is written here."""

    __slots__ = ()


@dataclass
class Exported:
    """Documents, and what they do not say."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def exported(fleet: Fleet, contracts: Iterable[Agreement]) -> Exported:
    """The documents of contracts: their services, their objectives, and the alerts that they have."""
    made = Exported()
    services: dict[str, None] = {}
    names: set[str] = set()
    for agreement in contracts:
        contract = agreement.versions[-1]
        made.notes += _unsaid(agreement)
        service = fleet.checks[agreement.scope.members[0]].service
        services[service] = None
        for objective in contract.objectives:
            spec = _slo_spec(contract, objective, service, made.notes)
            if spec is not None:
                made.documents.append(_slo(contract, objective, spec, names))
    if made.documents:
        made.documents += _alerts()
    made.documents[:0] = [_service(fleet, one) for one in services]
    return made


def _service(fleet: Fleet, name: str) -> dict[str, Any]:
    titled = {"displayName": fleet.services[name].title} if fleet.services[name].title else {}
    metadata = {"name": _name(name), **titled, "annotations": {f"{PREFIX}service": name}}
    return {"apiVersion": API, "kind": "Service", "metadata": metadata, "spec": {}}


def _slo(
    contract: Contract, objective: Objective, spec: Mapping[str, Any], names: set[str]
) -> dict[str, Any]:
    name = base = _name(f"{contract.id}-{objective.id}")
    for number in range(2, 10_000):
        if name not in names:
            break
        name = f"{base[: _NAME_CHARS_MAX - 5]}-{number}"
    names.add(name)
    annotations = {
        f"{PREFIX}contract": contract.id,
        f"{PREFIX}objective": objective.id,
        f"{PREFIX}effective-from": instant_text(contract.effective_us),
        **({f"{PREFIX}party": contract.party} if contract.party else {}),
    }
    titled = {"displayName": contract.title} if contract.title else {}
    metadata = {"name": name, **titled, "annotations": annotations}
    return {"apiVersion": API, "kind": "SLO", "metadata": metadata, "spec": dict(spec)}


def _slo_spec(
    contract: Contract, objective: Objective, service: str, notes: list[Note]
) -> dict[str, Any] | None:
    """What an SLO says of an objective; None, and a note, if it cannot say it at all."""
    where = f"{contract.id} {objective.id}"
    window = window_of(contract.period, contract.effective_us)
    if window is None:
        notes.append(Note(where, "not exported: its rolling window is not of whole minutes"))
        return None
    said: tuple[str, dict[str, Any], dict[str, Any]] | None
    if isinstance(objective, Latency):
        said = _latency(contract, objective)
    elif isinstance(objective, Availability):
        said = _availability(contract, objective, where, notes)
    else:
        notes.append(
            Note(where, f"not exported: OpenSLO has no promises of people ({objective.metric})")
        )
        return None
    if said is None:
        return None
    method, indicator, goal = said
    name = _name(f"{contract.id}-{objective.id}")
    return {
        "service": _name(service),
        "indicator": {"metadata": {"name": name}, "spec": indicator},
        "timeWindow": [window],
        "budgetingMethod": method,
        "objectives": [{"displayName": objective.id, **goal}],
        "alertPolicies": [{"alertPolicyRef": _policy_name(n)} for n in range(len(RULES))],
    }


def _latency(contract: Contract, objective: Latency) -> tuple[str, dict[str, Any], dict[str, Any]]:
    own = {"measure": "seconds", "min_coverage": objective.min_coverage}
    indicator = {"thresholdMetric": {"metricSource": _source(contract, own)}}
    value = Number(decimal_text(Fraction(objective.threshold_us, 1_000_000)))
    return "Occurrences", indicator, {"op": "lte", "value": value, **_target(objective.target)}


def _availability(
    contract: Contract, objective: Availability, where: str, notes: list[Note]
) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    formula = objective.formula
    own: dict[str, Any] = {"min_coverage": objective.min_coverage}
    goal: dict[str, Any] = _target(objective.target)
    method = "Timeslices"
    if formula is Formula.REQUEST:
        method = "Occurrences"
    elif formula in (Formula.TIMESLICES, Formula.RATIO_TIMESLICES):
        window = shorthand(objective.slice_us)
        if window is None:
            notes.append(
                Note(where, f"not exported: slices of {objective.slice} are not of whole minutes")
            )
            return None
        own["empty"] = objective.empty
        goal["timeSliceWindow"] = window
        if formula is Formula.TIMESLICES:
            goal["timeSliceTarget"] = Number(
                decimal_text(Fraction(objective.slice_target or "0") / 100)
            )
        else:
            method = "RatioTimeslices"
            notes.append(
                Note(
                    where, "written as RatioTimeslices, which not every reader of OpenSLO v1 knows"
                )
            )
    elif objective.is_of_time:
        own |= {"formula": formula.value, "unknown": objective.unknown}
        if formula is Formula.MINUTE:
            own |= {"mode": objective.mode, "n": objective.n}
        goal |= {"timeSliceTarget": Number("1"), "timeSliceWindow": "1m"}
        if (formula, objective.mode, objective.n) != (Formula.MINUTE, "any", 1):
            notes.append(
                Note(
                    where,
                    f"written as slices of a minute: OpenSLO has no budget of {_words(objective)}",
                )
            )
    else:
        notes.append(Note(where, f"not exported: OpenSLO has no formula {formula.value}"))
        return None
    good, total = (
        _source(contract, {**own, "samples": "good"}),
        _source(contract, {"samples": "all"}),
    )
    ratio = {"counter": False, "good": {"metricSource": good}, "total": {"metricSource": total}}
    return method, {"ratioMetric": ratio}, goal


def _words(objective: Availability) -> str:
    if objective.formula is Formula.TIME:
        return "exact time"
    runs = f" in runs of {objective.n}" if objective.n > 1 else ""
    return (
        f"minutes that are bad as a {objective.mode}{runs}"
        if objective.mode == "whole"
        else f"bad minutes{runs}"
    )


def _source(contract: Contract, own: Mapping[str, Any]) -> dict[str, Any]:
    scope = msgspec.to_builtins(contract.scope)
    return {"type": SOURCE, "spec": {"scope": scope, **own}}


def _target(percent: str) -> dict[str, Any]:
    return {"target": Number(decimal_text(Fraction(percent) / 100))}


def _unsaid(agreement: Agreement) -> Iterator[Note]:
    contract = agreement.versions[-1]
    if len(agreement.versions) > 1:
        first = instant_text(contract.effective_us)
        yield Note(
            contract.id,
            f"only the version from {first} on is exported, the last one of {len(agreement.versions)}",
        )
    for place, name in enumerate(Contract.__struct_fields__):
        if name not in _UNSAID:
            continue
        default = Contract.__struct_defaults__[
            place - len(Contract.__struct_fields__) + len(Contract.__struct_defaults__)
        ]
        value = getattr(contract, name)
        if value not in (default, [], {}) and value is not None:
            yield Note(f"{contract.id} {name}", _UNSAID[name])
    if contract.period.denominator != "actual":
        yield Note(f"{contract.id} period.denominator", "every period has its own length")


def _alerts() -> Iterator[dict[str, Any]]:
    """The four alerts by burn rate (S-44); the short window stands as how long the rate has to hold."""
    for place, rule in enumerate(RULES):
        name = _policy_name(place)
        condition = {
            "kind": "burnrate",
            "op": "gte",
            "threshold": Number(decimal_text(rule.factor)),
            "lookbackWindow": shorthand(rule.long_us),
            "alertAfter": shorthand(rule.short_us),
        }
        inlined = {
            "kind": "AlertCondition",
            "metadata": {"name": name},
            "spec": {"severity": rule.urgency.value, "condition": condition},
        }
        spec = {
            "alertWhenNoData": False,
            "alertWhenResolved": False,
            "alertWhenBreaching": True,
            "conditions": [inlined],
            "notificationTargets": [{"targetRef": _TARGET}],
        }
        yield {"apiVersion": API, "kind": "AlertPolicy", "metadata": {"name": name}, "spec": spec}
    yield {
        "apiVersion": API,
        "kind": "AlertNotificationTarget",
        "metadata": {"name": _TARGET},
        "spec": {"target": "vedette", "description": "The channels of the fleet file"},
    }


def _policy_name(place: int) -> str:
    rule = RULES[place]
    return f"{rule.urgency.value}-{shorthand(rule.long_us)}"


def _name(text: str) -> str:
    """A name as RFC 1123 has it, near to the id."""
    return re.sub(r"[^a-z0-9-]", "-", text.lower())[:_NAME_CHARS_MAX].strip("-") or "x"
