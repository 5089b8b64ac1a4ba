"""The ledger of exclusions within a transaction: what is known in it, and what is appended to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from controller.core.sla.figures.applied import Status, standing
from controller.core.sla.terms.contracts import Agreement
from controller.core.sla.terms.exclusions import Declaration, Exclusion, ExclusionTerms, Source
from controller.errors import NotFound, Rejected
from controller.ports.custody import Actor
from controller.ports.exclusions import EntryKind, ExclusionEntry
from controller.ports.storage import Transaction
from controller.services.contracts.declared import Declared, declared, folded
from controller.services.contracts.terms import InForce, Terms
from vedette.shared.limits import EXCLUSION_ENTRIES_MAX

_ACTIONS: Final = {
    EntryKind.DECLARED: "exclusion.declare",
    EntryKind.APPROVED: "exclusion.approve",
    EntryKind.WITHDRAWN: "exclusion.withdraw",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a contract makes of an exclusion, and why; caps and overlaps are a matter of each period."""

    contract: str
    status: Status
    why: str


@dataclass(frozen=True, slots=True)
class ExclusionView:
    """An exclusion, what people did to it, and what comes of it under each contract that it covers."""

    declaration: Declaration
    entries: Sequence[ExclusionEntry]
    effects: Sequence[Effect]


class Occurrence(NamedTuple):
    """The event of a calendar, and which of its occurrences it is, that an import declares or withdraws."""

    uid: str = ""
    recurrence: str = ""


NO_OCCURRENCE: Final = Occurrence()


class ExclusionLedger:
    """What is known as of an instant, or now. Appending is for now only.

    No entry is earlier than the one before it, even if the clock was set back: what was known at an instant never
    changes afterwards. NotFound where no fleet file is in force.
    """

    def __init__(
        self, tx: Transaction, terms: Terms, now_us: int, as_of_us: int | None = None
    ) -> None:
        self._tx = tx
        self._entries = list(tx.exclusion_entries(as_of_us))
        last_us = self._entries[-1].at_us if self._entries else now_us
        self.now_us = max(now_us, last_us)
        at_us = self.now_us if as_of_us is None else as_of_us
        in_force = terms.in_force(tx, at_us)
        if in_force is None:
            raise NotFound("There is no fleet file in force, and so nothing to exclude: apply one.")
        self.in_force: InForce = in_force
        self._contracts = list(in_force.fleet.contracts.values())
        every = declared(in_force.fleet, in_force.logged, self._entries)
        self._known = {one.declaration.exclusion.id: one for one in every}

    @property
    def all(self) -> Sequence[Declared]:
        """Every exclusion: those of the file, then those of the ledger."""
        return list(self._known.values())

    def find(self, name: str) -> Declared | None:
        """The exclusion of that id."""
        return self._known.get(name)

    def known(self, name: str) -> Declared:
        """The exclusion of that id. NotFound if there is none."""
        found = self.find(name)
        if found is None:
            raise NotFound(f"There is no exclusion {name!r}; `vedette exclusion list` names them.")
        return found

    def next_number(self) -> int:
        """One more than there were declarations."""
        return 1 + sum(one.kind is EntryKind.DECLARED for one in self._entries)

    def append(
        self,
        exclusion: Exclusion,
        kind: EntryKind,
        by: Actor,
        *,
        text: str = "",
        occurrence: Occurrence = NO_OCCURRENCE,
    ) -> None:
        """Append an entry about an exclusion, here and in the ledger of acts. Rejected if it is full."""
        if len(self._entries) >= EXCLUSION_ENTRIES_MAX:
            raise Rejected(
                f"The ledger of exclusions has {EXCLUSION_ENTRIES_MAX} entries, which is the most: declare"
                " what is to come in the fleet file."
            )
        is_new = kind is EntryKind.DECLARED
        entry = ExclusionEntry(
            exclusion.id, kind, self.now_us, by.name, by.role, by.peer, exclusion.digest(), text,
            msgspec.json.encode(exclusion) if is_new else b"", occurrence.uid, occurrence.recurrence,
        )  # fmt: skip
        self._tx.put_exclusion_entry(entry)
        said = exclusion.reason if is_new else text
        self._tx.record(by.act(self.now_us, _ACTIONS[kind], exclusion.id, said))
        self._entries.append(entry)
        old = self.find(exclusion.id)
        source = Source.CALENDAR if occurrence.uid else Source.COMMAND
        logged_us: int | None = self.now_us
        if old is not None:
            source, logged_us = old.declaration.source, old.declaration.logged_us
        entries = (*(old.entries if old else ()), entry)
        self._known[exclusion.id] = folded(exclusion, source, logged_us, entries)

    def view(self, name: str) -> ExclusionView:
        """The exclusion of that id as people see it. NotFound if there is none."""
        found = self.known(name)
        return ExclusionView(found.declaration, found.entries, self._effects(found.declaration))

    def _effects(self, declaration: Declaration) -> list[Effect]:
        exclusion, checks = declaration.exclusion, self.in_force.fleet.checks
        found: list[Effect] = []
        for contract in self._contracts:
            members = [checks[name] for name in contract.scope.members]
            if all(exclusion.covers(one.id, one.service) for one in members):
                terms = _terms(contract, exclusion)
                found.append(Effect(contract.first.id, *standing(declaration, terms)))
        return found


def _terms(contract: Agreement, exclusion: Exclusion) -> ExclusionTerms:
    """What the version of a contract that is in force when an exclusion begins says of its type."""
    from_us = exclusion.interval.from_us
    begun = [one for one in contract.versions if one.effective_us <= from_us]
    version = (begun or contract.versions)[-1 if begun else 0]
    return version.exclusions.by_type.get(exclusion.type, ExclusionTerms())
