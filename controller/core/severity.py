"""How grave an outage is, from its scope and how much its service matters (S-17).

Severity is derived, never entered: a service that is declared critical later was not so before, and an
outage that late evidence moves is judged by what held at its new time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from controller.core.intervals import FOREVER_US


class Criticality(StrEnum):
    """How much a service matters."""

    CRITICAL = "critical"
    NORMAL = "normal"


class Severity(StrEnum):
    """P1 is the gravest."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom an outage concerns: everybody, or `down` of the `regions` of its check.

    `is_degraded`: the service is slow and not down.
    """

    is_global: bool
    down: int = 0
    regions: int = 0
    is_degraded: bool = False


class Standing(NamedTuple):
    """How much a service matters from an instant on."""

    from_us: int
    criticality: Criticality


class Graded(NamedTuple):
    """A severity over [from_us, to_us)."""

    from_us: int
    to_us: int
    severity: Severity


GLOBAL: Final = Scope(is_global=True)


def severity(scope: Scope, criticality: Criticality) -> Severity:
    """The severity of an outage of that scope, of a service that matters so much."""
    is_critical = criticality is Criticality.CRITICAL
    if scope.is_degraded:
        return Severity.P4
    if scope.is_global:
        return Severity.P1 if is_critical else Severity.P2
    is_half = 2 * scope.down >= scope.regions
    return Severity.P2 if is_critical and is_half else Severity.P3


def severities(
    scope: Scope, standings: Sequence[Standing], from_us: int, to_us: int
) -> list[Graded]:
    """The severity over [from_us, to_us), part by part; neighbours differ.

    `standings` are in order of time. Before the first of them the service matters as it does there, and
    without any it matters as services do that say nothing.
    """
    known = list(standings) or [Standing(-FOREVER_US, Criticality.NORMAL)]
    ends = [one.from_us for one in known[1:]] + [max(to_us, known[-1].from_us)]
    found: list[Graded] = []
    start_us = from_us
    for one, end_us in zip(known, ends, strict=True):
        end_us = min(end_us, to_us)
        if end_us <= start_us:
            continue
        grade = severity(scope, one.criticality)
        if found and found[-1].severity is grade:
            found[-1] = found[-1]._replace(to_us=end_us)
        else:
            found.append(Graded(start_us, end_us, grade))
        start_us = end_us
    return found
