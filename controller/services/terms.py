"""Contracts as they stood at an instant: by the file that was in force then, each with its revision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from controller.core.fleet import Fleet, read_fleet
from controller.core.sla.agreements import whole_contracts
from controller.core.sla.contracts import Agreement, Contract
from controller.errors import NotFound
from controller.ports import FleetRevision, Transaction
from vedette.shared.documents import BadDocument, parse


@dataclass(frozen=True, slots=True)
class Agreed:
    """A contract, the file that it stands in, and how many revisions of it there were by then."""

    contract: Agreement
    fleet: Fleet
    revision: int


@dataclass(frozen=True, slots=True)
class _File:
    """An applied file: the revision number of each contract in it."""

    number: int
    applied_us: int
    revisions: Mapping[str, int]


@dataclass(slots=True)
class Terms:
    """Reads every applied file once, for what its contracts say. Synchronous: runs in the storage thread.

    A contract has a new revision where a file says something else of it than the last file that had it.
    """

    _files: list[_File] = field(default_factory=list)
    _said: dict[str, object] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _last: tuple[int, Fleet] | None = None

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
            return self._of(tx, file, list(file.revisions))
        if not any(name in one.revisions for one in before):
            later = (one for one in self._files if name in one.revisions)
            file = next(later, file)
        if name not in file.revisions:
            known = ", ".join(file.revisions) or "none"
            raise NotFound(f"Expected a contract in force ({known}), found {name!r}.")
        return self._of(tx, file, [name])

    def _of(self, tx: Transaction, file: _File, names: Sequence[str]) -> Sequence[Agreed]:
        if self._last is None or self._last[0] != file.number:
            found = tx.fleet(file.number)
            assert found is not None, "files that were applied are kept for ever"
            self._last = file.number, read_fleet(found.text, found.file_name)
        fleet = self._last[1]
        return [Agreed(fleet.contracts[name], fleet, file.revisions[name]) for name in names]

    def _read(self, tx: Transaction) -> None:
        for one in tx.fleets(after=self._files[-1].number if self._files else 0):
            revisions: dict[str, int] = {}
            for name, said in _contracts(one):
                if self._said.get(name) != said:
                    self._said[name] = said
                    self._counts[name] = self._counts.get(name, 0) + 1
                revisions[name] = self._counts[name]
            self._files.append(_File(one.number, one.applied_us, revisions))


def _contracts(file: FleetRevision) -> list[tuple[str, object]]:
    """What each contract of a file says, however it is written."""
    try:
        data = parse(file.text, file.file_name).data
    except BadDocument:
        return []  # it was applied by a program that read it otherwise
    said: dict[str, list[object]] = {}
    for item in whole_contracts(data) if isinstance(data, dict) else ():
        if isinstance(item, dict):
            said.setdefault(str(item["id"]), []).append(_said(item))
    return list(said.items())


def _said(item: dict[str, Any]) -> object:
    try:
        return msgspec.convert(item, Contract)
    except msgspec.ValidationError:
        return item
