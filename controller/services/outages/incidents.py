"""Incidents, kept up to date with the ledger of outages: each under one handle, whatever becomes of it (S-16)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from controller.core.incidents import (
    Incident,
    Node,
    explains_until_us,
    incident_of,
    incidents,
    inherited,
    is_explained,
)
from controller.core.intervals import FOREVER_US
from controller.ports.incidents import Explained, StoredIncident
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.ports.storage import Transaction
from controller.services.outages.incident_nodes import Nodes

_EVENTS_AT_ONCE = 1000


class Incidents:
    """Follows the ledger of outages. Synchronous: runs in the storage thread, inside a transaction.

    What an event can change is worked out again, and no more: the outages that are near to those of the
    event in time, and the incidents that these are in.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._nodes = Nodes()

    def follow(self, tx: Transaction) -> None:
        """Take what happened to outages since the last time. The first time, all outages that there are."""
        sequence = tx.followed_event()
        if sequence is None:
            tx.put_followed_event(tx.last_event())
            self._regroup(tx, [one.number for one in tx.outages(scope=OutageScope.ALL)])
            return
        touched: set[int] = set()
        while events := tx.events_after(sequence, _EVENTS_AT_ONCE):
            sequence = events[-1].sequence
            touched.update(event.number for event in events)
        if touched:
            tx.put_followed_event(sequence)
            self._regroup(tx, sorted(touched))

    def explained(self, tx: Transaction, number: int) -> Explained | None:
        """What explains an outage at this time, so that nobody need be told of it; None: it stands for itself."""
        self.follow(tx)
        belongs = tx.incidents_of([number]).get(number)
        stored = tx.incident(belongs) if belongs else None
        if stored is None or len(stored.outages) == 1:
            return None
        numbers, incident = self.made(tx, stored)
        own = next((node for node in incident.nodes if numbers[node.id] == number), None)
        kin = incident.kin.get(own.id) if own else None
        if own is None or kin is None or not is_explained(own, kin.parent, self._now_us()):
            return None
        until_us = explains_until_us(own, kin.parent)
        return Explained(numbers[kin.parent.id], kin.reason, until_us)

    def made(self, tx: Transaction, stored: StoredIncident) -> tuple[Mapping[str, int], Incident]:
        """An incident that stands, worked out, and the numbers of its outages by their ids."""
        rows = [row for number in stored.outages if (row := tx.outage(number)) is not None]
        nodes = self._nodes.of(tx, rows)
        numbers = {node.id: row.number for node, row in zip(nodes, rows, strict=True)}
        return numbers, incident_of(nodes)

    def _regroup(self, tx: Transaction, touched: Sequence[int]) -> None:
        """Work out again which incidents the touched outages are in, and what becomes of those they were in."""
        pool = _Pool(tx, self._nodes)
        pool.add(touched)
        pool.add_incidents_of(touched)
        pool.add_near(touched)
        while True:
            found = [{pool.numbers[node.id] for node in one.nodes} for one in incidents(pool.nodes)]
            concerned = [own for own in found if own & pool.concerned]
            # An outage that came in by its time may be in an incident with others that are further off.
            if not pool.add_incidents_of(sorted({one for own in concerned for one in own})):
                break
        self._write(tx, pool, [sorted(own) for own in concerned])

    def _write(self, tx: Transaction, pool: "_Pool", new: Sequence[Sequence[int]]) -> None:
        now_us = self._now_us()
        heirs = inherited({one.number: one.outages for one in pool.incidents.values()}, new)
        made: dict[int, int] = {}
        for place, outages in enumerate(new):
            old = pool.incidents.get(heirs.get(place, 0))
            stored = replace(
                StoredIncident(0, now_us, ()) if old is None else old,
                outages=tuple(outages),
                gone_us=None,
                merged_into=0,
            )
            number = stored.number if stored == old else tx.put_incident(stored)
            made.update(dict.fromkeys(outages, number))
        for one in pool.incidents.values():
            if one.number not in heirs.values():
                into = [made[outage] for outage in one.outages if outage in made]
                most = max(sorted(set(into)), key=into.count, default=0)
                gone = replace(one, outages=(), gone_us=now_us, merged_into=most)
                tx.put_incident(gone)


class _Pool:
    """Outages that may be joined, and the incidents that they are in."""

    def __init__(self, tx: Transaction, nodes: Nodes) -> None:
        self._tx = tx
        self._makes = nodes
        self.nodes: list[Node] = []
        self.numbers: dict[str, int] = {}
        self.incidents: dict[int, StoredIncident] = {}
        self.concerned: set[int] = set()
        self._known: dict[int, StoredOutage] = {}

    def add(self, numbers: Iterable[int]) -> None:
        """These outages, as far as they were not retracted; their incidents are worked out again."""
        self.concerned.update(numbers)
        new = [number for number in numbers if number not in self._known]
        self._take([row for number in new if (row := self._tx.outage(number)) is not None])

    def add_near(self, numbers: Iterable[int]) -> None:
        """Every outage that is near in time to one of these."""
        window_us = self._makes.window_us_max(self._tx)
        rows = [self._known[number] for number in numbers if number in self._known]
        if not rows:
            return
        from_us = min(row.started_us for row in rows) - window_us
        ends = [FOREVER_US if row.ended_us is None else row.ended_us for row in rows]
        to_us = min(max(ends) + window_us + 1, FOREVER_US)
        self._take(self._tx.outages(None, from_us - 1, to_us, scope=OutageScope.ALL))

    def add_incidents_of(self, numbers: Sequence[int]) -> bool:
        """The incidents of these outages with all that is in them; False if there is nothing new."""
        new = set(self._tx.incidents_of(numbers).values()) - self.incidents.keys()
        for number in sorted(new):
            stored = self._tx.incident(number)
            if stored is not None:
                self.incidents[number] = stored
                self.add(stored.outages)
        return bool(new)

    def _take(self, rows: Iterable[StoredOutage]) -> None:
        new = [row for row in rows if row.number not in self._known]
        self._known.update((row.number, row) for row in new)
        made = self._makes.of(self._tx, new)
        self.nodes += made
        self.numbers.update((node.id, row.number) for node, row in zip(made, new, strict=True))
