"""What telling people of outages has to know besides the events: channels, services, severity, flapping, parents."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from controller.core.channels import Channel
from controller.core.flapping import Flapping
from controller.core.incidents import Node, explains_until_us, incident_of, is_explained
from controller.ports.fleet import CheckRevision
from controller.ports.incidents import Explained
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.ports.storage import Transaction
from controller.services.fleet.apply import Fleets, InForce
from controller.services.outages.flapping import flapping_now
from controller.services.outages.grading import Grading
from controller.services.outages.incident_nodes import Nodes
from controller.services.outages.outage_body import decode_body
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.definitions import Check, decode_check

_HOUR_US = 3600 * 1_000_000


class Insight(Protocol):
    """What is known in one transaction, at one instant."""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels in force, by id."""
        ...

    def service(self, check: str) -> str:
        """The service of a check as last defined."""
        ...

    def severity(self, body: bytes) -> str:
        """How grave the outage in a stored body is."""
        ...

    def flapping(self, check: str) -> Flapping:
        """How a check flaps."""
        ...

    def explained(self, number: int) -> Explained | None:
        """What an outage is a mere consequence of; None if of nothing."""
        ...

    def open_outage(self, check: str) -> str | None:
        """The outage of a check that is open."""
        ...


class Insights:
    """Gives what is known in a transaction. Remembers what never changes."""

    def __init__(self, fleets: Fleets, evaluator: Evaluator) -> None:
        self._fleets = fleets
        self._evaluator = evaluator
        self._grading = Grading()
        self._nodes = Nodes()

    def of(self, tx: Transaction, now_us: int) -> Insight:
        """What is known in `tx` at `now_us`."""
        in_force = self._fleets.loaded(tx)
        return _Insight(tx, in_force, self._evaluator, self._grading, self._nodes, now_us)


class _Insight:
    """Insight from storage and the engines. What takes reading is read when it is asked for."""

    def __init__(
        self,
        tx: Transaction,
        in_force: InForce | None,
        evaluator: Evaluator,
        grading: Grading,
        nodes: Nodes,
        now_us: int,
    ) -> None:
        self._tx = tx
        self._nodes = nodes
        self._in_force = in_force
        self._evaluator = evaluator
        self._grading = grading
        self._now_us = now_us
        self._revisions: dict[str, list[CheckRevision]] | None = None
        self._outages: dict[tuple[str, int], Sequence[StoredOutage]] = {}
        self._services: dict[str, list[str]] | None = None

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels in force, by id."""
        return self._in_force.fleet.channels if self._in_force else {}

    def service(self, check: str) -> str:
        """The service of a check as last defined."""
        last = self._defined(check)
        return last.service if last else ""

    def severity(self, body: bytes) -> str:
        """How grave the outage in a stored body is."""
        outage = decode_body(body)
        grades = self._grading.of(self._tx, outage, self._of(outage.check))
        return grades.severity.value

    def flapping(self, check: str) -> Flapping:
        """How a check flaps."""
        last = self._defined(check)
        every_us = last.interval_us if last else 0
        return flapping_now(self._tx, check, every_us or 1, self._now_us)

    def explained(self, number: int) -> Explained | None:
        """What an outage is a mere consequence of.

        It is what the outage's incident says (S-16), worked out from those outages alone that it can hang on:
        a storm may make an incident of thousands.
        """
        stored = self._tx.outage(number)
        if stored is None:
            return None
        (own,) = self._nodes.of(self._tx, [stored])
        rows = [
            row
            for check in self._above(own)
            for row in self._since(check, stored.started_us)
            if row.number != number and _overlap(row, stored)
        ]
        others = self._nodes.of(self._tx, rows)
        kin = incident_of([own, *others]).kin.get(own.id)
        if kin is None or not is_explained(own, kin.parent, self._now_us):
            return None
        numbers = {node.id: row.number for node, row in zip(others, rows, strict=True)}
        return Explained(numbers[kin.parent.id], kin.reason, explains_until_us(own, kin.parent))

    def _above(self, own: Node) -> Sequence[str]:
        """The checks whose outages an outage can hang on."""
        if self._services is None:
            self._services = {}
            for check in self._revised():
                self._services.setdefault(self.service(check), []).append(check)
        found = [check for service in own.ancestors for check in self._services.get(service, ())]
        return [*found, *([own.check] if own.region else [])]

    def _since(self, check: str, at_us: int) -> Sequence[StoredOutage]:
        """Outages of a check that touch the hour of an instant, or anything later; read once an hour and check."""
        hour_us = at_us - at_us % _HOUR_US
        found = self._outages.get((check, hour_us))
        if found is None:
            found = self._tx.outages(check, hour_us, scope=OutageScope.ALL)
            self._outages[check, hour_us] = found
        return found

    def open_outage(self, check: str) -> str | None:
        """The outage of a check that is open."""
        for outage in self._tx.outages(check, from_us=self._now_us):
            if outage.ended_us is None:
                return outage.handle
        return None

    def _defined(self, check: str) -> Check | None:
        found = [one.definition for one in self._of(check) if one.definition]
        return decode_check(found[-1]) if found else None

    def _of(self, check: str) -> Sequence[CheckRevision]:
        return self._revised().get(check, ())

    def _revised(self) -> Mapping[str, Sequence[CheckRevision]]:
        if self._revisions is None:
            self._revisions = {}
            for one in self._tx.check_revisions():
                self._revisions.setdefault(one.check, []).append(one)
        return self._revisions


def _overlap(one: StoredOutage, other: StoredOutage) -> bool:
    """Both were open at some instant."""
    return (other.ended_us is None or one.started_us < other.ended_us) and (
        one.ended_us is None or other.started_us < one.ended_us
    )
