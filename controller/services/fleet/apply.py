"""Fleet files: what one would change, putting it in force, and what each region has to probe."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from controller.core.channels import Channel
from controller.core.fleet import Fleet, read_fleet
from controller.core.forewarnings import Forewarning, broken_promises, forewarnings
from controller.notify.apprise_addresses import address_finding
from controller.ports.custody import Actor
from controller.ports.fleet import CheckRevision, FleetRevision
from controller.ports.storage import Storage, Transaction
from controller.services.contracts.declared import clashes
from controller.services.fleet.agreed_terms import changed_terms
from controller.services.fleet.changes import Change, changes_between
from controller.services.results.strays import adopt
from vedette.shared.anchors import encode_anchor
from vedette.shared.definitions import (
    KINDS,
    Check,
    canonical_bytes,
    decode_check,
    digest_of,
)
from vedette.shared.documents import BadDocument, Document, Problem, parse
from vedette.shared.expectations import BadExpectation, compiled
from vedette.shared.limits import PROBLEMS_SHOWN_MAX

_ASSIGNMENTS_KEPT_MAX: Final = 1000
_EXPECTED: Final = "a CEL expression over what the probe saw"


class Judging(Protocol):
    """Whoever judges by check revisions, and has to know of new ones."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction whose undoing undoes what was revised in it."""
        ...

    def revise(self, tx: Transaction, checks: Sequence[str], now_us: int) -> None:
        """Judge these checks by the revisions that `tx` holds now."""
        ...


@dataclass(frozen=True, slots=True)
class Planned:
    """What applying a file would change and what to think about, or everything that is wrong with it."""

    changes: Sequence[Change] = ()
    problems: Sequence[Problem] = ()
    warnings: Sequence[Forewarning] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a file changed and what to think about, or all that is wrong; and the revision in force."""

    changes: Sequence[Change] = ()
    problems: Sequence[Problem] = ()
    revision: int = 0
    warnings: Sequence[Forewarning] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a region has to probe: check definitions with their digests, by check id.

    `revision` is the SHA-256 of the digests: the same checks give the same name everywhere. `interval_us_min` is
    the shortest interval among them, 0 if there are none.
    """

    revision: str
    checks: tuple[tuple[bytes, str], ...]
    interval_us_min: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A check of a region, and the labels that an agent must have to probe it."""

    definition: bytes
    digest: str
    interval_us: int
    wants: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class InForce:
    """A fleet file in force, and the newest revision of every check that there ever was."""

    revision: FleetRevision
    fleet: Fleet
    checks: dict[str, CheckRevision]


class Fleets:
    """Plans, applies and exports fleet files. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, evaluator: Judging, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._now_us = now_us
        self._in_force: InForce | None = None
        self._assignments: dict[tuple[str, frozenset[tuple[str, str]]], Assignment] = {}
        self._candidates: dict[str, list[Candidate]] = {}

    def plan(self, text: bytes, file_name: str) -> Planned:
        """What applying the file would change. Changes nothing."""
        try:
            fleet = checked_fleet(text, file_name)
        except BadDocument as error:
            return Planned(problems=error.problems)
        with self._storage.transaction() as tx:
            if problems := clashes(fleet, tx.exclusion_entries()):
                return Planned(problems=problems)
            changes = changes_between(self._fleet(tx), fleet)
        return Planned(changes, warnings=forewarnings(fleet, self._now_us()))

    def enter_terms(self) -> None:
        """Enter in the log what the file in force says of contracts of which nothing is there yet.

        An earlier version put it in force, and entered its hash alone.
        """
        with self._storage.transaction() as tx:
            if (now := self._load(tx)) is not None:
                for terms in changed_terms(tx, now.fleet, now.fleet, now.revision):
                    tx.put_terms(terms)

    def apply(self, text: bytes, file_name: str, by: str, actor: Actor | None = None) -> Applied:
        """Put the file in force, whole or not at all; a file that is in force already changes nothing."""
        try:
            fleet = checked_fleet(text, file_name)
        except BadDocument as error:
            with self._storage.transaction() as tx:
                before = self._load(tx)
            return Applied(
                problems=error.problems, revision=before.revision.number if before else 0
            )
        now_us = self._now_us()
        warnings = forewarnings(fleet, now_us)
        with self._evaluator.transaction() as tx:
            before = self._load(tx)
            if before is not None and before.revision.text == text:
                return Applied(revision=before.revision.number, warnings=warnings)
            if problems := clashes(fleet, tx.exclusion_entries()):
                return Applied(problems=problems, revision=before.revision.number if before else 0)
            changes = changes_between(before.fleet if before else None, fleet)
            number = before.revision.number + 1 if before else 1
            checks = _revisions(before.checks if before else {}, fleet, now_us)
            file = FleetRevision(number, text, file_name, now_us, by)
            tx.put_fleet(file, checks)
            for terms in changed_terms(tx, before.fleet if before else None, fleet, file):
                tx.put_terms(terms)
            what = f"{file_name}, {len(changes)} changes"
            act = (actor or Actor(by)).act(now_us, "fleet.apply", f"revision {number}", what)
            tx.record(act)
            for one in checks:
                adopt(tx, one.check)
            self._evaluator.revise(tx, [one.check for one in checks], now_us)
        self._in_force = None
        self._assignments.clear()
        self._candidates.clear()
        return Applied(changes, revision=number, warnings=warnings)

    def export(self) -> FleetRevision | None:
        """The file in force, as it was applied."""
        with self._storage.transaction() as tx:
            return tx.fleet()

    def fleet(self) -> Fleet | None:
        """The fleet in force."""
        with self._storage.transaction() as tx:
            return self._fleet(tx)

    def in_force(self) -> InForce | None:
        """The file in force with the newest revision of every check, retired ones included."""
        with self._storage.transaction() as tx:
            return self._load(tx)

    def loaded(self, tx: Transaction) -> InForce | None:
        """The same, inside a transaction."""
        return self._load(tx)

    def channels(self, tx: Transaction) -> Mapping[str, Channel]:
        """The channels in force, inside a transaction."""
        fleet = self._fleet(tx)
        return fleet.channels if fleet else {}

    def broken_promises(self) -> Sequence[str]:
        """Promises of the file in force that are above what underpins them."""
        fleet = self.fleet()
        return [one.text for one in broken_promises(fleet, self._now_us())] if fleet else []

    def assignment_for(self, region: str, labels: Mapping[str, str] | None = None) -> Assignment:
        """What an agent of `region` that has these labels has to probe."""
        has = frozenset((labels or {}).items())
        if (known := self._assignments.get((region, has))) is not None:
            return known
        chosen = [one for one in self._candidates_of(region) if one.wants <= has]
        digests = "".join(f"{one.digest}\n" for one in chosen)
        revision = hashlib.sha256(digests.encode()).hexdigest()
        checks = tuple((one.definition, one.digest) for one in chosen)
        least_us = min((one.interval_us for one in chosen), default=0)
        if len(self._assignments) >= _ASSIGNMENTS_KEPT_MAX:
            self._assignments.clear()
        made = self._assignments[region, has] = Assignment(revision, checks, least_us)
        return made

    def anchors(self) -> Sequence[bytes]:
        """What every agent probes besides its checks, as it stands on the wire."""
        in_force = self.in_force()
        return [encode_anchor(one) for one in in_force.fleet.anchors] if in_force else []

    def _candidates_of(self, region: str) -> "list[Candidate]":
        """The checks of `region` by id, whoever of its agents probes them."""
        known = self._candidates.get(region)
        if known is None:
            known = []
            in_force = self.in_force()
            for _, one in sorted(in_force.checks.items() if in_force else ()):
                check = decode_check(one.definition) if one.definition else None
                if check is not None and region in _regions_of(check):
                    wants = frozenset(check.agents.items())
                    known.append(Candidate(one.definition, one.digest, check.interval_us, wants))
            self._candidates[region] = known
        return known

    def _fleet(self, tx: Transaction) -> Fleet | None:
        in_force = self._load(tx)
        return in_force.fleet if in_force else None

    def _load(self, tx: Transaction) -> InForce | None:
        if self._in_force is None and (revision := tx.fleet()) is not None:
            newest = {one.check: one for one in tx.check_revisions()}
            fleet = read_fleet(revision.text, revision.file_name)
            self._in_force = InForce(revision, fleet, newest)
        return self._in_force


