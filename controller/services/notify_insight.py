"""What telling people of outages has to know besides the events: channels, services, severity, flapping, parents."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from controller.core.channels import Channel
from controller.core.dependencies import ancestors
from controller.core.flapping import Flapping
from controller.incidents import Explained
from controller.outcomes import StoredOutage
from controller.ports import CheckRevision, Transaction
from controller.services.apply import Fleets, InForce
from controller.services.evaluate import Evaluator
from controller.services.flapping import flapping_now
from controller.services.grading import Grading
from controller.services.outage_body import decode_body
from vedette.shared.definitions import Check, decode_check

_GLOBAL = "global"
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

    def of(self, tx: Transaction, now_us: int) -> Insight:
        """What is known in `tx` at `now_us`."""
        return _Insight(tx, self._fleets.loaded(tx), self._evaluator, self._grading, now_us)


class _Insight:
    """Insight from storage and the engines. What takes reading is read when it is asked for."""

    def __init__(
        self,
        tx: Transaction,
        in_force: InForce | None,
        evaluator: Evaluator,
        grading: Grading,
        now_us: int,
    ) -> None:
        self._tx = tx
        self._in_force = in_force
        self._evaluator = evaluator
        self._grading = grading
        self._now_us = now_us
        self._revisions: dict[str, list[CheckRevision]] | None = None
        self._outages: dict[tuple[str, int], Sequence[StoredOutage]] = {}

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
        return flapping_now(self._tx, self._evaluator, check, every_us or 1, self._now_us)

    def explained(self, number: int) -> Explained | None:
        """What an outage is a mere consequence of: outages at the same time of what its service depends on."""
        stored = self._tx.outage(number)
        if stored is None or self._in_force is None:
            return None
        services = self._in_force.fleet.services.values()
        service = self.service(stored.check)
        above = ancestors({one.id: one.depends_on for one in services}, service)
        reasons = [
            outage
            for other in (self._in_force.fleet.checks.values() if above else ())
            if other.service in above
            for outage in self._since(other.id, stored.started_us)
            if _overlap(outage, stored)
        ]
        if not reasons:
            return None
        first = min(reasons, key=lambda one: (one.started_us, one.number))
        ends = [one.ended_us for one in reasons if one.ended_us is not None]
        is_over = len(ends) == len(reasons)
        reason = f"{service} depends on {self.service(first.check)}"
        return Explained(first.number, reason, max(ends) if is_over else None)

    def _since(self, check: str, at_us: int) -> Sequence[StoredOutage]:
        """Outages of a check that touch the hour of an instant, or anything later; read once an hour and check."""
        hour_us = at_us - at_us % _HOUR_US
        found = self._outages.get((check, hour_us))
        if found is None:
            found = [one for one in self._tx.outages(check, hour_us) if _is_global(one)]
            self._outages[check, hour_us] = found
        return found

    def open_outage(self, check: str) -> str | None:
        """The outage of a check that is open."""
        for outage in self._tx.outages(check, from_us=self._now_us):
            if outage.ended_us is None and _is_global(outage):
                return outage.handle
        return None

    def _defined(self, check: str) -> Check | None:
        found = [one.definition for one in self._of(check) if one.definition]
        return decode_check(found[-1]) if found else None

    def _of(self, check: str) -> Sequence[CheckRevision]:
        if self._revisions is None:
            self._revisions = {}
            for one in self._tx.check_revisions():
                self._revisions.setdefault(one.check, []).append(one)
        return self._revisions.get(check, ())


def _is_global(outage: StoredOutage) -> bool:
    return getattr(decode_body(outage.body), "scope", _GLOBAL) == _GLOBAL


def _overlap(one: StoredOutage, other: StoredOutage) -> bool:
    """Both were open at some instant."""
    return (other.ended_us is None or one.started_us < other.ended_us) and (
        one.ended_us is None or other.started_us < one.ended_us
    )
