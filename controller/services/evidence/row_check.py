"""Comparing rows of facts with their leaves: a row that was changed, taken away or slipped in says other than the log.

Whoever owns the database can change a row of it; what was said of it in the log stays as it was signed. Leaves and
rows of a kind come in one order, so both are read once, side by side, and only what does not fit is remembered.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from controller.ports.custody import LOCAL
from controller.ports.leaves import Leaf, LeafKind, Said
from controller.ports.storage import Transaction
from controller.services.evidence.witness_check import KEY as WITNESS_KEY
from controller.services.evidence.witness_check import WitnessKeyCheck

_AT_ONCE: Final = 512
_TIME: Final = "time "
_SUBJECT: Final = "subject "
_DATA: Final = "data "
# Kinds whose rows are ledgers. Seals, keys and what was pruned are compared in other ways.
NAMES: Final[Mapping[LeafKind, str]] = {
    LeafKind.FLEET: "fleet file",
    LeafKind.CHECK: "revision of check",
    LeafKind.EXCLUSION: "entry on exclusion",
    LeafKind.REMARK: "remark on",
    LeafKind.OUTAGE: "event of",
    LeafKind.CLAIM: "act on claim",
    LeafKind.REPORT: "issued report",
    LeafKind.ACCESS: "act",
    LeafKind.HOLD: "word on hold",
    LeafKind.COUNTER: "counter-evidence on",
}
_Key = tuple[object, ...]
_Place = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What the note of a leaf says in the log's own form: when, of what, and what."""

    at_us: int
    subject: str
    data: Mapping[str, Any]


def statement_of(text: str) -> Statement | None:
    """What a leaf's text says; None if it is of another form: a seal, or the claim of a bundle."""
    lines = text.split("\n")
    if len(lines) != 5 or not all(
        line.startswith(head)
        for line, head in zip(lines[1:], (_TIME, _SUBJECT, _DATA), strict=False)
    ):
        return None
    at_us = int(lines[1].removeprefix(_TIME))
    subject = json.loads(lines[2].removeprefix(_SUBJECT))
    return Statement(at_us, subject, json.loads(lines[3].removeprefix(_DATA)))


@dataclass(slots=True)
class _Waiting:
    """What came on one side and has no partner yet, by key, in the order of coming."""

    found: dict[_Key, deque[Any]] = field(default_factory=dict)

    def put(self, key: _Key, one: object) -> None:
        self.found.setdefault(key, deque()).append(one)

    def take(self, key: _Key) -> Any:
        """The first that waits under that key; None if there is none."""
        line = self.found.get(key)
        if line is None:
            return None
        one = line.popleft()
        if not line:
            del self.found[key]
        return one

    def rest(self) -> Iterator[Any]:
        for line in self.found.values():
            yield from line


@dataclass(slots=True)
class _Ledger:
    """Leaves and rows of one kind."""

    kind: LeafKind
    leaves: _Waiting = field(default_factory=_Waiting)
    rows: _Waiting = field(default_factory=_Waiting)
    read: deque[Said] = field(default_factory=deque)
    last: Said | None = None
    first_place: _Place | None = None
    place: _Place | None = None

    def heard(self, tx: Transaction, leaf: Leaf, said: Statement) -> Iterator[str]:
        """A leaf: it is compared with its row, as soon as both were read."""
        key = tx.key_of(self.kind, leaf.subject, said.data)
        row = self.rows.take(key)
        if row is not None:
            yield from self._compared(leaf, said, row)
            return
        self.leaves.put(key, (leaf, said))
        if (row := self._next(tx)) is not None:
            yield from self._paired(row)

    def rest(self, tx: Transaction, begun_us: int) -> Iterator[str]:
        """After the last leaf: what has no partner. Rows from before the log need none."""
        while (row := self._next(tx)) is not None:
            yield from self._paired(row)
        for leaf, _ in self.leaves.rest():
            yield (
                f"Of {self._named(leaf.subject)}, leaf {leaf.index} of the log, there is no row any more: it was"
                " taken away, or what tells it from others was changed."
            )
        for row in self.rows.rest():
            is_first = self.first_place is None or row.place < self.first_place
            if not (is_first and row.at_us < begun_us) and row.data.get("peer") != LOCAL:
                yield (
                    f"The row of {self._named(str(row.key[0]))} {_shown(row)} is in no leaf of the log: it was"
                    " slipped in, or what tells it from others was changed."
                )

    def _next(self, tx: Transaction) -> Said | None:
        """The next row; None after the last."""
        if not self.read:
            self.read.extend(tx.said(self.kind, self.last, _AT_ONCE))
        if not self.read:
            return None
        self.last = self.read.popleft()
        return self.last

    def _paired(self, row: Said) -> Iterator[str]:
        waiting = self.leaves.take(row.key)
        if waiting is None:
            self.rows.put(row.key, row)
        else:
            leaf, said = waiting
            yield from self._compared(leaf, said, row)

    def _compared(self, leaf: Leaf, said: Statement, row: Said) -> Iterator[str]:
        if self.first_place is None or row.place < self.first_place:
            self.first_place = row.place
        if self.kind is not LeafKind.CHECK:
            # Pairs are found in the order of the log; revisions of checks alone have an order of their own.
            if self.place is not None and row.place < self.place:
                yield f"The row of {self._named(leaf.subject)} {_shown(row)} stands in another order than the log."
            self.place = row.place
        # A column that is younger than the leaf is not in it.
        other = [name for name, value in said.data.items() if row.data.get(name) != value]
        if other:
            yield (
                f"The row of {self._named(leaf.subject)} {_shown(row)} says another {', '.join(other)} than leaf"
                f" {leaf.index} of the log, with which it was written: it was changed afterwards."
            )

    def _named(self, subject: str) -> str:
        return f"{NAMES[self.kind]} {subject}"