def _revisions(before: dict[str, CheckRevision], fleet: Fleet, now_us: int) -> list[CheckRevision]:
    """The revisions that `fleet` makes: new and changed checks, and retired ones."""
    made: list[CheckRevision] = []
    for check in fleet.checks.values():
        definition = canonical_bytes(check)
        digest = digest_of(definition)
        old = before.get(check.id)
        if old is None or old.digest != digest:
            made.append(CheckRevision(check.id, digest, definition, _after(old, now_us)))
    made += [
        CheckRevision(old.check, "", b"", _after(old, now_us))
        for old in before.values()
        if old.definition and old.check not in fleet.checks
    ]
    return made


def _after(old: CheckRevision | None, now_us: int) -> int:
    """When a revision takes effect: now, but after the one before it even if the clock was set back."""
    return now_us if old is None else max(now_us, old.effective_us + 1)


def _regions_of(check: Check) -> Sequence[str]:
    regions = check.regions
    return regions if isinstance(regions, list) else ()


def checked_fleet(text: bytes, file_name: str) -> Fleet:
    """The fleet in `text` whose expectations all compile, and whose channels apprise takes. BadDocument with every problem otherwise."""
    problems: list[Problem] = []
    fleet: Fleet | None = None
    try:
        fleet = read_fleet(text, file_name, is_new=True)
        document = fleet.document
    except BadDocument as error:
        problems += error.problems
        # What is no YAML at all fails here again, and there is nothing more to say about it.
        document = parse(text, file_name)
    problems += expectation_problems(document)
    problems += channel_problems(document)
    if problems or fleet is None:
        raise BadDocument(sorted(set(problems))[:PROBLEMS_SHOWN_MAX])
    return fleet


def expectation_problems(document: Document) -> list[Problem]:
    """What is wrong with the expectations in a document, whatever else is wrong with it."""
    found: list[Problem] = []
    for index, check in enumerate(_list(_get(document.data, "checks"))):
        for kind in KINDS:
            for place, text in enumerate(_list(_get(_get(check, kind), "expect"))):
                if not isinstance(text, str):
                    continue
                try:
                    compiled(text, kind)
                except BadExpectation as error:
                    path = ("checks", index, kind, "expect", place)
                    found.append(document.problem(path, _EXPECTED, f"{text!r}: {error}"))
    return found


def channel_problems(document: Document) -> list[Problem]:
    """What apprise says of the addresses in a document, whatever else is wrong with it."""
    found: list[Problem] = []
    for index, channel in enumerate(_list(_get(document.data, "notify"))):
        url = _get(channel, "url")
        if isinstance(url, str) and (wrong := address_finding(url)) is not None:
            found.append(document.problem(("notify", index, "url"), *wrong))
    return found


def _get(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, dict) else None


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []
