"""Exclusions (S-25 to S-28): time that a contract does not count, who declared it when, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from controller.core.instants import EXPECTED as INSTANT_EXPECTED
from controller.core.instants import instant
from controller.core.intervals import Interval, difference, intersection, length, union
from vedette.shared.definitions import Id
from vedette.shared.durations import Duration
from vedette.shared.probes import DurationText, Finding, Part


class ExclusionType(StrEnum):
    """Why time does not count, in the order in which types take it (S-25).

    A suspension takes it first: while a service is suspended nothing else is used up.
    """

    SUSPENSION = "suspension"
    FORCE_MAJEURE = "force_majeure"
    CUSTOMER_FAULT = "customer_fault"
    THIRD_PARTY = "third_party"
    SCHEDULED = "scheduled"
    EMERGENCY = "emergency"


_AFTERWARDS: Final = frozenset({ExclusionType.FORCE_MAJEURE, ExclusionType.CUSTOMER_FAULT})
_APPROVALS_AFTERWARDS: Final = 2


class Mode(StrEnum):
    """What an exclusion does (S-26)."""

    DROP = "drop"
    AS_UP = "as_up"
    IGNORE = "ignore"


class Status(StrEnum):
    """What came of an exclusion."""

    APPLIED = "applied"
    CAPPED = "capped"
    IGNORED = "ignored"
    REJECTED_LATE_NOTICE = "rejected_late_notice"
    REJECTED_AFTERWARDS = "rejected_declared_afterwards"
    REJECTED_APPROVALS = "rejected_missing_approvals"


class ExclusionTerms(Part, frozen=True, kw_only=True):
    """What a contract says of one type: what it does, with how much notice, and up to how much a period."""

    mode: Mode = Mode.DROP
    drop_scope: Literal["all", "downtime_only"] = "all"
    notice: DurationText = "0s"
    cap: DurationText | None = None
    approvals: Annotated[int, Meta(ge=0, le=10)] = 0


class ExclusionScope(Part, frozen=True, kw_only=True):
    """The checks, or the checks of the services, that an exclusion is about."""

    checks: list[Id] = msgspec.field(default_factory=list)
    services: list[Id] = msgspec.field(default_factory=list)


class Exclusion(Part, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A declared exclusion, as it stands in the fleet file."""

    id: Id
    type: ExclusionType
    from_: str | int
    to: str | int
    scope: ExclusionScope | Literal["all"] = "all"
    declared_at: str | int
    by: Annotated[str, Meta(min_length=1)]
    reason: str = ""
    evidence: str = ""
    approved_by: list[Annotated[str, Meta(min_length=1)]] = msgspec.field(default_factory=list)

    @property
    def interval(self) -> Interval:
        """The time that it covers."""
        return Interval(instant(self.from_), instant(self.to))

    def covers(self, check: str, service: str) -> bool:
        """It is about that check of that service."""
        if isinstance(self.scope, str):
            return True
        return check in self.scope.checks or service in self.scope.services


@dataclass(frozen=True, slots=True)
class Applied:
    """An exclusion under a contract: what came of it, and the time that it takes from nobody else."""

    exclusion: Exclusion
    terms: ExclusionTerms
    status: Status
    taken: Sequence[Interval] = ()


def applied(
    exclusions: Iterable[Exclusion],
    terms: Mapping[ExclusionType, ExclusionTerms],
    in_service: Sequence[Interval],
) -> list[Applied]:
    """What each exclusion does to a period of which `in_service` can count, in the order of the file.

    Time that several cover is taken once, by the type that goes first; of one type by the earlier exclusion.
    A cap is used up in order of time by what no other type took. A type of which the contract says nothing
    drops its time without notice and without a cap.
    """
    found: dict[str, Applied] = {}
    taken: list[Interval] = []
    listed = list(exclusions)
    for kind in ExclusionType:
        of_kind = terms.get(kind, ExclusionTerms())
        left_us = None if of_kind.cap is None else int(Duration.parse(of_kind.cap))
        for one in sorted((e for e in listed if e.type is kind), key=_order):
            status = _status(one, of_kind)
            if status is not Status.APPLIED:
                found[one.id] = Applied(one, of_kind, status)
                continue
            own = difference(intersection([one.interval], in_service), taken)
            if left_us is not None:
                kept = _first(own, left_us)
                status = Status.APPLIED if kept == own else Status.CAPPED
                own, left_us = kept, left_us - length(kept)
            taken = union([*taken, *own])
            found[one.id] = Applied(one, of_kind, status, own)
    return [found[one.id] for one in listed]


def _order(exclusion: Exclusion) -> tuple[int, int, str]:
    return (*exclusion.interval, exclusion.id)


def _status(exclusion: Exclusion, terms: ExclusionTerms) -> Status:
    """Whether it can have an effect at all (S-27)."""
    from_us, declared_us = exclusion.interval.from_us, instant(exclusion.declared_at)
    approvals = len(set(exclusion.approved_by))
    needed = terms.approvals
    if exclusion.type in _AFTERWARDS and declared_us > from_us:
        needed = max(needed, _APPROVALS_AFTERWARDS)
    if terms.mode is Mode.IGNORE:
        return Status.IGNORED
    if exclusion.type is ExclusionType.SCHEDULED:
        if declared_us > from_us - int(Duration.parse(terms.notice)):
            return Status.REJECTED_LATE_NOTICE
    elif exclusion.type not in _AFTERWARDS and declared_us > from_us:
        return Status.REJECTED_AFTERWARDS
    return Status.APPLIED if approvals >= needed else Status.REJECTED_APPROVALS


def _first(intervals: Iterable[Interval], most_us: int) -> list[Interval]:
    """The first `most_us` of a set, in order of time."""
    found: list[Interval] = []
    for from_us, to_us in intervals:
        end_us = min(to_us, from_us + most_us)
        if from_us < end_us:
            found.append(Interval(from_us, end_us))
            most_us -= end_us - from_us
    return found


def exclusion_findings(
    exclusion: Exclusion, checks: Iterable[str], services: Iterable[str]
) -> list[Finding]:
    """What is wrong with a well-formed exclusion in its file."""
    found: list[Finding] = []
    for name in ("from", "to", "declared_at"):
        value = getattr(exclusion, "from_" if name == "from" else name)
        try:
            instant(value)
        except ValueError:
            found.append(((name,), INSTANT_EXPECTED, repr(value)))
    if not found and exclusion.interval.from_us >= exclusion.interval.to_us:
        found.append((("to",), "an instant after `from`", repr(exclusion.to)))
    if isinstance(exclusion.scope, str):
        return found
    for name, known in (("checks", set(checks)), ("services", set(services))):
        for place, one in enumerate(getattr(exclusion.scope, name)):
            if one not in known:
                found.append((("scope", name, place), f"one of the {name} of this file", repr(one)))
    if not exclusion.scope.checks and not exclusion.scope.services:
        found.append((("scope",), "checks or services, or `all`", "neither"))
    return found
