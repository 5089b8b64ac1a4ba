"""Contracts as they stood at an instant: by the file that was in force then, each with its revision."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from controller.core.fleet import Fleet, read_fleet
from controller.core.sla.terms.agreements import whole_contracts
from controller.core.sla.terms.contracts import Agreement, Contract
from controller.core.sla.terms.exclusions import Declaration, Exclusion
from controller.errors import NotFound
from controller.ports.exclusions import ExclusionEntry
from controller.ports.fleet import FleetRevision
from controller.ports.storage import Transaction
from controller.services.contracts.declared import declared
from vedette.shared.documents import BadDocument, parse

# When the controller had each exclusion of a file first, by id, in microseconds.
Logged = Mapping[str, int]
_FLEETS_KEPT_MAX: Final = 4
# Instants of which it is remembered which exclusions were known.
_LEDGERS_KEPT_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Agreed:
    """A contract, the file that it stands in, how many revisions of it there were by then, and all exclusions."""

    contract: Agreement
    fleet: Fleet
    revision: int
    declared: Sequence[Declaration] = ()


@dataclass(frozen=True, slots=True)
class InForce:
    """A file that was in force, and since when each of its exclusions is known."""

    fleet: Fleet
    logged: Logged


class Tenure(NamedTuple):
    """Since when a contract stands in files, and since when in none any more; None: it still does."""

    from_us: int
    until_us: int | None


@dataclass(frozen=True, slots=True)
class _File:
    """An applied file: the revision number of each contract in it, and since when its exclusions are known.

    `exclusions` are their digests.
    """

    number: int
    applied_us: int
    revisions: Mapping[str, int]
    exclusions: Mapping[str, str] = field(default_factory=dict)
    logged: Logged = field(default_factory=dict)


@dataclass(slots=True)
class Terms:
    """Reads every applied file once, for what its contracts say. Synchronous: runs in the storage thread.

    A contract has a new revision where a file says something else of it than the last file that had it.
    """

    _files: list[_File] = field(default_factory=list)
    _said: dict[str, object] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _tenures: dict[str, Tenure] = field(default_factory=dict)
    _fleets: dict[int, Fleet] = field(default_factory=dict)
    _declared: dict[tuple[int, ExclusionEntry | None], Sequence[Declaration]] = field(
        default_factory=dict
    )

    def agreed(self, tx: Transaction, name: str | None, as_of_us: int) -> Sequence[Agreed]:
        """The contracts (or the one of that name) of the file that was in force at an instant.

        Before there was any, the first file counts; before there was that contract, its first revision.
        NotFound if there is no such contract.
        """
        self._read(tx)
        if not self._files:
            return []
        before = [one for one in self._files if one.applied_us <= as_of_us]
        file = before[-1] if before else self._files[0]
        if name is None:
            return self._of(tx, file, list(file.revisions), as_of_us)
        if not any(name in one.revisions for one in before):
            later = (one for one in self._files if name in one.revisions)
            file = next(later, file)
        if name not in file.revisions:
            known = ", ".join(file.revisions) or "none"
            raise NotFound(f"Expected a contract in force ({known}), found {name!r}.")
        return self._of(tx, file, [name], as_of_us)

    def in_force(self, tx: Transaction, as_of_us: int) -> InForce | None:
        """The file that was in force at an instant, or the first one; None if there never was any."""
        self._read(tx)
        if not self._files:
            return None
        file = next(
            (one for one in reversed(self._files) if one.applied_us <= as_of_us), self._files[0]
        )
        return InForce(self._fleet(tx, file), file.logged)

    def latest(self, tx: Transaction, name: str, as_of_us: int) -> Agreed:
        """The contract of that name as the last file had it that was applied by then and has it.

        So a contract that was taken out is still reported on. Before there was that contract, its first
        revision. NotFound if there never was one.
        """
        return self._of(tx, self._having(tx, name, as_of_us), [name], as_of_us)[0]

    def agreement(self, tx: Transaction, name: str, as_of_us: int) -> Agreement:
        """The same, without what is known of exclusions."""
        return self._fleet(tx, self._having(tx, name, as_of_us)).contracts[name]

    def rested_on(self, tx: Transaction, name: str, as_of_us: int, now_us: int) -> Sequence[str]:
        """The checks that a contract is about now, and those that it was about for figures as of that instant."""
        scopes = [self.agreement(tx, name, at_us).scope.members for at_us in (as_of_us, now_us)]
        return list(dict.fromkeys(check for members in scopes for check in members))

    def _having(self, tx: Transaction, name: str, as_of_us: int) -> _File:
        self._read(tx)
        first: _File | None = None
        for one in reversed(self._files):
            if name in one.revisions:
                if one.applied_us <= as_of_us:
                    return one
                first = one
        if first is None:
            known = ", ".join(self._tenures) or "none"
            raise NotFound(f"Expected a contract that was ever in force ({known}), found {name!r}.")
        return first

    def is_otherwise(self, tx: Transaction, name: str, since: int) -> bool:
        """Files after the one of that number say something else that a report on a contract hangs on."""
        self._read(tx)
        having = [one for one in self._files if name in one.revisions]
        before = [one for one in having if one.number <= since]
        if not before or before[-1] is having[-1]:
            return not before
        old, new = (self._fleet(tx, files[-1]) for files in (before, having))
        members = new.contracts[name].scope.members
        return any(
            getattr(old, part) != getattr(new, part) for part in ("exclusions", "services")
        ) or [old.contracts[name], *(old.checks.get(one) for one in members)] != [
            new.contracts[name], *(new.checks.get(one) for one in members),
        ]  # fmt: skip

    def newest(self, tx: Transaction) -> int:
        """The number of the last file that was applied; 0: there is none."""
        self._read(tx)
        return self._files[-1].number if self._files else 0

    def tenures(self, tx: Transaction) -> Mapping[str, Tenure]:
        """Every contract that there ever was, in the order of their coming, and when files had it."""
        self._read(tx)
        return self._tenures

    def _of(
        self, tx: Transaction, file: _File, names: Sequence[str], as_of_us: int
    ) -> Sequence[Agreed]:
        fleet = self._fleet(tx, file)
        known = self._declarations(tx, file, as_of_us)
        return [Agreed(fleet.contracts[name], fleet, file.revisions[name], known) for name in names]

    def _declarations(self, tx: Transaction, file: _File, as_of_us: int) -> Sequence[Declaration]:
        """The exclusions that were known then; they are put together once for each last entry of the ledger."""
        key = file.number, tx.last_exclusion_entry(as_of_us)
        if key not in self._declared:
            entries = tx.exclusion_entries(as_of_us)
            found = declared(self._fleet(tx, file), file.logged, entries)
            if len(self._declared) >= _LEDGERS_KEPT_MAX:
                del self._declared[next(iter(self._declared))]
            self._declared[key] = [one.declaration for one in found]
        return self._declared[key]

    def _fleet(self, tx: Transaction, file: _File) -> Fleet:
        known = self._fleets.pop(file.number, None)
        if known is None:
            found = tx.fleet(file.number)
            assert found is not None, "files that were applied are kept for ever"
            known = read_fleet(found.text, found.file_name)
        self._fleets[file.number] = known
        while len(self._fleets) > _FLEETS_KEPT_MAX:
            del self._fleets[next(iter(self._fleets))]
        return known

    def _read(self, tx: Transaction) -> None:
        for one in tx.fleets(after=self._files[-1].number if self._files else 0):
            revisions: dict[str, int] = {}
            data = _data(one)
            for name, said in _contracts(data):
                if self._said.get(name) != said:
                    self._said[name] = said
                    self._counts[name] = self._counts.get(name, 0) + 1
                revisions[name] = self._counts[name]
            exclusions = dict(_exclusions(data))
            last = self._files[-1] if self._files else None
            logged = {
                name: last.logged[name]
                if last is not None and last.exclusions.get(name) == digest
                else one.applied_us
                for name, digest in exclusions.items()
            }
            self._files.append(_File(one.number, one.applied_us, revisions, exclusions, logged))
            self._note_tenures(revisions, one.applied_us)

    def _note_tenures(self, names: Collection[str], applied_us: int) -> None:
        for name, tenure in self._tenures.items():
            if name not in names and tenure.until_us is None:
                self._tenures[name] = tenure._replace(until_us=applied_us)
        for name in names:
            known = self._tenures.get(name)
            self._tenures[name] = Tenure(known.from_us if known else applied_us, None)


def _data(file: FleetRevision) -> dict[str, Any]:
    try:
        data = parse(file.text, file.file_name).data
    except BadDocument:
        return {}  # it was applied by a program that read it otherwise
    return data if isinstance(data, dict) else {}


def _exclusions(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The exclusions of a file: what names the type, time and scope of each."""
    items = data.get("exclusions")
    for item in items if isinstance(items, list) else ():
        with suppress(msgspec.ValidationError, ValueError):
            one = msgspec.convert(item, Exclusion)
            yield one.id, one.digest()


def _contracts(data: Mapping[str, Any]) -> list[tuple[str, object]]:
    """What each contract of a file says, however it is written."""
    said: dict[str, list[object]] = {}
    for item in whole_contracts(data):
        if isinstance(item, dict):
            said.setdefault(str(item["id"]), []).append(_said(item))
    return list(said.items())


def _said(item: dict[str, Any]) -> object:
    try:
        return msgspec.convert(item, Contract)
    except msgspec.ValidationError:
        return item
