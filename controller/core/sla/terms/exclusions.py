"""Exclusions (S-25, S-27): time that a contract does not count, and who declared it when."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from controller.core.instants import EXPECTED as INSTANT_EXPECTED
from controller.core.instants import instant
from controller.core.intervals import Interval
from vedette.shared.definitions import Id
from vedette.shared.probes import DurationText, Finding, Part

# The same exclusions are looked at for every period of every contract.
_SPANS_MAX: Final = 4096


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


class Mode(StrEnum):
    """What an exclusion does (S-26)."""

    DROP = "drop"
    AS_UP = "as_up"
    IGNORE = "ignore"


class ExclusionTerms(Part, frozen=True, kw_only=True):
    """What a contract says of one type: what it does, with how much notice, and up to how much a period."""

    mode: Mode = Mode.DROP
    drop_scope: Literal["all", "downtime_only"] = "all"
    notice: DurationText = "0s"
    cap: DurationText | None = None
    approvals: Annotated[int, Meta(ge=0, le=10)] = 0


class ExclusionClauses(Part, frozen=True, kw_only=True):
    """What a contract says of each type, as far as it names it."""

    suspension: ExclusionTerms | UnsetType = UNSET
    force_majeure: ExclusionTerms | UnsetType = UNSET
    customer_fault: ExclusionTerms | UnsetType = UNSET
    third_party: ExclusionTerms | UnsetType = UNSET
    scheduled: ExclusionTerms | UnsetType = UNSET
    emergency: ExclusionTerms | UnsetType = UNSET

    @property
    def by_type(self) -> Mapping[ExclusionType, ExclusionTerms]:
        """The types that it names."""
        said = ((kind, getattr(self, kind.value)) for kind in ExclusionType)
        return {kind: terms for kind, terms in said if isinstance(terms, ExclusionTerms)}


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
        return _span(self.from_, self.to)

    def touches(self, from_us: int, to_us: int) -> bool:
        """Some of its time lies in [from_us, to_us)."""
        own = _span(self.from_, self.to)
        return own[0] < to_us and own[1] > from_us

    def digest(self) -> str:
        """Names type, time and scope: who changes one of these declares another exclusion."""
        scope: object = self.scope
        if isinstance(self.scope, ExclusionScope):
            scope = [sorted(self.scope.checks), sorted(self.scope.services)]
        said = msgspec.json.encode([self.type, *self.interval, scope])
        return hashlib.sha256(said).hexdigest()

    def covers(self, check: str, service: str) -> bool:
        """It is about that check of that service."""
        if isinstance(self.scope, str):
            return True
        return check in self.scope.checks or service in self.scope.services


class Source(StrEnum):
    """Where an exclusion was declared."""

    FILE = "file"
    COMMAND = "command"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Declaration:
    """An exclusion as it was known at an instant.

    `logged_us` is when the controller had it first, with this type, time and scope; None where only a file is
    known. `approvals` were given by command, by people who showed who they are.
    """

    exclusion: Exclusion
    source: Source = Source.FILE
    logged_us: int | None = None
    approvals: tuple[str, ...] = ()
    withdrawn_us: int | None = None

    @property
    def declared_us(self) -> int:
        """When it was declared, as far as that can be shown: what a file claims is no proof (S-27)."""
        claimed_us = instant(self.exclusion.declared_at)
        return claimed_us if self.logged_us is None else max(claimed_us, self.logged_us)

    @property
    def approved_by(self) -> tuple[str, ...]:
        """The different people who approved it, in order. Who declared it is none of them.

        A controller takes their own word only: what a file says of other people is no proof either.
        """
        own, claimed = person(self.exclusion.by), self.exclusion.approved_by
        said = self.approvals if self.logged_us is not None else (*claimed, *self.approvals)
        by_person = {person(name): name for name in reversed(said) if person(name) != own}
        return tuple(reversed(by_person.values()))

    @property
    def unproven(self) -> tuple[str, ...]:
        """Whom the file names as having approved it, and who did not say so to the controller."""
        proven = set(map(person, self.approved_by))
        return tuple(one for one in self.exclusion.approved_by if person(one) not in proven)


@lru_cache(maxsize=_SPANS_MAX)
def _span(from_: str | int, to: str | int) -> Interval:
    return Interval(instant(from_), instant(to))


def person(name: str) -> str:
    """What makes two names one person's: capitals and blanks around them make no other."""
    return name.strip().casefold()


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