class RowCheck:
    """All kinds. Leaves are heard in the order of the log, of which the first is of `begun_us`."""

    def __init__(self, begun_us: int) -> None:
        self._begun_us = begun_us
        self._ledgers = {kind: _Ledger(kind) for kind in NAMES}
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._standings: dict[str, Mapping[str, Any]] = {}
        self._witnesses = WitnessKeyCheck()

    def heard(self, tx: Transaction, leaf: Leaf, text: str) -> Iterator[str]:
        """What is wrong with the columns of a leaf that the log signed, and with the row that it tells of."""
        try:
            said = statement_of(text)
        except ValueError as error:
            yield f"Leaf {leaf.index} of the log cannot be read: {error}."
            return
        yield from _column_faults(leaf, text, said)
        if said is None:
            return
        if leaf.kind is LeafKind.KEY and WITNESS_KEY in said.data:
            self._witnesses.heard(said.subject, said.data)
        elif leaf.kind is LeafKind.KEY:
            # The last word on an agent counts: how it stands, and before that its key.
            known = self._standings if "standing" in said.data else self._keys
            known[said.subject] = said.data
        elif leaf.kind in self._ledgers:
            yield from self._ledgers[leaf.kind].heard(tx, leaf, said)

    def rest(self, tx: Transaction) -> Iterator[str]:
        """What has no partner. In a transaction in which there is no leaf that was not heard."""
        for ledger in self._ledgers.values():
            yield from ledger.rest(tx, self._begun_us)
        yield from self._key_faults(tx)
        yield from self._standing_faults(tx)
        yield from self._witnesses.rest(tx)

    def _key_faults(self, tx: Transaction) -> Iterator[str]:
        agents = {one.id: one for one in tx.agents()}
        for name in sorted({*self._keys, *agents}):
            said, agent = self._keys.get(name), agents.get(name)
            if agent is None:
                yield f"Of agent {name}, whose key is in the log, there is no row any more."
            elif said is None and agent.enrolled_us >= self._begun_us:
                yield f"The row of agent {name} is in no leaf of the log: it was slipped in."
            elif said is not None:
                row = {"evidence_key": agent.evidence_key.hex(), "region": agent.region}
                yield from _differing(f"agent {name}", said, row)

    def _standing_faults(self, tx: Transaction) -> Iterator[str]:
        standings = tx.standings()
        for name in sorted({*self._standings, *standings}):
            said, standing = self._standings.get(name), standings.get(name)
            if standing is None:
                yield f"Of how agent {name} stands, which is in the log, there is no row any more."
            elif said is None and standing.since_us >= self._begun_us:
                yield f"How agent {name} stands is in no leaf of the log: the row was slipped in."
            elif said is not None:
                row = {**asdict(standing), "standing": standing.standing.value}
                yield from _differing(f"how agent {name} stands", said, row)


def _differing(what: str, said: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[str]:
    other = [name for name in row if name in said and said[name] != row[name]]
    if other:
        yield f"The row of {what} says another {', '.join(other)} than the log: it was changed afterwards."


def _column_faults(leaf: Leaf, text: str, said: Statement | None) -> Iterator[str]:
    """What stands beside a note says the same as the note."""
    what = f"Leaf {leaf.index} of the log"
    kind = text.split("\n", 1)[0]
    if kind != f"vedette.{leaf.kind.value}/v1":
        yield f"{what} stands there as {leaf.kind.value}, and its note is {kind}."
    if said is None:
        words = text.split()
        if not all(word in words for word in leaf.subject.split()[1:]):
            yield f"{what} stands there as about {leaf.subject!r}, of which its note says nothing."
    elif (said.at_us, said.subject) != (leaf.recorded_us, leaf.subject):
        yield (
            f"{what} stands there as about {leaf.subject!r} at {leaf.recorded_us}, and its note is about"
            f" {said.subject!r} at {said.at_us}."
        )


def _shown(row: Said) -> str:
    return f"({', '.join(str(one) for one in row.key[1:])})"
