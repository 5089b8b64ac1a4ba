"""How contracts stand: attainment from the stored timeline."""

from collections.abc import Callable

from controller.core.calendars import Period
from controller.core.sla.reports.records import Record, records, records_bytes
from controller.core.sla.terms.contracts import Agreement
from controller.errors import BadInput
from controller.ports.storage import Storage, Transaction
from controller.services.contracts.observing import observed
from controller.services.contracts.sight import StoredSight
from controller.services.contracts.terms import Agreed, Terms
from controller.services.outages.grading import Grading
from controller.services.timeline.evaluate import Evaluator


class Reports:
    """Computes the records of contracts. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        evaluator: Evaluator,
        now_us: Callable[[], int],
        terms: Terms | None = None,
    ) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._now_us = now_us
        self._terms = terms or Terms()
        self._grading = Grading()

    def status(self, period: str, contract: str | None, as_of_us: int | None) -> bytes:
        """The document that `vedette sla compute` gives, for every contract in force (or one).

        `period` is a label, or empty: the one that runs now. Nothing later than `as_of_us`, or now, is
        used: neither evidence nor terms. BadInput for a label that is none, NotFound for a contract that there is not.
        """
        now_us = self._now_us()
        horizon_us = now_us if as_of_us is None else min(as_of_us, now_us)
        with self._storage.transaction() as tx:
            found: list[Record] = []
            for agreed in self._terms.agreed(tx, contract, horizon_us):
                when = period_of(agreed.contract, period, horizon_us)
                found += self._records(tx, agreed, when, horizon_us)
            return records_bytes(found)

    def _records(
        self, tx: Transaction, agreed: Agreed, when: Period, horizon_us: int
    ) -> list[Record]:
        sight = StoredSight(tx, self._evaluator, horizon_us, self._grading)
        known = observed(sight, agreed, when)
        return records(agreed.contract, when, known, horizon_us, revision=agreed.revision)


def period_of(contract: Agreement, label: str, at_us: int) -> Period:
    """The period of that label, or the one that runs at an instant. BadInput for a label that is none."""
    try:
        return contract.period.named(label, at_us) if label else contract.period.at(at_us)
    except ValueError as error:
        raise BadInput(f"{error}.") from error
