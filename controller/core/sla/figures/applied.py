"""What came of exclusions under a contract (S-25 to S-27): which have an effect, and the time that each takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from controller.core.instants import instant, instant_text, length_text
from controller.core.intervals import Interval, difference, intersection, length, union
from controller.core.sla.terms.exclusions import (
    Declaration,
    Exclusion,
    ExclusionTerms,
    ExclusionType,
    Mode,
)
from vedette.shared.definitions import micros

_AFTERWARDS: Final = frozenset({ExclusionType.FORCE_MAJEURE, ExclusionType.CUSTOMER_FAULT})
_APPROVALS_AFTERWARDS: Final = 2


class Status(StrEnum):
    """What came of an exclusion."""

    APPLIED = "applied"
    CAPPED = "capped"
    IGNORED = "ignored"
    WITHDRAWN = "withdrawn"
    REJECTED_LATE_NOTICE = "rejected_late_notice"
    REJECTED_AFTERWARDS = "rejected_declared_afterwards"
    REJECTED_APPROVALS = "rejected_missing_approvals"


@dataclass(frozen=True, slots=True)
class Applied:
    """An exclusion under a contract: what came of it and why, and the time that it takes from nobody else."""

    declaration: Declaration
    terms: ExclusionTerms
    status: Status
    why: str = ""
    taken: Sequence[Interval] = ()

    @property
    def exclusion(self) -> Exclusion:
        """What was declared."""
        return self.declaration.exclusion


def applied(
    declarations: Sequence[Declaration],
    terms: Mapping[ExclusionType, ExclusionTerms],
    in_service: Sequence[Interval],
) -> list[Applied]:
    """What each exclusion does to a period of which `in_service` can count, in the order in which they came.

    Time that several cover is taken once, by the type that goes first; of one type by the earlier exclusion.
    A cap is used up in order of time by what no other type took. A type of which the contract says nothing
    drops its time without notice and without a cap.
    """
    found: dict[str, Applied] = {}
    taken: list[Interval] = []
    listed = sorted(declarations, key=_order)
    ids = [one.exclusion.id for one in declarations]
    for kind in ExclusionType:
        of_kind = terms.get(kind, ExclusionTerms())
        left_us = None if of_kind.cap is None else micros(of_kind.cap)
        for one in (d for d in listed if d.exclusion.type is kind):
            status, why = standing(one, of_kind)
            if status is not Status.APPLIED:
                found[one.exclusion.id] = Applied(one, of_kind, status, why)
                continue
            own = difference(intersection([one.exclusion.interval], in_service), taken)
            if left_us is not None:
                kept = _first(own, left_us)
                if kept != own:
                    status, why = Status.CAPPED, _capped(own, kept, of_kind)
                own, left_us = kept, left_us - length(kept)
            taken = union([*taken, *own])
            found[one.exclusion.id] = Applied(one, of_kind, status, why, own)
    return [found[one] for one in ids]


def standing(declaration: Declaration, terms: ExclusionTerms) -> tuple[Status, str]:
    """Whether an exclusion can have an effect under these terms (S-27), and if not, why, in words."""
    exclusion = declaration.exclusion
    from_us, declared_us = exclusion.interval.from_us, declaration.declared_us
    needed, because = terms.approvals, ""
    if exclusion.type in _AFTERWARDS and declared_us > from_us:
        needed = max(needed, _APPROVALS_AFTERWARDS)
        because = f", because it was {_when(declaration)}"
    if declaration.withdrawn_us is not None:
        return Status.WITHDRAWN, f"withdrawn at {instant_text(declaration.withdrawn_us)}"
    if terms.mode is Mode.IGNORE:
        return (
            Status.IGNORED,
            f"the contract gives no effect to exclusions of type {exclusion.type}",
        )
    if exclusion.type is ExclusionType.SCHEDULED:
        if declared_us > from_us - micros(terms.notice):
            asked = f"the contract asks for notice of {terms.notice}"
            return Status.REJECTED_LATE_NOTICE, f"{_when(declaration)}; {asked}"
    elif exclusion.type not in _AFTERWARDS and declared_us > from_us:
        rule = f"exclusions of type {exclusion.type} have to be declared before"
        return Status.REJECTED_AFTERWARDS, f"{_when(declaration)}; {rule}"
    given = len(declaration.approved_by)
    if given < needed:
        people = f"approved by {given} of {needed} people other than who declared it"
        claim = (
            f"; the file names {', '.join(declaration.unproven)}" if declaration.unproven else ""
        )
        return Status.REJECTED_APPROVALS, people + because + claim
    return Status.APPLIED, ""


def _when(declaration: Declaration) -> str:
    """When it was declared, counted from its beginning; and what was claimed, if that was earlier."""
    from_us, at_us = declaration.exclusion.interval.from_us, declaration.declared_us
    apart = length_text(abs(from_us - at_us))
    side = f"{apart} before it begins" if at_us <= from_us else f"{apart} after it began"
    claimed_us = instant(declaration.exclusion.declared_at)
    claim = "" if claimed_us == at_us else f" (said to be at {instant_text(claimed_us)})"
    return f"declared at {instant_text(at_us)}{claim}, {side}"


def _capped(own: Sequence[Interval], kept: Sequence[Interval], terms: ExclusionTerms) -> str:
    took, most = length_text(length(kept)), length_text(length(own))
    return f"took {took} of {most}: the cap of {terms.cap} in a period is used up"


def _order(declaration: Declaration) -> tuple[int, int, str]:
    return (*declaration.exclusion.interval, declaration.exclusion.id)


def _first(intervals: Iterable[Interval], most_us: int) -> list[Interval]:
    """The first `most_us` of a set, in order of time."""
    found: list[Interval] = []
    for from_us, to_us in intervals:
        end_us = min(to_us, from_us + most_us)
        if from_us < end_us:
            found.append(Interval(from_us, end_us))
            most_us -= end_us - from_us
    return found
