"""Exclusions by command: declared, approved and withdrawn by people, at the time of the controller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from controller.core.instants import instant_text
from controller.core.intervals import FOREVER_US
from controller.core.sla.terms.exclusions import (
    Declaration,
    Exclusion,
    ExclusionScope,
    ExclusionType,
    Source,
    exclusion_findings,
    person,
)
from controller.errors import BadInput, Rejected
from controller.ports.custody import Actor
from controller.ports.exclusions import EntryKind
from controller.ports.storage import Storage
from controller.services.contracts.exclusion_ledger import ExclusionLedger, ExclusionView
from controller.services.contracts.terms import Terms
from controller.services.people.texts import text_of
from vedette.shared.documents import path_text
from vedette.shared.identity import ID_EXPECTED, is_id

_PREFIX: Final = "ex-"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to declare. Without an `id` it gets the next number: ex-12."""

    type: str
    from_us: int
    to_us: int
    reason: str
    evidence: str = ""
    id: str = ""
    checks: Sequence[str] = ()
    services: Sequence[str] = ()
    is_for_all: bool = False


class Exclusions:
    """Keeps the ledger of exclusions. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, terms: Terms, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._terms = terms
        self._now_us = now_us

    def declare(self, asked: Asked, by: Actor) -> ExclusionView:
        """Declare an exclusion, now. BadInput if it is none, Rejected if its id is taken.

        One that comes too late for a contract is kept all the same: it has no effect, and everybody can see it.
        """
        with self._storage.transaction() as tx:
            ledger = ExclusionLedger(tx, self._terms, self._now_us())
            exclusion = exclusion_asked(asked, ledger, by)
            ledger.append(exclusion, EntryKind.DECLARED, by)
            return ledger.view(exclusion.id)

    def approve(self, name: str, note: str, by: Actor) -> ExclusionView:
        """Put a person's approval beside it. Rejected: by who declared it, twice, or of a withdrawn one."""
        said = text_of(note, "note")
        with self._storage.transaction() as tx:
            ledger = ExclusionLedger(tx, self._terms, self._now_us())
            own = ledger.known(name).declaration
            _refuse_withdrawn(own)
            if person(by.name) == person(own.exclusion.by):
                raise Rejected(f"{by.name} declared {name}: approving it is for another person.")
            if person(by.name) in map(person, own.approved_by):
                raise Rejected(f"{by.name} approved {name} already: it takes another person.")
            ledger.append(own.exclusion, EntryKind.APPROVED, by, text=said)
            return ledger.view(name)

    def withdraw(self, name: str, reason: str, by: Actor) -> ExclusionView:
        """Take its effect away, from now on. What was declared stays to be seen."""
        said = _reason(reason)
        with self._storage.transaction() as tx:
            ledger = ExclusionLedger(tx, self._terms, self._now_us())
            own = ledger.known(name).declaration
            if own.source is Source.FILE:
                raise Rejected(
                    f"{name} stands in the fleet file: take it out there, and apply the file."
                )
            _refuse_withdrawn(own)
            ledger.append(own.exclusion, EntryKind.WITHDRAWN, by, text=said)
            return ledger.view(name)

    def list(
        self,
        as_of_us: int | None = None,
        *,
        from_us: int = -FOREVER_US,
        to_us: int = FOREVER_US,
    ) -> Sequence[ExclusionView]:
        """Every exclusion with some time in [from_us, to_us) that is known, or was at an instant: by its beginning."""
        with self._storage.transaction() as tx:
            ledger = ExclusionLedger(tx, self._terms, self._now_us(), as_of_us)
            exclusions = (one.declaration.exclusion for one in ledger.all)
            asked = [one for one in exclusions if one.touches(from_us, to_us)]
            ordered = sorted(asked, key=lambda one: (*one.interval, one.id))
            return [ledger.view(one.id) for one in ordered]

    def show(self, name: str, as_of_us: int | None = None) -> ExclusionView:
        """One of them, now or as it was known at an instant. NotFound if there is none of that id."""
        with self._storage.transaction() as tx:
            return ExclusionLedger(tx, self._terms, self._now_us(), as_of_us).view(name)


def exclusion_asked(asked: Asked, ledger: ExclusionLedger, by: Actor) -> Exclusion:
    """What is asked for as an exclusion that is declared now. BadInput and Rejected as for `declare`."""
    name = asked.id or _free_id(ledger)
    if not is_id(name):
        raise BadInput(f"Expected {ID_EXPECTED}, found {name!r}.")
    if (taken := ledger.find(name)) is not None:
        where = "in the fleet file" if taken.declaration.source is Source.FILE else "in the ledger"
        raise Rejected(f"There is an exclusion {name} {where} already: an id is given once.")
    made = Exclusion(
        id=name,
        type=_type(asked.type),
        from_=asked.from_us,
        to=asked.to_us,
        scope=_scope(asked),
        declared_at=ledger.now_us,
        by=by.name,
        reason=_reason(asked.reason),
        evidence=text_of(asked.evidence, "evidence"),
    )
    fleet = ledger.in_force.fleet
    wrong = exclusion_findings(made, fleet.checks, fleet.services)
    if wrong:
        path, expected, found = wrong[0]
        if path == ("to",):
            found = instant_text(asked.to_us)
        raise BadInput(f"{path_text(path)}: expected {expected}, found {found}.")
    return made


def _free_id(ledger: ExclusionLedger) -> str:
    number = ledger.next_number()
    while ledger.find(f"{_PREFIX}{number}") is not None:
        number += 1
    return f"{_PREFIX}{number}"


def _type(text: str) -> ExclusionType:
    try:
        return ExclusionType(text)
    except ValueError as error:
        expected = ", ".join(ExclusionType)
        raise BadInput(f"Expected a type ({expected}), found {text[:40]!r}.") from error


def _scope(asked: Asked) -> ExclusionScope | Literal["all"]:
    if asked.is_for_all:
        if asked.checks or asked.services:
            raise BadInput("Expected checks or services, or all of them; found both.")
        return "all"
    return ExclusionScope(checks=list(asked.checks), services=list(asked.services))


def _reason(text: str) -> str:
    said = text_of(text, "reason")
    if not said:
        raise BadInput("Expected a reason, found none: it stands in every report.")
    return said


def _refuse_withdrawn(own: Declaration) -> None:
    if own.withdrawn_us is not None:
        at = instant_text(own.withdrawn_us)
        raise Rejected(f"{own.exclusion.id} was withdrawn at {at}: declare another one.")
