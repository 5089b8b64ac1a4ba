"""Contracts as they stood at an instant: by the file that was in force then, each with its revision."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from controller.core.fleet import Fleet, read_fleet
from controller.core.sla.agreements import whole_contracts
from controller.core.sla.contracts import Agreement, Contract
from controller.core.sla.exclusions import Declaration, Exclusion
from controller.errors import NotFound
from controller.ports import FleetRevision, Transaction
from controller.services.declared import declared
from vedette.shared.documents import BadDocument, parse

# When the controller had each exclusion of a file first, by id, in microseconds.
Logged = Mapping[str, int]


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

    def _of(
        self, tx: Transaction, file: _File, names: Sequence[str], as_of_us: int
    ) -> Sequence[Agreed]:
        fleet = self._fleet(tx, file)
        entries = tx.exclusion_entries(as_of_us)
        known = [one.declaration for one in declared(fleet, file.logged, entries)]
        return [Agreed(fleet.contracts[name], fleet, file.revisions[name], known) for name in names]

    def _fleet(self, tx: Transaction, file: _File) -> Fleet:
        if self._last is None or self._last[0] != file.number:
            found = tx.fleet(file.number)
            assert found is not None, "files that were applied are kept for ever"
            self._last = file.number, read_fleet(found.text, found.file_name)
        return self._last[1]

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
