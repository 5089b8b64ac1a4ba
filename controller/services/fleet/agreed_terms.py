"""What a fleet file that comes into force says of contracts otherwise than before: it is entered in the log."""

from collections.abc import Iterator
from typing import Any

from controller.core.fleet import Fleet
from controller.core.sla.terms.fleet_excerpt import terms_excerpt
from controller.ports.fleet import FleetRevision, TermsRevision
from controller.ports.leaves import LeafKind
from controller.ports.storage import Transaction

_NONE: dict[str, Any] = {"contracts": [], "exclusions": []}


def changed_terms(
    tx: Transaction, before: Fleet | None, after: Fleet, file: FleetRevision
) -> Iterator[TermsRevision]:
    """The terms that `file` changes: of new contracts, of changed ones, of those that are gone.

    Those of which the log does not say anything yet are entered, too.
    """
    for name in sorted({*(before.contracts if before else ()), *after.contracts}):
        was = _terms(before, name) if before else _NONE
        now = _terms(after, name)
        if was != now or not tx.leaves_about(LeafKind.TERMS, name):
            yield TermsRevision(name, file.number, file.applied_us, now)


def _terms(fleet: Fleet, contract: str) -> dict[str, Any]:
    agreement = fleet.contracts.get(contract)
    if agreement is None:
        return _NONE
    members = [(one, fleet.checks[one].service) for one in agreement.scope.members]
    return terms_excerpt(fleet.document.data, contract, members, fleet.exclusions.values())
